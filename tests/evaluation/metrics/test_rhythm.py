"""Features of drum patterns, with values computed by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.evaluation.data.arrays import Floats, Hits
from gmd_vae.evaluation.latent.attributes import drum_attributes
from gmd_vae.evaluation.metrics import rhythm
from hypothesis import given
from hypothesis import strategies as st

Feature = Callable[[Hits, int], Floats]

FEATURES: list[Feature] = [
    rhythm.hits_per_bar,
    rhythm.voice_densities,
    rhythm.voice_shares,
    rhythm.density,
    rhythm.groove_consistency,
    rhythm.swing,
    rhythm.syncopation,
]

JIG = DrumWindows(quarters_per_bar=3, time_signature=(6, 8))


def window(*voices: str) -> Hits:
    """Returns one window from patterns such as ``x... x... | x...``, one for each voice, all of one length."""
    rows = [[mark == "x" for mark in voice if mark in "x."] for voice in voices]
    return np.array(rows).T[None]


ROCK = window(
    "x... .... x.x. .... | x... .... x.x. ....",  # kick
    ".... x... .... x... | .... x... .... x...",  # snare
    "x.x. x.x. x.x. x.x. | x.x. x.x. x.x. ....",  # hi-hat, the last beat left out
)


def test_hits_of_a_rock_beat() -> None:
    """Kick 3 + 3, snare 2 + 2, hi-hat 8 + 6: 24 hits in two bars."""
    np.testing.assert_allclose(rhythm.hits_per_bar(ROCK, 16), [12])
    np.testing.assert_allclose(rhythm.voice_densities(ROCK, 16), [[3, 2, 7]])
    np.testing.assert_allclose(rhythm.voice_shares(ROCK, 16), [[3 / 12, 2 / 12, 7 / 12]])


def test_density_of_a_rock_beat() -> None:
    """The last beat: snare and hi-hat in the first bar, the snare alone in the second; its hi-hat is in one of two."""
    expected = [2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 2, 0, 1.5, 0, 0.5, 0]
    np.testing.assert_allclose(rhythm.density(ROCK, 16), [expected])


def test_groove_consistency_by_hand() -> None:
    """Of 16 positions, the rock beat's bars differ in one: the last hi-hat (where it fell on the snare is no loss)."""
    np.testing.assert_allclose(rhythm.groove_consistency(ROCK, 16), [15 / 16])
    # bars of 4 steps: 1-2 differ in two positions, 2-3 in none
    three = window("xx.. | x..x | x..x")
    np.testing.assert_allclose(rhythm.groove_consistency(three, 4), [(2 / 4 + 4 / 4) / 2])


def test_another_drum_at_the_same_step_is_no_other_groove() -> None:
    np.testing.assert_allclose(rhythm.groove_consistency(window("x.x. | ....", ".... | x.x."), 4), [1])


def test_a_single_bar_is_consistent() -> None:
    np.testing.assert_allclose(rhythm.groove_consistency(window("x..x"), 4), [1])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("x.x. x.x. x.x. x.x.", 0),  # straight eighths
        ("x..x x..x x..x x..x", 1),  # swung eighths
        ("xxxx xxxx xxxx xxxx", 0.5),  # sixteenths
        ("x..x x..x x..x x.x.", 0.75),
        ("x... ...x x... x...", 1),
        ("xx.. xx.. xx.. xx..", 0),  # nothing in the second half of the beats
    ],
)
def test_swing_by_hand(pattern: str, expected: float) -> None:
    np.testing.assert_allclose(rhythm.swing(window(pattern), 16), [expected])


def test_metrical_weights_of_a_bar() -> None:
    assert rhythm.metrical_weights(16).tolist() == [0, -4, -3, -4, -2, -4, -3, -4, -1, -4, -3, -4, -2, -4, -3, -4]
    assert rhythm.metrical_weights(1).tolist() == [0]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("x... x... x... x...", 0),  # on the beats
        ("x.x. x.x. x.x. x.x.", 0),  # eighths
        (".... x... .... x...", 1),  # back beat: -2, then a rest on the third beat, -1; after the last hit only weaker
        ("x... ..x. .... x...", 2),  # -3 at the second "and", a rest on the third beat, -1
        ("x..x .... .... ....", 3),  # -4; the strongest rest is the third beat, -1
        ("x..x x..x x..x x...", 0),  # every late hit is followed by one on the beat
        ("x..x ..x. x... ....", 2),  # -4 and a rest on the second beat, -2; the next hit is followed by one
        ("x... .... .... ..x. | .... .... .... ....", 3 / 2),  # -3, the next bar's first beat is left out; two bars
        (".... .... .... .... ", 0),
    ],
)
def test_syncopation_by_hand(pattern: str, expected: float) -> None:
    np.testing.assert_allclose(rhythm.syncopation(window(pattern), 16), [expected])


def test_voices_are_syncopated_on_their_own() -> None:
    """Kick: the second "and" without a third beat, 2; snare: back beat, 1; the hi-hat does not hide them."""
    pattern = window("x... ..x. .... ....", ".... x... .... x...", "x.x. x.x. x.x. x.x.")
    np.testing.assert_allclose(rhythm.syncopation(pattern, 16), [3])


@pytest.mark.parametrize("feature", FEATURES)
def test_a_window_does_not_depend_on_the_others(feature: Feature) -> None:
    pattern = window("x... ..x. .x.. x..x", "..x. x... .... x...")
    silent = np.zeros_like(pattern)
    together = feature(np.concatenate([silent, pattern, silent, pattern]), 16)
    assert together.dtype == np.float64
    assert len(together) == 4
    np.testing.assert_array_equal(together[[0, 2]], np.repeat(feature(silent, 16), 2, axis=0))
    np.testing.assert_array_equal(together[[1, 3]], np.repeat(feature(pattern, 16), 2, axis=0))


@pytest.mark.parametrize("feature", FEATURES)
def test_a_silent_window_is_zero(feature: Feature) -> None:
    """Only two silent bars are as alike as two bars can be."""
    expected = 1 if feature is rhythm.groove_consistency else 0
    assert (feature(np.zeros((3, 64, 9), bool), 16) == expected).all()


@pytest.mark.parametrize("feature", FEATURES)
def test_no_windows(feature: Feature) -> None:
    assert feature(np.zeros((0, 64, 9), bool), 16).shape[0] == 0


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize(("steps", "steps_per_bar"), [(60, 16), (0, 16), (64, 0)])
def test_steps_that_are_not_whole_bars_are_an_error(feature: Feature, steps: int, steps_per_bar: int) -> None:
    with pytest.raises(ValueError, match="whole bars"):
        feature(np.zeros((2, steps, 9), bool), steps_per_bar)


def test_bars_of_other_metres_are_divided_by_their_beats() -> None:
    assert rhythm.metrical_weights(12).tolist() == [0, -3, -2, -3, -1, -3, -2, -3, -1, -3, -2, -3]  # 3/4
    assert rhythm.metrical_weights(6).tolist() == [0, -2, -1, -2, -1, -2]
    assert rhythm.metrical_weights(20)[[4, 8, 10]].tolist() == [-1, -1, -2]  # 5/4
    off_beat = np.zeros((1, 12, 1), bool)
    off_beat[0, 2] = True  # its rest on the second beat is stronger by one
    assert rhythm.syncopation(off_beat, 12).tolist() == [1.0]


def test_a_bar_without_whole_beats_has_no_swing() -> None:
    assert rhythm.swing(np.ones((2, 18, 9), bool), 18).tolist() == [0.0, 0.0]


def random_hits(seed: int, bars: int = 4, share: float = 0.2) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(seed).random((5, bars * 16, 9)) < share


@given(st.integers(0, 2**32), st.integers(1, 6), st.floats(0, 1))
def test_bounds(seed: int, bars: int, share: float) -> None:
    hits = random_hits(seed, bars, share)
    highest = {
        rhythm.hits_per_bar: 16 * 9,
        rhythm.voice_densities: 16,
        rhythm.density: 9,
        rhythm.syncopation: 4 * 16 * 9,
    }
    for feature in FEATURES:
        values = feature(hits, 16)
        assert (values >= 0).all()
        assert (values <= highest.get(feature, 1)).all()
    np.testing.assert_allclose(rhythm.density(hits, 16).sum(axis=1), rhythm.hits_per_bar(hits, 16))
    sums = rhythm.voice_shares(hits, 16).sum(axis=1)
    np.testing.assert_allclose(sums, hits.any(axis=(1, 2)))


@given(st.integers(0, 2**32), st.permutations(range(9)))
def test_the_order_of_the_voices_does_not_matter(seed: int, order: list[int]) -> None:
    hits = random_hits(seed)
    for feature in FEATURES:
        mixed = feature(hits[..., order], 16)
        plain = feature(hits, 16)
        np.testing.assert_allclose(mixed, plain[:, order] if plain.shape[1:] == (9,) else plain)


def test_weights_follow_the_beats_of_the_meter() -> None:
    waltz, jig, shuffle = DrumWindows(quarters_per_bar=3), JIG, DrumWindows(steps_per_quarter=3)
    weights = [rhythm.metrical_weights(*spec.meter[:2]).tolist() for spec in (waltz, jig, shuffle)]
    assert weights[0] == [0, -3, -2, -3, -1, -3, -2, -3, -1, -3, -2, -3]
    assert weights[1] == [0, -3, -2, -3, -2, -3, -1, -3, -2, -3, -2, -3]
    assert weights[2] == [0, -3, -3, -2, -3, -3, -1, -3, -3, -2, -3, -3]


def test_swing_is_measured_where_a_beat_has_a_middle_step() -> None:
    hits = np.zeros((1, 48, 1), bool)
    hits[0, [0, 6, 12, 20, 24, 32, 36, 45], 0] = True  # of 12 steps: one straight eighth, two at two thirds, one late
    assert rhythm.swing(hits, 48, 12).tolist() == [0.75]
    assert rhythm.swing(hits[:, :12], 12, 3).tolist() == [0.0]
    assert drum_attributes(np.ones((1, 12), np.int64), ("kick",), JIG.meter)["swing"].tolist() == [0.0]

"""Augmentation of drum windows: equal to a reference in NumPy, with the probabilities of the levers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.configuration.window_specs import NINE_CLASSES, DrumWindows

pytestmark = pytest.mark.tensorflow

GRID = DrumWindows(slice_bars=4, steps_per_quarter=1)  # bars of four steps
BATCH, STEPS, VOICES = 24, GRID.steps, 9
OFF = {"mix_windows": 0.0, "mix_bars": 0.0, "replace_bars": 0.0, "swap_voices": 0.0, "drop_voices": 0.0}
ALL = {"mix_windows": 0.6, "mix_bars": 0.7, "replace_bars": 0.7, "swap_voices": 0.5, "drop_voices": 0.6}

Numbers = npt.NDArray[Any]


def random_cells(seed: int) -> Numbers:
    """Hits with velocities and offsets that occur once, float32 ``[batch, steps, 3, voices]``."""
    random = np.random.default_rng(seed)
    hits = random.random([BATCH, STEPS, VOICES]) < random.random([BATCH, 1, VOICES]) ** 3
    each = 1 + np.arange(hits.size).reshape(hits.shape) + seed * hits.size
    return np.stack([hits, hits * each / 1e5, hits * -each / 1e5], axis=2).astype(np.float32)


def reference(cells: Numbers, partners: Numbers, levers: dict[str, float], drawn: list[Numbers]) -> Numbers:
    """Returns the changed windows, one after the other."""
    numbers = iter(drawn)
    changed = cells.copy()
    if levers["mix_windows"]:
        mixes, voices = next(numbers) < levers["mix_windows"], next(numbers) < 0.5
        for row in np.flatnonzero(mixes):
            changed[row][..., voices[row]] = partners[row][..., voices[row]]
    for name in ("mix_bars", "replace_bars"):
        if not levers[name]:
            continue
        windows, bars, sources = next(numbers) < levers[name], next(numbers) < 0.5, next(numbers)
        for row in np.flatnonzero(windows):
            by_bar = np.split(changed[row], GRID.bars)
            donor = by_bar if name == "replace_bars" else np.split(partners[row], GRID.bars)
            moved = [donor[int(sources[row, bar] * GRID.bars)] if bars[row, bar] else by_bar[bar] for bar in range(4)]
            changed[row] = np.concatenate(moved)
    if levers["swap_voices"]:
        hats, accents = next(numbers) < levers["swap_voices"], next(numbers) < levers["swap_voices"]
        order, drums = next(numbers), next(numbers) < levers["swap_voices"]
        for row in range(len(cells)):
            if hats[row]:
                changed[row][..., [2, 8]] = changed[row][..., [8, 2]]
            if accents[row]:
                changed[row][..., [3, 7]] = changed[row][..., [7, 3]]
            if drums[row]:
                changed[row][..., [4, 5, 6]] = changed[row][..., 4 + np.argsort(order[row])]
    if levers["drop_voices"]:
        windows, voices = next(numbers) < levers["drop_voices"], next(numbers) < 0.25
        for row in np.flatnonzero(windows):
            changed[row][..., voices[row]] = 0
    assert next(numbers, None) is None
    for row in range(len(cells)):
        if not changed[row].any():
            changed[row] = cells[row]
    return changed


def augmented(levers: dict[str, float], steps: int, cells: Numbers, partners: Numbers) -> list[tuple[Numbers, Any]]:
    """Returns for each training step the changed windows, those of their labels, and the numbers drawn."""
    from fixtures.recorded_draws import RecordedDraws
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation import drum_voices

    with tf.Graph().as_default(), tf.Session() as session:
        step = tf.placeholder(tf.int64, [])
        draws, same_draws = RecordedDraws(step, BATCH), RecordedDraws(step, BATCH)
        played = drum_voices.augment_drums(tf.constant(cells), tf.constant(partners), GRID, levers, draws)
        hits, others = (
            drum_voices.labels_to_cells(tf.constant(labels_of(windows), tf.int32), VOICES)
            for windows in (cells, partners)
        )
        labels = drum_voices.cells_to_labels(drum_voices.augment_drums(hits, others, GRID, levers, same_draws))
        fetched = [played, labels, *draws.drawn]
        results = [session.run(fetched, {step: number}) for number in range(steps)]
    for windows, found, *_ in results:
        np.testing.assert_array_equal(found, labels_of(windows))
    return [(windows, drawn) for windows, _, *drawn in results]


def labels_of(cells: Numbers) -> Numbers:
    return (cells[:, :, 0].astype(np.int64) << np.arange(VOICES)).sum(axis=-1)


@pytest.mark.parametrize("name", [*OFF, "all"])
def test_labels_and_grooves_equal_the_reference(name: str) -> None:
    levers = ALL if name == "all" else {**OFF, name: ALL[name]}
    cells, partners = random_cells(0), random_cells(1)
    cells[3] = 0  # a silent window
    for windows, drawn in augmented(levers, 20, cells, partners):
        np.testing.assert_array_equal(windows, reference(cells, partners, levers, drawn))


def test_a_window_changes_with_the_probability_of_the_lever_and_is_never_silenced() -> None:
    """The bounds are five standard deviations of a binomial distribution."""
    cells, partners = random_cells(0), random_cells(1)
    kick = np.zeros_like(cells)
    kick[:, 0, 0, 0] = 1
    changed: Counter[str] = Counter()
    trials = 60 * BATCH
    kept = {"mix_windows": 0.5**VOICES, "mix_bars": 0.5**GRID.bars, "drop_voices": 0.75**VOICES}
    for name, kept_share in kept.items():
        for windows, _ in augmented({**OFF, name: 0.4}, 60, cells, partners):
            changed[name] += int((windows != cells).any(axis=(1, 2, 3)).sum())
            assert windows[:, :, 0].any(axis=(1, 2)).all()
        # a voice that does not sound in either window changes nothing: the share is an upper bound, and nearly reached
        expected = 0.4 * (1 - kept_share)
        assert 0.8 * expected < changed[name] / trials < expected + 5 * np.sqrt(expected * (1 - expected) / trials)
    for windows, _ in augmented({**OFF, "drop_voices": 1.0}, 5, kick, partners):
        np.testing.assert_array_equal(windows, kick)


def test_with_probability_1_pairs_are_swapped_and_twice_swapped_is_as_before() -> None:
    from fixtures.recorded_draws import RecordedDraws
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.drum_voices import swap_voices

    cells = random_cells(2)
    with tf.Graph().as_default(), tf.Session() as session:
        draws = RecordedDraws(tf.constant(0, tf.int64), BATCH)
        once = swap_voices(tf.constant(cells), NINE_CLASSES, 1.0, draws)
        without_toms = [pitches for number, pitches in enumerate(NINE_CLASSES) if number not in (4, 5, 6)]
        few = tf.gather(tf.constant(cells), [0, 1, 2, 3, 7, 8], axis=3)
        swapped = swap_voices(few, without_toms, 1.0, draws)
        found, before, half, twice = session.run([once, few, swapped, swap_voices(swapped, without_toms, 1.0, draws)])
    np.testing.assert_array_equal(found[..., [0, 1, 8, 7, 3, 2]], cells[..., [0, 1, 2, 3, 7, 8]])
    assert {tuple(np.sort(row)) for row in found[..., 4:7].sum(axis=(1, 2))} == {
        tuple(np.sort(row)) for row in cells[..., 4:7].sum(axis=(1, 2))
    }
    assert (half != before).any()
    np.testing.assert_array_equal(twice, before)


def test_voices_to_swap_are_found_by_their_pitches() -> None:
    from gmd_vae.configuration.drum_kit import pairs_to_swap, toms

    assert (pairs_to_swap(NINE_CLASSES), toms(NINE_CLASSES)) == ([(2, 8), (3, 7)], [4, 5, 6])
    assert (pairs_to_swap([(51,), (36,), (42, 44)]), toms([(45,), (36,)])) == ([(2, 0)], [])
    assert pairs_to_swap([(36,), (42, 46, 49, 51)]) == []  # all cymbals in one class

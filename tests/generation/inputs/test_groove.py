"""A MIDI file as GrooVAE hears it, and how near what it plays is to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import get_config
from gmd_vae.families.groove_columns import OFFSETS, VELOCITIES
from gmd_vae.families.output_spec import output_of
from gmd_vae.generation.fidelity import song_fidelity, window_fidelity
from gmd_vae.generation.inputs.groove import read_groove
from gmd_vae.generation.inputs.windows import read_window, read_windows
from gmd_vae.generation.performance.performed import Performed

PLAY, HUMANIZE, TAP = "groovae_4bar", "groovae_2bar_humanize", "groovae_2bar_tap_fixed_velocity"
ADD, FOLLOW = "groovae_2bar_add_closed_hh", "groovae_2bar_hits_control_tfds"
STEP = 120  # ticks


@pytest.fixture
def beat(tmp_path: Path, make_midi: Callable[..., bytes]) -> Path:
    """Two bars and a hit: kick, a late snare, a hi-hat each; one pitch that is no drum."""
    hits = [(0, 36), (4 * STEP + 30, 38), (8 * STEP, 42), (20 * STEP - 60, 38), (21 * STEP, 20), (33 * STEP, 36)]
    path = tmp_path / "beat.mid"
    path.write_bytes(make_midi(hits))
    return path


def test_hits_velocities_and_timing_are_heard(beat: Path) -> None:
    song = read_groove(beat, get_config(PLAY))
    assert (song.bars, len(song.pieces), song.tempo) == (3, 1, 120.0)
    assert song.missing == ("drum notes that are no known drum: 1",)
    inputs = song.pieces[0].inputs
    assert inputs.shape == (64, 27)
    assert {(int(step), int(drum)) for step, drum in zip(*np.nonzero(inputs[:, :9]), strict=True)} == {
        (0, 0), (4, 1), (8, 2), (20, 1), (33, 0)
    }  # fmt: skip
    assert inputs[4, VELOCITIES + 1] == pytest.approx(100 / 127)
    assert inputs[4, OFFSETS + 1] == pytest.approx(-0.5)  # a quarter of a step late
    assert inputs[20, OFFSETS + 1] == pytest.approx(1.0)  # half a step early


@pytest.mark.parametrize("name", [HUMANIZE, TAP, ADD, FOLLOW])
def test_each_groovae_hears_what_it_was_trained_to_hear(beat: Path, name: str) -> None:
    first, second = read_groove(beat, get_config(name)).pieces
    whole = read_groove(beat, get_config(PLAY)).pieces[0].inputs
    hits, kept = whole[:32, :9], first.kept
    assert kept is not None
    if name == HUMANIZE:
        np.testing.assert_array_equal(first.inputs, np.concatenate([hits, np.zeros((32, 18))], axis=1))
        np.testing.assert_array_equal(kept, hits)
    if name == TAP:
        assert np.nonzero(first.inputs[:, :9].any(axis=0))[0].tolist() == [3]
        assert first.inputs[4, OFFSETS + 3] == pytest.approx(-0.5)
        assert not first.inputs[:, VELOCITIES:OFFSETS].any()
        assert first.inputs[21, 3] == 1  # any key is a tap
        assert np.isnan(kept).all()
    if name == ADD:
        assert not first.inputs.reshape(32, 3, 9)[:, :, 2].any()
        assert np.isnan(kept[:, 2]).all()
        np.testing.assert_array_equal(np.delete(kept, 2, axis=1), np.delete(hits, 2, axis=1))
    if name == FOLLOW:
        np.testing.assert_array_equal(first.inputs, whole[:32])
        np.testing.assert_array_equal(first.controls, hits)
    assert second.inputs[1].any()
    assert len(read_windows(beat, get_config(name))) == 2


def test_bars_without_hits_stay_silent(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    path = tmp_path / "pause.mid"
    path.write_bytes(make_midi([(0, 36), (64 * STEP, 36)]))
    song = read_groove(path, get_config(ADD))
    assert [piece.is_silent for piece in song.pieces] == [False, True, False]
    assert song.pieces[1].kept is not None
    assert not song.pieces[1].kept.any()
    assert read_window(path, get_config(ADD), 2).inputs[0].any()  # silent windows are none of the user's windows


def test_a_change_of_tempo_moves_no_hit(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    faster = b"\x00\xff\x51\x03" + (60_000_000 // 90).to_bytes(3, "big") + b"\x8f\x00\xff\x51\x03\x07\xa1\x20"
    path = tmp_path / "tempo.mid"
    path.write_bytes(make_midi([(0, 36), (18 * STEP, 36)], before=faster))
    song = read_groove(path, get_config(HUMANIZE))
    assert song.tempo == pytest.approx(90, rel=1e-4)
    values = np.concatenate([piece.outputs for piece in song.pieces if piece.outputs is not None])
    assert np.nonzero(values[:, 0])[0].tolist() == [16, 34]  # the first bar, at 90, is silent
    np.testing.assert_allclose(values[:, OFFSETS:], 0, atol=1e-3)


def test_a_file_that_never_ends_is_refused(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    path = tmp_path / "long.mid"
    path.write_bytes(make_midi([(0, 36), (5_000 * 16 * STEP, 36)]))
    with pytest.raises(GmdVaeError, match="5,001 bars"):
        read_groove(path, get_config(HUMANIZE))


def test_fidelity_is_of_hits_timing_and_velocity(beat: Path) -> None:
    output, song = output_of(get_config(PLAY)), read_groove(beat, get_config(PLAY))
    (piece,) = song.pieces
    made = piece.inputs.copy()
    made[33, 0] = 0  # one hit less, which has nothing to say of the timing
    made[:, VELOCITIES:OFFSETS] += 10 / 127
    made[:, OFFSETS:] += 0.2
    known = song_fidelity(song, [made], output)
    assert known is not None
    assert known.facts() == {
        "steps": 48,
        "steps_right": 47,
        "hits_f1": round(8 / 9, 4),
        "timing_mae_ms": 12.5,  # a tenth of a sixteenth at 120
        "velocity_mae": 10.0,
    }
    assert "12.5 ms and a velocity of 10.0 off" in str(known)
    assert window_fidelity(piece, piece.inputs, output).facts()["timing_mae_ms"] == 0  # type: ignore[union-attr]
    taps = read_groove(beat, get_config(TAP))
    assert song_fidelity(taps, [made[:32], made[32:]], output_of(get_config(TAP))) is None


def test_what_is_played_is_what_the_model_said(beat: Path) -> None:
    values = read_groove(beat, get_config(PLAY)).pieces[0].inputs
    values[0, [VELOCITIES, OFFSETS]] = 0.0, 0.5
    hits = list(Performed("x", values).play([1, 0, 0, 0, 2], 0, 0))
    assert [(hit.step, hit.voice, hit.velocity, round(hit.offset, 3)) for hit in hits] == [
        (0, 0, 1, -0.25),  # velocity 0 would end a note
        (4, 1, 100, 0.25),
    ]
    assert Performed("x", values).early([1]) == 1
    assert Performed("x", values).early([0]) == 0

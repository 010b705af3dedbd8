"""A MIDI file as input of a GrooVAE, and the fidelity of the model's version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures.midi_cases import beat as beats
from fixtures.midi_cases import file, notes, tempo, time_signature, track
from fixtures.tempo_maps import TICKS, tempo_map_midi
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import get_config
from gmd_vae.families.groovae import GROOVAE
from gmd_vae.families.groove_columns import OFFSETS, VELOCITIES
from gmd_vae.generation.inputs.drum_reader import DrumReader
from gmd_vae.generation.inputs.groove_reader import GrooveReader
from gmd_vae.generation.inputs.midi_input import read_midi_file
from gmd_vae.generation.performance.groove_performance import GroovePerformance

PLAY, HUMANIZE, TAP = "groovae_4bar", "groovae_2bar_humanize", "groovae_2bar_tap_fixed_velocity"
ADD, FOLLOW = "groovae_2bar_add_closed_hh", "groovae_2bar_hits_control_tfds"
STEP = 120  # ticks


def reader(name: str) -> GrooveReader:
    config = get_config(name)
    return GrooveReader(config, GROOVAE.groove(config))


@pytest.fixture
def beat(tmp_path: Path, make_midi: Callable[..., bytes]) -> Path:
    """Two bars and a hit: kick, a late snare, a hi-hat each; one pitch that is no drum."""
    hits = [(0, 36), (4 * STEP + 30, 38), (8 * STEP, 42), (20 * STEP - 60, 38), (21 * STEP, 20), (33 * STEP, 36)]
    path = tmp_path / "beat.mid"
    path.write_bytes(make_midi(hits))
    return path


def test_hits_velocities_and_timing_are_read(beat: Path) -> None:
    song = reader(PLAY).song(read_midi_file(beat))
    assert (song.bars, len(song.windows), song.tempo) == (3, 1, 120.0)
    assert song.missing == ("drum notes that are no known drum: 1",)
    inputs = song.windows[0].inputs
    assert inputs.shape == (64, 27)
    assert {(int(step), int(drum)) for step, drum in zip(*np.nonzero(inputs[:, :9]), strict=True)} == {
        (0, 0), (4, 1), (8, 2), (20, 1), (33, 0)
    }  # fmt: skip
    assert inputs[4, VELOCITIES + 1] == pytest.approx(100 / 127)
    assert inputs[4, OFFSETS + 1] == pytest.approx(-0.5)  # a quarter of a step late
    assert inputs[20, OFFSETS + 1] == pytest.approx(1.0)  # half a step early


@pytest.mark.parametrize("name", [HUMANIZE, TAP, ADD, FOLLOW])
def test_each_task_has_the_inputs_of_its_training(beat: Path, name: str) -> None:
    first, second = reader(name).song(read_midi_file(beat)).windows
    whole = reader(PLAY).song(read_midi_file(beat)).windows[0].inputs
    hits, given_hits = whole[:32, :9], first.given_hits
    assert given_hits is not None
    if name == HUMANIZE:
        np.testing.assert_array_equal(first.inputs, np.concatenate([hits, np.zeros((32, 18))], axis=1))
        np.testing.assert_array_equal(given_hits, hits)
    if name == TAP:
        assert np.nonzero(first.inputs[:, :9].any(axis=0))[0].tolist() == [3]
        assert first.inputs[4, OFFSETS + 3] == pytest.approx(-0.5)
        assert not first.inputs[:, VELOCITIES:OFFSETS].any()
        assert first.inputs[21, 3] == 1  # any key is a tap
        assert np.isnan(given_hits).all()
    if name == ADD:
        assert not first.inputs.reshape(32, 3, 9)[:, :, 2].any()
        assert np.isnan(given_hits[:, 2]).all()
        np.testing.assert_array_equal(np.delete(given_hits, 2, axis=1), np.delete(hits, 2, axis=1))
    if name == FOLLOW:
        np.testing.assert_array_equal(first.inputs, whole[:32])
        np.testing.assert_array_equal(first.controls, hits)
    assert second.inputs[1].any()
    assert len(reader(name).windows(read_midi_file(beat))) == 2


def test_bars_without_hits_stay_silent(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    path = tmp_path / "pause.mid"
    path.write_bytes(make_midi([(0, 36), (64 * STEP, 36)]))
    song = reader(ADD).song(read_midi_file(path))
    assert [window.is_silent for window in song.windows] == [False, True, False]
    assert song.windows[1].given_hits is not None
    assert not song.windows[1].given_hits.any()
    assert reader(ADD).window(read_midi_file(path), 2).inputs[0].any()  # silent windows do not count


def test_a_change_of_tempo_moves_no_hit(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    faster = b"\x00\xff\x51\x03" + (60_000_000 // 90).to_bytes(3, "big") + b"\x8f\x00\xff\x51\x03\x07\xa1\x20"
    path = tmp_path / "tempo.mid"
    path.write_bytes(make_midi([(0, 36), (18 * STEP, 36)], before=faster))
    song = reader(HUMANIZE).song(read_midi_file(path))
    assert song.tempo == pytest.approx(120, rel=1e-4)  # of most of the music
    values = np.concatenate([window.target for window in song.windows if window.target is not None])
    assert np.nonzero(values[:, 0])[0].tolist() == [16, 34]  # the first bar, at 90, is silent
    np.testing.assert_allclose(values[:, OFFSETS:], 0, atol=1e-3)


def test_an_endless_file_is_refused(tmp_path: Path, make_midi: Callable[..., bytes]) -> None:
    path = tmp_path / "long.mid"
    path.write_bytes(make_midi([(0, 36), (5_000 * 16 * STEP, 36)]))
    with pytest.raises(GmdVaeError, match="5,001 bars"):
        reader(HUMANIZE).song(read_midi_file(path))


def test_fidelity_is_of_hits_timing_and_velocity(beat: Path) -> None:
    music, song = GROOVAE.decoded_music(get_config(PLAY)), reader(PLAY).song(read_midi_file(beat))
    (window,) = song.windows
    decoded = window.inputs.copy()
    decoded[33, 0] = 0  # one hit less, which does not count for the timing
    decoded[:, VELOCITIES:OFFSETS] += 10 / 127
    decoded[:, OFFSETS:] += 0.2
    known = music.song_fidelity(song, [decoded])
    assert known is not None
    assert known.figures() == {
        "steps": 48,
        "steps_right": 47,
        "hits_f1": round(8 / 9, 4),
        "timing_mae_ms": 12.5,  # a tenth of a sixteenth at 120
        "velocity_mae": 10.0,
    }
    assert "mean error is 12.5 ms and 10.0 in velocity" in str(known)
    same = music.window_fidelity(window, window.inputs)
    assert same is not None
    assert same.figures()["timing_mae_ms"] == 0
    taps = reader(TAP).song(read_midi_file(beat))
    assert GROOVAE.decoded_music(get_config(TAP)).song_fidelity(taps, [decoded[:32], decoded[32:]]) is None


def test_a_performance_plays_the_decoded_velocities_and_offsets(beat: Path) -> None:
    values = reader(PLAY).song(read_midi_file(beat)).windows[0].inputs
    values[0, [VELOCITIES, OFFSETS]] = 0.0, 0.5
    hits = list(GroovePerformance("x", values).play([1, 0, 0, 0, 2], 0, 0))
    assert [(hit.step, hit.voice, hit.velocity, round(hit.offset, 3)) for hit in hits] == [
        (0, 0, 1, -0.25),  # velocity 0 would end a note
        (4, 1, 100, 0.25),
    ]
    assert GroovePerformance("x", values).early_hits([1]) == 1
    assert GroovePerformance("x", values).early_hits([0]) == 0


@pytest.mark.parametrize("signature", [(2, 2), (4, 4)])
def test_a_pickup_bar_is_left_out_and_named(tmp_path: Path, signature: tuple[int, int]) -> None:
    path = tmp_path / "pickup.mid"
    hits = [(0, 38), (240, 38), *((TICKS + beat * TICKS, 42 if beat % 4 else 36) for beat in range(8))]
    path.write_bytes(tempo_map_midi(hits, {0: 100}, {0: (1, 4), TICKS: signature}))
    song = reader(HUMANIZE).song(read_midi_file(path))
    values = np.concatenate([window.target for window in song.windows if window.target is not None])
    assert song.missing == ("notes in bars of 1/4: 2",)
    assert np.nonzero(values[:, 0])[0].tolist() == [0, 16]
    assert values[:, :VELOCITIES].sum() == 8


def test_music_without_bars_of_four_quarters_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "six8.mid"
    path.write_bytes(tempo_map_midi([(0, 36), (960, 38)], {0: 100}, {0: (6, 8)}))
    with pytest.raises(GmdVaeError, match="is in 6/8, and GrooVAE plays bars of four quarters"):
        reader(HUMANIZE).song(read_midi_file(path))


@pytest.mark.parametrize("length", [None, 0])
def test_hits_without_an_end_are_those_with_one(tmp_path: Path, length: int | None) -> None:
    begin = [tempo(100), time_signature(4, 4)]
    (tmp_path / "closed.mid").write_bytes(file(track(begin, notes(beats(8)))))
    (tmp_path / "open.mid").write_bytes(file(track(begin, notes(beats(8), length=length))))
    for read in (reader(PLAY), DrumReader(get_config("hierdec-drum_4bar_small"))):
        closed, opened = (read.song(read_midi_file(tmp_path / name)) for name in ("closed.mid", "open.mid"))
        assert (opened.bars, opened.missing) == (closed.bars, closed.missing) == (8, ())
        for one, other in zip(opened.windows, closed.windows, strict=True):
            np.testing.assert_array_equal(one.inputs, other.inputs)


def test_every_note_is_a_hit_or_left_out_for_a_reason(tmp_path: Path) -> None:
    hits = [(0, 36), (0, 35), (5, 36), (480, 20), (960, 38)]  # two more kicks on a step, and no drum
    music = [*notes(hits, length=None), *notes([(0, 60), (480, 62)], channel=0)]
    (tmp_path / "a.mid").write_bytes(file(track(tempo(120), music)))
    song = reader(PLAY).song(read_midi_file(tmp_path / "a.mid"))
    assert song.missing == (
        "drum notes that are no known drum: 1",
        "notes of other instruments: 2",
        "hits of a drum on the step of a louder one: 2",
    )
    assert int(sum(window.inputs[:, :9].sum() for window in song.windows)) == 4 * 2  # the bar is repeated

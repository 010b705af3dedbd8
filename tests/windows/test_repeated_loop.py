"""Loops that are shorter than a window: ``generate`` repeats them, ``preprocess`` does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixtures.midi_cases import TimedEvent, beat, file, tempo, time_signature, track
from gmd_vae.configuration.registry import get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.groovae import GROOVAE
from gmd_vae.generation.inputs.drum_reader import DrumReader
from gmd_vae.generation.inputs.groove_reader import GrooveReader
from gmd_vae.generation.inputs.input_windows import InputWindow
from gmd_vae.generation.inputs.midi_input import MidiInput, read_midi_bytes
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.cutting.beat_time import at_one_tempo
from gmd_vae.windows.cutting.drum_windows import extract_drum_windows
from gmd_vae.windows.extraction import Dropped
from gmd_vae.windows.repeated_loop import find_loop, known_drums, repeat_loop
from hypothesis import given
from hypothesis import strategies as st

CONFIG = get_config("hierdec-drum_4bar_small")
READER = DrumReader(CONFIG)
PITCHES = (36, 38, 42, 46, 45, 48, 50, 49, 51)  # one of each drum class
STEP, BAR = 120, 16  # ticks, steps


def midi(*events: TimedEvent) -> MidiInput:
    return read_midi_bytes(file(track(*events)), Path("loop.mid"))


def hit(tick: int, drum: int, velocity: int = 100) -> TimedEvent:
    return tick, bytes([0x99, PITCHES[drum], velocity])


def read(*events: TimedEvent) -> InputWindow:
    return READER.window(midi(*events))


TEMPOS = st.sampled_from([61.0, 120.0, 173.0])


@given(data=st.data(), bars=st.sampled_from([1, 2]), first_bar=st.integers(0, 3), bpm=TEMPOS)
def test_a_repeated_window_is_the_tile_of_its_bars(data: st.DataObject, bars: int, first_bar: int, bpm: float) -> None:
    steps = bars * BAR
    cells = st.tuples(st.integers(0, steps), st.integers(1, 8))
    hits = data.draw(st.dictionaries(cells, st.tuples(st.integers(1, 127), st.integers(-59, 59)), max_size=20))
    hits = {(step, drum): hit for (step, drum), hit in hits.items() if step < steps or (0, drum) not in hits}
    hits |= {(step, 0): (100, 0) for step in range(0, steps, 4)}  # no pause, and the first step has a hit
    velocities, offsets = np.zeros((steps, 9), np.int64), np.zeros((steps, 9))
    events = [tempo(bpm)]
    for (step, drum), (velocity, late) in hits.items():
        if step in (0, steps):  # behind the last step: early for the next repeat
            late = max(late, 0) if step == 0 else min(late, -1)
        events.append(hit((first_bar * BAR + step) * STEP + late, drum, velocity))
        velocities[step % steps, drum], offsets[step % steps, drum] = velocity, late / STEP
    window = read(*events)
    assert window.loop_bars == bars
    tile = (4 // bars, 1)
    assert window.target is not None
    assert window.played is not None
    labels = (velocities > 0) @ (1 << np.arange(9))
    np.testing.assert_array_equal(window.target, np.tile(labels, 4 // bars))
    np.testing.assert_array_equal(window.played.velocities, np.tile(velocities, tile))
    np.testing.assert_allclose(window.played.offsets[1:], np.tile(offsets, tile)[1:], atol=1e-3)


def test_ends_of_notes_and_of_the_track_do_not_make_a_loop_longer() -> None:
    kicks = [hit(quarter * 480, 0) for quarter in range(4)]
    window = read(*kicks, (5000, bytes([0x89, 36, 0])), (9000, b"\xff\x06\x00"))
    assert window.loop_bars == 1


def test_longer_windows_take_loops_of_four_bars() -> None:
    eight = DrumWindows(slice_bars=8)
    sequence = midi(*(hit(quarter * 480, quarter % 2) for quarter in range(16))).sequence
    music = at_one_tempo(sequence, notes_of(sequence))
    hits = known_drums(eight, music.notes)
    loop = find_loop(eight, music, hits)
    assert loop is not None
    assert (loop.bars, loop.fills_a_window) == (4, True)
    (window,) = positions.windows(eight, repeat_loop(eight, music, hits, loop), Dropped())
    assert window.labels.tolist() == [1, 0, 0, 0, 2, 0, 0, 0] * 16


@pytest.mark.parametrize("signature", [(3, 4), (6, 8)])
def test_a_loop_in_another_metre_is_not_repeated(signature: tuple[int, int]) -> None:
    with pytest.raises(Exception, match=f"it is in {signature[0]}/{signature[1]}"):
        read(time_signature(*signature), *(hit(quarter * 480, 0) for quarter in range(3)))


def test_training_windows_are_not_repeated() -> None:
    sequence = midi(*(hit(tick, 0) for tick, _ in beat(2))).sequence
    extraction = extract_drum_windows(CONFIG.drum_windows, sequence.SerializeToString())
    assert (len(extraction.windows), extraction.dropped.reasons["too_short"]) == (0, 1)


@pytest.mark.parametrize("name", ["groovae_4bar", "groovae_2bar_humanize", "groovae_2bar_tap_fixed_velocity"])
def test_a_groovae_gets_the_repeated_bar_with_its_playing(name: str) -> None:
    config = get_config(name)
    reader = GrooveReader(config, GROOVAE.groove(config))
    song = reader.song(midi(hit(0, 0, 90), hit(500, 1, 70), hit(960, 0, 110), hit(1440, 1, 50)))
    bars = GROOVAE.output(config).bars
    assert (song.bars, len(song.windows), song.loop_bars) == (bars, 1, 1)
    inputs = song.windows[0].inputs
    assert inputs[:, :9].any()
    np.testing.assert_allclose(inputs, np.tile(inputs[:BAR], (bars, 1)), atol=1e-6)
    silence_first = reader.song(midi(hit(1920 * bars, 0)))
    assert (silence_first.bars, silence_first.loop_bars) == (bars + 1, None)

"""Versions of a beat keep the velocity and the timing of the hits that they have in common with it."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import mido
import numpy as np
import pytest
from fixtures.midi import instruments_midi
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.families import family_of
from gmd_vae.generation.decoded.midi_files import MidiOutput
from gmd_vae.generation.inputs.drum_reader import DrumReader
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.inputs.input_windows import InputWindow
from gmd_vae.generation.inputs.midi_input import read_midi_bytes
from gmd_vae.generation.kept_playing import hits_of_files
from gmd_vae.generation.performance.feel import load_feel
from gmd_vae.generation.performance.kept_hits import KeptHits, blended
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.generation.request import GenerationRequest
from gmd_vae.midi.writer import Instrument, Note
from gmd_vae.windows.cutting.played_hits import PlayedHits

CONFIG = get_config(DEFAULT_CONFIG)
MUSIC = family_of(CONFIG).decoded_music(CONFIG)
READER = DrumReader(CONFIG)
STEP = 120  # ticks


def _take(*, shift: int, bars: int = 4, tempo: float = 120.0) -> bytes:
    """A kick at each quarter, each bar louder, ``shift`` ticks late; two kicks at the first step, the louder early."""
    notes = [Note(quarter * 4 * STEP + shift, quarter * 4 * STEP + 60, 36, 40 + quarter) for quarter in range(4 * bars)]
    notes += [Note(4 * STEP - 20, 4 * STEP - 10, 36, 90)]
    return instruments_midi([Instrument("drums", 0, True, sorted(notes))], bars, tempo)


def _window(shift: int, tempo: float = 120.0) -> InputWindow:
    return READER.window(read_midi_bytes(_take(shift=shift, tempo=tempo), Path("take.mid")))


def _hits(output: MidiOutput) -> list[tuple[int, int, int]]:
    """The tick, pitch and velocity of each hit of a file."""
    found, now = [], 0
    for message in mido.MidiFile(file=io.BytesIO(output.data)).tracks[-1]:
        now += message.time
        if message.type == "note_on" and message.velocity:
            found.append((now, message.note, message.velocity))
    return found


def _files(request: GenerationRequest, inputs: GenerationInputs, versions: list, playing: Playing) -> list[MidiOutput]:
    from gmd_vae.generation.compose import Composition
    from gmd_vae.generation.latent.modes import FileLatents

    numbers = range(len(versions))
    latents = FileLatents(np.zeros((len(versions), 2), np.float32), tuple(range(row, row + 1) for row in numbers))
    played = hits_of_files(request, inputs, numbers)
    composition = Composition("mine", numbers, latents, versions, [()] * len(versions), [], [], None, played)
    return list(MUSIC.midi_files(composition.plan(request, inputs, playing), None, None))  # type: ignore[arg-type]


@pytest.mark.parametrize("tempo", [120.0, 93.0])
def test_hits_in_common_keep_velocity_and_timing(tempo: float) -> None:
    window = _window(shift=17, tempo=tempo)
    assert window.played is not None
    assert window.played.velocities[:9, 0].tolist() == [40, 0, 0, 0, 90, 0, 0, 0, 42]
    assert window.played.offsets[[0, 4, 8], 0] == pytest.approx([17 / STEP, -20 / STEP, 17 / STEP], abs=1e-3)
    version = np.array(window.target)
    version[[2, 8]] = 0b10, 0  # a new snare, and a kick that is gone
    request, inputs = GenerationRequest("vary"), GenerationInputs((window,))
    (file,) = _files(request, inputs, [[version]], Playing())
    assert _hits(file)[:4] == [(17, 36, 40), (2 * STEP, 38, 80), (4 * STEP - 20, 36, 90), (12 * STEP + 17, 36, 43)]
    (file,) = _files(request, inputs, [[version]], Playing(velocity=100, keeps_velocities=False))
    assert _hits(file)[:3] == [(17, 36, 100), (2 * STEP, 38, 100), (4 * STEP - 20, 36, 100)]
    (file,) = _files(request, inputs, [[version]], Playing(swing=50, keeps_timing=False))
    assert _hits(file)[:3] == [(0, 36, 40), (2 * STEP, 38, 80), (4 * STEP, 36, 90)]
    (file,) = _files(request, inputs, [[version]], Playing(feel=load_feel()))
    assert [hit for hit in _hits(file) if hit[1] == 36][:2] == [(17, 36, 40), (4 * STEP - 20, 36, 90)]
    snare = next(hit for hit in _hits(file) if hit[1] == 38)
    assert snare[2] != 80  # of the feel


def test_a_song_keeps_its_hits_bar_by_bar() -> None:
    song = READER.song(read_midi_bytes(_take(shift=-5, bars=6), Path("take.mid")))
    inputs, request = GenerationInputs(songs=(song,)), GenerationRequest("reconstruct")
    (file,) = _files(request, inputs, [[np.array(window.target) for window in song.windows]], Playing())
    kicks = [(quarter * 4 * STEP - 5, 36, 40 + quarter) for quarter in range(24)]
    kicks[:2] = [(0, 36, 40), (4 * STEP - 20, 36, 90)]  # nothing begins before the file
    assert _hits(file) == kicks


def test_hits_before_the_beginning_are_counted() -> None:
    hits = PlayedHits(np.array([[40, 0]], np.uint8), np.array([[-0.1, -0.1]], np.float32))
    kept = KeptHits(hits, Playing())
    assert [kept.early_hits(labels) for labels in ([0b11], [0b10], [])] == [1, 0, 0]
    assert KeptHits(hits, Playing(keeps_timing=False)).early_hits([0b11]) == 0


def test_an_interpolation_is_in_between() -> None:
    first, second = _window(shift=0), _window(shift=24)
    assert first.played is not None
    assert second.played is not None
    quieter = dataclasses.replace(second, played=second.played._replace(velocities=second.played.velocities // 2))
    inputs = GenerationInputs((first, quieter), seeds=(1,))
    request = GenerationRequest("interpolate", count=3, join=True)
    files = _files(request, inputs, [[np.array(first.target)]] * 5, Playing())
    assert [_hits(file)[0] for file in files[:5]] == [
        *((0, 36, 40), (12, 36, 30), (24, 36, 20)),  # from the first to the second
        *((24, 36, 20), (0, 36, 80)),  # towards the sample of a seed, of which nothing is played
    ]
    assert len(_hits(files[5])) == 5 * 16
    alone = first.played._replace(velocities=np.zeros_like(first.played.velocities))
    between = blended(first.played, alone, 0.75)
    assert between is not None
    assert (between.velocities == first.played.velocities).all()


def test_new_beats_keep_nothing() -> None:
    inputs = GenerationInputs((_window(shift=9),))
    for mode in ("sample", "continue", "groove"):
        assert hits_of_files(GenerationRequest(mode), inputs, range(3)) == []

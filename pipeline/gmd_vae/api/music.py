"""Music as people have it in Python, as input of a model. No library of the user is imported here."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.api.beat import Beat
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.input_windows import InputWindow
from gmd_vae.generation.inputs.midi_input import MidiInput, read_midi_bytes, read_midi_file
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.reading import Reading

Labels = npt.NDArray[np.int64]


def is_latent(value: object) -> bool:
    """Returns True for arrays of floating-point numbers: latent vectors. Arrays of integers or booleans are music."""
    return isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)


def input_windows(music: object, config: Config, reading: Reading) -> tuple[InputWindow, ...]:
    """Returns the windows of music.

    Args:
        music: Path or bytes of a MIDI file, a ``pretty_midi.PrettyMIDI``, a ``NoteSequence``, a ``symusic.Score``, an
            array of drum labels ``[windows, steps]`` or of hits ``[windows, steps, drums]``, a ``Beat``, or several.
        config: Config of the model.
        reading: Rules for reading MIDI.

    Raises:
        UsageError: The music is of no known kind, or an array has another shape.
        GmdVaeError: It cannot be read, or has no window.
    """
    beats = [music] if isinstance(music, Beat) else music
    if isinstance(beats, (list, tuple)) and beats and all(isinstance(beat, Beat) for beat in beats):
        reader = family_of(config).input_reader(config)
        if any(beat.config.windows != config.windows for beat in beats):
            raise UsageError(f"The beats have other windows than '{config.name}'", "Give their MIDI: beat.to_midi().")
        return tuple(reader.decoded_window(window) for beat in beats for window in beat._windows)
    if isinstance(music, np.ndarray):
        return _array_windows(music, config)
    return family_of(config).input_reader(config).windows(midi_input(music, reading))


def one_window(music: object, config: Config, reading: Reading) -> InputWindow:
    """Returns the window that stands for music: the first of arrays and beats, and of MIDI the fullest regular one.

    Arguments and errors are those of ``input_windows``.
    """
    windows = input_windows(music, config, reading)
    if isinstance(music, (np.ndarray, Beat, list, tuple)):
        return windows[0]
    return windows[family_of(config).input_reader(config).default_number(windows) - 1]


def midi_input(music: object, reading: Reading) -> MidiInput:
    """Returns music that is no array as one MIDI file; arguments and errors as for ``input_windows``."""
    if isinstance(music, (str, os.PathLike)):
        return read_midi_file(Path(music), reading)
    if isinstance(music, (bytes, bytearray, memoryview)):
        return read_midi_bytes(bytes(music), Path("MIDI bytes"), reading)
    kind: Any = music
    name = type(music).__name__
    if name == "PrettyMIDI" and hasattr(music, "instruments"):
        stream = io.BytesIO()
        kind.write(stream)
        read = read_midi_bytes(stream.getvalue(), Path(name), reading)
        return MidiInput(read.file, read.sequence, reading=reading)
    if name == "NoteSequence" and hasattr(music, "SerializeToString"):
        return MidiInput(Path(name), NoteSequence.FromString(kind.SerializeToString()), reading=reading)
    if hasattr(music, "dumps_midi"):  # symusic.Score
        read = read_midi_bytes(bytes(kind.dumps_midi()), Path(name), reading)
        return MidiInput(read.file, read.sequence, reading=reading)
    if isinstance(music, (list, tuple)):
        if not music:
            raise UsageError(f"An empty {name} holds no music", "Give one beat or more.")
        raise UsageError(f"The {name} holds something else than beats", "Give beats alone, or one file at a time.")
    raise UsageError(
        f"A {type(music).__module__}.{name} is no music that can be read",
        "Give a path or the bytes of a MIDI file, a PrettyMIDI, a NoteSequence, a symusic Score, an array of labels "
        "[windows, steps] or of hits [windows, steps, drums], a beat, or a list of beats.",
    )


def _array_windows(array: npt.NDArray[Any], config: Config) -> tuple[InputWindow, ...]:
    grid = family_of(config).drum_grid(config)
    if grid is None:
        raise UsageError(f"'{config.name}' does not play drum grids", "Give a MIDI file.")
    reader = family_of(config).input_reader(config)
    windows = family_of(config).label_windows(config, checked_labels(array, grid))
    return tuple(reader.decoded_window(window) for window in windows)


def checked_labels(array: npt.NDArray[Any], grid: DrumWindows) -> Labels:
    """Returns an array of drum grids as labels.

    Args:
        array: Labels ``[windows, steps]``, or hits (0 or 1) ``[windows, steps, drums]``; integers or booleans.
        grid: Drum classes and steps of a window.

    Returns:
        Labels, int64 ``[windows, steps]``.

    Raises:
        UsageError: The array has another shape, or values out of range.
    """
    drums = len(grid.pitch_classes)
    wanted = f"labels [windows, {grid.steps}], 0 to {2**drums - 1}, or hits [windows, {grid.steps}, {drums}], 0 or 1"
    shapes = {2: (grid.steps,), 3: (grid.steps, drums)}
    if array.ndim not in shapes or array.shape[1:] != shapes[array.ndim] or not len(array):
        raise UsageError(f"An array of shape {array.shape} is no drum grid of this model", f"Give {wanted}.")
    highest = 2**drums - 1 if array.ndim == 2 else 1
    if array.dtype.kind not in "biu" or array.min() < 0 or array.max() > highest:
        found = "a " + array.dtype.name if array.dtype.kind not in "biu" else f"{array.min()} to {array.max()}"
        raise UsageError(f"The values of the array are out of range: {found}", f"Give {wanted}.")
    if array.ndim == 2:
        return array.astype(np.int64)
    return np.asarray(array.astype(np.int64) @ (1 << np.arange(drums)))

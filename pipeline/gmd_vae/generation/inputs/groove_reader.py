"""Input windows and songs for GrooVAE: hits, velocities and offsets of each sixteenth note. No TensorFlow.

The encoding is that of Magenta's ``GrooveConverter``. Three things differ: the whole file is read, its last window may
go on beyond its end, and changes of tempo are followed. Drum notes outside the nine classes are counted and left out.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.families import family_of
from gmd_vae.families.groove_columns import OFFSETS, TAPPED, VELOCITIES, Groove
from gmd_vae.generation.inputs.input_windows import InputReader, InputSong, InputWindow, read_sequence, shown_path
from gmd_vae.midi.note_sequence import NoteSequence

MAX_BARS = 4_000
_STEPS_PER_BAR = 16
_DEFAULT_TEMPO = 120.0  # of a MIDI file without a tempo
_CLASS_OF_PITCH = {pitch: number for number, pitches in enumerate(NINE_CLASSES) for pitch in pitches}

Values = npt.NDArray[np.float32]  # [steps, 27]: hits, velocities, offsets


class GrooveReader(InputReader):
    """Reads the drums of MIDI files, or tapped rhythms, as windows of a GrooVAE."""

    reads_songs = True

    def __init__(self, config: Config, task: Groove) -> None:
        """Reads windows of ``config``, with the columns that ``task`` conditions on."""
        super().__init__(config)
        self._task = task

    def windows(self, path: Path) -> tuple[InputWindow, ...]:
        """Returns the windows with notes; raises as ``song``."""
        played = [window for window in self.song(path).windows if not window.is_silent]
        return tuple(
            dataclasses.replace(window, count=len(played), number=number)
            for number, window in enumerate(played, start=1)
        )

    def song(self, path: Path) -> InputSong:
        """Returns a MIDI file from its beginning to its last bar with a hit.

        Of a tapped rhythm, the loudest note of each step counts, whatever its pitch.

        Raises:
            GmdVaeError: The file cannot be read, is too long, is not in 4/4, or has no usable note.
        """
        output = family_of(self.config).output(self.config)
        sequence = read_sequence(path)
        for signature in sequence.time_signatures:
            if (signature.numerator, signature.denominator) != (4, 4):
                raise GmdVaeError(
                    f"'{shown_path(path)}' is in {signature.numerator}/{signature.denominator}, "
                    "and GrooVAE plays bars of 4/4",
                    "Give a file in 4/4.",
                )
        values, missing = _read_values(path, sequence, self._task)
        bars = len(values) // _STEPS_PER_BAR
        tempo = sequence.tempos[0].qpm if sequence.tempos else _DEFAULT_TEMPO
        count = -(-bars // output.bars)
        values = np.pad(values, [(0, count * output.steps - len(values)), (0, 0)])
        windows = tuple(
            dataclasses.replace(
                groove_window(part, self._task),
                file=path,
                count=count,
                number=index + 1,
                tempo=tempo,
                bar=index * output.bars,
            )
            for index, part in enumerate(np.split(values, count))
        )
        return InputSong(path, windows, bars, tempo, missing)


def groove_window(values: Values, task: Groove) -> InputWindow:
    """Returns one window: input of the encoder, controls, and the hits that replace those of the decoder.

    Args:
        values: Hits (0 or 1), velocities (0 to 1) and offsets (-1 to 1 of half a step, early is positive), float32
            ``[steps, 27]``.
        task: Task of the model, see ``Groove.task``.
    """
    inputs, hits = values.copy(), values[:, :VELOCITIES]
    given_hits = np.full_like(hits, np.nan)
    if task.task in ("humanize", "tap"):
        inputs[:, VELOCITIES:OFFSETS] = 0
    if task.task == "humanize":
        inputs[:, OFFSETS:] = 0
    if task.task == "add":
        inputs.reshape(len(inputs), 3, VELOCITIES)[:, :, task.added] = 0
        given_hits[:] = hits
        given_hits[:, task.added] = np.nan
    if task.humanizes or not hits.any():  # nothing is added to silence
        given_hits[:] = hits
    return InputWindow(
        Path(),
        inputs,
        len(inputs),
        count=1,
        target=None if task.task == "tap" else values,  # a tapped rhythm does not say which drums are right
        tempo=_DEFAULT_TEMPO,
        controls=hits if task.task == "follow" else np.zeros((len(values), 0), np.float32),
        given_hits=given_hits,
        is_silent=not hits.any(),
    )


def labels_to_groove_window(labels: npt.NDArray[np.int64], task: Groove) -> InputWindow:
    """Returns the window of a pattern without velocities and offsets: labels ``[steps]`` of the nine classes."""
    values = np.zeros((len(labels), 3 * VELOCITIES), np.float32)
    values[:, :VELOCITIES] = (labels[:, None] >> np.arange(VELOCITIES)) & 1
    return groove_window(values, task)


def _read_values(path: Path, sequence: NoteSequence, task: Groove) -> tuple[Values, tuple[str, ...]]:
    """Returns hits, velocities and offsets of whole bars, ``[steps, 27]``, and sentences on the music left out.

    A hit belongs to the nearest step. Of several hits of a class at one step, the loudest counts.
    """
    is_tapped = task.task == "tap"
    seconds_to_steps = _tempo_map(sequence)
    loudest: dict[tuple[int, int], tuple[int, float]] = {}  # step and class → velocity and offset
    unknown = not_drums = 0
    for note in sequence.notes:
        drum = TAPPED if is_tapped else _CLASS_OF_PITCH.get(note.pitch)
        if not note.is_drum and not is_tapped:
            not_drums += 1
            continue
        if drum is None:
            unknown += 1
            continue
        position = seconds_to_steps(note.start_time)
        step = math.floor(position + 0.5)
        known = loudest.get((step, drum))
        if known is None or note.velocity > known[0]:
            loudest[step, drum] = note.velocity, 2 * (step - position)
    if not loudest:
        needed = "notes" if is_tapped else "drum notes of the nine kinds"
        raise GmdVaeError(
            f"'{shown_path(path)}' has no {needed}", "Put the drums on MIDI channel 10." if not_drums else ""
        )
    bars = max(step for step, _ in loudest) // _STEPS_PER_BAR + 1
    if bars > MAX_BARS:
        raise GmdVaeError(f"'{shown_path(path)}' has {bars:,} bars", f"At most {MAX_BARS:,} bars can be played.")
    values = np.zeros((bars * _STEPS_PER_BAR, 3 * VELOCITIES), np.float32)
    for (step, drum), (velocity, offset) in loudest.items():
        values[step, [drum, VELOCITIES + drum, OFFSETS + drum]] = 1.0, velocity / 127, offset
    return values, (f"drum notes that are no known drum: {unknown:,}",) if unknown else ()


def _tempo_map(sequence: NoteSequence) -> Callable[[float], float]:
    """Returns the function from seconds to sixteenth notes since the beginning, through all changes of tempo."""
    tempos = sorted((tempo.time, tempo.qpm) for tempo in sequence.tempos if tempo.qpm > 0) or [(0.0, _DEFAULT_TEMPO)]
    times = [0.0, *(time for time, _ in tempos[1:])]
    rates = [qpm * 4 / 60 for _, qpm in tempos]  # sixteenth notes per second
    steps_at = [0.0]  # at each of the times
    for begin, end, rate in zip(times, times[1:], rates, strict=False):
        steps_at.append(steps_at[-1] + (end - begin) * rate)

    def steps(seconds: float) -> float:
        part = max(bisect.bisect_right(times, seconds) - 1, 0)
        return steps_at[part] + float((seconds - times[part]) * rates[part])

    return steps

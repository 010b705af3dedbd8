"""Input windows and songs for GrooVAE: hits, velocities and offsets of each sixteenth note. No TensorFlow.

The encoding is that of Magenta's ``GrooveConverter``. Three things differ: the whole file is read, its last window may
go on beyond its end, and bars of another length than four quarters are left out. Drum notes outside the nine classes
are counted and left out.
"""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.families import family_of
from gmd_vae.families.groove_columns import OFFSETS, TAPPED, VELOCITIES, Groove
from gmd_vae.generation.inputs.input_windows import InputReader, InputSong, InputWindow
from gmd_vae.generation.inputs.midi_input import MidiInput
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.windows.cutting.beat_time import Music, at_one_tempo
from gmd_vae.windows.cutting.drum_windows import section_times
from gmd_vae.windows.fullest_window import fullest_regular
from gmd_vae.windows.repeated_loop import Loop, find_loop, known_drums, repeat_loop

MAX_BARS = 4_000
_STEPS_PER_BAR = 16
_DEFAULT_TEMPO = 120.0  # of a MIDI file without a tempo
_CLASS_OF_PITCH = {pitch: number for number, pitches in enumerate(NINE_CLASSES) for pitch in pitches}

Values = npt.NDArray[np.float32]  # [steps, 27]: hits, velocities, offsets


class GrooveReader(InputReader):
    """Finds drums, or tapped rhythms, as windows of a GrooVAE."""

    reads_songs = True

    def __init__(self, config: Config, task: Groove) -> None:
        """Finds windows of ``config``, with the columns that ``task`` conditions on."""
        super().__init__(config)
        self._task = task

    def windows(self, midi: MidiInput) -> tuple[InputWindow, ...]:
        """Returns the windows with notes; raises as ``song``."""
        song, window_bars = self.song(midi), family_of(self.config).output(self.config).bars
        played = [window for window in song.windows if not window.is_silent]
        return tuple(
            dataclasses.replace(
                window,
                count=len(played),
                number=number,
                file_bars=(window.bar + 1, min(window.bar + window_bars, song.loop_bars or song.bars)),
            )
            for number, window in enumerate(played, start=1)
        )

    def default_number(self, windows: Sequence[InputWindow]) -> int:
        """Returns the number of the fullest regular window, by the hits that the model is given."""
        hits = np.array([window.inputs[:, :VELOCITIES] > 0 for window in windows], np.int64)
        labels = hits @ (1 << np.arange(VELOCITIES, dtype=np.int64))
        return 1 + fullest_regular(labels.reshape(len(windows), -1, _STEPS_PER_BAR))

    def song(self, midi: MidiInput) -> InputSong:
        """Returns the music from its beginning to its last bar with a hit.

        Of a tapped rhythm, the loudest note of each step counts, whatever its pitch. A loop that is shorter than a
        window is repeated.

        Raises:
            GmdVaeError: The music is too long, has no bars of four quarters, or has no usable note.
        """
        output = family_of(self.config).output(self.config)
        music = at_one_tempo(midi.sequence, notes_of(midi.sequence))
        values, tempo, missing = _read_values(midi, music, self._task)
        loop, repeated = self._repeated(music)
        if loop is not None:  # what is left out is counted once
            values, _, _ = _read_values(midi, repeated, self._task)
        bars = len(values) // _STEPS_PER_BAR
        count = -(-bars // output.bars)
        values = np.pad(values, [(0, count * output.steps - len(values)), (0, 0)])
        windows = tuple(
            dataclasses.replace(
                groove_window(part, self._task),
                file=midi.file,
                count=count,
                number=index + 1,
                tempo=tempo,
                bar=index * output.bars,
                loop_bars=loop and loop.bars,
            )
            for index, part in enumerate(np.split(values, count))
        )
        return InputSong(midi.file, windows, bars, tempo, missing, loop and loop.bars)

    def _repeated(self, music: Music) -> tuple[Loop | None, Music]:
        """Returns the music with a loop repeated, and the loop; ``None`` and the music as it is where there is none.

        A loop behind silent bars keeps its place in the song, and is not repeated.
        """
        grid = family_of(self.config).drum_grid(self.config)
        assert grid is not None  # a GrooVAE plays drums
        hits = music.notes.velocity > 0 if self._task.task == "tap" else known_drums(grid, music.notes)
        loop = find_loop(grid, music, hits)
        if loop is None or loop.bar or not loop.fills_a_window:
            return None, music
        return loop, repeat_loop(grid, music, hits, loop)

    def decoded_window(self, window: npt.NDArray[Any]) -> InputWindow:
        """Returns the window of hits, velocities and offsets ``[steps, 27]``."""
        return groove_window(window, self._task)


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
        controls=hits if task.hits_as_controls else np.zeros((len(values), 0), np.float32),
        given_hits=given_hits,
        is_silent=not hits.any(),
    )


def labels_to_values(labels: npt.NDArray[np.int64]) -> Values:
    """Returns labels ``[steps]`` of the nine classes as hits without velocities and offsets, ``[steps, 27]``."""
    values = np.zeros((len(labels), 3 * VELOCITIES), np.float32)
    values[:, :VELOCITIES] = (labels[:, None] >> np.arange(VELOCITIES)) & 1
    return values


def _read_values(midi: MidiInput, music: Music, task: Groove) -> tuple[Values, float, tuple[str, ...]]:
    """Returns the drums of whole bars, their tempo, and sentences on the music left out.

    A hit belongs to the nearest step. Of several hits of a class at one step, the loudest counts. Music whose bars are
    not four quarters long, such as a pickup bar, is left out.

    Args:
        midi: The file, for errors.
        music: Its music, moved to one tempo.
        task: Task of the model.

    Returns:
        Hits, velocities and offsets, ``[steps, 27]``; the tempo in quarter notes per minute, the median of a tempo map;
        and the sentences.
    """
    is_tapped = task.task == "tap"
    loudest: dict[tuple[int, int], tuple[int, float]] = {}  # step and class → velocity and offset
    other_bars: Counter[str] = Counter()  # time signature → notes
    place, tempo = _places(music)
    unknown = not_drums = outside = covered = 0
    for note, start in zip(music.sequence.notes, music.notes.start.tolist(), strict=True):
        drum = TAPPED if is_tapped else _CLASS_OF_PITCH.get(note.pitch)
        if not note.is_drum and not is_tapped:
            not_drums += 1
            continue
        if drum is None:
            unknown += 1
            continue
        position = place(start)
        if position is None:
            outside += 1
            continue
        if isinstance(position, str):
            other_bars[position] += 1
            continue
        step = math.floor(position + 0.5)
        known = loudest.get((step, drum))
        covered += known is not None
        if known is None or note.velocity > known[0]:
            loudest[step, drum] = note.velocity, 2 * (step - position)
    if not loudest and other_bars:
        raise GmdVaeError(
            f"'{midi.name}' is in {', '.join(other_bars)}, and GrooVAE plays bars of four quarters",
            "Give a file in 4/4 or 2/2.",
        )
    if not loudest:
        needed = "notes" if is_tapped else "drum notes of the nine kinds"
        raise GmdVaeError(f"'{midi.name}' has no {needed}", midi.action_without_drums() if not_drums else "")
    bars = max(step for step, _ in loudest) // _STEPS_PER_BAR + 1
    if bars > MAX_BARS:
        raise GmdVaeError(f"'{midi.name}' has {bars:,} bars", f"At most {MAX_BARS:,} bars can be played.")
    values = np.zeros((bars * _STEPS_PER_BAR, 3 * VELOCITIES), np.float32)
    for (step, drum), (velocity, offset) in loudest.items():
        values[step, [drum, VELOCITIES + drum, OFFSETS + drum]] = 1.0, velocity / 127, offset
    counts = {
        "drum notes that are no known drum": unknown,
        "notes of other instruments": not_drums,
        "hits of a drum on the step of a louder one": covered,
        "notes at times that are no positions in the music": outside,
        **{f"notes in bars of {signature}": count for signature, count in other_bars.items()},
    }
    return values, tempo, tuple(f"{text}: {count:,}" for text, count in counts.items() if count)


def _places(music: Music) -> tuple[Callable[[float], float | str | None], float]:
    """Returns the position of each time in the played bars, and the tempo.

    Args:
        music: Music that was moved to one tempo.

    Returns:
        A function from seconds of the moved music to sixteenths from the beginning, through all sections with bars of
        four quarters; to the time signature for a section of other bars; to ``None`` where there is no music. And the
        tempo in quarter notes per minute.
    """
    times, states = section_times(music.sequence) or ([0.0], [])
    base = 0  # first step of a section
    starts: list[int | str] = []
    tempo = _DEFAULT_TEMPO
    for begin, end, (numerator, denominator, qpm) in zip(times, times[1:], states, strict=False):
        if not (numerator > 0 and numerator == denominator and math.isfinite(end) and qpm > 0):
            starts.append(f"{numerator}/{denominator}")
            continue
        tempo = tempo if any(isinstance(start, int) for start in starts) else music.given_tempo(begin, end, qpm)
        starts.append(base)
        base += math.ceil((end - begin) * qpm / 240 - 0.01) * _STEPS_PER_BAR  # tolerance for times rounded to ticks

    def place(seconds: float) -> float | str | None:
        section = bisect.bisect_right(times, seconds) - 1
        if not math.isfinite(seconds) or not 0 <= section < len(starts):
            return None
        start = starts[section]
        return start if isinstance(start, str) else start + (seconds - times[section]) * (states[section][2] * 4 / 60)

    return place, tempo

"""Turns drum labels into note events at ticks, as a ``Playing`` asks, and writes them as a MIDI file.

Labels and playing flow in, the bytes of a file and its number of notes flow out. A file lasts a whole number of
bars. Played straight at 120 quarter notes per minute, it has the notes that Magenta's
``DrumsConverter.from_tensors`` makes (a test compares them).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.generation.performance.feel import MAX_OFFSET
from gmd_vae.generation.performance.playing import Drummer, Playing
from gmd_vae.midi.writer import MAX_TICKS_PER_QUARTER, TICKS_PER_QUARTER, Song, Strokes, strokes, write_drums

_DEFAULT = Playing()


def drum_midi(
    labels: Sequence[int],
    windows: DrumWindows,
    playing: Playing = _DEFAULT,
    number: int = 0,
    name: str = "Drums",
) -> tuple[bytes, int]:
    """Returns drum labels as a MIDI file with a whole number of bars, at least one.

    Args:
        labels: Drum labels, Python ints, one for each step. Bit ``k`` set: a drum of class ``k`` begins at the
            step. It is written with the first pitch of its class.
        windows: Drum classes, steps per quarter note, and quarter notes per bar.
        playing: Tempo, velocity, swing and feel.
        number: Index of the beat among several. The RNG of a feel is seeded with ``playing.seed`` and this index.
        name: Name of the track. Letters outside Latin-1 become question marks.

    Returns:
        The bytes of the file and its number of notes.

    Raises:
        ValueError: ``playing`` does not suit the windows (see ``Playing.obstacle``), or a quarter note has more
            steps than a MIDI file can have ticks.
    """
    if obstacle := playing.obstacle(windows):
        raise ValueError(obstacle)
    pitches = tuple(pitch_class[0] for pitch_class in windows.pitch_classes)
    ticks_per_quarter = _ticks_per_quarter(windows.steps_per_quarter)
    step_ticks = ticks_per_quarter // windows.steps_per_quarter
    bars = max(1, -(-len(labels) // windows.steps_per_bar))
    end = bars * windows.quarters_per_bar * ticks_per_quarter
    ticks = _grid(len(labels), step_ticks, playing.delay)
    if playing.feel is None or playing.is_even:
        by_tick, notes = _on_the_grid(labels, pitches, ticks, playing.even_velocity)
    else:
        by_tick, notes = _with_feel(labels, pitches, ticks, step_ticks, playing, playing.feel, number)
    song = Song(name, end, playing.tempo, windows.signature, ticks_per_quarter)
    return write_drums(song, by_tick), notes


def _on_the_grid(
    labels: Sequence[int], pitches: tuple[int, ...], ticks: Sequence[int], velocity: int
) -> tuple[list[tuple[int, Strokes]], int]:
    """Returns notes with one velocity that last until the next step, and their number."""
    by_tick: list[tuple[int, Strokes]] = []
    notes = before = 0
    for tick, label in zip(ticks, (*labels, 0), strict=True):
        if before or label:
            at_tick, starting = _strokes(pitches, before, label, velocity)
            by_tick.append((tick, at_tick))
            notes += starting
            before = label
    return by_tick, notes


def _with_feel(
    labels: Sequence[int],
    pitches: tuple[int, ...],
    ticks: Sequence[int],
    step_ticks: int,
    playing: Playing,
    feel: Drummer,
    number: int,
) -> tuple[list[tuple[int, Strokes]], int]:
    """Returns notes with the velocities and offsets of a feel, and their number.

    A note lasts one step, or until the same pitch begins again. No note begins before tick 0 or lasts beyond the
    last step. The hits of a voice keep their order: none moves further than 0.45 of the way to the nearest place
    of the grid. Every hit stays nearer to its own step than to the next one, also where swing delays the step.
    """
    reach = 0.0 if playing.quantize else MAX_OFFSET * (1.0 - playing.delay)  # swing brings two places nearer
    events: list[tuple[int, int, int]] = []  # tick, pitch, velocity (0: note-off)
    last_start: dict[int, int] = {}  # by pitch
    for hit in feel.play(labels, playing.seed, number):
        pitch = pitches[hit.voice]
        start = max(0, ticks[hit.step] + round(min(max(hit.offset, -reach), reach) * step_ticks))
        start = min(start, hit.step * step_ticks + _latest(step_ticks))
        if pitch in last_start:
            events.append((min(last_start[pitch] + step_ticks, start), pitch, 0))
        events.append((start, pitch, playing.velocity or hit.velocity))
        last_start[pitch] = start
    events += [(min(start + step_ticks, ticks[-1]), pitch, 0) for pitch, start in last_start.items()]
    events.sort(key=lambda event: (event[0], event[2] > 0, event[1]))  # at one tick, note-offs first
    by_tick = [(tick, strokes([(pitch, velocity)])) for tick, pitch, velocity in events]
    return by_tick, sum(velocity > 0 for _, _, velocity in events)


@functools.lru_cache(maxsize=32)
def _ticks_per_quarter(steps_per_quarter: int) -> int:
    """Returns the smallest multiple of ``steps_per_quarter`` from 480 ticks on, so that ticks hit every step.

    Raises:
        ValueError: A quarter note has more steps than a MIDI file can have ticks.
    """
    if not 1 <= steps_per_quarter <= MAX_TICKS_PER_QUARTER:
        raise ValueError(f"steps_per_quarter must be 1 to {MAX_TICKS_PER_QUARTER}, not {steps_per_quarter}")
    return -(-TICKS_PER_QUARTER // steps_per_quarter) * steps_per_quarter


@functools.lru_cache(maxsize=32)
def _grid(steps: int, step_ticks: int, delay: float) -> tuple[int, ...]:
    """Returns the tick of each step and of the end. ``delay`` is the swing of every second step, in steps."""
    late = min(round(delay * step_ticks), _latest(step_ticks))
    return (*(step * step_ticks + late * (step % 2) for step in range(steps)), steps * step_ticks)


def _latest(step_ticks: int) -> int:
    """Returns the largest distance of a hit from its step, in ticks: below one half, so that it is not the next's."""
    return (step_ticks - 1) // 2


@functools.lru_cache(maxsize=1 << 14)
def _strokes(pitches: tuple[int, ...], before: int, label: int, velocity: int) -> tuple[Strokes, int]:
    """Returns the note events of one step and the number of notes that start there.

    The drums of label ``before`` end, those of ``label`` start. Events are in order of pitch, note-offs first.
    """
    starting = _pitches_in(pitches, label)
    ending = _pitches_in(pitches, before)
    events = sorted([*((pitch, 0) for pitch in ending), *((pitch, velocity) for pitch in starting)])
    return strokes(events), len(starting)


def _pitches_in(pitches: tuple[int, ...], label: int) -> set[int]:
    """Returns the pitches of a label. Classes that share a pitch sound once."""
    return {pitch for number, pitch in enumerate(pitches) if label >> number & 1}

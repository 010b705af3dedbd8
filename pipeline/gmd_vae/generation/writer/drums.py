"""Drum labels straight to the bytes of a MIDI file: no note objects, no libraries, microseconds a window.

One track (format 0) with its name, the tempo, the time signature, the drums on MIDI channel 10, and its
end exactly at the end of the last bar, so that the file loops in any music program. Played straight at
120 bpm, a reader finds the notes that Magenta's ``DrumsConverter.from_tensors`` makes (a test compares
them).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.generation.performance.feel import MAX_OFFSET
from gmd_vae.generation.performance.playing import Drummer, Playing

_TICKS_PER_QUARTER = 480
_MAX_TICKS_PER_QUARTER = 0x7FFF  # what a file can say
_MICROSECONDS_PER_MINUTE = 60_000_000

_AT_ONCE = b"\x00"  # a time of 0 ticks after the event before
_NOTE_ON = b"\x99"  # on channel 10; holds for all notes behind it; velocity 0 ends a note
END_OF_TRACK = b"\xff\x2f\x00"
_DEFAULT = Playing()


def drum_midi(
    labels: Sequence[int],
    windows: DrumWindows,
    playing: Playing = _DEFAULT,
    number: int = 0,
    name: str = "Drums",
) -> tuple[bytes, int]:
    """Drum labels as a MIDI file of a whole number of bars, at least one.

    Args:
        labels: plain ints, one a step: bit ``k`` says that a drum of class ``k`` begins there and
            sounds with the first pitch of the class. Any number of steps.
        windows: gives the classes, the length of a step and the bars.
        playing: tempo, velocity, swing and feel.
        number: which beat of several it is; the random numbers of a feel depend on the seed and on it.
        name: of the track; letters outside Latin-1 become question marks.

    Returns:
        The bytes of the file, and the number of notes in it.

    Raises:
        ValueError: such windows cannot be played so (``Playing.obstacle`` says it before).
    """
    if obstacle := playing.obstacle(windows):
        raise ValueError(obstacle)
    pitches = tuple(pitch_class[0] for pitch_class in windows.pitch_classes)
    per_quarter = _ticks_per_quarter(windows.steps_per_quarter)
    bars = max(1, -(-len(labels) // windows.steps_per_bar))
    length = bars * windows.quarters_per_bar * per_quarter
    step_ticks = per_quarter // windows.steps_per_quarter
    ticks = _grid(len(labels), step_ticks, playing.delay)
    if playing.feel is None:
        body, notes, last = _on_the_grid(labels, pitches, ticks, playing.velocity)
    else:
        body, notes, last = _with_feel(labels, pitches, ticks, step_ticks, playing, playing.feel, number)
    body.append(number_bytes(length - last) + END_OF_TRACK)
    head, before = _head(per_quarter, playing.tempo, windows.quarters_per_bar, name)
    track = before + b"".join(body)
    return head + len(track).to_bytes(4, "big") + track, notes


def _on_the_grid(
    labels: Sequence[int], pitches: tuple[int, ...], ticks: Sequence[int], velocity: int
) -> tuple[list[bytes], int, int]:
    """Notes that are all equally loud and last until the next place of the grid.

    Returns:
        The parts of the track, the number of notes, and the tick of the last event.
    """
    body: list[bytes] = []
    notes = last = before = 0
    for tick, label in zip(ticks, (*labels, 0), strict=True):
        if before or label:
            events, beginning = _events(pitches, before, label, velocity)
            body += (number_bytes(tick - last), events)
            notes += beginning
            last = tick
            before = label
    if body:
        body.insert(1, _NOTE_ON)
    return body, notes, last


def _with_feel(
    labels: Sequence[int],
    pitches: tuple[int, ...],
    ticks: Sequence[int],
    step_ticks: int,
    playing: Playing,
    feel: Drummer,
    number: int,
) -> tuple[list[bytes], int, int]:
    """Notes that a drummer's feel moves and weighs; one step long, or until the same drum begins again.

    No note begins before tick 0 or lasts beyond the last step. The hits of a voice keep their order: none
    moves further than 0.45 of the way to the nearest place of the grid.

    Returns:
        As ``_on_the_grid``.
    """
    reach = MAX_OFFSET * (1.0 - playing.delay)  # swing brings two places of the grid nearer to each other
    events: list[tuple[int, int, int]] = []  # tick, pitch, velocity: sorted, the end of a note is before a beginning
    sounding: dict[int, int] = {}  # pitch → where its last note begins
    for hit in feel.play(labels, playing.seed, number):
        pitch = pitches[hit.voice]
        begin = max(0, ticks[hit.step] + round(min(max(hit.offset, -reach), reach) * step_ticks))
        if pitch in sounding:
            events.append((min(sounding[pitch] + step_ticks, begin), pitch, 0))
        events.append((begin, pitch, hit.velocity))
        sounding[pitch] = begin
    events += [(min(begin + step_ticks, ticks[-1]), pitch, 0) for pitch, begin in sounding.items()]
    events.sort(key=lambda event: (event[0], event[2] > 0, event[1]))
    body: list[bytes] = []
    last = 0
    for tick, pitch, velocity in events:
        body += (number_bytes(tick - last), bytes((pitch, velocity)))
        last = tick
    if body:
        body.insert(1, _NOTE_ON)
    return body, sum(velocity > 0 for _, _, velocity in events), last


@functools.lru_cache(maxsize=32)
def _ticks_per_quarter(steps_per_quarter: int) -> int:
    """480, or the next number of ticks that makes every step a whole number of them.

    Raises:
        ValueError: there are more steps in a quarter than a file can have ticks.
    """
    if not 1 <= steps_per_quarter <= _MAX_TICKS_PER_QUARTER:
        raise ValueError(f"steps_per_quarter must be 1 to {_MAX_TICKS_PER_QUARTER}, not {steps_per_quarter}")
    return -(-_TICKS_PER_QUARTER // steps_per_quarter) * steps_per_quarter


@functools.lru_cache(maxsize=32)
def _grid(steps: int, step_ticks: int, delay: float) -> tuple[int, ...]:
    """The tick of each step, and of the end; every second step is late by ``delay`` of a step."""
    late = round(delay * step_ticks)
    return (*(step * step_ticks + late * (step % 2) for step in range(steps)), steps * step_ticks)


@functools.lru_cache(maxsize=1 << 14)
def _events(pitches: tuple[int, ...], before: int, label: int, velocity: int) -> tuple[bytes, int]:
    """The events of one tick: the drums of the label before end, those of the label begin.

    Returns:
        The events, by pitch and ends first, each as pitch and velocity, with the time of 0 ticks
        between them; and how many of them begin a note.
    """
    begun = _hits(pitches, label, velocity)
    return _AT_ONCE.join(sorted(_hits(pitches, before, 0) + begun)), len(begun)


@functools.lru_cache(maxsize=1 << 12)
def _hits(pitches: tuple[int, ...], label: int, velocity: int) -> tuple[bytes, ...]:
    """The drums of a label, each as pitch and velocity; a pitch that two classes share sounds once."""
    sounding = {pitch for number, pitch in enumerate(pitches) if label >> number & 1}
    return tuple(bytes((pitch, velocity)) for pitch in sounding)


@functools.lru_cache(maxsize=1 << 10)
def number_bytes(value: int) -> bytes:
    """A number as MIDI writes times: 7 bits a byte, the highest first, the top bit set on all but the last."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))


@functools.lru_cache(maxsize=32)
def _head(ticks_per_quarter: int, tempo: float, quarters_per_bar: int, name: str) -> tuple[bytes, bytes]:
    """The file up to the length of its track; and the track's events ahead of the notes."""
    header = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01" + ticks_per_quarter.to_bytes(2, "big") + b"MTrk"
    return header, tempo_events(tempo, quarters_per_bar, name)


def tempo_events(tempo: float, quarters_per_bar: int, name: str) -> bytes:
    """What a file's first track begins with: its name, the tempo and the time signature."""
    text = name.encode("latin-1", "replace")
    microseconds = round(_MICROSECONDS_PER_MINUTE / tempo)
    return (
        (b"\x00\xff\x03" + number_bytes(len(text)) + text)
        + (b"\x00\xff\x51\x03" + microseconds.to_bytes(3, "big"))
        + (b"\x00\xff\x58\x04" + bytes((quarters_per_bar, 2, 24, 8)))  # quarters, then a click and 32nds a quarter
    )

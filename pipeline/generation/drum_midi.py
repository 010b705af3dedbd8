"""Drum labels straight to the bytes of a MIDI file: no note objects, no libraries, microseconds a window.

The bytes are those that Magenta's ``DrumsConverter.from_tensors``, note-seq, pretty_midi and mido
write together (a test compares them): 120 quarters a minute, 220 ticks a quarter, drums on MIDI
channel 10, every hit at velocity 80 and one step long, and two tracks before them that hold no notes.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from pipeline.examples.spec import DrumWindows

_TICKS_PER_QUARTER = 220
_QUARTERS_PER_MINUTE = 120.0
_VELOCITY = 80

_TRACK = b"MTrk"
_AT_ONCE = b"\x00"  # a time of 0 ticks after the event before
_END = b"\x01\xff\x2f\x00"  # a track ends one tick after its last event
_NOTE_ON = b"\x99"  # on channel 10; holds for all events behind it; velocity 0 ends a note

# Microseconds a quarter, then 4/4.
_TEMPO_TRACK = b"\x00\xff\x51\x03" + (500_000).to_bytes(3, "big") + b"\x00\xff\x58\x04\x04\x02\x18\x08" + _END
_UNUSED_TRACK = b"\x00\xc0\x00" + _END  # note-seq's instrument 0
_DRUM_TRACK = b"\x00\xff\x03\x05Drums" + b"\x00\xc9\x00"  # its name and program; the notes follow


def drum_midi(labels: Sequence[int], windows: DrumWindows) -> tuple[bytes, int]:
    """A drum window as a MIDI file.

    Args:
        labels: plain ints, one a step: bit ``k`` says that a drum of class ``k`` begins there and
            sounds with the first pitch of the class. Any number of steps.
        windows: gives the classes and the length of a step.

    Returns:
        The bytes of the file, and the number of notes in it.
    """
    pitches = tuple(pitch_class[0] for pitch_class in windows.pitch_classes)
    padded = (0, *labels, 0)
    body: list[bytes] = []
    notes = last_tick = 0
    for tick, begin, end in _grid(len(labels), windows.steps_per_quarter):
        events, beginning = _events(pitches, padded[begin:end])
        if events:
            body += (_number(tick - last_tick), events)
            notes += beginning
            last_tick = tick
    if not notes:
        return _header(2) + _chunk(_TEMPO_TRACK) + _chunk(_UNUSED_TRACK), 0
    body.insert(1, _NOTE_ON)
    drums = _chunk(_DRUM_TRACK + b"".join(body) + _END)
    return _header(3) + _chunk(_TEMPO_TRACK) + _chunk(_UNUSED_TRACK) + drums, notes


@functools.lru_cache(maxsize=32)
def _grid(steps: int, steps_per_quarter: int) -> tuple[tuple[int, int, int], ...]:
    """Where the events of a window lie in time, and which of its labels make them.

    The floating-point operations are those of note-seq and pretty_midi: they round the same way.

    Returns:
        For each tick with events, in the order of time: the tick, and the slice of the labels
        (with a 0 put before and behind them) for ``_events``.
    """
    seconds_per_step = 60.0 / _QUARTERS_PER_MINUTE / steps_per_quarter
    seconds_per_tick = 60.0 / (_QUARTERS_PER_MINUTE * _TICKS_PER_QUARTER)
    ticks = [round(step * seconds_per_step / seconds_per_tick) for step in range(steps + 1)]
    grid = []
    # one step a tick, except where a step is shorter than a tick
    for tick, same in itertools.groupby(range(steps + 1), ticks.__getitem__):
        members = list(same)
        grid.append((tick, members[0], members[-1] + 2))
    return tuple(grid)


@functools.lru_cache(maxsize=1 << 14)
def _events(pitches: tuple[int, ...], labels: tuple[int, ...]) -> tuple[bytes, int]:
    """The events of one tick: the drums of all labels but the last end, those of all but the first begin.

    Nearly always these are two labels, of the step before and of the step that begins.

    Args:
        pitches: of each class.
        labels: of consecutive steps.

    Returns:
        The events, by pitch and ends first, each as pitch and velocity, with the time of 0 ticks
        between them; and how many of them begin a note.
    """
    ended = [event for label in labels[:-1] for event in _hits(pitches, label, 0)]
    begun = [event for label in labels[1:] for event in _hits(pitches, label, _VELOCITY)]
    return _AT_ONCE.join(sorted(ended + begun)), len(begun)


@functools.lru_cache(maxsize=1 << 12)
def _hits(pitches: tuple[int, ...], label: int, velocity: int) -> tuple[bytes, ...]:
    """The drums of a label, each as pitch and velocity; a pitch that two classes share sounds once."""
    sounding = {pitch for number, pitch in enumerate(pitches) if label >> number & 1}
    return tuple(bytes((pitch, velocity)) for pitch in sounding)


@functools.lru_cache(maxsize=1 << 10)
def _number(value: int) -> bytes:
    """A number as MIDI writes times: 7 bits a byte, the highest first, the top bit set on all but the last."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))


def _header(tracks: int) -> bytes:
    """The head of a file of format 1."""
    return b"MThd\x00\x00\x00\x06\x00\x01" + tracks.to_bytes(2, "big") + _TICKS_PER_QUARTER.to_bytes(2, "big")


def _chunk(events: bytes) -> bytes:
    """A track with its length in bytes before it."""
    return _TRACK + len(events).to_bytes(4, "big") + events

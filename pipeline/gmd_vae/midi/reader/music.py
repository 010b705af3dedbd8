"""Step 2 of the reader: events to music, as pretty_midi 0.2.11 and note_seq interpret them.

Every rule about the meaning of events is in this module and in ``instruments``: the tracks whose tempos count, the
notes that a note-off closes, the instrument that a note belongs to, times in seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gmd_vae.midi.reader.events import MidiEvents, NotProven
from gmd_vae.midi.reader.instruments import Instrument, read_instruments
from gmd_vae.midi.reader.tempo_map import TempoMap

_SEMITONES_PER_SHARP = 7  # from one major key to the next
_SEMITONES_TO_MINOR = 9  # from a major key up to the minor key with the same sharps


class Music(NamedTuple):
    """The music of a MIDI file, times in seconds: the content of its NoteSequence.

    Attributes:
        resolution: Ticks per quarter note.
        tempos: Seconds, and quarter notes per minute.
        time_signatures: Seconds, numerator and denominator.
        key_signatures: Seconds, key (0 for C to 11 for B), and 1 for minor or 0 for major.
        instruments: Instruments in the order of their numbers in the NoteSequence.
        total_time: End of the last note in seconds; 0 without notes.
    """

    resolution: int
    tempos: list[tuple[float, float]]
    time_signatures: list[tuple[float, int, int]]
    key_signatures: list[tuple[float, int, int]]
    instruments: list[Instrument]
    total_time: float


def interpret(events: MidiEvents) -> Music:
    """Returns the music of a MIDI file's events.

    Tempos, time signatures and key signatures of the first track count, as in pretty_midi; it ignores the others.

    Args:
        events: Events of the file.

    Raises:
        NotProven: The first track has a tempo or a time signature that note_seq refuses.
    """
    first = events.tracks[0]
    if not all(tempo for _, tempo in first.tempos) or not all(top for _, top, _ in first.time_signatures):
        raise NotProven
    tempo_map = TempoMap(events.resolution, first.tempos)

    def seconds(changes: list[tuple[int, int, int]]) -> list[float]:
        ticks = np.array([tick for tick, _, _ in changes], np.int64)
        return tempo_map.seconds(ticks).tolist()  # type: ignore[no-any-return]

    instruments = [
        instrument for track in events.tracks if len(track.ticks) for instrument in read_instruments(track, tempo_map)
    ]
    return Music(
        resolution=events.resolution,
        tempos=tempo_map.tempos,
        time_signatures=[
            (time, numerator, denominator)
            for time, (_, numerator, denominator) in zip(
                seconds(first.time_signatures), first.time_signatures, strict=True
            )
        ],
        key_signatures=[
            (time, (_SEMITONES_PER_SHARP * sharps + _SEMITONES_TO_MINOR * minor) % 12, minor)
            for time, (_, sharps, minor) in zip(seconds(first.key_signatures), first.key_signatures, strict=True)
        ],
        instruments=instruments,
        total_time=max((float(instrument.end.max()) for instrument in instruments), default=0.0),
    )

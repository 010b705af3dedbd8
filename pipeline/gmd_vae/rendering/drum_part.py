"""The drums of a MIDI file, as sound and picture want them: who hits what, when and how hard."""

from __future__ import annotations

import collections
import dataclasses
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.window_specs import CLASS_NAMES, NINE_CLASSES
from gmd_vae.datasets.midi_files import MidiFile
from gmd_vae.datasets.safe_names import printable
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.note_sequence import NoteSequence

VOICES = CLASS_NAMES
KICK, SNARE, CLOSED_HAT, OPEN_HAT, LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE = range(len(VOICES))

MAX_SECONDS = 30 * 60.0  # 318 MB of sound
MAX_HITS = 100_000  # 55 a second for 30 minutes; takes seconds to mix

_VOICE_OF = {pitch: voice for voice, pitches in enumerate(NINE_CLASSES) for pitch in pitches}
_USUAL_TEMPO = 120.0  # quarters a minute, where a file does not say
_USUAL_METER = (4, 4)

_Entry = TypeVar("_Entry", tuple[float, float], tuple[float, int, int])


@dataclasses.dataclass(frozen=True)
class DrumPart:
    """The drum hits of one piece of music, in the order of time.

    Attributes:
        times: when each hit begins, seconds, float64 ``[hits]``.
        voices: what is hit, an index into ``VOICES``, int64 ``[hits]``.
        velocities: how hard, 1 to 127, int64 ``[hits]``.
        seconds: where the music ends, whatever plays last.
        tempos: from which second on, and how many quarters a minute; the first begins at 0.
        meters: from which second on, numerator and denominator; the first begins at 0.
        unknown: drum notes that are none of the nine voices: how many, by MIDI pitch.
        others: notes of instruments that are not drums.
    """

    times: npt.NDArray[np.float64]
    voices: npt.NDArray[np.int64]
    velocities: npt.NDArray[np.int64]
    seconds: float
    tempos: tuple[tuple[float, float], ...] = ((0.0, _USUAL_TEMPO),)
    meters: tuple[tuple[float, int, int], ...] = ((0.0, *_USUAL_METER),)
    unknown: dict[int, int] = dataclasses.field(default_factory=dict)
    others: int = 0

    @property
    def hits(self) -> int:
        """How many there are."""
        return len(self.times)


def drum_part(sequence: NoteSequence, name: str) -> DrumPart:
    """The drums of a NoteSequence whose times are in seconds, not in steps.

    Args:
        sequence: as ``gmd_vae.midi.midi_io.midi_to_note_sequence`` makes it.
        name: what to call it in an error.

    Raises:
        GmdVaeError: it is longer than 30 minutes, or has more than 100,000 hits.
    """
    drums = [note for note in sequence.notes if note.is_drum]
    found = [note for note in drums if note.pitch in _VOICE_OF]
    seconds = max([sequence.total_time, *(note.start_time for note in drums)])
    if not seconds <= MAX_SECONDS:
        raise GmdVaeError(
            f"'{name}' has {seconds / 60:,.0f} minutes of music; {MAX_SECONDS / 60:.0f} can be rendered",
            "Cut it into shorter files.",
        )
    if len(found) > MAX_HITS:
        raise GmdVaeError(
            f"'{name}' has {len(found):,} drum hits; {MAX_HITS:,} can be rendered", "Cut it into shorter files."
        )
    hits = sorted((note.start_time, _VOICE_OF[note.pitch], note.velocity) for note in found)
    tempos = sorted({tempo.time: tempo.qpm for tempo in sequence.tempos if tempo.qpm > 0}.items())
    meters = {
        meter.time: (meter.numerator, meter.denominator)
        for meter in sequence.time_signatures
        if meter.numerator > 0 and meter.denominator > 0
    }
    return DrumPart(
        times=np.array([time for time, _, _ in hits], np.float64),
        voices=np.array([voice for _, voice, _ in hits], np.int64),
        velocities=np.array([velocity for _, _, velocity in hits], np.int64),
        seconds=seconds,
        tempos=_from_the_start([(time, qpm) for time, qpm in tempos], (0.0, _USUAL_TEMPO)),
        meters=_from_the_start([(time, *meter) for time, meter in sorted(meters.items())], (0.0, *_USUAL_METER)),
        unknown=dict(sorted(collections.Counter(note.pitch for note in drums if note.pitch not in _VOICE_OF).items())),
        others=len(sequence.notes) - len(drums),
    )


def read_drum_part(path: Path) -> DrumPart:
    """The drums of a MIDI file.

    A file without any note is read as silence: a model may well write one.

    Raises:
        GmdVaeError: the file is missing or is not MIDI; it has notes, but no drum that can be heard; it
            is too long.
    """
    name = printable(str(path), limit=None)
    if path.is_dir():
        raise GmdVaeError(f"'{name}' is a folder", f"Name MIDI files, for example {name.rstrip('/')}/*.mid")
    if not path.is_file():
        problem = "is not a file" if path.exists() else "does not exist"
        raise GmdVaeError(f"MIDI file '{name}' {problem}", "Check the path.")
    data = MidiFile(name, path.stat().st_size, path).read()
    part = drum_part(midi_to_note_sequence(data, "", name), name)
    if not part.hits and part.unknown:
        pitches = ", ".join(map(str, part.unknown))
        raise GmdVaeError(
            f"'{name}' has no drum that can be rendered, only MIDI pitch {pitches}",
            f"Use General MIDI's pitches for {', '.join(VOICES)}.",
        )
    if not part.hits and part.others:
        raise GmdVaeError(
            f"'{name}' has no drums, only notes of other instruments: {part.others:,}",
            "Put the drums on MIDI channel 10.",
        )
    return part


def _from_the_start(entries: list[_Entry], usual: _Entry) -> tuple[_Entry, ...]:
    """A map over time that has an entry for its very beginning."""
    if not entries or entries[0][0] > 0:
        entries.insert(0, usual)
    return tuple(entries)

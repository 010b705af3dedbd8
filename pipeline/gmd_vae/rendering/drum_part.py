"""Reads the drum hits of a MIDI file: times, voices and velocities, the source of sound and pictures."""

from __future__ import annotations

import collections
import dataclasses
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.configuration.window_specs import CLASS_NAMES, NINE_CLASSES
from gmd_vae.datasets.midi_files import MidiFile
from gmd_vae.midi.drum_channels import action_without_drums
from gmd_vae.midi.midi_io import MidiMusic, read_midi
from gmd_vae.midi.reader.account import NO_EVENTS, NO_TEMPO, NO_TIME_SIGNATURE, Account
from gmd_vae.midi.reading import EVERY_HIT, Reading

VOICES = CLASS_NAMES
KICK, SNARE, CLOSED_HAT, OPEN_HAT, LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE = range(len(VOICES))

MAX_SECONDS = 30 * 60.0  # 318 MB of sound
MAX_HITS = 100_000  # 55 a second for 30 minutes; mixing them takes seconds

_VOICE_OF = {pitch: voice for voice, pitches in enumerate(NINE_CLASSES) for pitch in pitches}
_DEFAULT_TEMPO = 120.0  # quarters per minute: MIDI's own default
_DEFAULT_METER = (4, 4)
_METERS_SHOWN = 4

_Entry = TypeVar("_Entry", tuple[float, float], tuple[float, int, int])


@dataclasses.dataclass(frozen=True)
class DrumPart:
    """The drum hits of one piece of music, in the order of time.

    Attributes:
        times: Start of each hit, seconds, float64 [hits].
        voices: Voice of each hit, an index into ``VOICES``, int64 [hits].
        velocities: Velocity of each hit, 1 to 127, int64 [hits].
        seconds: End of the music, of all instruments: the end of the file, or of its last note.
        tempos: Start in seconds and quarters per minute of each tempo; the first starts at 0.
        meters: Start in seconds, numerator and denominator of each meter; the first starts at 0.
        unknown: Number of drum notes by MIDI pitch, for pitches of none of the nine voices.
        others: Number of notes of other instruments.
        account: Use of the MIDI file's events.
    """

    times: npt.NDArray[np.float64]
    voices: npt.NDArray[np.int64]
    velocities: npt.NDArray[np.int64]
    seconds: float
    tempos: tuple[tuple[float, float], ...] = ((0.0, _DEFAULT_TEMPO),)
    meters: tuple[tuple[float, int, int], ...] = ((0.0, *_DEFAULT_METER),)
    unknown: dict[int, int] = dataclasses.field(default_factory=dict)
    others: int = 0
    account: Account = NO_EVENTS

    @property
    def hits(self) -> int:
        """Number of hits."""
        return len(self.times)

    @property
    def tempo_text(self) -> str:
        """Tempo or range of tempos, for example ``96 to 120 bpm``."""
        slowest, fastest = min(qpm for _, qpm in self.tempos), max(qpm for _, qpm in self.tempos)
        text = f"{slowest:.4g} bpm" if slowest == fastest else f"{slowest:.4g} to {fastest:.4g} bpm"
        return f"{text} (assumed)" if NO_TEMPO in self.account.assumed else text

    @property
    def meter_text(self) -> str:
        """The first four different meters, for example ``4/4, 6/8``."""
        meters = list(dict.fromkeys(f"{numerator}/{denominator}" for _, numerator, denominator in self.meters))
        text = ", ".join(meters[:_METERS_SHOWN]) + (", ..." if len(meters) > _METERS_SHOWN else "")
        return f"{text} (assumed)" if NO_TIME_SIGNATURE in self.account.assumed else text


def drum_part(music: MidiMusic, name: str) -> DrumPart:
    """Extracts the drum hits of a MIDI file.

    Args:
        music: Content of the file.
        name: Name of the music in errors.

    Raises:
        GmdVaeError: The music is longer than 30 minutes, or has more than 100,000 hits.
    """
    sequence = music.sequence
    drums = [note for note in sequence.notes if note.is_drum]
    found = [note for note in drums if note.pitch in _VOICE_OF]
    seconds = max([sequence.total_time, *(note.start_time for note in drums)])
    if music.end <= MAX_SECONDS:  # a beat may end with silent bars; the end of some files is far behind their music
        seconds = max(seconds, music.end)
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
        tempos=_from_the_start([(time, qpm) for time, qpm in tempos], (0.0, _DEFAULT_TEMPO)),
        meters=_from_the_start([(time, *meter) for time, meter in sorted(meters.items())], (0.0, *_DEFAULT_METER)),
        unknown=dict(sorted(collections.Counter(note.pitch for note in drums if note.pitch not in _VOICE_OF).items())),
        others=len(sequence.notes) - len(drums),
        account=music.account,
    )


def read_drum_part(path: Path, reading: Reading = EVERY_HIT) -> DrumPart:
    """Reads the drum hits of a MIDI file.

    A file without notes is silence, which a model may generate.

    Args:
        path: MIDI file.
        reading: Rules for reading the file.

    Raises:
        GmdVaeError: The file is missing, is not MIDI, has notes but no drums of the nine voices, or is too long.
    """
    name = printable(str(path), limit=None)
    if path.is_dir():
        raise folder_error(path)
    if not path.is_file():
        problem = "is not a file" if path.exists() else "does not exist"
        raise GmdVaeError(f"MIDI file '{name}' {problem}", "Check the path.")
    data = MidiFile(name, path.stat().st_size, path).read()
    part = drum_part(read_midi(data, "", name, reading), name)
    if not part.hits and part.unknown:
        pitches = ", ".join(map(str, part.unknown))
        raise GmdVaeError(
            f"'{name}' has no drum that can be rendered, only MIDI pitch {pitches}",
            f"Use General MIDI's pitches for {', '.join(VOICES)}, or give a --drum-map.",
        )
    if not part.hits and part.others:
        raise GmdVaeError(
            f"'{name}' has no drums, only notes of other instruments: {part.others:,}",
            action_without_drums(data, reading),
        )
    return part


def folder_error(path: Path) -> GmdVaeError:
    """Returns the error for a folder in the place of a MIDI file."""
    name = printable(str(path), limit=None)
    pattern = "*.mid" if any(path.glob("*.mid")) or not any(path.glob("*/*.mid")) else "*/*.mid"
    return GmdVaeError(f"'{name}' is a folder", f"Name MIDI files, for example {name.rstrip('/')}/{pattern}")


def _from_the_start(entries: list[_Entry], default: _Entry) -> tuple[_Entry, ...]:
    """Adds a default entry at second 0 where the first entry starts later."""
    if not entries or entries[0][0] > 0:
        entries.insert(0, default)
    return tuple(entries)

"""Our reader beside note_seq's: the same bytes, or both refuse."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import mido
import pretty_midi
from google.protobuf.message import DecodeError

from pipeline.notes import midi
from pipeline.notes.midi import MidiError, midi_to_record
from pipeline.notes.sequences import NoteSequence, note_seq_module

midi_io: Any = note_seq_module("midi_io")

ACCEPTED = "accepted"
NOT_COMPARED = "accepted, too long for note_seq"
# note_seq has an array with a number for each tick
MOST_TICKS = 2_000_000
OUR_LIMITS = (midi.TOO_LARGE, midi.TOO_LONG)


class Difference(AssertionError):
    """Our reader and note_seq do not agree on a file."""


def note_seq_reads(data: bytes) -> NoteSequence | str:
    """What Magenta's script makes of the bytes; a text: why not. None of our code is in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed = mido.MidiFile(file=io.BytesIO(data), charset="latin1")
            if max((sum(event.time for event in track) for track in parsed.tracks), default=0) > MOST_TICKS:
                return NOT_COMPARED
            sequence = midi_io.midi_to_note_sequence(pretty_midi.PrettyMIDI(mido_object=parsed))
        except Exception as error:  # as midi_to_note_sequence does with bytes
            return f"{type(error).__name__}: {error}"
    sequence.collection_name, sequence.filename = "c", "a.mid"
    sequence.id = midi.sequence_id("c", "a.mid")
    return sequence


def compare(data: bytes) -> str:
    """Reads the bytes in both ways; returns ``ACCEPTED``, ``NOT_COMPARED`` or the reason for which we refuse.

    Raises:
        Difference: the two do not agree. Our limits are no difference.
    """
    try:
        ours = midi_to_record(data, "c", "a.mid")
    except MidiError as error:
        if error.reason not in midi.REASONS:
            raise Difference(f"'{error.reason}' is not one of REASONS") from None
        if error.reason not in OUR_LIMITS and not isinstance(note_seq_reads(data), str):
            raise Difference(f"ours refuses ({error}), note_seq does not") from None
        return error.reason
    theirs = note_seq_reads(data)
    if theirs == NOT_COMPARED:
        return NOT_COMPARED
    if isinstance(theirs, str):
        raise Difference(f"note_seq refuses ({theirs}), ours does not")
    if ours.data != theirs.SerializeToString(deterministic=True):
        raise Difference(_where(ours.data, theirs))
    facts = (len(theirs.notes), sum(note.is_drum for note in theirs.notes), theirs.total_time)
    if ours[1:] != facts:
        raise Difference(f"notes, drum notes, seconds: ours {ours[1:]}, note_seq {facts}")
    return ACCEPTED


def _where(ours: bytes, theirs: NoteSequence) -> str:
    """The first line in which two sequences differ."""
    try:
        left, right = str(NoteSequence.FromString(ours)).splitlines(), str(theirs).splitlines()
    except DecodeError as error:
        return f"ours is no NoteSequence: {error}"
    for number, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return f"line {number + 1} of the text: ours '{one.strip()}', note_seq '{other.strip()}'"
    return f"ours has {len(left)} lines of text, note_seq {len(right)}; or the order of the wire bytes differs"


def real_files(test_data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every MIDI file of GMD, of game music, and of the malformed ones."""
    import zipfile

    with zipfile.ZipFile(test_data / "groove-v1.0.0-midionly.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".mid"):
                yield name, archive.read(name)
    for folder in ("freedoom", "malformed"):
        for path in sorted((test_data / folder).rglob("*.mid")):
            yield path.name, path.read_bytes()


def small_files(test_data: Path | None, starter: Iterable[Path] = (), most: int = 4000) -> list[bytes]:
    """Real files to damage, smallest first: GMD, game music and malformed ones where they are there.

    Args:
        test_data: the folder with the real data, or None.
        starter: MIDI files of ours.
        most: bytes of the largest.
    """
    files = [path.read_bytes() for path in sorted(starter)[:20]]
    if test_data is not None:
        real = list(real_files(test_data))
        grooves = sorted((len(data), name, data) for name, data in real if name.startswith("groove/"))
        files += [data for _, _, data in grooves[:40]]
        files += [data for name, data in real if not name.startswith("groove/")]
    return sorted({data for data in files if len(data) <= most}, key=lambda data: (len(data), data))

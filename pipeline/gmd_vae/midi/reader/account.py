"""The account of a file's events: note-ons in = notes + dropped note-ons, and everything else that has no effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gmd_vae.common.printable import counted

# note-ons without a note
NO_LENGTH = "ends on the tick it begins"
NEVER_ENDS = "never ends"
BROKEN_NOTE = "pitch or velocity above 127"

# other events without effect
BROKEN_DATA = "data byte above 127"
BROKEN_KEY = "key signature that does not exist"
BROKEN_TIME = "impossible time signature"
BROKEN_TEMPO = "impossible tempo"
BROKEN_META = "meta event with impossible content"
BROKEN_SYSTEM = "undefined or damaged system message"
CUT_OFF = "event cut off by the end of its track"
MISSING_TRACK = "track that the header announces and the file lacks"
OUTSIDE_FIRST_TRACK = "tempo or signature outside the first track"  # reading as Magenta's stack

# facts that a file does not give, and the values that are assumed
NO_TEMPO, LATE_TEMPO = "tempo", "first_tempo"
NO_TIME_SIGNATURE, LATE_TIME_SIGNATURE = "time_signature", "first_time_signature"
ASSUMED_TEMPO = 120.0
ASSUMPTIONS = {
    NO_TEMPO: "no tempo given: 120 assumed",
    LATE_TEMPO: "no tempo given before the first: 120 assumed until then",
    NO_TIME_SIGNATURE: "no time signature given: 4/4 assumed",
    LATE_TIME_SIGNATURE: "no time signature given before the first: 4/4 assumed until then",
}

_NOTHING: Mapping[str, int] = {}


class Account(NamedTuple):
    """The use of a file's events.

    ``note_ons`` equals the number of notes plus the sum of ``dropped``.

    Attributes:
        note_ons: Note-ons with a velocity above 0, in all tracks.
        completed: Drum hits without an end in the file, which got a short length. They are among the notes.
        dropped: Note-ons without a note, by reason: ``NO_LENGTH``, ``NEVER_ENDS`` or ``BROKEN_NOTE``.
        ignored: Other events that have no effect although they should, by reason.
        assumed: Facts that the file does not give, keys of ``ASSUMPTIONS``.
        unmapped: Drum notes of pitches that the drum map lacks, by pitch as text.
    """

    note_ons: int
    completed: int
    dropped: Mapping[str, int]
    ignored: Mapping[str, int]
    assumed: tuple[str, ...]
    unmapped: Mapping[str, int] = _NOTHING

    @property
    def assumes_tempo(self) -> bool:
        """True if the file gives no tempo for its beginning."""
        return NO_TEMPO in self.assumed or LATE_TEMPO in self.assumed

    @property
    def assumes_time_signature(self) -> bool:
        """True if the file gives no time signature for its beginning."""
        return NO_TIME_SIGNATURE in self.assumed or LATE_TIME_SIGNATURE in self.assumed

    def describe(self) -> dict[str, Any]:
        """Returns the fields of one file in JSON answers and manifests."""
        return {
            "note_ons": {"count": self.note_ons, "dropped": dict(self.dropped), "completed": self.completed},
            "ignored_events": dict(self.ignored),
            "assumed": list(self.assumed),
            "unmapped_drums": dict(self.unmapped),
        }

    def losses(self) -> list[str]:
        """Returns a sentence without a full stop for the completed hits and each reason of a loss."""
        lines = [completed_text(self.completed)] if self.completed else []
        lines += [f"{counted(count, 'note-on')} dropped: {reason}" for reason, count in self.dropped.items()]
        lines += [f"{counted(count, 'event')} ignored: {reason}" for reason, count in self.ignored.items()]
        return lines + [
            f"{counted(count, 'drum note')} of pitch {pitch}, which the drum map lacks"
            for pitch, count in self.unmapped.items()
        ]

    def assumptions(self) -> list[str]:
        """Returns a sentence without a full stop for each fact that the file does not give."""
        return [ASSUMPTIONS[fact] for fact in self.assumed]

    @classmethod
    def parse(cls, fields: Sequence[Any]) -> Account:
        """Returns the account that ``list(account)`` gives after its way through JSON."""
        note_ons, completed, dropped, ignored, assumed, unmapped = fields
        return cls(note_ons, completed, dropped, ignored, tuple(assumed), unmapped)


NO_EVENTS = Account(0, 0, {}, {}, ())


def assumptions(first_tempo: int | None, first_time_signature: int | None) -> tuple[str, ...]:
    """Returns the facts that a file does not give, keys of ``ASSUMPTIONS``.

    Args:
        first_tempo: Tick of the first tempo; None without one.
        first_time_signature: Tick of the first time signature; None without one.
    """
    assumed = []
    for first, missing, late in (
        (first_tempo, NO_TEMPO, LATE_TEMPO),
        (first_time_signature, NO_TIME_SIGNATURE, LATE_TIME_SIGNATURE),
    ):
        if first is None:
            assumed.append(missing)
        elif first > 0:
            assumed.append(late)
    return tuple(assumed)


def completed_text(hits: int) -> str:
    """Returns the sentence on hits without an end."""
    return f"{counted(hits, 'drum hit')} without an end in the file: each lasts a 64th note"

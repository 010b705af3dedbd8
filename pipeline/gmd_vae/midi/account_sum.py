"""Sums the accounts of many MIDI files: for manifests, and as sentences for tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gmd_vae.common.printable import counted
from gmd_vae.midi.reader.account import ASSUMPTIONS, Account, completed_text

MAX_NAMES = 100  # names kept per reason in a manifest; the counts are complete
_NAMES_SHOWN = 3


@dataclass
class AccountSum:
    """The accounts of many files.

    Attributes:
        note_ons: Note-ons of all files.
        completed: Drum hits without an end in their file.
        files: Names of the files with such hits.
        dropped: Count and file names of the note-ons without a note, by reason.
        ignored: Count and file names of the other events without effect, by reason.
        assumed: Names of the files that do not give a fact, by the keys of ``ASSUMPTIONS``.
        unmapped: Count and file names of the drum notes whose pitch the drum map lacks, by pitch.
    """

    note_ons: int = 0
    completed: int = 0
    files: list[str] = field(default_factory=list)
    dropped: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    ignored: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    assumed: dict[str, list[str]] = field(default_factory=dict)
    unmapped: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    def add(self, name: str, account: Account) -> None:
        """Adds the account of a file."""
        self.note_ons += account.note_ons
        self.completed += account.completed
        if account.completed:
            self.files.append(name)
        for counts, sums in (
            (account.dropped, self.dropped),
            (account.ignored, self.ignored),
            (account.unmapped, self.unmapped),
        ):
            for reason, count in counts.items():
                before, names = sums.get(reason, (0, []))
                names.append(name)
                sums[reason] = before + count, names
        for fact in account.assumed:
            self.assumed.setdefault(fact, []).append(name)

    def describe(self) -> dict[str, Any]:
        """Returns the fields for a manifest."""
        return {
            "note_ons": {
                "count": self.note_ons,
                "dropped": _described(self.dropped),
                "completed": {"count": self.completed, "files": counted_names(self.files)},
            },
            "ignored_events": _described(self.ignored),
            "unmapped_drums": _described(self.unmapped),
            "assumed": {fact: counted_names(names) for fact, names in sorted(self.assumed.items())},
        }


def counted_names(names: Sequence[str]) -> dict[str, Any]:
    """Returns the count of names and the first ``MAX_NAMES`` of them, for a manifest."""
    return {"count": len(names), "names": list(names[:MAX_NAMES])}


def sentences(described: Mapping[str, Any]) -> Iterator[str]:
    """Yields a line for each loss and assumption in the fields of ``AccountSum.describe``."""
    note_ons = described["note_ons"]
    if count := note_ons["completed"]["count"]:
        yield completed_text(count) + _in_files(note_ons["completed"]["files"])
    for reason, entry in note_ons["dropped"].items():
        yield f"{counted(entry['count'], 'note-on')} dropped: {reason}{_in_files(entry['files'])}"
    for reason, entry in described["ignored_events"].items():
        yield f"{counted(entry['count'], 'event')} ignored: {reason}{_in_files(entry['files'])}"
    for pitch, entry in described.get("unmapped_drums", {}).items():
        notes = counted(entry["count"], "drum note")
        yield f"{notes} of pitch {pitch}, which the drum map lacks{_in_files(entry['files'])}"
    for fact, entry in described["assumed"].items():
        yield f"{counted(entry['count'], 'file')}: {ASSUMPTIONS.get(fact, fact)} ({_some(entry)})"


def _described(sums: Mapping[str, tuple[int, list[str]]]) -> dict[str, Any]:
    return {reason: {"count": count, "files": counted_names(names)} for reason, (count, names) in sorted(sums.items())}


def _in_files(files: Mapping[str, Any]) -> str:
    return f" (in {counted(files['count'], 'file')}: {_some(files)})"


def _some(files: Mapping[str, Any]) -> str:
    names = files["names"][:_NAMES_SHOWN]
    return ", ".join(names) + (", ..." if files["count"] > len(names) else "")

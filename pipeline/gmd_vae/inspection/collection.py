"""Inspects a folder or an archive of MIDI files, or NoteSequences: adds up the figures of all of them.

MIDI files are converted as by ``gmd-vae convert``, with the splits of its plan; windows are cut as by
``gmd-vae preprocess``. Memory does not grow with the notes, only with the numbers of files and different windows.
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.machine import usable_cores
from gmd_vae.common.printable import printable
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.datasets.catalogue import SPLITS, Entry
from gmd_vae.datasets.midi_files import MidiFile, list_midi_files
from gmd_vae.datasets.selection import Selection
from gmd_vae.engines.local import map_in_order
from gmd_vae.engines.resumable import Progress, silent
from gmd_vae.inspection.sequence_figures import SequenceFigures, sequence_figures, voices
from gmd_vae.midi.account_sum import MAX_NAMES, AccountSum, counted_names
from gmd_vae.midi.content_splits import Content, split_by_content
from gmd_vae.midi.convert_batch import convert_file
from gmd_vae.midi.notes_manifest import ConvertManifest, read_convert_manifest
from gmd_vae.midi.reader.account import ASSUMED_TEMPO, NO_TEMPO, Account
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.midi.splits import make_plan
from gmd_vae.windows.extraction import Dropped
from gmd_vae.windows.notes_input import RecordRange, open_notes, split_of

_CHUNK = 16  # files per task: all their results are in memory
_FILES_PER_JOB = 300  # starting a process takes half a second, as long as this many files
_BYTES_PER_JOB = 32 << 20
_NOT_GIVEN = "not given"  # in catalogues without the column
_BIN = 10  # bpm
_BINS_END = 400  # bpm: all faster tempos are one bin


def inspect_midi_files(
    path: Path,
    spec: DrumWindows,
    jobs: int | None = None,
    on_progress: Progress = silent,
    reading: Reading = EVERY_HIT,
) -> dict[str, Any]:
    """Inspects a folder or an archive of MIDI files.

    Args:
        path: Folder or archive.
        spec: Drum windows to cut.
        jobs: Number of processes; ``None``: by the number of files.
        on_progress: Callback with the number of files done and of all files.
        reading: Rules for reading the files.

    Returns:
        The answer of ``gmd-vae inspect --json`` (docs/reference/json.md).

    Raises:
        GmdVaeError: The path does not exist or holds no MIDI file, or its catalogue is damaged.
    """
    listing = list_midi_files(path)
    reading = reading.for_files([file.name for file in listing.files])
    plan = make_plan(listing, Selection(), None)
    sums, accounts = _Sums(spec, plan.entries), AccountSum()
    for name, reason in listing.skipped:
        sums.refuse(reason, name)
    chunks = [plan.files[start : start + _CHUNK] for start in range(0, len(plan.files), _CHUNK)]
    jobs = jobs or max(1, min(usable_cores(), len(plan.files) // _FILES_PER_JOB))
    function = functools.partial(_read_files, listing.collection, spec, reading, plan.splits is None)
    files: list[_File] = []  # the splits by content need all files
    for chunk in map_in_order(function, chunks, jobs):
        files += chunk
        on_progress(len(files), len(plan.files))
    read = [(file, file.sha256) for file in files if file.sha256 is not None]
    similar = None
    if plan.splits is None:
        by_content = split_by_content([Content(sha256, file.fingerprint) for file, sha256 in read], plan.shares)
        similar = by_content.describe([file.name for file, _ in read])
        splits = by_content.splits
    else:
        splits = [plan.splits[file.name] for file, _ in read]
    for file in files:
        accounts.add(file.name, file.account)
        if file.figures is None:
            sums.refuse(file.reason, file.name)
    for (file, sha256), split in zip(read, splits, strict=True):
        sums.add_file(split, file.name, bytes.fromhex(sha256), file.figures)
    return {
        "kind": "folder" if path.is_dir() else "archive",
        "path": printable(str(path), limit=None),
        "split_by": plan.split_by,
        "found": len(plan.files) + len(listing.skipped),
        **sums.as_json(),
        **accounts.describe(),
        "reading": reading.describe(),
        "drums_on_channel": {
            str(channel): counted_names([file.name for file in files if file.drum_channel == channel])
            for channel in sorted({file.drum_channel for file in files if file.drum_channel is not None})
        },
        "passed_over": listing.passed_over,
        "catalogues": list(plan.catalogues),
        "catalogues_not_used": dict(plan.unused_catalogues[:MAX_NAMES]),
        **({} if similar is None else {"near_duplicates": similar}),
        "not_in_info_csv": counted_names(plan.not_listed),
        "missing": counted_names(plan.missing),
    }


def inspect_notes(
    path: Path, spec: DrumWindows, jobs: int | None = None, on_progress: Progress = silent
) -> dict[str, Any]:
    """Inspects NoteSequences of ``gmd-vae convert`` or of Magenta's own scripts.

    Args:
        path: Folder of ``convert``, folder of TFRecord files, or one TFRecord file.
        spec: Drum windows to cut.
        jobs: Number of processes; ``None``: by the size of the files.
        on_progress: Callback with the number of NoteSequences done and of all NoteSequences.

    Returns:
        The answer of ``gmd-vae inspect --json`` (docs/reference/json.md).

    Raises:
        GmdVaeError: The files cannot be read, are damaged, or have changed since ``convert``.
    """
    source = open_notes(path)
    ranges = source.ranges()
    total = sum(piece.count for piece in ranges)
    sums = _Sums(spec, {})
    jobs = jobs or max(1, min(usable_cores(), source.size() // _BYTES_PER_JOB))
    done = 0
    for chunk in map_in_order(functools.partial(_read_records, spec), ranges, jobs):
        for split, name, figures in chunk:
            done += 1
            if figures.dropped.reasons["unreadable"]:
                sums.refuse("not a NoteSequence", name)
            else:
                sums.add_file(split, figures.name or name, None, figures)
        on_progress(done, total)
    converted = _convert_manifest(path)
    sums.skipped.update(
        {reason: {"count": named.count, "names": named.names} for reason, named in converted.skipped.items()}
    )
    account = converted.account()
    if account is not None:
        sums.leave_out_tempos(account["assumed"].get(NO_TEMPO, {"count": 0})["count"])
    return {
        "kind": "notes",
        "path": printable(str(path), limit=None),
        "split_by": converted.split_by or str(source.identity["split_by"]),
        "found": total + sum(named.count for named in converted.skipped.values()),
        **sums.as_json(),
        **(account or {}),
    }


@dataclasses.dataclass(frozen=True)
class _File:
    """Result of one MIDI file, as a worker process returns it."""

    name: str
    sha256: str | None
    reason: str
    figures: SequenceFigures | None
    fingerprint: bytes | None
    account: Account
    drum_channel: int | None


def _read_files(
    collection: str, spec: DrumWindows, reading: Reading, with_fingerprint: bool, files: Sequence[MidiFile]
) -> list[_File]:
    read = []
    for file in files:
        item = convert_file(file, collection, reading, with_fingerprint=with_fingerprint)
        figures = None
        if item.record is not None:
            figures = sequence_figures(item.record, spec, assumed_tempos=int(item.account.assumes_tempo))
        facts = (item.name, item.sha256, item.reason, figures, item.fingerprint)
        read.append(_File(*facts, item.account, item.drum_channel))
    return read


def _read_records(spec: DrumWindows, chunk: RecordRange) -> list[tuple[str, str, SequenceFigures]]:
    read = []
    for record in chunk.read():
        figures = sequence_figures(record.data, spec)
        read.append((record.split or split_of(figures.sequence_id, record.data), record.name, figures))
    return read


@dataclasses.dataclass
class _Split:
    """Figures of one split."""

    files: int = 0  # readable or not
    seconds: float = 0.0
    notes: int = 0
    drum_notes: int = 0
    windows: int = 0
    seen: set[int] = dataclasses.field(default_factory=set)  # digests of the windows


class _Sums:
    """Sums of the figures of all files.

    Args:
        spec: Drum windows that were cut.
        entries: Entries of the catalogue by ``midi_filename``; empty without a catalogue.
    """

    def __init__(self, spec: DrumWindows, entries: Mapping[str, Entry]) -> None:
        self.spec, self.entries = spec, entries
        self.splits = {name: _Split() for name in SPLITS}
        self.files: Counter[str] = Counter()  # by the keys of ``files`` in the JSON answer
        self.pitches: Counter[int] = Counter()
        self.signatures: Counter[str] = Counter()
        self.tempos: list[float] = []  # first tempo of each file, bpm
        self.styles: dict[str, list[Any]] = {}  # files, seconds, windows
        self.beat_types: Counter[str] = Counter()
        self.dropped = Dropped()
        self.refused: dict[str, list[str]] = {}  # reason → names
        self.skipped: dict[str, Any] = {}  # from the manifest of convert
        self.by_bytes: dict[bytes, list[str]] = {}  # SHA-256 of a file → names
        # digest of the notes → names with the SHA-256 of their files; a NoteSequence has a number in its place
        self.by_music: dict[bytes, list[tuple[str, bytes]]] = {}

    def refuse(self, reason: str, name: str) -> None:
        """Counts a file that is not used."""
        self.refused.setdefault(reason, []).append(name)

    def add_file(self, split: str, name: str, sha256: bytes | None, figures: SequenceFigures | None) -> None:
        """Adds a file. ``figures`` is None for an unreadable file, ``sha256`` for a NoteSequence without a file."""
        own = self.splits[split]
        own.files += 1
        if sha256 is not None:
            self.by_bytes.setdefault(sha256, []).append(name)
        if figures is None:
            return
        if figures.music:
            self.by_music.setdefault(figures.music, []).append((name, sha256 or str(self.files["readable"]).encode()))
        own.seconds += figures.seconds
        own.notes += figures.notes
        own.drum_notes += figures.drum_notes
        own.windows += len(figures.windows)
        own.seen.update(figures.windows)
        self.files["readable"] += 1
        self.files["with_drums"] += bool(figures.drum_notes)
        self.files["with_windows"] += bool(figures.windows)
        self.files["several_tempos"] += figures.tempos > 1
        self.files["several_time_signatures"] += figures.signatures > 1
        self.pitches.update(figures.pitches)
        self.signatures[figures.time_signature] += 1
        if figures.bpm is not None:
            self.tempos.append(figures.bpm)
        self.dropped.add(figures.dropped)
        if entry := self.entries.get(name):
            self.beat_types[entry.beat_type or _NOT_GIVEN] += 1
            style = self.styles.setdefault(entry.primary_style or _NOT_GIVEN, [0, 0.0, 0])
            for place, value in enumerate((1, figures.seconds, len(figures.windows))):
                style[place] += value

    def leave_out_tempos(self, count: int) -> None:
        """Leaves out the assumed tempos of a number of files that give none."""
        equal = self.tempos.count(ASSUMED_TEMPO)
        others = [tempo for tempo in self.tempos if tempo != ASSUMED_TEMPO]
        self.tempos = others + [ASSUMED_TEMPO] * max(0, equal - count)

    def as_json(self) -> dict[str, Any]:
        """Returns the sums as entries of the JSON answer."""
        keys = ("readable", "with_drums", "with_windows", "several_tempos", "several_time_signatures")
        styles = sorted(self.styles.items(), key=lambda item: (-item[1][0], item[0]))
        return {
            "files": {key: self.files[key] for key in keys},
            "seconds": round(sum(split.seconds for split in self.splits.values()), 3),
            "splits": self._splits(),
            "styles": {
                name: {"files": files, "seconds": round(seconds, 3), "windows": windows}
                for name, (files, seconds, windows) in styles
            },
            "beat_types": dict(sorted(self.beat_types.items())),
            "tempos": _tempos(self.tempos),
            "time_signatures": _most_frequent(self.signatures),
            "voices": voices(self.spec, self.pitches),
            "dropped": self.dropped.as_json(),
            "duplicates": {
                "same_bytes": _groups(self.by_bytes.values()),
                # one file for each content: files with the same bytes are already listed above
                "same_music": _groups(_one_of_each(group) for group in self.by_music.values()),
            },
            "skipped": {
                **self.skipped,
                **{why: counted_names(names) for why, names in sorted(self.refused.items())},
            },
        }

    def _splits(self) -> dict[str, dict[str, Any]]:
        """Returns the figures by split. ``examples`` counts each window once and in one split, as preprocess does."""
        later: set[int] = set()
        examples = {}
        for name in reversed(SPLITS):
            examples[name] = len(self.splits[name].seen - later)
            later |= self.splits[name].seen
        return {
            name: {
                "files": split.files,
                "seconds": round(split.seconds, 3),
                "notes": split.notes,
                "drum_notes": split.drum_notes,
                "windows": split.windows,
                "distinct": len(split.seen),
                "examples": examples[name],
            }
            for name, split in self.splits.items()
        }


def _tempos(tempos: list[float]) -> dict[str, Any]:
    """Returns minimum, median, maximum and histogram of the first tempos of the files."""
    tempos = [round(tempo, 2) for tempo in tempos]  # MIDI counts microseconds per quarter: 100 bpm may read 99.9999
    bins = Counter(min(int(tempo) // _BIN * _BIN, _BINS_END) for tempo in tempos)
    return {
        "files": len(tempos),
        **{
            name: round(float(figure(tempos)), 2) if tempos else None
            for name, figure in (("min", min), ("median", statistics.median), ("max", max))
        },
        "histogram": [
            {"from": start, "to": start + _BIN if start < _BINS_END else None, "files": bins[start]}
            for start in (range(min(bins), max(bins) + 1, _BIN) if bins else ())
        ],
    }


def _most_frequent(counts: Counter[str]) -> dict[str, int]:
    """Returns counts by frequency; all after the first 100 are summed up as ``others``."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    others = sum(count for _, count in ordered[MAX_NAMES:])
    return dict(ordered[:MAX_NAMES]) | ({"others": others} if others else {})


def _one_of_each(group: list[tuple[str, bytes]]) -> list[str]:
    """Returns the first file name for each digest."""
    return list({key: name for name, key in reversed(group)}.values())[::-1]


def _groups(found: Iterable[list[str]]) -> dict[str, Any]:
    """Returns groups of at least two files: their number, the number of superfluous files, and the first names."""
    kept = sorted(names for names in found if len(names) > 1)
    return {
        "groups": len(kept),
        "superfluous": sum(len(names) - 1 for names in kept),
        "names": [names[:MAX_NAMES] for names in kept[:MAX_NAMES]],
    }


def _convert_manifest(path: Path) -> ConvertManifest:
    """Returns the manifest of ``convert``, or an empty one for Magenta's records."""
    if not (path / manifest.NAME).is_file():
        return ConvertManifest([])
    return read_convert_manifest(path, "Give a folder that 'gmd-vae convert' made.")

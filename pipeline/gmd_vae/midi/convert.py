"""A folder or an archive of MIDI files to NoteSequence TFRecords, one file per split.

Mirrors ``magenta/scripts/convert_dir_to_note_sequences.py`` (with ``--recursive``): the records are
the same bytes. What differs: one file per split, in the order of the names, whatever the number of
processes; a damaged file is counted by its reason; the folder appears whole or not at all.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import whole_folder
from gmd_vae.datasets.catalogue import SPLITS, Selection
from gmd_vae.datasets.midi_files import MidiListing, is_midi_name, list_midi_files
from gmd_vae.engines.engine import Engine
from gmd_vae.engines.local import engine_for
from gmd_vae.engines.resumable import Progress, make_batches, open_batches, silent
from gmd_vae.midi.convert_batch import Converted, read_batch, write_batch
from gmd_vae.midi.splits import Plan, SplitBy, make_plan, split_by_hash
from gmd_vae.midi.tfrecord import create, file_name, write_record

STAGE = "convert"
NOTES_FOLDER = Path("data", "notes")
MAX_NAMES = 100  # names kept per reason in the manifest; the counts are complete
_FILES_PER_JOB = 1000  # a process takes as long to start and to end as 300 files; two save nothing below 2,000
FILES_PER_BATCH = 64  # some tenths of a second of work, so Ctrl-C answers soon; GMD makes 18 batches
_PACKAGES = ("note-seq", "pretty-midi", "mido", "protobuf")  # that shape the records


@dataclass
class Split:
    """What one split holds."""

    files: int = 0  # MIDI files that belong to it, readable or not
    records: int = 0  # NoteSequences written
    notes: int = 0
    drum_notes: int = 0
    seconds: float = 0.0  # of music, up to the end of the last note

    def describe(self) -> dict[str, Any]:
        """For manifests and tables."""
        return {**vars(self), "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Summary:
    """What ``convert`` did: the folder, and its manifest's content."""

    output_dir: Path
    splits: dict[str, Split]
    skipped: dict[str, list[str]]  # names by reason
    manifest: dict[str, Any]

    @property
    def records(self) -> int:
        """NoteSequences written, over all splits."""
        return sum(split.records for split in self.splits.values())


def convert(
    input_path: Path,
    output_dir: Path | None = None,
    selection: Selection | None = None,
    split_by: SplitBy | None = None,
    compress: bool = False,
    engine: Engine | None = None,
    on_progress: Progress = silent,
    on_resume: Progress = silent,
) -> Summary:
    """Writes ``{train,validation,test}.tfrecord`` and ``manifest.json`` to ``output_dir``.

    Args:
        input_path: a folder (with its subfolders), an archive, or one MIDI file.
        output_dir: replaced when it is complete; None: ``data/notes/NAME``, see ``default_name``.
        selection: which files of the catalogue ``info.csv`` to take; None: all files.
        split_by: see ``make_plan``.
        compress: write gzip files, ``train.tfrecord.gz`` and so on.
        engine: where it runs; the output does not depend on it. With None or ``LocalEngine()`` as many
            processes as the number of files is worth.
        on_progress: called with the files done and the files in all.
        on_resume: called likewise, once, if an earlier run was stopped and has left something done.

    Raises:
        UsageError: the selection or the split cannot be had, or the folders are in each other's way.
        GmdVaeError: nothing to read, nothing that could be converted, ``output_dir`` holds something
            that is not ours, or another run is writing it.
        EngineError: see ``Engine.each``; the same call goes on from what is done.
        Interrupted: Ctrl-C; the same call goes on from what is done.
        OSError: the disk is full or cannot be written; nothing half-written stays at ``output_dir``.
    """
    selection = selection or Selection()
    listing = list_midi_files(input_path)
    plan = make_plan(listing, selection, split_by)
    if output_dir is None:
        output_dir = NOTES_FOLDER / default_name(input_path, listing, selection)
    manifest.check_replaceable(output_dir, STAGE, source=input_path)
    work = _Work(skipped={})
    for name, reason in listing.skipped:
        work.skip(reason, name)
    tasks = [plan.files[start : start + FILES_PER_BATCH] for start in range(0, len(plan.files), FILES_PER_BATCH)]
    with open_batches(output_dir, _identity(listing, plan)) as batches:
        make_batches(
            batches,
            functools.partial(write_batch, listing.root, listing.collection),
            tasks,
            [len(task) for task in tasks],
            engine_for(len(plan.files) // _FILES_PER_JOB, engine),
            on_progress,
            on_resume,
        )
        with whole_folder(output_dir) as folder:
            names = {split: file_name(split, compress=compress) for split in SPLITS}
            with contextlib.ExitStack() as stack:
                streams = {
                    split: stack.enter_context(create(folder / name, compress=compress))
                    for split, name in names.items()
                }
                for number, files in enumerate(tasks):
                    for item in read_batch(batches, number, len(files)):
                        work.add(item, plan, streams)
            work.check_something(input_path)
            manifest.write(folder, STAGE, _manifest(folder, names, listing, plan, selection, work))
            content = manifest.read(folder, STAGE, "")
    return Summary(output_dir, work.splits, work.skipped, content)


def _identity(listing: MidiListing, plan: Plan) -> dict[str, Any]:
    """What the batches follow from. Not the splits: they are made when the batches are put together."""
    digest = hashlib.sha256()
    for file in plan.files:
        digest.update(f"{file.name}\n{file.size} {file.mtime_ns}\n".encode())
    status = listing.root.stat()
    return {
        "root": str(listing.root),
        "archive": None if listing.root.is_dir() else [status.st_size, status.st_mtime_ns],
        "collection": listing.collection,
        "files": digest.hexdigest(),
        "files_per_batch": FILES_PER_BATCH,
        "versions": manifest.versions(*_PACKAGES),
    }


def default_name(input_path: Path, listing: MidiListing, selection: Selection) -> str:
    """The name of the output folder: the input's, and what was selected: ``groove-rock-beat``."""
    name = input_path.stem if is_midi_name(input_path.name) and input_path.is_file() else listing.collection
    bpm = "-".join(f"{end:g}" for end in selection.bpm_range or ())
    selected = [
        *sorted(selection.styles, key=str.lower),
        *sorted(selection.beat_types),
        *sorted(selection.time_signatures),
        *([f"{bpm}bpm"] if bpm else []),
        *sorted(selection.drummers),
    ]
    return "-".join([name, *(re.sub(r"[^a-z0-9.]+", "-", value.lower()).strip("-") for value in selected)])


@dataclass
class _Work:
    """Counts what comes back, and writes it."""

    skipped: dict[str, list[str]]
    splits: dict[str, Split] = field(default_factory=lambda: {split: Split() for split in SPLITS})
    digest: Any = field(default_factory=hashlib.sha256)  # over the list that sha256sum would print

    def add(self, item: Converted, plan: Plan, streams: dict[str, IO[bytes]]) -> None:
        if item.sha256 is None:
            self.skip(item.reason, item.name)
            return
        self.digest.update(f"{item.sha256}  {item.name}\n".encode())
        name = plan.splits[item.name] if plan.splits is not None else split_by_hash(item.sha256)
        split = self.splits[name]
        split.files += 1
        if item.record is None:
            self.skip(item.reason, item.name)
            return
        write_record(streams[name], item.record)
        split.records += 1
        split.notes += item.notes
        split.drum_notes += item.drum_notes
        split.seconds += item.seconds

    def skip(self, reason: str, name: str) -> None:
        self.skipped.setdefault(reason, []).append(name)

    def check_something(self, input_path: Path) -> None:
        if not any(split.records for split in self.splits.values()):
            reasons = "; ".join(f"{len(names):,} {reason}" for reason, names in sorted(self.skipped.items()))
            raise GmdVaeError(
                f"No file of '{input_path}' could be converted ({reasons})",
                "Give a folder or an archive with playable MIDI files.",
            )


def _manifest(
    folder: Path, names: dict[str, str], listing: MidiListing, plan: Plan, selection: Selection, work: _Work
) -> dict[str, Any]:
    return {
        "input": {
            "collection": listing.collection,
            "files": len(plan.files),
            "sha256": work.digest.hexdigest(),  # of the lines "SHA-256  NAME", sorted by name
            "info_csv_sha256": plan.info_sha256,
        },
        "selection": selection.describe(),
        "split_by": plan.split_by,
        "splits": {name: split.describe() for name, split in work.splits.items()},
        "files": [
            manifest.describe_file(folder / names[name], split=name, records=split.records)
            for name, split in work.splits.items()
        ],
        "skipped": {reason: counted_names(names) for reason, names in sorted(work.skipped.items())},
        "not_selected": plan.not_selected,
        "not_in_info_csv": counted_names(plan.not_listed),
        "missing": counted_names(plan.missing),
        "versions": manifest.versions(*_PACKAGES),
    }


def counted_names(names: Sequence[str]) -> dict[str, Any]:
    """Names as a manifest holds them: how many, and the first ones."""
    return {"count": len(names), "names": list(names[:MAX_NAMES])}

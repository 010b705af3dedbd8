"""Converts a folder or an archive of MIDI files to NoteSequence TFRecords, one file for each split.

Mirrors ``magenta/scripts/convert_dir_to_note_sequences.py --recursive``. With ``STOCK`` the records are the same
bytes; by default every drum hit counts. Three differences to the script: one output file for each split, with records
in the order of the file names for any number of processes; damaged files, and note-ons and events without effect, are
counted by reason; the output folder appears complete or not at all.
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

import msgspec

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.home import data_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.common.printable import counted
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.datasets.fetched import FetchedDataset
from gmd_vae.datasets.known_source import find_source
from gmd_vae.datasets.midi_files import MidiFile, MidiListing, is_midi_file, list_midi_files
from gmd_vae.datasets.midi_formats import midi_stem
from gmd_vae.datasets.selection import Selection
from gmd_vae.engines.engine import Engine
from gmd_vae.engines.local import engine_for
from gmd_vae.engines.resumable import Batches, Progress, make_batches, open_batches, silent
from gmd_vae.midi.account_sum import MAX_NAMES, AccountSum, counted_names
from gmd_vae.midi.content_splits import Content, ContentSplits, split_by_content
from gmd_vae.midi.convert_batch import Converted, digest_of, read_batch, remove_changed_batches, write_batch
from gmd_vae.midi.near_duplicates import VERSION as FINGERPRINT_VERSION
from gmd_vae.midi.notes_manifest import STAGE, read_convert_manifest
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.midi.splits import Plan, Shares, SplitBy, make_plan
from gmd_vae.midi.tfrecord import create, file_name, write_record

_FILES_PER_JOB = 1000  # a process costs as much as 300 files, so a second one pays from 2,000 files on
FILES_PER_BATCH = 64  # some tenths of a second, so that Ctrl-C responds soon; GMD has 18 batches
_SAMPLE = 16  # files whose digests the manifest holds
_SAME_SHARE = 0.25  # of these files in an input that counts as the same
_DIGITS = 16  # hexadecimal digits that the manifest keeps of each digest (SHA-256)
_PACKAGES = ("note-seq", "pretty-midi", "mido", "protobuf")  # their versions can change the records


@dataclass
class Split:
    """Counts of one split.

    Attributes:
        files: MIDI files of the split, readable or not.
        records: NoteSequences written.
        notes: Notes in them.
        drum_notes: Drum notes in them.
        seconds: Seconds of music: the sum of the ends of the last notes.
    """

    files: int = 0
    records: int = 0
    notes: int = 0
    drum_notes: int = 0
    seconds: float = 0.0

    def describe(self) -> dict[str, Any]:
        """Returns the fields for manifests and tables."""
        return {**vars(self), "seconds": round(self.seconds, 3)}


@dataclass(frozen=True)
class Summary:
    """Result of ``convert``.

    Attributes:
        output_dir: Folder that was written.
        splits: Counts by split.
        skipped: Names of the files that were not converted, by reason.
        manifest: Content of the folder's manifest.
    """

    output_dir: Path
    splits: dict[str, Split]
    skipped: dict[str, list[str]]
    manifest: dict[str, Any]

    @property
    def records(self) -> int:
        """Number of NoteSequences in all splits."""
        return sum(split.records for split in self.splits.values())


def convert(
    input_path: Path,
    output_dir: Path | None = None,
    selection: Selection | None = None,
    split_by: SplitBy | None = None,
    shares: Shares | None = None,
    compress: bool = False,
    reading: Reading = EVERY_HIT,
    engine: Engine | None = None,
    on_progress: Progress = silent,
    on_resume: Progress = silent,
) -> Summary:
    """Writes ``{train,validation,test}.tfrecord`` and ``manifest.json`` to ``output_dir``.

    Args:
        input_path: Folder (with its subfolders), archive, or one MIDI file.
        output_dir: Output folder. An earlier one is replaced when the new one is complete. None:
            ``data/notes/NAME`` with the name from ``default_name``.
        selection: Files of the catalogue to convert. None: all files.
        split_by: Rule for the splits, see ``make_plan``.
        shares: Shares of the splits by content, see ``make_plan``.
        compress: True to write gzip files, ``train.tfrecord.gz`` and so on.
        reading: Rules for reading the files.
        engine: Engine that runs the work; the output does not depend on it. None or ``LocalEngine()``: one process,
            and more where the number of files pays for them.
        on_progress: Callback for progress; receives the number of finished files and of all files.
        on_resume: Callback with the same arguments, called once if an earlier run left finished files.

    Raises:
        UsageError: The selection or the split is not available, or one folder contains the other.
        GmdVaeError: There is nothing to read, no file could be converted, ``output_dir`` holds something else than
            an earlier output, or another run is writing it.
        EngineError: A worker failed, see ``Engine.each``. The same call resumes.
        Interrupted: Ctrl-C. The same call resumes.
        OSError: The disk is full or not writable. Nothing incomplete stays in ``output_dir``.
    """
    selection = selection or Selection()
    listing = list_midi_files(input_path, stock=reading.stock)
    reading = reading.for_files([file.name for file in listing.files])
    plan = make_plan(listing, selection, split_by, shares)
    is_default_name = output_dir is None
    if output_dir is None:
        output_dir = data_folder("notes") / default_name(input_path, listing, selection, reading)
    tally = _Tally(find_source(input_path))
    for name, reason in listing.skipped:
        tally.skip(reason, name)
    tasks = [plan.files[start : start + FILES_PER_BATCH] for start in range(0, len(plan.files), FILES_PER_BATCH)]
    with contextlib.ExitStack() as opened:
        replaceable = opened.enter_context(open_output(output_dir, STAGE, inputs=[input_path]))
        if is_default_name:
            _check_same_input(output_dir, input_path, plan)
        batches = opened.enter_context(open_batches(output_dir, _identity(listing, plan, reading)))
        remove_changed_batches(batches, tasks)
        make_batches(
            batches,
            functools.partial(write_batch, listing.root, listing.collection, reading, plan.splits is None),
            tasks,
            [len(task) for task in tasks],
            engine_for(len(plan.files) // _FILES_PER_JOB, engine),
            on_progress,
            on_resume,
        )
        by_content = _split_by_content(plan, batches, tasks) if plan.splits is None else None
        with whole_folder(output_dir, replaceable) as folder:
            names = {split: file_name(split, compress=compress) for split in SPLITS}
            with contextlib.ExitStack() as stack:
                streams = {
                    split: stack.enter_context(create(folder / name, compress=compress))
                    for split, name in names.items()
                }
                splits = iter(by_content.splits if by_content is not None else (plan.splits or {}).values())
                for number, files in enumerate(tasks):
                    for item in read_batch(batches, number, len(files)):
                        tally.add(item, next(splits), streams)
            tally.check_not_empty(input_path)
            content = _manifest(folder, names, listing, plan, by_content, selection, reading, tally)
            manifest.write(folder, STAGE, content)
    return Summary(output_dir, tally.splits, tally.skipped, {"format": manifest.FORMAT, "stage": STAGE, **content})


def _split_by_content(plan: Plan, batches: Batches, tasks: Sequence[Sequence[MidiFile]]) -> ContentSplits:
    """Returns the splits of all files of the batches by their content."""
    contents = []
    for number, files in enumerate(tasks):
        for item in read_batch(batches, number, len(files)):
            # an unreadable file has no content; its split is not used
            contents.append(Content(item.sha256 or hashlib.sha256(item.name.encode()).hexdigest(), item.fingerprint))
    return split_by_content(contents, plan.shares)


def _identity(listing: MidiListing, plan: Plan, reading: Reading) -> dict[str, Any]:
    """Returns all that the batches depend on. The splits are not part of it: they are assigned at the end."""
    digest = hashlib.sha256()
    for file in plan.files:
        digest.update(f"{file.name}\n{file.size} {file.mtime_ns}\n".encode())
    status = listing.root.stat()
    return {
        "root": str(listing.root),
        "archive": None if listing.root.is_dir() else [status.st_size, status.st_mtime_ns],
        "collection": listing.collection,
        "reading": reading.describe(),
        "files": digest.hexdigest(),
        "fingerprints": FINGERPRINT_VERSION if plan.splits is None else None,
        "files_per_batch": FILES_PER_BATCH,
        "versions": manifest.versions(*_PACKAGES),
    }


def _check_same_input(output_dir: Path, input_path: Path, plan: Plan) -> None:
    """Checks that earlier notes under a default name came from the same input, perhaps with files added or removed.

    Two inputs can have one default name, for example a folder ``groove`` and an archive with a folder ``groove``.
    The manifest holds the digests of 16 files, the lowest ones: a choice by chance. At least a quarter of these must be
    there. Where half of the input was removed, fewer are left in one case of 100; a few files that two data sets share
    are not enough. Of the same input, a small part of the files is read.

    Args:
        output_dir: Folder of the default name, already checked to be an output of ``convert``.
        input_path: The input.
        plan: Its files.

    Raises:
        GmdVaeError: The earlier notes came from other files.
    """
    if not (output_dir / manifest.NAME).is_file():
        return
    earlier = read_convert_manifest(output_dir, "Choose another --output-dir.")
    digests = ((file.name, digest) for file in plan.files if (digest := digest_of(file)) is not None)
    if earlier.input_sample is not None:
        missing = set(earlier.input_sample)
        enough = len(missing) * (1 - _SAME_SHARE)
        for _, digest in digests:
            missing.discard(digest[:_DIGITS])
            if len(missing) <= enough:
                return
    elif hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in digests).encode()).hexdigest() == (
        earlier.input.sha256
    ):
        return
    if earlier.input.files == 1 and input_path.is_file() and len(plan.files) == 1:
        other = f"an earlier version of '{input_path.name}', or from another file of that name"
    else:
        before, now = counted(earlier.input.files, "file"), counted(len(plan.files), "file")
        other = f"another '{earlier.input.collection}' ({before}), not from '{input_path}' ({now})"
    raise GmdVaeError(
        f"'{output_dir}' was made from {other}",
        f"Give --output-dir '{manifest.free_name(output_dir)}', or --output-dir '{output_dir}' to replace it.",
    )


def default_name(input_path: Path, listing: MidiListing, selection: Selection, reading: Reading = EVERY_HIT) -> str:
    """Returns the name of the output folder: the input's name, the selection and the reading: ``groove-rock-stock``."""
    is_one_file = input_path.is_file() and is_midi_file(input_path)
    name = midi_stem(input_path.name) if is_one_file else listing.collection
    bpm = "-".join(f"{end:g}" for end in selection.bpm_range or ())
    selected = [
        *sorted(selection.styles, key=str.lower),
        *sorted(selection.beat_types),
        *sorted(selection.time_signatures),
        *([f"{bpm}bpm"] if bpm else []),
        *sorted(selection.drummers),
        *reading.name_parts(),
    ]
    return "-".join([name, *(re.sub(r"[^a-z0-9.]+", "-", value.lower()).strip("-") for value in selected)])


@dataclass
class _Tally:
    """Counts the results of the workers and writes their records."""

    fetched: FetchedDataset | None  # the dataset in the input
    of_dataset: int = 0  # converted files that are of it, unchanged
    skipped: dict[str, list[str]] = field(default_factory=dict)
    splits: dict[str, Split] = field(default_factory=lambda: {split: Split() for split in SPLITS})
    contents: set[str] = field(default_factory=set)  # shortened SHA-256 of each file
    digest: Any = field(default_factory=hashlib.sha256)  # of the lines that sha256sum prints
    accounts: AccountSum = field(default_factory=AccountSum)
    drum_channels: dict[int, list[str]] = field(default_factory=dict)  # files that look like drums on another channel

    def add(self, item: Converted, split_name: str, streams: dict[str, IO[bytes]]) -> None:
        """Counts the result of one file, and writes its record, if any, to its split.

        Args:
            item: Result of a worker process, in the order of ``plan.files``.
            split_name: Split of the file.
            streams: Open TFRecord file of each split.

        Raises:
            GmdVaeError: The record is too long, see ``tfrecord.write_record``.
        """
        if item.sha256 is None:
            self.skip(item.reason, item.name)
            return
        self.digest.update(f"{item.sha256}  {item.name}\n".encode())
        self.contents.add(item.sha256[:_DIGITS])
        split = self.splits[split_name]
        split.files += 1
        if item.record is None:
            self.skip(item.reason, item.name)
            return
        write_record(streams[split_name], item.record)
        split.records += 1
        self.of_dataset += self.fetched is not None and self.fetched.has(item.sha256)
        split.notes += item.notes
        split.drum_notes += item.drum_notes
        split.seconds += item.seconds
        self.accounts.add(item.name, item.account)
        if item.drum_channel is not None:
            self.drum_channels.setdefault(item.drum_channel, []).append(item.name)

    def skip(self, reason: str, name: str) -> None:
        """Adds the name of a file that was not converted, under its reason (``refusals.REASONS``, or the listing's)."""
        self.skipped.setdefault(reason, []).append(name)

    def describe_source(self) -> dict[str, Any]:
        """Returns the fetched dataset that the converted files are of, for the manifest; nothing without one."""
        records = sum(split.records for split in self.splits.values())
        source = self.fetched and self.fetched.source_of(self.of_dataset, records)
        return {} if source is None else {"data_source": msgspec.to_builtins(source)}

    def check_not_empty(self, input_path: Path) -> None:
        """Checks that at least one file was converted.

        Raises:
            GmdVaeError: No split has a record; the message counts the reasons.
        """
        if not any(split.records for split in self.splits.values()):
            reasons = "; ".join(f"{len(names):,} {reason}" for reason, names in sorted(self.skipped.items()))
            raise GmdVaeError(
                f"No file of '{input_path}' could be converted ({reasons})",
                "Give a folder or an archive with playable MIDI files.",
            )


def _manifest(
    folder: Path,
    names: dict[str, str],
    listing: MidiListing,
    plan: Plan,
    by_content: ContentSplits | None,
    selection: Selection,
    reading: Reading,
    tally: _Tally,
) -> dict[str, Any]:
    return {
        "input": {
            "collection": listing.collection,
            "files": len(plan.files),
            "sha256": tally.digest.hexdigest(),  # of the lines "SHA-256  NAME", sorted by name
            "catalogues": plan.catalogues,
        },
        **tally.describe_source(),
        # identifies the input after files were added or removed
        "input_sample": sorted(tally.contents)[:_SAMPLE],
        "selection": selection.describe(),
        "reading": reading.describe(),
        **tally.accounts.describe(),
        "drums_on_channel": {
            str(number): counted_names(names) for number, names in sorted(tally.drum_channels.items())
        },
        "split_by": plan.split_by,
        **({} if by_content is None else _describe_content_splits(plan, by_content)),
        "splits": {name: split.describe() for name, split in tally.splits.items()},
        "files": [
            manifest.describe_file(folder / names[name], split=name, records=split.records)
            for name, split in tally.splits.items()
        ],
        "skipped": {reason: counted_names(names) for reason, names in sorted(tally.skipped.items())},
        "not_selected": plan.not_selected,
        "not_in_info_csv": counted_names(plan.not_listed),
        "missing": counted_names(plan.missing),
        "catalogues_not_used": dict(plan.unused_catalogues[:MAX_NAMES]),
        "passed_over": listing.passed_over,
        "versions": manifest.versions(*_PACKAGES),
    }


def _describe_content_splits(plan: Plan, by_content: ContentSplits) -> dict[str, Any]:
    names = [file.name for file in plan.files]
    return {"split": str(plan.shares), "near_duplicates": by_content.describe(names)}

"""``preprocess --stock``: the records that Magenta's script ``preprocess_tfrecord`` writes at its defaults.

For each split a TFRecord file of NoteSequences, one for every different window; its id lists the ids
of the NoteSequences that the window comes from. The script's order of records and of ids is left to
chance; here the records are in order of a hash, the ids in order of the input.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import whole_folder
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.engines.engine import Engine
from gmd_vae.engines.resumable import Batches, Progress, check_visible, make_batches, open_batches, silent
from gmd_vae.midi.tfrecord import create, read_records, write_record
from gmd_vae.windows.extraction import Dropped
from gmd_vae.windows.notes_input import STOCK_STAGE, NotesInput, RecordRange, decompressed, open_notes
from gmd_vae.windows.stock.drums import StockExtraction
from gmd_vae.windows.storage.sorted_runs import SortedRuns
from gmd_vae.windows.summary import Summary

_PLACE = struct.Struct(">QII")  # number of the source in its file, number of its window, bytes of the source's id


class StockExtractor(Protocol):
    """A picklable callable: NoteSequence wire bytes → ``StockExtraction``. It raises nothing a file can cause."""

    @property
    def settings(self) -> dict[str, Any]:
        """What shapes the result, for the manifest: JSON values."""
        ...

    def __call__(self, record: bytes) -> StockExtraction:
        """What the script makes of one NoteSequence."""
        ...


@dataclasses.dataclass
class StockSplit:
    """What became of one split.

    Attributes:
        sequences: NoteSequences read.
        windows: windows found, repeats among them.
        records: different windows; they were written.
        files: the file, described; none if there is no record.
    """

    sequences: int = 0
    windows: int = 0
    records: int = 0
    files: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def write_stock(
    input_path: Path,
    output_dir: Path,
    extractor: StockExtractor,
    *,
    config: str,
    engine: Engine,
    on_progress: Progress = silent,
    on_resume: Progress = silent,
) -> Summary[StockSplit]:
    """Runs what Magenta's script does over each file of the input; whole or not at all.

    Args:
        input_path: see ``notes_input.open_notes``. All of a single file goes to ``train.tfrecord``,
            as one run of the script makes one file of one.
        output_dir: the folder to make; it may only replace one that this function made.
        extractor: what the script does to one NoteSequence; picklable.
        config: the config's name, for the manifest and messages.
        engine: where it runs.
        on_progress: called with the number of NoteSequences done and in all.
        on_resume: called likewise, once, if an earlier run was stopped and has left something done.

    Raises:
        GmdVaeError: the input cannot be read or gives no record, or ``output_dir`` holds something else.
        UsageError: the input lies in ``output_dir``.
        OSError: the disk is full or cannot be written; nothing half-written stays.
    """
    source = open_notes(input_path)
    manifest.check_replaceable(output_dir, STOCK_STAGE, source=input_path)
    tasks = source.ranges()
    sizes = [task.count for task in tasks]
    identity = {"stock": 1, **_origin(source, extractor, config)}
    summary = Summary(output_dir, config, {name: StockSplit() for name in SPLITS}, Dropped())
    with open_batches(output_dir, identity) as batches:
        make_batches(
            batches,
            functools.partial(_write_batch, extractor),
            decompressed(tasks, batches.folder),
            sizes,
            engine,
            on_progress,
            on_resume,
        )
        runs = {name: SortedRuns(batches.folder / name) for name in SPLITS}
        try:
            _gather(batches, tasks, runs, summary)
            if not any(run.count for run in runs.values()):
                raise GmdVaeError(
                    f"The script makes nothing of the {sum(sizes)} NoteSequences of '{input_path}' for '{config}'",
                    "'gmd-vae preprocess' without --stock says why.",
                )
            with whole_folder(output_dir) as folder:
                for name, split in summary.splits.items():
                    _write_split(folder / f"{name}.tfrecord", runs[name], split)
                content = summary.as_json()
                del content["output_dir"]
                described = {**_origin(source, extractor, config), **content}
                manifest.write(folder, STOCK_STAGE, described)
        finally:
            for run in runs.values():
                run.remove()
    return summary


def _origin(source: NotesInput, extractor: StockExtractor, config: str) -> dict[str, Any]:
    """What the output follows from."""
    return {
        "config": config,
        "extractor": extractor.settings,
        "input": source.identity,
        "versions": manifest.versions("note-seq", "magenta"),
    }


class _Found(NamedTuple):
    """A window of the script. Found ones in order are in the order of the input.

    Attributes:
        number: of its source in the source's file.
        place: of the window among those of its source.
        sequence_id: the source's id, UTF-8.
        sequence: the window's NoteSequence, wire format, without an id.
    """

    number: int
    place: int
    sequence_id: bytes
    sequence: bytes

    def pack(self) -> bytes:
        head = _PLACE.pack(self.number, self.place, len(self.sequence_id))
        return head + self.sequence_id + self.sequence

    @classmethod
    def unpack(cls, data: bytes) -> _Found:
        number, place, length = _PLACE.unpack_from(data)
        middle = _PLACE.size + length
        return cls(number, place, data[_PLACE.size : middle], data[middle:])


def _write_batch(extractor: StockExtractor, piece: RecordRange, path: Path) -> None:
    """Writes what was dropped (JSON), then what the script makes of some NoteSequences; runs in any process."""
    check_visible(piece.path)
    found = []
    dropped = Dropped()
    for number, record in enumerate(piece.read(), piece.first):
        extraction = extractor(record.data)
        dropped.add(extraction.dropped)
        sequence_id = extraction.sequence_id.encode("utf-8", "replace")
        found += [_Found(number, place, sequence_id, data) for place, data in enumerate(extraction.sequences)]
    header = dropped.counters()
    with path.open("wb") as stream:
        write_record(stream, json.dumps(header).encode())
        for one in found:
            write_record(stream, one.pack())


def _gather(
    batches: Batches, tasks: list[RecordRange], runs: dict[str, SortedRuns], summary: Summary[StockSplit]
) -> None:
    """Reads the batches into runs in order of a hash of the windows, and counts."""
    for number, task in enumerate(tasks):
        name = task.split or SPLITS[0]
        summary.splits[name].sequences += task.count
        with batches.reading(number) as path:
            records = read_records(path)
            header = json.loads(next(records, b"[]"))
            summary.dropped.add(Dropped.from_counters(header))
            for data in records:
                rank = hashlib.blake2b(_Found.unpack(data).sequence, digest_size=16).digest()
                runs[name].add(rank, data)
        summary.splits[name].windows = runs[name].count


def _write_split(path: Path, runs: SortedRuns, split: StockSplit) -> None:
    """Writes the records of a split and counts them; no file if there are none."""
    if not runs.count:
        return
    with create(path) as stream:
        for record in _records(runs):
            write_record(stream, record)
            split.records += 1
    split.files.append(manifest.describe_file(path, records=split.records))


def _records(runs: SortedRuns) -> Iterator[bytes]:
    """Yields a NoteSequence for each different window, with the ids of all that it comes from."""
    from gmd_vae.midi.note_sequence import NoteSequence

    for sequence, members in itertools.groupby(map(_Found.unpack, runs), lambda one: one.sequence):
        joined = b",".join(one.sequence_id for one in members).decode()
        yield NoteSequence(id=joined).SerializeToString() + sequence  # the id is the first field of the message

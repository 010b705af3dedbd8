"""``preprocess --stock``: the records that Magenta's script ``preprocess_tfrecord`` writes at its defaults.

Each split becomes a TFRecord file with one NoteSequence for each different window. Its id lists the ids of all
NoteSequences that contain the window. The script writes records and ids in random order; here the records are in the
order of a hash, and the ids in the order of the input.
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
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.engines.engine import Engine
from gmd_vae.engines.resumable import Batches, Progress, check_visible, make_batches, open_batches, silent
from gmd_vae.midi.tfrecord import create, read_records, write_record
from gmd_vae.windows.extraction import Dropped
from gmd_vae.windows.notes_input import STOCK_STAGE, NotesInput, RecordRange, decompressed, open_notes
from gmd_vae.windows.stock.drums import StockExtraction
from gmd_vae.windows.storage.sorted_runs import SortedRuns
from gmd_vae.windows.summary import Summary

# number of the source NoteSequence in its file, number of the window in the source, size of the source's id in bytes
_POSITION = struct.Struct(">QII")


class StockExtractor(Protocol):
    """A picklable function from NoteSequence bytes to records. Damaged music raises no error; it is counted."""

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that the records depend on, as JSON values for the manifest."""
        ...

    def __call__(self, record: bytes) -> StockExtraction:
        """Returns the script's records of one NoteSequence in wire format."""
        ...


@dataclasses.dataclass
class StockSplit:
    """Counts of one split.

    Attributes:
        sequences: NoteSequences read.
        windows: Windows found, repeats included.
        records: Different windows, which were written.
        files: Description of the file, for the manifest; empty without records.
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
    """Writes the script's records of each split. The folder is written whole or not at all.

    Args:
        input_path: Path for ``notes_input.open_notes``. A single file becomes ``train.tfrecord``, because one run of
            the script makes one file of one file.
        output_dir: Folder to write. It may replace only a folder that this function wrote.
        extractor: Picklable function from a NoteSequence to the script's records.
        config: Name of the config, for the manifest and messages.
        engine: Engine that runs the extractor.
        on_progress: Progress callback, called with NoteSequences done and NoteSequences in all.
        on_resume: The same, called once if a run that was stopped has left finished batches.

    Raises:
        GmdVaeError: The input cannot be read or gives no record, or ``output_dir`` holds other files.
        UsageError: The input lies in ``output_dir``.
        EngineError: A worker failed (``Engine.each``); the same call continues from the finished batches.
        Interrupted: Ctrl-C; the same call continues from the finished batches.
        OSError: The disk is full or cannot be written; no incomplete folder stays.
    """
    source = open_notes(input_path)
    tasks = source.ranges()
    sizes = [task.count for task in tasks]
    identity = {"stock": 1, **_origin(source, extractor, config)}
    summary = Summary(output_dir, config, {name: StockSplit() for name in SPLITS}, Dropped())
    with (
        open_output(output_dir, STOCK_STAGE, inputs=[input_path]) as replaceable,
        open_batches(output_dir, identity) as batches,
    ):
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
            with whole_folder(output_dir, replaceable) as folder:
                for name, split in summary.splits.items():
                    _write_split(folder / f"{name}.tfrecord", runs[name], split)
                content = summary.as_json()
                del content["output_dir"]
                described = {**_origin(source, extractor, config), **source.describe_source(), **content}
                manifest.write(folder, STOCK_STAGE, described)
        finally:
            for run in runs.values():
                run.remove()
    return summary


def _origin(source: NotesInput, extractor: StockExtractor, config: str) -> dict[str, Any]:
    """Returns everything that the output depends on."""
    return {
        "config": config,
        "extractor": extractor.settings,
        "input": source.identity,
        "versions": manifest.versions("note-seq", "magenta"),
    }


class _StockWindow(NamedTuple):
    """A record of the script before repeats are joined. Sorted as bytes, these are in the order of the input.

    Attributes:
        source: Number of the source NoteSequence in its file.
        window: Number of the window in its source.
        sequence_id: Id of the source, UTF-8.
        sequence: NoteSequence of the window in wire format, without an id.
    """

    source: int
    window: int
    sequence_id: bytes
    sequence: bytes

    def pack(self) -> bytes:
        return _POSITION.pack(self.source, self.window, len(self.sequence_id)) + self.sequence_id + self.sequence

    @classmethod
    def unpack(cls, data: bytes) -> _StockWindow:
        source, window, id_size = _POSITION.unpack_from(data)
        middle = _POSITION.size + id_size
        return cls(source, window, data[_POSITION.size : middle], data[middle:])


def _write_batch(extractor: StockExtractor, record_range: RecordRange, path: Path) -> None:
    """Writes a batch file: the counts of dropped music (JSON), then the records. Runs in any process."""
    check_visible(record_range.path)
    windows: list[_StockWindow] = []
    dropped = Dropped()
    for source, record in enumerate(record_range.read(), record_range.first):
        extraction = extractor(record.data)
        dropped.add(extraction.dropped)
        sequence_id = extraction.sequence_id.encode("utf-8", "replace")
        windows += [_StockWindow(source, window, sequence_id, data) for window, data in enumerate(extraction.sequences)]
    header = dropped.counters()
    with path.open("wb") as stream:
        write_record(stream, json.dumps(header).encode())
        for stock_window in windows:
            write_record(stream, stock_window.pack())


def _gather(
    batches: Batches, tasks: list[RecordRange], runs: dict[str, SortedRuns], summary: Summary[StockSplit]
) -> None:
    """Sorts the records of all batch files by a hash of their windows, and counts."""
    for number, task in enumerate(tasks):
        name = task.split or SPLITS[0]
        summary.splits[name].sequences += task.count
        with batches.reading(number) as path:
            records = read_records(path)
            try:
                dropped = Dropped.from_counters(json.loads(next(records, b"[]")))
            except (ValueError, TypeError, LookupError, RecursionError):
                raise GmdVaeError(f"'{path}' is damaged") from None
            summary.dropped.add(dropped)
            for data in records:
                rank = hashlib.blake2b(_StockWindow.unpack(data).sequence, digest_size=16).digest()
                runs[name].add(rank, data)
        summary.splits[name].windows = runs[name].count


def _write_split(path: Path, runs: SortedRuns, split: StockSplit) -> None:
    """Writes the records of a split and counts them; no file without records."""
    if not runs.count:
        return
    with create(path) as stream:
        for record in _records(runs):
            write_record(stream, record)
            split.records += 1
    split.files.append(manifest.describe_file(path, records=split.records))


def _records(runs: SortedRuns) -> Iterator[bytes]:
    """Yields a NoteSequence for each different window, with the ids of all NoteSequences that contain it."""
    from gmd_vae.midi.note_sequence import NoteSequence

    windows = map(_StockWindow.unpack, runs)
    for sequence, equal_windows in itertools.groupby(windows, lambda window: window.sequence):
        joined = b",".join(window.sequence_id for window in equal_windows).decode()
        yield NoteSequence(id=joined).SerializeToString() + sequence  # the id is the first field of the message

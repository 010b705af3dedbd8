"""The windows of a batch of the input in a file, sorted by rank: what ``preprocess`` goes on from, and merges.

The *rank* of a window is a hash of it. It is the order of the output, and stands for the window: two
with the same rank are the same (128 bits: no two others will ever meet).

A batch is a TFRecord file: a header (JSON), a table of its NoteSequences, and blocks of windows, each of
a range of the ranks' first byte, so that the windows of some ranks are read without the others.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.engines.resumable import check_visible
from gmd_vae.midi.tfrecord import FRAME, read_records, write_record
from gmd_vae.windows.extraction import Dropped, Extractor
from gmd_vae.windows.notes_input import RecordRange, split_of
from gmd_vae.windows.storage import records

RANK = np.dtype("S16")
RANK_STARTS = 256  # values of a rank's first byte
BYTES_PER_SOURCE = 100  # bytes of memory that a source takes in a merge, its id among them

_BLOCK_BYTES = 1 << 18  # about: a block is read whole for its windows of a few ranks
_BLOCK = struct.Struct("<II")  # windows, sources
_NUMBER = np.dtype("<u4")

Array = npt.NDArray[Any]


class Rows(NamedTuple):
    """Windows, sorted by rank, each once.

    Attributes:
        ranks: [n].
        sizes: [n], of the packed windows in bytes.
        counts: [n], how often each occurs.
        data: the packed windows in a row, uint8.
        sources: for each occurrence in turn the number of its NoteSequence in the batch.
    """

    ranks: Array
    sizes: Array
    counts: Array
    data: Array
    sources: Array


def rank_of(window: bytes, occurrence: int = 0) -> bytes:
    """The place of a window in the output; where repeats are kept, each has another. 16 bytes."""
    return hashlib.blake2b(window, digest_size=16, salt=occurrence.to_bytes(8, "big")).digest()


def write_batch(extractor: Extractor, max_per_sequence: int | None, piece: RecordRange, path: Path) -> None:
    """Cuts the windows of some NoteSequences and writes them to ``path``. Runs in any process, on any machine.

    What is written depends on the NoteSequences and the options alone.

    Raises:
        GmdVaeError: a record is damaged, or the file is not there.
    """
    check_visible(piece.path)
    found: dict[bytes, list[int]] = {}
    ids: list[bytes] = []
    splits = bytearray()
    windows_of = [0] * len(SPLITS)
    dropped = Dropped()
    for number, record in enumerate(piece.read()):
        extraction = extractor(record.data)
        sequence_id = extraction.sequence_id or record.name
        windows = records.pack_windows(extractor.layout, extraction.windows) if len(extraction.windows) else []
        if max_per_sequence and len(windows) > max_per_sequence:
            extraction.dropped.reasons["capped"] += len(windows) - max_per_sequence
            windows = _draw(windows, max_per_sequence, sequence_id)
        split = SPLITS.index(record.split or split_of(extraction.sequence_id, record.data))
        for window in windows:
            found.setdefault(window, []).append(number)
        ids.append(sequence_id.encode("utf-8", "replace"))
        splits.append(split)
        windows_of[split] += len(windows)
        dropped.add(extraction.dropped)
    blocks, weights = _blocks(found)
    table = np.array([len(name) for name in ids], _NUMBER).tobytes() + bytes(splits) + b"".join(ids)
    header = {
        "sequences": [splits.count(number) for number in range(len(SPLITS))],
        "windows": windows_of,
        "dropped": dropped.counters(),
        "weights": weights,
        "sizes": [len(table), *map(len, blocks)],
    }
    with path.open("wb") as stream:
        for record_data in (json.dumps(header).encode(), table, *blocks):
            write_record(stream, record_data)


def _draw(windows: list[bytes], count: int, seed: str) -> list[bytes]:
    """``count`` of the windows, in their order, chosen by the seed."""
    ranks = sorted(range(len(windows)), key=lambda number: hashlib.blake2b(f"{seed} {number}".encode()).digest())
    return [windows[number] for number in sorted(ranks[:count])]


def _blocks(found: dict[bytes, list[int]]) -> tuple[list[bytes], list[int]]:
    """The windows as blocks; and the memory that the windows of each first byte of a rank take, in bytes."""
    ranked = sorted((rank_of(window), window) for window in found)
    weights = [0] * RANK_STARTS
    for rank, window in ranked:
        weights[rank[0]] += len(window) + BYTES_PER_SOURCE * (1 + len(found[window]))
    number = min(RANK_STARTS, -(-sum(weights) // _BLOCK_BYTES))
    blocks: list[list[tuple[bytes, bytes]]] = [[] for _ in range(number)]
    for rank, window in ranked:
        blocks[rank[0] * number // RANK_STARTS].append((rank, window))
    return [_pack_block(block, found) for block in blocks], weights


def _pack_block(ranked: list[tuple[bytes, bytes]], found: dict[bytes, list[int]]) -> bytes:
    sources = [found[window] for _, window in ranked]
    numbers = (
        [len(window) for _, window in ranked],
        [len(members) for members in sources],
        [number for members in sources for number in members],
    )
    return b"".join(
        (
            _BLOCK.pack(len(ranked), len(numbers[2])),
            *(rank for rank, _ in ranked),
            *(np.array(values, _NUMBER).tobytes() for values in numbers),
            *(window for _, window in ranked),
        )
    )


def _unpack_block(block: bytes) -> Rows:
    count, occurrences = _BLOCK.unpack_from(block)
    columns = []
    offset = _BLOCK.size
    for dtype, length in ((RANK, count), (_NUMBER, count), (_NUMBER, count), (_NUMBER, occurrences)):
        columns.append(np.frombuffer(block, dtype, length, offset))
        offset += dtype.itemsize * length
    ranks, sizes, counts, sources = columns
    return Rows(ranks, sizes, counts, np.frombuffer(block, np.uint8, offset=offset), sources)


@dataclasses.dataclass(frozen=True)
class Batch:
    """A batch to read from.

    Attributes:
        path: its file.
        sequences: NoteSequences by split, in the order of ``SPLITS``.
        windows: their windows by split, repeats counted.
        dropped: what gave no window.
        weights: for each first byte of a rank, bytes of memory that a merge of these windows takes.
    """

    path: Path
    sequences: list[int]
    windows: list[int]
    dropped: Dropped
    weights: list[int]
    _starts: list[int]  # of the records: the header, the table of NoteSequences, the blocks

    @classmethod
    def open(cls, path: Path) -> Batch:
        """Reads the header.

        Raises:
            GmdVaeError: it is damaged.
        """
        data = next(_read(path, 0, 0))
        header = json.loads(data)
        dropped = Dropped.from_counters(header["dropped"])
        sizes = (len(data), *header["sizes"])
        starts = [0, *itertools.accumulate(FRAME + size for size in sizes)][:-1]
        return cls(path, header["sequences"], header["windows"], dropped, header["weights"], starts)

    def read_ids(self) -> tuple[list[bytes], Array]:
        """Of each NoteSequence its id in UTF-8, and the number of its split.

        Raises:
            GmdVaeError: they are damaged.
        """
        table = next(_read(self.path, self._starts[1], 1))
        count = sum(self.sequences)
        ends = np.cumsum(np.frombuffer(table, _NUMBER, count)).tolist()
        splits = np.frombuffer(table, np.uint8, count, _NUMBER.itemsize * count)
        names = table[(_NUMBER.itemsize + 1) * count :]
        return [names[begin:end] for begin, end in zip([0, *ends], ends, strict=False)], splits

    def read_windows(self, low: int, high: int) -> list[Rows]:
        """The windows whose ranks' first byte is from ``low`` to below ``high``, in order.

        Raises:
            GmdVaeError: they are damaged.
        """
        blocks = len(self._starts) - 2
        if not blocks:
            return []
        first, last = (start * blocks // RANK_STARTS for start in (low, high - 1))
        found = _read(self.path, self._starts[2 + first], 2 + first)
        return [_some(_unpack_block(next(found)), low, high) for _ in range(first, last + 1)]


def _some(rows: Rows, low: int, high: int) -> Rows:
    """The rows whose ranks' first byte is from ``low`` to below ``high``."""
    starts = rows.ranks.view(np.uint8)[:: RANK.itemsize]
    begin, end = np.searchsorted(starts, (low, high)).tolist()
    if end - begin == len(starts):
        return rows

    def within(sizes: Array) -> slice:
        return slice(int(sizes[:begin].sum()), int(sizes[:end].sum()))

    chosen = slice(begin, end)
    some = (
        rows.ranks[chosen],
        rows.sizes[chosen],
        rows.counts[chosen],
        rows.data[within(rows.sizes)],
        rows.sources[within(rows.counts)],
    )
    return Rows(*(column.copy() for column in some))  # lets the others go


def _read(path: Path, start: int, number: int) -> Iterator[bytes]:
    """The records from one on; never too few."""
    yield from read_records(path, start, number)
    raise GmdVaeError(f"'{path}' is cut short")

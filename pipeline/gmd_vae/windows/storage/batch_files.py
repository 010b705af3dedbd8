"""Batch files: the windows of one range of NoteSequences in a file, sorted by rank.

``merge.py`` merges them. A run that was stopped continues from the batch files that are complete.

The *rank* of a window is a hash of it with 128 bits. It decides the window's place in the output, and identifies the
window: two windows with the same rank are equal.

A batch file is a TFRecord file with a header (JSON), a table of its NoteSequences, and blocks of windows. Each block
holds the windows of a range of the ranks' first byte, so that a merge reads only the ranks that it needs.
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
BYTES_PER_SOURCE = 100  # estimated memory of one source of a window in a merge, its id included

_BLOCK_BYTES = 1 << 18  # approximate size: small, because a block is read whole for a few of its ranks
_BLOCK = struct.Struct("<II")  # windows, sources
_NUMBER = np.dtype("<u4")

Array = npt.NDArray[Any]


class Rows(NamedTuple):
    """Different windows, sorted by rank.

    Attributes:
        ranks: Ranks, S16 ``[windows]``.
        sizes: Sizes of the packed windows in bytes, uint32 ``[windows]``.
        counts: Number of occurrences of each window, uint32 ``[windows]``.
        data: All packed windows, one after another, uint8 ``[sum of sizes]``.
        sources: Number of the NoteSequence of each occurrence, uint32 ``[sum of counts]``.
    """

    ranks: Array
    sizes: Array
    counts: Array
    data: Array
    sources: Array


def rank_of(window: bytes, occurrence: int = 0) -> bytes:
    """Returns the sort key of a window in the output, 16 bytes.

    Args:
        window: Packed window.
        occurrence: Number of the occurrence; repeats that are kept have different ranks.
    """
    return hashlib.blake2b(window, digest_size=16, salt=occurrence.to_bytes(8, "big")).digest()


def write_batch(extractor: Extractor, max_per_sequence: int | None, record_range: RecordRange, path: Path) -> None:
    """Cuts the windows of a range of NoteSequences and writes a batch file. Runs in any process, on any machine.

    The content depends only on the NoteSequences and the options.

    Args:
        extractor: Function from a NoteSequence to its windows.
        max_per_sequence: Maximum number of windows of each NoteSequence; ``None``: all.
        record_range: The NoteSequences.
        path: The batch file.

    Raises:
        GmdVaeError: A record is damaged, or the input file is not visible on this machine.
    """
    check_visible(record_range.path)
    sources: dict[bytes, list[int]] = {}  # packed window -> numbers of its NoteSequences
    ids: list[bytes] = []
    splits = bytearray()
    windows_per_split = [0] * len(SPLITS)
    dropped = Dropped()
    for number, record in enumerate(record_range.read()):
        extraction = extractor(record.data)
        sequence_id = extraction.sequence_id or record.name
        windows = records.pack_windows(extractor.layout, extraction.windows) if len(extraction.windows) else []
        if max_per_sequence and len(windows) > max_per_sequence:
            extraction.dropped.reasons["capped"] += len(windows) - max_per_sequence
            windows = _draw(windows, max_per_sequence, sequence_id)
        split = SPLITS.index(record.split or split_of(extraction.sequence_id, record.data))
        for window in windows:
            sources.setdefault(window, []).append(number)
        ids.append(sequence_id.encode("utf-8", "replace"))
        splits.append(split)
        windows_per_split[split] += len(windows)
        dropped.add(extraction.dropped)
    blocks, weights = _blocks(sources)
    table = np.array([len(name) for name in ids], _NUMBER).tobytes() + bytes(splits) + b"".join(ids)
    header = {
        "sequences": [splits.count(number) for number in range(len(SPLITS))],
        "windows": windows_per_split,
        "dropped": dropped.counters(),
        "weights": weights,
        "sizes": [len(table), *map(len, blocks)],
    }
    with path.open("wb") as stream:
        for record_data in (json.dumps(header).encode(), table, *blocks):
            write_record(stream, record_data)


def _draw(windows: list[bytes], count: int, seed: str) -> list[bytes]:
    """Returns ``count`` of the windows in their order, chosen by a hash of the seed."""
    ranks = sorted(range(len(windows)), key=lambda number: hashlib.blake2b(f"{seed} {number}".encode()).digest())
    return [windows[number] for number in sorted(ranks[:count])]


def _blocks(sources: dict[bytes, list[int]]) -> tuple[list[bytes], list[int]]:
    """Returns the windows as blocks, and the memory in bytes of the windows with each first byte of a rank."""
    ranked = sorted((rank_of(window), window) for window in sources)
    weights = [0] * RANK_STARTS
    for rank, window in ranked:
        weights[rank[0]] += len(window) + BYTES_PER_SOURCE * (1 + len(sources[window]))
    number = min(RANK_STARTS, -(-sum(weights) // _BLOCK_BYTES))
    blocks: list[list[tuple[bytes, bytes]]] = [[] for _ in range(number)]
    for rank, window in ranked:
        blocks[rank[0] * number // RANK_STARTS].append((rank, window))
    return [_pack_block(block, sources) for block in blocks], weights


def _pack_block(ranked: list[tuple[bytes, bytes]], sources: dict[bytes, list[int]]) -> bytes:
    """Serialises windows and their ranks; ``_unpack_block`` reads them."""
    sources_of_windows = [sources[window] for _, window in ranked]
    numbers = (
        [len(window) for _, window in ranked],
        [len(members) for members in sources_of_windows],
        [number for members in sources_of_windows for number in members],
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
    """The header of a batch file, and methods to read the rest.

    Attributes:
        path: The batch file.
        sequences: Number of NoteSequences in each split, in the order of ``SPLITS``.
        windows: Number of their windows in each split, repeats included.
        dropped: Counts of the music that gave no window.
        weights: Estimated memory in bytes that a merge takes for the windows with each first byte of a rank,
            ``[RANK_STARTS]``.
    """

    path: Path
    sequences: list[int]
    windows: list[int]
    dropped: Dropped
    weights: list[int]
    _starts: list[int]  # offsets of the records: header, table of NoteSequences, blocks

    @classmethod
    def open(cls, path: Path) -> Batch:
        """Reads the header of a batch file.

        Raises:
            GmdVaeError: The header is damaged.
        """
        data = next(_read(path, 0, 0))
        try:
            header = json.loads(data)
            dropped = Dropped.from_counters(header["dropped"])
            sizes = (len(data), *header["sizes"])
            starts = [0, *itertools.accumulate(FRAME + size for size in sizes)][:-1]
            return cls(path, header["sequences"], header["windows"], dropped, header["weights"], starts)
        except (ValueError, TypeError, LookupError, RecursionError):
            raise GmdVaeError(f"'{path}' is damaged") from None

    def read_ids(self) -> tuple[list[bytes], Array]:
        """Returns the id of each NoteSequence in UTF-8, and the number of its split, uint8 ``[sequences]``.

        Raises:
            GmdVaeError: The table is damaged.
        """
        table = next(_read(self.path, self._starts[1], 1))
        count = sum(self.sequences)
        ends = np.cumsum(np.frombuffer(table, _NUMBER, count)).tolist()
        splits = np.frombuffer(table, np.uint8, count, _NUMBER.itemsize * count)
        names = table[(_NUMBER.itemsize + 1) * count :]
        return [names[begin:end] for begin, end in zip([0, *ends], ends, strict=False)], splits

    def read_windows(self, low: int, high: int) -> list[Rows]:
        """Returns the windows with a first byte of the rank in ``[low, high)``, in the order of rank.

        Raises:
            GmdVaeError: A block is damaged.
        """
        blocks = len(self._starts) - 2
        if not blocks:
            return []
        first, last = (start * blocks // RANK_STARTS for start in (low, high - 1))
        block_records = _read(self.path, self._starts[2 + first], 2 + first)
        return [_rows_between(_unpack_block(next(block_records)), low, high) for _ in range(first, last + 1)]


def _rows_between(rows: Rows, low: int, high: int) -> Rows:
    """Returns the rows with a first byte of the rank in ``[low, high)``."""
    starts = rows.ranks.view(np.uint8)[:: RANK.itemsize]
    begin, end = np.searchsorted(starts, (low, high)).tolist()
    if end - begin == len(starts):
        return rows

    def within(sizes: Array) -> slice:
        return slice(int(sizes[:begin].sum()), int(sizes[:end].sum()))

    chosen = slice(begin, end)
    columns = (
        rows.ranks[chosen],
        rows.sizes[chosen],
        rows.counts[chosen],
        rows.data[within(rows.sizes)],
        rows.sources[within(rows.counts)],
    )
    return Rows(*(column.copy() for column in columns))  # copies, so that the memory of the block is freed


def _read(path: Path, start: int, number: int) -> Iterator[bytes]:
    """Yields the records of a file from an offset on; raises an error where the file ends."""
    yield from read_records(path, start, number)
    raise GmdVaeError(f"'{path}' is cut short")

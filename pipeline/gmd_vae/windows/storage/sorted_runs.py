"""External merge sort: examples in the order of their ranks, more than fit in memory.

Examples are collected in memory up to 8 MiB, sorted, and written to a temporary file (a *run*). Reading merges the
runs with a heap.
"""

from __future__ import annotations

import heapq
import itertools
import operator
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.midi.tfrecord import read_records, write_record

_RUN_BYTES = 8 << 20
_RANK_BYTES = 16

Ranked = tuple[bytes, bytes]  # rank, example


class SortedRuns:
    """The examples of one split. Adding them in the order of rank is fastest: the runs are then only concatenated.

    Attributes:
        count: Number of examples.
        size: Size of all examples in bytes.
    """

    def __init__(self, prefix: Path) -> None:
        """Starts without examples.

        Args:
            prefix: Path with the beginning of the names of temporary files.
        """
        self.count = self.size = 0
        self._prefix = prefix
        self._waiting: list[Ranked] = []
        self._waiting_bytes = 0
        self._files: list[Path] = []
        self._last = b""  # highest rank of the last run
        self._in_order = True  # no run begins below the end of the run before it

    def add(self, rank: bytes, example: bytes) -> None:
        """Adds an example.

        Args:
            rank: Sort key, 16 bytes.
            example: The record.

        Raises:
            OSError: The disk is full.
        """
        self.count += 1
        self.size += len(example)
        self._waiting.append((rank, example))
        self._waiting_bytes += len(example)
        if self._waiting_bytes >= _RUN_BYTES:
            self._flush()

    def __iter__(self) -> Iterator[bytes]:
        """Yields the examples in the order of rank, only once: afterwards the temporary files are removed.

        Raises:
            GmdVaeError: A temporary file is damaged.
        """
        if self._files:
            self._flush()
        self._waiting.sort()
        runs = [map(_split, read_records(path)) for path in self._files]
        ranked = itertools.chain(*runs, self._waiting) if self._in_order else heapq.merge(*runs, self._waiting)
        yield from map(operator.itemgetter(1), ranked)
        self.remove()

    def remove(self) -> None:
        """Removes the temporary files."""
        for path in self._files:
            path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._waiting:
            return
        self._waiting.sort()
        path = self._prefix.with_name(f"{self._prefix.name}.{len(self._files)}.run")
        self._files.append(path)
        with path.open("wb") as stream:
            for rank, example in self._waiting:
                write_record(stream, rank + example)
        self._in_order &= self._last <= self._waiting[0][0]
        self._last = self._waiting[-1][0]
        self._waiting, self._waiting_bytes = [], 0


def _split(record: bytes) -> Ranked:
    return record[:_RANK_BYTES], record[_RANK_BYTES:]

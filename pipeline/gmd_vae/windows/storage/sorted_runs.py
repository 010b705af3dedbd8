"""Examples in order of their ranks, whatever their number: what does not fit in memory waits on disk."""

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
    """The examples of a split. They come in any order, but best in order of rank.

    Attributes:
        count: how many there are.
        size: their bytes.
    """

    def __init__(self, prefix: Path) -> None:
        """``prefix``: how the names of temporary files begin."""
        self.count = self.size = 0
        self._prefix = prefix
        self._waiting: list[Ranked] = []
        self._waiting_bytes = 0
        self._files: list[Path] = []
        self._last = b""  # the highest rank on disk
        self._in_order = True  # no file has a lower rank than one before it

    def add(self, rank: bytes, example: bytes) -> None:
        """Adds an example.

        Raises:
            OSError: the disk is full.
        """
        self.count += 1
        self.size += len(example)
        self._waiting.append((rank, example))
        self._waiting_bytes += len(example)
        if self._waiting_bytes >= _RUN_BYTES:
            self._flush()

    def __iter__(self) -> Iterator[bytes]:
        """Yields the examples in order of rank, once; the temporary files go as they are read.

        Raises:
            GmdVaeError: the disk gives back other bytes than it was given.
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

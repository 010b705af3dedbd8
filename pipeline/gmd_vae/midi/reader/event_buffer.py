"""Part of step 1 of the reader: channel events as arrays, decoded in blocks or added one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

MAX_NUMBER_BYTES = 4  # of a variable-length quantity in the standard
_MAX_SINGLE = 1 << 15  # events kept as tuples: a tuple takes ten times the memory of an array row


class EventBuffer:
    """Collects channel events, single ones as tuples and blocks as arrays.

    Args:
        array: Bytes of the file.

    Attributes:
        count: Number of events collected.
    """

    def __init__(self, array: Bytes) -> None:
        self._array = array
        self.count = 0
        self._blocks: list[tuple[Any, ...]] = []
        self._single: list[tuple[int, int, int, int]] = []

    def add(self, tick: int, status: int, first: int, second: int) -> None:
        """Appends one event."""
        self._single.append((tick, status, first, second))
        self.count += 1
        if len(self._single) >= _MAX_SINGLE:
            self._flush()

    def read_block(self, position: int, end: int, tick: int, status: int) -> tuple[int, int, int, int]:
        """Reads channel events with two data bytes, up to ``end`` or to the first other event.

        Such an event has exactly three bytes below 0x80: the last byte of its delta time and its two data bytes. So
        every third byte below 0x80 ends an event, with or without a status byte.

        Args:
            position: Position of the first event.
            end: Position at which to stop.
            tick: Tick of the event before.
            status: Running status; 0 for none.

        Returns:
            The number of events read, and the position, tick and running status behind them.
        """
        part = self._array[position:end]
        low = np.flatnonzero(part < 0x80)
        count = len(low) // 3
        if not count:
            return 0, position, tick, status
        ends = low[: 3 * count].reshape(count, 3)
        delta_end, first, second = ends[:, 0], ends[:, 1], ends[:, 2]
        delta_start = np.empty(count, np.int64)
        delta_start[0] = 0
        delta_start[1:] = second[:-1] + 1
        more_bytes = delta_end - delta_start  # bytes of the delta time after its first one
        explicit = first - delta_end == 2
        status_byte = part[first - 1]  # meaningful where explicit
        two_data_bytes = (status_byte < 0xC0) | ((status_byte >= 0xE0) & (status_byte < 0xF0))
        plain = (explicit & two_data_bytes) | (first - delta_end == 1)
        plain &= (second - first == 1) & (more_bytes < MAX_NUMBER_BYTES)
        if not explicit[0] and not (0x80 <= status < 0xC0 or 0xE0 <= status < 0xF0):
            return 0, position, tick, status
        if not plain.all():
            count = int(np.argmin(plain))
            if not count:
                return 0, position, tick, status
            delta_end, more_bytes, first, second = delta_end[:count], more_bytes[:count], first[:count], second[:count]
            explicit, status_byte = explicit[:count], status_byte[:count]
        delta = part[delta_end].astype(np.int64)
        for more in range(1, int(more_bytes.max()) + 1):
            delta += np.where(more_bytes >= more, (part[delta_end - more] & 0x7F).astype(np.int64) << 7 * more, 0)
        ticks = np.cumsum(delta) + tick
        if explicit.all():
            statuses = status_byte
        else:
            last_explicit = np.maximum.accumulate(np.where(explicit, np.arange(count), -1))
            statuses = np.where(last_explicit >= 0, status_byte[last_explicit], np.uint8(status))
        self._extend(ticks, statuses, part[first], part[second])
        return count, position + int(second[-1]) + 1, int(ticks[-1]), int(statuses[-1])

    def _extend(self, ticks: Ints, status: Bytes, first: Bytes, second: Bytes) -> None:
        """Appends a block of events, each array [events]."""
        self._flush()
        self._blocks.append((ticks, status, first, second))
        self.count += len(ticks)

    def arrays(self) -> tuple[Ints, Bytes, Bytes, Bytes]:
        """Returns ticks, status bytes, first and second data bytes of all events."""
        self._flush()
        if len(self._blocks) == 1:
            ticks, status, first, second = self._blocks[0]
        elif self._blocks:
            ticks, status, first, second = (np.concatenate(columns) for columns in zip(*self._blocks, strict=True))
        else:
            return _NO_INTS, _NO_BYTES, _NO_BYTES, _NO_BYTES
        return ticks, status, first, second

    def _flush(self) -> None:
        if self._single:
            ticks, *rest = zip(*self._single, strict=True)
            self._blocks.append((np.array(ticks, np.int64), *(np.array(column, np.uint8) for column in rest)))
            self._single = []


_NO_INTS: Ints = np.zeros(0, np.int64)
_NO_BYTES: Bytes = np.zeros(0, np.uint8)

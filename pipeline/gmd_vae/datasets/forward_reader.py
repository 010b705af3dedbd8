"""The stream that ``tarfile`` reads an untrusted archive from: bounded, and forwards only."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from typing import IO

from gmd_vae.datasets.midi_formats import HEAD_BYTES

_MAX_HEADER = 1 << 20  # bytes; tarfile reads the size that a header declares at once
_BLOCK = 1 << 20  # bytes copied at once


class ForwardReader:
    """A stream for tarfile with bounded reads, bounded position, and no way back.

    A header with a negative size would send tarfile back to that header, for ever (CVE-2025-8194).
    """

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream, self.limit = stream, limit

    def read(self, size: int = -1) -> bytes:
        """Returns the next bytes, as ``tarfile`` reads headers."""
        if not 0 <= size <= _MAX_HEADER:
            raise tarfile.ReadError(f"a header asks for {size:,} bytes")
        data = self._stream.read(size)
        self._check(self.tell())
        return data

    def blocks(self, position: int, size: int) -> Iterator[bytes]:
        """Yields the bytes of a file in blocks, of which the first is small."""
        self.seek(position)
        length = HEAD_BYTES
        while size:
            block = self._stream.read(min(size, length))
            length = _BLOCK
            if not block:
                raise EOFError("it ends inside a file")
            size -= len(block)
            yield block

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Moves forwards to a position."""
        if position < self.tell():
            raise tarfile.ReadError("a header leads backwards")
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        """Returns the position."""
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position > self.limit:
            raise tarfile.ReadError(f"it unpacks to more than {self.limit:,} bytes")

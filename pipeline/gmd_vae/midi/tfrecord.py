"""TFRecord files without TensorFlow.

The format (TensorFlow, ``core/lib/io/record_writer.h``): little-endian uint64 length, uint32 masked
CRC-32C of those 8 bytes, the data, uint32 masked CRC-32C of the data. All of it may be in gzip.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import google_crc32c

from gmd_vae.common.errors import GmdVaeError

MAX_RECORD_BYTES = 1 << 28  # a damaged length must not become a request for all memory
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_GZIP_LEVEL = 6  # gzip's own default; 9 takes several times as long for a few per cent
FRAME = _HEADER.size + _FOOTER.size  # bytes that a record takes beside its data
_GZIP = b"\x1f\x8b\x08"  # its magic number, and deflate, the one method there is


def _masked_crc(data: bytes) -> int:
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def write_record(stream: IO[bytes], data: bytes) -> None:
    """Appends one record to an open binary file.

    Raises:
        GmdVaeError: the record is longer than ``MAX_RECORD_BYTES``, so ``read_records`` would refuse it.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise GmdVaeError(f"A record of {len(data)} bytes is too long for a TFRecord file", "Split its music.")
    length = struct.pack("<Q", len(data))
    stream.write(length + _FOOTER.pack(_masked_crc(length)) + data + _FOOTER.pack(_masked_crc(data)))


SUFFIXES = (".tfrecord", ".tfrecord.gz")


def file_name(stem: str, *, compress: bool) -> str:
    """What a TFRecord file is called: gzip, which a reader must expect, shows in the name."""
    return stem + SUFFIXES[compress]


@contextlib.contextmanager
def create(path: Path, *, compress: bool = False) -> Iterator[IO[bytes]]:
    """A new file to write records to; when the block ends well, they are on the disk (fsync).

    gzip is what TensorFlow calls ``TFRecordOptions("GZIP")``; the same records give the same bytes.
    """
    with path.open("wb") as raw:
        if compress:
            with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as stream:
                yield cast(IO[bytes], stream)
        else:
            yield raw
        raw.flush()
        os.fsync(raw.fileno())


def is_gzip(path: Path) -> bool:
    """Whether a file is compressed, as TensorFlow writes TFRecord files with the option ``GZIP``."""
    with path.open("rb") as stream:
        return stream.read(len(_GZIP)) == _GZIP


def record_sizes(path: Path) -> Iterator[int]:
    """Yields the size of each record's data in bytes, from the lengths alone: the data is not read.

    Raises:
        GmdVaeError: the file is cut short, or is not a TFRecord file.
    """
    if is_gzip(path):  # all of it must be read to find the lengths
        yield from map(len, read_records(path))
        return
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        number = 0
        while (length := _read_length(stream, path, number)) is not None:
            if stream.seek(length + _FOOTER.size, os.SEEK_CUR) > size:
                raise _damaged(path, number, "the file ends inside it")
            yield length
            number += 1


def read_records(path: Path, start: int = 0, number: int = 0) -> Iterator[bytes]:
    """Yields the records of a TFRecord file in order, every checksum verified; gzip is noticed and unpacked.

    Args:
        path: the file.
        start: the byte that the first record to read begins at; of the unpacked bytes, if it is gzip.
        number: that record's number, for messages.

    Raises:
        GmdVaeError: the file is cut short or damaged; names the file and the record's number.
    """
    with _open(path) as stream:
        try:
            stream.seek(start)
            while (length := _read_length(stream, path, number)) is not None:
                body = stream.read(length + _FOOTER.size)
                if len(body) < length + _FOOTER.size:
                    raise _damaged(path, number, "the file ends inside it")
                data, (data_crc,) = body[:length], _FOOTER.unpack_from(body, length)
                if _masked_crc(data) != data_crc:
                    raise _damaged(path, number, "its data fails the checksum")
                yield data
                number += 1
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _damaged(path, number, f"gzip: {error}") from None


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path, "rb")) if is_gzip(path) else path.open("rb")


def _read_length(stream: IO[bytes], path: Path, number: int) -> int | None:
    """The length of the record that begins here; None at the end of the file."""
    header = stream.read(_HEADER.size)
    if not header:
        return None
    if len(header) < _HEADER.size:
        raise _damaged(path, number, "the file ends inside its length")
    length: int
    length, length_crc = _HEADER.unpack(header)
    if _masked_crc(header[:8]) != length_crc:
        raise _damaged(path, number, "its length fails the checksum (is it a TFRecord file?)")
    if length > MAX_RECORD_BYTES:
        raise _damaged(path, number, f"it claims {length} bytes")
    return length


def _damaged(path: Path, number: int, how: str) -> GmdVaeError:
    return GmdVaeError(
        f"'{path}' is damaged at record {number}: {how}", "Make the file again with the command that wrote it."
    )

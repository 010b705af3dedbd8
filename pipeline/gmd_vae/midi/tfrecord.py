"""TFRecord files without TensorFlow.

The format (TensorFlow, ``core/lib/io/record_writer.h``): little-endian uint64 length, uint32 masked CRC-32C of those
8 bytes, the data, uint32 masked CRC-32C of the data. gzip may compress the whole file.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import google_crc32c

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.regular_files import open_regular

MAX_RECORD_BYTES = 1 << 26  # so that a damaged length does not allocate all memory
_MAX_RATIO = 200  # of unpacked to packed size; records have up to 50, a file made to fill the disk has 1,000
_MIN_UNPACKED = 1 << 28  # bytes: small files may have any ratio
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_GZIP_LEVEL = 6  # gzip's default; 9 takes several times as long and saves a few per cent
FRAME = _HEADER.size + _FOOTER.size  # bytes of a record apart from its data
_GZIP = b"\x1f\x8b\x08"  # magic number and compression method (deflate is the only one)


def masked_crc(data: bytes) -> int:
    """Returns the checksum that TensorFlow stores beside data: its CRC-32C, rotated and offset."""
    crc: int = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def framed(data: bytes) -> bytes:
    """Returns the bytes of a record in a file: its length, its data and their checksums."""
    length = struct.pack("<Q", len(data))
    return length + _FOOTER.pack(masked_crc(length)) + data + _FOOTER.pack(masked_crc(data))


def write_record(stream: IO[bytes], data: bytes) -> None:
    """Appends one record to an open binary file.

    Args:
        stream: Binary file to write to.
        data: Data of the record.

    Raises:
        GmdVaeError: The record is longer than ``MAX_RECORD_BYTES``, so ``read_records`` would refuse it.
    """
    if len(data) > MAX_RECORD_BYTES:
        raise GmdVaeError(f"A record of {len(data)} bytes is too long for a TFRecord file", "Split its music.")
    stream.write(framed(data))


SUFFIXES = (".tfrecord", ".tfrecord.gz")


def file_name(stem: str, *, compress: bool) -> str:
    """Returns the name of a TFRecord file. Its ending shows compression, which TensorFlow does not detect."""
    return stem + SUFFIXES[compress]


@contextlib.contextmanager
def create(path: Path, *, compress: bool = False) -> Iterator[IO[bytes]]:
    """Opens a new file for records. At the end of the block they are on the disk (fsync), unless an error ends it.

    Args:
        path: File to create.
        compress: True for gzip, TensorFlow's ``TFRecordOptions("GZIP")``. The same records give the same bytes.
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
    """Returns True for a file compressed with gzip, as TensorFlow writes it with the option ``GZIP``."""
    with open_regular(path) as stream:
        return stream.read(len(_GZIP)) == _GZIP


def record_sizes(path: Path) -> Iterator[int]:
    """Yields the size of each record's data in bytes, without reading the data of an uncompressed file.

    Raises:
        GmdVaeError: The file is cut short, or is not a TFRecord file.
    """
    if is_gzip(path):  # the lengths lie inside the compressed data
        yield from map(len, read_records(path))
        return
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        number = 0
        while (length := _read_length(stream, path, number)) is not None:
            if stream.seek(length + _FOOTER.size, os.SEEK_CUR) > size:
                raise _damaged(path, number, "the file ends inside it")
            yield length
            number += 1


def read_records(path: Path, start: int = 0, number: int = 0) -> Iterator[bytes]:
    """Yields the records of a TFRecord file in order and verifies every checksum. Detects and unpacks gzip.

    Args:
        path: TFRecord file.
        start: Byte offset of the first record to read, in the unpacked data.
        number: Index of that record, for error messages.

    Raises:
        GmdVaeError: The file is cut short or damaged. The message names the file and the record's index.
    """
    limit = most_unpacked(path.stat().st_size) if is_gzip(path) else math.inf
    with contextlib.ExitStack() as opened:
        stream: IO[bytes] = opened.enter_context(open_regular(path))
        if is_gzip(path):
            stream = cast(IO[bytes], opened.enter_context(gzip.GzipFile(fileobj=stream)))
        try:
            position = stream.seek(start)
            while (length := _read_length(stream, path, number)) is not None:
                position += FRAME + length
                if position > limit:
                    raise _damaged(path, number, f"gzip: it unpacks to more than {_MAX_RATIO} times its size")
                body = stream.read(length + _FOOTER.size)
                if len(body) < length + _FOOTER.size:
                    raise _damaged(path, number, "the file ends inside it")
                data, (data_crc,) = body[:length], _FOOTER.unpack_from(body, length)
                if masked_crc(data) != data_crc:
                    raise _damaged(path, number, "its data fails the checksum")
                yield data
                number += 1
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise _damaged(path, number, f"gzip: {error}") from None


def most_unpacked(size: int) -> int:
    """Returns the number of bytes that a gzip file of ``size`` bytes may hold."""
    return max(_MIN_UNPACKED, _MAX_RATIO * size)


def _read_length(stream: IO[bytes], path: Path, number: int) -> int | None:
    """Returns the length of the next record in bytes; None at the end of the file."""
    header = stream.read(_HEADER.size)
    if not header:
        return None
    if len(header) < _HEADER.size:
        raise _damaged(path, number, "the file ends inside its length")
    length: int
    length, length_crc = _HEADER.unpack(header)
    if masked_crc(header[:8]) != length_crc:
        raise _damaged(path, number, "its length fails the checksum (is it a TFRecord file?)")
    if length > MAX_RECORD_BYTES:
        raise _damaged(path, number, f"it claims {length} bytes")
    return length


def _damaged(path: Path, number: int, how: str) -> GmdVaeError:
    return GmdVaeError(
        f"'{path}' is damaged at record {number}: {how}", "Make the file again with the command that wrote it."
    )

"""TFRecord files without TensorFlow.

The format (TensorFlow, ``core/lib/io/record_writer.h``): little-endian uint64 length, uint32 masked
CRC-32C of those 8 bytes, the data, uint32 masked CRC-32C of the data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from pipeline.errors import GmdVaeError

MAX_RECORD_BYTES = 1 << 28  # a damaged length must not become a request for all memory
_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def write_record(stream: BinaryIO, data: bytes) -> None:
    """Appends one record to an open binary file."""
    length = struct.pack("<Q", len(data))
    stream.write(length + _FOOTER.pack(_masked_crc(length)) + data + _FOOTER.pack(_masked_crc(data)))


def read_records(path: Path) -> Iterator[bytes]:
    """Yields the records of a TFRecord file in order, every checksum verified.

    Raises:
        GmdVaeError: the file is cut short or damaged; names the file and the record's number.
    """
    next_action = "Make the file again with the command that wrote it."
    with open(path, "rb") as stream:
        number = 0
        while header := stream.read(_HEADER.size):
            where = f"'{path}' is damaged at record {number}"
            if len(header) < _HEADER.size:
                raise GmdVaeError(f"{where}: the file ends inside its length", next_action)
            length, length_crc = _HEADER.unpack(header)
            if _masked_crc(header[:8]) != length_crc or length > MAX_RECORD_BYTES:
                raise GmdVaeError(f"{where}: its length fails the checksum (is it a TFRecord file?)", next_action)
            body = stream.read(length + _FOOTER.size)
            if len(body) < length + _FOOTER.size:
                raise GmdVaeError(f"{where}: the file ends inside it", next_action)
            data, (data_crc,) = body[:length], _FOOTER.unpack_from(body, length)
            if _masked_crc(data) != data_crc:
                raise GmdVaeError(f"{where}: its data fails the checksum", next_action)
            yield data
            number += 1

"""Checks the index of a checkpoint before TensorFlow opens it.

TensorFlow ends the whole process, or asks for any amount of memory, where an index with correct checksums describes
tensors that cannot be. The index is a sorted table of key and value, in blocks with checksums (TensorFlow,
``core/lib/io/table_format.txt``); the empty key holds a ``BundleHeaderProto``, the name of a tensor its
``BundleEntryProto`` (``core/protobuf/tensor_bundle.proto``).
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.regular_files import open_regular, read_regular
from gmd_vae.magenta.api import tensor_bundle_pb2, tf
from gmd_vae.midi.tfrecord import masked_crc

_MAX_INDEX = 64 << 20  # bytes; 171 variables take 10 kB
_MAX_TENSOR = 1 << 30  # bytes; the largest variable of Magenta's published models has 0.1 GB
_MAX_RANK = 8
_FOOTER = 48  # bytes: two handles, padding, and the magic number
_MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_TRAILER = 5  # bytes after a block: the compression (0: none) and a checksum
_NUMBER_TYPES = {
    dtype.as_datatype_enum: dtype.size
    for dtype in (
        *(tf.float32, tf.float64, tf.float16, tf.bfloat16, tf.bool),
        *(tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64),
    )
}


class DamagedIndexError(Exception):
    """An index is damaged. ``str()`` is the reason, in one line."""


def check_index(prefix: Path) -> None:
    """Checks the index of a complete checkpoint against the sizes of its data files.

    Args:
        prefix: Prefix of the checkpoint.

    Raises:
        DamagedIndexError: The index is damaged, or describes tensors that the data files cannot hold.
        OSError: A file is missing, or is no regular file.
    """
    try:
        data = read_regular(prefix.with_name(f"{prefix.name}.index"), _MAX_INDEX)
    except GmdVaeError:
        raise DamagedIndexError(f"its index is larger than {_MAX_INDEX:,} bytes") from None
    try:
        entries = list(_entries(data))
        if not entries or entries[0][0] != b"":
            raise DamagedIndexError("its index has no header")
        header = tensor_bundle_pb2.BundleHeaderProto.FromString(entries[0][1])
        shards = _shard_sizes(prefix, header.num_shards)
        for key, value in entries[1:]:
            _check_tensor(key, tensor_bundle_pb2.BundleEntryProto.FromString(value), shards)
    except (ValueError, IndexError, struct.error, DecodeError):
        raise DamagedIndexError("its index is damaged: an entry cannot be read") from None


def _shard_sizes(prefix: Path, count: int) -> list[int]:
    """Returns the sizes of the data files in bytes."""
    if not 0 < count <= 99_999:
        raise DamagedIndexError(f"its index names {count:,} data files")
    sizes = []
    for shard in range(count):
        with open_regular(prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{count:05}")) as file:
            sizes.append(os.fstat(file.fileno()).st_size)
    return sizes


def _check_tensor(key: bytes, entry: Any, shards: list[int]) -> None:
    """Checks the description of one tensor.

    Args:
        key: Its name.
        entry: A ``BundleEntryProto``.
        shards: Sizes of the data files in bytes.
    """
    if not key.decode().isprintable():
        raise DamagedIndexError("its index holds a name that is no text")
    if entry.dtype not in _NUMBER_TYPES or entry.slices:
        raise DamagedIndexError("its index describes something else than arrays of numbers")
    sizes = [dimension.size for dimension in entry.shape.dim]
    if entry.shape.unknown_rank or len(sizes) > _MAX_RANK or min(sizes, default=0) < 0:
        raise DamagedIndexError("its index describes an array of an impossible shape")
    if entry.size != math.prod(sizes) * _NUMBER_TYPES[entry.dtype] or entry.size > _MAX_TENSOR:
        raise DamagedIndexError("its index gives an array another size than that of its shape")
    if not 0 <= entry.shard_id < len(shards) or entry.offset < 0:
        raise DamagedIndexError("its index places an array outside the data")
    if entry.offset + entry.size > shards[entry.shard_id]:
        raise DamagedIndexError("its data ends too early")


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields keys and values of a table, with rising keys."""
    if len(data) < _FOOTER:
        raise DamagedIndexError("its index ends too early")
    footer = data[-_FOOTER:]
    if not footer.endswith(_MAGIC):
        raise DamagedIndexError("its index is cut off or not an index")
    _, _, place = _handle(footer)  # of an empty block
    offset, size, _ = _handle(footer, place)
    before = None
    for last, handle in _block(data, offset, size):
        for key, value in _block(data, *_handle(handle)[:2]):
            if (before is not None and key <= before) or key > last:
                raise DamagedIndexError("its index is not sorted")
            before = key
            yield key, value


def _handle(data: bytes, place: int = 0) -> tuple[int, int, int]:
    """Returns offset and size of a block, and the place behind its handle."""
    offset, place = _varint(data, place)
    size, place = _varint(data, place)
    return offset, size, place


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yields keys and values of a block: each key continues the start of the one before it.

    At the end of a block stand the places of whole keys, at which TensorFlow begins a search.
    """
    if offset + size + _TRAILER > len(data) - _FOOTER or size < 4:
        raise DamagedIndexError("its index is damaged: a block reaches beyond its end")
    block, trailer = data[offset : offset + size], data[offset + size : offset + size + _TRAILER]
    if struct.unpack("<I", trailer[1:])[0] != masked_crc(block + trailer[:1]):
        raise DamagedIndexError("its index has changed: the checksum does not match")
    if trailer[0]:
        raise DamagedIndexError("its index is compressed, which TensorFlow does not do")
    (count,) = struct.unpack("<I", block[-4:])
    end = size - 4 - 4 * count
    if end < 0 or not count:
        raise DamagedIndexError("its index is damaged: a block has no entries")
    whole = set(struct.unpack(f"<{count}I", block[end:-4]))
    place, key, starts = 0, b"", {0}
    while place < end:
        start = place
        shared, place = _varint(block, place)
        added, place = _varint(block, place)
        length, place = _varint(block, place)
        if shared > len(key) or place + added + length > end:
            raise DamagedIndexError("its index is damaged: an entry reaches beyond its block")
        if not shared:
            starts.add(start)
        key = key[:shared] + block[place : place + added]
        place += added
        yield key, block[place : place + length]
        place += length
    if not whole <= starts:
        raise DamagedIndexError("its index is damaged: a search would begin inside an entry")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Returns an unsigned number of seven bits a byte, and the place behind it."""
    number = 0
    for shift in range(0, 64, 7):
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise DamagedIndexError("its index is damaged: a number has too many bytes")

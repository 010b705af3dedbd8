"""Reads the index of a checkpoint and the data of its tensors, without TensorFlow.

The index is a sorted table of key and value, in blocks with checksums (TensorFlow, ``core/lib/io/table_format.txt``);
the empty key holds a ``BundleHeaderProto``, the name of a tensor its ``BundleEntryProto``
(``core/protobuf/tensor_bundle.proto``). Everything is checked before TensorFlow opens a checkpoint: it ends the whole
process, or asks for any amount of memory, where an index with correct checksums describes tensors that cannot be.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.regular_files import open_regular, read_regular
from gmd_vae.midi.tfrecord import masked_crc
from gmd_vae.models.bundle_messages import ENTRY, HEADER, message_class

_MAX_INDEX = 64 << 20  # bytes; 171 variables take 10 kB
_MAX_TENSOR = 1 << 30  # bytes; the largest variable of Magenta's published models has 0.1 GB
_MAX_RANK = 8
_VERSION = 1  # of the format; TensorFlow has written no other since 2016
_FOOTER = 48  # bytes: two handles, padding, and the magic number
MAGIC = struct.pack("<Q", 0xDB4775248B80FB57)
_TRAILER = 5  # bytes after a block: the compression (0: none) and a checksum
# name and size in bytes of each type of number, by TensorFlow's DataType (core/framework/types.proto)
_NUMBER_TYPES = {
    **{1: ("float32", 4), 2: ("float64", 8), 14: ("bfloat16", 2), 19: ("float16", 2), 10: ("bool", 1)},
    **{6: ("int8", 1), 5: ("int16", 2), 3: ("int32", 4), 9: ("int64", 8)},
    **{4: ("uint8", 1), 17: ("uint16", 2), 22: ("uint32", 4), 23: ("uint64", 8)},
}


class DamagedCheckpointError(Exception):
    """A checkpoint is damaged. ``str()`` is the reason, in one line."""


class Tensor(NamedTuple):
    """The place of a tensor in the data files.

    Attributes:
        dtype: Type of its numbers, by NumPy's name, or ``bfloat16``.
        shape: Its shape.
        file: Data file.
        offset: First byte.
        size: Bytes.
        checksum: Masked CRC-32C of the bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    file: Path
    offset: int
    size: int
    checksum: int


def read_index(prefix: Path) -> dict[str, Tensor]:
    """Reads the index of a complete checkpoint, and checks it against the sizes of the data files.

    Args:
        prefix: Prefix of the checkpoint.

    Returns:
        Its tensors by name, sorted. Together they are no larger than the data files.

    Raises:
        DamagedCheckpointError: The index is damaged, or describes tensors that the data files cannot hold.
        OSError: A file is missing, or is no regular file.
    """
    try:
        data = read_regular(prefix.with_name(f"{prefix.name}.index"), _MAX_INDEX)
    except GmdVaeError:
        raise DamagedCheckpointError(f"its index is larger than {_MAX_INDEX:,} bytes") from None
    from google.protobuf.message import DecodeError

    try:
        entries = list(_entries(data))
        if not entries or entries[0][0] != b"":
            raise DamagedCheckpointError("its index has no header")
        files = _data_files(prefix, message_class(HEADER).FromString(entries[0][1]))
        entry = message_class(ENTRY)
        tensors = {key.decode(): _tensor(key.decode(), entry.FromString(value), files) for key, value in entries[1:]}
    except (ValueError, IndexError, struct.error, DecodeError):
        raise DamagedCheckpointError("its index is damaged: an entry cannot be read") from None
    if sum(tensor.size for tensor in tensors.values()) > sum(size for _, size in files):
        raise DamagedCheckpointError("its index gives several arrays the same data")
    return tensors


def read_data(tensor: Tensor) -> bytes:
    """Reads the bytes of a tensor.

    Args:
        tensor: A tensor from `read_index`.

    Raises:
        DamagedCheckpointError: The data ends too early, or the checksum does not match.
        OSError: The file cannot be read.
    """
    with open_regular(tensor.file) as stream:
        stream.seek(tensor.offset)
        data = stream.read(tensor.size)
    if len(data) < tensor.size:
        raise DamagedCheckpointError("its data ends too early")
    if masked_crc(data) != tensor.checksum:
        raise DamagedCheckpointError("its data has changed: the checksum does not match")
    return data


def _data_files(prefix: Path, header: Any) -> list[tuple[Path, int]]:
    """Returns the data files with their sizes in bytes.

    Args:
        prefix: Prefix of the checkpoint.
        header: A ``BundleHeaderProto``.
    """
    version, count = header.version, header.num_shards
    if version.min_consumer > _VERSION or _VERSION in version.bad_consumers or version.producer < 0:
        raise DamagedCheckpointError("its index has a format that is not known")
    if header.endianness:
        raise DamagedCheckpointError("it was written by a big-endian machine")
    if not 0 < count <= 99_999:
        raise DamagedCheckpointError(f"its index names {count:,} data files")
    files = []
    for shard in range(count):
        path = prefix.with_name(f"{prefix.name}.data-{shard:05}-of-{count:05}")
        with open_regular(path) as file:
            files.append((path, os.fstat(file.fileno()).st_size))
    return files


def _tensor(name: str, entry: Any, files: list[tuple[Path, int]]) -> Tensor:
    """Checks the description of one tensor, and returns its place.

    Args:
        name: Its name.
        entry: A ``BundleEntryProto``.
        files: Data files with their sizes in bytes.
    """
    if not name.isprintable():
        raise DamagedCheckpointError("its index holds a name that is no text")
    if entry.dtype not in _NUMBER_TYPES or entry.slices:
        raise DamagedCheckpointError("its index describes something else than arrays of numbers")
    dtype, item_size = _NUMBER_TYPES[entry.dtype]
    shape = tuple(dimension.size for dimension in entry.shape.dim)
    if entry.shape.unknown_rank or len(shape) > _MAX_RANK or min(shape, default=0) < 0:
        raise DamagedCheckpointError("its index describes an array of an impossible shape")
    if entry.size != math.prod(shape) * item_size or entry.size > _MAX_TENSOR:
        raise DamagedCheckpointError("its index gives an array another size than that of its shape")
    if not 0 <= entry.shard_id < len(files) or entry.offset < 0:
        raise DamagedCheckpointError("its index places an array outside the data")
    file, file_size = files[entry.shard_id]
    if entry.offset + entry.size > file_size:
        raise DamagedCheckpointError("its data ends too early")
    return Tensor(dtype, shape, file, entry.offset, entry.size, entry.crc32c)


def _entries(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields keys and values of a table, with rising keys."""
    if len(data) < _FOOTER:
        raise DamagedCheckpointError("its index ends too early")
    footer = data[-_FOOTER:]
    if not footer.endswith(MAGIC):
        raise DamagedCheckpointError("its index is cut off or not an index")
    _, _, place = _handle(footer)  # of an empty block
    offset, size, _ = _handle(footer, place)
    before = None
    for last, handle in _block(data, offset, size):
        for key, value in _block(data, *_handle(handle)[:2]):
            if (before is not None and key <= before) or key > last:
                raise DamagedCheckpointError("its index is not sorted")
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
        raise DamagedCheckpointError("its index is damaged: a block reaches beyond its end")
    block, trailer = data[offset : offset + size], data[offset + size : offset + size + _TRAILER]
    if struct.unpack("<I", trailer[1:])[0] != masked_crc(block + trailer[:1]):
        raise DamagedCheckpointError("its index has changed: the checksum does not match")
    if trailer[0]:
        raise DamagedCheckpointError("its index is compressed, which TensorFlow does not do")
    (count,) = struct.unpack("<I", block[-4:])
    end = size - 4 - 4 * count
    if end < 0 or not count:
        raise DamagedCheckpointError("its index is damaged: a block has no entries")
    whole = set(struct.unpack(f"<{count}I", block[end:-4]))
    place, key, starts = 0, b"", {0}
    while place < end:
        start = place
        shared, place = _varint(block, place)
        added, place = _varint(block, place)
        length, place = _varint(block, place)
        if shared > len(key) or place + added + length > end:
            raise DamagedCheckpointError("its index is damaged: an entry reaches beyond its block")
        if not shared:
            starts.add(start)
        key = key[:shared] + block[place : place + added]
        place += added
        yield key, block[place : place + length]
        place += length
    if not whole <= starts:
        raise DamagedCheckpointError("its index is damaged: a search would begin inside an entry")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Returns an unsigned number of seven bits a byte, and the place behind it."""
    number = 0
    for shift in range(0, 64, 7):
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise DamagedCheckpointError("its index is damaged: a number has too many bytes")

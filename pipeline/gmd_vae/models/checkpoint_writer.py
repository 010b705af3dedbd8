"""Writes a checkpoint in TensorFlow's format, without TensorFlow. `checkpoint_index` describes the format."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.tfrecord import masked_crc
from gmd_vae.models.bundle_messages import ENTRY, HEADER, message_class
from gmd_vae.models.checkpoint_index import MAGIC

_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 9}  # TensorFlow's DataType
_HANDLES = 40  # bytes before the magic number, in the footer


def write_checkpoint(prefix: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes the index and one data file. Equal tensors give equal bytes.

    Args:
        prefix: Prefix of the checkpoint; the caller makes the whole folder appear at once.
        tensors: float32 and int64 arrays by name.
    """
    entry_class = message_class(ENTRY)
    header = message_class(HEADER)(num_shards=1)
    header.version.producer = 1
    entries = {b"": header.SerializeToString(deterministic=True)}
    offset = 0
    with prefix.with_name(f"{prefix.name}.data-00000-of-00001").open("wb") as stream:
        for name in sorted(tensors, key=str.encode):
            values = tensors[name]
            data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
            stream.write(data)
            entry = entry_class(dtype=_TYPES[values.dtype], offset=offset, size=len(data), crc32c=masked_crc(data))
            for size in values.shape:
                entry.shape.dim.add().size = size
            entries[name.encode()] = entry.SerializeToString(deterministic=True)
            offset += len(data)
    prefix.with_name(f"{prefix.name}.index").write_bytes(_table(entries))
    text = f'model_checkpoint_path: "{prefix.name}"\nall_model_checkpoint_paths: "{prefix.name}"\n'
    prefix.with_name("checkpoint").write_text(text, encoding="utf-8")  # read by tf.train.latest_checkpoint


def _table(entries: Mapping[bytes, bytes]) -> bytes:
    """Returns a table with one block of entries, which are sorted by key."""
    data = b""
    handles = []
    for block in (_block(entries), _block({})):  # the second one holds nothing, and every table has it
        handles.append(_varint(len(data)) + _varint(len(block)))
        data += _with_trailer(block)
    index = _block({max(entries): handles[0]})
    handles.append(_varint(len(data)) + _varint(len(index)))
    return data + _with_trailer(index) + b"".join(handles[1:]).ljust(_HANDLES, b"\0") + MAGIC


def _block(pairs: Mapping[bytes, bytes]) -> bytes:
    """Returns keys and values, none of which continues the key before it, and the places of all keys."""
    data, places = b"", []
    for key, value in pairs.items():
        places.append(len(data))
        data += _varint(0) + _varint(len(key)) + _varint(len(value)) + key + value
    places = places or [0]
    return data + struct.pack(f"<{len(places) + 1}I", *places, len(places))


def _with_trailer(block: bytes) -> bytes:
    uncompressed = block + b"\0"
    return uncompressed + struct.pack("<I", masked_crc(uncompressed))


def _varint(number: int) -> bytes:
    """Returns an unsigned number in groups of seven bits, the lowest first."""
    groups = b""
    while number >> 7:
        groups += bytes([number & 0x7F | 0x80])
        number >>= 7
    return groups + bytes([number])

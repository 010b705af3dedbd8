"""Example records: ``tf.train.Example`` messages in wire format, written and read without TensorFlow.

The bytes are those of ``tf.train.Example(...).SerializeToString(deterministic=True)`` (a test compares them). The
schema at the end of this file is a part of ``tensorflow/core/example/*.proto``. It has its own descriptor pool, because
TensorFlow registers the same names in the default pool.

Features of the two formats (``Layout.format``):

- ``labels``: ``labels`` (int64, one a step), ``sources`` (bytes: ids of the NoteSequences that contain the window).
- ``tensors``: ``inputs``, ``outputs``, ``controls``, ``length`` (int64), ``sources``. A sparse array (at most
  ``Layout.input_ones`` ones in a row) is int64: for each row that number of values, each a column number + 1, or 0 for
  none. Any other array is one bytes value: row by row, little-endian; uint8 for bool, else float32.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.window_specs import MAX_STEPS
from gmd_vae.windows.extraction import Labels, Layout, Tensors

_COMPRESSION = 1  # zlib's fastest level


def label_example(labels: Labels, sources: Sequence[str]) -> bytes:
    """Returns the record of a window in format ``labels``.

    Args:
        labels: Drum labels, int64 ``[steps]``.
        sources: Ids of the NoteSequences that contain the window.
    """
    return example_record(_label_features(labels[None])[0], [source.encode() for source in sources])


def tensor_example(layout: Layout, tensors: Tensors, sources: Sequence[str]) -> bytes:
    """Returns the record of a window in format ``tensors``.

    Args:
        layout: Format of the record.
        tensors: The window.
        sources: Ids of the NoteSequences that contain the window.

    Raises:
        ValueError: A row has more ones than the layout allows.
    """
    features = {"length": _int64_list(np.array(tensors.length))}
    for name, ones in _ones(layout).items():
        array = np.asarray(getattr(tensors, name))
        if ones:
            features[name] = _int64_list(_columns_of_ones(array, ones).reshape(-1))
            continue
        raw = array.astype(np.uint8 if array.dtype == np.bool_ else "<f4").tobytes()
        features[name] = _field(_BYTES_LIST, _field(_VALUE, raw))
    entries = b"".join(_entry(name, features[name]) for name in sorted(features))
    return example_record(entries, [source.encode() for source in sources])


def example_record(features: bytes, sources: Iterable[bytes]) -> bytes:
    """Returns a record.

    Args:
        features: Serialised features of the window, from ``unpack_features``.
        sources: Ids of the NoteSequences that contain the window, in UTF-8.
    """
    named = _source_features(tuple(sources))
    return _start(_FEATURES, len(features) + len(named)) + features + named


def read_label_example(record: bytes) -> tuple[list[int], list[str]]:
    """Returns the labels and the source ids of a record.

    Raises:
        RecordError: The record is not of format ``labels``.
    """
    features = _parse(record)
    labels = features["labels"].int64_list.value if "labels" in features else ()
    if not 0 < len(labels) <= MAX_STEPS:
        raise _not_an_example("labels")
    return list(labels), _sources(features)


def read_tensor_example(record: bytes, layout: Layout) -> tuple[Tensors, list[str]]:
    """Returns the tensors and the source ids of a record.

    Raises:
        RecordError: The record is not of format ``tensors``, or its arrays do not fit ``layout``.
    """
    features, ones = _parse(record), _ones(layout)
    try:
        inputs, outputs, controls = (
            _unpack_array(features[name], dtype, depth, ones[name]) if depth else None
            for name, dtype, depth in (
                ("inputs", layout.input_dtype, layout.input_depth),
                ("outputs", layout.output_dtype, layout.output_depth),
                ("controls", layout.control_dtype, layout.control_depth),
            )
        )
    except (IndexError, ValueError):
        raise _not_an_example("tensors") from None
    if inputs is None or outputs is None:
        raise _not_an_example("tensors")
    if controls is None:
        controls = np.zeros((len(inputs), 0), layout.control_dtype)
    return Tensors(inputs, outputs, controls, tuple(features["length"].int64_list.value)), _sources(features)


def pack_windows(layout: Layout, windows: Labels | Sequence[Tensors]) -> list[bytes]:
    """Returns each window as a short byte string. Two strings are equal if and only if the windows are equal.

    Args:
        layout: Format of the windows.
        windows: Drum labels, int64 ``[windows, steps]``, or a list of tensors.
    """
    if isinstance(windows, np.ndarray):
        return [row.tobytes() for row in windows.astype(_packed_dtype(layout))]
    return [zlib.compress(tensor_example(layout, window, ()), _COMPRESSION) for window in windows]


def unpack_features(layout: Layout, packed: Sequence[bytes]) -> list[bytes]:
    """Returns the serialised features of packed windows, for ``example_record``."""
    if layout.format == "labels":
        dtype = np.dtype(_packed_dtype(layout))
        return _label_features(np.frombuffer(b"".join(packed), dtype).reshape(len(packed), -1))
    return [_features_of(zlib.decompress(window)) for window in packed]


def _packed_dtype(layout: Layout) -> npt.DTypeLike:
    """Returns the smallest unsigned integer type, little-endian, for all labels."""
    return "<u1" if layout.classes <= 8 else "<u2" if layout.classes <= 16 else "<u4" if layout.classes <= 32 else "<u8"


# Protobuf tags of the fields, each followed by the field's size. The entries of a map are sorted by key.
_FEATURES = b"\x0a"  # Example.features
_ENTRY = b"\x0a"  # Features.feature
_KEY, _FEATURE = b"\x0a", b"\x12"  # key and value of a map entry
_BYTES_LIST, _INT64_LIST = b"\x0a", b"\x1a"  # Feature.bytes_list, Feature.int64_list
_VALUE = b"\x0a"  # BytesList.value, Int64List.value; int64 values are packed


@functools.lru_cache(maxsize=4096)
def _start(tag: bytes, size: int) -> bytes:
    """Returns the tag and the size of a field."""
    digits = bytearray(tag)
    while size >= 0x80:
        digits.append(0x80 | size & 0x7F)
        size >>= 7
    digits.append(size)
    return bytes(digits)


def _field(tag: bytes, data: bytes) -> bytes:
    return _start(tag, len(data)) + data


def _entry(name: str, feature: bytes) -> bytes:
    return _field(_ENTRY, _field(_KEY, name.encode()) + _field(_FEATURE, feature))


@functools.lru_cache(maxsize=4096)  # the windows of a file have the same sources
def _source_features(sources: tuple[bytes, ...]) -> bytes:
    if not sources:
        return b""
    return _entry("sources", _field(_BYTES_LIST, b"".join(_field(_VALUE, source) for source in sources)))


def _int64_list(values: npt.NDArray[np.integer[Any]]) -> bytes:
    packed = _varints(values[None])[0]
    return _field(_INT64_LIST, _field(_VALUE, packed) if packed else b"")


def _label_features(labels: npt.NDArray[np.integer[Any]]) -> list[bytes]:
    """Returns the serialised features of windows; ``labels`` is ``[windows, steps]``."""
    return [_labels_start(len(values)) + values for values in _varints(labels)]


@functools.lru_cache(maxsize=4096)  # most windows have one of a few sizes
def _labels_start(size: int) -> bytes:
    """Returns the beginning of the map entry ``labels``, before its ``size`` bytes of values."""
    values = _field(_VALUE, bytes(size)) if size else b""
    entry = _entry("labels", _field(_INT64_LIST, values))
    return entry[: len(entry) - size]


def _varints(values: npt.NDArray[np.integer[Any]]) -> list[bytes]:
    """Returns each row of a matrix of non-negative integers as protobuf varints."""
    rows = len(values)
    if not values.size:
        return [b""] * rows
    rest = values.reshape(-1).astype(np.uint64)
    longest = max(1, -(-int(rest.max()).bit_length() // 7))
    digits = np.empty((len(rest), longest), np.uint8)  # 7 bits each, the lowest first; the top bit: more follow
    present = np.ones((len(rest), longest), np.bool_)
    for place in range(longest):
        digits[:, place] = rest & 0x7F
        rest >>= np.uint64(7)
        if place + 1 < longest:
            present[:, place + 1] = rest > 0
            digits[:, place] += np.uint8(0x80) * present[:, place + 1]
    data = digits[present].tobytes()
    ends = np.cumsum(present.reshape(rows, -1).sum(1)).tolist()
    return [data[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def _features_of(record: bytes) -> bytes:
    """Returns the serialised features of a record without sources."""
    begin = 1
    while record[begin] & 0x80:
        begin += 1
    return record[begin + 1 :]


def _ones(layout: Layout) -> dict[str, int]:
    return {"inputs": layout.input_ones, "outputs": layout.output_ones, "controls": layout.control_ones}


def _columns_of_ones(array: npt.NDArray[Any], ones: int) -> npt.NDArray[np.int64]:
    """Returns the column numbers of the ones in each row, from 1, int64 ``[rows, ones]``, padded with 0."""
    rows, columns = np.nonzero(array)
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)  # number of each one in its row
    numbers = np.zeros((len(array), ones), np.int64)
    if len(rank) and rank.max() >= ones:
        raise ValueError(f"a row has {rank.max() + 1} ones, not {ones}")
    numbers[rows, rank] = columns + 1
    return numbers


def _unpack_array(feature: Any, dtype: str, depth: int, ones: int) -> npt.NDArray[Any]:
    if ones:
        if len(feature.int64_list.value) > ones * MAX_STEPS:
            raise ValueError("more steps than any window has")
        numbers = np.array(feature.int64_list.value, np.int64).reshape(-1, ones)
        if numbers.min(initial=0) < 0:
            raise ValueError("a negative column number")
        array = np.zeros((len(numbers), depth + 1), np.bool_)
        np.put_along_axis(array, numbers, True, axis=1)
        return array[:, 1:]
    raw = feature.bytes_list.value[0]
    if dtype == "bool":
        return np.frombuffer(raw, np.uint8).reshape(-1, depth).astype(np.bool_)
    array = np.frombuffer(raw, "<f4").reshape(-1, depth).astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError("a number that is not finite")
    return array


def _sources(features: Any) -> list[str]:
    if "sources" not in features:
        return []
    return [source.decode("utf-8", "replace") for source in features["sources"].bytes_list.value]


class RecordError(GmdVaeError):
    """An example record cannot be used.

    Args:
        reason: The reason, as a predicate.
        place: The record; ``shards.parse_examples`` names its file and its number.
    """

    def __init__(self, reason: str, place: str = "A record") -> None:
        self.reason = reason
        super().__init__(f"{place} {reason}", "Make the examples again with 'gmd-vae preprocess'.")


def is_example(record: bytes) -> bool:
    """Returns True for the record of a window, in either format."""
    try:
        features = _parse(record)
    except GmdVaeError:
        return False
    return "sources" in features and ("labels" in features or "inputs" in features)


def _parse(record: bytes) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return _example_class().FromString(record).features.feature
    except DecodeError:
        raise _not_an_example("example") from None


def _not_an_example(kind: str) -> RecordError:
    return RecordError(f"is not a gmd-vae {kind} record")


@functools.cache
def _example_class() -> Any:
    """Returns the message class ``tensorflow.Example`` in a private descriptor pool."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="gmd_vae/example.proto", package="tensorflow", syntax="proto3")

    def message(name: str, *fields: tuple[str, int, int, bool, str]) -> Any:
        added = file.message_type.add(name=name)
        for field_name, number, kind, repeated, type_name in fields:
            label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            added.field.add(name=field_name, number=number, type=kind, label=label, type_name=type_name or None)
        return added

    message("BytesList", ("value", 1, field.TYPE_BYTES, True, ""))
    message("FloatList", ("value", 1, field.TYPE_FLOAT, True, ""))
    message("Int64List", ("value", 1, field.TYPE_INT64, True, ""))
    feature = message(
        "Feature",
        ("bytes_list", 1, field.TYPE_MESSAGE, False, ".tensorflow.BytesList"),
        ("float_list", 2, field.TYPE_MESSAGE, False, ".tensorflow.FloatList"),
        ("int64_list", 3, field.TYPE_MESSAGE, False, ".tensorflow.Int64List"),
    )
    feature.oneof_decl.add(name="kind")
    for member in feature.field:
        member.oneof_index = 0
    features = message("Features", ("feature", 1, field.TYPE_MESSAGE, True, ".tensorflow.Features.FeatureEntry"))
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=field.TYPE_MESSAGE, label=field.LABEL_OPTIONAL, type_name=".tensorflow.Feature"
    )
    message("Example", ("features", 1, field.TYPE_MESSAGE, False, ".tensorflow.Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))

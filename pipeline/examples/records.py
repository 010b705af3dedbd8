"""Example records: ``tf.train.Example`` wire bytes, written and read without TensorFlow.

Byte for byte what ``tf.train.Example(...).SerializeToString(deterministic=True)`` gives (a test
compares them). The schema below is the part of ``tensorflow/core/example/*.proto`` that we use, in
a descriptor pool of its own: TensorFlow registers the same names in the default pool.

Two formats, by ``Layout.format``:

- ``labels``: ``labels`` (int64, one a step), ``sources`` (bytes, the ids of the NoteSequences that
  hold the window).
- ``tensors``: ``inputs``, ``outputs``, ``controls`` (bytes, one value each: the array row by row,
  little-endian; uint8 for bool, else float32), ``length`` (int64), ``sources``.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import GmdVaeError
from pipeline.examples.extraction import Labels, Layout, Tensors

_COMPRESSION = 1  # one-hot tensors shrink a hundredfold at zlib's fastest level


def label_example(labels: Labels, sources: Sequence[str]) -> bytes:
    """One window as a record of format ``labels``. ``labels`` is int64 [steps]."""
    example = _example_class()()
    features = example.features.feature
    features["labels"].int64_list.value.extend(labels.tolist())
    _add_sources(features, sources)
    data: bytes = example.SerializeToString(deterministic=True)
    return data


def tensor_example(tensors: Tensors, sources: Sequence[str]) -> bytes:
    """One window as a record of format ``tensors``."""
    example = _example_class()()
    features = example.features.feature
    for name in ("inputs", "outputs", "controls"):
        array = np.asarray(getattr(tensors, name))
        raw = array.astype(np.uint8 if array.dtype == np.bool_ else "<f4").tobytes()
        features[name].bytes_list.value.append(raw)
    features["length"].int64_list.value.extend(tensors.length)
    _add_sources(features, sources)
    data: bytes = example.SerializeToString(deterministic=True)
    return data


def read_label_example(record: bytes) -> tuple[list[int], list[str]]:
    """The labels of a record and its source ids.

    Raises:
        GmdVaeError: the record is not of format ``labels``.
    """
    features = _parse(record)
    if "labels" not in features:
        raise _not_an_example("labels")
    return list(features["labels"].int64_list.value), _sources(features)


def read_tensor_example(record: bytes, layout: Layout) -> tuple[Tensors, list[str]]:
    """The tensors of a record and its source ids.

    Raises:
        GmdVaeError: the record is not of format ``tensors``, or its arrays do not fit ``layout``.
    """
    features = _parse(record)
    try:
        inputs, outputs, controls = (
            _unpack_array(features[name].bytes_list.value[0], dtype, depth) if depth else None
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


def pack(layout: Layout, windows: Labels | Sequence[Tensors]) -> list[bytes]:
    """Windows as short byte strings that are equal exactly where the windows are equal."""
    if isinstance(windows, np.ndarray):
        return [row.tobytes() for row in windows.astype(_packed_dtype(layout))]
    return [zlib.compress(tensor_example(window, ()), _COMPRESSION) for window in windows]


def unpack(layout: Layout, packed: bytes, sources: Sequence[str]) -> bytes:
    """The record of a packed window."""
    if layout.format == "labels":
        return label_example(np.frombuffer(packed, _packed_dtype(layout)).astype(np.int64), sources)
    example = _example_class().FromString(zlib.decompress(packed))
    _add_sources(example.features.feature, sources)
    data: bytes = example.SerializeToString(deterministic=True)
    return data


def _packed_dtype(layout: Layout) -> npt.DTypeLike:
    """The smallest unsigned integer, little-endian, that holds every label."""
    return "<u1" if layout.classes <= 8 else "<u2" if layout.classes <= 16 else "<u4" if layout.classes <= 32 else "<u8"


def _unpack_array(raw: bytes, dtype: str, depth: int) -> npt.NDArray[Any]:
    if dtype == "bool":
        return np.frombuffer(raw, np.uint8).reshape(-1, depth).astype(np.bool_)
    return np.frombuffer(raw, "<f4").reshape(-1, depth).astype(np.float32)


def _add_sources(features: Any, sources: Sequence[str]) -> None:
    if sources:
        features["sources"].bytes_list.value.extend(source.encode("utf-8") for source in sources)


def _sources(features: Any) -> list[str]:
    if "sources" not in features:
        return []
    return [source.decode("utf-8", "replace") for source in features["sources"].bytes_list.value]


def _parse(record: bytes) -> Any:
    from google.protobuf.message import DecodeError

    try:
        return _example_class().FromString(record).features.feature
    except DecodeError:
        raise _not_an_example("example") from None


def _not_an_example(kind: str) -> GmdVaeError:
    return GmdVaeError(f"A record is not a gmd-vae {kind} record", "Make the examples again with 'gmd-vae preprocess'.")


@functools.cache
def _example_class() -> Any:
    """The ``tensorflow.Example`` message class, in a private descriptor pool."""
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

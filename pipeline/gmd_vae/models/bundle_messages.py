"""The protobuf messages in the index of a checkpoint, without TensorFlow.

The fields are those of TensorFlow's ``core/protobuf/tensor_bundle.proto``, ``core/framework/tensor_shape.proto``,
``tensor_slice.proto`` and ``versions.proto``. A test compares the messages with the installed TensorFlow's.
"""

from __future__ import annotations

import functools
from typing import Any

HEADER, ENTRY = "BundleHeaderProto", "BundleEntryProto"


@functools.cache
def message_class(name: str) -> Any:
    """Returns the class of a message, from a private descriptor pool.

    Args:
        name: ``HEADER`` (of a whole checkpoint) or ``ENTRY`` (of one tensor).
    """
    from google.protobuf import descriptor_pool, message_factory

    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tensorflow.{name}"))


def _file() -> Any:
    from google.protobuf import descriptor_pb2

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="gmd_vae/tensor_bundle.proto", package="tensorflow", syntax="proto3")

    def message(name: str, /, **fields: tuple[int, Any]) -> None:
        """Adds a message. Each field has a number and a type; a type in a list is repeated, a text is a message."""
        added = file.message_type.add(name=name)
        for field_name, (number, kind) in fields.items():
            label = kinds.LABEL_REPEATED if isinstance(kind, list) else kinds.LABEL_OPTIONAL
            kind = kind[0] if isinstance(kind, list) else kind
            field = added.field.add(name=field_name, number=number, label=label)
            if isinstance(kind, str):
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".tensorflow.{kind}"
            else:
                field.type = kind

    integer, long = kinds.TYPE_INT32, kinds.TYPE_INT64  # enums are integers in wire format
    message("VersionDef", producer=(1, integer), min_consumer=(2, integer), bad_consumers=(3, [integer]))
    message("Dim", size=(1, long), name=(2, kinds.TYPE_STRING))
    message("TensorShapeProto", dim=(2, ["Dim"]), unknown_rank=(3, kinds.TYPE_BOOL))
    message("Extent", start=(1, long), length=(2, long))
    message("TensorSliceProto", extent=(1, ["Extent"]))
    message(HEADER, num_shards=(1, integer), endianness=(2, integer), version=(3, "VersionDef"))
    message(
        ENTRY,
        dtype=(1, integer),
        shape=(2, "TensorShapeProto"),
        shard_id=(3, integer),
        offset=(4, long),
        size=(5, long),
        crc32c=(6, kinds.TYPE_FIXED32),
        slices=(7, ["TensorSliceProto"]),
    )
    return file

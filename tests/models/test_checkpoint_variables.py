"""The variables of a checkpoint, read without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.checkpoint_index import header, table, tensor
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi.tfrecord import masked_crc
from gmd_vae.models.bundle_messages import ENTRY, HEADER, message_class
from gmd_vae.models.checkpoint_check import without_optimizer
from gmd_vae.models.checkpoint_variables import read_model_variables, read_variables
from gmd_vae.models.checkpoints import files_of, open_checkpoint

FLOAT32, FLOAT64, INT64, BFLOAT16, FLOAT16 = 1, 2, 9, 14, 19
Stored = Mapping[str, tuple[int, npt.NDArray[np.generic]]]


def write_checkpoint(folder: Path, *shards: Stored) -> Path:
    """Writes a checkpoint with one data file for each mapping of names to (TensorFlow's type, values)."""
    prefix, entries = folder / "model.ckpt-1", {}
    for number, tensors in enumerate(shards):
        data = b""
        for name, (dtype, values) in tensors.items():
            content = values.tobytes()
            place = {"shard_id": number, "offset": len(data), "size": len(content), "crc32c": masked_crc(content)}
            entries[name.encode()] = tensor(values.shape, dtype=dtype, **place)
            data += content
        prefix.with_name(f"{prefix.name}.data-{number:05}-of-{len(shards):05}").write_bytes(data)
    index = table({b"": header(num_shards=len(shards)), **dict(sorted(entries.items()))})
    prefix.with_name(f"{prefix.name}.index").write_bytes(index)
    return prefix


@pytest.mark.tensorflow
def test_the_variables_equal_those_that_tensorflow_reads(tiny_run: Path, tmp_path: Path) -> None:
    from gmd_vae.magenta.api import tf

    prefix = tiny_run / "train" / "model.ckpt-3"
    reader = tf.train.load_checkpoint(str(prefix))
    wanted = without_optimizer(sorted(reader.get_variable_to_shape_map()))
    archive = tmp_path / "published.tar"
    with tarfile.open(archive, "w") as tar:
        for file in files_of(prefix):
            tar.add(file, f"published/{file.name}")
    with open_checkpoint(archive) as unpacked:
        for variables in (read_variables(prefix), read_variables(unpacked)):
            assert list(variables) == wanted
            for name, values in variables.items():
                np.testing.assert_array_equal(values, reader.get_tensor(name), strict=True)
                assert not values.flags.writeable


@pytest.mark.tensorflow
def test_the_messages_are_those_of_tensorflow() -> None:
    from gmd_vae.magenta import api  # noqa: F401 - it must be the first import of TensorFlow
    from tensorflow.core.protobuf import tensor_bundle_pb2

    def fields(message: Any) -> dict[str, object]:
        """Numbers and types of the fields of a descriptor, in nested messages too; enums as integers."""
        return {
            field.name: (
                field.number,
                field.is_repeated,
                fields(field.message_type) if field.message_type else None,
                field.TYPE_INT32 if field.enum_type else field.type,
            )
            for field in message.fields
        }

    for name in (HEADER, ENTRY):
        assert fields(message_class(name).DESCRIPTOR) == fields(getattr(tensor_bundle_pb2, name).DESCRIPTOR)


def test_several_data_files_and_small_floats_are_read(tmp_path: Path) -> None:
    values = np.array([[0.5, -2], [1e-3, 65504]], np.float32)
    prefix = write_checkpoint(
        tmp_path,
        {"encoder/kernel": (FLOAT32, values), "global_step": (INT64, np.array(7))},
        {
            "encoder/bias": (FLOAT16, values.astype(np.float16)),
            "decoder/bias": (BFLOAT16, (values.view(np.uint32) >> 16).astype(np.uint16)),
            "encoder/kernel/Adam": (FLOAT32, values),
            "encoder/opaque_kernel": (FLOAT32, values),
            "count": (INT64, np.array([1])),
            "number": (FLOAT32, np.array(3, np.float32)),
            "none": (FLOAT32, np.zeros((2, 0), np.float32)),
        },
    )
    variables = read_variables(prefix)
    assert list(variables) == ["decoder/bias", "encoder/bias", "encoder/kernel", "none", "number"]
    np.testing.assert_array_equal(variables["encoder/kernel"], values, strict=True)
    np.testing.assert_array_equal(variables["encoder/bias"], values.astype(np.float16).astype(np.float32), strict=True)
    np.testing.assert_allclose(variables["decoder/bias"], values, rtol=1 / 128)
    assert variables["number"].shape == ()
    assert variables["none"].shape == (2, 0)


def refusal(prefix: Path) -> str:
    with pytest.raises(GmdVaeError) as caught:
        read_variables(prefix)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_damage_is_refused_in_one_line(tmp_path: Path) -> None:
    values = np.ones((2, 3), np.float32)
    prefix = write_checkpoint(tmp_path, {"encoder/kernel": (FLOAT32, values)})
    data = prefix.with_name("model.ckpt-1.data-00000-of-00001")
    data.write_bytes(b"\1" + data.read_bytes()[1:])
    assert "its data has changed: the checksum does not match" in refusal(prefix)
    assert "Give another one: RUN/best" in refusal(prefix)
    data.write_bytes(data.read_bytes()[:-1])
    assert "its data ends too early" in refusal(prefix)
    data.unlink()
    assert "No such file" in refusal(prefix)
    prefix = write_checkpoint(tmp_path, {"encoder/kernel": (FLOAT64, np.ones((2, 3)))})
    assert "'encoder/kernel' is float64" in refusal(prefix)


def test_arrays_that_share_their_data_are_refused(tmp_path: Path) -> None:
    """A small file would fill the memory."""
    (tmp_path / "model.ckpt-1.data-00000-of-00001").write_bytes(bytes(40))
    entries = {f"encoder/{number}".encode(): tensor() for number in range(2)}
    (tmp_path / "model.ckpt-1.index").write_bytes(table({b"": header(), **entries}))
    assert "gives several arrays the same data" in refusal(tmp_path / "model.ckpt-1")


def test_variables_larger_than_any_model_are_refused(tmp_path: Path) -> None:
    shape, size = (1 << 28,), 1 << 30
    with (tmp_path / "model.ckpt-1.data-00000-of-00001").open("wb") as data:
        data.truncate(5 * size)  # takes no space
    entries = {f"{number}".encode(): tensor(shape, size=size, offset=number * size) for number in range(5)}
    (tmp_path / "model.ckpt-1.index").write_bytes(table({b"": header(), **entries}))
    assert "take more than 4,294,967,296 bytes" in refusal(tmp_path / "model.ckpt-1")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"endianness": 1}, "big-endian"),
        ({"version": {"producer": 2, "min_consumer": 2}}, "a format that is not known"),
        ({"version": {"producer": 1, "bad_consumers": [1]}}, "a format that is not known"),
    ],
)
def test_other_formats_are_refused(tmp_path: Path, fields: dict[str, object], reason: str) -> None:
    (tmp_path / "model.ckpt-1.data-00000-of-00001").write_bytes(b"")
    content = message_class(HEADER)(num_shards=1, **fields).SerializeToString()
    (tmp_path / "model.ckpt-1.index").write_bytes(table({b"": content, b"a": tensor()}))
    assert reason in refusal(tmp_path / "model.ckpt-1")


def test_no_tensorflow_is_imported(tmp_path: Path) -> None:
    prefix = write_checkpoint(tmp_path, {"a": (FLOAT32, np.ones(3, np.float32))})
    program = (
        "import sys; from pathlib import Path; from gmd_vae.models.checkpoint_variables import read_variables; "
        "assert read_variables(Path(sys.argv[1]))['a'].sum() == 3; "
        "assert not {'tensorflow', 'magenta', 'note_seq'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program, str(prefix)], check=True)


def test_a_weight_that_is_no_float_is_refused_in_one_line(tmp_path: Path) -> None:
    shapes = {"decoder/kernel": (2, 3), "encoder/kernel": (4,)}
    stored: dict[str, tuple[int, npt.NDArray[np.generic]]] = {
        **{name: (FLOAT32, np.ones(shape, np.float32)) for name, shape in shapes.items()},
        "global_step": (INT64, np.array(7, np.int64)),
    }
    sound = write_checkpoint(tmp_path, stored)
    assert {name: values.shape for name, values in read_model_variables(sound, shapes).items()} == shapes
    with pytest.raises(GmdVaeError, match="decoder/bias is missing"):
        read_model_variables(sound, {**shapes, "decoder/bias": (3,)})
    odd = write_checkpoint(tmp_path, {**stored, "encoder/kernel": (INT64, np.ones(4, np.int64))})
    with pytest.raises(GmdVaeError, match="'encoder/kernel' does not hold floats"):
        read_model_variables(odd, shapes)

"""Damage of any kind in a checkpoint is detected."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError

pytestmark = pytest.mark.tensorflow

Change = Callable[[bytes], bytes]


@pytest.fixture
def prefix(tiny_run: Path, tmp_path: Path) -> Path:
    """Copies an undamaged checkpoint and returns its prefix."""
    (tmp_path / "train").mkdir()
    for file in (tiny_run / "train").glob("model.ckpt-3.*"):
        shutil.copy(file, tmp_path / "train")
    return tmp_path / "train" / "model.ckpt-3"


def index_of(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


def data_of(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.data-00000-of-00001")


def change(file: Path, how: Change) -> None:
    file.write_bytes(how(file.read_bytes()))


def flip(data: bytes, place: int, bits: int = 1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= bits
    return bytes(changed)


def copy(prefix: Path, step: int) -> Path:
    """Copies a checkpoint under another step."""
    other = prefix.with_name(f"model.ckpt-{step}")
    shutil.copy(index_of(prefix), index_of(other))
    shutil.copy(data_of(prefix), data_of(other))
    return other


def test_an_undamaged_checkpoint_has_no_damage(prefix: Path) -> None:
    from gmd_vae.models.checkpoint_check import find_damage, last_undamaged

    assert find_damage(prefix) is None
    assert last_undamaged(prefix.parent) == (prefix, [])


@pytest.mark.parametrize(
    ("how", "reason_start"),
    [
        (lambda data: flip(data, len(data) // 2), "its data has changed: the checksum does not match"),
        (lambda data: flip(data, 0, 0x80), "its data has changed: the checksum does not match"),
        (lambda data: flip(data, -1), "its data has changed: the checksum does not match"),
        (lambda data: data[: len(data) // 2], "its data ends too early"),
        (lambda data: data[:-1], "its data ends too early"),
        (lambda data: b"", "its data ends too early"),
        (lambda data: bytes(len(data)), "its data has changed: the checksum does not match"),
    ],
)
def test_damaged_data_is_detected(prefix: Path, how: Change, reason_start: str) -> None:
    from gmd_vae.models.checkpoint_check import find_damage

    change(data_of(prefix), how)
    assert find_damage(prefix) == reason_start


@pytest.mark.parametrize(
    ("how", "reason_start"),
    [
        (lambda index: flip(index, 50), "its index has changed: the checksum does not match"),
        (lambda index: index[: len(index) // 2], "its index is cut off or not an index"),
        (lambda index: index[:-1], "its index is cut off or not an index"),
        (lambda index: index[:20], "its index ends too early"),
        (lambda index: b"", "its index ends too early"),
        (lambda index: random.Random(1).randbytes(2000), "its index is cut off or not an index"),
        (lambda index: bytes(len(index)), "its index is cut off or not an index"),
        (lambda index: index[-48:], "its index"),  # only the end of an undamaged index
    ],
)
def test_a_damaged_index_is_detected(prefix: Path, how: Change, reason_start: str) -> None:
    from gmd_vae.models.checkpoint_check import check_fits, find_damage

    change(index_of(prefix), how)
    reason = find_damage(prefix)
    assert reason is not None
    assert reason.startswith(reason_start)
    assert "\n" not in reason
    with pytest.raises(GmdVaeError, match="cannot be read"):  # also where it is restored
        check_fits(prefix, {})


def test_a_missing_file_and_a_folder_in_its_place_are_detected(prefix: Path) -> None:
    from gmd_vae.models.checkpoint_check import find_damage

    data_of(prefix).unlink()
    assert find_damage(prefix) == "one of its files is missing"
    data_of(prefix).mkdir()
    assert "it is a folder" in (find_damage(prefix) or "")
    assert find_damage(prefix.with_name("model.ckpt-4")) == "one of its files is missing"


def test_a_flipped_byte_of_the_index_is_detected_or_changes_nothing(prefix: Path) -> None:
    """Also, TensorFlow must not abort the process."""
    from gmd_vae.magenta.api import tf
    from gmd_vae.models.checkpoint_check import find_damage

    original = index_of(prefix).read_bytes()
    content = tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map()
    rng = random.Random(5)
    places = [rng.randrange(len(original)) for _ in range(60)]
    places += range(len(original) - 48, len(original))  # the end has no checksum; it contains offsets and sizes
    detected = 0
    for place in places:
        index_of(prefix).write_bytes(flip(original, place, rng.randrange(1, 256)))
        if find_damage(prefix) is None:
            assert tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map() == content
        else:
            detected += 1
    assert detected > 50


@pytest.mark.parametrize("size", [0, 1 << 33, 1 << 40, (1 << 63) - 1, (1 << 64) - 6, (1 << 64) - 1])
def test_an_index_with_absurd_sizes_is_detected(prefix: Path, size: int) -> None:
    from gmd_vae.models.checkpoint_check import find_damage

    def varint(number: int) -> bytes:
        return bytes([number & 0x7F | 0x80]) + varint(number >> 7) if number >> 7 else bytes([number])

    # the end: offset and size of two blocks, padded to 40 bytes, and 8 bytes that mark an index
    end = b"".join(map(varint, (0, 8, 100, size))).ljust(40, b"\0")
    change(index_of(prefix), lambda index: index[:-48] + end + index[-8:])
    assert (find_damage(prefix) or "").startswith("its index")


def test_the_newest_undamaged_checkpoint_is_found_and_damaged_ones_are_listed(prefix: Path) -> None:
    from gmd_vae.models.checkpoint_check import last_undamaged

    flipped, cut, missing = copy(prefix, 40), copy(prefix, 50), copy(prefix, 60)
    change(data_of(flipped), lambda data: flip(data, 99))
    change(index_of(cut), lambda index: index[:9])
    data_of(missing).unlink()  # incomplete checkpoints are ignored
    assert last_undamaged(prefix.parent) == (
        prefix,
        [
            (cut, "its index ends too early"),
            (flipped, "its data has changed: the checksum does not match"),
        ],
    )
    data_of(prefix).write_bytes(b"")
    found, damaged = last_undamaged(prefix.parent)
    assert found is None
    assert [path for path, _ in damaged] == [cut, flipped, prefix]


def test_a_folder_without_checkpoints_has_none(tmp_path: Path) -> None:
    from gmd_vae.models.checkpoint_check import last_undamaged

    assert last_undamaged(tmp_path) == (None, [])
    assert last_undamaged(tmp_path / "nowhere") == (None, [])


def test_a_memory_error_is_no_damage(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gmd_vae.models import checkpoint_check

    def fail(tensor: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(checkpoint_check, "read_data", fail)
    with pytest.raises(MemoryError):
        checkpoint_check.find_damage(prefix)


def test_the_optimisers_variables_are_left_out(prefix: Path) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.models.checkpoint_check import without_optimizer

    names = sorted(tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map())
    ours = without_optimizer(names)
    assert sorted(set(names) - set(ours)) == sorted(
        ["beta1_power", "beta2_power", "global_step"]
        + [f"{name}/{slot}" for name in ours for slot in ("Adam", "Adam_1")]
    )
    assert without_optimizer(["decoder/Adamant/kernel", "beta1_power_1", "x/global_step"]) == [
        "decoder/Adamant/kernel",
        "x/global_step",
    ]


def test_copies_of_cudnn_are_reported_once(prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Magenta's official checkpoints, which were trained with cuDNN, contain them."""
    import tarfile

    from gmd_vae.magenta.api import tf
    from gmd_vae.models.checkpoint_check import check_fits
    from gmd_vae.models.checkpoints import files_of, open_checkpoint

    reader = tf.train.load_checkpoint(str(prefix))
    tensors = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    official = tmp_path / "groovae_4bar" / "model.ckpt-3061"
    official.parent.mkdir()
    extra = [f"encoder/cudnn_lstm/{place}/opaque_kernel" for place in ("forward", "backward")]
    with tf.Graph().as_default(), tf.Session() as session:
        names, values = zip(*tensors.items(), strict=True)
        every = [*values, *(tensors["global_step"] for _ in extra)]
        session.run(tf.raw_ops.SaveV2(
            prefix=str(official), tensor_names=[*names, *extra], shape_and_slices=[""] * len(every), tensors=every
        ))  # fmt: skip
    archive = tmp_path / "groovae_4bar.tar"
    with tarfile.open(archive, "w") as tar:
        for file in files_of(official):
            tar.add(file, f"groovae_4bar/{file.name}")
    wanted = {name: value.shape for name, value in tensors.items()}
    check_fits(prefix, wanted)
    assert capsys.readouterr().err == ""
    for _ in range(2):
        with open_checkpoint(archive) as unpacked:
            check_fits(unpacked, wanted)
            check_fits(unpacked, wanted)
    stderr = capsys.readouterr().err
    assert stderr.count("2 'opaque_kernel'") == stderr.count("\n") == 1

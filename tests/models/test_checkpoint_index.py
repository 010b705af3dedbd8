"""An index that describes what cannot be is one line; TensorFlow would end the process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.checkpoint_index import header, table, tensor
from fixtures.command_line import run
from gmd_vae.models.checkpoint_check import find_damage
from gmd_vae.models.checkpoint_index import DamagedCheckpointError, read_index

Entry = Callable[[], bytes]


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """The prefix of a checkpoint whose data file has 40 bytes; the index is written by each test."""
    (tmp_path / "model.ckpt-1.data-00000-of-00001").write_bytes(bytes(40))
    return tmp_path / "model.ckpt-1"


def write_index(prefix: Path, data: bytes) -> None:
    prefix.with_name(f"{prefix.name}.index").write_bytes(data)


def refusal(prefix: Path) -> str:
    with pytest.raises(DamagedCheckpointError) as caught:
        read_index(prefix)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_sound_index_is_read(prefix: Path) -> None:
    write_index(prefix, table({b"": header(), b"scalar": tensor((), size=4), b"weights": tensor(offset=4)}))
    assert {name: (entry.shape, entry.offset) for name, entry in read_index(prefix).items()} == {
        "scalar": ((), 0),
        "weights": ((2, 3), 4),
    }


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (lambda: tensor((2, -3)), "impossible shape"),
        (lambda: tensor((1,) * 255), "impossible shape"),
        (lambda: tensor((1 << 31, 1 << 31, 4), size=24), "another size"),
        (lambda: tensor((1 << 40,), size=4 << 40), "another size"),
        (lambda: tensor(size=-1), "another size"),
        (lambda: tensor(dtype=0), "something else than arrays of numbers"),
        (lambda: tensor(dtype=7), "something else than arrays of numbers"),
        (lambda: tensor(dtype=20), "something else than arrays of numbers"),
        (lambda: tensor(dtype=999), "something else than arrays of numbers"),
        (lambda: tensor(slices=[{}]), "something else than arrays of numbers"),
        (lambda: tensor(shard_id=1), "outside the data"),
        (lambda: tensor(shard_id=-1), "outside the data"),
        (lambda: tensor(offset=-1), "outside the data"),
        (lambda: tensor(offset=17), "its data ends too early"),
        (lambda: tensor(offset=(1 << 63) - 1), "its data ends too early"),
        (lambda: b"\xff" * 20, "cannot be read"),
    ],
)  # fmt: skip
def test_an_impossible_tensor_is_refused(prefix: Path, entry: Entry, reason: str) -> None:
    write_index(prefix, table({b"": header(), b"weights": entry()}))
    assert reason in refusal(prefix)


@pytest.mark.parametrize("shards", [0, -1, 1 << 30])
def test_an_impossible_number_of_data_files_is_refused(prefix: Path, shards: int) -> None:
    write_index(prefix, table({b"": header(num_shards=shards), b"weights": tensor()}))
    assert "data files" in refusal(prefix)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (lambda: {b"weights": tensor()}, "no header"),
        (lambda: {b"": header(), b"b": tensor(), b"a": tensor()}, "not sorted"),
        (lambda: {b"": header(), b"\x1b[2J": tensor()}, "no text"),
        (lambda: {b"": header(), b"\xff": tensor()}, "cannot be read"),
    ],
)
def test_impossible_names_are_refused(prefix: Path, pairs: Callable[[], dict[bytes, bytes]], reason: str) -> None:
    write_index(prefix, table(pairs()))
    assert reason in refusal(prefix)


@pytest.mark.parametrize(
    "change",
    [
        lambda block: block[:-4] + b"\xff\xff\xff\x7f",  # the number of places of whole keys
        lambda block: block[:-4] + bytes(4),
        lambda block: block[:-8] + b"\x05\0\0\0" + block[-4:],  # one inside an entry
        lambda block: b"\x05" + block[1:],  # the first key continues another
        lambda block: b"\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" + block[12:],
    ],
)
def test_impossible_blocks_are_refused(prefix: Path, change: Callable[[bytes], bytes]) -> None:
    write_index(prefix, table({b"": header(), b"weights": tensor()}, change))
    assert refusal(prefix).startswith("its index is damaged")


def test_a_pipe_among_the_files_is_refused_at_once(prefix: Path) -> None:
    write_index(prefix, table({b"": header(), b"weights": tensor()}))
    data = prefix.with_name("model.ckpt-1.data-00000-of-00001")
    data.unlink()
    os.mkfifo(data)
    assert "it is a pipe" in (find_damage(prefix) or "")


@pytest.mark.tensorflow
def test_generate_answers_in_one_line(prefix: Path) -> None:
    write_index(prefix, table({b"": header(), b"weights": tensor((2, -3))}))
    options = ("--config", "hierdec-drum_4bar_small", "-n", "1")
    answer = run(prefix.parent, "generate", "--checkpoint-file", str(prefix), *options, expect=1)
    assert "impossible shape" in answer.error

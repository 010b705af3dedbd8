"""Batches as functions of the step: every example once per epoch, and the same after a restart."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.changed_examples import changed_examples
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.midi.tfrecord import create, write_record
from gmd_vae.training.examples import Examples, Split, open_examples
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan
from gmd_vae.windows.extraction import Layout, Tensors
from gmd_vae.windows.preprocess import preprocess
from gmd_vae.windows.storage.records import label_example, read_label_example, tensor_example
from gmd_vae.windows.storage.shards import read_examples

pytestmark = pytest.mark.tensorflow

CONFIG = get_config("flat-drum_4bar_small")


@pytest.fixture(scope="module")
def examples(starter_examples: Path) -> Examples:
    return open_examples(starter_examples, CONFIG)


def rows(first: int, size: int, count: int, seed: int = 3) -> list[int]:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.input import shuffled_rows

    with tf.Graph().as_default(), tf.Session() as session:
        found: list[int] = session.run(shuffled_rows(tf.constant(first, tf.int64), size, count, seed)).tolist()
        return found


def test_each_epoch_is_all_examples_once_in_a_new_order() -> None:
    count = 301
    two_epochs = rows(0, 2 * count, count)
    first, second = two_epochs[:count], two_epochs[count:]
    assert sorted(first) == sorted(second) == list(range(count))
    assert np.mean([a == b for a, b in zip(first, second, strict=True)]) < 0.05
    assert rows(0, count, count, seed=4) != first


def test_a_batch_depends_on_its_position_alone_and_may_cross_an_epoch() -> None:
    assert rows(0, 700, 301)[290:320] == rows(290, 30, 301)


def test_a_split_of_one_example_works() -> None:
    assert rows(5, 3, 1) == [0, 0, 0]


def batch_of(examples: Examples, numbers: list[int], present: list[bool] | None = None) -> Any:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.input import LabelTable

    with tf.Graph().as_default(), tf.Session() as session:
        table = LabelTable(examples.train, CONFIG.drum_windows)
        batch = table.batch(tf.constant(numbers, tf.int64), None if present is None else tf.constant(present))
        session.run(tf.local_variables_initializer())
        arguments = {name: tensor for name, tensor in batch.arguments().items() if tensor is not None}
        return session.run(arguments)


def test_a_batch_holds_the_windows_of_its_rows_as_magentas_converter_makes_them(examples: Examples) -> None:
    labels = [read_label_example(record)[0] for record in read_examples(examples.folder, "train")]
    batch = batch_of(examples, [4, 0, 4])
    for row, number in enumerate([4, 0, 4]):
        np.testing.assert_array_equal(batch["output_sequence"][row].argmax(-1), labels[number])
        hits = [[label >> drum & 1 for drum in range(9)] + [label == 0] for label in labels[number]]
        np.testing.assert_array_equal(batch["input_sequence"][row], np.array(hits, np.float32))
    assert batch["sequence_length"].tolist() == [64, 64, 64]
    assert "control_sequence" not in batch


def test_absent_rows_have_length_0(examples: Examples) -> None:
    assert batch_of(examples, [1, 2], [True, False])["sequence_length"].tolist() == [64, 0]


def test_checkpoints_contain_no_examples(examples: Examples) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.input import LabelTable

    with tf.Graph().as_default():
        LabelTable(examples.train, CONFIG.drum_windows)
        assert not tf.global_variables()


def test_compressed_shards_give_the_same_batch(examples: Examples, starter_notes: Path, tmp_path: Path) -> None:
    preprocess(
        starter_notes,
        tmp_path / "packed",
        family_of(CONFIG).extractor(CONFIG),
        config=CONFIG.name,
        compress=True,
    )
    packed = open_examples(tmp_path / "packed", CONFIG)
    assert all(path.name.endswith(".gz") for path in packed.train.files)
    expected, found = batch_of(examples, [0, 3, 8]), batch_of(packed, [0, 3, 8])
    np.testing.assert_array_equal(found["output_sequence"], expected["output_sequence"])


def one_label(value: int, steps: int = 16) -> Callable[[list[bytes]], list[bytes]]:
    """Returns a function that replaces the last record by a window with one label."""
    window = np.zeros(steps, np.int64)
    window[3 % steps] = value
    return lambda records: [*records[:-1], label_example(window, ["x"])]


@pytest.mark.parametrize(
    ("change", "counted"),
    [
        (one_label(512), True),  # the nine classes have labels below 512
        (one_label(2**40), True),
        (one_label(2**62), True),
        (one_label(1, steps=15), True),
        (lambda records: [*records[:-1], b""], True),
        (lambda records: [*records[:-1], b"junk"], True),
        (lambda records: [*records[:-1], records[-1].replace(b"labels", b"lab\x97\x98s")], True),
        (lambda records: records[:-1], False),
        (lambda records: [*records, records[0]], False),
        (lambda records: records * 3, False),
    ],
)
def test_examples_that_do_not_fit_their_manifest_are_refused_in_one_line(
    short_examples: Path,
    short_model: Config,
    tmp_path: Path,
    change: Callable[[list[bytes]], list[bytes]],
    counted: bool,
) -> None:
    from gmd_vae.training.loop import train

    folder = changed_examples(short_examples, tmp_path / "changed", change, counted=counted)
    examples = open_examples(folder, short_model)
    run = Run(tmp_path / "run", short_model, short_model.hparams, 0, folder, examples.digest)
    run.folder.mkdir()
    run.describe(Plan(1))
    with pytest.raises(
        GmdVaeError, match=r"does not fit the manifest beside it.*Run 'gmd-vae preprocess' again"
    ) as caught:
        train(run, examples, Plan(1))
    assert "\n" not in str(caught.value)
    assert "Graph execution error" not in str(caught.value)


TENSORS = Layout("tensors", 4, 0, 3, 5, control_depth=2, output_dtype="float32", length_shape=(2,), input_ones=2)
WINDOW = Tensors(
    np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], np.bool_),
    np.arange(15, dtype=np.float32).reshape(3, 5),
    np.ones((3, 2), np.bool_),
    (1, 2),
)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": np.ones((5, 3), np.bool_) & [True, False, True], "outputs": np.zeros((5, 5), np.float32)},
        {"outputs": np.zeros((2, 5), np.float32)},
        {"outputs": np.full((3, 5), np.nan, np.float32)},
        {"outputs": np.full((3, 5), np.inf, np.float32)},
        {"controls": np.zeros((3, 3), np.bool_)},
        {"length": (-1, 2)},
        {"length": (0, 0)},
        {"length": (4, 4)},
        {"length": (2**40, 1)},
    ],
)
def test_arrays_out_of_range_are_found(change: dict[str, Any], tmp_path: Path) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.input import TensorTable

    def load(window: Tensors) -> None:
        with create(tmp_path / "x.tfrecord") as stream:
            for one in (WINDOW, window, WINDOW):
                write_record(stream, tensor_example(TENSORS, one, ["x"]))
        with tf.Graph().as_default(), tf.Session() as session:
            TensorTable(Split([tmp_path / "x.tfrecord"], 3, TENSORS))
            session.run(tf.local_variables_initializer())

    load(WINDOW)
    with pytest.raises(tf.errors.InvalidArgumentError, match="an array out of range"):
        load(WINDOW._replace(**change))


def test_a_column_out_of_range_is_found(tmp_path: Path) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.input import TensorTable

    wide = dataclasses.replace(TENSORS, input_depth=9)
    window = WINDOW._replace(inputs=np.eye(3, 9, 5, dtype=np.bool_))
    with create(tmp_path / "x.tfrecord") as stream:
        write_record(stream, tensor_example(wide, window, ["x"]))
    with tf.Graph().as_default(), tf.Session() as session:
        TensorTable(Split([tmp_path / "x.tfrecord"], 1, TENSORS))
        with pytest.raises(tf.errors.InvalidArgumentError, match="an array out of range"):
            session.run(tf.local_variables_initializer())

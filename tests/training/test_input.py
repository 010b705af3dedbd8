"""Batches as functions of the step: every example once per epoch, and the same after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.training.examples import Examples, open_examples
from gmd_vae.windows.preprocess import preprocess
from gmd_vae.windows.storage.records import read_label_example
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

"""Training for real, at tiny sizes, on the starter set."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import GmdVaeError
from pipeline.models.hparams import resolve
from pipeline.models.registry import get_config
from pipeline.training.examples import Examples, open_examples
from pipeline.training.run import Run

pytestmark = pytest.mark.tensorflow

CONFIG = get_config("flat-drum_4bar_small")  # the quickest to build
TINY = "enc_rnn_size=[16],dec_rnn_size=[16],z_size=4,batch_size=16"


Trained = tuple[Run, tuple[Any, Any, Any]]  # the run, and the outcome of each of its three starts


@pytest.fixture(scope="module")
def examples(starter_examples: Path) -> Examples:
    return open_examples(starter_examples, CONFIG)


def make_run(folder: Path, examples: Examples, hparams: str = TINY) -> Run:
    folder.mkdir(parents=True, exist_ok=True)
    return Run(folder, CONFIG, resolve(CONFIG, hparams), 7, examples.folder, examples.digest)


@pytest.fixture(scope="module")
def trained(examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of 40 steps, stopped at 30 and started again."""
    from pipeline.training.loop import train

    run = make_run(tmp_path_factory.mktemp("runs") / "flat", examples, TINY + ",learning_rate=0.01")
    run.describe()
    return run, (train(run, examples, 30), train(run, examples, 40), train(run, examples, 40))


def test_the_first_loss_is_that_of_a_model_that_knows_nothing(trained: Trained) -> None:
    _, (first, _, _) = trained
    assert first.first_loss == pytest.approx(64 * math.log(512), abs=2)  # 399.3 nats: 64 steps of 512 classes


def test_the_loss_falls(trained: Trained) -> None:
    _, (first, second, _) = trained
    assert first.loss < 0.9 * first.first_loss
    assert second.loss < 0.75 * first.first_loss


def test_a_run_goes_on_where_it_stopped(trained: Trained) -> None:
    run, (first, second, third) = trained
    assert (first.first_step, first.last_step) == (0, 30)
    assert (second.first_step, second.last_step) == (30, 40)
    assert second.first_loss < 0.8 * first.first_loss
    assert (third.first_step, third.last_step, third.loss) == (40, 40, None)
    assert third.checkpoint == run.train_folder / "model.ckpt-40"


def test_the_run_folder_holds_checkpoints_and_events_as_magentas_does(trained: Trained) -> None:
    from pipeline.models.magenta import tf

    run, _ = trained
    names = sorted(path.name for path in run.train_folder.iterdir())
    assert [name for name in names if "ckpt" in name] == [
        "model.ckpt-30.data-00000-of-00001",
        "model.ckpt-30.index",
        "model.ckpt-40.data-00000-of-00001",
        "model.ckpt-40.index",
    ]
    assert tf.train.latest_checkpoint(str(run.train_folder)) == str(run.train_folder / "model.ckpt-40")
    tags = set()
    for path in run.train_folder.glob("events*"):
        for event in tf.train.summary_iterator(str(path)):
            tags.update(value.tag for value in event.summary.value)
    assert {"loss", "losses/r_loss", "losses/kl_loss", "losses/kl_bits", "losses/kl_beta", "learning_rate"} <= tags


def test_metrics_are_one_line_each_without_gaps_or_repeats(trained: Trained) -> None:
    run, _ = trained
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 30, 40]
    assert all(line["loss"] > 0 and line["reconstruction"] > 0 and line["kl_bits"] >= 0 for line in lines)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint(
    trained: Trained, examples: Examples, tmp_path: Path
) -> None:
    import shutil

    from pipeline.training.loop import train

    run, _ = trained
    shutil.copytree(run.folder, tmp_path / "run")
    wild = dataclasses.replace(run, folder=tmp_path / "run", hparams={**run.hparams, "learning_rate": 1e30})
    with pytest.raises(GmdVaeError, match=r"loss is .* at step .*learning_rate"):
        train(wild, examples, 60)
    from pipeline.models import checkpoints

    assert checkpoints.find(wild.folder).name == "model.ckpt-40"


def test_a_checkpoint_of_other_sizes_is_refused_with_the_sizes(trained: Trained, examples: Examples) -> None:
    from pipeline.training.loop import train

    run, _ = trained
    other = dataclasses.replace(run, hparams={**run.hparams, "z_size": 5})
    with pytest.raises(
        GmdVaeError, match=r"lstm_cell/kernel is 532 × 64, the config makes it 533 × 64.*more\)"
    ) as caught:
        train(other, examples, 60)
    assert "Adam" not in str(caught.value)


def test_each_epoch_is_all_examples_once_in_a_new_order_that_survives_a_restart(examples: Examples) -> None:
    from pipeline.examples.records import read_label_example
    from pipeline.training.input import shuffled_records

    def order(first: int, count: int, seed: int = 3) -> list[tuple[int, ...]]:
        from pipeline.models.magenta import tf

        with tf.Graph().as_default(), tf.Session() as session:
            dataset = shuffled_records(examples.train_files, examples.train_count, seed, first)
            iterator = tf.data.make_initializable_iterator(dataset.batch(count))
            session.run(iterator.initializer)
            return [tuple(read_label_example(record)[0]) for record in session.run(iterator.get_next())]

    size = examples.train_count
    two_epochs = order(0, 2 * size)
    first, second = two_epochs[:size], two_epochs[size:]
    assert len(set(first)) == size  # the examples are distinct
    assert set(first) == set(second)
    assert first != second
    assert np.mean([a == b for a, b in zip(first, second, strict=True)]) < 0.05
    assert order(size + 5, 20) == second[5:25]
    assert order(0, size, seed=4) != first

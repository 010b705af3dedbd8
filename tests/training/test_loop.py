"""Training at tiny sizes on the starter set."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import resolve
from gmd_vae.training.examples import Examples, open_examples
from gmd_vae.training.run.folder import InitFrom, Run
from gmd_vae.training.run.run_file import Plan

pytestmark = pytest.mark.tensorflow

UNTRAINED = 16 * math.log(512)  # 99.8 nats: 16 steps, uniform over 512 classes


MakeRun = Callable[..., Run]
Trained = tuple[Run, tuple[Any, Any, Any]]  # the run, and the outcomes of its three starts


@pytest.fixture(scope="module")
def examples(short_examples: Path, short_model: Config) -> Examples:
    return open_examples(short_examples, short_model)


@pytest.fixture(scope="module")
def make_run(examples: Examples, short_model: Config) -> MakeRun:
    """``make_run(folder, hparams)``: a run without checkpoints."""

    def make(folder: Path, hparams: str = "") -> Run:
        folder.mkdir(parents=True, exist_ok=True)
        return Run(folder, short_model, resolve(short_model, hparams), 7, examples.folder, examples.digest)

    return make


@pytest.fixture(scope="module")
def trained(make_run: MakeRun, examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of 40 steps: 30, then 10 more, then a start with nothing left to do."""
    from gmd_vae.training.loop import train

    run = make_run(tmp_path_factory.mktemp("runs") / "flat", "learning_rate=0.01")
    run.describe(Plan(30))
    return run, tuple(train(run, examples, Plan(steps, validate_every=10)) for steps in (30, 40, 40))


def test_the_first_loss_is_that_of_an_untrained_model(trained: Trained) -> None:
    _, (first, _, _) = trained
    assert first.first_loss == pytest.approx(UNTRAINED, abs=1)


def test_the_loss_falls(trained: Trained) -> None:
    _, (first, second, _) = trained
    assert first.loss < 0.9 * first.first_loss
    assert second.loss < 0.75 * first.first_loss


def test_a_run_resumes_where_it_stopped(trained: Trained) -> None:
    run, (first, second, third) = trained
    assert (first.first_step, first.last_step) == (0, 30)
    assert (second.first_step, second.last_step) == (30, 40)
    assert second.first_loss < 0.8 * first.first_loss
    assert (third.first_step, third.last_step, third.loss) == (40, 40, None)
    assert third.checkpoint == run.train_folder / "model.ckpt-40"


def test_the_run_folder_holds_checkpoints_and_events_as_magentas_does(trained: Trained) -> None:
    from gmd_vae.magenta.api import tf

    run, _ = trained
    names = sorted(path.name for path in run.train_folder.iterdir())
    assert [name for name in names if "ckpt" in name] == [
        f"model.ckpt-{step}.{piece}" for step in (20, 30, 40) for piece in ("data-00000-of-00001", "index")
    ]
    assert tf.train.latest_checkpoint(str(run.train_folder)) == str(run.train_folder / "model.ckpt-40")
    tags = set()
    for path in run.train_folder.glob("events*"):
        for event in tf.train.summary_iterator(str(path)):
            tags.update(value.tag for value in event.summary.value)
    assert {"loss", "losses/r_loss", "losses/kl_loss", "losses/kl_bits", "losses/kl_beta", "learning_rate"} <= tags


def test_metrics_are_one_line_each_without_gaps_or_repeats(trained: Trained, examples: Examples) -> None:
    run, _ = trained
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    by_split = {name: [line for line in lines if line["split"] == name] for name in ("train", "validation")}
    assert [line["step"] for line in by_split["train"]] == [1, 20, 30, 40]
    assert [line["step"] for line in by_split["validation"]] == [10, 20, 30, 40]
    assert all(line["reconstruction"] > 0 and line["kl_bits"] >= 0 > line["elbo"] for line in lines)
    assert all(
        line["windows"] == examples.validation.count and 0 <= line["accuracy"] <= 1 for line in by_split["validation"]
    )
    assert by_split["train"][0]["learning_rate"] == pytest.approx(0.01)
    assert by_split["train"][0]["sampling_probability"] == 0  # the config is teacher-forced


def test_the_best_checkpoint_is_kept_with_its_figures(trained: Trained) -> None:
    from gmd_vae.magenta.api import tf

    run, (first, _, third) = trained
    figures = json.loads((run.best_folder / "validation.json").read_text())
    assert third.best is not None
    assert figures == dataclasses.asdict(third.best)
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert third.best.elbo == max(line["elbo"] for line in lines if line["split"] == "validation")
    assert tf.train.latest_checkpoint(str(run.best_folder)) == str(run.best_folder / f"model.ckpt-{third.best.step}")
    assert first.best is not None


def test_patience_stops_a_run_and_it_stays_stopped(make_run: MakeRun, examples: Examples, tmp_path: Path) -> None:
    """The learning rate falls to almost zero, so that validation soon stops improving."""
    from gmd_vae.training.loop import train

    run = make_run(tmp_path / "run", "learning_rate=1.0,decay_rate=0.5,min_learning_rate=1e-30")
    plan = Plan(400, validate_every=5, patience=2)
    run.describe(plan)
    outcome = train(run, examples, plan)
    assert outcome.stopped == "patience"
    assert outcome.best is not None
    assert outcome.last_step == outcome.best.step + 10 < 400
    again = train(run, examples, plan)
    assert (again.first_step, again.last_step, again.loss, again.stopped) == (
        outcome.last_step,
        outcome.last_step,
        None,
        "patience",
    )
    longer = train(run, examples, dataclasses.replace(plan, patience=3))
    assert longer.last_step > outcome.last_step


def test_a_damaged_checkpoint_is_reported_and_skipped(
    trained: Trained, examples: Examples, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from gmd_vae.training.loop import train

    run, _ = trained
    shutil.copytree(run.folder, tmp_path / "run")
    copy = dataclasses.replace(run, folder=tmp_path / "run")
    data = copy.train_folder / "model.ckpt-40.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-100])
    outcome = train(copy, examples, Plan(40, validate_every=10))
    assert "Skipped checkpoint" in (err := capsys.readouterr().err)
    assert "model.ckpt-40" in err
    assert (outcome.first_step, outcome.last_step) == (30, 40)


def test_a_validation_lost_in_a_kill_is_repeated(trained: Trained, examples: Examples, tmp_path: Path) -> None:
    import shutil

    from gmd_vae.training.loop import train

    run, (_, _, third) = trained
    shutil.copytree(run.folder, tmp_path / "run")
    copy = dataclasses.replace(run, folder=tmp_path / "run")
    shutil.rmtree(copy.best_folder)
    metrics = copy.folder / "metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join(line for line in lines if '"validation", "step": 40' not in line) + '{"split": "tr')
    outcome = train(copy, examples, Plan(40, validate_every=10))
    assert outcome.loss is None
    assert outcome.best == third.best
    assert metrics.read_text() == "".join(lines)


def test_a_run_starts_from_given_weights(
    trained: Trained, make_run: MakeRun, examples: Examples, tmp_path: Path
) -> None:
    """Fine-tuning from an archive as Magenta publishes them: step and optimizer start fresh."""
    import tarfile

    from gmd_vae.magenta.api import tf
    from gmd_vae.models.card import InitialWeights
    from gmd_vae.training.loop import train
    from gmd_vae.training.run.initial_weights import resolve_init_from

    run, (_, second, _) = trained
    with tarfile.open(tmp_path / "flat.tar", "w") as tar:
        for piece in second.checkpoint.parent.glob("model.ckpt-40.*"):
            tar.add(piece, f"flat/{piece.name}")
    begun = resolve_init_from(tmp_path / "flat.tar")
    digest = resolve_init_from(run.folder / "latest").digest
    assert begun == InitFrom(tmp_path / "flat.tar", digest, (InitialWeights("flat.tar", digest),))
    tuned = dataclasses.replace(make_run(tmp_path / "tuned"), init_from=begun)
    outcome = train(tuned, examples, Plan(1))
    assert (outcome.first_step, outcome.last_step) == (0, 1)
    assert outcome.first_loss < 0.8 * UNTRAINED
    reader = tf.train.load_checkpoint(str(outcome.checkpoint))
    before = tf.train.load_checkpoint(str(second.checkpoint))
    name = "decoder/output_projection/bias" if before.has_tensor("decoder/output_projection/bias") else None
    name = name or next(n for n in before.get_variable_to_shape_map() if n.endswith("output_projection/bias"))
    moved = np.abs(reader.get_tensor(name) - before.get_tensor(name)).max()
    assert 0 < moved <= 1.1 * tuned.hparams["learning_rate"]  # size of Adam's first step
    assert reader.get_tensor("beta1_power") == pytest.approx(0.9**2)  # after one step, not forty-one


def test_examples_without_validation_windows_are_trained_without_a_best(
    make_run: MakeRun, examples: Examples, tmp_path: Path
) -> None:
    from gmd_vae.training.examples import Split
    from gmd_vae.training.loop import train

    without = dataclasses.replace(examples, validation=Split([], 0, examples.layout))
    run = make_run(tmp_path / "run")
    outcome = train(run, without, Plan(2, validate_every=1))
    assert outcome.best is None
    assert not run.best_folder.exists()
    assert outcome.checkpoint == run.train_folder / "model.ckpt-2"


def test_one_batch_is_memorised(make_run: MakeRun, examples: Examples, tmp_path: Path) -> None:
    from gmd_vae.training.overfit import overfit

    run = make_run(tmp_path / "none", "enc_rnn_size=[64],dec_rnn_size=[64],z_size=16,batch_size=4")
    run = dataclasses.replace(run, hparams={**run.hparams, "learning_rate": 0.02})
    result = overfit(run, examples.train, 400)
    assert result.learns
    assert result.first == pytest.approx(UNTRAINED, abs=1)
    assert list((tmp_path / "none").iterdir()) == []
    still = dataclasses.replace(run, hparams={**run.hparams, "learning_rate": 1e-12, "min_learning_rate": 1e-12})
    assert not overfit(still, examples.train, 3).learns


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(
    trained: Trained, examples: Examples, tmp_path: Path
) -> None:
    import shutil

    from gmd_vae.training.loop import train

    run, _ = trained
    shutil.copytree(run.folder, tmp_path / "run")
    wild = dataclasses.replace(run, folder=tmp_path / "run", hparams={**run.hparams, "learning_rate": 1e30})
    with pytest.raises(GmdVaeError, match=r"loss is .* at step .*learning_rate"):
        train(wild, examples, Plan(60))
    from gmd_vae.models import checkpoints

    assert checkpoints.find(wild.train_folder).name == "model.ckpt-40"


def test_a_run_whose_updates_are_all_skipped_is_stopped(trained: Trained, examples: Examples, tmp_path: Path) -> None:
    """Magenta's clipping makes gradients above the limit zero, at every step."""
    import shutil

    from gmd_vae.training.loop import train

    run, _ = trained
    shutil.copytree(run.folder, tmp_path / "run")
    stuck = dataclasses.replace(run, folder=tmp_path / "run", hparams={**run.hparams, "grad_norm_clip_to_zero": 1e-9})
    assert train(stuck, examples, Plan(139)).skipped_updates == 99
    with pytest.raises(GmdVaeError, match=r"last 100 steps, up to step 239, changed nothing: .*=1e-09.*learning_rate"):
        train(stuck, examples, Plan(300))
    assert not (stuck.train_folder / "model.ckpt-300.index").exists()


def test_a_checkpoint_of_other_sizes_is_refused_with_the_sizes(trained: Trained, examples: Examples) -> None:
    from gmd_vae.training.loop import train

    run, _ = trained
    other = dataclasses.replace(run, hparams={**run.hparams, "z_size": 5})
    with pytest.raises(
        GmdVaeError, match=r"lstm_cell/kernel is 528 × 48, the config makes it 529 × 48.*more\)"
    ) as caught:
        train(other, examples, Plan(60))
    assert "Adam" not in str(caught.value)

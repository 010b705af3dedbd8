"""A run is made from the options and from an existing run folder."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.layers import STOCK, Layers
from gmd_vae.configuration.registry import get_config
from gmd_vae.training.run import prepare as module
from gmd_vae.training.run.folder import InitFrom, read_run
from gmd_vae.training.run.initial_weights import resolve_init_from
from gmd_vae.training.run.prepare import Request, describe, prepare
from gmd_vae.training.run.run_file import Plan


def no_cutting(*_: object) -> None:
    raise AssertionError("the examples exist")


@pytest.fixture
def request_for(starter_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Request]:
    monkeypatch.chdir(tmp_path)

    def make(**given: object) -> Request:
        return Request(**{"examples_path": starter_examples, **given})  # type: ignore[arg-type]

    return make


def begin(request: Request) -> Path:
    """Returns the run folder as ``train`` writes it before the first step."""
    job = prepare(request, no_cutting)
    job.run.folder.mkdir(parents=True)
    job.run.describe(job.plan)
    return job.run.folder


def reached(folder: Path, step: int) -> None:
    (folder / "train").mkdir(exist_ok=True)
    for piece in ("index", "data-00000-of-00001"):
        (folder / "train" / f"model.ckpt-{step}.{piece}").write_bytes(b"")


def test_the_defaults_are_those_of_the_default_config(request_for: Callable[..., Request]) -> None:
    job = prepare(request_for(), no_cutting)
    assert job.run.config.name == "hierdec-drum_4bar_small"
    assert job.run.folder == Path("runs/hierdec-drum_4bar_small")
    assert job.plan == Plan(get_config("hierdec-drum_4bar_small").num_steps, patience=10)
    assert (job.run.seed, job.run.init_from) == (0, None)
    assert not Path("runs").exists()


def test_options_not_given_come_from_the_run_folder(
    request_for: Callable[..., Request], starter_examples: Path
) -> None:
    first = request_for(
        config="flat-drum_4bar_small",
        run_dir=Path("runs/mine"),
        hparams="batch_size=8",
        seed=3,
        num_steps=50,
        patience=2,
        validate_every=10,
    )
    folder = begin(first)
    job = prepare(Request(run_dir=folder), no_cutting)
    assert job.run == read_run(folder)
    assert (job.run.hparams["batch_size"], job.run.seed, job.run.examples) == (8, 3, starter_examples)
    assert job.plan == Plan(50, validate_every=10, patience=2)
    assert prepare(Request(run_dir=folder, patience=7), no_cutting).plan.patience == 7


def test_a_run_without_a_number_of_steps_has_patience(request_for: Callable[..., Request]) -> None:
    """2,000 steps of it, and no fewer than 5 validations."""

    def patience(**given: object) -> int | None:
        return prepare(request_for(**given), no_cutting).plan.patience

    assert [patience(validate_every=every) for every in (50, 200, 300, 1000)] == [40, 10, 7, 5]
    assert patience(num_steps=500) is None  # the steps that were asked for, in full
    assert patience(num_steps=500, patience=3) == patience(patience=3) == 3
    assert patience(patience=0) is None


def test_magentas_own_configs_have_no_patience(request_for: Callable[..., Request], starter_examples: Path) -> None:
    """Magenta has none; its drum config reads other windows than ours, so its plan is made for a run of the latter."""
    job = prepare(request_for(), no_cutting)
    magentas = dataclasses.replace(job.run, config=get_config("cat-drums_2bar_small"), folder=Path("runs/magenta"))
    assert module._plan(Request(), magentas).patience is None
    ours = dataclasses.replace(job.run, config=get_config("cat-drums_2bar_laptop"), folder=Path("runs/ours"))
    assert module._plan(Request(), ours).patience == 10


def test_the_patience_of_a_run_stays_as_it_began(request_for: Callable[..., Request]) -> None:
    folder = begin(request_for(run_dir=Path("runs/mine"), num_steps=50))
    assert prepare(Request(run_dir=folder), no_cutting).plan == Plan(50)
    folder = begin(request_for(run_dir=Path("runs/patient")))
    assert prepare(Request(run_dir=folder, num_steps=20_000), no_cutting).plan == Plan(20_000, patience=10)
    assert prepare(Request(run_dir=folder, patience=0), no_cutting).plan.patience is None


def test_layers_default_to_accelerated_fp32_and_stay_as_they_began(
    request_for: Callable[..., Request],
) -> None:
    assert prepare(request_for(), no_cutting).run.layers == Layers(accelerated=True, precision="fp32")
    folder = begin(request_for(run_dir=Path("runs/bf16"), precision="bf16"))
    assert prepare(Request(run_dir=folder), no_cutting).run.layers == Layers(precision="bf16")
    assert prepare(request_for(run_dir=folder, accelerated=False), no_cutting).run.layers == STOCK
    begin(request_for(accelerated=False))
    assert prepare(request_for(), no_cutting).run.layers == STOCK


@pytest.mark.parametrize("fastest", ["fp32", "bf16"])
def test_auto_selects_the_best_precision_of_the_device(
    request_for: Callable[..., Request], monkeypatch: pytest.MonkeyPatch, fastest: str
) -> None:
    monkeypatch.setattr("gmd_vae.training.run.prepare.best_precision", lambda: fastest)
    assert prepare(request_for(precision="auto"), no_cutting).run.layers == Layers(precision=fastest)


def test_a_finished_run_resumes_up_to_the_steps_of_the_config(request_for: Callable[..., Request]) -> None:
    folder = begin(request_for(num_steps=50))
    assert describe(prepare(request_for(), no_cutting))[-1] == "Run folder: runs/hierdec-drum_4bar_small"
    reached(folder, 49)
    resumed = describe(prepare(request_for(), no_cutting))[-1]
    assert resumed == "Run folder: runs/hierdec-drum_4bar_small, which goes on after step 49 of 50"
    assert prepare(request_for(), no_cutting).plan.num_steps == 50  # killed before its last step
    reached(folder, 50)
    assert prepare(request_for(), no_cutting).plan.num_steps == get_config("hierdec-drum_4bar_small").num_steps
    assert prepare(request_for(num_steps=70), no_cutting).plan.num_steps == 70


def test_a_config_that_windows_do_not_fit_is_refused(request_for: Callable[..., Request]) -> None:
    with pytest.raises(GmdVaeError, match=r"slice_bars is 4, not 16"):
        prepare(request_for(config="hierdec-drum_16bar_small"), no_cutting)


def test_too_few_examples_for_a_batch_are_refused_before_the_start(request_for: Callable[..., Request]) -> None:
    with pytest.raises(GmdVaeError, match=r"too few for a batch of 100000. Train with --hparams batch_size=\d+"):
        prepare(request_for(hparams="batch_size=100000"), no_cutting)
    assert not Path("runs").exists()


def test_lack_of_memory_is_reported_with_a_batch_size_to_try(
    request_for: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module, "memory", lambda _: {"total_bytes": int(64e9), "available_bytes": int(1e9), "limit_bytes": int(1e9)}
    )
    monkeypatch.setattr(module, "gpus", lambda: [{"name": "a GPU"}])
    assert prepare(request_for(), no_cutting)  # the estimate is of CPU memory
    monkeypatch.setattr(module, "gpus", lambda: [])
    with pytest.raises(
        GmdVaeError, match=r"takes about \d\.\d GB .* this machine has 1\.0. Train with .*batch_size=16"
    ):
        prepare(request_for(), no_cutting)


def test_a_full_disk_is_reported_before_the_start(
    request_for: Callable[..., Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))  # type: ignore[attr-defined]
    with pytest.raises(GmdVaeError, match=r"too full: training needs about 90\.4 MB for 5 checkpoints of 18\.1 MB"):
        prepare(request_for(), no_cutting)


def test_the_description_names_sizes_and_counts(request_for: Callable[..., Request]) -> None:
    job = prepare(request_for(hparams="batch_size=16", patience=4), no_cutting)
    text = "\n".join(describe(job))
    assert "Config: hierdec-drum_4bar_small with batch_size=16" in text
    assert f"{job.examples.train.count} for training, {job.examples.train.count / 16:.1f} steps of 16 an epoch" in text
    assert f"Validation: {job.examples.validation.count} windows, every 200 steps and at the end" in text
    assert "stops after 4 without a new best" in text
    assert "1,129,728 parameters, 18.1 MB per checkpoint; keeps 3 and the best, 72 MB" in text
    tuned = dataclasses.replace(job, run=dataclasses.replace(job.run, init_from=InitFrom(Path("groove-4bar"), "abc")))
    assert "windows, before the first step, every 200 steps and" in "\n".join(describe(tuned))
    odd = {**job.run.hparams, "beta_warm_up_steps": 10**6, "decay_rate": 0.5}
    notes = "\n".join(describe(dataclasses.replace(job, run=dataclasses.replace(job.run, hparams=odd))))
    assert "Note: β rises until step 1,000,000 (beta_warm_up_steps), and the run ends at step" in notes
    assert "Note: decay_rate has no effect with learning_rate_schedule=cooldown." in notes
    assert "has no effect" not in text
    of_test = "\n".join(describe(job, keeps=False))
    assert "1,129,728 parameters; no run folder is written" in of_test
    assert not any(word in of_test for word in ("Run folder:", "Validation", "checkpoint"))
    nothing = dataclasses.replace(job.examples, validation=dataclasses.replace(job.examples.validation, count=0))
    assert "Validation: none" in "\n".join(describe(dataclasses.replace(job, examples=nothing)))


def test_initial_weights_are_resolved_to_a_prefix(tiny_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(tiny_run, copy)
    exact = copy / "train" / "model.ckpt-3"
    spellings = [copy / "latest", copy / "train", exact, Path(f"{exact}.index")]
    found = [resolve_init_from(path) for path in spellings]
    assert {one.path for one in found} == {exact}
    assert len({one.digest for one in found}) == 1
    best = resolve_init_from(copy)
    assert best.path == copy / "best" / "model.ckpt-3"
    assert best.digest == found[0].digest  # the same bytes
    assert resolve_init_from("groove-4bar").path == Path("groove-4bar")
    with pytest.raises(GmdVaeError, match="No checkpoint"):
        resolve_init_from(tmp_path / "nothing")


def test_other_initial_weights_are_refused(request_for: Callable[..., Request], tiny_run: Path) -> None:
    folder = begin(request_for(run_dir=Path("runs/mine")))
    job = prepare(request_for(run_dir=folder, init_from=tiny_run), no_cutting)
    (folder / "metrics.jsonl").write_text('{"split": "train", "step": 20}\n')
    with pytest.raises(GmdVaeError, match="it began with random weights"):
        job.run.describe(job.plan)


def test_an_unknown_config_is_a_usage_error(request_for: Callable[..., Request]) -> None:
    with pytest.raises(UsageError, match="hierdec-drum_4bar_small"):
        prepare(request_for(config="hierdec-drum_4bar_smal"), no_cutting)
    assert get_config("hierdec-drum_4bar_small")


def test_the_planned_schedule_of_the_learning_rate_keeps_the_length_of_the_first_plan(
    request_for: Callable[..., Request],
) -> None:
    assert prepare(request_for(hparams="learning_rate_schedule=exponential"), no_cutting).run.schedule_steps is None
    folder = begin(request_for(run_dir=Path("runs/mine"), num_steps=50))
    assert "a cooldown over 50 steps" in "\n".join(describe(prepare(Request(run_dir=folder), no_cutting)))
    job = prepare(Request(run_dir=folder, num_steps=70), no_cutting)  # nothing was trained yet
    assert job.run.schedule_steps == 70
    job.run.describe(job.plan)
    reached(folder, 40)
    job = prepare(Request(run_dir=folder, num_steps=90), no_cutting)
    assert (job.plan.num_steps, job.run.schedule_steps) == (90, 70)
    assert "after step 70 the learning rate stays at its minimum, 1e-05" in "\n".join(describe(job))
    job.run.describe(job.plan)  # the same run
    assert read_run(folder) == job.run

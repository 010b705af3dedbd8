"""``gmd-vae generate``: which checkpoint is meant, and what cannot be meant."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline import cli
from pipeline.models.layers import ACCELERATED, STOCK, Layers
from pipeline.models.registry import DEFAULT_CONFIG, get_config
from pipeline.training.run import Plan, Run

Generate = Callable[..., tuple[int, str]]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stands in for the part that needs TensorFlow; what it was asked for."""
    asked: list[dict[str, Any]] = []

    def generate(
        request: Any,
        config: Any,
        hparams: dict[str, Any],
        checkpoint: Path,
        inputs: Any,
        target: Path,
        layers: Layers,
        render: Any,
    ) -> list[Any]:
        asked.append(
            {"config": config.name, "hparams": hparams, "checkpoint": checkpoint, "target": target, "layers": layers}
        )
        return []

    module = ModuleType("pipeline.generation.generate")
    module.generate, module.Request = generate, lambda *_: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return asked


@pytest.fixture
def generate(capsys: pytest.CaptureFixture[str]) -> Generate:
    """Runs the command; its exit code and what it said on stderr."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stopped:
            cli.main(["generate", *map(str, arguments)])
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, capsys.readouterr().err

    return run


def write(prefix: Path) -> Path:
    prefix.parent.mkdir(parents=True, exist_ok=True)
    for end in (".index", ".data-00000-of-00001"):
        prefix.with_name(prefix.name + end).write_bytes(b"x")
    return prefix


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with one run, whose best checkpoint is not its latest; the run's path in it."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/mine")
    folder.mkdir(parents=True)
    config = get_config(DEFAULT_CONFIG)
    Run(folder, config, {**config.hparams, "z_size": 7}, 1, Path("data"), "digest").describe(Plan(2000))
    write(folder / "best" / "model.ckpt-1200")
    write(folder / "train" / "model.ckpt-1400")
    write(folder / "train" / "model.ckpt-1500")
    return folder


@pytest.mark.parametrize("run_dir", [True, False])
@pytest.mark.parametrize(
    ("word", "meant"),
    [(None, "best/model.ckpt-1200"), ("best", "best/model.ckpt-1200"), ("latest", "train/model.ckpt-1500")],
)
def test_a_run_and_a_word_say_which_checkpoint(
    run: Path, asked: list[dict[str, Any]], generate: Generate, run_dir: bool, word: str | None, meant: str
) -> None:
    arguments = (["--run-dir", run] if run_dir else []) + (["--checkpoint-file", word] if word else [])
    code, err = generate(*arguments)
    assert code == 0, err
    assert f"{DEFAULT_CONFIG}, checkpoint {run / meant}" in err.splitlines()
    (what,) = asked
    assert what["checkpoint"] == run / meant
    assert (what["config"], what["hparams"]["z_size"]) == (DEFAULT_CONFIG, 7)
    assert what["target"].parent == run / "generated"


def test_a_run_without_validation_has_its_latest_and_no_best(
    run: Path, asked: list[dict[str, Any]], generate: Generate
) -> None:
    shutil.rmtree(run / "best")
    assert generate()[0] == 0
    assert asked[0]["checkpoint"] == run / "train" / "model.ckpt-1500"
    code, err = generate("--checkpoint-file", "best")
    assert code == 1
    assert "'runs/mine/best' has no checkpoint: the run has no validation windows" in err
    assert "There is 'runs/mine/latest' (step 1500)." in err
    assert len(asked) == 1


@pytest.mark.parametrize("spelling", ["runs/mine/latest", "./latest", "runs/mine/train/model.ckpt-1500.index"])
def test_a_path_stands_alone_with_its_config(
    run: Path, asked: list[dict[str, Any]], generate: Generate, spelling: str
) -> None:
    shutil.copytree(run / "train", "latest")  # a folder that has the name of a word
    code, err = generate("--checkpoint-file", spelling, "--config", DEFAULT_CONFIG)
    assert code == 0, err
    assert asked[0]["checkpoint"].name == "model.ckpt-1500"
    assert (asked[0]["checkpoint"].parts[0] == "latest") == (spelling == "./latest")
    assert asked[0]["target"].parent == Path("generated")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run-dir", "runs/mine", "--checkpoint-file", "x.index"], "With --run-dir, --checkpoint-file is 'best' or"),
        (["--checkpoint-file", "x.index"], "needs --config"),
        (["--checkpoint-file", "./best"], "needs --config"),
        (["--checkpoint-file", "best", "--config", DEFAULT_CONFIG], "a run folder knows its own"),
        (["--run-dir", "runs/mine", "--config", DEFAULT_CONFIG], "a run folder knows its own"),
        (["--config", DEFAULT_CONFIG], "a run folder knows its own"),
        (["--mode", "interpolate"], "--input-midi twice"),
        (["--input-midi", "a.mid"], "goes with --mode interpolate"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    run: Path, asked: list[dict[str, Any]], generate: Generate, arguments: list[str], said: str
) -> None:
    code, err = generate(*arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert not asked


@pytest.mark.parametrize("word", ["best", "latest"])
def test_a_word_without_any_run_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generate: Generate, word: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, err = generate("--checkpoint-file", word)
    assert code == 1
    assert "Run 'gmd-vae train' first" in err


@pytest.mark.tensorflow
def test_beats_come_from_the_checkpoint_that_was_named(tiny_run: Path, tmp_path: Path, generate: Generate) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    shutil.rmtree(run / "best", ignore_errors=True)
    (run / "best").mkdir()
    for file in (run / "train").glob("model.ckpt-3.*"):
        shutil.copy(file, run / "best" / file.name.replace("-3.", "-2."))
    for word, name in (("best", "model.ckpt-2"), ("latest", "model.ckpt-3")):
        code, err = generate("--run-dir", run, "--checkpoint-file", word, "-n", "1", "--output-dir", tmp_path / word)
        assert code == 0, err
        assert json.loads((tmp_path / word / "manifest.json").read_text())["checkpoint"]["name"] == name


def test_magentas_layers_are_there_to_compare(asked: list[dict[str, Any]], generate: Generate, run: Path) -> None:
    generate("--run-dir", run)
    generate("--run-dir", run, "--no-acceleration")
    assert [one["layers"] for one in asked] == [ACCELERATED, STOCK]


def test_sound_and_pictures_are_of_drums(tmp_path: Path, asked: list[dict[str, Any]], generate: Generate) -> None:
    arguments = ["--checkpoint-file", write(tmp_path / "model.ckpt-1"), "--output-dir", tmp_path / "new"]
    code, err = generate(*arguments, "--config", "cat-mel_2bar_small", "--wav")
    assert code == 2
    assert "'cat-mel_2bar_small' does not only play drums" in err
    assert not asked
    assert generate(*arguments, "--config", "groovae_4bar", "--wav", "--png")[0] == 0

"""``gmd-vae evaluate`` with a real checkpoint at tiny sizes: output, files, errors."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.json_page import check_answer
from fixtures.results import made_up_result, result_json
from gmd_vae import cli
from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.datasets.starter.starter_set import write_starter
from gmd_vae.evaluation.data.target import find_target
from gmd_vae.evaluation.result import FORMAT
from gmd_vae.evaluation.settings import Settings
from gmd_vae.families import family_of
from gmd_vae.models.bundled import DEFAULT as BUNDLED
from gmd_vae.models.bundled import bundled_models

Evaluate = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.usefixtures("few_decoded")
QUICK = ("--samples", "20", "--importance-samples", "2", "--split", "validation")


@pytest.fixture
def evaluate(capsys: pytest.CaptureFixture[str]) -> Evaluate:
    """Runs the command in this process and returns exit code, stdout and stderr."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            cli.main(["evaluate", *map(str, arguments)])
        captured = capsys.readouterr()
        assert isinstance(stopped.value.code, int)
        return stopped.value.code, captured.out, captured.err

    return run


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with one trained run; the run's path in it."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_run, "runs/mine")
    return Path("runs/mine")


def digests(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in sorted(folder.iterdir())}


def starter_ids(split: str) -> set[str]:
    """The ids of the starter files of a split: the SHA-1 of their names in info.csv."""
    write_starter(Path("starter"))
    with Path("starter/info.csv").open(encoding="utf-8") as table:
        names = [row["midi_filename"] for row in csv.DictReader(table) if row["split"] == split]
    return {f"/id/midi/starter/{hashlib.sha1(name.encode()).hexdigest()}" for name in names}


@pytest.mark.tensorflow
def test_figures_tables_and_plots(run: Path, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = evaluate(*QUICK, "--json")
    assert code == 0, err
    content = json.loads(out)
    check_answer("evaluate", content)
    (result,) = content["results"]
    assert content["seeds"] == []
    assert {each["minus"] for each in content["differences"]} == {"nearest_training", "previous_bar"}
    folder = run / "eval" / "validation-3-importance-samples-2-samples-20"
    names = [
        "bars.png",
        "confusion.png",
        "interpolation.png",
        "manifest.json",
        "novelty.png",
        "result.json",
        "tables.md",
    ]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert json.loads((folder / "result.json").read_text()) == result
    assert {file["name"] for file in manifest.read(folder, "evaluate", "")["files"]} == {*names} - {"manifest.json"}
    assert result["windows"] > 0
    assert result["settings"]["samples"] == 20
    by_file = result["reconstruction"]["free_running"]["by_file"]
    assert len(by_file["numerators"]) == len(result["file_ids"]) == result["files"]
    assert set(result["file_ids"]) <= starter_ids("validation")
    # after three steps of training it is no better than the most frequent step, whatever the initial weights are
    assert result["likelihood"]["reconstruction_per_step"]["value"] == pytest.approx(6.2, abs=0.3)
    accuracy = {name: figures["steps_right"]["value"] for name, figures in result["reconstruction"].items()}
    assert accuracy["free_running_sampled"] < 0.1
    assert accuracy["free_running"] <= accuracy["most_frequent_step"] < 0.5 < accuracy["previous_bar"]
    assert "rock" in result["latent"]["decodability"]["styles"]  # from the info.csv in the data folder

    # a result on disk is not measured again; the path of a checkpoint finds the same run
    before = digests(folder)
    code, out, err = evaluate(run / "best", *QUICK, "--table")
    assert code == 0
    assert "(measured before)" in err
    assert err.endswith(f"\nNext: gmd-vae report {run}\n")
    assert "Starting TensorFlow" not in err
    assert "free-running" in out
    assert "kick" not in out  # only in the tables of one run
    for form, sign in (("markdown", "| runs/mine |"), ("latex", "\\toprule")):
        code, out, _ = evaluate(run, *QUICK, "--format", form)
        assert code == 0
        assert sign in out
        assert "kick" not in out
    assert "kick" in evaluate(run, *QUICK, "--verbose")[1]
    code, out, err = evaluate(run, *QUICK)
    assert len(out.splitlines()) <= 7
    assert out.startswith("runs/mine, step 3, on ")
    assert "step accuracy, free-running" in out
    assert "Memorised: " in out  # of few training windows
    assert digests(folder) == before

    # nor is it measured again from another folder, where the run has another path
    home = Path.cwd()
    monkeypatch.chdir(run)
    code, out, err = evaluate(".", *QUICK, "--json")
    assert code == 0, err
    assert "Starting TensorFlow" not in err
    (found,) = json.loads(out)["results"]
    assert (found["run"], found["reconstruction"]) == (".", result["reconstruction"])
    monkeypatch.chdir(home)

    code, _, err = evaluate(run / "best" / "model.safetensors", *QUICK, "--table")
    assert (code, "(measured before)" in err) == (0, True), err

    # the same figures, tables and plots, byte for byte, from nothing
    shutil.rmtree(folder)
    code, _, err = evaluate(*QUICK)
    assert code == 0
    assert "Starting TensorFlow" in err
    assert digests(folder) == before


@pytest.mark.tensorflow
def test_results_of_other_settings_and_weights_are_kept(
    run: Path, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = made_up_result(windows=5).figures
    monkeypatch.setattr(type(family_of(get_config(DEFAULT_CONFIG))), "evaluate", lambda *_: figures)

    def kept(*options: str) -> set[str]:
        code, _, err = evaluate(*QUICK, *options)
        assert code == 0, err
        return {path.name for path in (run / "eval").iterdir()}

    first = kept()
    (usual,) = first
    assert usual.endswith("-importance-samples-2-samples-20")
    result = (run / "eval" / usual / "result.json").read_bytes()
    assert kept() == first
    seeded = usual.replace("-importance", "-seed-1-importance")
    assert kept("--seed", "1") == first | {seeded}
    assert json.loads((run / "eval" / seeded / "result.json").read_text())["settings"]["seed"] == 1
    content = json.loads(result)
    content["checkpoint"]["files"] = dict.fromkeys(content["checkpoint"]["files"], "0" * 64)
    other = json.dumps(content, indent=2) + "\n"
    (run / "eval" / usual / "result.json").write_text(other)  # as of a run with this name that was deleted
    assert f"{usual}-2" in kept()
    assert (run / "eval" / usual / "result.json").read_text() == other
    assert (run / "eval" / f"{usual}-2" / "result.json").read_bytes() == result


def test_a_result_of_a_newer_version_is_neither_read_nor_replaced(run: Path, evaluate: Evaluate) -> None:
    folder = run / "eval" / "validation-3-importance-samples-2-samples-20"
    folder.mkdir(parents=True)
    manifest.write_json(folder / "result.json", {**result_json(), "figures": FORMAT + 1})
    manifest.write(folder, "evaluate", {"files": [manifest.describe_file(folder / "result.json")]})
    before = digests(folder)
    code, out, err = evaluate(run, *QUICK)
    assert (code, out) == (1, "")
    problem = f"has figures {FORMAT + 1}, this version of gmd-vae reads {FORMAT} and earlier. Update gmd-vae"
    assert f"Error: '{folder / 'result.json'}' {problem}" in err.splitlines()[-1]
    assert digests(folder) == before
    described = json.loads((folder / "manifest.json").read_text())
    manifest.write_json(folder / "manifest.json", {**described, "format": manifest.FORMAT + 1})
    before = digests(folder)
    code, out, err = evaluate(run, *QUICK)
    assert (code, out) == (1, "")
    assert "manifest.json' has format 2, this version of gmd-vae reads 1. Update gmd-vae" in err.splitlines()[-1]
    assert digests(folder) == before


def test_a_path_that_is_no_run_is_refused(run: Path, evaluate: Evaluate, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    code, out, err = evaluate("music")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("Error: 'music' is not a run")
    code, _, err = evaluate("runs/mine", "runs/yours")
    assert code == 1
    assert "'runs/yours' is not a run" in err
    assert not (run / "eval").exists()  # no measurement starts before all names are checked
    assert evaluate("--split", "tset")[0] == 2


def test_a_model_without_its_windows_is_refused_with_the_way_to_its_figures(
    run: Path, evaluate: Evaluate, tmp_path: Path
) -> None:
    shutil.copy(bundled_models()[BUNDLED], tmp_path / "my model.safetensors")
    for name, shown in ((BUNDLED, BUNDLED), ("my model.safetensors", "'my model.safetensors'")):
        code, out, err = evaluate(name)
        assert (code, out) == (1, "")
        assert err.splitlines()[-1].endswith(f"Its card, with the figures: gmd-vae models {shown}")


def test_examples_that_changed_or_went_away_are_refused(run: Path, evaluate: Evaluate, starter_examples: Path) -> None:
    path = run / "run.json"
    described = json.loads(path.read_text())
    path.write_text(json.dumps({**described, "examples": "data/examples/gone"}))
    code, _, err = evaluate()
    assert code == 1
    assert "are not at 'data/examples/gone'" in err
    assert "Or give a copy of them with --examples-path." in err
    assert "Earlier results" not in err
    for name in ("test-3", "test-3-seed-1"):
        (run / "eval" / name).mkdir(parents=True)
        (run / "eval" / name / "result.json").write_text("{}")
    code, _, err = evaluate(run)
    assert code == 1
    kept = (
        "Earlier results are in 'runs/mine/eval/test-3' and 1 other folder; this shows them: gmd-vae report runs/mine"
    )
    assert err.splitlines()[-1].endswith(kept)
    shutil.copytree(starter_examples, "data/examples/gone")
    other = Path("data/examples/gone/manifest.json")
    other.write_text(other.read_text() + " ")
    code, _, err = evaluate()
    assert code == 1
    assert "have changed since 'runs/mine' was trained on them" in err


def test_a_moved_run_finds_its_examples_by_their_content(
    run: Path, starter_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run / "run.json"
    content = json.loads(path.read_text())
    copy = tmp_path / "elsewhere" / "data" / "examples" / "starter" / "small"
    shutil.copytree(starter_examples, copy)
    for recorded in ("data/examples/starter/small", "/of/another/machine/data/examples/starter/small"):
        path.write_text(json.dumps({**content, "examples": recorded}))
        with pytest.raises(GmdVaeError, match="are not at"):
            find_target(run, None, None)
        given = find_target(run, copy, None)
        assert given.training == given.examples == copy
        assert given.folder("test", Settings()) == run / "eval" / "test-3"  # the run's own examples, not others
        monkeypatch.setenv("GMD_VAE_HOME", str(tmp_path / "elsewhere"))
        assert find_target(run, None, None).training == copy
        monkeypatch.delenv("GMD_VAE_HOME")
    changed = copy / "manifest.json"
    changed.write_text(changed.read_text() + " ")
    with pytest.raises(GmdVaeError, match=r"are not at '.*', and those in '.*small' are others"):
        find_target(run, copy, None)


def test_a_split_without_windows_and_examples_of_another_kind_are_refused(
    run: Path, evaluate: Evaluate, starter_examples: Path
) -> None:
    copy = Path("data/examples/copy/small")
    shutil.copytree(starter_examples, copy)
    content = json.loads((copy / "manifest.json").read_text())
    content["splits"]["test"] = {**content["splits"]["test"], "examples": 0, "files": []}
    (copy / "manifest.json").write_text(json.dumps(content))
    code, _, err = evaluate("--examples-path", copy)
    assert code == 1
    assert "Split 'test' of 'data/examples/copy/small' has no windows" in err
    path = run / "run.json"
    described = json.loads(path.read_text())

    hparams = get_config("cat-mel_2bar_small").hparams
    path.write_text(json.dumps({**described, "config": "cat-mel_2bar_small", "declaration": None, "hparams": hparams}))
    code, _, err = evaluate()
    assert code == 1
    assert "do not fit 'cat-mel_2bar_small'" in err


def test_a_link_in_the_place_of_the_results_is_refused(run: Path, evaluate: Evaluate, tmp_path: Path) -> None:
    """A run from somebody else must not decide where the results go."""
    (tmp_path / "away").mkdir()
    (run / "eval").symlink_to(tmp_path / "away")
    code, _, err = evaluate()
    assert (code, "is a link" in err, list((tmp_path / "away").iterdir())) == (1, True, [])


def test_a_folder_of_something_else_is_not_replaced(run: Path, evaluate: Evaluate) -> None:
    mine = run / "eval" / "test-3" / "notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    code, _, err = evaluate()
    assert code == 1
    assert "holds 'notes.txt', which 'gmd-vae evaluate' did not write" in err
    assert mine.read_text() == "mine"


@pytest.mark.tensorflow
def test_a_melody_model(test_data: Path, evaluate: Evaluate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real melodies, a model at tiny sizes: figures of streams, and no charts of drums."""
    from gmd_vae.configuration.hparams import resolve
    from gmd_vae.midi.convert import convert
    from gmd_vae.models.inference import sampler, tensor_scorer
    from gmd_vae.training.examples import open_examples
    from gmd_vae.training.loop import train
    from gmd_vae.training.run.folder import Run
    from gmd_vae.training.run.run_file import Plan
    from gmd_vae.windows.preprocess import preprocess

    monkeypatch.chdir(tmp_path)
    for module, name in ((tensor_scorer, "_LARGEST_BATCH"), (sampler, "BATCH_SIZE")):
        monkeypatch.setattr(module, name, 16)
    Path("music").mkdir()
    for file in sorted((test_data / "freedoom" / "musics").glob("*.mid"))[:25]:
        (Path("music") / file.name).write_bytes(file.read_bytes())
    convert(Path("music"), Path("data/notes/music"))
    config, folder = get_config("cat-mel_2bar_small"), Path("data/examples/music/melodies")
    preprocess(
        Path("data/notes/music"), folder, family_of(config).extractor(config), config=config.name, max_per_sequence=3
    )
    examples = open_examples(folder, config)
    hparams = resolve(config, "enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size=8")
    run = Run(Path("runs/melody"), config, hparams, 0, folder, examples.digest)
    run.folder.mkdir(parents=True)
    run.describe(Plan(1))
    train(run, examples, Plan(1))

    code, out, err = evaluate("--split", "train", "--samples", "4", "--importance-samples", "1", "--json")
    assert code == 0, err
    (result,) = json.loads(out)["results"]
    assert result["streams"] == ["melody"]
    assert result["windows"] == result["in_training"] == examples.train.count
    assert result["likelihood"]["reconstruction_per_step"]["value"] == pytest.approx(4.5, abs=0.3)  # ln 90
    found = result["reconstruction"]
    assert found["nearest_training"]["steps_right"]["value"] == 1  # they are training windows
    assert found["silence"]["streams"]["melody"]["events_right"]["value"] == 0
    assert found["silence"]["steps_right"]["value"] > 0.4
    drawn = {path.name for path in (run.folder / "eval" / "train-1-importance-samples-1-samples-4").glob("*.png")}
    assert drawn == {"bars.png", "novelty.png", "interpolation.png"}
    code, out, err = evaluate("--split", "train", "--samples", "4", "--importance-samples", "1")
    assert code == 0
    assert "(measured before)" in err
    assert "notes F1, free-running" in out

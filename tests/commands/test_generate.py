"""``gmd-vae generate``: the model and the output that options choose, and the errors that need no model."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.generate_command import Generate, write
from gmd_vae.configuration.layers import ACCELERATED, STOCK
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.generation.job import GenerationJob
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan


@pytest.mark.parametrize("run_dir", [True, False])
@pytest.mark.parametrize(
    ("word", "meant"),
    [(None, "best/model.ckpt-1200"), ("best", "best/model.ckpt-1200"), ("latest", "train/model.ckpt-1500")],
)
def test_a_run_and_a_word_choose_the_checkpoint(
    run: Path, jobs: list[GenerationJob], generate: Generate, run_dir: bool, word: str | None, meant: str
) -> None:
    arguments = (["--run-dir", run] if run_dir else []) + (["--checkpoint-file", word] if word else [])
    code, err = generate(*arguments)
    assert code == 0, err
    assert f"Model: {run} ({DEFAULT_CONFIG}, {Path(meant).name})" in err.splitlines()
    assert jobs[0].source.name == f"checkpoint {run / meant}"
    (job,) = jobs
    assert job.source.checkpoint == run / meant
    assert (job.source.config.name, job.source.hparams["z_size"]) == (DEFAULT_CONFIG, 7)
    assert job.output_dir.parent == run / "generated"


def test_a_run_without_validation_has_its_latest_and_no_best(
    run: Path, jobs: list[GenerationJob], generate: Generate
) -> None:
    shutil.rmtree(run / "best")
    assert generate()[0] == 0
    assert jobs[0].source.checkpoint == run / "train" / "model.ckpt-1500"
    code, err = generate("--checkpoint-file", "best")
    assert code == 1
    assert "'runs/mine/best' has no checkpoint: the run has no validation windows" in err
    assert "There is 'runs/mine/latest' (step 1500)." in err
    assert len(jobs) == 1


@pytest.mark.parametrize("spelling", ["runs/mine/latest", "./latest", "runs/mine/train/model.ckpt-1500.index"])
def test_a_path_stands_alone_with_its_config(
    run: Path, jobs: list[GenerationJob], generate: Generate, spelling: str
) -> None:
    shutil.copytree(run / "train", "latest")  # a folder that has the name of a word
    code, err = generate("--checkpoint-file", spelling, "--config", DEFAULT_CONFIG)
    assert code == 0, err
    assert jobs[0].source.checkpoint.name == "model.ckpt-1500"
    assert (jobs[0].source.checkpoint.parts[0] == "latest") == (spelling == "./latest")
    assert jobs[0].output_dir.parent == Path("generated")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run-dir", "runs/mine", "--checkpoint-file", "x.index"], "With --run-dir, --checkpoint-file is 'best' or"),
        (["--checkpoint-file", "best", "--config", DEFAULT_CONFIG], "a run folder has its own config"),
        (["--run-dir", "runs/mine", "--config", DEFAULT_CONFIG], "a run folder has its own config"),
        (["--config", DEFAULT_CONFIG], "a run folder has its own config"),
        (["--mode", "interpolate"], "needs two or more"),
        (["--input-midi", "a.mid"], "--input-midi goes with --mode interpolate"),
        (["--mode", "vary", "--input-seed", "1", "--temperature", "11"], "11.0 is not in the range"),
        (["--mode", "attribute", "--attribute", "ride"], "Write NAME=AMOUNT"),
        (["--mode", "attribute", "--attribute", "rise=1"], "Did you mean 'ride'"),
        (["--tempo", "9"], "9.0 is not in the range"),
        (["--tempo", "9 BPM"], "9.0 is not in the range"),
        (["--bpm", "96"], "Did you mean '--tempo'?"),
        (["my.mid"], "'my.mid' needs an option: --input-midi for a MIDI file to start from"),
        (["--tempo", "fast"], "'fast' is not a tempo, such as 96 or 96bpm."),
        (["--only", "kick,snare"], "'kick,snare' is not a number from 0: --only writes a single file"),
        (["--only", "-1"], "'-1' is not a number from 0"),
        (
            ["--mode", "vary", "--input-midi", "a b.mid", "--bars", "16"],
            "For more bars of a beat: --around 'a b.mid' --bars 16, --mode continue --bars 16 for what follows it, or "
            "--mode vary -n 4 --join",
        ),
        (["--input-midi", "a.mid"], "For beats near it: --around a.mid; for versions: --mode vary"),
        (["--input-midi", "a.mid", "--bars", "16"], "--around a.mid --bars 16;"),
        (
            ["--input-midi", "a.mid", "--humanize"],
            "To hear it as a drummer plays it: --model humanize-2bar --mode groove.",
        ),
        (["--temperature", "warm"], "'warm' is not a number."),
        (["-n", "4", "--only", "4"], "numbered from 0 to 3"),
        (
            ["--mode", "interpolate", "--input-seed", "1", "--input-seed", "2", "--input-seed", "3", "--only", "15"],
            "numbered from 0 to 14",
        ),
        (["--mode", "vary", "--input-seed", "1", "--distance", "65"], "differ in 65 of 64 steps"),
    ],
)
def test_options_that_exclude_each_other_are_a_usage_error(
    run: Path, jobs: list[GenerationJob], generate: Generate, arguments: list[str], said: str
) -> None:
    code, err = generate(*arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert not jobs


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-n", "100000", "--bars", "4000", "--only", "0"], "100,000,000 windows, and 200,000 can be made at once"),
        (["-n", "50", "--bars", "4000", "--wav"], "133 minutes of music; 30 can be rendered"),
        (["-n", "50", "--bars", "100", "--png", "--join"], "167 minutes of music; 30 can be rendered"),
        (["-n", "100000", "--bars", "8", "--wav"], "too full: the sound needs about 282.2 GB, 1.0 GB are free"),
    ],
)
def test_a_request_that_is_too_large_is_refused_before_a_model_is_loaded(
    run: Path,
    jobs: list[GenerationJob],
    generate: Generate,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("gmd_vae.rendering.limits.free_bytes", lambda folder: 10**9)
    code, err = generate(*arguments)
    assert code == 1
    assert said in err
    assert err.count("\n") == 1
    assert not jobs
    assert generate("-n", "2", "--bars", "100", "--wav", "--png")[0] == 0


@pytest.mark.parametrize("word", ["best", "latest"])
def test_a_word_without_any_run_names_the_next_command(
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


def test_no_acceleration_uses_magentas_layers_where_tensorflow_is_needed(
    jobs: list[GenerationJob], generate: Generate, run: Path
) -> None:
    code, err = generate("--run-dir", run, "--no-acceleration")
    assert code == 2
    assert f"--no-acceleration is for TensorFlow, and '{DEFAULT_CONFIG}' does not need it" in err
    config = get_config("cat-mel_2bar_laptop")
    melodies = Path("runs/melodies")
    melodies.mkdir()
    Run(melodies, config, config.hparams, 1, Path("data"), "digest").describe(Plan(2000))
    write(melodies / "train" / "model.ckpt-5")
    for options in ((), ("--no-acceleration",)):
        code, err = generate("--run-dir", melodies, *options)
        assert code == 0, err
        assert "Starting TensorFlow" in err
    assert [job.layers for job in jobs] == [ACCELERATED, STOCK]


def test_a_checkpoint_that_is_not_there_needs_no_config_first(
    run: Path, jobs: list[GenerationJob], generate: Generate
) -> None:
    for name in ("x.index", "./best"):
        code, error = generate("--checkpoint-file", name)
        assert code == 1
        assert f"No checkpoint at '{Path(name)}'" in error
    assert not jobs


def test_a_checkpoint_named_as_magenta_names_its_own_needs_no_config(
    jobs: list[GenerationJob], generate: Generate, tmp_path: Path
) -> None:
    write(tmp_path / "groovae_4bar.ckpt-7")
    with tarfile.open(tmp_path / "groovae_4bar.tar", "w") as archive:
        for file in tmp_path.glob("groovae_4bar.ckpt-7.*"):
            archive.add(file, file.name)
    write_checkpoint(tmp_path / "mine.ckpt-7", {"x": np.zeros(1, np.float32)})
    with tarfile.open(tmp_path / "mine.tar", "w") as archive:
        for file in tmp_path.glob("mine.ckpt-7.*"):
            archive.add(file, file.name)
    assert generate("--checkpoint-file", tmp_path / "groovae_4bar.tar")[0] == 0
    assert jobs[-1].source.config == get_config("groovae_4bar")
    code, error = generate("--checkpoint-file", tmp_path / "mine.tar")
    assert code == 2
    assert "needs --config" in error


def test_commands_of_the_same_second_have_folders_of_their_own(
    run: Path, jobs: list[GenerationJob], generate: Generate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.strftime", lambda *_: "2026-01-01_000000")
    taken = run / "generated" / "2026-01-01_000000"
    taken.mkdir(parents=True)
    (taken / "sample-000.mid").touch()
    assert generate()[0] == 0
    assert jobs[0].output_dir == run / "generated" / "2026-01-01_000000-2"
    assert sorted(path.name for path in (run / "generated").iterdir()) == [taken.name], "an empty folder is removed"


def test_a_link_in_the_place_of_the_generated_folders_is_refused(
    run: Path, jobs: list[GenerationJob], generate: Generate, tmp_path: Path
) -> None:
    """A run from somebody else must not decide where files go."""
    (tmp_path / "away").mkdir()
    (run / "generated").symlink_to(tmp_path / "away")
    code, err = generate()
    assert (code, "is a link" in err, jobs, list((tmp_path / "away").iterdir())) == (1, True, [], [])
    assert generate("--output-dir", str(tmp_path / "away" / "new"))[0] == 0


def test_an_input_in_the_output_folder_is_refused(
    run: Path, jobs: list[GenerationJob], generate: Generate, make_midi: Callable[..., bytes]
) -> None:
    Path("b").mkdir()
    Path("b/x.mid").write_bytes(make_midi())
    for arguments in (
        ("--around", "b/x.mid", "--output-dir", "b"),
        ("--mode", "reconstruct", "--input-midi", "b/x.mid", "--output-dir", "b"),
        ("--run-dir", run, "--output-dir", "runs"),
    ):
        code, err = generate(*arguments)
        assert (code, err.count("\n")) == (2, 1)
        assert "lies in the output folder" in err
    code, err = generate("--output-dir", "b")
    assert code == 1
    assert "'b' holds 'x.mid', which 'gmd-vae generate' did not write" in err
    assert not jobs


@pytest.mark.parametrize("arguments", [("--model", "my beat.mid"), ("--checkpoint-file", "my beat.mid")])
def test_a_midi_file_in_the_place_of_a_model_is_named(
    run: Path,
    jobs: list[GenerationJob],
    generate: Generate,
    make_midi: Callable[..., bytes],
    arguments: tuple[str, ...],
) -> None:
    Path("my beat.mid").write_bytes(make_midi())
    assert generate(*arguments) == (
        2,
        "Error: 'my beat.mid' is a MIDI file, and no model. For beats from it: gmd-vae generate --mode vary "
        "--input-midi 'my beat.mid'. To edit it: drop it on the page that 'gmd-vae studio' writes.\n",
    )
    answer = run_here(Path.cwd(), "studio", "my beat.mid", expect=2)
    assert "is a MIDI file, and no model" in answer.stderr


def test_a_tempo_may_have_a_decimal_comma(run: Path, jobs: list[GenerationJob], generate: Generate) -> None:
    assert generate("--tempo", "174,5")[0] == 0
    assert jobs[0].playing.tempo == 174.5

"""``gmd-vae generate``: options to jobs, and the errors that need no TensorFlow."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest
from gmd_vae import cli
from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.layers import ACCELERATED, STOCK
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.generation import generate as generation
from gmd_vae.generation.job import GenerationJob, GenerationResult
from gmd_vae.generation.latent.latent_files import write_latents
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

Generate = Callable[..., tuple[int, str]]


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[GenerationJob]:
    """Replaces the function that needs TensorFlow; collects its jobs."""
    jobs: list[GenerationJob] = []

    def collect(job: GenerationJob) -> GenerationResult:
        jobs.append(job)
        return GenerationResult([], [])

    stand_in = create_autospec(generation.generate, side_effect=collect)
    monkeypatch.setattr(generation, "generate", stand_in)
    return jobs


@pytest.fixture
def generate(capsys: pytest.CaptureFixture[str]) -> Generate:
    """Runs the command; returns its exit code and stderr."""

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
def test_a_run_and_a_word_choose_the_checkpoint(
    run: Path, jobs: list[GenerationJob], generate: Generate, run_dir: bool, word: str | None, meant: str
) -> None:
    arguments = (["--run-dir", run] if run_dir else []) + (["--checkpoint-file", word] if word else [])
    code, err = generate(*arguments)
    assert code == 0, err
    assert f"{DEFAULT_CONFIG}, checkpoint {run / meant}" in err.splitlines()
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
        (["--checkpoint-file", "x.index"], "needs --config"),
        (["--checkpoint-file", "./best"], "needs --config"),
        (["--checkpoint-file", "best", "--config", DEFAULT_CONFIG], "a run folder has its own config"),
        (["--run-dir", "runs/mine", "--config", DEFAULT_CONFIG], "a run folder has its own config"),
        (["--config", DEFAULT_CONFIG], "a run folder has its own config"),
        (["--mode", "interpolate"], "needs two or more"),
        (["--input-midi", "a.mid"], "--input-midi goes with --mode interpolate"),
        (["--mode", "vary", "--input-seed", "1", "--temperature", "11"], "11.0 is not in the range"),
        (["--mode", "attribute", "--attribute", "ride"], "Write NAME=AMOUNT"),
        (["--mode", "attribute", "--attribute", "rise=1"], "Did you mean 'ride'"),
        (["--tempo", "9"], "9.0 is not in the range"),
        (["--humanize", "--velocity", "90"], "Leave one of them out"),
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


SONG = [(quarter * 480, 36 + 2 * (quarter % 2)) for quarter in range(4 * 9)]  # nine bars
AT_96 = b"\x00\xff\x51\x03" + (60_000_000 // 96).to_bytes(3, "big")


@pytest.fixture
def song(run: Path, make_midi: Callable[..., bytes]) -> Path:
    path = Path("song.mid")
    path.write_bytes(make_midi(SONG, before=AT_96))
    return path


def test_a_file_gives_its_first_window_its_tempo_and_a_hint(
    song: Path, jobs: list[GenerationJob], generate: Generate
) -> None:
    code, err = generate("--mode", "vary", "--input-midi", song)
    assert code == 0, err
    # nine bars of the same beat: windows that repeat an earlier one do not count
    assert "song.mid: 1 windows" not in err
    (job,) = jobs
    (window,) = job.inputs.windows
    assert (window.number, window.target.tolist()[:8]) == (1, [1, 0, 0, 0, 2, 0, 0, 0])
    assert job.playing.tempo == pytest.approx(96, rel=1e-4)
    assert job.request.temperature == 0


def test_of_several_windows_the_first_is_taken(
    run: Path, make_midi: Callable[..., bytes], jobs: list[GenerationJob], generate: Generate
) -> None:
    Path("long.mid").write_bytes(make_midi([(quarter * 480, 36 if quarter < 16 else 38) for quarter in range(32)]))
    code, err = generate("--around", "long.mid")
    assert code == 0
    assert "long.mid: 5 windows, taking the first; --window K takes another" in err
    assert generate("--around", "long.mid", "--window", "5")[0] == 0
    assert jobs[1].inputs.windows[0].target.tolist()[:4] == [2, 0, 0, 0]
    code, err = generate("--around", "long.mid", "--window", "6")
    assert code == 2
    assert "'long.mid' has no window 6: it has 5" in err
    assert "gmd-vae inspect long.mid" in err


def test_a_continuation_starts_from_the_last_bars(
    run: Path, make_midi: Callable[..., bytes], jobs: list[GenerationJob], generate: Generate
) -> None:
    Path("long.mid").write_bytes(make_midi([(quarter * 480, 36 if quarter < 20 else 38) for quarter in range(36)]))
    assert generate("--mode", "continue", "--input-midi", "long.mid")[0] == 0
    (job,) = jobs
    assert job.inputs.windows[0].target.tolist()[::4] == [2] * 16
    assert job.request.bars == 32


def test_a_song_is_read_whole_and_missing_music_is_reported(
    song: Path, jobs: list[GenerationJob], generate: Generate, make_midi: Callable[..., bytes]
) -> None:
    # nine bars, a pause of two, one bar that is too short for a window, and a drum of no class
    song.write_bytes(make_midi([*SONG, (11 * 1920, 36), (11 * 1920 + 480, 20)], before=AT_96))
    code, err = generate("--mode", "reconstruct", "--input-midi", song)
    assert code == 0, err
    assert "song.mid: 9 bars in 3 windows" in err
    assert "song.mid: left out: 1 stretches of drums shorter than a window" in err
    assert "song.mid: left out: drum notes that are no known drum: 1" in err
    assert [window.bar for window in jobs[0].inputs.songs[0].windows] == [0, 4, 8]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mode", "vary", "--input-midi", "none.mid"], "'none.mid' does not exist"),
        (["--mode", "vary", "--input-midi", "runs"], "'runs' is a folder"),
        (["--mode", "reconstruct", "--input-midi", "empty.mid"], "cannot be read as MIDI: empty file"),
        (
            ["--mode", "reconstruct", "--input-midi", "waltz.mid"],
            "it is in 3/4, and the config takes bars of 4 quarter notes",
        ),
        (["--mode", "continue", "--input-midi", "short.mid"], "1 stretch of drums shorter than 4 bars"),
        (["--around", "piano.mid"], "it has no drum notes. Put the drums on MIDI channel 10"),
        (["--latents", "wrong.npz"], "5 dimensions, and the model has 7"),
    ],
)
def test_input_that_cannot_be_used_is_one_line(
    song: Path,
    make_midi: Callable[..., bytes],
    jobs: list[GenerationJob],
    generate: Generate,
    arguments: list[str],
    said: str,
) -> None:
    Path("empty.mid").write_bytes(b"")
    Path("waltz.mid").write_bytes(make_midi(SONG, before=b"\x00\xff\x58\x04\x03\x02\x18\x08"))
    Path("short.mid").write_bytes(make_midi(SONG[:8]))
    Path("piano.mid").write_bytes(make_midi(track=b"\x00\x90\x3c\x40\x60\x80\x3c\x00\x00\xff\x2f\x00"))
    write_latents(Path("wrong.npz"), prior(2, 5, seed=0), np.arange(2))
    code, err = generate(*arguments)
    assert code == 1
    assert said in err
    assert err.count("\n") == 1
    assert not jobs


def test_the_job_has_the_command_to_repeat_a_file(song: Path, jobs: list[GenerationJob], generate: Generate) -> None:
    arguments = ["--mode", "vary", "--input-midi", song, "--distance", "3", "--seed", "4", "--humanize"]
    assert generate(*arguments, "--wav", "--output-dir", "there")[0] == 0
    assert jobs[0].repeat == (
        "gmd-vae generate --run-dir runs/mine --mode vary --input-midi song.mid --distance 3 --seed 4 --humanize "
        "--only NUMBER"
    )
    words = shlex.split(jobs[0].repeat.replace("NUMBER", "2"))
    assert generate(*words[2:])[0] == 0
    assert jobs[1].request == dataclasses.replace(jobs[0].request, only=2)


@pytest.mark.parametrize(
    ("config", "arguments", "said"),
    [
        (
            "cat-mel_2bar_small",
            ["--mode", "attribute", "--attribute", "ride=1"],
            "--mode attribute is for drum configs",
        ),
        ("cat-mel_2bar_small", ["--humanize"], "--humanize is for drums on the grid"),
        ("cat-mel_2bar_small", ["--swing", "60"], "--swing is for drums on the grid"),
        ("cat-mel_2bar_small", ["--chords", "C"], "--chords is for configs with chords as conditioning input"),
        (
            "cat-mel_2bar_small",
            ["--mode", "groove", "--input-midi", "song.mid"],
            "train --config groovae_2bar_humanize",
        ),
        ("nade-drums_2bar_full", ["--humanize"], "these are others"),
        ("groovae_4bar", ["--velocity", "90"], "gives each note a velocity of its own"),
        ("groovae_4bar", ["--humanize"], "gives hits a timing of its own"),
        ("hier-multiperf_vel_1bar_med", ["--velocity", "90"], "gives each note a velocity of its own"),
        ("cat-mel_2bar_med_chords", [], 'Give one a bar, such as --chords "C G Am F"'),
        ("cat-mel_2bar_med_chords", ["--mode", "vary", "--input-seed", "1"], "'cat-mel_2bar_med_chords' needs chords"),
        ("cat-mel_2bar_med_chords", ["--chords", "C H7"], "'H7' is no chord"),
        ("cat-mel_2bar_med_chords", ["--chords", "Csus4"], "Write C, Cm, Caug or Cdim"),
        (
            "cat-mel_2bar_med_chords",
            ["--mode", "groove", "--input-midi", "song.mid", "--chords", "C"],
            "goes with --mode",
        ),
        ("groovae_2bar_hits_control_tfds", [], "plays given hits"),
        ("groovae_2bar_hits_control_tfds", ["--mode", "vary", "--input-midi", "song.mid"], "--mode vary gives it none"),
        ("hierdec-trio_16bar", ["--mode", "vary", "--input-seed", "1", "--distance", "257"], "257 of 256 steps"),
    ],
)
def test_options_that_a_config_does_not_have_are_refused_before_tensorflow_starts(
    song: Path,
    tmp_path: Path,
    jobs: list[GenerationJob],
    generate: Generate,
    config: str,
    arguments: list[str],
    said: str,
) -> None:
    checkpoint = write(tmp_path / "model.ckpt-1")
    code, err = generate("--checkpoint-file", checkpoint, "--config", config, *arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert not jobs


@pytest.mark.parametrize(
    ("config", "arguments"),
    [
        ("cat-mel_2bar_small", ["--bars", "8", "--tempo", "90", "--join", "--velocity", "90"]),
        ("hierdec-trio_16bar", ["--mode", "continue", "--input-seed", "1"]),
        ("nade-drums_2bar_reduced", ["--humanize", "--swing", "60"]),
        ("hier-multiperf_vel_1bar_med_chords", ["--chords", "C Am"]),
        ("groovae_2bar_hits_control_tfds", ["--around", "song.mid"]),
    ],
)
def test_every_config_moves_in_its_latent_space(
    song: Path, tmp_path: Path, jobs: list[GenerationJob], generate: Generate, config: str, arguments: list[str]
) -> None:
    code, err = generate("--checkpoint-file", write(tmp_path / "model.ckpt-1"), "--config", config, *arguments)
    assert code == 0, err
    assert jobs[0].source.config.name == config


def test_drums_that_a_groovae_cannot_read_are_reported(
    song: Path, tmp_path: Path, jobs: list[GenerationJob], generate: Generate, make_midi: Callable[..., bytes]
) -> None:
    song.write_bytes(make_midi([*SONG, (9 * 1920, 20)]))
    Path("waltz.mid").write_bytes(make_midi(SONG, before=b"\x00\xff\x58\x04\x03\x02\x18\x08"))
    Path("piano.mid").write_bytes(make_midi(track=b"\x00\x90\x3c\x40\x60\x80\x3c\x00\x00\xff\x2f\x00"))
    arguments = ["--checkpoint-file", write(tmp_path / "model.ckpt-1"), "--mode", "groove"]
    code, err = generate(*arguments, "--config", "groovae_2bar_humanize", "--input-midi", "song.mid")
    assert code == 0, err
    assert "song.mid: 9 bars in 5 windows" in err
    assert "song.mid: left out: drum notes that are no known drum: 1" in err
    for file, said in (("waltz.mid", "is in 3/4"), ("piano.mid", "Put the drums on MIDI channel 10")):
        code, err = generate(*arguments, "--config", "groovae_2bar_humanize", "--input-midi", file)
        assert code == 1
        assert said in err
    # a tapped rhythm may come from any key
    assert generate(*arguments, "--config", "groovae_2bar_tap_fixed_velocity", "--input-midi", "piano.mid")[0] == 0
    assert [len(job.inputs.songs) for job in jobs] == [1, 1]


def test_a_run_that_humanizes_is_taken_with_its_checkpoint(
    song: Path, tmp_path: Path, jobs: list[GenerationJob], generate: Generate
) -> None:
    config = get_config("groovae_2bar_humanize_small")
    for name, what in (("drummer", config), ("melodies", get_config("cat-mel_2bar_small"))):
        folder = Path("runs") / name
        folder.mkdir()
        Run(folder, what, what.hparams, 1, Path("data"), "digest").describe(Plan(2000))
        write(folder / "best" / "model.ckpt-5")
    code, err = generate("--run-dir", "runs/mine", "--humanize", "runs/drummer", "--tempo", "90")
    assert code == 0, err
    assert f"Performed by {config.name}, checkpoint runs/drummer/best/model.ckpt-5" in err
    assert jobs[0].humanizer.checkpoint == Path("runs/drummer/best/model.ckpt-5")
    assert jobs[0].playing.feel is None
    assert "--tempo 90.0 --humanize runs/drummer --only" in jobs[0].repeat
    assert generate("--run-dir", "runs/mine", "--humanize", "runs/drummer/best")[0] == 0
    code, err = generate("--run-dir", "runs/mine", "--humanize", "runs/melodies")
    assert (code, "does not humanize" in err) == (2, True)
    code, err = generate("--run-dir", "runs/mine", "--humanize", "runs/nobody")
    assert (code, "There is no model 'runs/nobody'" in err) == (2, True)
    code, err = generate("--run-dir", "runs/mine", "--humanize", "runs")
    assert (code, "'runs' is not a run folder" in err) == (1, True)
    assert len(jobs) == 2


def test_attributes_of_a_checkpoint_need_examples(
    tmp_path: Path, jobs: list[GenerationJob], generate: Generate, starter_examples: Path
) -> None:
    arguments = ["--checkpoint-file", write(tmp_path / "model.ckpt-1"), "--config", DEFAULT_CONFIG]
    arguments += ["--mode", "attribute", "--attribute", "closed-hi-hat=-1"]
    code, err = generate(*arguments)
    assert code == 2
    assert "Give --examples-path" in err
    code, err = generate(*arguments, "--examples-path", starter_examples, "--output-dir", tmp_path / "new")
    assert code == 0, err
    assert jobs[0].attributes.examples == starter_examples
    assert jobs[0].request.moves[0].attribute == "closed hi-hat"


def test_sound_and_pictures_are_of_drums(tmp_path: Path, jobs: list[GenerationJob], generate: Generate) -> None:
    arguments = ["--checkpoint-file", write(tmp_path / "model.ckpt-1"), "--output-dir", tmp_path / "new"]
    code, err = generate(*arguments, "--config", "cat-mel_2bar_small", "--wav")
    assert code == 2
    assert "'cat-mel_2bar_small' does not only play drums" in err
    assert not jobs
    assert generate(*arguments, "--config", "groovae_4bar", "--wav", "--png")[0] == 0


def test_a_checkpoint_named_as_magenta_names_its_own_needs_no_config(
    jobs: list[GenerationJob], generate: Generate, tmp_path: Path
) -> None:
    write(tmp_path / "groovae_4bar.ckpt-7")
    with tarfile.open(tmp_path / "groovae_4bar.tar", "w") as archive:
        for file in tmp_path.glob("groovae_4bar.ckpt-7.*"):
            archive.add(file, file.name)
    shutil.copy(tmp_path / "groovae_4bar.tar", tmp_path / "mine.tar")
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

"""``gmd-vae generate``: MIDI files, modes and playing options to jobs, and the errors that need no model."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.generate_command import Generate, write
from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.generation import generate as generation
from gmd_vae.generation.job import GeneratedFile, GenerationJob, GenerationResult
from gmd_vae.generation.latent.attribute_vectors import AttributeChange
from gmd_vae.generation.latent.latent_files import write_latents
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

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


def test_notes_are_on_stderr_with_json_too(
    run: Path, make_midi: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("long.mid").write_bytes(make_midi([(quarter * 480, 36 if quarter < 16 else 38) for quarter in range(32)]))
    change = AttributeChange("ride", 1.0, 0.0, 0.0, 0.0, 0.0)

    def silent(job: GenerationJob) -> GenerationResult:
        return GenerationResult([GeneratedFile(job.output_dir / "0.mid", 0, {})], [], 3, [change])

    monkeypatch.setattr(generation, "generate", silent)
    notes = (
        "long.mid: 5 windows, taking 1, the fullest regular one (from bar 1, 4 bars); --window K takes another",
        "Note: the model did not follow. ride: asked for +1, changed by +0; another beat or a larger amount may do",
        "Note: 1 of 1 have no notes; train longer or raise --temperature.",
        "Note: 3 notes would begin before the file: moved to its beginning.",
    )
    command = ("generate", "--run-dir", str(run), "--around", "long.mid")
    for json_option in ([], ["--json"]):
        answer = run_here(Path(), *command, *json_option)
        assert [line for line in answer.stderr.splitlines() if line in notes] == list(notes)
    assert json.loads(answer.stdout)["attribute_changes"][0]["attribute"] == "ride"


def test_of_several_windows_the_fullest_regular_one_is_taken(
    run: Path, make_midi: Callable[..., bytes], jobs: list[GenerationJob], generate: Generate
) -> None:
    Path("long.mid").write_bytes(make_midi([(quarter * 480, 36 if quarter < 16 else 38) for quarter in range(32)]))
    code, err = generate("--around", "long.mid")
    assert code == 0
    assert (
        "long.mid: 5 windows, taking 1, the fullest regular one (from bar 1, 4 bars); --window K takes another" in err
    )
    assert generate("--around", "long.mid", "--window", "5")[0] == 0
    assert jobs[1].inputs.windows[0].target.tolist()[:4] == [2, 0, 0, 0]
    code, err = generate("--around", "long.mid", "--window", "6")
    assert code == 2
    assert "'long.mid' has no window 6: it has 5" in err
    assert "gmd-vae inspect long.mid" in err


@pytest.mark.parametrize("bars", [1, 2])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--mode", "vary", "--input-midi", "loop.mid"],
        ["--mode", "reconstruct", "--input-midi", "loop.mid"],
        ["--mode", "interpolate", "--input-midi", "song.mid", "--input-midi", "loop.mid"],
        ["--mode", "continue", "--input-midi", "loop.mid"],
        ["--around", "loop.mid"],
    ],
)
def test_a_loop_is_repeated_to_a_window(
    song: Path,
    make_midi: Callable[..., bytes],
    jobs: list[GenerationJob],
    generate: Generate,
    bars: int,
    arguments: list[str],
) -> None:
    Path("loop.mid").write_bytes(make_midi(SONG[: 4 * bars], before=AT_96))
    code, err = generate(*arguments)
    assert code == 0, err
    assert f"'loop.mid' has {bars} bar{'s' if bars > 1 else ''}: repeated to 4" in err
    window = jobs[0].inputs.all_windows[-1]
    assert window.target.tolist() == [1, 0, 0, 0, 2, 0, 0, 0] * 8
    assert jobs[0].playing.tempo == pytest.approx(96, rel=1e-4)
    entries = jobs[0].inputs.describe([], None)
    assert [entry.get("repeated_bars") for entry in entries] == [None] * (len(entries) - 1) + [bars]
    if "reconstruct" in arguments:
        assert "loop.mid: 4 bars in 1 window" in err.splitlines()


def test_a_count_in_and_a_fill_are_not_taken_for_the_beat(
    run: Path, make_midi: Callable[..., bytes], jobs: list[GenerationJob], generate: Generate
) -> None:
    count_in = [(quarter * 480, 37) for quarter in range(4)]
    groove = [(1920 + step * 120, 42 if step % 2 else 36 + step % 4) for step in range(4 * 16)]
    fill = [(5 * 1920 + step * 120, 38 + step % 3 * 4) for step in range(16)]
    Path("take.mid").write_bytes(make_midi([*count_in, *groove, *fill, (6 * 1920, 49)]))
    code, err = generate("--mode", "vary", "--input-midi", "take.mid")
    assert code == 0, err
    assert "take.mid: 4 windows, taking 2, the fullest regular one (from bar 2, 4 bars)" in err
    assert generate("--mode", "vary", "--input-midi", "take.mid", "--window", "1")[0] == 0
    assert [job.inputs.windows[0].number for job in jobs] == [2, 1]


def test_a_continuation_starts_from_the_last_bars(
    run: Path, make_midi: Callable[..., bytes], jobs: list[GenerationJob], generate: Generate
) -> None:
    Path("long.mid").write_bytes(make_midi([(quarter * 480, 36 if quarter < 20 else 38) for quarter in range(36)]))
    code, err = generate("--mode", "continue", "--input-midi", "long.mid")
    assert code == 0
    only_new = "The files have only the bars that follow"
    assert f"Continues bars 6 to 9 of long.mid, the last with drums. {only_new}" in err.splitlines()
    (job,) = jobs
    assert job.inputs.windows[0].target.tolist()[::4] == [2] * 16
    assert job.request.bars == 32
    (entry,) = job.inputs.describe([], None)
    assert (entry["first_bar"], entry["last_bar"]) == (6, 9)

    # bars 2 to 5 sound as bars 1 to 4
    chosen = ["--input-midi", "long.mid", "--window", "2"]
    for arguments, start in ((chosen, "bars 3 to 6 of long.mid"), (["--input-seed", "7"], "the first beat of seed 7")):
        _, err = generate("--mode", "continue", *arguments)
        assert f"Continues {start}. {only_new}" in err.splitlines()


def test_a_continuation_of_a_late_or_short_part_names_the_bars_of_the_file(
    run: Path, make_midi: Callable[..., bytes], jobs: list[GenerationJob], generate: Generate
) -> None:
    # two silent bars and a song of six: its last window overlaps the one before
    Path("late.mid").write_bytes(make_midi([((8 + quarter) * 480, 36) for quarter in range(24)]))
    Path("loop.mid").write_bytes(make_midi(SONG[:4]))
    for name, bars in (("late.mid", "bars 5 to 8"), ("loop.mid", "bar 1")):
        code, err = generate("--mode", "continue", "--input-midi", name)
        assert code == 0, err
        assert f"Continues {bars} of {name}, the last with drums. The files have only the bars that follow" in err


def test_a_song_is_read_whole_and_missing_music_is_reported(
    song: Path, jobs: list[GenerationJob], generate: Generate, make_midi: Callable[..., bytes]
) -> None:
    # nine bars, a pause of two, one bar that is too short for a window, and a drum of no class
    song.write_bytes(make_midi([*SONG, (11 * 1920, 36), (11 * 1920 + 480, 20)], before=AT_96))
    code, err = generate("--mode", "reconstruct", "--input-midi", song)
    assert code == 0, err
    assert "song.mid: 9 bars in 3 windows" in err
    assert "song.mid: left out: 1 stretch of drums shorter than a window" in err
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
        (["--mode", "continue", "--input-midi", "short.mid"], "'short.mid' has no 4 bars of 4/4 drums: it has 3"),
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
    Path("short.mid").write_bytes(make_midi(SONG[:12]))
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
            "--model humanize-2bar",
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
        ("groovae_2bar_humanize_hits_small", ["--mode", "groove", "--input-midi", "song.mid"]),
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
    code, err = generate("--run-dir", "runs/mine", "--humanize", "runs/drummer", "--tempo", "90bpm")
    assert code == 0, err
    assert f"Performed by drummer ({config.name})" in err
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

"""The last line of each command: a next command that runs as it stands, from where the user is."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import GMD_VAE, Answer, environment, run_here
from fixtures.documented_commands import parse_command
from fixtures.drum_music import midi, performance
from fixtures.started_runs import write_run
from fixtures.tempo_maps import TICKS, tempo_map_midi
from gmd_vae.cli import cli
from gmd_vae.commands.next_steps import fine_tuning_words, generate_words
from gmd_vae.common.printable import as_command
from gmd_vae.configuration.registry import DEFAULT_CONFIG, all_configs, get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families import family_of
from gmd_vae.models.bundled import DEFAULT as BUNDLED
from gmd_vae.models.bundled import HUMANIZER, bundled_models
from gmd_vae.training.examples import open_examples

MakeMidi = Callable[..., bytes]


def next_words(answer: Answer) -> list[str]:
    """The words of the next command, which is all of the last line."""
    line = answer.stdout.splitlines()[-1]
    match = re.fullmatch(r"Next(?:, [a-z ]+)?: (gmd-vae .+)", line)
    assert match, line
    return shlex.split(match[1])[1:]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder; ``data`` and ``runs`` are in another one. Both need quotes."""
    folder = tmp_path / "it's here"
    folder.mkdir()
    monkeypatch.setenv("GMD_VAE_HOME", str(tmp_path / "my music (new)"))
    return folder


def test_the_way_from_a_dataset_to_training(here: Path) -> None:
    answer = run_here(here, "fetch", "starter")
    words = next_words(answer)
    assert words[0] == "convert"
    words = next_words(run_here(here, *words))
    assert words[0] == "preprocess"
    notes = words[1]
    words = next_words(run_here(here, *words))
    assert words[:4] == ["train", "--init-from", BUNDLED, "--examples-path"]  # it has 624 windows
    examples = Path(words[4])
    assert open_examples(examples, get_config(DEFAULT_CONFIG)).train.count
    assert next_words(run_here(here, "inspect", notes)) == ["preprocess", notes]
    assert next_words(run_here(here, "inspect", str(examples))) == words
    assert not list(here.iterdir())


def test_few_windows_are_trained_from_the_model_of_the_package(here: Path, starter_midi: list[Path]) -> None:
    (here / "my midi").mkdir()
    for song in starter_midi[:12]:
        (here / "my midi" / song.name).write_bytes(song.read_bytes())
    run_here(here, "convert", "my midi", "--split", "50/50/0")
    home = Path(os.environ["GMD_VAE_HOME"])
    answer = run_here(here, "preprocess", f"{home}/data/notes/my midi")
    assert answer.stdout.splitlines()[-1].startswith("Next, for so few windows: ")
    words = next_words(answer)
    examples = home / "data/examples/my midi" / DEFAULT_CONFIG
    begin = ["train", "--init-from", BUNDLED, "--examples-path", str(examples), "--run-dir"]
    assert words == [
        *(*begin, f"{home}/runs/my midi-tuned", "--num-steps", "300", "--validate-every", "50"),
        *("--hparams", "learning_rate=0.0003"),
    ]
    assert next_words(run_here(here, "inspect", str(examples))) == words
    (home / "runs/my midi-tuned").mkdir(parents=True)
    assert f"{home}/runs/my midi-tuned-2" in next_words(run_here(here, "inspect", str(examples)))


def test_the_fine_tuning_of_a_song_has_a_batch_that_fits(here: Path) -> None:
    def words(config: str = DEFAULT_CONFIG, **counts: int) -> list[str]:
        return [str(word) for word in fine_tuning_words(get_config(config), Path("data/examples/song"), counts)]

    assert words(train=20)[-4:] == ["--num-steps", "100", "--hparams", "batch_size=8,learning_rate=0.0003"]
    assert words(train=3, validation=1)[-3:] == ["50", "--hparams", "batch_size=3,learning_rate=0.0003"]
    assert words(train=1_999)
    assert not words(train=2_000)
    assert not words(train=0, validation=3)
    assert not words("flat-drum_4bar_small", train=20)
    assert not words("groovae_4bar_small", train=20)
    for metre in ("hierdec-drum_4bar-3_4_small", "hierdec-drum_2bar-triplets_small"):
        assert words(metre, train=20)[:6] == ["train", "--init-from", BUNDLED, "--config", metre, "--examples-path"]
    fives = DrumWindows(slice_bars=4, quarters_per_bar=5)
    mine = get_config(DEFAULT_CONFIG).replace(name="mine", windows=fives, levels=(4, 20))
    found = fine_tuning_words(mine, Path("x"), {"train": 20}, Path("my.py"))
    assert found[3:7] == ("--configs", Path("my.py"), "--config", "mine")


def test_joined_beats_lead_to_the_joined_file(here: Path) -> None:
    words = ["generate", "-n", "2", "--join"]
    joined = f"beats/{BUNDLED}_sample_seed0_joined_120bpm.mid"
    assert next_words(run_here(here, *words, "--output-dir", "beats")) == ["render", joined]
    answer = run_here(here, *words, "--output-dir", "beats", "--wav")
    assert answer.stdout.splitlines()[-1] == f"Next: open {joined} in your DAW"


def test_the_way_from_a_model_to_sound(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here)
    words = next_words(run_here(here, "models"))
    words = next_words(run_here(here, *words))
    assert words == ["generate", "--model", BUNDLED]
    words = next_words(run_here(here, *words, "-n", "1", "--output-dir=-beats of mine"))
    assert words[0] == "render"
    assert words[1].startswith("./-beats of mine/")
    run_here(here, *words)
    words = next_words(run_here(here, "export", BUNDLED, "--output=-mine.safetensors"))
    run_here(here, *words, "-n", "1")
    words = next_words(run_here(here, "models", HUMANIZER))
    run_here(here, *words, "-n", "1")


def test_a_midi_file_is_read_as_it_was_inspected(here: Path, make_midi: MakeMidi) -> None:
    on_10 = make_midi([(120 * step, 36 + step % 3) for step in range(96)])
    (here / "-song.mid").write_bytes(on_10.replace(b"\x99", b"\x92").replace(b"\x89", b"\x82"))
    words = next_words(run_here(here, "inspect", "./-song.mid", "--drum-channel", "3"))
    assert words == ["generate", "--mode", "vary", "--input-midi", "./-song.mid", "--drum-channel", "3"]
    run_here(here, *words, "-n", "1")
    words = next_words(run_here(here, "inspect", "./-song.mid", "--drum-channel", "3", "--window", "2"))
    assert words[-2:] == ["--window", "2"]
    words = next_words(run_here(here, "inspect", ".", "--drum-channel", "all"))
    assert words == ["convert", ".", "--drum-channel", "all"]
    run_here(here, *words)


def test_drums_on_another_channel_are_converted_with_the_option(here: Path) -> None:
    (here / "songs").mkdir()
    for number, name in enumerate(("songs/a.mid", "songs/b.mid")):
        (here / name).write_bytes(midi(performance(number), channel=3))
    option = ["--drum-channel", "3"]
    for path in ("songs", "songs/a.mid"):
        assert next_words(run_here(here, "inspect", path)) == ["convert", path, *option]
    assert next_words(run_here(here, "convert", "songs", "--stock")) == ["convert", "songs", *option]
    given = ["--split", "100/0/0", "--gzip", "--output-dir", "my notes"]
    words = next_words(run_here(here, "convert", "songs", "--drum-channel", "5", *given))
    assert words[:2] == ["convert", "songs"]
    assert sorted(words[2:]) == sorted([*given, *option])
    words = next_words(run_here(here, *words))
    assert words == ["preprocess", "my notes"]
    run_here(here, *words)
    (here / "songs/c.mid").write_bytes(midi(performance(3)))  # a file with drums: the option would take them away
    assert next_words(run_here(here, "inspect", "songs")) == ["convert", "songs"]
    assert next_words(run_here(here, "convert", "songs", *given)) == ["preprocess", "my notes"]


def test_music_that_the_default_config_does_not_fit_leads_to_the_config_that_does(here: Path) -> None:
    fitting = "hierdec-drum_4bar-6_8_small"
    eighth = TICKS // 2
    hits = [(eighth * step, 42 if step % 3 else 36) for step in range(8 * 6)]
    (here / "six8.mid").write_bytes(tempo_map_midi(hits, {0: 100}, {0: (6, 8)}))
    words = next_words(run_here(here, "inspect", "six8.mid"))
    assert words == ["convert", "six8.mid"]
    words = next_words(run_here(here, *words, "--output-dir", "notes"))
    assert words == ["preprocess", "notes", "--config", fitting]
    assert sorted(next_words(run_here(here, "inspect", "notes"))) == sorted(words)
    refused = run_here(here, "preprocess", "notes", expect=1).error
    assert refused.endswith(f"Run: gmd-vae preprocess notes --config {fitting}")
    words = next_words(run_here(here, *words))
    assert words[:5] == ["train", "--init-from", BUNDLED, "--config", fitting]
    assert next_words(run_here(here, "inspect", words[6])) == words
    refused = run_here(here, "train", "--examples-path", "notes", "--run-dir", "new", expect=1).error
    assert refused.endswith(f"Run: gmd-vae train --examples-path notes --config {fitting}")


def test_triplets_that_the_default_config_moves_are_named(here: Path) -> None:
    swung = sorted((beat * TICKS + offset, 42) for beat in range(32) for offset in (0, 2 * TICKS // 3))
    (here / "songs").mkdir()
    (here / "songs" / "shuffle.mid").write_bytes(tempo_map_midi(swung, {0: 100}))
    words = next_words(run_here(here, "convert", "songs", "--split", "100/0/0"))
    notes = words[1]
    assert words == ["preprocess", notes, "--config", "hierdec-drum_4bar-shuffle_small"]
    assert next_words(run_here(here, "inspect", notes)) == words
    said = "Most of this music has triplets between the beats, and 'hierdec-drum_4bar_small' moves them to sixteenths"
    command = as_command("preprocess", Path(notes), "--config", "hierdec-drum_4bar-shuffle_small")
    lines = run_here(here, "preprocess", notes).stdout.splitlines()
    assert f"{said}. To keep them: {command}" in lines
    answer = run_here(here, *shlex.split(command)[1:])
    assert "Most of this music" not in answer.stdout
    assert "hierdec-drum_4bar-shuffle_small" in next_words(answer)
    for number in range(2):  # and most of it is straight
        (here / "songs" / f"{number}.mid").write_bytes(midi(performance(number)))
    assert next_words(run_here(here, "convert", "songs", "--split", "100/0/0")) == ["preprocess", notes]
    assert "Most of this music" not in run_here(here, "preprocess", notes).stdout


def test_a_loop_that_generate_repeats_leads_to_generate(here: Path, make_midi: MakeMidi) -> None:
    (here / "one bar.mid").write_bytes(make_midi([(120 * step, 36 + step % 3) for step in range(16)]))
    words = next_words(run_here(here, "inspect", "one bar.mid"))
    assert words == ["generate", "--mode", "vary", "--input-midi", "one bar.mid"]
    run_here(here, *words, "-n", "1")
    assert next_words(run_here(here, "inspect", "one bar.mid", "--config", DEFAULT_CONFIG)) == [
        "convert",
        "one bar.mid",
    ]


def test_examples_of_another_config_are_trained_with_it(here: Path, starter_notes: Path) -> None:
    config = "flat-drum_1bar_small"
    words = next_words(run_here(here, "preprocess", str(starter_notes), "--config", config, "--output-dir", "one bar"))
    assert words == ["train", "--config", config, "--examples-path", "one bar"]
    assert sorted(next_words(run_here(here, "inspect", "one bar"))) == sorted(words)


@pytest.mark.parametrize("name", all_configs())
def test_each_config_names_commands_that_its_models_take(name: str, here: Path) -> None:
    *_, then, _ = (answer := run_here(here, "configs", name)).stdout.splitlines()
    home = os.environ["GMD_VAE_HOME"]
    words = next_words(answer)
    parse_command(words, cli.make_context("gmd-vae", [], resilient_parsing=True))
    assert words[:3] == ["train", "--config", name]
    is_drums = family_of(get_config(name)).music(get_config(name)).name in ("drums", "groove")
    assert words[3:] == ([] if is_drums else ["--examples-path", f"{home}/data/notes/my_midi"])
    assert f"{home}/runs/{name}" in shlex.split(then)
    parse_command(shlex.split(then)[3:], cli.make_context("gmd-vae", [], resilient_parsing=True))


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", all_configs())
def test_the_suggested_generate_suits_the_config(name: str, here: Path) -> None:
    """Its options are not refused: what is missing at the end is the checkpoint, or the user's file."""
    run = write_run(here / "runs", None, name)
    words = [str(word) for word in generate_words(get_config(name), "--run-dir", run)]
    error = run_here(here, *words, expect=1).error
    assert re.search(r"model\.ckpt-3|YOUR\.mid", error), error


def test_a_name_that_is_not_utf_8_is_pasted_into_a_shell(here: Path, make_midi: MakeMidi) -> None:
    name = os.fsdecode(b"caf\xe9\n'1'.mid")
    (here / name).write_bytes(make_midi([(120 * step, 36) for step in range(64)]))
    command = as_command("inspect", Path(name), "--json")
    assert command == r"gmd-vae inspect $'caf\xe9\x0a\x271\x27.mid' --json"
    script = f'gmd-vae() {{ {shlex.join(GMD_VAE)} "$@"; }}; {command}'
    done = subprocess.run(
        ["bash", "-c", script], cwd=here, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_the_bundled_models_are_named_by_name(here: Path) -> None:
    assert {BUNDLED, HUMANIZER} <= set(bundled_models())
    assert generate_words(get_config(DEFAULT_CONFIG), "--model", BUNDLED) == ("generate", "--model", BUNDLED)

"""Paths as users give them: empty, with ``~``, in any bytes, in loops, too long, or in a folder that is gone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from fixtures.command_line import GMD_VAE, environment, run_here, run_in_turn
from gmd_vae.cli import COMMANDS, cli
from gmd_vae.commands.paths import UserPath
from gmd_vae.common import home
from gmd_vae.configuration.registry import all_configs
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records

MakeMidi = Callable[..., bytes]
CAFE = os.fsdecode(b"caf\xe9")


@pytest.fixture
def folder(tmp_path: Path, make_midi: MakeMidi) -> Path:
    """A folder with ``song.mid``, and with ``mine/a.mid``."""
    (tmp_path / "mine").mkdir()
    for name in ("song.mid", "mine/a.mid"):
        (tmp_path / name).write_bytes(make_midi([(120 * step, 36 + step % 3) for step in range(64)]))
    return tmp_path


def _parameters(command: click.Command) -> list[click.Parameter]:
    below = command.commands.values() if isinstance(command, click.Group) else []
    return [*command.params, *(parameter for one in below for parameter in _parameters(one))]


def test_every_path_of_every_command_has_the_same_type() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        for parameter in _parameters(command):
            if isinstance(parameter.type, click.Path | click.File):
                assert isinstance(parameter.type, UserPath), (name, parameter.name)


@pytest.mark.parametrize(
    "arguments",
    [
        ["convert", ""],
        ["inspect", ""],
        ["preprocess", ""],
        ["render", "song.mid", ""],
        ["report", ""],
        ["evaluate", ""],
        ["convert", "mine", "--output-dir="],
        ["fetch", "starter", "--output-dir", ""],
        ["inspect", "song.mid", "--png", ""],
        ["generate", "--run-dir", ""],
        ["generate", "--humanize", ""],
        ["train", "--init-from", ""],
        ["models", ""],
        ["inspect", "song.mid", "--drum-map", ""],
        ["configs", ""],
        ["configs", " "],
        ["inspect", "song.mid", "--config="],
        ["preprocess", "--config="],
        ["train", "--config="],
        ["train", "--master="],
        ["generate", "--config=", "--checkpoint-file", "mine"],
        ["export", "groove-4bar", "--config=", "-o", "x.safetensors"],
        ["convert", "mine", "--scheduler="],
    ],
)
def test_an_empty_path_or_name_is_wrong_usage(folder: Path, arguments: list[str]) -> None:
    before = sorted(folder.rglob("*"))
    assert "it is empty" in run_here(folder, *arguments, expect=2).error
    assert sorted(folder.rglob("*")) == before


def test_the_home_folder_is_the_same_for_every_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = folder / "home"
    own.mkdir()
    monkeypatch.setenv("HOME", str(own))
    run_here(folder, "fetch", "starter", "--output-dir=~/grooves")
    run_here(folder, "convert", "~/grooves", "--output-dir", "~/notes")
    run_here(folder, "preprocess", "~/notes", "--output-dir", "~/examples")
    run_here(folder, "inspect", "~/notes")
    run_here(folder, "render", "song.mid", "--png", "--output-dir", "~/pictures")
    run_here(folder, "export", "groove-4bar", "-o", "~/mine.safetensors")
    assert "hierdec-drum_4bar_small" in run_here(folder, "models", "~/mine.safetensors").stdout
    (own / "kit.csv").write_text("36,snare\n")
    run_here(folder, "inspect", "song.mid", "--drum-map", "~/kit.csv")
    run_here(folder, "render", "song.mid", "--png", "--drum-map=~/kit.csv", "--output-dir=~/kit")
    assert {path.name for path in own.iterdir()} >= {"grooves", "notes", "examples", "pictures"}
    assert not (folder / "~").exists()


def test_the_variables_name_places_in_the_home_folder_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GMD_VAE_HOME", "~/mine")
    assert home.runs_folder() == folder / "mine" / "runs"
    monkeypatch.setenv("GMD_VAE_HOME", "~nobody-of-this-name/x")  # as shells do: no such user, so no home folder
    assert home.home().name == "x"
    (folder / "configs.py").write_text(
        "from gmd_vae.configs import HIERDEC_SMALL\nCONFIGS = [HIERDEC_SMALL.replace(name='of-mine')]\n"
    )
    monkeypatch.setenv("GMD_VAE_CONFIGS", "~/configs.py")
    assert "of-mine" in all_configs()


def test_a_name_that_is_not_utf_8_works_from_midi_to_examples(folder: Path) -> None:
    (folder / "mine" / f"{CAFE}.mid").write_bytes((folder / "song.mid").read_bytes() + b"\0")
    (folder / "mine").rename(folder / CAFE)
    (folder / "song.mid").rename(folder / f"{CAFE}.mid")
    names = (CAFE, f"{CAFE}.mid", f"{CAFE}-notes", f"{CAFE}-examples")
    converted, _, *inspected, _ = run_in_turn(
        folder,
        ["convert", CAFE, "--output-dir", f"{CAFE}-notes", "--split-by", "hash", "--json"],
        ["preprocess", f"{CAFE}-notes", "--output-dir", f"{CAFE}-examples"],
        *(["inspect", name, "--json"] for name in names),
        ["render", f"{CAFE}.mid", "--png"],
    )
    assert json.loads(converted)["splits"]
    manifest = (folder / f"{CAFE}-notes" / "manifest.json").read_text(encoding="utf-8")
    assert json.loads(manifest)["input"]["collection"] == "caf\\xe9"
    records = [
        NoteSequence.FromString(record)
        for path in (folder / f"{CAFE}-notes").glob("*.tfrecord")
        for record in read_records(path)
    ]
    assert {record.filename for record in records} == {"a.mid", "caf\\xe9.mid"}
    assert {record.collection_name for record in records} == {"caf\\xe9"}
    assert all(map(json.loads, inspected))
    assert (folder / f"{CAFE}.png").exists()


@pytest.mark.parametrize("command", ["convert", "inspect", "preprocess", "render", "report", "evaluate"])
def test_loops_of_links_and_long_names_are_wrong_usage(folder: Path, command: str) -> None:
    (folder / "loop").symlink_to("loop")
    assert "'loop/x' is a loop of links" in run_here(folder, command, "loop/x", expect=2).error
    assert "longer than the file system allows" in run_here(folder, command, "x" * 300, expect=2).error


@pytest.mark.parametrize("name", [".", "..", "/", "mine"])
def test_render_takes_no_folder(folder: Path, name: str) -> None:
    assert f"'{name}' is a folder. Name MIDI files" in run_here(folder, "render", name, expect=1).error


def test_render_names_the_midi_files_of_a_folder(folder: Path) -> None:
    (folder / "generated/now").mkdir(parents=True)
    (folder / "generated/now/beat.mid").touch()
    assert "for example generated/*/*.mid" in run_here(folder, "render", "generated", expect=1).error
    assert "for example generated/now/*.mid" in run_here(folder, "render", "generated/now", expect=1).error


def test_a_compressed_file_of_note_sequences_is_no_archive(folder: Path) -> None:
    run_here(folder, "convert", "mine", "--gzip", "--output-dir", "notes", "--split-by", "hash")
    (packed,) = (path for path in (folder / "notes").glob("*.gz") if any(read_records(path)))
    packed.rename(folder / "packed")
    content = json.loads(run_here(folder, "inspect", "packed", "--json").stdout)
    assert content["kind"] == "notes"
    assert "nor an archive" in run_here(folder, "convert", "packed", expect=1).error


@pytest.mark.parametrize("arguments", [["inspect", "."], ["fetch", "starter"], ["convert"], ["generate", "-n", "1"]])
def test_a_deleted_working_folder_is_named(tmp_path: Path, arguments: list[str]) -> None:
    command = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", command, "sh", *GMD_VAE, *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: The current folder does not exist any more."), done.stderr

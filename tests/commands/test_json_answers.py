"""``--json``: what the commands print is what docs/reference/json.md says.

The answers of ``train``, ``evaluate``, ``report`` and ``doctor`` are checked where the tests have them.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fixtures.json_page import PAGE, ROW, TYPES, check_answer, sections
from gmd_vae.cli import COMMANDS, cli

FOLDERS = PAGE.parents[1] / "folders.md"


def answer(*words: object) -> Any:
    result = CliRunner().invoke(cli, [*map(str, words), "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def place(starter_midi: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a song and a few files without an info.csv, one of them broken."""
    (tmp_path / "own").mkdir()
    for number, path in enumerate(starter_midi[:6]):
        shutil.copy(path, tmp_path / "own" / f"{number}.mid")
    (tmp_path / "own" / "broken.mid").write_bytes(b"no MIDI")
    (tmp_path / "own" / "notes.txt").write_text("about them")
    shutil.copy(starter_midi[0], tmp_path / "song.mid")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_has_its_keys_on_the_page() -> None:
    assert {heading.split()[0].rstrip(":") for heading, key in sections().items() if key.below} == COMMANDS.keys()
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    found = [ROW.fullmatch(row) for row in rows]
    assert {row and row[2].partition(" or ")[0] for row in found} <= TYPES.keys()


def test_fetch_convert_and_preprocess(place: Path) -> None:
    check_answer("fetch starter", answer("fetch", "starter"))
    for source in ("data/raw/starter", "own"):
        check_answer("convert", answer("convert", source))
        check_answer("inspect: a folder, an archive or NoteSequences", answer("inspect", source))
    check_answer("preprocess", answer("preprocess", "data/notes/starter"))
    check_answer("inspect: a folder, an archive or NoteSequences", answer("inspect", "data/notes/starter"))
    check_answer("inspect: examples", answer("inspect", "data/examples/starter/hierdec-drum_4bar_small"))


INTERNAL = {  # keys of manifests that may change at any time: neither Folders nor a schema has them
    "starter": {"bars", "seconds", "styles", "splits", "info", "midi_sha256"},
    "convert": set(),
    "preprocess": set(),
    "generate": set(),
    "export": set(),
}


def test_the_keys_of_manifests_are_on_the_page_folders(place: Path) -> None:
    folders = {
        "starter": (answer("fetch", "starter"), "data/raw/starter"),
        "convert": (answer("convert", "data/raw/starter"), "data/notes/starter"),
        "preprocess": (answer("preprocess", "data/notes/starter"), "data/examples/starter/hierdec-drum_4bar_small"),
        "generate": (answer("generate", "-n", 1, "--output-dir", "beats"), "beats"),
        "export": (answer("export", "groove-4bar", "-o", "stock", "--format", "magenta"), "stock"),
    }
    page = FOLDERS.read_text(encoding="utf-8").partition("## manifest.json")[2].partition("\n## ")[0]
    always = page.partition("| stage |")[0] + page.partition("\n\n| stage |")[2].partition("\n\n")[2]
    for stage, (printed, folder) in folders.items():
        (row,) = re.findall(rf"^\| `{'fetch' if stage == 'starter' else stage}` \|.*$", page, re.MULTILINE)
        named = {*re.findall(r"`(\w+)`", always + row)} | (printed.keys() if "| the keys that [" in row else set())
        content = json.loads(Path(folder, "manifest.json").read_text(encoding="utf-8"))
        assert content.keys() - named == INTERNAL[stage], stage


def test_inspect_of_a_file(place: Path) -> None:
    check_answer("inspect: a MIDI file", answer("inspect", "song.mid"))


@pytest.mark.tensorflow
def test_inspect_for_another_config(place: Path) -> None:
    check_answer("inspect: a MIDI file", answer("inspect", "song.mid", "--config", "groovae_4bar_small"))


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--mode", "vary", "--input-midi", "song.mid"),
        ("--mode", "reconstruct", "--input-midi", "song.mid"),
        ("--mode", "attribute", "--attribute", "busier=+1"),
        ("--mode", "interpolate", "--input-seed", "1", "--input-seed", "2"),
        ("--model", "humanize-2bar", "--mode", "groove", "--input-midi", "song.mid"),
    ],
    ids=" ".join,
)
def test_generate(place: Path, words: tuple[str, ...]) -> None:
    count = () if words and words[-1] == "song.mid" and "vary" not in words else ("-n", 2)
    printed = answer("generate", *words, *count, "--output-dir", "beats")
    check_answer("generate", printed)
    assert printed["model"] == (words[1] if words[:1] == ("--model",) else "groove-4bar")
    assert printed["prior"] == ("fitted" if not {"vary", "reconstruct", "groove"} & {*words} else None)


def test_pages_sounds_and_models(place: Path) -> None:
    check_answer("render", answer("render", "song.mid"))
    check_answer("render", answer("render", "song.mid", "--png"))
    models = answer("models")
    check_answer("models", models)
    assert answer("models", "groove-4bar") == models["models"][0]
    check_answer("studio", answer("studio", "groove-4bar"))
    check_answer("export", answer("export", "groove-4bar", "-o", "model.safetensors"))
    folder = answer("export", "groove-4bar", "-o", "stock", "--format", "magenta")
    check_answer("export", folder)
    assert folder["output"] == "stock"


def test_configs(place: Path) -> None:
    configs = answer("configs")
    check_answer("configs", configs)
    assert answer("configs", configs["configs"][0]["name"]) == configs["configs"][0]


def test_overfit_batch_has_no_json() -> None:
    result = CliRunner().invoke(cli, ["train", "--overfit-batch", "--json"])
    assert result.exit_code == 2
    assert "--overfit-batch logs no steps; leave out --json." in result.stderr


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"output": "x", "bytes": 1, "config": "c", "parameters": 2, "more": 1}, "more is not on the page"),
        ({"output": "x", "bytes": 1, "config": "c"}, "parameters is on the page"),
        ({"output": "x", "bytes": True, "config": "c", "parameters": 2}, "bytes is True, not integer"),
        ({"output": None, "bytes": 1, "config": "c", "parameters": 2}, "output is None, not text"),
    ],
)
def test_the_check_finds_differences(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_answer("studio", wrong)

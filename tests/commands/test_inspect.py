from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from gmd_vae.commands.inspect import command
from gmd_vae.common.errors import GmdVaeError, UsageError

MakeMidi = Callable[..., bytes]
REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def answer(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def rows(text: str) -> dict[str, list[str]]:
    """Returns the lines of all tables by their first word."""
    return {words[0]: words[1:] for line in text.splitlines() if (words := line.split())}


@pytest.fixture
def music(workspace: Path, starter_midi: list[Path]) -> Path:
    """Eight files of the starter set, with the whole catalogue."""
    root = next(folder for folder in starter_midi[0].parents if (folder / "info.csv").is_file())
    for path in starter_midi[::11]:
        target = workspace / "music" / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    shutil.copy(root / "info.csv", workspace / "music")
    return workspace / "music"


def test_help_and_usage_errors_import_nothing_heavy() -> None:
    heavy = ["numpy", "google.protobuf", "rich.table", "tensorflow", "note_seq", "matplotlib", "scipy"]
    script = (
        "import sys\n"
        "from gmd_vae.commands.inspect import command\n"
        "try:\n    command(sys.argv[1:])\n"
        "except SystemExit as end:\n    code = end.code\n"
        "except Exception as error:\n    code = error.exit_code\n"
        f"print(code, [name for name in {heavy} if name in sys.modules])"
    )
    for arguments, code in ((["--help"], 0), ([], 2), (["x", "--window", "0"], 2), (["x", "--config", "nonsense"], 2)):
        found = subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True, cwd=REPOSITORY
        )
        assert found.stdout.splitlines()[-1] == f"{code} []"


def test_a_midi_file_as_tables_and_a_grid_and_the_same_as_json(starter_midi: list[Path]) -> None:
    shown = run(starter_midi[0], "--window", "2")
    assert shown.exit_code == 0
    content = answer(starter_midi[0], "--window", "2")
    assert list(content)[:4] == ["kind", "path", "config", "window_bars"]
    assert f"{len(content['windows'])} windows of 4 bars for hierdec-drum_4bar_small" in shown.stdout
    assert f"Window 2 of {len(content['windows'])}" in shown.stdout
    table = rows(shown.stdout)
    assert table["kick"][0] == str(content["voices"][0]["notes"])
    assert shown.stdout.endswith(f"\nNext: gmd-vae generate --mode vary --input-midi {starter_midi[0]} --window 2\n")
    drawn = [line for line in shown.stdout.splitlines() if line.count("│") == 5]
    assert len(drawn) == 9
    assert max(len(line) for line in drawn) <= 80
    assert sum(line.count("■") for line in drawn) == sum(label.bit_count() for label in content["shown"]["labels"])


def test_a_long_window_takes_several_rows(starter_midi: list[Path]) -> None:
    result = run(starter_midi[0], "--config", "flat-drum_16bar_small")
    assert result.exit_code == 0
    assert "No window of 16 bars" in result.stdout or result.stdout.count("kick│") == 4


def test_a_folder_as_tables_and_the_same_as_json(music: Path) -> None:
    shown, content = run(music), answer(music)
    assert content["missing"]["count"] == 80
    assert "80 files of info.csv missing" in shown.stdout
    table = rows(shown.stdout)
    for name, split in content["splits"].items():
        counts = [split[key] for key in ("notes", "drum_notes", "windows", "distinct", "examples")]
        assert table[name] == [
            str(split["files"]), f"{split['seconds'] / 3600:.2f}", *(f"{count:,}" for count in counts)
        ]  # fmt: skip
    assert "Splits from info.csv." in shown.stdout
    assert f"median {content['tempos']['median']:g}" in shown.stdout
    for name, style in content["styles"].items():
        assert table[name][0] == str(style["files"])


def test_notes_and_examples(starter_notes: Path, starter_examples: Path) -> None:
    assert answer(starter_notes)["kind"] == "notes"
    shown, content = run(starter_examples), answer(starter_examples)
    assert rows(shown.stdout)["train"][0] == f"{content['splits']['train']['windows']:,}"
    assert "The most frequent:" in shown.stdout
    assert shown.stdout.count("kick│") == 5


def test_a_file_without_windows_gets_reasons(workspace: Path, make_midi: MakeMidi) -> None:
    (workspace / "[red]odd[bold] name.mid").write_bytes(make_midi())
    result = run("[red]odd[bold] name.mid")
    assert result.exit_code == 0
    assert "[red]odd[bold] name.mid: " in result.stdout
    assert "No window of 4 bars" in result.stdout
    assert "1 stretch of drums shorter than 4 bars" in result.stdout


def test_pictures_are_the_same_bytes_for_the_same_music(
    starter_midi: list[Path], starter_examples: Path, music: Path
) -> None:
    digests = set()
    for target in ("a.png", "b.png"):
        assert run(starter_midi[0], "--png", target).exit_code == 0
        digests.add(hashlib.sha256(Path(target).read_bytes()).hexdigest())
    assert len(digests) == 1
    assert run(starter_examples, "--png", "folder/c.png").exit_code == 0
    assert run(music, "--png", "d.png").exit_code == 0
    for target in ("a.png", "folder/c.png", "d.png"):
        assert Path(target).read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_music_without_windows(workspace: Path, make_midi: MakeMidi) -> None:
    (workspace / "music").mkdir()
    (workspace / "music" / "song.mid").write_bytes(make_midi(track=b"\x00\xff\x2f\x00"))
    for path in ("music", "music/song.mid"):
        assert run(path, "--png", "nothing.png").exit_code == 0
        assert Path("nothing.png").is_file()
        assert run(path).exit_code == 0
    (workspace / "music" / "song.mid").write_bytes(b"broken")
    result = run("music", "--png", "nothing.png")
    assert result.exit_code == 0
    assert "Not used: 1, not MIDI (song.mid)" in result.stdout


def test_errors_name_the_path_and_the_next_action(
    workspace: Path, starter_midi: list[Path], starter_examples: Path
) -> None:
    (workspace / "empty").mkdir()
    (workspace / "text.txt").write_text("hello")
    (workspace / "broken.mid").write_bytes(b"MThd")
    (workspace / "cut.zip").write_bytes(b"PK\3\4 and no more")
    (workspace / "cut.tfrecord").write_bytes(b"\1")
    for path, says in (
        ("nowhere", "'nowhere' does not exist. Give a MIDI file"),
        ("nowhere.mid", "does not exist"),
        ("empty", "'empty' holds no MIDI file (it is empty). Give a folder"),
        ("text.txt", "is neither a folder, nor an archive, nor a MIDI file"),
        ("broken.mid", "cannot be read as MIDI"),
        ("cut.zip", "damaged or incomplete"),
        ("cut.tfrecord", "damaged at record 0"),
    ):
        result = run(path)
        assert isinstance(result.exception, GmdVaeError), path
        assert says in str(result.exception)
        assert result.exception.exit_code == 1
        assert result.stdout == ""
    for arguments, says in (
        (("empty", "--config", "cat-mel_2bar_big"), "inspect shows the windows of drum configs"),
        ((starter_midi[0], "--config", "cat-mel_2bar_big", "--png", "x.png"), "--png draws drums"),
        (("x.mid", "--config", "hierdec-drum_4bat"), "Did you mean"),
        ((starter_midi[0], "--window", 9999), "has no window 9999"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, UsageError)
        assert says in str(result.exception)
    for path, option, value in (("empty", "--window", 1), (starter_examples, "--config", "flat-drum_4bar_small")):
        result = run(path, option, value)
        assert result.exit_code == 2
        assert f"{option} " in result.output

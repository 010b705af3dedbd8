"""``gmd-vae render``: its outputs, messages and errors."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from gmd_vae.commands.render import command
from gmd_vae.common.errors import GmdVaeError

MakeMidi = Callable[..., bytes]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(command, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(*arguments: str) -> GmdVaeError:
    """Returns the error of a command as one line."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(GmdVaeError) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
    assert sorted(Path().rglob("*")) == before  # nothing was written
    return caught.value


def names(folder: str = ".") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_beat_becomes_sound_and_picture(starter_midi: list[Path]) -> None:
    Path("beat.mid").write_bytes(starter_midi[0].read_bytes())
    result = run("beat.mid")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Wrote beat.wav (")
    assert result.stdout.endswith(" s) and beat.png\nNext: open beat.wav in a player, a browser or your DAW\n")
    assert names() == ["beat.mid", "beat.png", "beat.wav"]
    first = [Path(name).read_bytes() for name in ("beat.wav", "beat.png")]
    assert run("beat.mid").exit_code == 0, "its own files are replaced"
    assert [Path(name).read_bytes() for name in ("beat.wav", "beat.png")] == first


@pytest.mark.parametrize(
    ("options", "written"),
    [(["--wav"], ["0.wav", "1.wav"]), (["--png"], ["0.png", "1.png"]), (["--wav", "--png"], None)],
)
def test_wav_and_png_select_the_outputs(
    options: list[str], written: list[str] | None, make_midi: MakeMidi, workspace: Path
) -> None:
    for number in range(2):
        Path(f"{number}.mid").write_bytes(make_midi())
    assert run("0.mid", "1.mid", "./0.mid", *options, "--output-dir", "new/folder").exit_code == 0
    assert names("new/folder") == (written or ["0.png", "0.wav", "1.png", "1.wav"])
    assert names() == ["0.mid", "1.mid", "new"]


def test_notes_that_are_left_out_are_counted_on_stderr(make_midi: MakeMidi) -> None:
    piano = b"\x00\x90\x3c\x40\x10\x80\x3c\x00"
    Path("a.mid").write_bytes(make_midi([(0, 36), (480, 21), (960, 21), (1440, 24)], before=piano))
    result = run("a.mid", "--json")
    assert "a.mid: left out hits of drums not in the kit: 3 (MIDI pitch 21, 24)" in result.stderr
    assert "a.mid: left out notes of other instruments: 1" in result.stderr
    (done,) = json.loads(result.stdout)["files"]
    assert (done["hits"], done["unknown_drums"], done["other_notes"]) == (1, {"21": 2, "24": 1}, 1)
    assert done["wav"]["path"] == "a.wav"
    assert done["png"] == {"path": "a.png", "bars": 1, "bars_drawn": 1}


def test_a_long_picture_is_cut_with_a_message(make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.rendering.grid_png.MAX_BARS", 3)  # 64 take a second
    Path("a.mid").write_bytes(make_midi([(480 * beat, 36) for beat in range(20)]))
    assert "a.mid: the picture shows the first 3 of 5 bars" in run("a.mid", "--png").stderr


def test_a_file_without_a_note_is_silence(make_midi: MakeMidi) -> None:
    Path("a.mid").write_bytes(make_midi([]))
    result = run("a.mid")
    assert (result.exit_code, result.stderr) == (0, "a.mid: no notes, only silence\n")
    assert names() == ["a.mid", "a.png", "a.wav"]


def test_no_drums_are_refused(make_midi: MakeMidi) -> None:
    Path("good.mid").write_bytes(make_midi())
    Path("bad.mid").write_bytes(make_midi([], before=b"\x00\x90\x3c\x40\x10\x80\x3c\x00"))
    assert "'bad.mid' has no drums, only notes of other instruments: 1" in str(refused("good.mid", "bad.mid"))
    Path("odd.mid").write_bytes(make_midi([(0, 20)]))
    assert "only MIDI pitch 20" in str(refused("odd.mid"))


def test_files_that_are_not_midi_are_refused(make_midi: MakeMidi) -> None:
    Path("a.mid").write_bytes(b"not music")
    assert "'a.mid' cannot be read as MIDI" in str(refused("a.mid"))
    assert "does not exist" in str(refused("b.mid"))
    assert "is not a file" in str(refused("/dev/null"))
    Path("folder").mkdir()
    assert "folder/*.mid" in str(refused("folder"))


def test_music_that_is_too_long_is_refused(make_midi: MakeMidi) -> None:
    Path("a.mid").write_bytes(make_midi([(0, 36), (480 * 2 * 60 * 31, 36)]))
    error = refused("a.mid")
    assert (error.exit_code, "31 minutes" in str(error)) == (1, True)


def test_an_impossible_number_of_hits_is_refused(make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.rendering.drum_part.MAX_HITS", 2)
    Path("a.mid").write_bytes(make_midi())
    assert "has 3 drum hits; 2 can be rendered" in str(refused("a.mid"))


def test_an_input_is_never_replaced(make_midi: MakeMidi) -> None:
    Path("a.mid").write_bytes(make_midi())
    Path("a.wav").write_bytes(make_midi())
    error = refused("a.mid", "a.wav")
    assert (error.exit_code, "would be replaced" in str(error)) == (2, True)
    Path("b.mid").write_bytes(make_midi())
    Path("b.png").hardlink_to("b.mid")
    assert refused("b.mid").exit_code == 2


def test_two_inputs_with_one_output_are_refused(make_midi: MakeMidi) -> None:
    for name in ("a.mid", "a.midi", "x/a.mid"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(make_midi())
    assert (refused("a.mid", "a.midi").exit_code, refused("a.mid", "x/a.mid", "--output-dir", "y").exit_code) == (2, 2)
    assert run("a.mid", "x/a.mid", "--png").exit_code == 0


@pytest.mark.parametrize(
    "pair", [("s.mid", "S.mid"), ("caf\u00e9.mid", "cafe\u0301.mid"), ("Straße.mid", "STRASSE.kar")]
)
def test_outputs_that_are_one_file_on_many_disks_are_refused(make_midi: MakeMidi, pair: tuple[str, str]) -> None:
    """Disks of macOS and Windows ignore case and the form of accents: the second would replace the first."""
    for folder, name in zip("xy", pair, strict=True):
        Path(folder).mkdir()
        Path(folder, name).write_bytes(make_midi())
    error = refused(f"x/{pair[0]}", f"y/{pair[1]}", "--output-dir", "z")
    assert (error.exit_code, "many disks do not distinguish" in str(error)) == (2, True)
    assert run(f"x/{pair[0]}", f"y/{pair[1]}", "--png").exit_code == 0


def test_a_folder_in_the_place_of_a_file_is_refused(make_midi: MakeMidi) -> None:
    Path("a.mid").write_bytes(make_midi())
    Path("a.wav").mkdir()
    assert "is a folder" in str(refused("a.mid"))


def test_an_output_folder_that_cannot_be_made_is_one_line(make_midi: MakeMidi) -> None:
    Path("a.mid").write_bytes(make_midi())
    with pytest.raises(OSError, match=r"a\.mid"):  # cli.main makes one line of it
        run("a.mid", "--output-dir", "a.mid/new")
    assert names() == ["a.mid"]


def test_usage_errors() -> None:
    assert run().exit_code == 2
    assert run("a.mid", "--mp3").exit_code == 2
    Path("file").write_bytes(b"")
    assert run("a.mid", "--output-dir", "file").exit_code == 2


def test_help_and_refusals_need_no_libraries() -> None:
    code = (
        "import sys\nfrom gmd_vae.commands.render import command\n"
        "try:\n    command(['--help'])\nexcept SystemExit:\n"
        "    print(*(name in sys.modules for name in ('tensorflow', 'numpy', 'matplotlib', 'note_seq')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False False False"

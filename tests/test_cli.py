"""The command line as a whole: its help, its start-up, and how it fails."""

from __future__ import annotations

import errno
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from fixtures.midi_cases import drum_files
from gmd_vae import cli
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.common.system_errors import system_error


def _run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        cli.main(args)
    assert isinstance(exit_.value.code, int)
    return exit_.value.code, *capsys.readouterr()


def _one_line(stderr: str) -> str:
    stderr = stderr.removeprefix("\n")  # click ends the line on which the terminal shows ^C
    assert stderr.startswith("Error: ")
    assert stderr.count("\n") == 1, stderr
    return stderr


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    assert command.help is not None
    assert inspect.cleandoc(command.help).splitlines()[0] == cli.COMMANDS[name]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "--help")
    assert (code, err) == (0, "")
    for name, text in cli.COMMANDS.items():
        assert f"  {name} " in out
        assert text in " ".join(out.split())


@pytest.mark.parametrize("args", [("--help",), ("--version",), ("doctor", "--help"), ("nonsense",)])
def test_what_needs_no_work_imports_nothing_heavy(args: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom gmd_vae.cli import main\n"
        f"try:\n    main({list(args)!r})\n"
        "except SystemExit:\n"
        "    heavy = {'tensorflow', 'numpy', 'rich', 'magenta', 'note_seq', 'requests', 'mido'} & set(sys.modules)\n"
        "    sys.stderr.write('HEAVY ' + ' '.join(sorted(heavy)) + '\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "HEAVY "


def test_a_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "docter")
    assert (code, out) == (2, "")
    assert "'doctor'" in _one_line(err)


def test_an_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys, "doctor", "--jsno")
    assert (code, out) == (2, "")
    assert "--json" in err
    assert "gmd-vae doctor --help" in _one_line(err)


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (GmdVaeError("'x' is not there", "Fetch it."), 1, "'x' is not there. Fetch it."),
        (Interrupted("Stopped at step 7", "Run it again."), 130, "Stopped at step 7. Run it again."),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (MemoryError(), 1, "Out of memory."),
        (OSError(28, "No space left on device", "data/x"), 1, "'data/x': No space left on device. Free some space"),
        (click.FileError("a.mid", "is a\nfolder"), 1, "a.mid"),
        (click.BadParameter("not a\nnumber"), 2, "not a number"),
    ],
)
def test_failures_are_one_line_and_a_code(
    raised: BaseException,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @click.command("doctor")
    def failing() -> None:
        raise raised

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: failing)
    got, out, err = _run(capsys, "doctor")
    assert (got, out) == (code, "")
    assert said in _one_line(err)


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command("doctor")
    def failing() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: failing)
    with pytest.raises(ZeroDivisionError):
        cli.main(["doctor"])


def test_a_closed_pipe_is_met_in_silence() -> None:
    reader = ["bash", "-c", f"(sleep 1; exec '{sys.executable}' -m gmd_vae --help) | true"]
    done = subprocess.run(reader, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_command_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _run(capsys)
    assert (code, out) == (2, "")
    assert "Commands:" in err
    assert len(err.splitlines()) > 10


def _options(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _options(found, *path, name)
    else:
        yield from ((path, parameter) for parameter in command.params)


NUMBERS = [
    pytest.param(path, parameter.opts[-1], id=" ".join((*path, parameter.opts[-1])))
    for path, parameter in _options(cli.cli)
    if isinstance(parameter.type, click.types.FloatParamType)
]


@pytest.mark.parametrize("value", ["nan", "NaN", "-nan", "inf", "-inf", "Infinity", "1e999"])
@pytest.mark.parametrize(("path", "option"), NUMBERS)
def test_no_option_takes_what_is_no_number(
    path: tuple[str, ...], option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _run(capsys, *path, f"{option}={value}")
    assert (code, out) == (2, "")
    assert option in _one_line(err)
    assert "is not a number" in err


def test_options_with_numbers_are_found() -> None:
    assert len(NUMBERS) >= 7


@pytest.mark.parametrize("place", ["file/x", "file/x/y"])
@pytest.mark.parametrize("command", [("fetch", "starter"), ("render", "song.mid")], ids=lambda command: command[0])
def test_a_file_in_the_place_of_a_folder_comes_with_the_next_action(
    command: tuple[str, ...],
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "song.mid").write_bytes(drum_files()["notempo.mid"])
    code, _, err = _run(capsys, *command, "--output-dir", place)
    assert code == 1
    assert "choose another" in _one_line(err)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_limit_on_the_size_of_files_comes_with_the_next_action() -> None:
    text = str(system_error(OSError(errno.EFBIG, "File too large", "song.wav")))
    assert (
        text == "'song.wav': File too large. Raise the limit on the size of files (ulimit -f), or choose another disk."
    )

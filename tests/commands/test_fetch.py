from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import pytest
from fixtures.json_page import check_answer
from gmd_vae.cli import COMMANDS, main
from gmd_vae.commands import fetch
from gmd_vae.datasets import groove
from gmd_vae.datasets.download import RemoteFile

if TYPE_CHECKING:
    from fixtures.http import FileServer


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs ``gmd-vae fetch ...`` in an empty folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("GMD_VAE_GROOVE_ARCHIVE", raising=False)

    def run(*arguments: str) -> Outcome:
        with pytest.raises(SystemExit) as caught:
            main(["fetch", *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(int(caught.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def official(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """Replaces the official address by the loopback server."""
    monkeypatch.setattr(groove, "GROOVE", server.remote)
    return server


def test_groove_goes_to_data_raw_and_the_next_command_is_named(run, official: FileServer) -> None:  # type: ignore[no-untyped-def]
    outcome = run("groove")
    assert outcome.code == 0
    assert "1 MIDI files in data/raw/groove" in outcome.out
    assert "CC BY 4.0" in outcome.out
    assert outcome.out.endswith("Next: gmd-vae convert data/raw/groove\n")
    assert outcome.err == "Downloading the Groove MIDI Dataset (0.2 MB)\n"
    assert Path("data/raw/groove/drummer1/s/1.mid").is_file()
    again = run("groove")
    assert (again.code, again.err) == (0, "")
    assert "Already there: 1 MIDI files in data/raw/groove. Nothing to do." in again.out
    assert official.requests == 1


def test_the_next_command_is_quoted_and_json_is_the_only_output_on_stdout(run, official: FileServer) -> None:  # type: ignore[no-untyped-def]
    assert run("groove", "--output-dir", "my drums").out.endswith("Next: gmd-vae convert 'my drums'\n")
    summary = json.loads(run("groove", "--json", "--output-dir", "here").out)
    check_answer("fetch groove", summary)
    assert summary["output_dir"] == "here"
    assert summary["sha256"] == official.remote.sha256
    assert (summary["dataset"], summary["midi_files"]) == ("groove", 1)
    assert summary["already_there"] is False
    assert json.loads(run("groove", "--json", "--output-dir", "here").out) == {**summary, "already_there": True}


def test_a_local_archive_by_option_or_variable(  # type: ignore[no-untyped-def]
    run, official: FileServer, small_groove_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("groove", "--archive", str(small_groove_zip), "--output-dir", "a").code == 0
    monkeypatch.setenv("GMD_VAE_GROOVE_ARCHIVE", str(small_groove_zip))
    assert run("groove", "--output-dir", "b").code == 0
    missing = run("groove", "--archive", "missing.zip", "--output-dir", "c")
    assert missing.code == 1
    assert missing.err.startswith("Error: The archive 'missing.zip' does not exist. Get it from http")
    assert official.requests == 0, "no download was needed"
    assert not Path("c").exists()
    monkeypatch.setenv("GMD_VAE_GROOVE_ARCHIVE", "")
    assert run("groove", "--output-dir", "d").code == 0
    assert official.requests == 1, "an empty variable is none"


def test_no_network(run, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(groove, "GROOVE", RemoteFile("http://nowhere.invalid/x.zip", 10, "0" * 64))
    outcome = run("groove")
    assert outcome.code == 1
    assert outcome.out == ""
    (line,) = [line for line in outcome.err.splitlines() if line.startswith("Error")]
    assert line.startswith("Error: No network: nowhere.invalid cannot be reached")
    assert "--archive FILE" in line
    assert "GMD_VAE_GROOVE_ARCHIVE" in line
    assert not Path("data/raw/groove").exists()


@pytest.mark.parametrize(("how", "says"), [("404", "answered 404"), ("other bytes", "is not the expected file")])
def test_failures_are_one_line_and_leave_nothing(  # type: ignore[no-untyped-def]
    run, official: FileServer, monkeypatch: pytest.MonkeyPatch, how: str, says: str
) -> None:
    official.script = [how] * 5
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    outcome = run("groove")
    assert outcome.code == 1
    assert says in outcome.err.splitlines()[-1]
    assert [path for path in Path().rglob("*") if path.is_file()] == []


def test_a_mistyped_option_or_dataset_is_a_usage_error(run) -> None:  # type: ignore[no-untyped-def]
    assert run("grove").code == 2
    assert run("groove", "--archiv", "x").code == 2
    assert run("starter", "--seed", "-1").code == 2


def test_starter_needs_no_network_and_repeats_itself(run) -> None:  # type: ignore[no-untyped-def]
    assert run("starter").code == 0
    assert run("starter", "--seed", "0", "--output-dir", "again").code == 0
    assert run("starter", "--seed", "1", "--output-dir", "other").code == 0
    default, again, other = (
        {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.mid"))}
        for folder in (Path("data/raw/starter"), Path("again"), Path("other"))
    )
    assert default
    assert default == again
    assert default != other
    summary = json.loads(run("starter", "--json").out)
    assert (summary["dataset"], summary["midi_files"]) == ("starter", len(default))


SLOW = """
import sys, time
from gmd_vae import cli
from gmd_vae.datasets import download, groove
groove.GROOVE = download.RemoteFile(sys.argv[1], int(sys.argv[2]), sys.argv[3])
write = download._BoundedFile.write
def slowly(file, block):
    write(file, block)
    print("block", file=sys.stderr, flush=True)
    time.sleep(0.5)
download._BoundedFile.write = slowly
cli.main(["fetch", "groove"])
"""


def test_ctrl_c_in_a_download_leaves_nothing_and_the_next_run_succeeds(run, official: FileServer) -> None:  # type: ignore[no-untyped-def]
    remote = official.remote
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, remote.url, str(remote.size), remote.sha256], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while process.stderr.readline() != "block\n":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.splitlines()[-1].startswith("Error: Interrupted. Nothing half-written was left behind")
    assert not Path("data/raw").exists()
    assert run("groove").code == 0


def test_help_is_fast_and_ends_in_examples(run) -> None:  # type: ignore[no-untyped-def]
    assert (fetch.command.help or "").splitlines()[0] == COMMANDS["fetch"]
    for name, command in fetch.command.commands.items():
        assert f"gmd-vae fetch {name}" in (command.help or "").split("Examples:")[1]
    started = time.monotonic()
    call = "main(['fetch', 'groove', '--help'])"
    code = f"import sys; from gmd_vae.cli import main\ntry: {call}\nfinally: print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert time.monotonic() - started < 10
    loaded = set(shown.splitlines()[-1].split())
    assert "gmd_vae.commands.fetch" in loaded
    assert not loaded & {"pooch", "requests", "rich", "numpy", "tensorflow", "mido"}

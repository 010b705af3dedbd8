from __future__ import annotations

import errno
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from gmd_vae.cli import COMMANDS, main
from gmd_vae.commands.convert import command

MakeMidi = Callable[..., bytes]
GMD_VAE = [sys.executable, "-m", "gmd_vae"]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def music(workspace: Path, make_midi: MakeMidi) -> Path:
    (workspace / "music").mkdir()
    for number in range(40):
        (workspace / "music" / f"{number}.mid").write_bytes(make_midi([(0, 36), (100 + number, 38)]))
    (workspace / "music" / "broken.mid").write_bytes(b"hello")
    return workspace / "music"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(["convert", *arguments])
    captured = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    return caught.value.code, captured.out, captured.err


def assert_refused(capsys: pytest.CaptureFixture[str], code: int, says: str, *arguments: str) -> None:
    """One line on stderr, nothing on stdout, nothing left behind."""
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (code, "")
    assert err.count("\n") == 1
    assert err.startswith("Error: ")
    assert says in err


def test_the_help_starts_with_the_line_of_the_group_and_ends_in_examples() -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    assert COMMANDS["convert"] in text
    assert (command.help or "").splitlines()[0] == COMMANDS["convert"]
    assert "Examples:\n  gmd-vae convert\n" in text


def test_groove(groove_archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, str(groove_archive), "--style", "rock", "--beat-type", "beat", "--bpm", "90-140")
    assert (code, err) == (0, "")
    assert "data/notes/groove-rock-beat-90-140bpm (the split of info.csv)" in out
    assert out.splitlines()[-2].startswith("Wrote ")
    assert out.splitlines()[-1] == "Next: gmd-vae preprocess data/notes/groove-rock-beat-90-140bpm"
    content = json.loads(Path("data/notes/groove-rock-beat-90-140bpm/manifest.json").read_text())
    assert content["selection"] == {"styles": ["rock"], "beat_types": ["beat"], "bpm": [90, 140]}


def test_a_folder_without_a_catalogue(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "music", "--jobs", "1")
    assert (code, err) == (0, "")
    assert "Skipped 1: not MIDI (broken.mid)" in out
    assert "Wrote 40 records to data/notes/music (80/10/10 by content)" in out
    assert sorted(path.name for path in Path("data/notes").iterdir()) == ["music"]


def test_json(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "music", "--json", "--output-dir", "out")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["output_dir"] == "out"
    assert sum(split["records"] for split in answer["splits"].values()) == 40
    content = json.loads(Path("out/manifest.json").read_text())
    assert answer == {"output_dir": "out", **{key: content[key] for key in answer if key != "output_dir"}}
    internal = {"format", "stage", "input", "input_sample", "selection", "reading", "files", "versions"}
    assert content.keys() - answer.keys() == internal


def test_a_handful_of_files_may_leave_a_split_empty(
    workspace: Path, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "one.mid").write_bytes(make_midi())
    code, out, _ = run(capsys, "one.mid")
    assert code == 0
    assert "No record for" in out
    assert Path("data/notes/one/validation.tfrecord").stat().st_size == 0


@pytest.mark.parametrize(
    ("code", "says", "arguments"),
    [
        (1, "gmd-vae fetch groove", []),
        (1, "'nowhere' does not exist", ["nowhere"]),
        (1, "'empty' holds no MIDI file (it is empty)", ["empty"]),
        (1, "'texts' holds no MIDI file (1 other file: 1 .txt)", ["texts"]),
        (1, "No file of 'false.mid' could be converted (1 not MIDI)", ["false.mid"]),
        (1, "neither a folder, nor an archive, nor a MIDI file", ["texts/a.txt"]),
        (2, "'false.mid' is a file", ["music", "--output-dir", "false.mid"]),
        (1, "has no column split", ["bad catalogue"]),
        (1, "did not write", ["music", "--output-dir", "texts"]),
        (2, "lies in the output folder", ["music", "--output-dir", "."]),
        (2, "has no info.csv", ["music", "--style", "rock"]),
        (2, "has no info.csv", ["music", "--split-by", "info"]),
        (2, "'fast' is not a tempo", ["music", "--bpm", "fast"]),
        (2, "--jobs", ["music", "--jobs", "0"]),
        (2, "needs --scheduler", ["music", "--engine", "dask"]),
        (2, "needs --engine dask", ["music", "--scheduler", "tcp://127.0.0.1:8786"]),
        (2, "Dask workers", ["music", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"]),
        (2, "--split-by", ["music", "--split-by", "name"]),
        (2, "--styel", ["music", "--styel", "rock"]),
        (2, "unexpected extra argument", ["music", "more"]),
    ],
)
def test_bad_input_is_one_line(
    code: int,
    says: str,
    arguments: list[str],
    music: Path,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("empty", "texts", "bad catalogue"):
        (workspace / name).mkdir()
    (workspace / "texts" / "a.txt").write_text("text")
    (workspace / "false.mid").write_text("not MIDI")
    (workspace / "bad catalogue" / "a.mid").write_bytes((music / "1.mid").read_bytes())
    (workspace / "bad catalogue" / "info.csv").write_text("midi_filename,style\na.mid,rock\n")
    before = sorted(workspace.rglob("*"))
    assert_refused(capsys, code, says, *arguments)
    assert sorted(workspace.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_counted(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (music / "1.mid").chmod(0)
    code, out, _ = run(capsys, "music")
    assert code == 0
    assert "Skipped 1: cannot be opened (1.mid)" in out


def limited(bytes_per_file: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_per_file, bytes_per_file))


def test_a_file_that_cannot_grow_leaves_nothing(music: Path, workspace: Path) -> None:
    result = subprocess.run(
        [*GMD_VAE, "convert", "music"], capture_output=True, text=True, preexec_fn=limited(1000), check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("Error: 'data/notes/music': File too large. ")
    assert not (workspace / "data").exists()


def test_a_full_disk_keeps_the_earlier_output(
    music: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(capsys, "music")[0] == 0
    before = {path.name: path.read_bytes() for path in Path("data/notes/music").iterdir()}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("gmd_vae.midi.convert.write_record", full)
        code, out, err = run(capsys, "music", "--jobs", "2")
    assert (code, out) == (1, "")
    assert err == (
        "Error: 'data/notes/music': No space left on device. Free some space on that disk, then try again.\n"
    )
    assert {path.name: path.read_bytes() for path in Path("data/notes/music").iterdir()} == before
    assert sorted(path.name for path in Path("data/notes").iterdir()) == [".music.parts", "music"]
    assert run(capsys, "music")[::2] == (0, "Continuing: 41 of 41 files are finished.\n")


def start_on_many_files(workspace: Path, make_midi: MakeMidi) -> subprocess.Popen[str]:
    """A conversion with two processes, after its first batches."""
    many = workspace / "many"
    many.mkdir()
    hits = [(tick * 100, 36) for tick in range(600)]
    for number in range(700):
        (many / f"{number}.mid").write_bytes(make_midi([*hits, (80_000 + number, 38)]))
    process = subprocess.Popen(
        [*GMD_VAE, "convert", "many", "--jobs", "2"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not list((workspace / "data").glob("notes/.many.parts/*/*.part")) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    return process


def test_ctrl_c_keeps_finished_work_and_the_same_command_continues(
    workspace: Path, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start_on_many_files(workspace, make_midi)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    # click ends the line with the terminal's ^C first
    assert err.strip() == "Error: Interrupted. Finished work is kept; the same command continues from there."
    assert [path.name for path in (workspace / "data" / "notes").iterdir()] == [".many.parts"]
    code, _, err = run(capsys, "many")
    assert code == 0
    assert re.fullmatch(r"Continuing: [\d,]+ of 700 files are finished\.\n", err)
    assert [path.name for path in (workspace / "data" / "notes").iterdir()] == ["many"]


def test_a_killed_run_ends_its_processes_and_the_next_one_continues(
    workspace: Path, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str]
) -> None:
    process = start_on_many_files(workspace, make_midi)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()  # the parent alone
    process.communicate()
    assert psutil.wait_procs(children, timeout=20)[1] == []
    code, _, err = run(capsys, "many")
    assert code == 0
    assert err.startswith("Continuing: ")
    assert [path.name for path in (workspace / "data" / "notes").iterdir()] == ["many"]


def test_strict(music: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "music", "--strict")
    assert code == 1
    assert "Wrote 40 records to data/notes/music" in out
    assert err == (
        "Error: 1 file was skipped, which --strict forbids. The others are in 'data/notes/music'; its manifest.json "
        "names those that are not.\n"
    )
    (music / "broken.mid").unlink()
    assert run(capsys, "music", "--strict")[::2] == (0, "")


def test_tensorflow_is_never_imported(music: Path) -> None:
    code = """
import sys
from gmd_vae.cli import main
try:
    main(["convert", "music", "--jobs", "1"])
except SystemExit as end:
    assert end.code == 0
for name in ("tensorflow", "magenta", "librosa", "pandas", "bokeh"):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_help_and_usage_errors_import_nothing_heavy() -> None:
    code = """
import sys
from gmd_vae.cli import main
for arguments in (["--help"], ["--jobs", "0"], ["--no-such-option"]):
    try:
        main(["convert", *arguments])
    except SystemExit:
        pass
for name in ("numpy", "mido", "pretty_midi", "google.protobuf", "rich.console", "multiprocessing"):
    assert name not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_an_info_csv_that_is_no_file_is_named_and_not_used(
    tmp_path: Path, make_midi: MakeMidi, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.mid").write_bytes(make_midi([(0, 36), (100 + number, 38)]))
    info = folder / "info.csv"
    {"pipe": lambda: os.mkfifo(info), "folder": info.mkdir, "link": lambda: info.symlink_to("0.mid")}[kind]()
    code, out, err = run(capsys, "mine", "--output-dir", "new")
    assert code == 0
    reason = {"pipe": "it is not a regular file", "folder": "it is a folder", "link": "it is a link"}[kind]
    assert "info.csv" in out + err
    assert reason in out + err

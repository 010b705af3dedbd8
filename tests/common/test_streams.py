"""Commands with streams that are closed, that nobody reads, or that take ASCII only: the same work, exit status 0."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import GMD_VAE, environment, run_here

COMMANDS = {
    "configs": ("configs",),
    "configs --json": ("configs", "--json"),
    "configs NAME": ("configs", "flat-drum_4bar_small"),
    "fetch": ("fetch", "starter", "--output-dir", "out"),
    "convert": ("convert", "music", "--output-dir", "out"),
    "convert --json": ("convert", "music", "--output-dir", "out", "--json"),
    "preprocess": ("preprocess", "notes", "--output-dir", "out"),
    "inspect": ("inspect", "music/beat.mid"),
    "inspect --json": ("inspect", "music", "--json"),
    "render": ("render", "music/beat.mid", "--output-dir", "out"),
}
SOME = ("configs", "convert --json", "inspect")  # a command of each kind, where each stream is tried alone
CLOSED = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]
ENCODINGS = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, starter_midi: list[Path], starter_notes: Path) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    (folder / "music").mkdir()
    for number, name in enumerate(("beat.mid", "déjà vu → 鼓.mid", "[red]a.mid")):
        shutil.copy(starter_midi[number], folder / "music" / name)
    (folder / "notes").symlink_to(starter_notes)
    return folder


@pytest.fixture(scope="module")
def usual(world: Path) -> dict[str, str]:
    """The digest of what each command writes with ordinary streams, in this process."""
    return {name: outcome(world, lambda folder, name=name: run_here(folder, *COMMANDS[name]).code) for name in COMMANDS}


def outcome(world: Path, call: Callable[[Path], int]) -> str:
    shutil.rmtree(world / "out", ignore_errors=True)
    assert call(world) == 0
    files = sorted(path for path in (world / "out").rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def piped(folder: Path, name: str, **variables: str) -> int:
    done = subprocess.run(
        [*GMD_VAE, *COMMANDS[name]], cwd=folder, env=environment(**variables), capture_output=True, timeout=120
    )
    encoding = "utf-8"
    if variables:
        encoding = "latin-1" if "latin-1" in variables.values() else "ascii"
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)  # raises if it is not
    assert "Traceback" not in err
    if "--json" in name:
        json.loads(out)
    return done.returncode


@pytest.mark.parametrize(
    ("name", "closed"),
    [*((name, CLOSED[-1]) for name in COMMANDS), *((name, one) for one in CLOSED[:-1] for name in SOME)],
)
def test_closed_streams(name: str, closed: str, world: Path, usual: dict[str, str]) -> None:
    def call(folder: Path) -> int:
        line = f'"$@" {closed}'
        command = ["bash", "-c", line, "bash", *GMD_VAE, *COMMANDS[name]]
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, timeout=120)
        assert b"Traceback" not in done.stderr
        if closed == ">&-":
            assert done.stdout == b""
        return done.returncode

    assert outcome(world, call) == usual[name]


@pytest.mark.parametrize(
    ("name", "streams"),
    [
        *((name, ("stdout", "stderr")) for name in COMMANDS),
        *((name, (stream,)) for stream in ("stdout", "stderr") for name in SOME),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_streams_without_a_reader(name: str, streams: tuple[str, ...], world: Path, usual: dict[str, str]) -> None:
    def call(folder: Path) -> int:
        reading, writing = os.pipe()
        os.close(reading)
        with contextlib.closing(os.fdopen(writing, "wb")) as pipe:
            settings = {**dict.fromkeys(("stdout", "stderr"), subprocess.PIPE), **dict.fromkeys(streams, pipe)}
            done = subprocess.run([*GMD_VAE, *COMMANDS[name]], cwd=folder, env=environment(), timeout=120, **settings)  # type: ignore[call-overload]
        assert b"Traceback" not in (done.stderr or b"")
        return int(done.returncode)

    assert outcome(world, call) == usual[name]


@pytest.mark.parametrize(
    ("name", "variables"),
    [*((name, ENCODINGS[0]) for name in COMMANDS), *((name, one) for one in ENCODINGS[1:] for name in SOME)],
    ids=lambda value: value if isinstance(value, str) else "+".join(value.values()),
)
def test_encodings_that_lack_characters(
    name: str, variables: dict[str, str], world: Path, usual: dict[str, str]
) -> None:
    made = outcome(world, lambda folder: piped(folder, name, **variables))
    if "LC_ALL" not in variables:  # in the C locale, Python reads file names as bytes
        assert made == usual[name]


def test_a_full_disk_behind_stdout_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*GMD_VAE, "configs"], env=environment(), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "Error: No space left on device. Free some space on that disk, then try again.\n"


def test_pipefail_does_not_stop_a_script() -> None:
    line = f"set -o pipefail; '{GMD_VAE[0]}' -m gmd_vae configs | head -1"
    done = subprocess.run(["bash", "-c", line], env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_an_arrow_becomes_readable_ascii() -> None:
    code = (
        "from gmd_vae.common.streams import prepare_streams; prepare_streams()\n"
        "print('loss 3 \\u2192 2, \\u2212 \\xd7 \\u9f13 \\udce9')"
    )
    done = subprocess.run(
        [GMD_VAE[0], "-c", code], env=environment(PYTHONIOENCODING="ascii"), capture_output=True, text=True
    )
    assert done.stdout == "loss 3 -> 2, - x \\u9f13 \\udce9\n"

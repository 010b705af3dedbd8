"""Files and folders that change while a command works, and clocks, locks and limits of the system that are odd."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import resource
import shutil
import signal
import threading
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind

_MODEL = "run/best/model.safetensors"
_READERS = (
    ("song.mid", ["convert", "song.mid", "--output-dir", "new"]),
    ("song.mid", ["inspect", "song.mid", "--json"]),
    ("song.mid", ["render", "song.mid", "--output-dir", "new"]),
    ("mine.zip", ["convert", "mine.zip", "--output-dir", "new"]),
    ("mine.zip", ["inspect", "mine.zip"]),
    ("notes/train.tfrecord", ["preprocess", "notes", "--output-dir", "new"]),
    ("notes/train.tfrecord", ["inspect", "notes"]),
    ("examples/manifest.json", ["inspect", "examples"]),
    (_MODEL, ["export", _MODEL, "-o", "new.safetensors"]),
    (_MODEL, ["generate", "--model", _MODEL, "-n", "2", "--output-dir", "new"]),
    ("run/metrics.jsonl", ["report", "run", "--output", "new.html"]),
)  # fmt: skip
_WRITERS = (
    ["convert", "mine", "--output-dir", "new"], ["fetch", "starter", "--output-dir", "new"],
    ["preprocess", "notes", "--output-dir", "new"], ["render", "song.mid", "--output-dir", "new"],
    ["generate", "--model", _MODEL, "-n", "2", "--output-dir", "new"],
)  # fmt: skip
_FOLDER_WRITERS = [command for command in _WRITERS if command[0] != "render"]  # that one adds files to a folder


@kind()
def input_that_changes(rng: random.Random, home: Path) -> Attack:
    """An input that is cut, exchanged, removed or appended to again and again while it is read."""
    place, command = rng.choice(_READERS)
    data = (home / place).read_bytes()
    seed = rng.random()

    def change(_home: Path, stop: threading.Event) -> None:
        own = random.Random(seed)
        path = home / place
        while not stop.wait(own.random() * 0.05):
            choice = own.randrange(5)
            if choice == 0:
                path.write_bytes(data[: own.randrange(len(data))])
            elif choice == 1:
                path.with_name("exchange").write_bytes(own.randbytes(len(data)))
                path.with_name("exchange").replace(path)
            elif choice == 2:
                path.unlink(missing_ok=True)
            elif choice == 3:
                with path.open("ab") as stream:
                    stream.write(b"\0" * 1000)
            else:
                path.write_bytes(data)

    exchange = str(Path(place).with_name("exchange"))
    return Attack(command, ["new*", ".new*", exchange], [place], background=[change], seconds=60, megabytes=1000)


@kind()
def output_that_becomes_a_link(rng: random.Random, home: Path) -> Attack:
    """The output folder is exchanged for a link to the user's files while the command works.

    Not for `render`, which writes files into a folder of the user, also through a link. Unfinished work beside the
    output is not exchanged: whoever can do that can write there anyway (docs/security.md).
    """
    command = rng.choice(_FOLDER_WRITERS)
    path = home / "new"

    def change(_home: Path, stop: threading.Event) -> None:
        while not stop.wait(0.001):
            with contextlib.suppress(OSError):
                path.rename(path.with_name(f"new-moved-{os.urandom(3).hex()}"))
                path.symlink_to(home.parent / "outside")

    return Attack(command, ["new*", ".new*"], background=[change], seconds=60, megabytes=1000)


@kind()
def lock_of_another_process(rng: random.Random, home: Path) -> Attack:
    """Refused: another process holds the lock of the output folder."""
    stream = (home / ".new.gmd-vae.lock").open("w")  # held until the event
    stream.write(rng.choice(["", "process 1 on x, since 2020-01-01 00:00:00\n"]))
    stream.flush()
    fcntl.flock(stream, fcntl.LOCK_EX)

    def hold(_home: Path, stop: threading.Event) -> None:
        stop.wait()
        stream.close()

    return Attack(rng.choice(_FOLDER_WRITERS), background=[hold], seconds=30, refused=True)


@kind()
def clocks_that_are_wrong(rng: random.Random, home: Path) -> Attack:
    """Files from before 1970, of the far future, or of the very second; the command runs again and finds them."""
    moment = rng.choice([0, -1, -(2**31), 2**31, 2**33, 253_402_300_800, 1])
    for path in (home / "mine").iterdir():
        os.utime(path, (moment, moment))
    os.utime(home / "mine.zip", (moment, moment))
    command = rng.choice([["convert", "mine", "--output-dir", "new"], ["convert", "mine.zip", "--output-dir", "new"],
                          COMMANDS["notes"], COMMANDS["examples"]])  # fmt: skip
    return Attack(command, ["new*"], ["notes/*", "examples/*"], again=True, seconds=60)


@kind()
def stopped_and_continued(rng: random.Random, home: Path) -> Attack:
    """SIGSTOP and SIGCONT, a resized window, and signals that nobody expects: the command goes on."""
    signals = []
    for _ in range(rng.randrange(1, 4)):
        moment = 0.3 + rng.random() * 1.5
        signals += [(int(signal.SIGSTOP), moment), (int(signal.SIGCONT), moment + 0.3)]
    signals += [(int(signal.SIGWINCH), 0.5), (int(signal.SIGURG), 0.6)]
    return Attack(rng.choice(_WRITERS), ["new*"], signals=signals, again=True, seconds=60)


@kind()
def little_of_everything(rng: random.Random, home: Path) -> Attack:
    """Few open files, or little memory: one line, and nothing half-written."""
    limit = rng.choice([
        (resource.RLIMIT_NOFILE, rng.choice([12, 16, 20, 40])),  # Python itself needs some
        (resource.RLIMIT_AS, rng.choice([300, 500, 900]) << 20),
    ])  # fmt: skip
    readers = [command for _, command in _READERS]
    return Attack(
        rng.choice([*_WRITERS, *readers, ["configs"], ["models"]]), ["new*", ".new*"], limits=[limit], seconds=60
    )


@kind()
def hard_links_to_files_of_the_user(rng: random.Random, home: Path) -> Attack:
    """A file that gmd-vae replaces is also a file of the user under another name, which keeps its content."""
    place, command = rng.choice([
        ("notes/train.tfrecord", COMMANDS["notes"]), ("examples/manifest.json", COMMANDS["examples"]),
        ("notes/manifest.json", COMMANDS["notes"]), ("grooves/manifest.json", COMMANDS["grooves"]),
        ("new.html", ["report", "run", "--output", "new.html"]),
        (".notes.gmd-vae.lock", COMMANDS["notes"]),
    ])  # fmt: skip
    if not (home / place).exists():
        shutil.copy(home / "letter.txt", home / place)
    os.link(home / place, home / "precious")
    return Attack(command, ["new*"], ["notes/*", "examples/*", "grooves/*"], seconds=60)


@kind()
def deep_folders(rng: random.Random, home: Path) -> Attack:
    """Folders in folders without end, with a MIDI file at the bottom."""
    depth, name = rng.choice([(300, "a"), (900, "a"), (40, "x" * 90)])
    before = os.open(home, os.O_RDONLY)
    folder = before
    for _ in range(depth):
        os.mkdir(name, dir_fd=folder)
        inner = os.open(name, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    song = os.open("song.mid", os.O_WRONLY | os.O_CREAT, dir_fd=folder)
    os.write(song, (home / "song.mid").read_bytes())
    os.close(song)
    os.close(folder)
    return Attack(
        rng.choice([["convert", name, "--output-dir", "new"], ["inspect", name]]), ["new*", ".new*"], seconds=60
    )


@kind()
def many_arguments(rng: random.Random, home: Path) -> Attack:
    """Thousands of files on the command line, one file by many names, and names that only differ in their case."""
    song = home / "song.mid"
    (home / "SONG.mid").write_bytes(song.read_bytes())
    (home / "link.mid").symlink_to("song.mid")
    names = rng.choice([["song.mid"] * 3000, ["song.mid", "./song.mid", "../home/song.mid"], ["song.mid", "SONG.mid"],
                        ["song.mid", "link.mid"], ["missing.mid"] * 1000,
                        ["song.mid", "notes", "", "mine"]])  # fmt: skip
    return Attack(["render", *names, "--output-dir", "new"], ["new*", ".new*"], seconds=60)

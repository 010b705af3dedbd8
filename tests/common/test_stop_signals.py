"""Signals at any moment of a command: a known exit status, no traceback, no process and no half-written file left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from fixtures.command_line import GMD_VAE, environment

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}
COMMANDS = {
    "convert": ("convert", "many", "--jobs", "2", "--output-dir", "out"),
    "preprocess": ("preprocess", "notes", "--jobs", "2", "--output-dir", "out"),
    "inspect": ("inspect", "many", "--jobs", "2"),
    "render": ("render", *(f"many/{number}.mid" for number in range(40)), "--output-dir", "out"),
    "fetch": ("fetch", "starter", "--output-dir", "out"),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, starter_midi: list[Path], starter_notes: Path) -> Path:
    folder = tmp_path_factory.mktemp("signals")
    (folder / "many").mkdir()
    for number in range(1500):
        shutil.copy(starter_midi[number % len(starter_midi)], folder / "many" / f"{number}.mid")
    (folder / "notes").symlink_to(starter_notes)
    return folder


def start(folder: Path, *arguments: str, hangup: signal.Handlers = signal.SIG_DFL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*GMD_VAE, *arguments], cwd=folder, env=environment(), text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, hangup),  # tests may run under nohup
    )  # fmt: skip


def wait_for_handlers(process: subprocess.Popen[str]) -> None:
    """Waits until a command handles SIGTERM; before, while Python itself starts, it ends any program at once."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None and status.exists():  # where there is no such file: the waits below are long enough
        caught = [line for line in status.read_text().splitlines() if line.startswith("SigCgt:")]
        if caught and int(caught[0].split()[1], 16) >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.005)


# a terminal sends Ctrl-C to its group and ``kill`` SIGTERM to one process; SIGHUP comes either way
SENT = {signal.SIGINT: "group", signal.SIGTERM: "process", signal.SIGHUP: "group"}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *((name, signal.SIGINT) for name in COMMANDS),
        # one handler serves all signals: a command with processes of its own, and one without
        *((name, number) for number in (signal.SIGTERM, signal.SIGHUP) for name in ("convert", "fetch")),
        ("preprocess", signal.SIGTERM),
    ],
    ids=lambda value: f"{value.name}-{SENT[value]}" if isinstance(value, signal.Signals) else value,
)
def test_a_signal_ends_a_command_and_its_processes(name: str, number: signal.Signals, world: Path) -> None:
    for seconds in (0.3, 1.2):
        shutil.rmtree(world / "out", ignore_errors=True)
        process = start(world, *COMMANDS[name])
        wait_for_handlers(process)
        time.sleep(seconds)
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for _ in range(2):  # ``timeout`` and terminals send two
            if process.poll() is None:
                (os.killpg if SENT[number] == "group" else os.kill)(process.pid, number)
        out, err = process.communicate(timeout=30)
        assert process.returncode in (0, STATUS[number]), err
        assert "Traceback" not in out + err
        assert not psutil.wait_procs(children, timeout=5)[1]
        assert not [path for path in world.rglob("*.partial") if path.is_file()]


def test_a_killed_command_leaves_no_process(world: Path) -> None:
    for seconds in (0.5, 1.2):
        process = start(world, *COMMANDS["convert"])
        time.sleep(seconds)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        assert not psutil.wait_procs(children, timeout=10)[1]
        assert "Traceback" not in process.communicate()[1]


@pytest.mark.parametrize(("first", "number"), enumerate(STATUS), ids=lambda value: getattr(value, "name", ""))
def test_a_signal_while_a_command_starts_or_ends_shows_no_traceback(first: int, number: signal.Signals) -> None:
    for milliseconds in range(4 * first, 120, 12):  # the three signals at moments of their own
        process = subprocess.Popen(
            [GMD_VAE[0], "-X", "importtime", *GMD_VAE[1:], "configs"],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )  # fmt: skip
        assert process.stderr is not None
        while "click" not in process.stderr.readline():  # until then Python itself is starting
            assert process.poll() is None
        time.sleep(milliseconds / 1000)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode in (0, STATUS[number]), err
        assert "Traceback" not in err


def test_nohup_lets_a_command_go_on(tmp_path: Path) -> None:
    process = start(tmp_path, "fetch", "starter", "--output-dir", "out", hangup=signal.SIG_IGN)
    while process.poll() is None:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.02)
    assert process.returncode == 0, process.stderr and process.stderr.read()
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_a_request_that_c_code_prints_shows_no_traceback() -> None:
    """NumPy's C modules print any error of their imports, and Python prints one that nobody catches, in one way."""
    code = "import os, signal; from gmd_vae.common import stop_signals; stop_signals.interrupt(); "
    stopped = code + "os.kill(os.getpid(), signal.SIGTERM)"
    for text, shown in ((stopped, False), (code + "raise ValueError", True)):
        done = subprocess.run(
            [GMD_VAE[0], "-c", text], env=environment(), stderr=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode
        assert ("Traceback" in done.stderr) is shown


def test_a_signal_to_another_thread_waits_for_the_end_of_a_block() -> None:
    """NumPy starts threads, and the system may give a signal to any of them."""
    code = """
import os, signal, threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
from gmd_vae.common import stop_signals
stop_signals.interrupt()
try:
    with stop_signals.held_back():
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(20):
            time.sleep(0.01)
        print("whole", flush=True)
except KeyboardInterrupt:
    print("then stopped")
"""
    done = subprocess.run(
        [GMD_VAE[0], "-c", code], env=environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == ["whole", "then stopped"]

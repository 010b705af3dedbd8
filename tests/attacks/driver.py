"""Runs the command of an attack, and checks what holds for every command."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from attacks.changed_files import changed_files, snapshot
from attacks.home import environment, program

EXIT_STATUSES = (0, 1, 2, 130, 143)
_POLL = 0.03  # seconds between two looks at the memory
_START = 0.3  # seconds of CPU time in which the interpreter has no handlers yet
_FAREWELL = 5.0  # seconds that child processes have to end after their parent
_ERROR_BYTES = 1000  # a smaller limit on files cuts the line of error, too: stderr is a file here
_MOST_OUTPUT = 20 << 20  # bytes
# Control characters that a terminal obeys, and marks that reverse the direction of text
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_TRACES = ("Traceback (most recent call last)", "Exception ignored in", "Fatal Python error", "core dumped")
_PROGRESS = "\r"  # redrawn lines belong to terminals, and no attack has one


@dataclass
class Attack:
    """A command line to run in a prepared home.

    Attributes:
        arguments: Arguments of ``gmd-vae``.
        outputs: Patterns (``fnmatch``, relative to the home) of what the command may make.
        replaces: Patterns of existing files that the command may replace or delete.
        seconds: Limit of wall time.
        megabytes: Limit of the memory of the process and its children together.
        environment: More environment variables.
        closed: Numbers of the standard streams that are closed at the start.
        lines: Lines of stdout after which the reader closes it; None reads all.
        signals: Signals and the seconds after the start at which they are sent.
        copies: Number of processes that run the same command at once.
        again: True: the command runs once more afterwards, undisturbed, and must exit with 0.
        refused: True: the command must fail.
        folder: Working folder, relative to the home.
        remove_folder: True: the (empty) working folder is removed before the command starts.
        file_bytes: Limit of the size of a file (RLIMIT_FSIZE), as on a full disk.
        limits: More limits of the system (``resource.setrlimit``) and their values.
        python: Program for Python to run in place of the command.
        background: Functions called with the home and an event that ends them, in a thread, during the run.
    """

    arguments: Sequence[str | bytes]
    outputs: Sequence[str] = ()
    replaces: Sequence[str] = ()
    seconds: float = 60.0
    megabytes: int = 1500
    environment: dict[str, str] = field(default_factory=dict)
    closed: Sequence[int] = ()
    lines: int | None = None
    signals: Sequence[tuple[int, float]] = ()
    copies: int = 1
    again: bool = False
    refused: bool = False
    folder: str = "."
    remove_folder: bool = False
    file_bytes: int | None = None
    limits: Sequence[tuple[int, int]] = ()
    python: str = ""
    background: Sequence[Any] = ()


class Outcome(NamedTuple):
    """The result of an attack.

    Attributes:
        problems: Violations, in words; empty if all held.
        seconds: Wall time.
        megabytes: Peak memory of the process and its children, as sampled.
    """

    problems: list[str]
    seconds: float
    megabytes: float


class _Done(NamedTuple):
    """The end of one process.

    Attributes:
        code: Exit status.
        stdout: Output.
        stderr: Errors.
        seconds: Wall time.
        peak: Peak memory in bytes.
        at_signal: CPU seconds that the process had used at its first signal; 0 without one.
    """

    code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak: int
    at_signal: float


def carry_out(attack: Attack, sandbox: Path) -> Outcome:
    """Runs an attack in its sandbox and checks the result.

    Args:
        attack: The attack.
        sandbox: Folder with ``home``, ``tmp``, ``user`` and ``outside``, already damaged by the attack.
    """
    before = snapshot(sandbox)
    mark = uuid.uuid4().hex
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(sandbox / "home", stop), daemon=True) for work in attack.background]
    for thread in threads:
        thread.start()
    done: list[_Done] = []
    runners = [threading.Thread(target=lambda: done.append(_run(attack, sandbox, mark))) for _ in range(attack.copies)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    stop.set()
    for thread in threads:
        thread.join(10)
    problems = [problem for one in done for problem in _judge(attack, one)]
    problems += _left_processes(mark)
    killed = any(number == signal.SIGKILL for number, _ in attack.signals)
    problems += changed_files(sandbox, before, attack.outputs, attack.replaces, leftovers_allowed=killed)
    if attack.again:
        calm = Attack(attack.arguments, seconds=attack.seconds, megabytes=attack.megabytes, folder=attack.folder)
        second = _run(calm, sandbox, mark)
        problems += [f"again: {problem}" for problem in _judge(calm, second)]
        if second.code != 0:
            problems.append(f"again: exit {second.code}: {_last_line(second.stderr)}")
        changed = changed_files(sandbox, before, attack.outputs, attack.replaces)
        problems += [f"again: {problem}" for problem in changed]
    return Outcome(problems, max(one.seconds for one in done), max(one.peak for one in done) / 1e6)


def _run(attack: Attack, sandbox: Path, mark: str) -> _Done:
    """Runs one process to its end, or kills it at its limits."""
    # Python up to 3.11 keeps half of a compiled module when the disk is full
    limited = {"PYTHONDONTWRITEBYTECODE": "1"} if attack.file_bytes is not None else {}
    files = [sandbox.parent / f"{sandbox.name}-{mark}-{threading.get_ident()}-{name}" for name in ("out", "err")]
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        out, err = (stack.enter_context(open(path, "w+b")) for path in files)

        def prepare() -> None:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if attack.file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (attack.file_bytes, attack.file_bytes))
            for limit, value in attack.limits:
                resource.setrlimit(limit, (value, value))
            if attack.remove_folder:
                Path.cwd().rmdir()
            for number in attack.closed:
                os.close(number)

        process = subprocess.Popen(
            [*([sys.executable, "-c", attack.python] if attack.python else program()), *attack.arguments],
            cwd=sandbox / "home" / attack.folder,
            env={**environment(sandbox), **limited, "GMD_VAE_ATTACK": mark, **attack.environment},
            stdin=subprocess.DEVNULL,
            stdout=out if attack.lines is None else subprocess.PIPE,
            stderr=err,
            start_new_session=True,
            preexec_fn=prepare,  # the parent has other threads: this function takes no lock
        )
        if attack.lines is not None:
            stack.enter_context(_reader(process, out, attack.lines))
        peak, at_signal = _watch(process, attack, started)
        seconds = time.monotonic() - started
        out.seek(0)
        err.seek(0)
        done = _Done(process.returncode, out.read(_MOST_OUTPUT), err.read(_MOST_OUTPUT), seconds, peak, at_signal)
    for path in files:
        path.unlink()
    return done


@contextlib.contextmanager
def _reader(process: subprocess.Popen[bytes], out: Any, lines: int) -> Iterator[None]:
    """Reads some lines of stdout, then closes it, as ``head`` does."""

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for _ in range(lines):
                out.write(stream.readline())

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        thread.join(10)


def _watch(process: subprocess.Popen[bytes], attack: Attack, started: float) -> tuple[int, float]:
    """Waits for the end of a process; sends the signals; kills it at its limits.

    Returns:
        Its peak memory in bytes, and the CPU seconds that it had used at the first signal.
    """
    signals = sorted(attack.signals, key=lambda item: item[1])
    peak, at_signal = 0, None
    while process.poll() is None:
        now = time.monotonic() - started
        while signals and now >= signals[0][1]:
            if at_signal is None:
                at_signal = _cpu_seconds(process.pid)
            process.send_signal(signals.pop(0)[0])
        peak = max(peak, _memory(process.pid))
        if now > attack.seconds or peak > attack.megabytes * 1e6:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        else:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_POLL)
    return peak, at_signal or 0.0


def _cpu_seconds(pid: int) -> float:
    """Returns the CPU time of a process in seconds; 0 if it has ended."""
    with contextlib.suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system
    return 0.0


def _memory(pid: int) -> int:
    """Returns the resident memory of a process and its descendants in bytes."""
    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def _judge(attack: Attack, done: _Done) -> list[str]:
    """Returns the violations of one process: status, messages, time, memory and JSON."""
    problems = []
    if done.seconds > attack.seconds:
        problems.append(f"took longer than {attack.seconds:g} s")
    if done.peak > attack.megabytes * 1e6:
        problems.append(f"took more than {attack.megabytes} MB")
    if problems:
        return problems
    if done.code is not None and done.code < 0 and _ends_at_once(attack, -done.code, done.at_signal):
        return []
    encoding = attack.environment.get("PYTHONIOENCODING", "utf-8")
    stdout, stderr = (text.decode(encoding, "replace") for text in (done.stdout, done.stderr))
    if done.code not in EXIT_STATUSES:
        problems.append(f"exit status {done.code}: {_last_line(done.stderr)}")
    problems += [f"'{trace}': {_last_line(done.stderr)}" for trace in _TRACES if trace in stdout + stderr]
    for name, text in (("stdout", stdout), ("stderr", stderr)):
        if found := _CONTROL.search(text):
            start = max(0, found.start() - 30)
            problems.append(f"control character on {name}: {text[start : found.end() + 30]!r}")
    errors = [line for line in stderr.splitlines() if line.startswith("Error: ")]
    silent = 2 in attack.closed or (attack.file_bytes is not None and attack.file_bytes < _ERROR_BYTES)
    if done.code in (1, 2) and not silent and len(errors) != 1 and "--strict" not in attack.arguments:
        problems.append(f"exit status {done.code} with {len(errors)} lines of error: {stderr[-300:]!r}")
    if attack.refused and done.code == 0:
        problems.append("was not refused")
    if "--json" in attack.arguments and attack.lines is None and 1 not in attack.closed:
        problems += _check_json(stdout, done.code == 0)
    return problems


def _ends_at_once(attack: Attack, number: int, at_signal: float) -> bool:
    """Returns True if a signal was sent that no program survives, or before Python itself had started."""
    return any(sent == number and (number == signal.SIGKILL or at_signal < _START) for sent, _ in attack.signals)


def _check_json(text: str, needed: bool) -> list[str]:
    """Returns the violations of JSON output: one document, or one on each line; without NaN and Infinity."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    if not text.strip():
        return ["--json wrote nothing"] if needed else []
    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        try:
            for line in text.splitlines():
                json.loads(line, parse_constant=refuse)
        except ValueError as error:
            return [f"--json does not parse ({error}): {text[:200]!r}"]
    return []


def _left_processes(mark: str) -> list[str]:
    """Returns the processes that outlive the command; kills them."""
    deadline = time.monotonic() + _FAREWELL
    while left := list(_marked(mark)):
        if time.monotonic() > deadline:
            names = []
            for process in left:
                with contextlib.suppress(psutil.Error):
                    names.append(" ".join(process.cmdline())[:100])
                    process.kill()
            return [f"processes left: {names}"]
        time.sleep(0.1)
    return []


def _marked(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("GMD_VAE_ATTACK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").splitlines()
    return lines[-1][:300] if lines else ""


def remove(folder: Path) -> None:
    """Deletes a sandbox, also one whose files an attack has made read-only."""
    for path, folders, _ in os.walk(folder):
        for name in folders:
            with contextlib.suppress(OSError):
                os.chmod(os.path.join(path, name), 0o700, follow_symlinks=True)  # noqa: PTH101, PTH118
    shutil.rmtree(folder, ignore_errors=True)

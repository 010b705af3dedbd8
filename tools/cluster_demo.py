"""Rehearses training on several machines on this one: a parameter server (ps), a chief and a worker.

Each is a separate ``gmd-vae train`` process with its own TF_CONFIG, as on separate machines. They communicate over the
loopback network, on free ports.

    python tools/cluster_demo.py --examples-path data/examples/starter/flat-drum_4bar_small
    python tools/cluster_demo.py --examples-path data/examples/starter/flat-drum_4bar_small --kill chief

Exits with 0 if the job completed and the loss fell, otherwise with 1.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parent.parent
ROLES = ("ps", "chief", "worker")
STEP = re.compile(r": step (\d+)")  # in the lines of progress of chief and worker
# flat-drum_4bar_small with the recurrent layers made small
SMALL = "enc_rnn_size=[64],dec_rnn_size=[64,64],z_size=16,batch_size=32"


class Job:
    """The three processes of a job and their output. Use as a context manager: it kills processes that still run.

    Args:
        arguments: Arguments of ``gmd-vae train``, the same for chief and worker.
        folder: Folder for a working folder of each process; ``None``: all use the current folder.
        echo: True to print the output of the processes.
    """

    def __init__(self, arguments: Sequence[str], folder: Path | None = None, *, echo: bool = False) -> None:
        self._arguments, self._folder, self._echo = list(arguments), folder, echo
        ports = free_ports(len(ROLES))
        self.cluster = {role: [f"127.0.0.1:{port}"] for role, port in zip(ROLES, ports, strict=True)}
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.lines: dict[str, list[str]] = {role: [] for role in ROLES}
        self._readers: list[threading.Thread] = []
        self._all: list[subprocess.Popen[str]] = []
        self._begun = time.monotonic()

    def __enter__(self) -> Job:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._all:
            if process.poll() is None:
                process.kill()
            process.wait()
        for reader in self._readers:
            reader.join(10)

    @property
    def seconds(self) -> float:
        """Seconds since the job was created."""
        return time.monotonic() - self._begun

    def start(self, role: str, extra: Sequence[str] = ()) -> None:
        """Starts or restarts a process.

        Args:
            role: One of `ROLES`.
            extra: Additional arguments; of repeated options the last one counts.
        """
        folder = None
        if self._folder:
            folder = self._folder / role
            folder.mkdir(parents=True, exist_ok=True)
        config = {"cluster": self.cluster, "task": {"type": role, "index": 0}}
        process = subprocess.Popen(
            [sys.executable, "-m", "gmd_vae", "train", *self._arguments, *extra],
            env={**environment(), "TF_CONFIG": json.dumps(config)},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes[role] = process
        self._all.append(process)
        reader = threading.Thread(target=self._read, args=(role, process), daemon=True)
        self._readers.append(reader)
        reader.start()

    def kill(self, role: str) -> None:
        """Kills a process with SIGKILL.

        Raises:
            RuntimeError: the process had already exited.
        """
        process = self.processes[role]
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            raise RuntimeError(f"the {role} ended with {process.returncode} before it could be killed\n{self.log()}")

    def wait_for(self, role: str, pattern: re.Pattern[str], seconds: float, *, after: int = 0) -> re.Match[str]:
        """Waits for a line in the output of a process.

        Args:
            role: One of `ROLES`.
            pattern: Pattern to search for in the line.
            seconds: Time limit in seconds.
            after: Number of lines of the process to skip.

        Raises:
            RuntimeError: the process exited or the time is over without such a line.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            has_exited = self.processes[role].poll() is not None  # before reading its lines, so that none is missed
            if match := next(filter(None, map(pattern.search, self.lines[role][after:])), None):
                return match
            if has_exited:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the {role} has not printed '{pattern.pattern}'\n{self.log()}")

    def wait(self, seconds: float, roles: Sequence[str] = ROLES) -> dict[str, int]:
        """Waits until processes have exited; returns their exit codes by role.

        Raises:
            RuntimeError: the time is over.
        """
        until = time.monotonic() + seconds
        for role in roles:
            try:
                self.processes[role].wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise RuntimeError(f"the {role} has not exited\n{self.log()}") from None
        return {role: self.processes[role].returncode for role in roles}

    def log(self) -> str:
        """Returns the output of all processes."""
        return "".join(f"--- {role}\n" + "\n".join(lines) + "\n" for role, lines in self.lines.items())

    def _read(self, role: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines[role].append(line.rstrip("\n"))
            if self._echo:
                # some lines already begin with the role
                self.say(role, re.sub(rf"^{role}[^:]*: ", "", line.rstrip("\n")))
        process.wait()
        if self._echo:
            self.say(role, f"exited with code {process.returncode}")

    def say(self, who: str, text: str) -> None:
        """Prints a line with the seconds since the start of the job."""
        print(f"{self.seconds:6.1f} s  {who:<6}  {text}", flush=True)


def environment() -> dict[str, str]:
    """In which ``python -m gmd_vae`` finds this package from any folder."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'pipeline'}{os.pathsep}{ROOT}"}


def free_ports(count: int) -> list[int]:
    """Returns free ports below the range that the system uses for outgoing connections."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(12_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def training_lines(run: Path) -> list[dict[str, Any]]:
    """Returns the lines of the training split in a run's ``metrics.jsonl``."""
    from gmd_vae.training.history import NAME, read_lines

    path = run / NAME
    return [line for line in read_lines(path) if line["split"] == "train"] if path.exists() else []


def wait_for_step(job: Job, run: Path, step: int, seconds: float) -> int:
    """Waits until the chief has logged a step or a later one; returns the logged step.

    Raises:
        RuntimeError: the time is over, or the chief exited before.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and job.processes["chief"].poll() is None:
        now: int = max((line["step"] for line in training_lines(run)), default=0)
        if now >= step:
            return now
        time.sleep(0.05)
    raise RuntimeError(f"the chief has not reached step {step}\n{job.log()}")


def kill_and_restart(job: Job, role: str, seconds: float) -> tuple[int, float]:
    """Kills a process, restarts it, and waits until it trains.

    Returns:
        The step at which it resumes, and the seconds from its start to that step.
    """
    job.kill(role)
    started, lines = time.monotonic(), len(job.lines[role])
    job.start(role)
    match = job.wait_for(role, STEP, seconds, after=lines)
    return int(match[1]), time.monotonic() - started


def main() -> int:
    """Runs the rehearsal from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples-path", type=Path, required=True)
    parser.add_argument("--config", default="flat-drum_4bar_small")
    parser.add_argument("--hparams", default=SMALL)
    parser.add_argument("--num-steps", type=int, default=100)
    parser.add_argument("--run-dir", type=Path, help="a new folder; otherwise one in runs/cluster-demo")
    parser.add_argument("--kill", choices=("worker", "chief"), help="kill this process halfway and restart it")
    parser.add_argument(
        "--timeout", type=float, default=600, metavar="SECONDS", help="time limit for each part of the job"
    )
    options = parser.parse_args()
    now = datetime.datetime.now().strftime("%Y-%m-%d_%H%M%S")
    run: Path = options.run_dir or Path("runs/cluster-demo") / now
    if run.exists():
        parser.error(f"'{run}' already exists: the rehearsal needs a new folder")

    save_every = max(1, options.num_steps // 5)
    arguments = ["--config", options.config, "--examples-path", str(options.examples_path), "--run-dir", str(run)]
    arguments += ["--hparams", options.hparams, "--num-steps", str(options.num_steps), "--save-every", str(save_every)]
    with Job(arguments, echo=True) as job:
        try:
            for role in ROLES:
                job.say("demo", f"starts the {role} at {job.cluster[role][0]}")
                job.start(role)
            if options.kill:
                step = wait_for_step(job, run, options.num_steps // 2, options.timeout)
                job.say("demo", f"kills the {options.kill} after step {step} and restarts it")
                step, seconds = kill_and_restart(job, options.kill, options.timeout)
                job.say("demo", f"the {options.kill} trains again, at step {step}, {seconds:.1f} s after its start")
            codes = job.wait(options.timeout)
        except RuntimeError as error:  # the first line names the fault; the rest has been printed
            job.say("demo", f"failed: {str(error).splitlines()[0]}")
            return 1
        took = job.seconds
    return report(run, options.num_steps, codes, took)


def report(run: Path, num_steps: int, codes: dict[str, int], seconds: float) -> int:
    """Prints exit codes, losses and checkpoint; returns 0 if the job completed and the loss fell."""
    lines = training_lines(run)
    checkpoint = run / "train" / f"model.ckpt-{num_steps}"
    ended = not any(codes.values())
    fell = len(lines) > 1 and lines[-1]["step"] == num_steps and lines[-1]["loss"] < lines[0]["loss"]
    saved = checkpoint.with_name(checkpoint.name + ".index").exists()
    print()
    print(f"Exit codes after {seconds:.0f} s: " + ", ".join(f"{role} {code}" for role, code in codes.items()))
    if lines:
        first, last = lines[0], lines[-1]
        print(f"Loss at step {first['step']}: {first['loss']:.1f}, at step {last['step']}: {last['loss']:.1f}")
    print(f"Checkpoint: {checkpoint}" if saved else f"There is no checkpoint {checkpoint}")
    print("The job completed and the loss fell." if ended and fell and saved else "The rehearsal failed: see above.")
    return 0 if ended and fell and saved else 1


if __name__ == "__main__":
    raise SystemExit(main())

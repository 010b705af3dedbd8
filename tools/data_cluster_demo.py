"""Rehearses the preparation of data on several machines: a Dask scheduler and two workers on this machine.

Copies a folder of MIDI files several times under other names, and runs ``gmd-vae convert`` and ``gmd-vae preprocess``
on the workers. During each command a worker is killed, as by a power cut. The files must equal those of the same
commands without Dask, byte for byte.

    python tools/data_cluster_demo.py data/raw/groove

The exit code is 0 if they are equal, else 1.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cluster_demo import environment, free_ports

CONFIG = "hierdec-drum_4bar_small"
FILES = 3000  # enough for some seconds of work, so that a worker can be killed during it


class DaskCluster:
    """A scheduler and workers with one thread each, on loopback. A context manager that kills them at the end.

    Args:
        folder: Folder for logs and for the workers' files.
        python_path: Folder with further modules for the workers.
    """

    def __init__(self, folder: Path, python_path: Path | None = None) -> None:
        self.folder = folder
        self.address = f"tcp://127.0.0.1:{free_ports(1)[0]}"
        self.workers: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []
        self._environment = environment()
        if python_path:
            self._environment["PYTHONPATH"] += f":{python_path}"

    def __enter__(self) -> DaskCluster:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._all:
            process.kill()
            process.wait()

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        """Starts the scheduler at ``address`` without waiting for it."""
        host, _, port = self.address.removeprefix("tcp://").partition(":")
        return self._start("scheduler", "--host", host, "--port", port, "--no-dashboard")

    def start_worker(self) -> None:
        """Starts a worker, which waits for the scheduler."""
        directory = self.folder / f"worker-{len(self._all)}"
        # without a nanny process, which would restart a killed worker
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(directory))
        self.workers.append(self._start("worker", self.address, *options))

    def kill_worker(self) -> None:
        """Kills the first worker with SIGKILL, as by a power cut.

        Raises:
            RuntimeError: The worker had ended by itself.
        """
        worker = self.workers.pop(0)
        worker.send_signal(signal.SIGKILL)
        if worker.wait() != -signal.SIGKILL:
            raise RuntimeError("the worker ended before it could be killed")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{arguments[0]}-{len(self._all)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments], stdout=log, stderr=log, env=self._environment
            )
        self._all.append(process)
        return process


def gmd_vae(*arguments: str) -> subprocess.Popen[bytes]:
    """Starts a command of gmd-vae without its stdout."""
    return subprocess.Popen([sys.executable, "-m", "gmd_vae", *arguments], stdout=subprocess.DEVNULL, env=environment())


def kill_in_the_middle(
    cluster: DaskCluster, command: subprocess.Popen[bytes], output_dir: Path, seconds: float = 600
) -> tuple[int, int]:
    """Kills a worker when the first batches are finished, and waits for the end of the command.

    Args:
        cluster: The workers.
        command: The running command.
        output_dir: Output folder of the command.
        seconds: Time limit.

    Returns:
        Number of finished batches at the kill, and the highest number seen.

    Raises:
        RuntimeError: The command had ended or all batches were finished before the kill, or the time limit is over.
    """
    until = time.monotonic() + seconds
    folder = output_dir.with_name(f".{output_dir.name}.parts")
    killed_at = most = 0
    while command.poll() is None:
        if time.monotonic() > until:
            command.kill()
            command.wait()
            raise RuntimeError(f"the command has not ended after {seconds:.0f} seconds")
        with contextlib.suppress(FileNotFoundError):  # removed when the command is done
            most = max(most, len(list(folder.glob("*/*.part"))))
        if most > 1 and not killed_at:
            killed_at = most
            cluster.kill_worker()
        time.sleep(0.005)
    if most <= killed_at:
        raise RuntimeError("the work ended before a worker could be killed; give a larger --files")
    return killed_at, most


def same_files(ours: Path, theirs: Path) -> bool:
    """Returns True if two folders contain the same files, byte for byte."""
    names = sorted(path.name for path in ours.iterdir())
    return names == sorted(path.name for path in theirs.iterdir()) and all(
        (ours / name).read_bytes() == (theirs / name).read_bytes() for name in names
    )


def copy_often(source: Path, target: Path, files: int) -> int:
    """Copies a folder of MIDI files under other names to about ``files`` files; returns their number."""
    count = sum(1 for _ in source.rglob("*.mid"))
    copies = max(1, round(files / max(1, count)))
    for number in range(copies):
        shutil.copytree(source, target / f"copy-{number:03}", ignore=lambda _, names: [n for n in names if n[0] == "."])
    return count * copies


def run(stage: Sequence[str], cluster: DaskCluster, here: Path, there: Path) -> bool:
    """Runs a command on this machine and on the workers; returns True if the files are the same."""
    name = stage[0]
    begun = time.monotonic()
    if gmd_vae(*stage, "--output-dir", str(here)).wait():
        return False
    print(f"{name:<11} on this machine: {time.monotonic() - begun:.1f} s", flush=True)
    begun = time.monotonic()
    command = gmd_vae(*stage, "--output-dir", str(there), "--engine", "dask", "--scheduler", cluster.address)
    killed_at, batches = kill_in_the_middle(cluster, command, there)
    if command.returncode:
        return False
    same = same_files(here, there)
    seconds = time.monotonic() - begun
    print(f"{name:<11} on two workers, one killed after {killed_at} of {batches} batches: {seconds:.1f} s", flush=True)
    print(f"{name:<11} {'the same files, byte for byte' if same else 'OTHER FILES'}", flush=True)
    cluster.start_worker()
    return same


def main() -> int:
    """Runs the rehearsal from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of MIDI files")
    parser.add_argument("--files", type=int, default=FILES, help=f"approximate number of copied files ({FILES:,})")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="data-cluster-demo-"))).resolve()
        print(f"{copy_often(options.source, folder / 'music', options.files):,} files, in {folder}", flush=True)
        cluster = stack.enter_context(DaskCluster(folder))
        cluster.start_scheduler()
        for _ in range(2):
            cluster.start_worker()
        print(f"A Dask scheduler at {cluster.address}, and two workers", flush=True)
        notes = folder / "notes"
        try:
            well = run(["convert", str(folder / "music"), "--split-by", "hash"], cluster, notes, folder / "notes-dask")
            well = well and run(
                ["preprocess", str(notes), "--config", CONFIG], cluster, folder / "examples", folder / "examples-dask"
            )
        except RuntimeError as error:
            print(f"failed: {error}", flush=True)
            well = False
    print("All files are the same." if well else "The rehearsal failed; the reason is above.")
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""A rehearsal of preparing data on several machines, on this one: a Dask scheduler and two workers.

Copies a folder of MIDI files a few times, under other names, and runs ``gmd-vae convert`` and ``gmd-vae
preprocess`` on the workers. In the middle of each, a worker is killed, as a power cut would. The files
must be, byte for byte, those that the same commands make without Dask.

    python tools/data_cluster_demo.py data/raw/groove

Ends with 0 if they are, with 1 if not.
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
FILES = 3000  # enough for some seconds of work: the kill must come in the middle


class DaskCluster:
    """A scheduler and workers with one thread each, on loopback. A context: what still runs is killed.

    Args:
        folder: for their logs and what the workers keep.
        python_path: a folder with modules that the workers shall find, besides this package.
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
        """Starts the scheduler at ``address``; does not wait for it."""
        host, _, port = self.address.removeprefix("tcp://").partition(":")
        return self._start("scheduler", "--host", host, "--port", port, "--no-dashboard")

    def start_worker(self) -> None:
        """Starts a worker; it looks for the scheduler until it is there."""
        directory = self.folder / f"worker-{len(self._all)}"
        # without a nanny, the worker is the process that is killed, and nobody starts it again
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(directory))
        self.workers.append(self._start("worker", self.address, *options))

    def kill_worker(self) -> None:
        """Ends the first worker as a power cut would: with SIGKILL.

        Raises:
            RuntimeError: it had ended by itself.
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
    """Starts a command; only its errors are shown."""
    return subprocess.Popen([sys.executable, "-m", "gmd_vae", *arguments], stdout=subprocess.DEVNULL, env=environment())


def kill_in_the_middle(
    cluster: DaskCluster, command: subprocess.Popen[bytes], output_dir: Path, seconds: float = 600
) -> tuple[int, int]:
    """Kills a worker when the first batches are finished, and waits until the command has ended.

    Returns:
        The number of finished batches when the worker was killed, and the highest number seen.

    Raises:
        RuntimeError: the command had ended before, or all batches were finished, or the time is over.
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
        raise RuntimeError("the work had ended before a worker could be killed: more files, please")
    return killed_at, most


def same_files(ours: Path, theirs: Path) -> bool:
    """Whether two folders hold the same files, byte for byte."""
    names = sorted(path.name for path in ours.iterdir())
    return names == sorted(path.name for path in theirs.iterdir()) and all(
        (ours / name).read_bytes() == (theirs / name).read_bytes() for name in names
    )


def copy_often(source: Path, target: Path, files: int) -> int:
    """Copies a folder of MIDI files under other names, until there are about so many files; how many there are."""
    count = sum(1 for _ in source.rglob("*.mid"))
    copies = max(1, round(files / max(1, count)))
    for number in range(copies):
        shutil.copytree(source, target / f"copy-{number:03}", ignore=lambda _, names: [n for n in names if n[0] == "."])
    return count * copies


def run(stage: Sequence[str], cluster: DaskCluster, here: Path, there: Path) -> bool:
    """A command on this machine and on the workers; whether the files are the same."""
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
    parser.add_argument("source", type=Path, help="a folder of MIDI files")
    parser.add_argument("--files", type=int, default=FILES, help=f"about how many files to make of it ({FILES:,})")
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
    print("All is well." if well else "Something is wrong: see above.")
    return 0 if well else 1


if __name__ == "__main__":
    raise SystemExit(main())

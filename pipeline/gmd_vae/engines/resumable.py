"""Long work in parts, each a file of its own, so that a run that was stopped goes on where it was.

The parts lie beside the output, in ``.NAME.parts``, in a folder named after a digest of all that
they follow from. Each is written under another name and renamed, so a part is whole or not there,
and it does no harm if two processes make the same one. They are not forced to the disk (fsync):
what they hold has checksums, and a power cut costs the parts that it damages.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.common.locks import LockHeldError, NoLocksError, locked
from gmd_vae.engines.engine import Engine, EngineError

Task = TypeVar("Task")
Progress = Callable[[int, int], None]

SUFFIX = ".parts"
_PART = ".part"


def silent(done: int, total: int) -> None:
    """The ``Progress`` that nobody sees."""


@dataclass(frozen=True)
class Parts:
    """The parts of one output. ``folder`` is absolute."""

    folder: Path

    def path(self, number: int) -> Path:
        """Where a part is, or will be."""
        return self.folder / f"{number:05}{_PART}"

    def finished(self) -> frozenset[int]:
        """The numbers of the parts that are there."""
        return frozenset(int(path.stem) for path in self.folder.glob(f"*{_PART}"))

    @contextlib.contextmanager
    def reading(self, number: int) -> Iterator[Path]:
        """The path of a part to read. A part that turns out to be damaged is removed.

        Raises:
            EngineError: the reader said with a GmdVaeError that it is damaged.
        """
        path = self.path(number)
        try:
            yield path
        except GmdVaeError as error:
            path.unlink(missing_ok=True)
            raise EngineError(f"{error.problem} (was the power cut?)", "Run the same command again.") from None


@contextlib.contextmanager
def open_parts(output_dir: Path, identity: Mapping[str, Any]) -> Iterator[Parts]:
    """The parts of an output, for this process alone; those that an earlier run left are there.

    When the block ends well, or with a ``GmdVaeError`` that says that the work cannot be done, the
    parts are removed. When it was stopped (Ctrl-C, a full disk, a killed process) they stay for the
    next run.

    Args:
        output_dir: the folder that will be made of them.
        identity: what the parts follow from, as JSON: the input (names, sizes, times or digests),
            the options, the versions. Parts of anything else are removed.

    Raises:
        GmdVaeError: another run works on this output.
        Interrupted: Ctrl-C, after some parts were done.
    """
    target = output_dir.resolve()
    root = target.with_name(f".{target.name}{SUFFIX}")
    above = [folder for folder in target.parents if not folder.exists()]  # innermost first
    text = json.dumps(identity, sort_keys=True)
    parts = Parts(root / hashlib.sha256(text.encode()).hexdigest()[:16])
    with _one_at_a_time(root, output_dir):
        for other in root.iterdir():
            if other.is_dir() and other != parts.folder:
                shutil.rmtree(other)
        parts.folder.mkdir(exist_ok=True)
        for unfinished in parts.folder.iterdir():  # of a process that was killed
            if unfinished.suffix != _PART:
                unfinished.unlink(missing_ok=True)
        keep = True
        try:
            yield parts
            keep = False
        except KeyboardInterrupt:
            if parts.finished():
                raise Interrupted("Interrupted", "What is done is kept; the same command goes on from there.") from None
            raise
        except (EngineError, Interrupted):
            raise
        except GmdVaeError:
            keep = False
            raise
        except OSError as error:
            if error.filename is None and error.errno is not None:  # a failed write does not know its file
                raise OSError(error.errno, error.strerror, str(output_dir)) from error
            raise
        finally:
            if not keep or not parts.finished():
                shutil.rmtree(root, ignore_errors=True)
                with contextlib.suppress(OSError):  # what holds something now, the output itself for one, stays
                    for folder in above:
                        folder.rmdir()


@contextlib.contextmanager
def _one_at_a_time(folder: Path, output_dir: Path) -> Iterator[None]:
    """Makes a folder and holds it for this process; it may be removed before the end.

    Where the file system has no locks, there is none: the shared disks of clusters often have none.

    Raises:
        GmdVaeError: another process holds it; named by the ``output_dir`` that the user knows.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / "lock"))
        except LockHeldError as holder:
            raise GmdVaeError(
                f"Another run is writing '{output_dir}': {holder}",
                "Wait for it or stop it, or choose another --output-dir.",
            ) from None
        except NoLocksError:
            pass
        yield


def make_parts(
    parts: Parts,
    function: Callable[[Task, Path], None],
    tasks: Sequence[Task],
    sizes: Sequence[int],
    engine: Engine,
    on_progress: Progress = silent,
    on_resume: Progress = silent,
) -> None:
    """Makes the parts that are not there yet, one of each task.

    Args:
        parts: where.
        function: writes the part of a task to the path it is given; picklable.
        tasks: picklable and small; the number of a part is the place of its task. They must follow
            from the identity of the parts alone.
        sizes: of each task, in what progress is counted in.
        engine: where it runs.
        on_progress: called with how much is done and how much there is in all.
        on_resume: called likewise, once, if an earlier run was stopped and has left something done.

    Raises:
        EngineError: see ``Engine.each``, or a worker does not see the folder of the parts.
        Exception: what the function raises.
    """
    finished = parts.finished()
    total, so_far = sum(sizes), sum(sizes[number] for number in finished)
    if finished:
        on_resume(so_far, total)
        on_progress(so_far, total)
    missing = [(number, task) for number, task in enumerate(tasks) if number not in finished]
    with contextlib.closing(engine.each(functools.partial(_make_one, parts, function), missing)) as done:
        for number in done:
            so_far += sizes[number]
            on_progress(so_far, total)


def _make_one(parts: Parts, function: Callable[[Task, Path], None], numbered: tuple[int, Task]) -> int:
    """Runs in any process, on any machine that sees the folder."""
    number, task = numbered
    check_seen(parts.folder)
    handle, name = tempfile.mkstemp(prefix=f"{number:05}.", dir=parts.folder)
    os.close(handle)
    try:
        function(task, Path(name))
        Path(name).replace(parts.path(number))
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return number


def check_seen(path: Path) -> None:
    """Makes sure that this machine sees a file or folder that the first one named.

    Raises:
        EngineError: it does not.
    """
    if not path.exists():
        raise EngineError(
            f"'{path}' is not there on '{socket.gethostname()}'",
            "Every worker needs the input and the output under the same paths, on a disk that all share.",
        )

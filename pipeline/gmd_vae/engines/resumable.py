"""Long work in batches, each a file of its own, so that a run that was stopped continues where it was.

The batch files lie beside the output, in ``.NAME.parts/DIGEST``, where the digest covers everything that
the batches follow from. A batch file is written under another name and renamed: it is complete or
absent, and two processes may write the same one. The files are not forced to the disk (fsync): their
content has checksums, so a power cut costs only the batches that it damages.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import check_no_link
from gmd_vae.common.temporary_files import beside
from gmd_vae.engines.engine import Engine, EngineError

Task = TypeVar("Task")
Progress = Callable[[int, int], None]  # units done, units in total

FOLDER_SUFFIX = ".parts"
_BATCH_SUFFIX = ".part"
_IDENTITY_DIGITS = 16
_IDENTITY = re.compile(f"[0-9a-f]{{{_IDENTITY_DIGITS}}}")  # name of a folder of batches


def silent(done: int, total: int) -> None:
    """Reports no progress: the ``Progress`` of callers that show none."""


@dataclass(frozen=True)
class Batches:
    """The batch files of one output.

    Attributes:
        folder: Absolute path of the folder that holds them.
    """

    folder: Path

    def path(self, number: int) -> Path:
        """Returns the path of a batch file, written or not."""
        return self.folder / f"{number:05}{_BATCH_SUFFIX}"

    def finished(self) -> frozenset[int]:
        """Returns the numbers of the batches that are complete."""
        return frozenset(int(path.stem) for path in self.folder.glob(f"*{_BATCH_SUFFIX}"))

    @contextlib.contextmanager
    def reading(self, number: int) -> Iterator[Path]:
        """Yields the path of a batch file to read; removes the file if it is damaged.

        Raises:
            EngineError: The reader raised ``GmdVaeError``: the file is damaged.
        """
        path = self.path(number)
        try:
            yield path
        except GmdVaeError as error:
            path.unlink(missing_ok=True)
            raise EngineError(f"{error.problem} (was the power cut?)", "Run the same command again.") from None


@contextlib.contextmanager
def open_batches(output_dir: Path, identity: Mapping[str, Any]) -> Iterator[Batches]:
    """Yields the batches of an output, with those that an earlier run left.

    The caller holds the lock of the output folder (``output_folder.open_output``).

    The batch files are removed when the block ends normally, or with a ``GmdVaeError``: the work
    cannot be done. They stay for the next run when the block was stopped (Ctrl-C, a full disk).

    Args:
        output_dir: The folder that will be made from the batches.
        identity: Everything that the batches follow from, as JSON: the input (names, sizes, times or
            digests), the options, the versions. Batches with another identity are removed.

    Raises:
        Interrupted: Ctrl-C, after at least one batch was finished.
    """
    target = output_dir.resolve()
    root = beside(target, FOLDER_SUFFIX)
    check_no_link(root)
    text = json.dumps(identity, sort_keys=True)
    batches = Batches(root / hashlib.sha256(text.encode()).hexdigest()[:_IDENTITY_DIGITS])
    root.mkdir(parents=True, exist_ok=True)
    _remove_others(root, batches)
    keep = True
    try:
        yield batches
        keep = False
    except KeyboardInterrupt:
        if batches.finished():
            next_action = "Finished work is kept; the same command continues from there."
            raise Interrupted("Interrupted", next_action) from None
        raise
    except (EngineError, Interrupted):
        raise
    except GmdVaeError:
        keep = False
        raise
    except OSError as error:
        if error.filename is None and error.errno is not None:  # a failed write does not name its file
            raise OSError(error.errno, error.strerror, str(output_dir)) from error
        raise
    finally:
        if not keep or not batches.finished():
            shutil.rmtree(root, ignore_errors=True)


def _remove_others(root: Path, batches: Batches) -> None:
    """Removes the batches of other identities, and files that a killed process left incomplete.

    Raises:
        GmdVaeError: The folder holds something else.
    """
    for other in root.iterdir():
        if not _IDENTITY.fullmatch(other.name) or other.is_symlink() or not other.is_dir():
            raise GmdVaeError(
                f"'{printable(str(other), limit=None)}' is not unfinished work of gmd-vae",
                "Move it away. Nothing was changed.",
            )
    for other in root.iterdir():
        if other != batches.folder:
            shutil.rmtree(other)
    batches.folder.mkdir(exist_ok=True)
    for incomplete in batches.folder.iterdir():
        if incomplete.suffix != _BATCH_SUFFIX:
            incomplete.unlink(missing_ok=True)


def make_batches(
    batches: Batches,
    function: Callable[[Task, Path], None],
    tasks: Sequence[Task],
    sizes: Sequence[int],
    engine: Engine,
    on_progress: Progress = silent,
    on_resume: Progress = silent,
) -> None:
    """Writes the batch files that are missing, one per task.

    Args:
        batches: The batches of the output.
        function: Writes the batch of a task to a path; picklable.
        tasks: Picklable and small. A task's index is its batch number. The tasks must follow from the
            identity of the batches alone.
        sizes: Size of each task, in the unit of the progress.
        engine: The place where the work runs.
        on_progress: Called with the finished and the total size.
        on_resume: Called once with the same arguments if an earlier run left finished batches.

    Raises:
        EngineError: As ``Engine.each``, or a worker does not see the folder of the batches.
        Exception: Errors of ``function``.
    """
    finished = batches.finished()
    total, done = sum(sizes), sum(sizes[number] for number in finished)
    if finished:
        on_resume(done, total)
        on_progress(done, total)
    missing = [(number, task) for number, task in enumerate(tasks) if number not in finished]
    with contextlib.closing(engine.each(functools.partial(_make_one, batches, function), missing)) as numbers:
        for number in numbers:
            done += sizes[number]
            on_progress(done, total)


def _make_one(batches: Batches, function: Callable[[Task, Path], None], numbered: tuple[int, Task]) -> int:
    """Writes one batch file; returns its number. Runs in any process, on any machine that sees the folder."""
    number, task = numbered
    check_visible(batches.folder)
    handle, name = tempfile.mkstemp(prefix=f"{number:05}.", dir=batches.folder)
    os.close(handle)
    try:
        function(task, Path(name))
        Path(name).replace(batches.path(number))
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return number


def check_visible(path: Path) -> None:
    """Checks that this machine sees a file or folder that the process with the command named.

    Raises:
        EngineError: The path does not exist on this machine.
    """
    if not path.exists():
        raise EngineError(
            f"'{path}' is not there on '{socket.gethostname()}'",
            "Was it moved or deleted? With --engine dask every worker needs the input and the output under the same "
            "paths, on a disk that all share.",
        )

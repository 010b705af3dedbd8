"""The output folder of a command: one process at a time, mended after a killed one, and nothing of the user's in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from gmd_vae.common import folders, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.process_lock import LockHeldError, NoLocksError, process_lock
from gmd_vae.common.temporary_files import beside

SUFFIX = ".gmd-vae.lock"
_ATTEMPTS = 20  # to make a parent folder that another process removes at the same time


@contextlib.contextmanager
def open_output(
    folder: Path,
    stage: str,
    *,
    inputs: Iterable[Path] = (),
    dataset: str | None = None,
    option: str = "--output-dir",
) -> Iterator[manifest.Replaceable]:
    """Locks an output folder for the time of the work, mends it, and checks that it may be replaced.

    Args:
        folder: The output folder.
        stage: Name of the stage.
        inputs: The inputs of the command, none of which may lie in the folder.
        dataset: The data set that an earlier output must hold.
        option: Option that chooses another folder, for messages; empty without one.

    Yields:
        The second check, for ``folders.whole_folder``.

    Raises:
        GmdVaeError: Another process writes the folder, or it holds something that the stage did not write.
        UsageError: An input lies in the folder.
        OSError: The parent folder cannot be written.
    """
    inputs = list(inputs)
    manifest.check_inputs(folder, inputs, option)
    with output_lock(folder, option) as exclusive:
        moved_aside = manifest.Replaceable(folders.previous_of(folder), stage, "", {})
        folders.mend_folder(folder, moved_aside, exclusive=exclusive)
        yield manifest.check_replaceable(folder, stage, inputs=inputs, dataset=dataset, option=option)


@contextlib.contextmanager
def output_lock(folder: Path, option: str = "--output-dir") -> Iterator[bool]:
    """Holds an output folder for this process; makes its parent folders, and removes those that stay empty.

    Where the file system has no locks, as on the shared disks of many clusters, the work goes on without one.

    Args:
        folder: The output folder; it need not exist.
        option: Option that chooses another folder, for the message; empty without one.

    Yields:
        True if no other process writes the folder; False if that is not known.

    Raises:
        GmdVaeError: Another process writes the folder, or something else is in the place of its lock file.
        OSError: The parent folder cannot be written.
    """
    target = folder.resolve()
    if not target.name:
        choose = f"Choose another {option}." if option else ""
        raise GmdVaeError(f"'{folder}' is the root of the file system, and cannot be replaced", choose)
    new_parents = [parent for parent in target.parents if not parent.exists()]  # innermost first
    path = beside(target, SUFFIX)
    with contextlib.ExitStack() as stack:
        try:
            for attempt in range(_ATTEMPTS):
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    stack.enter_context(process_lock(path))
                    break
                except (FileExistsError, FileNotFoundError):
                    # another process found the parent empty and removed it, during ``mkdir`` or after it
                    if attempt == _ATTEMPTS - 1:
                        raise
            exclusive = True
        except LockHeldError as holder:
            other = f", or choose another {option}" if option else ""
            raise GmdVaeError(
                f"Another run is writing '{folder}': {holder}", f"Wait for it or stop it{other}."
            ) from None
        except NoLocksError:
            exclusive = False
        except OSError as error:
            name = str(folder) if error.filename == str(path) else error.filename
            raise OSError(error.errno, error.strerror, name) from error
        try:
            yield exclusive
        finally:
            with contextlib.suppress(OSError):
                path.unlink()  # while the lock is held: process_lock never takes the lock of a removed file
                for parent in new_parents:
                    parent.rmdir()  # folders with content stay

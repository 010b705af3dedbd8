"""One training at a time in a run folder. Imports no TensorFlow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.process_lock import LockHeldError, NoLocksError, process_lock

NAME = ".lock"  # in the run folder; it stays there


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Holds a run folder for this process; makes the folder if needed.

    Args:
        folder: The run folder.

    Raises:
        GmdVaeError: Another training holds it, in this process or another, or its file system has no locks.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(process_lock(folder / NAME))
        except LockHeldError as holder:
            raise GmdVaeError(
                f"Another training runs in '{folder}': {holder}",
                "Wait for it or stop it; another --run-dir starts another run.",
            ) from None
        except NoLocksError as reason:
            raise GmdVaeError(
                f"The file system of '{folder}' cannot lock files ({reason}), which keeps a second training "
                "out of the folder",
                "Choose a --run-dir on another disk.",
            ) from None
        yield

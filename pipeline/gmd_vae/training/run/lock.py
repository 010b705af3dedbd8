"""One training at a time in a run folder. No TensorFlow here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.locks import LockHeldError, NoLocksError, locked

NAME = ".lock"  # in the run folder; it stays there


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Holds a run folder for this process; makes the folder if need be.

    Raises:
        GmdVaeError: another training holds it, be it in this process; or its file system has no locks.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(folder / NAME))
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

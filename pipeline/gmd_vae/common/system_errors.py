"""Errors of the operating system, such as a full disk, as errors that users see."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from gmd_vae.common.errors import GmdVaeError

_ACTIONS = {
    errno.ENOSPC: "Free some space on that disk, then try again.",
    errno.EDQUOT: "Free some of your quota, then try again.",
    errno.EACCES: "Check the permissions, or choose another folder.",
    errno.EPERM: "Check the permissions, or choose another folder.",
    errno.EEXIST: "Something else is in its place: move it away, or choose another name.",
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "A file is in the place of a folder of that path: choose another path.",
    errno.EISDIR: "A folder is in the place of that file: choose another name.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f), or choose another disk.",
    errno.EMFILE: "Raise the limit on open files (ulimit -n), or use fewer jobs.",
    errno.EROFS: "Choose a folder on a disk that can be written.",
}


def system_error(error: OSError) -> GmdVaeError:
    """Returns an error of the operating system as one with the file, the reason and the user's next action."""
    if isinstance(error, FileNotFoundError) and _folder_is_gone():
        return GmdVaeError("The current folder does not exist any more", "Change to another one (cd), then try again.")
    name = f"'{os.fsdecode(error.filename)}': " if isinstance(error.filename, str | bytes) and error.filename else ""
    return GmdVaeError(f"{name}{error.strerror or error}", _ACTIONS.get(error.errno or 0, ""))


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raises errors of the operating system as ``GmdVaeError``; a context, and a decorator of functions."""
    try:
        yield
    except OSError as error:
        raise system_error(error) from error


def _folder_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 (pathlib takes as long to import as --help)
    except FileNotFoundError:
        return True
    return False

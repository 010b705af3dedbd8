"""Opens files for reading that may be anything: a pipe, a socket or a device in the place of a file.

To open a pipe waits for its other end, for ever; a device gives bytes without end. Every file that comes from outside
is opened here. The file is judged after it has been opened, so that none can be exchanged in between.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable

_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
}


class NotAFileError(OSError):
    """Something else is in the place of a file; ``strerror`` names it."""


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Opens a regular file for reading, without waiting.

    Args:
        path: The file.
        follow: False for a file that gmd-vae keeps in a working place: a link there is refused.

    Returns:
        A buffered stream of bytes.

    Raises:
        NotAFileError: A pipe, a socket, a device, a folder, or a link that is not followed.
        OSError: The file is missing, or cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | _AT_ONCE | (0 if follow else _NO_LINKS))
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ELOOP, errno.EOPNOTSUPP) and not (follow and path.is_symlink()):
            raise _error(path, path.lstat().st_mode) from None  # a socket, or a link that is not followed
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _error(path, mode)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, max_bytes: int) -> bytes:
    """Returns the bytes of a regular file.

    Args:
        path: The file.
        max_bytes: Largest size.

    Raises:
        NotAFileError: Something else is in the place of the file.
        OSError: The file is missing, or cannot be read.
        GmdVaeError: The file is larger.
    """
    with open_regular(path) as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise GmdVaeError(f"'{printable(str(path))}' is larger than {max_bytes:,} bytes", "Is it the right file?")
    return data


def check_no_link(path: Path) -> None:
    """Checks that a place in which gmd-vae writes and deletes is no link.

    Raises:
        GmdVaeError: It is a link: what it leads to may be the user's.
    """
    if path.is_symlink():
        raise GmdVaeError(
            f"'{printable(str(path))}' is a link, and gmd-vae would write or delete what it leads to",
            "Remove the link, or choose another folder. Nothing was changed.",
        )


def _error(path: Path, mode: int) -> NotAFileError:
    kind = _KINDS.get(stat.S_IFMT(mode), "a special file")
    return NotAFileError(errno.EINVAL, f"it is {kind}, not a file; move it away, or give another path", str(path))

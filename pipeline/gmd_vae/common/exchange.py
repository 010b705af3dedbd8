"""Exchange of two folders of one file system in one step, so that neither name is ever without a folder."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_HERE = -100  # AT_FDCWD: paths relative to the current folder
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux
_UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(one: Path, other: Path) -> bool:
    """Gives each of two paths the content of the other, with ``renameat2`` of Linux.

    Args:
        one: A file or folder.
        other: A file or folder on the same file system.

    Returns:
        False where the system or the file system cannot exchange, as NFS; nothing was changed then.

    Raises:
        OSError: The exchange failed for another reason; nothing was changed.
    """
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(other))

"""Paths of checkpoints for TensorFlow, which treats them as patterns: ``run [v2]`` is a set of characters to it.

It also fails on names that are not UTF-8.

``RestoreV2``, ``tf.train.Saver`` and the checkpoint reader search for ``PREFIX.index`` with ``Env::GetMatchingPaths``,
so that a path with a bracket, a star, a question mark or a backslash finds nothing. Such paths are replaced by those of
temporary links.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import re
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.scratch_folder import scratch_folder
from gmd_vae.models.checkpoints import files_of

_PATTERN = re.compile(r"[*?\[\]{}\\\udc80-\udcff]")  # the last ones are bytes that are not UTF-8 (PEP 383)
_PLAIN_NAME = "checkpoint"


def tensorflow_path(prefix: Path) -> str:
    """Returns a path of a checkpoint that TensorFlow does not treat as a pattern.

    Args:
        prefix: Prefix of a checkpoint to read or to write.

    Returns:
        The prefix itself, or one that leads through a link in the temporary folder. The link exists until the process
        ends.

    Raises:
        GmdVaeError: The name of the temporary folder is a pattern, too.
    """
    if not is_pattern(prefix):
        return str(prefix)
    if _PATTERN.search(prefix.name):
        return _linked_files(prefix)
    return str(_linked_folder(prefix.parent.resolve()) / prefix.name)


def tensorflow_folder(folder: Path) -> str:
    """Returns a path of a folder, which must exist, that TensorFlow can use."""
    return str(_linked_folder(folder.resolve()) if is_pattern(folder) else folder)


def is_pattern(path: Path) -> bool:
    """Returns True for a path that TensorFlow treats as a pattern, or cannot encode."""
    return _PATTERN.search(str(path)) is not None


@functools.cache
def _linked_folder(folder: Path) -> Path:
    link = _new_folder() / "folder"
    link.symlink_to(folder, target_is_directory=True)
    return link


@functools.cache
def _linked_files(prefix: Path) -> str:
    """Links the files of a checkpoint under a plain name."""
    folder = _new_folder()
    for file in files_of(prefix):
        (folder / f"{_PLAIN_NAME}{file.name[len(prefix.name) :]}").symlink_to(file.resolve())
    return str(folder / _PLAIN_NAME)


def _new_folder() -> Path:
    opened = contextlib.ExitStack()
    folder = opened.enter_context(scratch_folder())
    atexit.register(opened.close)
    if is_pattern(folder):
        raise GmdVaeError(
            f"TensorFlow cannot use the temporary folder '{folder.parent}': its name has one of * ? [ ] {{ }} \\",
            "Set TMPDIR to another folder.",
        )
    return folder

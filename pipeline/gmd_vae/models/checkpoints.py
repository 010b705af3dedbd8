"""Finds checkpoints from any spelling of their path, and unpacks Magenta's archives. No TensorFlow.

A checkpoint is a *prefix* such as ``train/model.ckpt-1500``, to which TensorFlow's files add ``.index`` and
``.data-00000-of-00001``. It is complete if the index and all data files exist.
"""

from __future__ import annotations

import contextlib
import glob
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.run_places import BEST, RUN_FILE, TRAIN
from gmd_vae.common.scratch_folder import scratch_folder
from gmd_vae.datasets.archives import archive_kind, copy_from_tar

_FILE_SUFFIX = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
_DATA_SUFFIX = re.compile(r"\.data-\d{5}-of-(\d{5})$")
_STEP_SUFFIX = re.compile(r"-(\d+)$")
_MAX_MEMBERS = 10_000  # in an archive; a checkpoint has a handful
MAX_ARCHIVE_BYTES = 8 << 30  # Magenta's largest checkpoint unpacks to about 2 GB

LATEST = "latest"  # the spelling of the newest checkpoint; there is no folder of this name


@contextlib.contextmanager
def open_checkpoint(path: Path) -> Iterator[Path]:
    """Yields the prefix of a checkpoint.

    Args:
        path: One of the spellings of `find`, or an archive as Magenta publishes them (``.tar``, ``.tar.gz``). An
            archive is unpacked to a temporary folder, which is removed at the end of the context; after a kill, by the
            next command that needs such a folder.

    Raises:
        GmdVaeError: There is no complete checkpoint, or the archive is damaged or too large.
    """
    if is_archive(path):
        with scratch_folder() as folder:
            copy_from_tar(path, folder, _is_wanted, MAX_ARCHIVE_BYTES, _MAX_MEMBERS)
            try:
                yield latest(folder, called=str(path))
            except GmdVaeError as error:  # names the archive, not the place where it was unpacked
                error.problem = error.problem.replace(str(folder), str(path))
                error.next_action = error.next_action.replace(str(folder), str(path))
                raise
    else:
        yield find(path)


def is_archive(path: Path) -> bool:
    """Returns True for a tar or tar.gz."""
    return path.is_file() and archive_kind(path) in ("tar", "tar.gz")


def _is_wanted(name: str) -> bool:
    """Returns True for a file of a checkpoint in an archive, except the graph, which is never read."""
    return _FILE_SUFFIX.search(name) is not None and not name.endswith(".meta")


def find(path: Path) -> Path:
    """Finds the checkpoint that a path names.

    Args:
        path: One of

            - a run folder: its best checkpoint on the validation windows, or its latest if there is no best
              one;
            - ``RUN/best`` or ``RUN/latest``; ``latest`` stands for the newest complete checkpoint in ``RUN/train``;
            - any other folder with checkpoints, also ``RUN/train``: the newest complete one in it;
            - a prefix, such as ``RUN/train/model.ckpt-1500``;
            - one of its files (``.index``, ``.meta``, ``.data-...``).

    Returns:
        The prefix.

    Raises:
        GmdVaeError: There is no complete checkpoint. The message names those that exist.
    """
    if path.is_dir():
        for folder in (path / BEST, path / TRAIN, path):
            if found := complete(folder):
                return found[-1]
        raise _no_checkpoint_error(path)
    if path.name == LATEST and _is_run(path.parent) and not path.exists():
        return latest(path.parent / TRAIN, called=str(path))
    if path.name == BEST and _is_run(path.parent) and not path.exists():
        raise _no_checkpoint_error(path)
    prefix = path.with_name(_FILE_SUFFIX.sub("", path.name))
    if is_complete(prefix):
        return prefix
    if path.is_file() and not _FILE_SUFFIX.search(path.name):
        raise GmdVaeError(
            f"'{path}' is not a checkpoint",
            "Give a run folder, a checkpoint prefix such as runs/NAME/train/model.ckpt-1500, or a .tar.",
        )
    why = ", only some of its files" if files_of(prefix) else ""
    raise GmdVaeError(f"No checkpoint at '{path}'{why}", _next_action(prefix.parent))


def latest(folder: Path, called: str) -> Path:
    """Returns the prefix of the complete checkpoint with the highest step in a folder.

    TensorFlow's text file ``checkpoint`` is not read: it can contain absolute paths of another machine, and after a
    kill it can name a checkpoint that is not complete.

    Args:
        folder: A folder with checkpoints.
        called: Name of the folder in the error message.

    Raises:
        GmdVaeError: There is none.
    """
    if found := complete(folder):
        return found[-1]
    raise _no_checkpoint_error(folder, called)


def complete(folder: Path) -> list[Path]:
    """Returns the prefixes of all complete checkpoints in a folder, sorted by step; none if there is no folder."""
    prefixes = [index.with_suffix("") for index in folder.glob("*.index")]
    return sorted(filter(is_complete, prefixes), key=lambda prefix: (step_of(prefix) or 0, prefix.name))


def step_of(prefix: Path) -> int | None:
    """Returns the training step in a checkpoint's name (``model.ckpt-1500`` → 1500), or ``None``."""
    match = _STEP_SUFFIX.search(prefix.name)
    return int(match.group(1)) if match else None


def is_complete(prefix: Path) -> bool:
    """Returns True if the index and all data files of a checkpoint exist, without reading them."""
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        return False
    # while it writes, TensorFlow uses other names (.data-00000-of-00001.tempstate123), which do not match
    totals = [int(match[1]) for file in files_of(prefix) if (match := _DATA_SUFFIX.search(file.name))]
    return bool(totals) and len(totals) == totals[0]


def files_of(prefix: Path) -> list[Path]:
    """Returns the files of a checkpoint, without the graph (``.meta``), which is never read."""
    files = prefix.parent.glob(f"{glob.escape(prefix.name)}.*")
    return sorted(
        file for file in files if file.name == f"{prefix.name}.index" or _DATA_SUFFIX.sub("", file.name) == prefix.name
    )


def _is_run(folder: Path) -> bool:
    return (folder / RUN_FILE).is_file() or (folder / TRAIN).is_dir()


def _no_checkpoint_error(folder: Path, called: str = "") -> GmdVaeError:
    """Returns the error for a folder without a complete checkpoint."""
    called = called or str(folder)
    if folder.name == BEST and _is_run(folder.parent) and not any(folder.glob("*.index")):
        return GmdVaeError(
            f"'{called}' has no checkpoint: the run has no validation windows, or was not validated yet",
            _next_action(folder),
        )
    incomplete = any(any(place.glob("*.index")) for place in (folder, folder / TRAIN, folder / BEST))
    reason = ", only files of incomplete ones" if incomplete else ""
    return GmdVaeError(f"No checkpoint in '{called}'{reason}", _next_action(folder))


def _next_action(folder: Path) -> str:
    """Returns the next action of the error: the complete checkpoints that exist near a folder, if any."""
    existing = [f"'{prefix}'" for prefix in complete(folder)[-3:]]
    run = folder.parent if folder.name in (BEST, TRAIN) else folder
    if not existing and _is_run(run):
        spellings = {BEST: complete(run / BEST), LATEST: complete(run / TRAIN)}
        existing = [f"'{run / name}' (step {step_of(found[-1])})" for name, found in spellings.items() if found]
    return f"There is {' and '.join(existing)}." if existing else "Run 'gmd-vae train' first, or check the path."


def checkpoint_title(path: Path) -> str:
    """Returns the name of a checkpoint outside a run, for people: that of its archive, folder or prefix."""
    return path.name.removesuffix(".gz").removesuffix(".tar")


def config_from_name(path: Path, known: Collection[str]) -> str | None:
    """Returns the config in the name of a checkpoint or of its folder, as in Magenta's own checkpoints, or ``None``.

    Example: ``cat-drums_2bar_small`` for ``cat-drums_2bar_small.hikl.tar`` and ``cat-drums_2bar_small/model.ckpt-1``.

    Args:
        path: Path of an archive, a folder or a checkpoint.
        known: Names of the configs.
    """
    for place in (path, path.parent):
        parts = place.name.split(".")
        for count in range(len(parts), 0, -1):
            if (name := ".".join(parts[:count])) in known:
                return name
    return None

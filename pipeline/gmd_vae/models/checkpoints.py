"""Finding a checkpoint, however the user spells it. No TensorFlow here."""

from __future__ import annotations

import contextlib
import glob
import lzma
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from gmd_vae.common.errors import GmdVaeError

_PIECE = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
_DATA = re.compile(r"\.data-\d{5}-of-(\d{5})$")
_STEP = re.compile(r"-(\d+)$")
_MAX_MEMBERS = 10_000  # of an archive: a checkpoint has a handful
_MAX_ARCHIVE_BYTES = 8 << 30  # the largest of Magenta's own checkpoints unpacks to about 2 GB

BEST = "best"  # a folder of the run folder; also how a user asks for what is in it
LATEST = "latest"  # how a user asks for the newest checkpoint; no folder has this name
_TRAIN = "train"


@contextlib.contextmanager
def open_checkpoint(path: Path) -> Iterator[Path]:
    """Yields the checkpoint's prefix (``.../model.ckpt-1500``), as TensorFlow wants it.

    Args:
        path: one of the spellings of `find`, or an archive as Magenta publishes them (``.tar``,
            ``.tar.gz``), which is unpacked to a temporary folder for as long as the context lasts.

    Raises:
        GmdVaeError: nothing there, or not a whole checkpoint.
    """
    if path.is_file() and tarfile.is_tarfile(path):
        with tempfile.TemporaryDirectory(prefix="gmd-vae-checkpoint-") as folder:
            _unpack(path, Path(folder))
            yield latest(Path(folder), called=str(path))
    else:
        yield find(path)


def find(path: Path) -> Path:
    """The prefix of the checkpoint that ``path`` names.

    Args:
        path: one of

            - a run folder: its best checkpoint, by the ELBO on the validation windows, or where
              there is none its latest. Training on after the best one only overfits;
            - ``RUN/best`` and ``RUN/latest``: one or the other; ``latest`` is no folder, it stands
              for the newest whole checkpoint in ``RUN/train``;
            - any other folder with checkpoints, ``RUN/train`` too: the newest whole one in it;
            - a prefix, such as ``RUN/train/model.ckpt-1500``;
            - one of its files (``.index``, ``.meta``, ``.data-...``).

    Raises:
        GmdVaeError: there is no whole checkpoint; says what there is instead.
    """
    if path.is_dir():
        for folder in (path / BEST, path / _TRAIN, path):
            if found := complete(folder):
                return found[-1]
        raise _nothing_in(path)
    if path.name == LATEST and _is_run(path.parent) and not path.exists():
        return latest(path.parent / _TRAIN, called=str(path))
    if path.name == BEST and _is_run(path.parent) and not path.exists():
        raise _nothing_in(path)
    prefix = path.with_name(_PIECE.sub("", path.name))
    if is_complete(prefix):
        return prefix
    if path.is_file() and not _PIECE.search(path.name):
        raise GmdVaeError(
            f"'{path}' is not a checkpoint",
            "Give a run folder, a checkpoint prefix such as runs/NAME/train/model.ckpt-1500, or a .tar.",
        )
    why = ", only some of its files" if files_of(prefix) else ""
    raise GmdVaeError(f"No checkpoint at '{path}'{why}", _there_is(prefix.parent))


def latest(folder: Path, called: str) -> Path:
    """The whole checkpoint with the highest step in a folder; ``called`` is its name in the error.

    The text file ``checkpoint`` is not asked: it may hold absolute paths of another machine, and a
    run that was killed may name a checkpoint in it that was never finished.
    """
    if found := complete(folder):
        return found[-1]
    raise _nothing_in(folder, called)


def complete(folder: Path) -> list[Path]:
    """The prefixes of all whole checkpoints in a folder, oldest first by step; none if it is not there."""
    prefixes = [index.with_suffix("") for index in folder.glob("*.index")]
    return sorted(filter(is_complete, prefixes), key=lambda prefix: (step_of(prefix) or 0, prefix.name))


def step_of(prefix: Path) -> int | None:
    """The training step in a checkpoint's name (``model.ckpt-1500`` → 1500), if it has one."""
    match = _STEP.search(prefix.name)
    return int(match.group(1)) if match else None


def is_complete(prefix: Path) -> bool:
    """Whether the index and every data file of a checkpoint are there. Their content is not looked at."""
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        return False
    # TensorFlow writes under another name first (.data-00000-of-00001.tempstate123): not a data file
    totals = [int(match[1]) for file in files_of(prefix) if (match := _DATA.search(file.name))]
    return bool(totals) and len(totals) == totals[0]


def files_of(prefix: Path) -> list[Path]:
    """The files a checkpoint consists of, without the graph (``.meta``), which we never read."""
    pieces = prefix.parent.glob(f"{glob.escape(prefix.name)}.*")
    return sorted(
        piece for piece in pieces if piece.name == f"{prefix.name}.index" or _DATA.sub("", piece.name) == prefix.name
    )


def _is_run(folder: Path) -> bool:
    return (folder / "run.json").is_file() or (folder / _TRAIN).is_dir()


def _nothing_in(folder: Path, called: str = "") -> GmdVaeError:
    """The error for a folder without a whole checkpoint."""
    called = called or str(folder)
    if folder.name == BEST and _is_run(folder.parent) and not any(folder.glob("*.index")):
        return GmdVaeError(
            f"'{called}' has no checkpoint: the run has no validation windows, or was not validated yet",
            _there_is(folder),
        )
    half = any(any(place.glob("*.index")) for place in (folder, folder / _TRAIN, folder / BEST))
    return GmdVaeError(f"No checkpoint in '{called}'" + (", only files of unfinished ones" * half), _there_is(folder))


def _there_is(folder: Path) -> str:
    """What to do when a checkpoint is not where it was looked for: take one of those that are there."""
    there = [f"'{prefix}'" for prefix in complete(folder)[-3:]]
    run = folder.parent if folder.name in (BEST, _TRAIN) else folder
    if not there and _is_run(run):
        named = {BEST: complete(run / BEST), LATEST: complete(run / _TRAIN)}
        there = [f"'{run / name}' (step {step_of(found[-1])})" for name, found in named.items() if found]
    return f"There is {' and '.join(there)}." if there else "Run 'gmd-vae train' first, or check the path."


def config_from_name(path: Path, known: Collection[str]) -> str | None:
    """The config that a checkpoint is named after, as Magenta names its own, or ``None``.

    ``cat-drums_2bar_small.hikl.tar`` and ``cat-drums_2bar_small/model.ckpt-1`` are of ``cat-drums_2bar_small``.

    Args:
        path: an archive, a folder or a checkpoint.
        known: the configs' names.
    """
    for place in (path, path.parent):
        parts = place.name.split(".")
        for count in range(len(parts), 0, -1):
            if (name := ".".join(parts[:count])) in known:
                return name
    return None


def _unpack(archive: Path, folder: Path) -> None:
    """Copies the checkpoint files out of an untrusted archive: flat, plain files only, bounded.

    Raises:
        GmdVaeError: it is damaged, too large, or holds two files of one name.
    """
    total = 0
    try:
        with tarfile.open(archive) as tar:
            for number, member in enumerate(tar):
                total += member.size  # of those that are left out too: a compressed one must be read through
                if total > _MAX_ARCHIVE_BYTES or number >= _MAX_MEMBERS:
                    what = f"{_MAX_ARCHIVE_BYTES >> 30} GiB" if number < _MAX_MEMBERS else f"{_MAX_MEMBERS:,} files"
                    raise GmdVaeError(
                        f"'{archive}' unpacks to more than {what}", "Unpack it yourself and give the folder."
                    )
                name = PurePosixPath(member.name).name
                if not member.isfile() or not _PIECE.search(name) or name.endswith(".meta"):
                    continue
                source = tar.extractfile(member)
                assert source is not None  # isfile() was asked
                try:
                    with source, (folder / name).open("xb") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
                except FileExistsError:
                    raise GmdVaeError(
                        f"'{archive}' holds two files '{name}'",
                        "Unpack it yourself and give the folder of one of them.",
                    ) from None
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise GmdVaeError(f"'{archive}' is damaged ({error})", "Download it again.") from None
    except OSError as error:
        if error.errno is not None:  # a full disk; gzip and bzip2 raise it without a number for damage
            raise
        raise GmdVaeError(f"'{archive}' is damaged ({error})", "Download it again.") from None

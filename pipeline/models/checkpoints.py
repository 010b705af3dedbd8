"""Finding a checkpoint, however the user spells it. No TensorFlow here."""

from __future__ import annotations

import contextlib
import glob
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.errors import GmdVaeError

_PIECE = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
_STEP = re.compile(r"-(\d+)$")
_MAX_ARCHIVE_BYTES = 8 << 30  # the largest of Magenta's own checkpoints unpacks to about 2 GB


@contextlib.contextmanager
def open_checkpoint(path: Path) -> Iterator[Path]:
    """Yields the checkpoint's prefix (``.../model.ckpt-1500``), as TensorFlow wants it.

    Args:
        path: a run folder, its ``train`` folder, any folder with checkpoints (the latest is taken),
            a prefix, one of its files (``.index``, ``.meta``, ``.data-...``), or an archive as
            Magenta publishes them (``.tar``, ``.tar.gz``), which is unpacked to a temporary folder
            for as long as the context lasts.

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
    """The prefix of the checkpoint that ``path`` names; see `open_checkpoint` for the spellings."""
    if path.is_dir():
        train = path / "train"
        return latest(train if train.is_dir() else path, called=str(path))
    prefix = path.with_name(_PIECE.sub("", path.name))
    if is_whole(prefix):
        return prefix
    if path.is_file():
        raise GmdVaeError(
            f"'{path}' is not a checkpoint, or one of its files (.index, .data-...) is missing",
            "Give a run folder, a checkpoint prefix such as runs/NAME/train/model.ckpt-1500, or a .tar.",
        )
    raise GmdVaeError(f"No checkpoint at '{path}'", "Run 'gmd-vae train' first, or check the path.")


def latest(folder: Path, called: str) -> Path:
    """The whole checkpoint with the highest step in a folder.

    The text file ``checkpoint`` is not asked: it may hold absolute paths of another machine, and a
    run that was killed may name a checkpoint in it that was never finished.
    """
    prefixes = [index.with_suffix("") for index in folder.glob("*.index")]
    whole = [prefix for prefix in prefixes if is_whole(prefix)]
    if not whole:
        raise GmdVaeError(f"No checkpoint in '{called}'", "Run 'gmd-vae train' first, or check the path.")
    return max(whole, key=lambda prefix: (step_of(prefix) or 0, prefix.name))


def step_of(prefix: Path) -> int | None:
    """The training step in a checkpoint's name (``model.ckpt-1500`` → 1500), if it has one."""
    match = _STEP.search(prefix.name)
    return int(match.group(1)) if match else None


def is_whole(prefix: Path) -> bool:
    """Whether the index and every data file of a checkpoint are there."""
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        return False
    pieces = sorted(piece.name for piece in prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*"))
    if not pieces:
        return False
    total = int(pieces[0].rsplit("-", 1)[1])
    return len(pieces) == total


def files_of(prefix: Path) -> list[Path]:
    """The files a checkpoint consists of, without the graph (``.meta``), which we never read."""
    pieces = prefix.parent.glob(f"{glob.escape(prefix.name)}.*")
    return sorted(piece for piece in pieces if re.search(r"\.(index|data-\S+)$", piece.name))


def _unpack(archive: Path, folder: Path) -> None:
    """Copies the checkpoint files out of an untrusted archive: flat, plain files only, bounded."""
    total = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = PurePosixPath(member.name).name
                if not member.isfile() or not _PIECE.search(name) or name.endswith(".meta"):
                    continue
                total += member.size
                if total > _MAX_ARCHIVE_BYTES:
                    raise GmdVaeError(f"'{archive}' unpacks to more than {_MAX_ARCHIVE_BYTES >> 30} GiB", "")
                source = tar.extractfile(member)
                assert source is not None  # isfile() was asked
                with source, (folder / name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
    except (tarfile.TarError, EOFError) as error:
        raise GmdVaeError(f"'{archive}' is damaged ({error})", "Download it again.") from None

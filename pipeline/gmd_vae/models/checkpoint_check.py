"""Checks that a checkpoint is undamaged and fits a graph, before anything is restored."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gmd_vae.common import console
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.magenta.api import tf
from gmd_vae.models import checkpoints
from gmd_vae.models.checkpoint_index import DamagedIndexError, check_index
from gmd_vae.models.tensorflow_paths import tensorflow_path

_ADAM_SLOTS = ("/Adam", "/Adam_1")
_OPTIMIZER = re.compile(r"(/Adam(_1)?|(^|/)beta[12]_power(_\d+)?|^global_step)$")

CUDNN_COPY = re.compile(r"(^|/)opaque_kernel(_\d+)?(/Adam(_1)?)?$")


class _Unreadable(Exception):
    """A checkpoint cannot be read. The argument is the reason, in one line."""


def graph_variables() -> dict[str, tuple[int, ...]]:
    """Returns the names and shapes of the variables in the current graph."""
    return {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}


def without_optimizer(names: Iterable[str]) -> list[str]:
    """Returns the names of the model's variables, without those of the optimiser and the global step."""
    return [name for name in names if not _OPTIMIZER.search(name)]


def check_fits(prefix: Path, wanted: dict[str, tuple[int, ...]]) -> None:
    """Checks that a checkpoint contains these variables with these shapes. More variables are allowed.

    Magenta's official checkpoints also contain cuDNN's copies of weights. Nothing reads the copies, and one note on
    stderr reports them.

    Args:
        prefix: Prefix of the checkpoint, such as ``runs/NAME/train/model.ckpt-1500``.
        wanted: Names and shapes of the variables from `graph_variables`.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or does not fit. The message names up to three differences.
    """
    try:
        _, stored = _open(prefix)
    except _Unreadable as error:
        raise GmdVaeError(
            f"Checkpoint '{prefix}' cannot be read ({error})", "Remove its files to use the one before it."
        ) from None
    # Adam's moments have the shapes of their variables
    names = [name for name in sorted(wanted) if not name.endswith(_ADAM_SLOTS)]
    problems = [
        f"{name} is {_shape(stored[name])}, the config makes it {_shape(wanted[name])}"
        for name in names
        if name in stored and stored[name] != wanted[name]
    ]
    problems += [f"{name} is missing" for name in names if name not in stored]
    if problems:
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise GmdVaeError(
            f"Checkpoint '{prefix}' does not fit the config: {'; '.join(problems[:3])}{more}",
            "Give the config it was trained with.",
        )
    if copies := sum(CUDNN_COPY.search(name) is not None for name in stored if name not in wanted):
        _note_cudnn_copies(prefix, copies)


@functools.cache  # once per checkpoint, although a model restores it into several graphs
def _note_cudnn_copies(prefix: Path, copies: int) -> None:
    console.stderr().print(
        f"Note: not used from {prefix.name}: {copies} 'opaque_kernel', cuDNN's copies of weights that the checkpoint "
        "also contains in TensorFlow's format",
    )


def find_damage(prefix: Path) -> str | None:
    """Reads a whole checkpoint and returns the reason why it cannot be read, in one line, or ``None``.

    TensorFlow's reader compares the checksum of every block of the index and of every tensor. The bytes that no
    checksum covers contain nothing of the model. Memory is needed for one tensor at a time.
    """
    if not checkpoints.is_complete(prefix):
        return "one of its files is missing"
    try:
        reader, stored = _open(prefix)
        for name in stored:
            _tensor(reader, name)
    except _Unreadable as error:
        return str(error)
    return None


def check_undamaged(prefix: Path) -> None:
    """Reads a whole checkpoint, as `find_damage` does.

    Raises:
        GmdVaeError: It cannot be read.
    """
    if reason := find_damage(prefix):
        raise GmdVaeError(
            f"Checkpoint '{prefix}' cannot be read ({reason})",
            "Give another one: RUN/best, RUN/latest, or an earlier step.",
        )


def last_undamaged(folder: Path) -> tuple[Path | None, list[tuple[Path, str]]]:
    """Finds the newest undamaged checkpoint of a folder.

    Returns:
        Its prefix, or ``None``; and the newer, damaged checkpoints, newest first, each with its reason from
        `find_damage`.
    """
    damaged: list[tuple[Path, str]] = []
    for prefix in reversed(checkpoints.complete(folder)):
        reason = find_damage(prefix)
        if reason is None:
            return prefix, damaged
        damaged.append((prefix, reason))
    return None, damaged


def _open(prefix: Path) -> tuple[Any, dict[str, tuple[int, ...]]]:
    """Opens TensorFlow's reader of a checkpoint; returns it with the names and shapes of the tensors."""
    try:
        check_index(prefix)
    except DamagedIndexError as error:
        raise _Unreadable(str(error)) from None
    except OSError as error:
        raise _Unreadable(f"{error.strerror}: '{error.filename}'") from None
    try:
        reader = tf.train.load_checkpoint(tensorflow_path(prefix))
        return reader, {name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()}
    except MemoryError:  # a damaged index can name a block of any size; a sound index is small
        raise _Unreadable("its index is damaged: it names more data than can be") from None
    except (tf.errors.OpError, ValueError, IndexError) as error:
        raise _Unreadable(_reason(error, "its index")) from None


def _tensor(reader: Any, name: str) -> Any:
    # a MemoryError is no damage here: the size comes from the index, whose checksums are correct
    try:
        return reader.get_tensor(name)
    except (tf.errors.OpError, ValueError, IndexError) as error:
        raise _Unreadable(_reason(error, "its data")) from None


def _reason(error: Exception, what: str) -> str:
    """Translates an error of TensorFlow's reader to one line; unknown texts stay as they are.

    TensorFlow also raises Python's errors, such as an ``IndexError`` where a file ends too early.
    """
    text = " ".join(str(error).split())
    for words, reason in {
        "Read less bytes": "ends too early",
        "hecksum": "has changed: the checksum does not match",
        "too short to be an sstable": "ends too early",
        "not an sstable": "is cut off or not an index",
    }.items():
        if words in text:
            return f"{what} {reason}"
    return f"{what}: {text}" if text else f"{what} is damaged"


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"

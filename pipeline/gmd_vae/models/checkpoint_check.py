"""Whether a checkpoint can be read and fits a graph, told before anything is restored."""

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

_ADAM_SLOTS = ("/Adam", "/Adam_1")
_OPTIMIZER = re.compile(r"(/Adam(_1)?|(^|/)beta[12]_power(_\d+)?|^global_step)$")

CUDNN_COPY = re.compile(r"(^|/)opaque_kernel(_\d+)?(/Adam(_1)?)?$")


class _Unreadable(Exception):
    """A checkpoint cannot be read; the argument says why, in one line."""


def graph_variables() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the variables in the current graph."""
    return {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}


def without_optimizer(names: Iterable[str]) -> list[str]:
    """The variables of the model alone: no moments of Adam, no powers of its betas, no global step."""
    return [name for name in names if not _OPTIMIZER.search(name)]


def check_fits(prefix: Path, wanted: dict[str, tuple[int, ...]]) -> None:
    """Checks that a checkpoint holds these variables at these shapes; it may hold more.

    Magenta's official checkpoints also hold cuDNN's copies of weights that are there under their own names:
    nothing reads them, and stderr says so, once.

    Args:
        prefix: the checkpoint, e.g. ``runs/NAME/train/model.ckpt-1500``.
        wanted: variable names and shapes, as `graph_variables` gives them.

    Raises:
        GmdVaeError: it does not, or cannot be read; says which sizes differ.
    """
    try:
        _, held = _open(prefix)
    except _Unreadable as error:
        raise GmdVaeError(
            f"Checkpoint '{prefix}' cannot be read ({error})", "Remove its files to use the one before it."
        ) from None
    # the optimiser's copies have the sizes of what they belong to
    named = [name for name in sorted(wanted) if not name.endswith(_ADAM_SLOTS)]
    problems = [
        f"{name} is {_shape(held[name])}, the config makes it {_shape(wanted[name])}"
        for name in named
        if name in held and held[name] != wanted[name]
    ]
    problems += [f"{name} is missing" for name in named if name not in held]
    if problems:
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        raise GmdVaeError(
            f"Checkpoint '{prefix}' is not of this config: {'; '.join(problems[:3])}{more}",
            "Give the config it was trained with.",
        )
    if copies := sum(CUDNN_COPY.search(name) is not None for name in held if name not in wanted):
        _say_passed_over(prefix, copies)


@functools.cache  # a model restores a checkpoint into several graphs
def _say_passed_over(prefix: Path, copies: int) -> None:
    console.stderr().print(
        f"Note: not used of {prefix.name}: {copies} 'opaque_kernel', cuDNN's copies of weights that it also holds "
        "as TensorFlow has them",
        markup=False,
    )


def find_damage(prefix: Path) -> str | None:
    """Reads a checkpoint from end to end; why it cannot be read, in one line, or ``None`` if it can.

    TensorFlow's reader compares the checksum of every block of the index and of every tensor. What
    the checksums do not cover holds nothing of the model, and passes. Memory is needed for one
    tensor at a time.
    """
    if not checkpoints.is_complete(prefix):
        return "one of its files is missing"
    try:
        reader, held = _open(prefix)
        for name in held:
            _tensor(reader, name)
    except _Unreadable as error:
        return str(error)
    return None


def last_undamaged(folder: Path) -> tuple[Path | None, list[tuple[Path, str]]]:
    """The newest checkpoint of a folder that can be read, and the newer ones that cannot, with reasons.

    Returns:
        its prefix, or ``None`` if there is none; and those passed over, newest first, each with the
        line that `find_damage` gives.
    """
    passed_over: list[tuple[Path, str]] = []
    for prefix in reversed(checkpoints.complete(folder)):
        reason = find_damage(prefix)
        if reason is None:
            return prefix, passed_over
        passed_over.append((prefix, reason))
    return None, passed_over


def _open(prefix: Path) -> tuple[Any, dict[str, tuple[int, ...]]]:
    """TensorFlow's reader of a checkpoint, and names and shapes of what it holds."""
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        return reader, {name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()}
    except MemoryError:  # a damaged index names a block of so many bytes; a sound one is small
        raise _Unreadable("its index is damaged: it names more data than can be") from None
    except (tf.errors.OpError, ValueError, IndexError) as error:
        raise _Unreadable(_reason(error, "its index")) from None


def _tensor(reader: Any, name: str) -> Any:
    # memory that runs out here is no damage: the index, whose checksums hold, gives the size
    try:
        return reader.get_tensor(name)
    except (tf.errors.OpError, ValueError, IndexError) as error:
        raise _Unreadable(_reason(error, "its data")) from None


def _reason(error: Exception, what: str) -> str:
    """TensorFlow's words for what is wrong with a file, in ours where we know them.

    Besides its own errors it raises Python's: an ``IndexError`` where a file ends too early.
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

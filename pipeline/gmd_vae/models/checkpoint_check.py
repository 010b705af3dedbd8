"""Checks that a checkpoint is undamaged and fits a graph, before anything is restored. No TensorFlow."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

from gmd_vae.common import console
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.models import checkpoints
from gmd_vae.models.averaged_weights import SUFFIX
from gmd_vae.models.checkpoint_index import DamagedCheckpointError, Tensor, read_data, read_index

_ADAM_SLOTS = ("/Adam", "/Adam_1")
_OPTIMIZER = re.compile(rf"(/Adam(_1)?|(^|/)beta[12]_power(_\d+)?|^global_step|{SUFFIX})$")

CUDNN_COPY = re.compile(r"(^|/)opaque_kernel(_\d+)?(/Adam(_1)?)?$")


def without_optimizer(names: Iterable[str]) -> list[str]:
    """Returns the names of the model's variables, without those of the optimiser, averages and the global step."""
    return [name for name in names if not _OPTIMIZER.search(name)]


def check_fits(prefix: Path, wanted: dict[str, tuple[int, ...]]) -> None:
    """Checks that a checkpoint contains these variables with these shapes. More variables are allowed.

    Magenta's official checkpoints also contain cuDNN's copies of weights. Nothing reads the copies, and one note on
    stderr reports them.

    Args:
        prefix: Prefix of the checkpoint, such as ``runs/NAME/train/model.ckpt-1500``.
        wanted: Names and shapes of the variables from `sessions.graph_variables`.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or does not fit. The message names up to three differences.
    """
    try:
        stored = {name: tensor.shape for name, tensor in _index(prefix).items()}
    except DamagedCheckpointError as error:
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
        fitting = ", ".join(fitting_configs(prefix, all_configs().values()))
        raise GmdVaeError(
            f"Checkpoint '{prefix}' does not fit the config: {'; '.join(problems[:3])}{more}",
            f"Give the config it was trained with.{fitting and f' Its variables are those of {fitting}.'}",
        )
    if copies := sum(CUDNN_COPY.search(name) is not None for name in stored if name not in wanted):
        _note_cudnn_copies(prefix.name, copies)


def fitting_configs(prefix: Path, configs: Iterable[Config]) -> list[str]:
    """Returns the names of the configs with the variables of a checkpoint, at their own hyperparameters.

    Configs that differ only in their windows have the same variables, and so several can fit. Of a config whose
    variables are some of another one's, only the larger one counts.

    Args:
        prefix: Prefix of the checkpoint.
        configs: The configs.

    Raises:
        GmdVaeError: The checkpoint cannot be read.
    """
    try:
        stored = {name: tensor.shape for name, tensor in _index(prefix).items()}
    except DamagedCheckpointError as error:
        raise damaged_error(prefix, str(error)) from None
    sizes = {}
    for config in configs:
        wanted = variable_shapes(config)
        if wanted.items() <= stored.items():
            sizes[config.name] = len(wanted)
    return [name for name, size in sizes.items() if size == max(sizes.values())]


@functools.cache  # once per checkpoint, although it is checked before it is restored, and an archive unpacked each time
def _note_cudnn_copies(name: str, copies: int) -> None:
    console.stderr().print(
        f"Note: not used from {name}: {copies} 'opaque_kernel', cuDNN's copies of weights that the checkpoint "
        "also contains in TensorFlow's format",
    )


def find_damage(prefix: Path) -> str | None:
    """Reads a whole checkpoint and returns the reason why it cannot be read, in one line, or ``None``.

    The checksums of every block of the index and of every tensor are compared. The bytes that no checksum covers
    contain nothing of the model. Memory is needed for one tensor at a time.
    """
    if not checkpoints.is_complete(prefix):
        return "one of its files is missing"
    try:
        for tensor in _index(prefix).values():
            read_data(tensor)
    except DamagedCheckpointError as error:
        return str(error)
    except OSError as error:
        return _reason(error)
    return None


def check_undamaged(prefix: Path) -> None:
    """Reads a whole checkpoint, as `find_damage` does.

    Raises:
        GmdVaeError: It cannot be read.
    """
    if reason := find_damage(prefix):
        raise damaged_error(prefix, reason)


def damaged_error(prefix: Path, reason: str) -> GmdVaeError:
    """Returns the error for a checkpoint that cannot be read."""
    return GmdVaeError(
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


def _index(prefix: Path) -> dict[str, Tensor]:
    """Reads the index of a checkpoint; a file that cannot be opened is damage too."""
    try:
        return read_index(prefix)
    except OSError as error:
        raise DamagedCheckpointError(_reason(error)) from None


def _reason(error: OSError) -> str:
    return f"{error.strerror}: '{error.filename}'" if error.filename else str(error.strerror)


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"

"""Whether a checkpoint fits a graph, told before anything is restored."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import GmdVaeError
from pipeline.models.magenta import tf


def graph_variables() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the variables in the current graph."""
    return {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}


def check_fits(prefix: Path, wanted: dict[str, tuple[int, ...]]) -> None:
    """Checks that a checkpoint holds these variables at these shapes; it may hold more.

    Args:
        prefix: the checkpoint, e.g. ``runs/NAME/train/model.ckpt-1500``.
        wanted: variable names and shapes, as `graph_variables` gives them.

    Raises:
        GmdVaeError: it does not, or cannot be read; says which sizes differ.
    """
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        held = {name: tuple(shape) for name, shape in reader.get_variable_to_shape_map().items()}
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise GmdVaeError(
            f"Checkpoint '{prefix}' cannot be read ({reason})", "Remove its files to use the one before it."
        ) from None
    # the optimiser's copies have the sizes of what they belong to
    named = [name for name in sorted(wanted) if not name.endswith(("/Adam", "/Adam_1"))]
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


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a single number"

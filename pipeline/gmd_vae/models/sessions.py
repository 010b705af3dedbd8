"""TensorFlow sessions: their options, and the variables of their graph."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.select_layers import SelectedLayers
from gmd_vae.models.averaged_weights import stored_names
from gmd_vae.models.checkpoint_index import read_index


def session_config(layers: SelectedLayers | None) -> Any:
    """Returns the ``tf.ConfigProto`` for a graph.

    Args:
        layers: Layers that compute the model; ``None`` for a graph without a model.
    """
    config = tf.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True  # by default TensorFlow takes all GPU memory at once
    # TensorFlow's graph optimiser takes seconds for an unrolled graph, again for every new set of fetches, and makes
    # no step faster there; in graphs with loops it does
    config.graph_options.rewrite_options.disable_meta_optimizer = layers is not None and layers.is_unrolled
    return config


def weights_saver(checkpoint: Path, only: Collection[str] | None = None) -> Any:
    """Returns a ``tf.train.Saver`` that restores the variables of the current graph.

    Args:
        checkpoint: Prefix of the checkpoint. If it has averages of the weights, they are restored.
        only: Names of the variables to restore; by default all.
    """
    variables = {one.op.name: one for one in tf.global_variables() if only is None or one.op.name in only}
    stored = stored_names(variables, read_index(checkpoint))
    return tf.train.Saver({stored[name]: variable for name, variable in variables.items()})


def graph_variables() -> dict[str, tuple[int, ...]]:
    """Returns the names and shapes of the variables in the current graph."""
    return {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}

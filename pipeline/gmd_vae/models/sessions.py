"""TensorFlow sessions: their options, and the variables of their graph."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.select_layers import SelectedLayers


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


def graph_variables() -> dict[str, tuple[int, ...]]:
    """Returns the names and shapes of the variables in the current graph."""
    return {variable.op.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}

"""How TensorFlow's sessions run our graphs."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.select_layers import SelectedLayers


def session_config(chosen: SelectedLayers | None) -> Any:
    """``tf.ConfigProto``: how TensorFlow uses this machine's devices.

    Args:
        chosen: what computes the model; ``None``: there is none in the graph.
    """
    config = tf.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True  # TensorFlow would take the whole GPU's memory at once
    # TensorFlow's graph optimiser takes seconds for an unrolled graph, again for every new set of
    # things to fetch, and finds nothing there that makes a step faster; in Magenta's loops it does
    config.graph_options.rewrite_options.disable_meta_optimizer = chosen is not None and chosen.is_unrolled
    return config

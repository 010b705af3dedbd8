"""A config's model with the weights of a checkpoint. Subclasses build the graphs for their methods on first use."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.magenta.api import build_config, tf
from gmd_vae.models.accelerated.select_layers import SelectedLayers, accelerate
from gmd_vae.models.checkpoint_check import check_fits, check_undamaged
from gmd_vae.models.sessions import graph_variables, session_config, weights_saver
from gmd_vae.models.tensorflow_paths import tensorflow_path

Model = TypeVar("Model", bound="CheckpointModel")


class CheckpointModel:
    """A checkpoint and the sessions that run it. A context manager: leaving it closes the sessions.

    Args:
        config: Config that the checkpoint was trained with.
        hparams: Its hyperparameters, with the batch size of this use.
        checkpoint: Prefix of the checkpoint, ours or Magenta's.
        layers: Implementation of the layers. The precision is always fp32.

    Attributes:
        layers: Implementation of encoder and decoder, for manifests.

    Raises:
        GmdVaeError: The checkpoint cannot be read.
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers) -> None:
        check_undamaged(checkpoint)
        self._config, self._hparams, self._checkpoint = config, hparams, checkpoint
        self._layers = dataclasses.replace(layers, precision="fp32")
        self._sessions = contextlib.ExitStack()
        self.layers = self._build()[1].describe()

    def __enter__(self: Model) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sessions.close()

    def _build(self) -> tuple[Any, SelectedLayers]:
        """Returns Magenta's config and its layers. Adds nothing to a graph."""
        built = build_config(self._config, self._hparams)
        return built, accelerate(built, self._config, self._layers)

    def _restore(self, chosen: SelectedLayers) -> Any:
        """Returns a session on the default graph with the checkpoint's weights, or with their averages if it has them.

        Args:
            chosen: Layers of the graph.

        Raises:
            GmdVaeError: The checkpoint belongs to another config.
        """
        check_fits(self._checkpoint, graph_variables())
        session = self._sessions.enter_context(contextlib.closing(tf.Session(config=session_config(chosen))))
        weights_saver(self._checkpoint).restore(session, tensorflow_path(self._checkpoint))
        return session

"""A config's model with the weights of a checkpoint; what is asked of it makes the graphs (``trained``, ``scored``)."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.magenta.api import build_config, tf
from gmd_vae.models.accelerated.select_layers import SelectedLayers, accelerate
from gmd_vae.models.checkpoint_check import check_fits, find_damage, graph_variables
from gmd_vae.models.sessions import session_config

Model = TypeVar("Model", bound="RestoredVae")


class RestoredVae:
    """A checkpoint, and the sessions that run it. Use as a context manager.

    Args:
        config: the config it was trained with.
        hparams: its hyperparameters, those replaced that this use asks for.
        checkpoint: prefix of the checkpoint, ours or Magenta's.
        layers: what computes the model; always in fp32.

    Attributes:
        layers: what computes the model, for a manifest.

    Raises:
        GmdVaeError: the checkpoint cannot be read.
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers) -> None:
        if reason := find_damage(checkpoint):
            raise GmdVaeError(
                f"Checkpoint '{checkpoint}' cannot be read ({reason})",
                "Give another one: RUN/best, RUN/latest, or an earlier step.",
            )
        self._config, self._hparams, self._checkpoint = config, hparams, checkpoint
        self._layers = dataclasses.replace(layers, precision="fp32")
        self._sessions = contextlib.ExitStack()
        self.layers = self._built()[1].describe()

    def __enter__(self: Model) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sessions.close()

    def _built(self) -> tuple[Any, SelectedLayers]:
        """Magenta's config, with the layers that compute it; nothing is in a graph yet."""
        built = build_config(self._config, self._hparams)
        return built, accelerate(built, self._config, self._layers)

    def _restored(self, chosen: SelectedLayers) -> Any:
        """A session on the default graph with the checkpoint's weights.

        Raises:
            GmdVaeError: the checkpoint is not of this config.
        """
        check_fits(self._checkpoint, graph_variables())
        session = self._sessions.enter_context(contextlib.closing(tf.Session(config=session_config(chosen))))
        tf.train.Saver().restore(session, str(self._checkpoint))
        return session

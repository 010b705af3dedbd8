"""Puts our layers in the place of Magenta's wherever they compute the same, and says where they do not."""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.families import family_of
from gmd_vae.magenta.api import build_config, configs, data, data_hierarchical, lstm_models
from gmd_vae.models.accelerated.decoders import AcceleratedCategoricalLstmDecoder, AcceleratedHierarchicalLstmDecoder
from gmd_vae.models.accelerated.encoder import AcceleratedBidirectionalLstmEncoder, AcceleratedHierarchicalLstmEncoder
from gmd_vae.models.accelerated.multi_output_decoder import AcceleratedStreamsLstmDecoder


@dataclasses.dataclass(frozen=True)
class Chosen:
    """Which layers compute a model.

    Attributes:
        encoder: why Magenta's encoder does; ``None``: ours does.
        decoder: why Magenta's decoder does; ``None``: ours does.
        precision: of our layers' matrix products.
        input_classes: of the encoder's input, where each step is one of them; else 0.
    """

    encoder: str | None
    decoder: str | None
    precision: str
    input_classes: int = 0

    @property
    def takes_tokens(self) -> bool:
        """Whether the decoder takes sequences as tokens (``accelerated.tokens``)."""
        return self.decoder is None

    @property
    def tokens(self) -> frozenset[str]:
        """Of ``inputs`` and ``outputs``, those that the model takes as tokens."""
        read = {"inputs"} if self.encoder is None and self.input_classes else set()
        return frozenset(read | ({"outputs"} if self.takes_tokens else set()))

    @property
    def is_unrolled(self) -> bool:
        """Whether our layers, which have no loops, compute all of it."""
        return self.encoder is None and self.decoder is None

    def describe(self) -> dict[str, str]:
        """For ``run.json``: what computes each half."""
        return {half: self._of(getattr(self, half)) for half in ("encoder", "decoder")}

    def _of(self, reason: str | None) -> str:
        return f"accelerated, {self.precision}" if reason is None else f"Magenta's ({reason})"


def choose(config: Config, hparams: dict[str, Any], layers: Layers) -> Chosen:
    """Which layers compute a config; builds nothing."""
    return accelerate(build_config(config, hparams), config, layers)


def accelerate(built: configs.Config, config: Config, layers: Layers) -> Chosen:
    """Replaces the encoder and the decoder of a model that is not built yet by ours.

    Args:
        built: from ``build_config``; its model is changed.
        config: what it was built from.
        layers: what is wanted.
    """
    encoder, decoder = _reasons(built, family_of(config).whole_windows, layers)
    if encoder is None:
        built.model._encoder = _accelerated_encoder(built, layers.precision, family_of(config).whole_windows)
    if decoder is None:
        built.model._decoder = _accelerated_decoder(built.model.decoder, layers.precision)
    return Chosen(encoder, decoder, layers.precision, _input_classes(built.data_converter))


def _reasons(built: configs.Config, whole_windows: bool, layers: Layers) -> tuple[str | None, str | None]:
    """Why encoder and decoder stay Magenta's; ``None`` where they need not."""
    if not layers.accelerated:
        return "asked for", "asked for"
    hparams, both = built.hparams, None
    if hparams.dropout_keep_prob != 1.0:
        both = "dropout"
    elif not hparams.z_size:
        both = "no latent vector"
    elif built.data_converter.control_depth:
        both = "controls"
    encoder, decoder = both, both
    if of_encoder := _no_accelerated_encoder(built.model.encoder):
        encoder = of_encoder
    elif hparams.residual_encoder:
        encoder = "residual connections"
    of_decoder = _no_accelerated_decoder(built.model.decoder, whole_windows, hparams)
    if of_decoder or hparams.residual_decoder:
        decoder = of_decoder or "residual connections"
    return encoder, decoder


def _no_accelerated_encoder(encoder: Any) -> str | None:
    if type(encoder) is lstm_models.HierarchicalLstmEncoder:
        core = encoder._core_encoder_cls
        return None if core is lstm_models.BidirectionalLstmEncoder else core.__name__
    return None if type(encoder) is lstm_models.BidirectionalLstmEncoder else type(encoder).__name__


def _accelerated_encoder(built: configs.Config, precision: str, whole_windows: bool) -> Any:
    encoder, classes = built.model.encoder, _input_classes(built.data_converter)
    if isinstance(encoder, lstm_models.HierarchicalLstmEncoder):
        return AcceleratedHierarchicalLstmEncoder(encoder.level_lengths, precision, classes)
    return AcceleratedBidirectionalLstmEncoder(precision, whole_windows, classes)


def _input_classes(converter: Any) -> int:
    """How many classes the steps of a converter's input have, where each step is one of them; else 0."""
    one_hot = (data.OneHotMelodyConverter, data_hierarchical.MultiInstrumentPerformanceConverter)
    return converter.input_depth if isinstance(converter, one_hot) else 0


def _no_accelerated_decoder(decoder: Any, whole_windows: bool, hparams: Any) -> str | None:
    if type(decoder) is lstm_models.HierarchicalLstmDecoder:
        if decoder._hierarchical_encoder:
            return "re-encoding of what was decoded"
        without, levels = set(decoder._disable_autoregression), range(len(decoder._level_lengths) - 1)
        if without and not without.issuperset(levels):
            return "a conductor that hears and one that does not"
        if (
            not without and not whole_windows
        ):  # Magenta's state after a short segment depends on the others in the batch
            return "segments of any length before a conductor that hears"
        if without and type(decoder._core_decoder) is lstm_models.SplitMultiOutLstmDecoder:
            return _no_accelerated_streams(decoder._core_decoder, hparams)
        decoder = decoder._core_decoder
    if type(decoder) is not lstm_models.CategoricalLstmDecoder:
        return type(decoder).__name__
    return None


def _no_accelerated_streams(decoder: Any, hparams: Any) -> str | None:
    for core in decoder._core_decoders:
        if type(core) is not lstm_models.CategoricalLstmDecoder:
            return type(core).__name__
    forced = hparams.sampling_schedule == "constant" and not hparams.sampling_rate
    return None if forced else "scheduled sampling of several streams"


def _accelerated_decoder(decoder: Any, precision: str) -> Any:
    if isinstance(decoder, lstm_models.HierarchicalLstmDecoder):
        if isinstance(decoder._core_decoder, lstm_models.SplitMultiOutLstmDecoder):
            depths = decoder._core_decoder._output_depths
            return AcceleratedStreamsLstmDecoder(decoder._level_lengths, depths, precision)
        autoregressive = not decoder._disable_autoregression
        return AcceleratedHierarchicalLstmDecoder(decoder._level_lengths, autoregressive, precision)
    return AcceleratedCategoricalLstmDecoder(precision)

"""Selects the accelerated layers for a model where they compute the same as Magenta's, with the reason where not."""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.families import family_of
from gmd_vae.magenta.api import build_config, configs, data, data_hierarchical, lstm_models
from gmd_vae.models.accelerated.encoder import AcceleratedBidirectionalLstmEncoder, AcceleratedHierarchicalLstmEncoder
from gmd_vae.models.accelerated.flat_decoder import AcceleratedCategoricalLstmDecoder
from gmd_vae.models.accelerated.hierarchical_decoder import AcceleratedHierarchicalLstmDecoder
from gmd_vae.models.accelerated.multi_output_decoder import AcceleratedMultiOutputLstmDecoder


@dataclasses.dataclass(frozen=True)
class SelectedLayers:
    """Layers that compute a model.

    Attributes:
        encoder_fallback: Reason for Magenta's encoder; ``None`` means the accelerated encoder.
        decoder_fallback: Reason for Magenta's decoder; ``None`` means the accelerated decoder.
        precision: Precision of the matrix products in accelerated layers, ``fp32`` or ``bf16``.
        input_classes: Number of classes of one-hot encoder input; 0 for other input.
    """

    encoder_fallback: str | None
    decoder_fallback: str | None
    precision: str
    input_classes: int = 0

    @property
    def decoder_takes_tokens(self) -> bool:
        """True if the decoder reads tokens (`tokens`)."""
        return self.decoder_fallback is None

    @property
    def token_sequences(self) -> frozenset[str]:
        """Those of the sequences ``inputs`` and ``outputs`` that the model reads as tokens."""
        encoder_sequences = {"inputs"} if self.encoder_fallback is None and self.input_classes else set()
        return frozenset(encoder_sequences | ({"outputs"} if self.decoder_takes_tokens else set()))

    @property
    def is_unrolled(self) -> bool:
        """True if accelerated layers, which have no loops, compute the whole model."""
        return self.encoder_fallback is None and self.decoder_fallback is None

    def describe(self) -> dict[str, str]:
        """Describes encoder and decoder for ``run.json``."""
        return {"encoder": self._describe(self.encoder_fallback), "decoder": self._describe(self.decoder_fallback)}

    def _describe(self, fallback: str | None) -> str:
        return f"accelerated, {self.precision}" if fallback is None else f"Magenta's ({fallback})"


def select_layers(config: Config, hparams: dict[str, Any], layers: Layers) -> SelectedLayers:
    """Selects the layers for a config without building a graph.

    Args:
        config: The config.
        hparams: All hyperparameters.
        layers: Requested layers and precision.
    """
    return accelerate(build_config(config, hparams), config, layers)


def accelerate(built: configs.Config, config: Config, layers: Layers) -> SelectedLayers:
    """Replaces the encoder and the decoder of a model by accelerated ones, where they compute the same.

    Args:
        built: Magenta's config from ``build_config``, whose graph is not built yet. Its model is changed.
        config: The config it was built from.
        layers: Requested layers and precision.
    """
    whole_windows = family_of(config).whole_windows
    encoder_fallback, decoder_fallback = _fallbacks(built, whole_windows, layers)
    if encoder_fallback is None:
        built.model._encoder = _accelerated_encoder(built, layers.precision, whole_windows)
    if decoder_fallback is None:
        built.model._decoder = _accelerated_decoder(built.model.decoder, layers.precision)
    input_classes = _input_classes(built.data_converter)
    return SelectedLayers(encoder_fallback, decoder_fallback, layers.precision, input_classes)


def _fallbacks(built: configs.Config, whole_windows: bool, layers: Layers) -> tuple[str | None, str | None]:
    """Returns the reasons for Magenta's encoder and decoder, each ``None`` if the accelerated one can be used."""
    if not layers.accelerated:
        return "on request", "on request"
    hparams, both = built.hparams, None
    if hparams.dropout_keep_prob != 1.0:
        both = "dropout"
    elif not hparams.z_size:
        both = "no latent vector"
    elif built.data_converter.control_depth:
        both = "controls"
    encoder_residual = "residual connections" if hparams.residual_encoder else None
    decoder_residual = "residual connections" if hparams.residual_decoder else None
    encoder = _encoder_fallback(built.model.encoder) or encoder_residual or both
    decoder = _decoder_fallback(built.model.decoder, whole_windows, hparams) or decoder_residual or both
    return encoder, decoder


def _encoder_fallback(encoder: Any) -> str | None:
    """Returns the class name of an encoder that has no accelerated version, or ``None``."""
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
    """Returns the number of classes of a converter's one-hot input, or 0 for other input."""
    one_hot = (data.OneHotMelodyConverter, data_hierarchical.MultiInstrumentPerformanceConverter)
    return converter.input_depth if isinstance(converter, one_hot) else 0


def _decoder_fallback(decoder: Any, whole_windows: bool, hparams: Any) -> str | None:
    """Returns the reason for Magenta's decoder, or ``None``."""
    if type(decoder) is lstm_models.HierarchicalLstmDecoder:
        if decoder._hierarchical_encoder:
            return "re-encoding of decoded segments"
        without, levels = set(decoder._disable_autoregression), range(len(decoder._level_lengths) - 1)
        if without and not without.issuperset(levels):
            return "autoregression of some conductors only"
        if not without and not whole_windows:
            # Magenta's state after a short segment depends on the other windows in the batch
            return "segments of any length with an autoregressive conductor"
        if without and type(decoder._core_decoder) is lstm_models.SplitMultiOutLstmDecoder:
            return _multi_output_fallback(decoder._core_decoder, hparams)
        decoder = decoder._core_decoder
    if type(decoder) is not lstm_models.CategoricalLstmDecoder:
        return type(decoder).__name__
    return None


def _multi_output_fallback(decoder: Any, hparams: Any) -> str | None:
    for core in decoder._core_decoders:
        if type(core) is not lstm_models.CategoricalLstmDecoder:
            return type(core).__name__
    teacher_forced = hparams.sampling_schedule == "constant" and not hparams.sampling_rate
    return None if teacher_forced else "scheduled sampling of several streams"


def _accelerated_decoder(decoder: Any, precision: str) -> Any:
    if isinstance(decoder, lstm_models.HierarchicalLstmDecoder):
        if isinstance(decoder._core_decoder, lstm_models.SplitMultiOutLstmDecoder):
            depths = decoder._core_decoder._output_depths
            return AcceleratedMultiOutputLstmDecoder(decoder._level_lengths, depths, precision)
        autoregressive = not decoder._disable_autoregression
        return AcceleratedHierarchicalLstmDecoder(decoder._level_lengths, autoregressive, precision)
    return AcceleratedCategoricalLstmDecoder(precision)

"""Selection of accelerated layers, and the reasons for Magenta's."""

from __future__ import annotations

from typing import Any

import pytest
from gmd_vae.configuration.layers import ACCELERATED, STOCK, Layers
from gmd_vae.configuration.registry import get_config

pytestmark = pytest.mark.tensorflow

DEFAULT = "hierdec-drum_4bar_small"


def fallbacks(name: str, layers: Layers = ACCELERATED, **changed: Any) -> tuple[str | None, str | None]:
    from gmd_vae.models.accelerated.select_layers import select_layers

    config = get_config(name)
    selected = select_layers(config, {**config.hparams, **changed}, layers)
    assert selected.decoder_takes_tokens is (selected.decoder_fallback is None)
    return selected.encoder_fallback, selected.decoder_fallback


@pytest.mark.parametrize(
    "name", [DEFAULT, "flat-drum_16bar", "cat-mel_2bar_small", "hierdec-mel_16bar", "hier-mel_16bar"]
)
def test_categorical_lstms_are_accelerated(name: str, magenta: Any) -> None:
    assert fallbacks(name) == (None, None)


@pytest.mark.parametrize(
    ("name", "encoder", "decoder"),
    [
        ("nade-drums_2bar_reduced", None, "MultiLabelRnnNadeDecoder"),
        ("flat-trio_16bar", None, "MultiOutCategoricalLstmDecoder"),
        ("groovae_4bar", "dropout", "GrooveLstmDecoder"),
        ("cat-mel_2bar_med_chords", "controls", "controls"),
        ("hier-multiperf_vel_1bar_med_chords", "controls", "controls"),
    ],
)
def test_models_without_accelerated_layers_use_magentas(
    name: str, encoder: str | None, decoder: str | None, magenta: Any
) -> None:
    assert fallbacks(name) == (encoder, decoder)


@pytest.mark.parametrize(
    ("changed", "encoder", "decoder"),
    [
        ({"dropout_keep_prob": 0.5}, "dropout", "dropout"),
        ({"residual_encoder": True}, "residual connections", None),
        ({"residual_decoder": True}, None, "residual connections"),
        ({"z_size": 0}, "no latent vector", "no latent vector"),
    ],
)
@pytest.mark.parametrize("name", [DEFAULT, "flat-drum_4bar_small"])
def test_hyperparameters_without_accelerated_layers(
    name: str, changed: dict[str, Any], encoder: str | None, decoder: str | None, magenta: Any
) -> None:
    assert fallbacks(name, **changed) == (encoder, decoder)


def test_scheduled_sampling_of_several_streams(magenta: Any) -> None:
    changed = {"sampling_schedule": "constant", "sampling_rate": 0.5}
    assert fallbacks("hierdec-trio_16bar", **changed) == (None, "scheduled sampling of several streams")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"disable_autoregression": [0]}, "autoregression of some conductors only"),
        ({"disable_autoregression": [0, 1]}, None),
        ({"disable_autoregression": True}, None),
        ({"disable_autoregression": False}, None),
    ],
)
def test_autoregression_of_some_or_all_conductors(arguments: dict[str, Any], reason: str | None, magenta: Any) -> None:
    assert reason_for(magenta.lstm_models.CategoricalLstmDecoder(), magenta, **arguments) == reason


def test_re_encoding_of_decoded_segments(magenta: Any) -> None:
    lstm = magenta.lstm_models
    encoder = lstm.HierarchicalLstmEncoder(lstm.BidirectionalLstmEncoder, [8, 4, 2])
    reason = reason_for(lstm.CategoricalLstmDecoder(), magenta, hierarchical_encoder=encoder)
    assert reason == "re-encoding of decoded segments"


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        (DEFAULT, {"outputs"}),
        ("hier-multiperf_vel_1bar_med", {"inputs", "outputs"}),
        ("hierdec-trio_16bar", {"outputs"}),
        ("nade-drums_2bar_full", set()),
    ],
)
def test_sequences_that_the_model_reads_as_tokens(name: str, tokens: set[str], magenta: Any) -> None:
    from gmd_vae.models.accelerated.select_layers import select_layers

    config = get_config(name)
    assert select_layers(config, config.hparams, ACCELERATED).token_sequences == tokens
    assert not select_layers(config, config.hparams, STOCK).token_sequences


def test_a_hierarchy_over_another_encoder(magenta: Any) -> None:
    from gmd_vae.models.accelerated.select_layers import accelerate

    config = get_config("hier-mel_16bar")
    built = magenta.build_config(config)
    core = type("OwnEncoder", (magenta.lstm_models.BidirectionalLstmEncoder,), {})
    built.model._encoder = magenta.lstm_models.HierarchicalLstmEncoder(core, [16, 16])
    assert accelerate(built, config, ACCELERATED).encoder_fallback == "OwnEncoder"


def test_a_hierarchy_over_another_decoder(magenta: Any) -> None:
    assert reason_for(magenta.lstm_models.BooleanLstmDecoder(), magenta) == "BooleanLstmDecoder"


def reason_for(core: Any, magenta: Any, **arguments: Any) -> str | None:
    from gmd_vae.models.accelerated.select_layers import accelerate

    config = get_config(DEFAULT)
    built = magenta.build_config(config)
    decoder = magenta.lstm_models.HierarchicalLstmDecoder(core, [2, 4, 8], **arguments)
    built.model._decoder = decoder
    selected = accelerate(built, config, ACCELERATED)
    assert (built.model.decoder is decoder) is (selected.decoder_fallback is not None)
    return selected.decoder_fallback


def test_magentas_layers_are_used_on_request(magenta: Any) -> None:
    from gmd_vae.models.accelerated.select_layers import accelerate

    config = get_config(DEFAULT)
    built = magenta.build_config(config)
    encoder, decoder = built.model.encoder, built.model.decoder
    selected = accelerate(built, config, STOCK)
    assert (selected.encoder_fallback, selected.decoder_fallback) == ("on request", "on request")
    assert built.model.encoder is encoder
    assert built.model.decoder is decoder


@pytest.mark.parametrize(
    ("name", "layers", "encoder", "decoder"),
    [
        (DEFAULT, ACCELERATED, "accelerated, fp32", "accelerated, fp32"),
        (DEFAULT, Layers(precision="bf16"), "accelerated, bf16", "accelerated, bf16"),
        (DEFAULT, STOCK, "Magenta's (on request)", "Magenta's (on request)"),
        ("nade-drums_2bar_full", ACCELERATED, "accelerated, fp32", "Magenta's (MultiLabelRnnNadeDecoder)"),
    ],
)
def test_the_description_for_run_json(name: str, layers: Layers, encoder: str, decoder: str, magenta: Any) -> None:
    from gmd_vae.models.accelerated.select_layers import select_layers

    config = get_config(name)
    assert select_layers(config, config.hparams, layers).describe() == {"encoder": encoder, "decoder": decoder}

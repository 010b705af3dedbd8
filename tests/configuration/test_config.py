"""The configs of configs.py, and checks of a config's fields."""

import json
from typing import Any

import pytest
from gmd_vae.configuration.config import from_declaration
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.configuration.window_specs import DrumWindows

OURS = {name: config for name, config in all_configs().items() if not config.magenta}


# encoder, z, decoder, levels, conductor autoregression, batch, free bits, max β, schedule, rate
TABLE = {
    "hierdec-drum_4bar": ([512, 512], 512, [256, 256], (8, 8), True, 512, 48, 0.2, "inverse_sigmoid", 1000),
    "hierdec-drum_4bar_v2": ([512, 512], 256, [256, 256], (8, 8), True, 512, 48, 0.2, "inverse_sigmoid", 1000),
    "hierdec-drum_4bar-no_ar": ([512, 512], 512, [256, 256], (8, 8), False, 512, 48, 0.2, "inverse_sigmoid", 1000),
    "hierdec-drum_4bar_paper": ([2048, 2048], 512, [1024, 1024], (8, 8), False, 64, 256, 0.2, "constant", 0),
    "flat-drum_4bar": ([512, 512], 512, [256, 256], (), None, 512, 48, 0.2, "inverse_sigmoid", 1000),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_configs_are_those_of_the_previous_project_and_the_paper(name: str) -> None:
    encoder, z, decoder, levels, autoregression, batch, free_bits, max_beta, schedule, rate = TABLE[name]
    config = OURS[name]
    hparams = config.hparams
    assert (hparams["enc_rnn_size"], hparams["z_size"], hparams["dec_rnn_size"]) == (encoder, z, decoder)
    assert config.levels == levels
    if levels:
        assert config.conductor_autoregression is autoregression
    assert (hparams["batch_size"], hparams["free_bits"], hparams["max_beta"]) == (batch, free_bits, max_beta)
    assert (hparams["sampling_schedule"], hparams["sampling_rate"]) == (schedule, rate)


def test_there_are_configs_with_segments_of_a_bar_and_with_sixteen_bars() -> None:
    for name in ("hierdec-drum_4bar_bar", "hierdec-drum_4bar_small", "hierdec-drum_4bar-ar_small"):
        assert OURS[name].levels == (4, 16)
    for name in ("hierdec-drum_4bar", "hierdec-drum_4bar_small_half_bar"):
        assert OURS[name].levels == (8, 8)
    assert OURS["hierdec-drum_4bar_bar"].windows == OURS["hierdec-drum_4bar"].windows
    for name in ("hierdec-drum_16bar", "hierdec-drum_16bar_small", "flat-drum_16bar_small"):
        assert OURS[name].windows.steps == 256
    assert OURS["hierdec-drum_16bar"].levels == (16, 16)
    assert OURS["flat-drum_16bar"].levels == ()
    assert OURS["hierdec-drum_16bar_small"].conductor_autoregression  # without it the posterior collapses


@pytest.mark.parametrize("name", all_configs())
def test_every_config_has_a_source_and_survives_json(name: str) -> None:
    config = all_configs()[name]
    assert config.summary
    assert config.source
    assert from_declaration(json.loads(json.dumps(config.as_declaration()))) == config


def test_levels_that_do_not_make_a_window_are_refused() -> None:
    with pytest.raises(ValueError, match=r"levels .* make 32 steps, its windows have 64"):
        OURS["hierdec-drum_4bar"].replace(levels=(4, 8))


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown hyperparameter 'z_sise'; did you mean 'z_size'"):
        OURS["flat-drum_4bar"].replace(z_sise=3)


def test_replace_changes_fields_and_hyperparameters_and_nothing_else() -> None:
    parent = OURS["flat-drum_4bar"]
    child = parent.replace(name="mine", z_size=3, windows=DrumWindows(slice_bars=2))
    assert (child.name, child.hparams["z_size"], child.hparams["max_seq_len"]) == ("mine", 3, 32)
    assert {**child.hparams, "z_size": 512, "max_seq_len": 64} == parent.hparams
    assert parent.hparams["z_size"] == 512


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"time_signature": (6, 8)}, "whose bar is not 4 quarter notes"),
        ({"time_signature": (3, 3), "quarters_per_bar": 4}, "must be a pair"),
        ({"time_signature": (4,)}, "must be a pair"),
        ({"time_signature": ("4", 4)}, "time_signature"),
    ],
)
def test_a_time_signature_has_the_bars_of_the_windows(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        get_config("hierdec-drum_4bar_small").replace(windows=DrumWindows(**fields))


def test_a_declaration_without_a_time_signature_is_that_of_earlier_versions() -> None:
    default, jig = get_config("hierdec-drum_4bar_small"), get_config("hierdec-drum_4bar-6_8_small")
    assert "time_signature" not in default.as_declaration()["windows"]
    for config in (default, jig):
        assert from_declaration(json.loads(json.dumps(config.as_declaration()))) == config
    assert jig.drum_windows.cutting == get_config("hierdec-drum_4bar-3_4_small").drum_windows.cutting

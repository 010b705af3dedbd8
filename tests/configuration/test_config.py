"""The declarations in configs.py: what the issue's table says, and what cannot be declared."""

import dataclasses
import json

import pytest
from gmd_vae.configuration.config import VaeConfig, checkpoint_bytes, count_parameters, from_dict, training_bytes
from gmd_vae.configuration.drum_windows import DrumWindows
from gmd_vae.configuration.registry import all_configs

OURS = {name: config for name, config in all_configs().items() if isinstance(config, VaeConfig)}


# encoder, z, decoder, levels, conductor autoregression, batch, free bits, max β, schedule, rate
TABLE = {
    "hierdec-drum_4bar": ((512, 512), 512, (256, 256), (8, 8), True, 512, 48, 0.2, "inverse_sigmoid", 1000),
    "hierdec-drum_4bar_v2": ((512, 512), 256, (256, 256), (8, 8), True, 512, 48, 0.2, "inverse_sigmoid", 1000),
    "hierdec-drum_4bar-no_ar": ((512, 512), 512, (256, 256), (8, 8), False, 512, 48, 0.2, "inverse_sigmoid", 1000),
    "hierdec-drum_4bar_paper": ((2048, 2048), 512, (1024, 1024), (8, 8), False, 64, 256, 0.2, "constant", 0),
    "flat-drum_4bar": ((512, 512), 512, (256, 256), (), None, 512, 48, 0.2, "inverse_sigmoid", 1000),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_configs_are_those_of_the_ancestor_and_the_paper(name: str) -> None:
    encoder, z, decoder, levels, autoregression, batch, free_bits, max_beta, schedule, rate = TABLE[name]
    config = OURS[name]
    assert (config.encoder_sizes, config.z_size, config.decoder_sizes) == (encoder, z, decoder)
    assert config.levels == levels
    if levels:
        assert config.conductor_autoregression is autoregression
    assert (config.batch_size, config.free_bits, config.max_beta) == (batch, free_bits, max_beta)
    assert (config.sampling_schedule, config.sampling_rate) == (schedule, rate)


def test_segments_of_a_bar_and_sixteen_bars_are_there() -> None:
    for name in ("hierdec-drum_4bar_bar", "hierdec-drum_4bar_small", "hierdec-drum_4bar-no_ar_small"):
        assert OURS[name].levels == (4, 16)
    for name in ("hierdec-drum_4bar", "hierdec-drum_4bar_small_half_bar"):
        assert OURS[name].levels == (8, 8)
    assert OURS["hierdec-drum_4bar_bar"].windows == OURS["hierdec-drum_4bar"].windows
    for name in ("hierdec-drum_16bar", "hierdec-drum_16bar_small", "flat-drum_16bar_small"):
        assert OURS[name].windows.steps == 256
    assert OURS["hierdec-drum_16bar"].levels == (16, 16)
    assert OURS["flat-drum_16bar"].levels == ()
    assert OURS["hierdec-drum_16bar_small"].conductor_autoregression  # without it the posterior collapses


@pytest.mark.parametrize("name", OURS)
def test_every_config_says_where_it_comes_from_and_survives_json(name: str) -> None:
    config = OURS[name]
    assert config.summary
    assert config.source
    assert from_dict(json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_levels_that_do_not_make_a_window_are_refused() -> None:
    with pytest.raises(ValueError, match=r"levels .* make 32 steps, its windows have 64"):
        dataclasses.replace(OURS["hierdec-drum_4bar"], levels=(4, 8))


def test_a_drum_roll_output_is_refused() -> None:
    with pytest.raises(ValueError, match="categorical"):
        dataclasses.replace(OURS["flat-drum_4bar"], windows=DrumWindows(roll_output=True))


def test_parameters_of_the_ancestors_v2_are_known() -> None:
    config = OURS["hierdec-drum_4bar_v2"]
    assert config.parameters == 13_294_592
    assert checkpoint_bytes(config.parameters) == pytest.approx(160e6, rel=0.01)  # the ancestor's checkpoints


def test_a_larger_model_or_batch_has_more_parameters_and_memory() -> None:
    config = OURS["hierdec-drum_4bar_small"]
    wider = {**config.hparams, "z_size": 128}
    more = {**config.hparams, "batch_size": 128}
    assert count_parameters(config, wider) > config.parameters
    assert count_parameters(config, more) == config.parameters
    assert training_bytes(config, wider) > training_bytes(config, config.hparams)
    assert training_bytes(config, more) > training_bytes(config, config.hparams)


# peak resident memory of `gmd-vae train` in GB, as /usr/bin/time -v showed it on 2 CPU cores
MEASURED = [
    ("hierdec-drum_4bar_small", 64, 1.41),
    ("flat-drum_4bar_small", 64, 1.13),
    ("hierdec-drum_16bar-no_ar_small", 64, 1.81),
    ("hierdec-drum_4bar_v2", 16, 2.50),
    ("hierdec-drum_4bar_v2", 512, 6.69),
]


@pytest.mark.parametrize(("name", "batch_size", "gigabytes"), MEASURED)
def test_the_memory_estimate_is_near_what_was_measured(name: str, batch_size: int, gigabytes: float) -> None:
    config = OURS[name]
    estimate = training_bytes(config, {**config.hparams, "batch_size": batch_size})
    assert estimate / 1e9 == pytest.approx(gigabytes, rel=0.15)

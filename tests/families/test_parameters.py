"""Parameter counts and memory estimates computed from a config.

tests/magenta/test_api.py compares the counts with the variables that Magenta builds.
"""

from __future__ import annotations

from typing import Any

import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.families import family_of
from gmd_vae.families.parameters import checkpoint_bytes, count_parameters

OURS = {name: config for name, config in all_configs().items() if not config.magenta}


def training_bytes(config: Config, hparams: dict[str, Any]) -> int:
    estimate = family_of(config).training_bytes(config, hparams)
    assert estimate is not None
    return estimate


def test_the_parameters_of_v2_are_those_of_the_previous_project() -> None:
    config = OURS["hierdec-drum_4bar_v2"]
    assert count_parameters(config) == 13_294_592
    assert checkpoint_bytes(count_parameters(config)) == pytest.approx(
        160e6, rel=0.01
    )  # the previous project's checkpoints


def test_a_larger_model_or_batch_has_more_parameters_and_memory() -> None:
    config = OURS["hierdec-drum_4bar_small"]
    wider = {**config.hparams, "z_size": 256}
    more = {**config.hparams, "batch_size": 128}
    assert count_parameters(config, wider) > count_parameters(config)
    assert count_parameters(config, more) == count_parameters(config)
    assert training_bytes(config, wider) > training_bytes(config, config.hparams)
    assert training_bytes(config, more) > training_bytes(config, config.hparams)


# peak resident memory of `gmd-vae train` in GB, as /usr/bin/time -v showed it on 2 CPU cores
MEASURED = [
    ("hierdec-drum_4bar-ar_small", 64, 1.41),
    ("flat-drum_4bar_small", 64, 1.13),
    ("hierdec-drum_16bar-no_ar_small", 64, 1.81),
    ("hierdec-drum_4bar_v2", 16, 2.50),
    ("hierdec-drum_4bar_v2", 512, 6.69),
]


@pytest.mark.parametrize(("name", "batch_size", "gigabytes"), MEASURED)
def test_the_memory_estimate_is_near_the_measured_peak(name: str, batch_size: int, gigabytes: float) -> None:
    config = OURS[name]
    estimate = training_bytes(config, {**config.hparams, "batch_size": batch_size})
    assert estimate / 1e9 == pytest.approx(gigabytes, rel=0.15)

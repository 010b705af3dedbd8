"""Options that go together, and the errors for those that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.registry import all_configs
from gmd_vae.configuration.window_specs import CLASS_NAMES
from gmd_vae.evaluation.latent.attributes import attribute_names
from gmd_vae.families import FAMILIES, family_of
from gmd_vae.generation.request import (
    MODES,
    GenerationRequest,
    Move,
    check_attributes,
    check_options,
    default_temperature,
    parse_move,
    window_numbers,
)

FILES = (Path("a.mid"), Path("b.mid"))
ONE = FILES[:1]


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("sample", {}),
        ("sample", {"around": ONE[0], "radius": 0.1, "window": (2,), "same_z": True}),
        ("sample", {"bars": 32, "drift": 0.1, "num_outputs": 2, "join": True}),
        ("sample", {"latents": Path("latents.npz"), "only": 3}),
        ("interpolate", {"input_midi": FILES, "window": (1, 4), "path": "lerp"}),
        ("interpolate", {"input_midi": ONE, "input_seed": (3,)}),
        ("interpolate", {"input_seed": (3, 4, 5)}),
        ("reconstruct", {"input_midi": FILES}),
        ("vary", {"input_seed": (3,), "distance": 4}),
        ("attribute", {"attribute": ("ride=1",)}),
        ("attribute", {"attribute": ("ride=1",), "input_midi": ONE}),
        ("continue", {"input_midi": ONE, "bars": 8, "drift": 0.0}),
    ],
)
def test_options_that_go_together_are_accepted(mode: str, options: dict[str, Any]) -> None:
    check_options(mode, options)
    with pytest.raises(UsageError):  # with options that never go together
        check_options(mode, {**options, "only": 1, "join": True, "velocity": 1, "humanize": True})


@pytest.mark.parametrize(
    ("mode", "options", "said"),
    [
        (
            "sample",
            {"input_midi": ONE},
            "--input-midi goes with --mode interpolate, reconstruct, .*not with sample",
        ),
        ("sample", {"radius": 0.1}, "--radius goes with --around"),
        ("sample", {"drift": 0.1}, "--drift goes with --bars"),
        ("sample", {"distance": 3}, "--distance goes with --mode vary"),
        ("sample", {"window": (1,)}, "Give a file"),
        (
            "sample",
            {"latents": Path("l.npz"), "num_outputs": 4},
            "--latents and --num-outputs both determine",
        ),
        ("sample", {"only": 1, "join": True}, "--only writes one file"),
        ("interpolate", {"input_midi": ONE}, "needs two or more"),
        ("interpolate", {"input_midi": FILES, "num_outputs": 1}, "needs -n 2 or more"),
        ("interpolate", {"input_midi": FILES, "bars": 8}, "--bars goes with --mode sample or continue"),
        ("interpolate", {"input_midi": FILES, "window": (1, 2, 3)}, "3 times for 2 files"),
        ("reconstruct", {}, "needs music"),
        ("reconstruct", {"input_midi": ONE, "num_outputs": 3}, "--num-outputs goes with"),
        ("vary", {"input_midi": FILES}, "takes one beat, not 2"),
        ("vary", {}, "takes one beat, not 0"),
        ("continue", {}, "takes one beat, not 0"),
        ("attribute", {}, "needs an attribute to change"),
        ("attribute", {"attribute": ("ride=1",), "input_seed": (1, 2)}, "takes one beat, not 2"),
    ],
)
def test_options_that_exclude_each_other_are_refused(mode: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        check_options(mode, options)
    assert refused.value.next_action


@pytest.mark.parametrize("name", FAMILIES)
def test_families_name_modes_and_options_that_exist(name: str) -> None:
    config = next(config for config in all_configs().values() if config.family == name)
    family = family_of(config)
    assert set(family.unsupported_modes) < set(MODES)
    assert set(family.playing_options) <= {"velocity", "swing", "humanize", "quantize"}


def test_new_music_is_drawn_and_versions_of_an_input_are_the_likeliest() -> None:
    drawing = {mode for mode in MODES if default_temperature(mode, 0.3)}
    assert drawing == {"sample", "interpolate", "continue"}
    assert {default_temperature(mode, 0.3) for mode in drawing} == {0.3}


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("ride=+1.0", Move("ride", 0, 1)),
        ("ride=-1:1", Move("ride", -1, 1)),
        ("Closed Hi-Hat=-0.5", Move("closed-hi-hat", 0, -0.5)),
        ("low_tom=2:0", Move("low-tom", 2, 0)),
    ],
)
def test_a_move_is_read(text: str, move: Move) -> None:
    assert parse_move(text) == move


@pytest.mark.parametrize(
    "text", ["", "ride", "ride=", "=1", "ride=much", "ride=1:2:3", "ride=nan", "ride=0:inf", "ride=1e300", "ride=-101"]
)
def test_a_malformed_move_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"NAME=AMOUNT, such as ride=\+1\.0"):
        parse_move(text)


def test_attributes_get_their_own_names_and_unknown_ones_the_nearest() -> None:
    names = attribute_names(CLASS_NAMES)
    assert check_attributes([parse_move("closed-hi-hat=1")], names)[0].attribute == "closed hi-hat"
    with pytest.raises(UsageError, match=r"no attribute 'sware'. Did you mean 'snare'"):
        check_attributes([parse_move("sware=1")], names)
    with pytest.raises(UsageError, match="given twice"):
        check_attributes([parse_move("ride=1"), parse_move("ride=2")], names)


def test_a_window_is_for_all_files_or_for_each() -> None:
    assert window_numbers((), FILES) == [None, None]
    assert window_numbers((3,), FILES) == [3, 3]
    assert window_numbers((3, 4), FILES) == [3, 4]


def test_the_manifest_has_the_settings_of_the_mode_and_keeps_zeros() -> None:
    described = GenerationRequest(mode="vary", seed=0, temperature=0.0).describe()
    assert described == {"mode": "vary", "count": 8, "temperature": 0.0, "seed": 0, "distance": 8}
    assert "count" not in GenerationRequest(mode="reconstruct").describe()
    moves = GenerationRequest(mode="attribute", moves=(Move("ride", 0, 1),)).describe()["moves"]
    assert moves == ({"attribute": "ride", "start": 0, "end": 1},)


def test_only_one_of_the_files_that_there_are() -> None:
    assert GenerationRequest().numbers(5) == range(5)
    assert GenerationRequest(only=4).numbers(5) == range(4, 5)
    with pytest.raises(UsageError, match="no file 5: they are numbered from 0 to 4"):
        GenerationRequest(only=5).numbers(5)

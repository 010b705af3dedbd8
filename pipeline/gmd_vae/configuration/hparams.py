"""Parses and checks ``--hparams name=value,...`` before TensorFlow starts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import HPARAM_DEFAULTS, Config
from gmd_vae.configuration.limits import MOST_LAYERS, check_hparams, shortened
from gmd_vae.configuration.own_hparams import OWN_HPARAMS, check_levers
from gmd_vae.configuration.usual_names import hint_for

# commas outside of brackets, for example in enc_rnn_size=[128,128],z_size=64
_COMMA = re.compile(r",(?![^\[]*\])")


def resolve(config: Config, overrides: str) -> dict[str, Any]:
    """Returns all hyperparameters of a config with the user's overrides.

    Args:
        config: The config.
        overrides: Pairs ``name=value`` separated by commas, lists in brackets, as in Magenta.

    Raises:
        UsageError: A name is unknown (the message has the nearest one), a value has the wrong type, or values do not
            fit each other or the config.
    """
    hparams = dict(config.hparams)
    examples = {**HPARAM_DEFAULTS, **OWN_HPARAMS}
    parts = [part.strip() for part in _COMMA.split(overrides) if part.strip()]
    for index, part in enumerate(parts):
        name, equals, text = (piece.strip() for piece in part.partition("="))
        if not equals:
            action = _as_list(parts, index) or "Write --hparams name=value,name=value."
            raise UsageError(f"Hyperparameter {shortened(part)} has no value", action)
        if name not in hparams:
            raise UsageError(
                f"Unknown hyperparameter {shortened(name)}",
                f"{hint_for(name, hparams)} 'gmd-vae configs {config.name}' shows them all.",
            )
        hparams[name] = _parse(name, text, examples.get(name, hparams[name]))
    _check(config, hparams)
    return hparams


def changed(config: Config, hparams: dict[str, Any]) -> dict[str, Any]:
    """Returns the hyperparameters that differ from the config's own."""
    return {name: value for name, value in hparams.items() if value != config.hparams[name]}


def as_typed(values: Mapping[str, Any]) -> list[str]:
    """Returns hyperparameters as ``--hparams`` takes them, joined by commas; for example ``dec_rnn_size=[16,16]``."""
    return [f"{name}={str(value).replace(' ', '')}" for name, value in values.items()]


def _as_list(parts: list[str], index: int) -> str:
    """Returns a sentence with the list that ``enc_rnn_size=256,256`` means; empty if a part is no further size.

    Args:
        parts: The parts between commas.
        index: Index of the part without a name.
    """
    name, _, first = parts[index - 1].partition("=") if index else ("", "", "")
    sizes = [first, *itertools.takewhile(str.isdecimal, parts[index : index + MOST_LAYERS])]
    if not isinstance(HPARAM_DEFAULTS.get(name), list) or not first.isdecimal() or len(sizes) == 1:
        return ""
    return f"Write a list in brackets: {name}=[{','.join(sizes)}]."


def _parse(name: str, text: str, example: Any) -> Any:
    """Returns the value in the type of ``example``."""
    kind = type(example)
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if kind is list:
            return [int(item) for item in text.strip("[]").split(",")]
        return kind(text)
    except (KeyError, ValueError):
        expected = {bool: "true or false", list: "whole numbers in brackets, like [128,128]", int: "a whole number"}
        raise UsageError(
            f"Hyperparameter '{name}' cannot be {shortened(text)}", f"It takes {expected.get(kind, 'a number')}."
        ) from None


def _check(config: Config, hparams: dict[str, Any]) -> None:
    """Checks types and ranges, and that the hyperparameters fit each other and the config."""
    try:
        check_hparams(hparams)
    except ValueError as error:
        raise UsageError(f"Hyperparameter {error}", "Give it another value.") from None
    try:
        check_levers(config, hparams)
    except ValueError as error:
        raise UsageError(f"Hyperparameter {error}", "Leave it out: it is off by default.") from None
    lowest, highest = hparams["min_learning_rate"], hparams["learning_rate"]
    if lowest > highest:
        raise UsageError(
            f"min_learning_rate={lowest:g} is above learning_rate={highest:g}, so the learning rate would rise",
            f"Give a min_learning_rate of at most {highest:g}.",
        )
    if hparams["max_seq_len"] != config.windows.steps:
        raise UsageError(
            f"max_seq_len={hparams['max_seq_len']} does not fit config '{config.name}', "
            f"whose windows have {config.windows.steps} steps",
            "Choose a config with other windows, or write your own (see configs.py).",
        )

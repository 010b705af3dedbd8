"""Configs by name: those of ``configs.py``, the user's own, and Magenta's 23. Without TensorFlow."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from gmd_vae.common.errors import UsageError, nearest
from gmd_vae.common.home import user_path
from gmd_vae.common.regular_files import read_regular
from gmd_vae.configuration.config import Config, from_declaration
from gmd_vae.configuration.limits import check_hparams, shortened
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.own_hparams import check_levers, complete
from gmd_vae.families import family_of

BUILT_IN = Path(__file__).parent.parent / "configs.py"  # a link to the one at the top level of the checkout
VARIABLE = "GMD_VAE_CONFIGS"  # environment variable with the path of a user's own configs; as option --configs
DEFAULT_CONFIG = "hierdec-drum_4bar_small"
_NEXT_ACTION = "A config file defines CONFIGS, a list of configs; see configs.py."
_LARGEST_FILE = 4 << 20  # bytes


def all_configs(own_file: Path | None = None) -> dict[str, Config]:
    """Returns every config by name, in display order: built-in, the user's own, Magenta's.

    Args:
        own_file: Python file that defines ``CONFIGS``, a list of configs; by default the one that
            ``GMD_VAE_CONFIGS`` names, if any.

    Raises:
        UsageError: The file is missing, is not Python, or defines no such list; or it gives the name of a built-in
            config or one of Magenta's to another one.
    """
    configs = {config.name: config for config in _load(BUILT_IN)}
    own = own_file or (user_path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    for config in [] if own is None else _load(own):
        if configs.setdefault(config.name, config).without_texts() != config.without_texts():
            raise UsageError(
                f"'{own}' has other values for the config '{config.name}', which is built in", "Choose another name."
            )
    for stock in MAGENTA_CONFIGS:
        if stock.name in configs:
            raise UsageError(
                f"'{own or BUILT_IN}' names a config '{stock.name}', which is one of Magenta's", "Choose another name."
            )
        configs[stock.name] = stock
    return configs


def get_config(name: str, own_file: Path | None = None) -> Config:
    """Returns a config by its name.

    Args:
        name: Name of the config.
        own_file: Python file with the user's configs, as for ``all_configs``.

    Raises:
        UsageError: There is no config of that name; the message has the nearest names.
    """
    configs = all_configs(own_file)
    if name not in configs:
        own = "" if own_file else " Configs of your own need --configs FILE."
        raise UsageError(
            f"Unknown config '{name}'", f"{nearest(name, list(configs))} 'gmd-vae configs' lists them all.{own}"
        )
    return configs[name]


def declaration_of(config: Config) -> dict[str, Any] | None:
    """Returns all fields of a config of ours as plain data; ``None`` for Magenta's, whose name is enough."""
    return None if config.is_magentas else config.as_declaration()


def config_of_declaration(name: str, declaration: dict[str, Any] | None) -> Config:
    """Returns the config that a ``run.json`` declares, whatever the registry holds now.

    Run folders of version 0.8 and before declare a drum config (``encoder_sizes``, ...) or one of Magenta's at other
    sizes (``sized_from``); they are read too.

    Args:
        name: The config's name.
        declaration: ``declaration_of`` the config, after JSON.

    Raises:
        UsageError: There is no config or no family of that name.
        ValueError: The fields are not those of a config; the text names one that does not fit.
    """
    if declaration is None:
        return get_config(name)
    try:
        if "encoder_sizes" in declaration:
            config = _drums_of_0_8(declaration)
        elif "sized_from" in declaration:
            texts = {field: declaration[field] for field in ("name", "summary", "source", "num_steps")}
            hparams = {field: value for field, value in declaration["changed"].items() if field != "max_seq_len"}
            config = get_config(declaration["sized_from"]).replace(**texts, **hparams)
        else:
            config = from_declaration(declaration)
    except KeyError as error:
        raise ValueError(f"the declaration has no field '{error.args[0]}'") from None
    except (AttributeError, TypeError):
        raise ValueError("the declaration is not that of a config") from None
    family_of(config).check(config)
    return config


def config_of_model(
    name: str, declaration: dict[str, Any] | None, hparams: dict[str, Any]
) -> tuple[Config, dict[str, Any]]:
    """Returns config and hyperparameters of a trained model, after a check that they fit each other.

    Args:
        name: The config's name.
        declaration: ``declaration_of`` the config, after JSON.
        hparams: All hyperparameters of the model. Levers may be absent: earlier versions did not have them.

    Returns:
        The config; and all hyperparameters, absent levers off.

    Raises:
        UsageError: There is no config or no family of that name.
        ValueError: Something does not fit; the text names it.
    """
    config = config_of_declaration(name, declaration)
    if config.name != name:
        raise ValueError(f"field 'declaration.name' is '{config.name}', and 'config' is {shortened(name)}")
    hparams = complete(hparams)
    if missing := [key for key in config.hparams if key not in hparams]:
        raise ValueError(f"it has no field 'hparams.{missing[0]}'")
    if unknown := [key for key in hparams if key not in config.hparams]:
        raise ValueError(f"unknown hyperparameter {shortened(unknown[0])}")
    check_hparams(hparams)
    check_levers(config, hparams)
    if hparams["max_seq_len"] != config.windows.steps:
        raise ValueError(f"max_seq_len is {hparams['max_seq_len']}, and its windows have {config.windows.steps} steps")
    return config, hparams


def _drums_of_0_8(declaration: dict[str, Any]) -> Config:
    """Returns the drum config that version 0.8 or before declared."""
    fields = dict(declaration)
    kept = ("name", "summary", "source", "windows", "levels", "conductor_autoregression", "num_steps")
    own = {name: fields.pop(name) for name in kept}
    fields["enc_rnn_size"], fields["dec_rnn_size"] = fields.pop("encoder_sizes"), fields.pop("decoder_sizes")
    return from_declaration({**own, "family": "drum-labels", "hparams": fields})


def _load(path: Path) -> list[Config]:
    """Runs a config file and returns its configs, checked by their families."""
    configs = _configs_of(path)
    for config in configs:
        try:
            family_of(config).check(config)
            check_levers(config, config.hparams)
        except (ValueError, UsageError) as error:
            raise UsageError(f"Config file '{path}': {str(error).removesuffix('.')}", _NEXT_ACTION) from None
    names = [config.name for config in configs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Config file '{path}' defines '{name}' twice", "Give each config its own name.")
    return configs


def _configs_of(path: Path) -> list[Config]:
    """Runs a config file, and returns its list of configs.

    The file is Python and may do anything. What it prints goes to stderr, since stdout holds results such as JSON.

    Raises:
        UsageError: The file is missing, raises an error, ends the program, or has no such list.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            content = vars(importlib.import_module("gmd_vae.configs")) if path == BUILT_IN else _run(path)
            configs = content.get("CONFIGS")
            if isinstance(configs, (list, tuple)) and all(isinstance(config, Config) for config in configs):
                return list(configs)
    except (UsageError, KeyboardInterrupt):
        raise
    except BaseException as error:  # whatever a user's file may raise; SystemExit would end the command with its status
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else None)
        place = f", line {line}" if line else ""
        raise UsageError(f"Config file '{path}'{place}: {_described(error)}", _NEXT_ACTION) from None
    raise UsageError(f"Config file '{path}' does not define CONFIGS as a list of configs", _NEXT_ACTION)


def _run(path: Path) -> dict[str, Any]:
    """Runs a user's config file, and returns its global names. Writes no bytecode beside it."""
    if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
        raise UsageError(f"Config file '{path}' is missing, is no file, or is larger than 4 MiB", _NEXT_ACTION)
    module = ModuleType("gmd_vae_own_configs")
    module.__file__ = str(path)
    exec(compile(read_regular(path, _LARGEST_FILE), str(path), "exec", dont_inherit=True), vars(module))
    return vars(module)


def _described(error: BaseException) -> str:
    """Returns the type and text of an error of a user's file."""
    if isinstance(error, SystemExit):
        return "it ends the program (sys.exit), and it may only define configs"
    try:
        return ": ".join(filter(None, (type(error).__name__, str(error))))
    except Exception:  # an exception class of the user's own, which cannot be written as text
        return type(error).__name__

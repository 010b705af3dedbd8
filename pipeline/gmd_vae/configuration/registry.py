"""Configs by name: the ones in ``configs.py``, the user's own, and Magenta's 23. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from gmd_vae.common.errors import GmdVaeError, UsageError, nearest
from gmd_vae.configuration.config import VaeConfig, from_dict
from gmd_vae.configuration.drum_windows import DrumWindows
from gmd_vae.configuration.magenta_table import STOCK_CONFIGS, StockConfig, at_other_sizes

Config: TypeAlias = VaeConfig | StockConfig

BUILT_IN = Path(__file__).parent.parent / "configs.py"  # a link to the one at the top level of the checkout
VARIABLE = "GMD_VAE_CONFIGS"  # a registry of the user's own; the option --configs sets the same
DEFAULT_CONFIG = "hierdec-drum_4bar_small"


def all_configs(own_file: Path | None = None) -> dict[str, Config]:
    """Every config by name, in the order to show them: built-in, the user's own, Magenta's.

    Args:
        own_file: a Python file that defines ``CONFIGS``, a list of configs; by default the
            one that ``GMD_VAE_CONFIGS`` names, if any. Its configs win over built-in ones of the
            same name.

    Raises:
        UsageError: the file is missing, is not Python, or defines no such list.
    """
    files = [BUILT_IN]
    own = own_file or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if own is not None:
        files.append(own)
    found: dict[str, Config] = {}
    for file in files:
        found.update({config.name: config for config in _load(file)})
    for stock in STOCK_CONFIGS:
        if stock.name in found:
            raise UsageError(
                f"'{own or BUILT_IN}' names a config '{stock.name}', which is one of Magenta's", "Choose another name."
            )
        found[stock.name] = stock
    return found


def get_config(name: str, own_file: Path | None = None) -> Config:
    """The config of that name.

    Raises:
        UsageError: there is none; answers with the nearest names.
    """
    configs = all_configs(own_file)
    if name not in configs:
        raise UsageError(
            f"Unknown config '{name}'", f"{nearest(name, list(configs))} 'gmd-vae configs' lists them all."
        )
    return configs[name]


def writes_labels(config: Config) -> bool:
    """Whether a config's decoder writes one drum label a step."""
    return config.windows is not None and not config.windows.roll_output


def plays_drums(config: Config) -> bool:
    """Whether all that a config makes is drums."""
    return isinstance(config, VaeConfig) or config.needs == "drums"


def label_windows(config: Config) -> DrumWindows:
    """The windows of a config that `writes_labels`.

    Raises:
        GmdVaeError: it writes something else.
    """
    if config.windows is None or not writes_labels(config):
        raise GmdVaeError(
            f"Config '{config.name}' does not write one drum label a step",
            "This needs a drum config with a categorical output; 'gmd-vae configs' lists them.",
        )
    return config.windows


def declaration_of(config: Config) -> dict[str, Any] | None:
    """All of a config of ours as plain data, for ``from_declaration``; ``None`` for Magenta's, whose name is enough."""
    return dataclasses.asdict(config) if isinstance(config, VaeConfig) or config.sized_from else None


def from_declaration(name: str, declaration: dict[str, Any] | None) -> Config:
    """The config whose declaration went through JSON, whatever the registry says now.

    Raises:
        UsageError: there is none of Magenta's of that name.
        TypeError, ValueError, KeyError: the fields are not those of a config.
    """
    if declaration is None:
        return get_config(name)
    if "sized_from" not in declaration:
        return from_dict(declaration)
    return at_other_sizes(
        declaration["sized_from"],
        **{field: declaration[field] for field in ("name", "summary", "source", "parameters", "num_steps")},
        **declaration["changed"],
    )


def _load(path: Path) -> list[Config]:
    next_action = "A config file defines CONFIGS, a list of configs; see configs.py."
    spec = importlib.util.spec_from_file_location(f"gmd_vae_configs_{abs(hash(path))}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise UsageError(f"Config file '{path}' is missing or is not a Python file", next_action)
    module: ModuleType = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file may raise
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else "?")
        raise UsageError(f"Config file '{path}', line {line}: {type(error).__name__}: {error}", next_action) from None
    configs = getattr(module, "CONFIGS", None)
    if not isinstance(configs, (list, tuple)) or not all(
        isinstance(config, (VaeConfig, StockConfig)) for config in configs
    ):
        raise UsageError(f"Config file '{path}' does not define CONFIGS as a list of configs", next_action)
    names = [config.name for config in configs]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Config file '{path}' defines '{name}' twice", "Give each config its own name.")
    return list(configs)

"""Imports TensorFlow and Magenta for the whole package, and builds Magenta configs.

The import starts TensorFlow, which takes seconds, so only commands that need it import this module, after they have
parsed their arguments. It must be the first import of TensorFlow in a process: Magenta needs Keras 2, and TensorFlow
selects the Keras version once, at import.
"""

from __future__ import annotations

import copy
import logging
import os
import sys
import warnings
from typing import Any

from gmd_vae.common import extras
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.own_hparams import magentas
from gmd_vae.configuration.registry import all_configs
from gmd_vae.families import family_of
from gmd_vae.magenta import patches
from gmd_vae.magenta.lazy_imports import without_garbage_collection, without_unused_packages
from gmd_vae.magenta.quiet_start import filtered_stderr

if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
    raise RuntimeError("gmd_vae.magenta.api must be imported before tensorflow")
extras.require("This")
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only; 0 shows everything

try:
    with (
        filtered_stderr(),
        warnings.catch_warnings(),
        without_unused_packages(),
        without_garbage_collection(),
    ):
        # warnings of third-party imports: pydub looks for ffmpeg, old syntax on new Pythons
        warnings.simplefilter("ignore")
        import tensorflow.compat.v1 as tf

        tf.logging.set_verbosity(tf.logging.ERROR)
        logging.getLogger("absl").setLevel(logging.ERROR)
        from magenta.contrib import training as contrib_training
        from magenta.models.music_vae import (
            base_model,
            configs,
            data,
            data_hierarchical,
            lstm_models,
            lstm_utils,
            trained_model,
        )

        # names of the GPUs that TensorFlow uses; empty without one
        gpus = [device.name for device in tf.config.list_physical_devices("GPU")]
        if not gpus:
            # the first int64 transpose reports once, as an error, that oneDNN does not compute it: do it here
            with tf.Graph().as_default(), tf.Session() as _session:
                _session.run(tf.transpose(tf.placeholder_with_default(tf.zeros([1, 2], tf.int64), [1, 2])))
except ImportError as error:
    raise GmdVaeError(
        f"Magenta or TensorFlow cannot be imported ({error})",
        f"'gmd-vae doctor' shows what is missing; '{extras.install_training()}' installs everything.",
    ) from error

# Magenta builds its layers with functions that TensorFlow reports as deprecated
warnings.filterwarnings("ignore", category=UserWarning, module=r"magenta\.")
tf.disable_v2_behavior()  # Magenta builds graphs; all of its own scripts start with this call
patches.repair(
    configs=configs,
    data=data,
    data_hierarchical=data_hierarchical,
    lstm_utils=lstm_utils,
    trained_model=trained_model,
)

__all__ = [
    "base_model",
    "build_config",
    "configs",
    "data",
    "data_hierarchical",
    "gpus",
    "lstm_models",
    "lstm_utils",
    "magenta_hparams",
    "register",
    "tf",
    "trained_model",
]


def build_config(config: Config, hparams: dict[str, Any] | None = None) -> configs.Config:
    """Builds Magenta's ``Config`` of a config, with every hyperparameter of Magenta's set.

    The result is always a fresh copy. Magenta's models, converters and hyperparameters are mutated by training and
    sampling (``set_mode``, ``get_sampling_probability``), and some of Magenta's configs share them.

    Args:
        config: A config from ``gmd_vae.configuration.registry``.
        hparams: All hyperparameters; by default those of the config.

    Raises:
        GmdVaeError: The installed Magenta has no config of this name.
    """
    register(config)
    if config.name not in configs.CONFIG_MAP:
        raise GmdVaeError(f"The installed magenta has no config '{config.name}'", "Run 'gmd-vae doctor'.")
    built = copy.deepcopy(configs.CONFIG_MAP[config.name])
    # a new HParams object: set_hparam rejects a float where the value before was an int
    built = built._replace(hparams=magenta_hparams(hparams or config.hparams))
    # by default Magenta keeps 5 random windows of each file
    built.data_converter.max_tensors_per_notesequence = None
    return built


def register(config: Config) -> None:
    """Adds one of our configs to the ``CONFIG_MAP`` that Magenta's scripts read. Magenta's own configs do not change.

    Importing this module registers every config of ``configs.py`` and of the user's own file.

    Args:
        config: The config. Its model is built by its family, or copied from the config of Magenta that it names.

    Raises:
        KeyError: The installed Magenta has no config with the name in ``config.magenta``.
    """
    if config.is_magentas:
        return
    if config.magenta:
        copied = copy.deepcopy(configs.CONFIG_MAP[config.magenta])
        configs.CONFIG_MAP[config.name] = copied._replace(hparams=magenta_hparams(config.hparams))
    else:
        configs.CONFIG_MAP[config.name] = family_of(config).build(config)


def magenta_hparams(values: dict[str, Any]) -> Any:
    """Returns Magenta's ``HParams``, without our levers.

    It has copies of the values, since it keeps the lists that it gets.
    """
    return contrib_training.HParams(**copy.deepcopy(magentas(values)))


for _config in all_configs().values():
    register(_config)

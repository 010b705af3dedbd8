"""The one door to Magenta's model code and to TensorFlow's legacy layers.

Importing this module starts TensorFlow (seconds), so only the commands that need it do. It must be
the first to import TensorFlow: Magenta needs Keras 2, which TensorFlow chooses once, at import.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.families import family_of
from gmd_vae.magenta import patches
from gmd_vae.magenta.lazy_imports import without_garbage_collection, without_needless_packages

if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
    raise RuntimeError("gmd_vae.magenta.api must be imported before tensorflow")
os.environ["TF_USE_LEGACY_KERAS"] = "1"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only; set it to 0 to see everything

_GPU_DRIVER = any(Path(device).exists() for device in ("/dev/nvidiactl", "/dev/dxg"))


@contextlib.contextmanager
def _without_start_up_noise() -> Iterator[None]:
    """Holds back what TensorFlow's C++ writes to stderr while it starts, then shows what matters.

    Its first notes (oneDNN, "Could not find cuda drivers") ignore TF_CPP_MIN_LOG_LEVEL, and on a
    machine without an NVIDIA driver it reports the missing driver as an error. Users cannot act on
    any of them; `gmd-vae doctor` shows the devices. Everything else is printed, only later.
    """
    if os.environ["TF_CPP_MIN_LOG_LEVEL"] == "0":
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        original = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines(keepends=True):
                note = re.match(r"[IW]\d{4} |WARNING: All log messages before absl", line)
                no_driver = "failed call to cuInit" in line and not _GPU_DRIVER
                no_error = "oneDNN supports DT_INT64 only" in line
                if not note and not no_driver and not no_error:
                    sys.stderr.write(line)


try:
    with (
        _without_start_up_noise(),
        warnings.catch_warnings(),
        without_needless_packages(),
        without_garbage_collection(),
    ):
        # third parties, while they load: pydub misses ffmpeg, older syntax on newer Pythons
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

        gpus = [device.name for device in tf.config.list_physical_devices("GPU")]
        if not gpus:
            # the first transposed int64 reports as an error, once, that oneDNN leaves it to Eigen
            with tf.Graph().as_default(), tf.Session() as _session:
                _session.run(tf.transpose(tf.placeholder_with_default(tf.zeros([1, 2], tf.int64), [1, 2])))
except ImportError as error:
    raise GmdVaeError(
        f"Magenta or TensorFlow cannot be imported ({error})",
        "Run 'make setup', or 'gmd-vae doctor' to see what is missing.",
    ) from error

# Magenta builds its layers with functions that TensorFlow would like replaced
warnings.filterwarnings("ignore", category=UserWarning, module=r"magenta\.")
tf.disable_v2_behavior()  # Magenta builds graphs; all of its own scripts start with this
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
    """Magenta's ``Config`` for one of ours or one of Magenta's own, with every hyperparameter set.

    Always a fresh copy: Magenta's models, converters and hyperparameters are mutated by training
    and sampling (``set_mode``, ``get_sampling_probability``), and some stock configs share them.

    Args:
        config: from ``gmd_vae.configuration.registry``.
        hparams: every hyperparameter by Magenta's name; by default the config's own.
    """
    register(config)
    if config.name not in configs.CONFIG_MAP:
        raise GmdVaeError(f"The installed magenta has no config '{config.name}'", "Run 'gmd-vae doctor'.")
    built = copy.deepcopy(configs.CONFIG_MAP[config.name])
    # a new object rather than set_hparam, which knows a number only as an int if it was one before
    built = built._replace(hparams=magenta_hparams(hparams or config.hparams))
    # Magenta keeps 5 windows a file unless told otherwise, drawn at random once
    built.data_converter.max_tensors_per_notesequence = None
    return built


def register(config: Config) -> None:
    """Puts a config of ours into the ``CONFIG_MAP`` that Magenta's own scripts read; Magenta's stay as they are.

    Importing this module does so for every config in ``configs.py`` and in the user's own file.
    """
    if config.is_magentas:
        return
    if config.magenta:
        theirs = configs.CONFIG_MAP[config.magenta]
        configs.CONFIG_MAP[config.name] = copy.deepcopy(theirs)._replace(hparams=magenta_hparams(config.hparams))
    else:
        configs.CONFIG_MAP[config.name] = family_of(config).build(config)


def magenta_hparams(values: dict[str, Any]) -> Any:
    """Returns Magenta's ``HParams`` with copies of the values, since it keeps the lists that it gets."""
    return contrib_training.HParams(**copy.deepcopy(values))


for _config in all_configs().values():
    register(_config)

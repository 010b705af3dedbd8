"""A model as the folder that ``MusicVAE`` of ``@magenta/music`` opens, in browsers and in Node.

``config.json`` describes the music, ``weights_manifest.json`` the weights, which are float32 in shards. Source:
``tf.io.loadWeights`` of TensorFlow.js 2, and ``esm/music_vae/model.js`` of ``@magenta/music`` 1.23.1. Both use
TensorFlow's own names and layouts of variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.manifest import write_json
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.export.magentajs_support import check_playable, has_encoder
from gmd_vae.families import family_of
from gmd_vae.models.model_file import DType, ModelFile

Variables = Mapping[str, npt.NDArray[np.float32]]

SHARD_BYTES = 4 << 20  # as TensorFlow.js's own converter: browsers keep files of up to this size in their cache
_LSTM = "encoder/{level}/bidirectional_rnn/{direction}/multi_rnn_cell/cell_0/lstm_cell"


def write(model: ModelFile, target: Path, dtype: DType) -> None:
    """Writes a model.

    Args:
        model: The model.
        target: Empty folder.
        dtype: Always fp32.

    Raises:
        UsageError: Magenta.js does not compute such models; the message has the nearest config that it plays.
    """
    check(model.config, model.hparams)
    write_json(target / "config.json", {"type": "MusicVAE", **family_of(model.config).magentajs_spec(model.config)})
    weights = _weights(model.config, model.hparams, model.variables)
    data = b"".join(array.astype("<f4").tobytes() for array in weights.values())
    shards = [data[start : start + SHARD_BYTES] for start in range(0, len(data), SHARD_BYTES)]
    paths = [f"group1-shard{number}of{len(shards)}" for number in range(1, len(shards) + 1)]
    for path, shard in zip(paths, shards, strict=True):
        (target / path).write_bytes(shard)
    entries = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in weights.items()]
    write_json(target / "weights_manifest.json", [{"paths": paths, "weights": entries}])


def check(config: Config, hparams: Mapping[str, Any]) -> None:
    """Checks that Magenta.js computes a model; raises as ``write``."""
    check_playable(config, hparams, all_configs().values())


def _weights(config: Config, hparams: Mapping[str, Any], variables: Variables) -> dict[str, npt.NDArray[np.float32]]:
    """Returns the variables that Magenta.js reads, sorted by name; it takes posterior means, and no deviations."""
    kept = {name: array for name, array in variables.items() if not name.startswith("encoder/sigma/")}
    if not has_encoder(config, hparams):
        kept = {name: array for name, array in kept.items() if not name.startswith("encoder/")}
        kept |= _stand_ins(config, hparams)
    return dict(sorted(kept.items()))


def _stand_ins(config: Config, hparams: Mapping[str, Any]) -> dict[str, npt.NDArray[np.float32]]:
    """Returns variables in the place of an encoder that Magenta.js cannot compute, and without which it opens no model.

    Their shapes fit no input, so that ``encode`` raises an error instead of returning a wrong latent vector.
    """
    levels = ("hierarchical_level_0/cell_0", "hierarchical_level_1/cell_0") if config.levels else ("cell_0",)
    layers = [_LSTM.format(level=level, direction=direction) for level in levels for direction in ("fw", "bw")]
    kernels = {f"{layer}/kernel": (1, 4) for layer in layers} | {"encoder/mu/kernel": (1, hparams["z_size"])}
    biases = {f"{layer}/bias": (4,) for layer in layers} | {"encoder/mu/bias": (hparams["z_size"],)}
    return {name: np.zeros(shape, np.float32) for name, shape in {**kernels, **biases}.items()}

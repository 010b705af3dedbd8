"""Model files as checkpoints: the initial weights of a training are those of the exported checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixtures.models import random_model
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256
from gmd_vae.export.write import export_model
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.checkpoint_variables import read_model_variables
from gmd_vae.models.checkpoints import files_of, find
from gmd_vae.models.model_checkpoint import find_weights, open_weights
from gmd_vae.models.model_file import read_model, write_model


def contents(prefix: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files_of(prefix)}


def test_a_model_of_the_package_gives_the_weights_of_its_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = read_model(bundled_models()[DEFAULT])
    export_model(model, "magenta", tmp_path / DEFAULT, "fp32", [])  # a folder of that name does not hide it
    path, digest = find_weights(DEFAULT)
    assert (path, digest) == (Path(DEFAULT), sha256(bundled_models()[DEFAULT]))
    with open_weights(path) as prefix:
        assert contents(prefix) == contents(find(tmp_path / DEFAULT))
        assert not prefix.is_relative_to(tmp_path)
        variables = read_model_variables(prefix, variable_shapes(model.config, model.hparams))
        for name, values in model.variables.items():
            np.testing.assert_array_equal(variables[name], values)
    assert not prefix.parent.exists()
    folder, other = find_weights(f"./{DEFAULT}")
    assert (folder, other == digest) == (find(Path(DEFAULT)), False)
    with open_weights(folder) as prefix:
        assert prefix == folder


def test_a_model_file_is_taken_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    write_model(path, random_model(step=7))
    assert find_weights(str(path)) == (path, sha256(path))
    with open_weights(path) as prefix:
        assert prefix.name == "model.ckpt-7"
        assert len(contents(prefix)) == 2
    with pytest.raises(GmdVaeError) as caught, open_weights(path) as prefix:
        raise GmdVaeError(f"'{prefix}' does not fit")
    assert str(caught.value) == f"'{path}' does not fit."


def test_a_damaged_or_missing_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    with pytest.raises(GmdVaeError, match="mine"):
        find_weights(str(path))
    path.write_bytes(b"12345678 no model")
    with pytest.raises(GmdVaeError, match=r"mine\.safetensors"):
        find_weights(str(path))

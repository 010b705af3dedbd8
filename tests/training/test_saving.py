"""best/ is complete at every moment; partial files of killed runs are removed."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.models import checkpoints
from gmd_vae.models.checkpoint_variables import read_variables
from gmd_vae.models.model_file import read_model
from gmd_vae.training.history import Validation
from gmd_vae.training.run.folder import Run, open_run

pytestmark = pytest.mark.tensorflow


def validation(step: int) -> Validation:
    return Validation(step, 8, -100.0 + step, 90.0, 10.0, 0.0, 0.5)


def checkpoint_at(step: int, tiny_run: Path, folder: Path) -> Path:
    for piece in checkpoints.files_of(tiny_run / "train" / "model.ckpt-3"):
        shutil.copy(piece, folder / piece.name.replace("-3.", f"-{step}."))
    return folder / f"model.ckpt-{step}"


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Run:
    """A run in an empty folder, with the config of the tiny run."""
    return dataclasses.replace(open_run(tiny_run), folder=tmp_path)


def test_the_best_replaces_the_one_before(run: Run, tiny_run: Path, tmp_path: Path) -> None:
    from gmd_vae.training.saving import keep_best

    best = tmp_path / "best"
    for step in (5, 9):
        prefix = checkpoint_at(step, tiny_run, tmp_path)
        keep_best(run, prefix, validation(step))
        model = read_model(best / "model.safetensors")
        figures = dataclasses.asdict(validation(step))
        assert (model.step, {**(model.card.validation or {}), "objective": None, "best_by": "elbo"}) == (step, figures)
        assert model.checkpoint.keys() == {piece.name for piece in checkpoints.files_of(prefix)}
        for name, values in read_variables(prefix).items():
            np.testing.assert_array_equal(model.variables[name], values)
        assert checkpoints.complete(best) == [best / f"model.ckpt-{step}"]
        assert json.loads((best / "validation.json").read_text())["elbo"] == -100.0 + step
        for piece in checkpoints.files_of(prefix):
            assert (best / piece.name).read_bytes() == piece.read_bytes()
            piece.unlink()  # as the saver does later
    assert checkpoints.find(best).name == "model.ckpt-9"


def test_a_copy_that_fails_leaves_the_old_best_whole(
    run: Run, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gmd_vae.training import saving

    best = tmp_path / "best"
    saving.keep_best(run, checkpoint_at(5, tiny_run, tmp_path), validation(5))
    better = checkpoint_at(9, tiny_run, tmp_path)
    monkeypatch.setattr(saving.os, "link", _no_links)
    monkeypatch.setattr(saving.shutil, "copyfile", _full)
    with pytest.raises(OSError, match="No space left"):
        saving.keep_best(run, better, validation(9))
    assert checkpoints.complete(best) == [best / "model.ckpt-5"]
    assert json.loads((best / "validation.json").read_text())["step"] == 5
    assert read_model(best / "model.safetensors").step == 5
    assert not list(best.glob(".*"))


def test_without_hard_links_files_are_copied(
    run: Run, tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gmd_vae.training import saving

    monkeypatch.setattr(saving.os, "link", _no_links)
    saving.keep_best(run, checkpoint_at(5, tiny_run, tmp_path), validation(5))
    assert checkpoints.find(tmp_path / "best").name == "model.ckpt-5"


def test_partial_checkpoints_are_removed_and_complete_ones_stay(tiny_run: Path, tmp_path: Path) -> None:
    from gmd_vae.training.saving import remove_partial_files

    prefix = checkpoint_at(5, tiny_run, tmp_path)
    whole = sorted(path.name for path in tmp_path.iterdir())
    (tmp_path / "model.ckpt-9.data-00000-of-00001.tempstate123").write_bytes(b"half")
    (tmp_path / "model.ckpt-9.index.tempstate123").write_bytes(b"half")
    (tmp_path / ".progress.png.abc.partial").write_bytes(b"half")
    remove_partial_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == whole
    assert checkpoints.is_complete(prefix)


def _no_links(*_: object) -> None:
    raise OSError(1, "Operation not permitted")


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")

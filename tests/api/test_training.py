"""``gmd_vae.train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gmd_vae
import pytest

TINY = {"enc_rnn_size": [16], "dec_rnn_size": [12, 8], "z_size": 4, "batch_size": 16}


@pytest.fixture(autouse=True)
def _threads_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.api.training.share_processors", lambda: None)


@pytest.mark.tensorflow
@pytest.mark.usefixtures("without_pictures")
def test_a_model_is_trained_resumed_and_loaded(starter_examples: Path, tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    options: dict[str, Any] = {"examples_path": starter_examples, "run_dir": tmp_path / "run", "seed": 3}
    first = gmd_vae.train(hparams=TINY, num_steps=2, on_metrics=lines.append, **options)
    assert (first.run_dir, first.last_step, first.best_step) == (tmp_path / "run", 2, 2)
    assert first.best_elbo == pytest.approx(lines[-1]["elbo"], abs=1e-3)
    assert {line["split"] for line in lines} == {"train", "validation"}
    again = gmd_vae.train(run_dir=tmp_path / "run", num_steps=3)
    assert again.last_step == 3
    model = gmd_vae.load(again.run_dir)
    assert model.z_size == 4
    assert model.sample(2)[1].grid.shape == (64, 9)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"config": "hierdec-drum_4baar"}, "Did you mean 'hierdec-drum_4bar"),
        ({"hparams": {"batchsize": 3}}, "Did you mean 'batch_size'"),
        ({"examples_path": "nowhere"}, "'nowhere' do not exist"),
    ],
)
def test_what_cannot_be_trained_raises_what_the_command_prints(
    options: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(gmd_vae.GmdVaeError, match=said):
        gmd_vae.train(**options)
    assert not list(tmp_path.iterdir())


@pytest.mark.tensorflow
def test_an_interruption_is_raised(starter_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gmd_vae.training.loop import Outcome

    stopped = Outcome(0, 5, 1.0, 1.0, tmp_path / "model.ckpt-5", None, "interrupted", 0, None)
    monkeypatch.setattr("gmd_vae.api.training.start", lambda *arguments: stopped)
    with pytest.raises(gmd_vae.Interrupted, match=r"Interrupted at step 5 of 9; saved as .* same call resumes"):
        gmd_vae.train(examples_path=starter_examples, run_dir=tmp_path / "run", hparams=TINY, num_steps=9)

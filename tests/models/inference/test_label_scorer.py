"""Posteriors and likelihoods of drum labels, with our layers and with Magenta's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.layers import STOCK
from gmd_vae.configuration.registry import get_config
from gmd_vae.models.checkpoints import find
from gmd_vae.training.run.folder import open_run
from gmd_vae.windows.label_windows import load_windows

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def scored(tiny_run: Path) -> Iterator[Any]:
    from gmd_vae.models.inference.label_scorer import LabelScorer

    opened = open_run(tiny_run)
    with LabelScorer(opened.config, opened.hparams, find(tiny_run)) as model:
        yield model


@pytest.fixture(scope="module")
def labels(starter_examples: Path) -> npt.NDArray[np.int64]:
    return load_windows(starter_examples, "train").labels[:30].astype(np.int64)


@pytest.fixture(scope="module")
def z(scored: Any, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    means, scales = scored.encode(labels)
    assert means.shape == scales.shape == (30, 4)
    assert (scales > 0).all()
    return np.asarray(means)


def test_magentas_layers_give_the_same_scores(
    tiny_run: Path, scored: Any, labels: npt.NDArray[np.int64], z: npt.NDArray[np.float32]
) -> None:
    from gmd_vae.models.inference.label_scorer import LabelScorer

    opened = open_run(tiny_run)
    config, hparams = opened.config, opened.hparams
    # longer segments have the same variables; Magenta's graph of eight segments takes half a minute to build
    config = config.replace(levels=(2, 32))
    with LabelScorer(config, hparams, find(tiny_run)) as ours:
        mine = ours.score(labels, z)
    assert (mine.losses["steps"] != scored.score(labels, z).losses["steps"]).any()
    with LabelScorer(config, hparams, find(tiny_run), STOCK) as magentas:
        assert "Magenta's" in magentas.layers["decoder"]
        for found, stock in zip(scored.encode(labels), magentas.encode(labels), strict=True):
            np.testing.assert_allclose(found, stock, rtol=1e-4, atol=1e-6)
        stock = magentas.score(labels, z)
    np.testing.assert_allclose(mine.losses["steps"], stock.losses["steps"], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(mine.likeliest, stock.likeliest)
    # after three steps of training the loss is still near that of a uniform distribution, and not constant
    assert abs(mine.losses["steps"].mean() - np.log(512)) < 0.5
    assert mine.losses["steps"].std() > 0


def test_a_window_does_not_depend_on_the_others(
    scored: Any, labels: npt.NDArray[np.int64], z: npt.NDArray[np.float32]
) -> None:
    many = np.tile(labels, [10, 1])  # more than a batch
    means, _ = scored.encode(many)
    np.testing.assert_array_equal(means[270:], z)
    of_many, alone = scored.score(many, np.tile(z, [10, 1])), scored.score(labels, z)
    np.testing.assert_array_equal(of_many.losses["steps"][270:], alone.losses["steps"])


def test_decoded_steps_are_the_likeliest_given_the_decoded_past(tiny_run: Path, scored: Any) -> None:
    """The free-running output at a temperature near 0 equals the teacher-forced prediction on that output."""
    from gmd_vae.models.inference.sampler import Sampler

    vectors = prior(20, 4, seed=3) * 3
    opened = open_run(tiny_run)
    with Sampler(opened.config, opened.hparams, find(tiny_run), seed=0) as trained:
        decoded = np.array(trained.decode(vectors, 1e-6))
        wild = np.array(trained.decode(vectors, 1.0))
    same = scored.score(decoded, vectors).likeliest == decoded
    assert same.mean() > 0.995  # after so little training, two classes may be equally likely up to rounding
    assert (scored.score(wild, vectors).likeliest != wild).any()
    assert len(np.unique(decoded, axis=0)) > 1


def test_windows_that_are_no_labels_are_refused(tiny_run: Path) -> None:
    from gmd_vae.models.inference.label_scorer import LabelScorer

    config = get_config("cat-mel_2bar_small")
    with pytest.raises(ValueError, match="needs DrumWindows"):
        LabelScorer(config, config.hparams, find(tiny_run))

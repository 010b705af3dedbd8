"""The two-sample test on sets whose difference is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.window_specs import Meter
from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.metrics.contents import DrumContents
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.nearest import nearest, pack
from gmd_vae.evaluation.metrics.two_sample import Separation, separate, split_by_file, split_like

Groups = np.ndarray[Any, np.dtype[np.int64]]


def music(files: int, seed: int) -> tuple[Labels, Groups]:
    """Ten windows of each file: a bar of its own, played four times with a few changes."""
    random = np.random.default_rng(seed)
    bars = np.where(random.random((files, 16)) < 0.6, random.integers(1, 512, (files, 16)), 0)
    loops = np.repeat(np.tile(bars, 4), 10, axis=0)
    changed = random.random(loops.shape) < 0.1
    return np.where(changed, 1, loops), np.repeat(np.arange(files), 10)


def separation(other: Labels, files: Groups, held_out: tuple[Labels, Groups]) -> Separation | None:
    labels, groups = held_out
    folds = split_by_file(groups)
    nearest_of = nearest(pack(other, 9), pack(labels, 9)).index
    of_both = [DrumContents(9, Meter(16)).features(part) for part in (labels, other)]
    return separate(of_both[0], folds, of_both[1], split_like(nearest_of, files, folds))


def test_copies_cannot_be_separated_and_noise_can() -> None:
    held_out = labels, groups = music(15, seed=1)
    random, own, resampler = np.random.default_rng(2), np.arange(len(labels)), FileResampler(groups, 20)
    copies = separation(random.permutation(labels), own, held_out)
    training = separation(*music(15, seed=3), held_out)
    noise = separation(random.integers(0, 512, labels.shape), own, held_out)
    assert copies is not None
    assert training is not None
    assert noise is not None
    assert copies.auc(resampler).value == pytest.approx(0.5, abs=0.02)
    assert training.auc(resampler).value == pytest.approx(0.5, abs=0.2)
    assert noise.auc(resampler).value > 0.95
    above = noise.auc_above(training, resampler)
    assert above.value == pytest.approx(noise.auc(resampler).value - training.auc(resampler).value)
    assert above.low <= above.value <= above.high


def test_one_window_again_and_again_is_separated() -> None:
    held_out = music(6, seed=1)
    always = np.repeat(held_out[0][:1], 60, axis=0)
    separated = separation(always, np.arange(60), held_out)
    assert separated is not None
    assert separated.auc(FileResampler(held_out[1], 20)).value > 0.8


def test_one_file_is_not_compared() -> None:
    labels, groups = music(6, seed=1)
    assert separation(labels, groups, (labels, np.zeros_like(groups))) is None


def test_folds_have_whole_files_and_about_the_same_size() -> None:
    files = np.repeat(np.arange(12), [20, 1, 1, 5, 5, 5, 5, 4, 4, 3, 3, 4])
    folds = split_by_file(files)
    assert all(len(set(folds[files == file])) == 1 for file in range(12))
    assert sorted(np.bincount(folds)) == [9, 10, 10, 11, 20]
    # other files go to the fold of the windows that most of theirs are like
    assert (
        split_like(np.array([0, 0, 59, 59]), np.array([7, 7, 3, 3]), folds).tolist() == folds[[0, 0, 59, 59]].tolist()
    )

"""All figures at once, of models whose answers are known: one that knows every window, one that knows nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.evaluation.data.label_data import Data, Labels
from gmd_vae.evaluation.latent.space import by_file
from gmd_vae.evaluation.measure_labels import measure
from gmd_vae.evaluation.settings import Settings
from gmd_vae.windows.label_windows import LabelWindows

FEW = Settings(importance_samples=64, samples=30)


class Oracle:
    """Knows the windows by number: z is where a window stands in the list, and nothing is uncertain."""

    z_size = 2

    def __init__(self, known: Labels, scale: float = 0.1) -> None:
        self.known, self.scale = known, scale

    def encode(self, labels: Labels) -> tuple[Any, Any]:
        numbers = [int(np.flatnonzero((self.known == window).all(axis=1))[0]) for window in labels]
        means = np.stack([np.array(numbers, np.float32), np.zeros(len(labels), np.float32)], axis=1)
        return means, np.full_like(means, self.scale)

    def score(self, labels: Labels, z: npt.NDArray[np.float32]) -> Any:
        return SimpleNamespace(nats=np.zeros(labels.shape, np.float32), likeliest=labels.astype(np.int32))

    def decode(self, z: npt.NDArray[np.float32], temperature: float) -> Labels:
        return self.known[np.clip(np.rint(z[:, 0]).astype(int), 0, len(self.known) - 1)]


class Mute(Oracle):
    """The posterior is the prior, every step is silence, and each costs one nat."""

    def encode(self, labels: Labels) -> tuple[Any, Any]:
        return np.zeros((len(labels), 2), np.float32), np.ones((len(labels), 2), np.float32)

    def score(self, labels: Labels, z: npt.NDArray[np.float32]) -> Any:
        return SimpleNamespace(nats=np.ones(labels.shape, np.float32), likeliest=np.zeros(labels.shape, np.int32))

    def decode(self, z: npt.NDArray[np.float32], temperature: float) -> Labels:
        return np.zeros((len(z), self.known.shape[1]), np.int64)


def windows(count: int, seed: int, files: int = 4) -> LabelWindows:
    labels = np.random.default_rng(seed).integers(1, 512, (count, 64))
    return LabelWindows(labels, np.arange(count) * files // count, tuple(f"file {number}" for number in range(files)))


@pytest.fixture
def data() -> Data:
    of_test, of_training = ["rock", "jazz", "rock", "jazz"], ["jazz", "rock", "jazz", "rock"]
    voices = tuple("abcdefghi")
    return Data(windows(12, seed=1), windows(20, seed=2), of_test, of_training, voices, steps_per_bar=16)


def all_known(data: Data) -> Labels:
    return np.concatenate([data.windows.labels, data.training.labels])


def test_a_model_that_knows_every_window_is_right_everywhere(data: Data) -> None:
    found = measure(Oracle(all_known(data)), data, FEW)
    for way in ("teacher_forced", "free_running", "free_running_sampled"):
        assert found["reconstruction"][way]["steps_right"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    # KL of N(i, 0.1²) and N(0, 0.1²) from N(0, 1), windows 0 to 11: means of i²/2, and twice (0.1² - 1)/2 - ln 0.1
    nats = np.mean(np.arange(12) ** 2) / 2 + 2 * ((0.01 - 1) / 2 - np.log(0.1))
    likelihood = {name: figure["value"] for name, figure in found["likelihood"].items()}
    assert likelihood["reconstruction"] == 0
    assert likelihood["kl_bits"] == pytest.approx(nats / np.log(2))
    assert likelihood["elbo"] == pytest.approx(-nats)
    # p(x|z) is 1 for every z, so p(x) is 1 too: the bound gets nearer to 0, and never beats it by more than chance
    assert likelihood["elbo"] < likelihood["importance_bound"] < 1
    assert found["latent"]["activity"]["active"] == 1
    assert found["in_training"] == 0


def test_a_model_that_knows_nothing_is_seen_to(data: Data) -> None:
    found = measure(Mute(all_known(data)), data, FEW)
    np.testing.assert_equal(found["reconstruction"]["free_running"], found["reconstruction"]["silence"])
    likelihood = {name: figure["value"] for name, figure in found["likelihood"].items()}
    assert likelihood == pytest.approx(
        {"reconstruction": 64, "reconstruction_per_step": 1, "kl_bits": 0, "elbo": -64, "importance_bound": -64}
    )
    assert found["latent"]["activity"]["collapsed"]
    assert found["novelty"]["samples"]["distinct"] == pytest.approx(1 / 30)
    assert found["latent"]["interpolation"]["latent"]["pairs"] == 0  # both ends of every walk are silence


def test_the_same_seed_gives_the_same_figures_and_another_seed_others(data: Data) -> None:
    one, same = (measure(Oracle(all_known(data), 2.0), data, FEW) for _ in range(2))
    other = measure(Oracle(all_known(data), 2.0), data, Settings(seed=1, importance_samples=64, samples=30))
    np.testing.assert_equal(same, one)
    assert other["likelihood"]["importance_bound"] != one["likelihood"]["importance_bound"]
    assert other["novelty"]["samples"] != one["novelty"]["samples"]
    assert other["likelihood"]["kl_bits"]["value"] == one["likelihood"]["kl_bits"]["value"]


def test_without_styles_or_a_second_file_it_says_what_is_missing(data: Data) -> None:
    of_one = Data(windows(5, seed=3, files=1), data.training, [None], [None] * 4, data.voices, data.steps_per_bar)
    found = measure(Oracle(all_known(of_one)), of_one, FEW)
    assert found["latent"]["decodability"] is None
    assert "info.csv" in found["latent"]["decodability_reason"]
    assert found["latent"]["interpolation"] == {"latent": None, "data": None}
    assert np.isnan(found["likelihood"]["elbo"]["low"])  # one file has no interval
    unlike = Data(data.windows, data.training, ["rock"] * 4, ["jazz"] * 4, data.voices, data.steps_per_bar)
    found = measure(Oracle(all_known(unlike)), unlike, FEW)
    assert found["latent"]["decodability"] is None
    assert "fewer than two styles" in found["latent"]["decodability_reason"]


def test_windows_that_were_trained_on_are_counted(data: Data) -> None:
    training = LabelWindows(
        np.concatenate([data.training.labels, data.windows.labels[:3]]), np.zeros(23, np.int64), ("file 0",)
    )
    leaky = Data(data.windows, training, data.styles, ["rock"], data.voices, data.steps_per_bar)
    assert measure(Oracle(all_known(leaky)), leaky, FEW)["in_training"] == 3


def test_progress_is_told(data: Data) -> None:
    told: list[tuple[str, float]] = []
    measure(Oracle(all_known(data)), data, FEW, lambda what, done: told.append((what, done)))
    assert {what for what, _ in told} >= {"likelihood", "reconstruction", "interpolation", "latent space"}
    assert all(0 <= done <= 1 for _, done in told)


def test_training_windows_are_chosen_file_by_file() -> None:
    files = np.array([0] * 100 + [1] * 3 + [2] * 10)
    chosen = by_file(files, 12, seed=0)
    assert np.bincount(files[chosen]).tolist() in ([5, 3, 4], [4, 3, 5])
    assert sorted(chosen) == chosen.tolist()
    assert by_file(files, 200, seed=0).tolist() == list(range(113))
    assert by_file(files, 12, seed=1).tolist() != chosen.tolist()

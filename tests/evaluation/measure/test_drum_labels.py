"""All figures of drum models whose predictions are known: a perfect one and a silent one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.json_form import to_json
from gmd_vae.evaluation.latent.space import Interpolation, choose_by_file
from gmd_vae.evaluation.measure.drum_labels import measure_drum_labels
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Figures
from gmd_vae.evaluation.settings import Settings
from gmd_vae.models.inference.scorer import StepScores
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.windows.label_windows import LabelWindows

FEW = Settings(importance_samples=64, samples=30)
GRID = DrumWindows(slice_bars=4)

Data = EvaluationData[LabelWindows]


class Oracle:
    """A perfect model: z is the number of a window in a list of all windows."""

    z_size = 2
    density: LatentDensity | None = None
    usual_temperature = 0.25

    def __init__(self, known: Labels, scale: float = 0.1) -> None:
        self.known, self.scale = known, scale

    def encode(self, labels: Labels) -> tuple[Any, Any]:
        numbers = [int(np.flatnonzero((self.known == window).all(axis=1))[0]) for window in labels]
        means = np.stack([np.array(numbers, np.float32), np.zeros(len(labels), np.float32)], axis=1)
        return means, np.full_like(means, self.scale)

    def score(self, labels: Labels, z: npt.NDArray[np.float32]) -> StepScores:
        return StepScores({"steps": np.zeros(labels.shape, np.float32)}, labels.astype(np.int32))

    def decode(
        self, z: Any, temperature: float, rows: Any = None, controls: Any = None, hits: Any = None
    ) -> list[npt.NDArray[Any]]:
        return list(self.known[np.clip(np.rint(z[:, 0]).astype(int), 0, len(self.known) - 1)])


class Silent(Oracle):
    """The posterior is the prior, every step is silence, and the loss of each step is one nat."""

    def encode(self, labels: Labels) -> tuple[Any, Any]:
        return np.zeros((len(labels), 2), np.float32), np.ones((len(labels), 2), np.float32)

    def score(self, labels: Labels, z: npt.NDArray[np.float32]) -> StepScores:
        return StepScores({"steps": np.ones(labels.shape, np.float32)}, np.zeros(labels.shape, np.int32))

    def decode(
        self, z: Any, temperature: float, rows: Any = None, controls: Any = None, hits: Any = None
    ) -> list[npt.NDArray[Any]]:
        return list(np.zeros((len(z), self.known.shape[1]), np.int64))


def windows(count: int, seed: int, files: int = 4) -> LabelWindows:
    labels = np.random.default_rng(seed).integers(1, 512, (count, 64))
    return LabelWindows(labels, np.arange(count) * files // count, tuple(f"file {number}" for number in range(files)))


@pytest.fixture
def data() -> Data:
    of_test, of_training = ["rock", "jazz", "rock", "jazz"], ["jazz", "rock", "jazz", "rock"]
    return EvaluationData(windows(12, seed=1), windows(20, seed=2), of_test, of_training, [None] * 4, [])


def measure(model: Oracle, data: Data, settings: Settings = FEW, advance: Any = None) -> Figures:
    return measure_drum_labels(model, data, GRID, settings, advance or (lambda stage, share: None))


def all_known(data: Data) -> Labels:
    return np.concatenate([data.windows.labels, data.training.labels])


def test_a_model_that_knows_every_window_is_right_everywhere(data: Data) -> None:
    figures = measure(Oracle(all_known(data)), data)
    for name in ("teacher_forced", "free_running", "free_running_sampled"):
        assert figures.reconstruction[name].step_accuracy == Estimate(1, 1, 1)
    # KL of N(i, 0.1²) and N(0, 0.1²) from N(0, 1), windows 0 to 11: means of i²/2, and twice (0.1² - 1)/2 - ln 0.1
    nats = np.mean(np.arange(12) ** 2) / 2 + 2 * ((0.01 - 1) / 2 - np.log(0.1))
    likelihood = {
        name: figure.value for name, figure in vars(figures.likelihood).items() if isinstance(figure, Estimate)
    }
    assert likelihood["reconstruction"] == 0
    assert likelihood["kl_bits"] == pytest.approx(nats / np.log(2))
    assert likelihood["elbo"] == pytest.approx(-nats)
    # p(x|z) is 1 for every z, so p(x) is 1 too: the bound gets nearer to 0, and never beats it by more than chance
    assert likelihood["elbo"] < likelihood["importance_bound"] < 1
    assert figures.latent.activity.active == 1
    assert figures.in_training == 0


def test_the_figures_of_a_silent_model(data: Data) -> None:
    figures = measure(Silent(all_known(data)), data)
    assert to_json(figures.reconstruction["free_running"]) == to_json(figures.reconstruction["silence"])
    likelihood = {
        name: figure.value for name, figure in vars(figures.likelihood).items() if isinstance(figure, Estimate)
    }
    assert likelihood == pytest.approx(
        {"reconstruction": 64, "reconstruction_per_step": 1, "kl_bits": 0, "elbo": -64, "importance_bound": -64}
    )
    assert figures.latent.activity.collapsed
    assert figures.novelty.samples.distinct == pytest.approx(1 / 30)
    assert figures.latent.interpolation.latent is not None
    assert figures.latent.interpolation.latent.pairs == 0  # both ends of every path are silence


def test_samples_are_beside_the_data_at_two_temperatures(data: Data) -> None:
    sets = measure(Silent(all_known(data)), data).window_sets
    assert sets is not None
    assert {name: (part.windows, part.temperature) for name, part in sets.items()} == {
        "samples": (30, 1.0),
        "samples_usual": (30, 0.25),
        "held_out": (12, None),
        "training": (20, None),
    }
    assert (sets["samples"].silent_steps.value, sets["samples"].repeated_steps.value) == (1, 1)
    assert sets["held_out"].repeated_steps.value < 0.1  # of random windows
    assert sets["samples"].auc is not None
    assert sets["samples_usual"].auc_above_training is not None
    assert (sets["held_out"].auc, sets["training"].auc_above_training) == (None, None)
    # at the usual temperature there is one set of samples
    settings = Settings(temperature=0.25, importance_samples=2, samples=30)
    at_usual = measure(Silent(all_known(data)), data, settings)
    assert "samples_usual" not in (at_usual.window_sets or {})
    assert at_usual.novelty.samples_usual is None


def test_the_same_seed_gives_the_same_figures_and_another_seed_others(data: Data) -> None:
    one, same = (measure(Oracle(all_known(data), 2.0), data) for _ in range(2))
    other = measure(Oracle(all_known(data), 2.0), data, Settings(seed=1, importance_samples=64, samples=30))
    assert to_json(same) == to_json(one)
    assert other.likelihood.importance_bound != one.likelihood.importance_bound
    assert other.novelty.samples != one.novelty.samples
    assert other.likelihood.kl_bits.value == one.likelihood.kl_bits.value


def test_without_styles_or_a_second_file_there_is_a_reason(data: Data) -> None:
    of_one = EvaluationData(windows(5, seed=3, files=1), data.training, [None], [None] * 4, [None], [])
    figures = measure(Oracle(all_known(of_one)), of_one)
    assert figures.latent.decodability is None
    assert "info.csv" in (figures.latent.decodability_reason or "")
    assert figures.latent.interpolation == Interpolation(None, None)
    assert np.isnan(figures.likelihood.elbo.low)  # one file has no interval
    unlike = EvaluationData(data.windows, data.training, ["rock"] * 4, ["jazz"] * 4, [None] * 4, [])
    figures = measure(Oracle(all_known(unlike)), unlike)
    assert figures.latent.decodability is None
    assert "fewer than two styles" in (figures.latent.decodability_reason or "")


def test_training_windows_in_the_split_are_counted(data: Data) -> None:
    training = LabelWindows(
        np.concatenate([data.training.labels, data.windows.labels[:3]]), np.zeros(23, np.int64), ("file 0",)
    )
    leaky = EvaluationData(data.windows, training, data.styles, ["rock"], [None] * 4, [])
    assert measure(Oracle(all_known(leaky)), leaky).in_training == 3


def test_progress_is_reported(data: Data) -> None:
    progress: list[tuple[str, float]] = []
    measure(Oracle(all_known(data)), data, FEW, lambda stage, share: progress.append((stage, share)))
    assert {stage for stage, _ in progress} >= {"likelihood", "reconstruction", "interpolation", "latent space"}
    assert all(0 <= share <= 1 for _, share in progress)


def test_training_windows_are_chosen_file_by_file() -> None:
    files = np.array([0] * 100 + [1] * 3 + [2] * 10)
    chosen = choose_by_file(files, 12, seed=0)
    assert np.bincount(files[chosen]).tolist() in ([5, 3, 4], [4, 3, 5])
    assert sorted(chosen) == chosen.tolist()
    assert choose_by_file(files, 200, seed=0).tolist() == list(range(113))
    assert choose_by_file(files, 12, seed=1).tolist() != chosen.tolist()


def test_samples_of_a_fitted_prior_stand_beside_those_of_the_standard_one(data: Data) -> None:
    model = Oracle(all_known(data))
    plain = measure(model, data)
    assert plain.novelty.samples_normal is None
    model.density = LatentDensity(np.array([[4.0, 0.0]], np.float32))  # window 4 alone
    fitted = measure(model, data)
    assert fitted.novelty.samples.distinct == pytest.approx(1 / 30)
    assert fitted.novelty.samples_normal == plain.novelty.samples
    assert fitted.novelty.samples_usual_normal == plain.novelty.samples_usual
    assert fitted.novelty.samples_usual is not None
    assert fitted.novelty.samples_usual.distinct == pytest.approx(1 / 30)
    assert fitted.window_sets is not None
    assert plain.window_sets is not None
    assert fitted.window_sets["samples_normal"] == plain.window_sets["samples"]
    assert fitted.window_sets["samples_usual_normal"] == plain.window_sets["samples_usual"]
    priors = {name: part.prior for name, part in fitted.window_sets.items()}
    assert (priors["samples"], priors["samples_normal"], priors["held_out"]) == ("fitted", "normal", None)

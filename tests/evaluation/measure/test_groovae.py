"""All figures of a GrooVAE, of a model whose predictions are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.results import made_up_result
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.data.tensor_windows import TensorWindows
from gmd_vae.evaluation.json_form import to_json
from gmd_vae.evaluation.measure.groovae import measure_groovae
from gmd_vae.evaluation.metrics.label_accuracy import LabelReconstruction
from gmd_vae.evaluation.settings import Settings
from gmd_vae.evaluation.tables.groove import velocities_and_timing
from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.models.inference.scorer import StepScores
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.windows.extraction import Tensors

OUTPUT = OutputSpec(2, 32, 27, 27)
Window = npt.NDArray[np.float32]


class Perfect:
    """A perfect model: the first number of z is that of a window in a list of all windows."""

    z_size = 2
    density: LatentDensity | None = None
    usual_temperature = 0.25

    def __init__(self, windows: Sequence[Tensors]) -> None:
        self._windows = windows

    def encode(self, windows: Sequence[Tensors]) -> tuple[Window, Window]:
        known = [window.outputs.tobytes() for window in self._windows]
        numbers = [known.index(window.outputs.tobytes()) for window in windows]
        means = np.stack([np.array([number, 1], np.float32) for number in numbers])
        return means, np.full_like(means, 1e-3)

    def _known(self, z: Window) -> list[Window]:
        last = len(self._windows) - 1
        return [self._windows[int(np.clip(round(float(row[0])), 0, last))].outputs for row in z]

    def score(self, windows: Sequence[Tensors], z: Window) -> StepScores:
        zeros = np.zeros((len(windows), 32), np.float32)
        return StepScores(dict.fromkeys(("hits", "velocities", "offsets"), zeros), np.stack(self._known(z)))

    def decode(
        self,
        z: Window,
        temperature: float,
        rows: range | None = None,
        controls: Sequence[npt.NDArray[Any]] | None = None,
        hits: Sequence[npt.NDArray[Any]] | None = None,
    ) -> list[Window]:
        decoded = self._known(z)
        if hits is not None:
            assert all((given == window[:, :9]).all() for given, window in zip(hits, decoded, strict=True))
        return decoded


@pytest.fixture(scope="module")
def data() -> EvaluationData[TensorWindows]:
    """Twelve windows of three files, and eight training windows."""
    random = np.random.default_rng(0)

    def windows(count: int) -> TensorWindows:
        hits = random.random((count, 32, 9)) < 0.2
        values = np.concatenate(
            [hits, hits * random.random(hits.shape), hits * random.uniform(-1, 1, hits.shape)], axis=-1
        ).astype(np.float32)
        tensors = [Tensors(window, window, np.zeros((32, 0), np.float32), (32,)) for window in values]
        return TensorWindows(tensors, np.arange(count) % 3, ("a", "b", "c"))

    return EvaluationData(windows(12), windows(8), [None] * 3, [None] * 3, [100.0, None, 90.0], [None] * 3)


def test_a_model_that_knows_all_windows_makes_no_error(data: EvaluationData[TensorWindows]) -> None:
    settings = Settings(importance_samples=2, samples=20)
    figures = measure_groovae(
        Perfect(data.windows.tensors), data, OUTPUT, DrumWindows(slice_bars=2), settings, lambda stage, share: None
    )
    groove, free = figures.groove, figures.reconstruction["free_running"]
    assert groove is not None
    for answer in ("teacher_forced", "free_running", "free_running_sampled", "hits_given"):
        sums = ("timing_by_file", "velocity_by_file")
        errors = {name: figure for name, figure in vars(groove.answers[answer]).items() if name not in sums}
        assert {name: figure.value for name, figure in errors.items()} == dict.fromkeys(errors, 0.0)
    assert isinstance(free, LabelReconstruction)
    assert free.step_accuracy.value == 1.0
    assert free.hits_f1.value == 1.0
    assert "hits_given" not in figures.reconstruction
    assert groove.windows_with_tempo == 8
    assert figures.likelihood.importance_bound is None  # Magenta's loss is no likelihood
    assert figures.windows == 12
    for baseline in ("as_usual", "boosted", "by_dice", "on_the_grid"):
        assert groove.answers[baseline].timing_mae.value > 0.1
        of_files = groove.answers[baseline].timing_by_file
        assert of_files is not None
        ratio = sum(of_files.numerators) / sum(of_files.denominators)
        assert ratio == pytest.approx(groove.answers[baseline].timing_mae_ms.value)

    table = velocities_and_timing(made_up_result(**to_json(figures)))
    assert table is not None
    assert table.rows[0][0] == "true hits given"
    assert table.rows[0][1].startswith("0.0")
    assert table.rows[-1][:2] == ("samples from the prior", "–")
    assert "4 windows" in table.notes[0]


def test_a_training_window_has_the_same_velocities_and_timing(data: EvaluationData[TensorWindows]) -> None:
    """Windows with the hits of a training window, played differently, are held out."""
    windows = data.windows.tensors
    louder = [window.outputs * np.repeat(np.float32([1, 0.9, 1]), 9) for window in windows[3:5]]
    training = [*windows[:3], *(Tensors(each, each, np.zeros((32, 0), np.float32), (32,)) for each in louder)]
    copied = dataclasses.replace(data, training=TensorWindows(training, np.zeros(5, np.int64), ("d",)))
    settings = Settings(importance_samples=2, samples=20)
    figures = measure_groovae(
        Perfect(windows), copied, OUTPUT, DrumWindows(slice_bars=2), settings, lambda stage, share: None
    )
    assert figures.in_training == 3
    assert figures.novelty.held_out.steps.histogram[0] == 5


def test_other_models_have_no_such_table() -> None:
    assert velocities_and_timing(made_up_result()) is None

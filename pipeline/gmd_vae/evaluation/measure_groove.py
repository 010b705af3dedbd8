"""Everything that is measured about a GrooVAE: the hits as of any drum model, and how they are played."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.window_specs import CLASS_NAMES
from gmd_vae.evaluation.data.label_data import Data, Floats, Labels
from gmd_vae.evaluation.data.tensor_data import TensorData, TensorWindows
from gmd_vae.evaluation.latent.space import describe_posterior, interpolation
from gmd_vae.evaluation.likelihood import Posterior, measure_likelihood
from gmd_vae.evaluation.measure_labels import describe_distribution
from gmd_vae.evaluation.measure_streams import encode_all, tensor_scorer
from gmd_vae.evaluation.metrics import baselines
from gmd_vae.evaluation.metrics.groove_errors import (
    DRUMS,
    STEPS_PER_BAR,
    Errors,
    Performance,
    Players,
    measure_errors,
    measure_feel,
)
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.label_accuracy import compare
from gmd_vae.evaluation.metrics.novelty import novelty
from gmd_vae.evaluation.model import LIKELIEST, TensorModel, Vectors
from gmd_vae.evaluation.settings import RESAMPLES, Settings
from gmd_vae.windows.extraction import Tensors
from gmd_vae.windows.label_windows import LabelWindows

TEMPO = 120.0  # of a file whose tempo is not known: what Magenta writes all music at
_ROWS = 256  # windows that go through the model at one time
_CONTROLS, _DICE = 31, 32  # so that no two draws of one seed share their numbers


def measure_groove(
    model: TensorModel,
    data: TensorData,
    settings: Settings,
    advance: Callable[[str, float], None] = lambda what, done: None,
) -> dict[str, Any]:
    """All figures of a model on a split; arguments and result as of ``evaluate.measure``."""
    windows, seed = data.windows.tensors, settings.seed
    advance("windows", 0)
    truth, training = (_performance(part) for part in (data.windows, data.training))
    labels = truth.labels
    as_labels = Data(
        LabelWindows(labels, data.windows.files, data.windows.sources),
        LabelWindows(training.labels, data.training.files, data.training.sources),
        data.styles,
        data.training_styles,
        CLASS_NAMES,
        STEPS_PER_BAR,
    )
    resampler = FileResampler(data.windows.files, RESAMPLES, seed)
    advance("posteriors", 0)
    posterior = Posterior.of(*encode_all(model, windows), seed)
    likelihood = measure_likelihood(
        tensor_scorer(model, windows),
        posterior,
        np.full(len(labels), labels.shape[1]),
        resampler,
        draws=settings.importance_samples,
        rows=_ROWS,
        is_likelihood=False,
        advance=advance,
    )
    advance("reconstruction", 0)
    controls = [window.controls for window in windows] if data.output.controls else None
    played = _answers(model, windows, truth, controls, posterior, settings.temperature)
    advance("samples from the prior", 0)
    z = prior(settings.samples, model.z_size, seed)
    chosen = np.random.default_rng([seed, _CONTROLS]).integers(len(labels), size=len(z))
    samples = Performance.of(np.stack(model.decode(_some(controls, chosen), z, settings.temperature)))
    advance("novelty and distributions", 0)
    of_samples, of_split = (novelty(these, training.labels, DRUMS) for these in (samples.labels, labels))
    return {
        "windows": len(labels),
        "files": len(data.windows.sources),
        "steps": labels.shape[1],
        "steps_per_bar": STEPS_PER_BAR,
        "voices": list(CLASS_NAMES),
        "in_training": of_split.steps.histogram[0],
        "likelihood": likelihood,
        "reconstruction": _reconstruction(labels, training.labels, played, resampler),
        "groove": _groove(data, truth, training, played, samples, resampler, seed),
        "novelty": {"samples": dataclasses.asdict(of_samples), "held_out": dataclasses.asdict(of_split)},
        "distribution": describe_distribution(samples.labels, as_labels, seed),
        "latent": {
            **describe_posterior(
                lambda some: encode_all(model, [data.training.tensors[int(number)] for number in some])[0],
                data,
                posterior.means,
                posterior.scales,
                seed,
                advance,
            ),
            "interpolation": interpolation(
                lambda z, first: _labels(model.decode(_some(controls, first), z, LIKELIEST)),
                labels,
                data.windows.files,
                posterior.means,
                seed,
            ),
        },
    }


def _performance(windows: TensorWindows) -> Performance:
    return Performance.of(np.stack([window.outputs for window in windows.tensors]))


def _labels(decoded: Sequence[npt.NDArray[Any]]) -> Labels:
    return Performance.of(np.stack(decoded)).labels


def _some(
    controls: Sequence[npt.NDArray[Any]] | None, chosen: npt.NDArray[np.int64]
) -> Sequence[npt.NDArray[Any]] | None:
    return None if controls is None else [controls[number] for number in chosen.tolist()]


def _answers(
    model: TensorModel,
    windows: Sequence[Tensors],
    truth: Performance,
    controls: Sequence[npt.NDArray[Any]] | None,
    posterior: Posterior,
    temperature: float,
) -> dict[str, Performance]:
    """How the model plays the windows, by name; ``hits_given``: the true hits, in the place of its own."""
    hits = list(truth.hits.astype(np.float32))
    answers: dict[str, Sequence[npt.NDArray[Any]]] = {
        "teacher_forced": _told(model, windows, posterior.means),
        "free_running": model.decode(controls, posterior.means, LIKELIEST),
        "free_running_sampled": model.decode(controls, posterior.sampled, temperature),
        "hits_given": model.decode(controls, posterior.means, LIKELIEST, hits=hits),
    }
    return {name: Performance.of(np.stack(answer)) for name, answer in answers.items()}


def _told(model: TensorModel, windows: Sequence[Tensors], z: Vectors) -> list[npt.NDArray[Any]]:
    """What it would play at each step, given the true steps before it."""
    told: list[npt.NDArray[Any]] = []
    for start in range(0, len(windows), _ROWS):
        rows = slice(start, start + _ROWS)
        told += list(model.score(windows[rows], z[rows]).answers)
    return told


def _reconstruction(
    labels: Labels, training: Labels, played: dict[str, Performance], resampler: FileResampler
) -> dict[str, Any]:
    """The hits of the model's own answers, and the baselines', compared with the windows'."""
    answers = {name: answer.labels for name, answer in played.items() if name != "hits_given"}
    answers["silence"] = baselines.silence(labels)
    answers["most_frequent_step"] = baselines.most_frequent_step(labels, training)
    answers["previous_bar"] = baselines.previous_bar(labels, STEPS_PER_BAR)
    answers["nearest_training"] = baselines.nearest_training(labels, training, DRUMS)
    return {
        name: dataclasses.asdict(
            compare(labels, answer, classes=DRUMS, steps_per_bar=STEPS_PER_BAR, resampler=resampler)
        )
        for name, answer in answers.items()
    }


def _groove(
    data: TensorData,
    truth: Performance,
    training: Performance,
    played: dict[str, Performance],
    samples: Performance,
    resampler: FileResampler,
    seed: int,
) -> dict[str, Any]:
    """How the hits are played, by the model and by the baselines, which are given the true hits."""
    known = [data.tempos[file] if data.tempos else None for file in data.windows.files.tolist()]
    tempos: Floats = np.array([tempo or TEMPO for tempo in known], np.float64)
    answers = dict(played)
    players = Players.of(training)
    if players is not None:
        answers["on_the_grid"] = players.on_the_grid(truth)
        answers["as_usual"] = players.as_usual(truth)
        answers["by_dice"] = players.by_dice(truth, np.random.default_rng([seed, _DICE]))
    errors: dict[str, Errors] = {
        name: measure_errors(truth, answer, tempos, resampler) for name, answer in answers.items()
    }
    return {
        "hits": int(truth.hits.sum()),
        "windows_with_tempo": sum(tempo is not None for tempo in known),
        "answers": {name: dataclasses.asdict(figures) for name, figures in errors.items()},
        "samples": dataclasses.asdict(measure_feel(truth, samples, resampler, of_truth=False)),
    }

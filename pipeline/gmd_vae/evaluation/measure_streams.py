"""Everything that is measured about a model of melodies, trios or multitrack bars: one class a step of each stream."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from gmd_vae.common.latent_points import prior
from gmd_vae.evaluation.data.codes import Coding, decoded
from gmd_vae.evaluation.data.label_data import Labels
from gmd_vae.evaluation.data.tensor_data import TensorData
from gmd_vae.evaluation.latent.space import describe_posterior, interpolation
from gmd_vae.evaluation.likelihood import Posterior, Scorer, measure_likelihood
from gmd_vae.evaluation.metrics import baselines, stream_baselines
from gmd_vae.evaluation.metrics.event_accuracy import compare_events
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.novelty import novelty
from gmd_vae.evaluation.metrics.stream_accuracy import compare_streams
from gmd_vae.evaluation.model import LIKELIEST, TensorModel, Vectors
from gmd_vae.evaluation.settings import RESAMPLES, Settings
from gmd_vae.windows.extraction import Tensors

_ROWS = 256  # windows that are unpacked at one time
_CONTROLS = 21  # so that no two draws of one seed share their numbers


def measure_streams(
    model: TensorModel,
    data: TensorData,
    settings: Settings,
    advance: Callable[[str, float], None] = lambda what, done: None,
) -> dict[str, Any]:
    """All figures of a model on a split; arguments and result as of ``evaluate.measure``."""
    coding, windows, seed = Coding(data.output), data.windows.tensors, settings.seed
    advance("windows", 0)
    codes, training = (coding.of_windows(part) for part in (data.windows, data.training))
    resampler = FileResampler(data.windows.files, RESAMPLES, seed)
    advance("posteriors", 0)
    posterior = Posterior.of(*encode_all(model, windows), seed)
    likelihood = measure_likelihood(
        tensor_scorer(model, windows),
        posterior,
        (codes > 0).sum(axis=1),
        resampler,
        draws=settings.importance_samples,
        rows=_ROWS,
        advance=advance,
    )
    reconstruction = _reconstruction(model, data, coding, codes, training, posterior, resampler, settings, advance)
    advance("samples from the prior", 0)
    z = prior(settings.samples, model.z_size, seed)
    chosen = np.random.default_rng([seed, _CONTROLS]).integers(len(windows), size=len(z))
    samples = _decode(model, coding, _controls(data, chosen), z, settings.temperature)
    advance("novelty", 0)
    of_samples, of_split = (_novelty(these, training, coding) for these in (samples, codes))
    return {
        "windows": len(codes),
        "files": len(data.windows.sources),
        "steps": data.output.steps,
        "steps_per_bar": None if data.output.is_events else data.output.steps // data.output.bars,
        "streams": [stream.name for stream in data.output.streams],
        "in_training": of_split["steps"]["histogram"][0],
        "likelihood": likelihood,
        "reconstruction": reconstruction,
        "novelty": {"samples": of_samples, "held_out": of_split},
        "latent": {
            **describe_posterior(
                lambda chosen: encode_all(model, _Chosen(data.training.tensors, chosen))[0],
                data,
                posterior.means,
                posterior.scales,
                seed,
                advance,
            ),
            "interpolation": interpolation(
                lambda z, first: _decode(model, coding, _controls(data, first), z, LIKELIEST),
                codes,
                data.windows.files,
                posterior.means,
                seed,
            ),
        },
    }


def encode_all(model: TensorModel, windows: Sequence[Tensors]) -> tuple[Vectors, Vectors]:
    """The posterior of each window, some windows at a time; see ``TensorModel.encode``."""
    parts = [model.encode(windows[start : start + _ROWS]) for start in range(0, len(windows), _ROWS)]
    means, scales = (np.concatenate(column) for column in zip(*parts, strict=True))
    return means, scales


def tensor_scorer(model: TensorModel, windows: Sequence[Tensors]) -> Callable[[slice], Scorer]:
    """For ``measure_likelihood``."""

    def of_some(rows: slice) -> Scorer:
        some = windows[rows]

        def losses(z: Vectors) -> dict[str, Any]:
            return {name: nats.sum(axis=1, dtype=np.float64) for name, nats in model.score(some, z).nats.items()}

        return losses

    return of_some


def _reconstruction(
    model: TensorModel,
    data: TensorData,
    coding: Coding,
    codes: Labels,
    training: Labels,
    posterior: Posterior,
    resampler: FileResampler,
    settings: Settings,
    advance: Callable[[str, float], None],
) -> dict[str, Any]:
    """The model's answers and the baselines', compared with the windows."""
    output, seed = data.output, settings.seed
    advance("reconstruction", 0)
    controls = _controls(data, np.arange(len(codes)))
    answers = {
        "teacher_forced": _told(model, coding, data.windows.tensors, codes, posterior.means),
        "free_running": _decode(model, coding, controls, posterior.means, LIKELIEST),
        "free_running_sampled": _decode(model, coding, controls, posterior.sampled, settings.temperature),
    }
    if output.is_events:
        answers["nearest_training"] = stream_baselines.nearest_by_events(codes, training, coding)
        answers["random_training"] = stream_baselines.random_training(codes, training, seed)
        answers["most_frequent_step"] = stream_baselines.most_frequent_event(codes, training)
    else:
        answers["nearest_training"] = baselines.nearest_training(codes, training, coding.bits)
        answers["previous_bar"] = baselines.previous_bar(codes, output.steps // output.bars)
        answers["most_frequent_step"] = baselines.most_frequent_step(codes, training)
        answers["silence"] = np.where(codes > 0, coding.join(np.zeros((1, len(output.streams)), np.int64)), 0)
    truth = coding.split(codes)
    found = {}
    for name, answer in answers.items():
        classes = coding.split(answer)
        if output.is_events:
            compared: Any = compare_events(truth, classes, output=output, resampler=resampler)
        else:
            compared = compare_streams(truth, classes, streams=output.streams, bars=output.bars, resampler=resampler)
        found[name] = dataclasses.asdict(compared)
    if output.is_events:  # what it says at each event is no music of its own
        for figure in ("notes_f1", "same_program_f1", "programs_f1", "ends_right"):
            del found["teacher_forced"][figure]
    return found


def _told(model: TensorModel, coding: Coding, windows: Sequence[Tensors], codes: Labels, z: Vectors) -> Labels:
    """The likeliest code of each step, given the true ones before it; there is one wherever the window has one."""
    answers = np.zeros_like(codes)
    for start in range(0, len(codes), _ROWS):
        rows = slice(start, start + _ROWS)
        answers[rows] = coding.join(model.score(windows[rows], z[rows]).answers)
    told: Labels = np.where(codes > 0, answers, 0)
    return told


def _decode(
    model: TensorModel,
    coding: Coding,
    controls: Sequence[npt.NDArray[Any]] | None,
    z: Vectors,
    temperature: float,
) -> Labels:
    return decoded(coding, lambda rows: model.decode(controls, z, temperature, rows), len(z))


def _controls(data: TensorData, chosen: npt.NDArray[np.int64]) -> Sequence[npt.NDArray[Any]] | None:
    """Those of some windows of the split, as often as they are chosen; ``None`` where the model needs none."""
    return _Controls(_Chosen(data.windows.tensors, chosen)) if data.output.controls else None


def _novelty(codes: Labels, training: Labels, coding: Coding) -> dict[str, Any]:
    """As ``novelty`` has it; hits are of drum labels alone."""
    found = dataclasses.asdict(novelty(codes, training, coding.bits))
    del found["hits"]
    return found


class _Chosen(Sequence[Tensors]):
    """Some windows, unpacked when they are looked at."""

    def __init__(self, windows: Sequence[Tensors], chosen: npt.NDArray[np.int64]) -> None:
        self._windows, self._chosen = windows, chosen

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, place: int) -> Tensors: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tensors]: ...
    def __getitem__(self, place: int | slice) -> Tensors | list[Tensors]:
        if isinstance(place, slice):
            return [self._windows[int(number)] for number in self._chosen[place]]
        return self._windows[int(self._chosen[place])]


class _Controls(Sequence[npt.NDArray[Any]]):
    """The controls of windows, unpacked when they are looked at."""

    def __init__(self, windows: _Chosen) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    @overload
    def __getitem__(self, place: int) -> npt.NDArray[Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[npt.NDArray[Any]]: ...
    def __getitem__(self, place: int | slice) -> npt.NDArray[Any] | list[npt.NDArray[Any]]:
        if isinstance(place, slice):
            return [window.controls for window in self._windows[place]]
        return self._windows[place].controls

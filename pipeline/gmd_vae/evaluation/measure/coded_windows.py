"""The figures that streams and multitrack windows share: both are measured as integer codes, one a step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Labels, Vectors
from gmd_vae.evaluation.data.coding import StreamCoding
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.data.tensor_windows import ConditioningInputs, SelectedWindows, TensorWindows
from gmd_vae.evaluation.latent.posterior import measure_activity
from gmd_vae.evaluation.latent.space import LatentSpace, measure_interpolation, measure_style
from gmd_vae.evaluation.likelihood import Advance, Posterior, measure_likelihood, window_losses
from gmd_vae.evaluation.measure.samples import draw_samples
from gmd_vae.evaluation.measure.window_sets import Music, Samples, measure_window_sets
from gmd_vae.evaluation.metrics.contents import Contents
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.novelty import Novelty, measure_novelty
from gmd_vae.evaluation.model import LIKELIEST, TensorModel
from gmd_vae.evaluation.result import Figures, NoveltyOfSets, Reconstruction
from gmd_vae.evaluation.settings import Settings
from gmd_vae.windows.extraction import Tensors

ROWS = 256  # windows in memory as tensors at one time
_CONTROLS = 21  # second word of the RNG's seed, so that different draws are independent

# (predictions of the model, true codes, training codes, resampler) -> comparisons, those of the baselines too
Compare = Callable[[dict[str, Labels], Labels, Labels, FileResampler], dict[str, Reconstruction]]


def measure_coded_windows(
    model: TensorModel,
    data: EvaluationData[TensorWindows],
    coding: StreamCoding,
    compare: Compare,
    settings: Settings,
    advance: Advance,
    *,
    steps_per_bar: int | None,
    contents: Contents | None = None,
) -> Figures:
    """Measures all figures of a model on one split.

    Args:
        model: The model.
        data: Windows as tensors.
        coding: Coding of the windows.
        compare: Comparison of predictions and baselines with the windows.
        settings: Seed and sample sizes.
        advance: Progress callback.
        steps_per_bar: Steps of a bar; ``None`` where steps are events.
        contents: The music in the codes, to compare sets of windows by; ``None`` where steps are events.
    """
    output, windows, seed = coding.output, data.windows.tensors, settings.seed
    advance("windows", 0)
    codes, training = coding.encode_windows(data.windows), coding.encode_windows(data.training)
    resampler = FileResampler(data.windows.files, settings.resamples, seed)
    advance("posteriors", 0)
    posterior = Posterior.draw(*encode_all(model, windows), seed)
    likelihood = measure_likelihood(
        window_losses(model, windows),
        posterior,
        (codes > 0).sum(axis=1),
        resampler,
        draws=settings.importance_samples,
        rows=ROWS,
        advance=advance,
    )

    def decode(z: Vectors, temperature: float, conditioned_by: npt.NDArray[np.int64]) -> Labels:
        controls = conditioning_inputs(data.windows, conditioned_by) if output.controls else None
        return coding.encode_decoded(lambda rows: model.decode(z, temperature, rows, controls), len(z))

    advance("reconstruction", 0)
    themselves = np.arange(len(codes))
    predictions = {
        "teacher_forced": _teacher_forced(model, coding, windows, codes, posterior.means),
        "free_running": decode(posterior.means, LIKELIEST, themselves),
        "free_running_sampled": decode(posterior.sampled, settings.temperature, themselves),
    }
    reconstruction = compare(predictions, codes, training, resampler)
    advance("samples from the prior", 0)
    conditioned_by = np.random.default_rng([seed, _CONTROLS]).integers(len(windows), size=settings.samples)
    drawn = draw_samples(model, settings, at_usual=contents is not None)  # multitrack models are slow
    sampled = {
        name: Samples(decode(draw.z, draw.temperature, conditioned_by), draw.temperature, draw.prior)
        for name, draw in drawn.items()
    }
    advance("novelty", 0)
    novelty = NoveltyOfSets(
        held_out=_measure_novelty(codes, training, coding),
        **{name: _measure_novelty(sampled[name].labels, training, coding) for name in drawn},
    )
    return Figures(
        windows=len(codes),
        files=len(data.windows.sources),
        file_ids=tuple(data.windows.sources),
        steps=output.steps,
        steps_per_bar=steps_per_bar,
        streams=tuple(stream.name for stream in output.streams),
        in_training=novelty.held_out.steps.histogram[0],
        likelihood=likelihood,
        reconstruction=reconstruction,
        novelty=novelty,
        window_sets=measure_window_sets(
            sampled, Music(codes, data.windows.files), Music(training, data.training.files), contents, settings
        )
        if contents
        else None,
        latent=measure_latent(
            model, data, codes, posterior, lambda z, starts: decode(z, LIKELIEST, starts), seed, advance
        ),
    )


def measure_latent(
    model: TensorModel,
    data: EvaluationData[TensorWindows],
    labels: Labels,
    posterior: Posterior,
    decode: Callable[[Vectors, npt.NDArray[np.int64]], Labels],
    seed: int,
    advance: Advance,
) -> LatentSpace:
    """Measures the latent space of a model that reads tensors.

    Args:
        model: The model.
        data: Windows as tensors.
        labels: Codes or labels of the windows, ``[n, steps]``.
        posterior: Posterior of the windows.
        decode: Decoder of the likeliest windows; see ``measure_interpolation``.
        seed: Seed of all choices of windows.
        advance: Progress callback.
    """
    advance("latent space", 0)
    training = data.training.tensors
    scores, reason = measure_style(
        data, posterior.means, lambda chosen: encode_all(model, SelectedWindows(training, chosen))[0], seed
    )
    return LatentSpace(
        activity=measure_activity(posterior.means, posterior.scales),
        interpolation=measure_interpolation(decode, labels, data.windows.files, posterior.means, seed),
        decodability=scores,
        decodability_reason=reason,
    )


def encode_all(model: TensorModel, windows: Sequence[Tensors]) -> tuple[Vectors, Vectors]:
    """Encodes windows in batches.

    Returns:
        Means and standard deviations of the posteriors, float32 ``[n, z_size]``.
    """
    parts = [model.encode(windows[start : start + ROWS]) for start in range(0, len(windows), ROWS)]
    means, scales = (np.concatenate(column) for column in zip(*parts, strict=True))
    return means, scales


def conditioning_inputs(windows: TensorWindows, numbers: npt.NDArray[np.int64]) -> Sequence[npt.NDArray[Any]]:
    """Returns the conditioning inputs of windows, by their numbers."""
    return ConditioningInputs(SelectedWindows(windows.tensors, numbers))


def _teacher_forced(
    model: TensorModel, coding: StreamCoding, windows: Sequence[Tensors], codes: Labels, z: Vectors
) -> Labels:
    """Returns the likeliest code of each step given the true steps before it; 0 where a window has no step."""
    answers = np.zeros_like(codes)
    for start in range(0, len(codes), ROWS):
        rows = slice(start, start + ROWS)
        answers[rows] = coding.join(model.score(windows[rows], z[rows]).likeliest)
    present: Labels = np.where(codes > 0, answers, 0)
    return present


def _measure_novelty(codes: Labels, training: Labels, coding: StreamCoding) -> Novelty:
    """Measures the novelty of codes; the differing bits of two codes are no hits."""
    return dataclasses.replace(measure_novelty(codes, training, coding.bits), hits=None)

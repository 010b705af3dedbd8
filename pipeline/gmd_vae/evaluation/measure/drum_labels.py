"""The figures of a drum model, from its predictions to a ``Figures``. TensorFlow is only behind ``Model``.

Read this file first: the other families differ from it where their windows do. Latent vectors and pairs are drawn with
NumPy from the seed, so that figures do not depend on the model's batch size.
"""

from __future__ import annotations

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.evaluation.data.arrays import Floats, Labels, Vectors, to_hits
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.latent.posterior import measure_activity
from gmd_vae.evaluation.latent.space import (
    TRAINING,
    LatentSpace,
    choose_by_file,
    measure_attributes,
    measure_interpolation,
    measure_style,
)
from gmd_vae.evaluation.likelihood import Advance, Posterior, measure_likelihood, window_losses
from gmd_vae.evaluation.measure.samples import draw_samples
from gmd_vae.evaluation.measure.window_sets import Music, Samples, measure_window_sets
from gmd_vae.evaluation.metrics import baselines, rhythm
from gmd_vae.evaluation.metrics.contents import DrumContents
from gmd_vae.evaluation.metrics.distributions import FeatureComparison, compare_distributions
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.label_accuracy import LabelReconstruction, compare_labels
from gmd_vae.evaluation.metrics.novelty import measure_novelty
from gmd_vae.evaluation.model import LIKELIEST, LabelModel
from gmd_vae.evaluation.result import Figures, NoveltyOfSets, Reconstruction
from gmd_vae.evaluation.settings import Settings
from gmd_vae.windows.label_windows import LabelWindows

_ROWS = 4096  # windows per batch, between two reports of progress
_TRAINING_SET = 2  # second word of the RNG's seed, so that different draws are independent


def measure_drum_labels(
    model: LabelModel, data: EvaluationData[LabelWindows], grid: DrumWindows, settings: Settings, advance: Advance
) -> Figures:
    """Measures all figures of a drum model on one split.

    Args:
        model: The model.
        data: Windows as drum labels.
        grid: Drum classes and steps of a window.
        settings: Seed and sample sizes.
        advance: Progress callback.
    """
    labels, training, seed = data.windows.labels, data.training.labels, settings.seed
    classes = len(grid.voice_names)
    resampler = FileResampler(data.windows.files, settings.resamples, seed)
    advance("posteriors", 0)
    posterior = Posterior.draw(*model.encode(labels), seed)
    likelihood = measure_likelihood(
        window_losses(model, labels),
        posterior,
        np.full(len(labels), labels.shape[1]),
        resampler,
        draws=settings.importance_samples,
        rows=_ROWS,
        advance=advance,
    )
    advance("reconstruction", 0)
    predictions = {
        "teacher_forced": model.score(labels, posterior.means).likeliest,
        "free_running": _decode(model, posterior.means, LIKELIEST),
        "free_running_sampled": _decode(model, posterior.sampled, settings.temperature),
    }
    reconstruction = compare_predictions(predictions, labels, training, grid, resampler)
    advance("samples from the prior", 0)
    drawn = draw_samples(model, settings)
    sampled = {
        name: Samples(_decode(model, draw.z, draw.temperature), draw.temperature, draw.prior)
        for name, draw in drawn.items()
    }
    samples = sampled["samples"].labels
    advance("novelty and distributions", 0)
    novelty = NoveltyOfSets(
        held_out=measure_novelty(labels, training, classes),
        **{name: measure_novelty(sampled[name].labels, training, classes) for name in drawn},
    )
    return Figures(
        windows=len(labels),
        files=len(data.windows.sources),
        file_ids=tuple(data.windows.sources),
        steps=labels.shape[1],
        steps_per_bar=grid.steps_per_bar,
        voices=grid.voice_names,
        in_training=novelty.held_out.steps.histogram[0],
        likelihood=likelihood,
        reconstruction=dict[str, Reconstruction](reconstruction),
        novelty=novelty,
        window_sets=measure_window_sets(
            sampled,
            Music(labels, data.windows.files),
            Music(training, data.training.files),
            DrumContents(classes, grid.meter),
            settings,
        ),
        distribution=compare_features(samples, training, labels, grid, seed),
        latent=_measure_latent(model, data, grid, posterior, seed, advance),
    )


def compare_predictions(
    predictions: dict[str, Labels], labels: Labels, training: Labels, grid: DrumWindows, resampler: FileResampler
) -> dict[str, LabelReconstruction]:
    """Compares a model's predictions, and after them the baselines, with the windows.

    Args:
        predictions: Predicted labels ``[n, steps]`` by name.
        labels: True windows, ``[n, steps]``.
        training: Training windows, ``[m, steps]``.
        grid: Drum classes and steps of a window.
        resampler: Resampler for the intervals.
    """
    classes = len(grid.voice_names)
    answers = {
        **predictions,
        "silence": baselines.silence(labels),
        "most_frequent_step": baselines.most_frequent_step(labels, training),
        "previous_bar": baselines.previous_bar(labels, grid.steps_per_bar),
        "nearest_training": baselines.nearest_training(labels, training, classes),
    }
    return {
        name: compare_labels(labels, answer, classes=classes, steps_per_bar=grid.steps_per_bar, resampler=resampler)
        for name, answer in answers.items()
    }


def compare_features(
    samples: Labels, training: Labels, labels: Labels, grid: DrumWindows, seed: int
) -> dict[str, FeatureComparison]:
    """Compares samples, and as many training windows, with the split by each musical feature.

    Args:
        samples: Samples from the prior, ``[k, steps]``.
        training: Training windows, ``[m, steps]``.
        labels: Windows of the split, ``[n, steps]``.
        grid: Drum classes and steps of a window.
        seed: Seed of the choice of training windows.

    Returns:
        The comparison by feature; empty if one of the three has a single window, which has no distribution.
    """
    if min(len(samples), len(training), len(labels)) < 2:
        return {}
    random = np.random.default_rng([seed, _TRAINING_SET])
    chosen = training[random.choice(len(training), min(len(samples), len(training)), replace=False)]
    of_samples, of_training, of_split = (_features(windows, grid) for windows in (samples, chosen, labels))
    return {
        name: FeatureComparison(
            compare_distributions(of_samples[name], reference, seed=seed),
            compare_distributions(of_training[name], reference, seed=seed),
        )
        for name, reference in of_split.items()
    }


def _features(labels: Labels, grid: DrumWindows) -> dict[str, Floats]:
    """Computes the musical features of windows, ``[n]`` or ``[n, k]`` each."""
    hits, steps_per_bar = to_hits(labels, len(grid.voice_names)), grid.steps_per_bar
    return {
        "hits_per_bar": rhythm.hits_per_bar(hits, steps_per_bar),
        "syncopation": rhythm.syncopation(hits, steps_per_bar, grid.meter.steps_per_beat),
        "groove_consistency": rhythm.groove_consistency(hits, steps_per_bar),
        "voice_shares": rhythm.voice_shares(hits, steps_per_bar),
        "density": rhythm.density(hits, steps_per_bar),
    }


def _measure_latent(
    model: LabelModel,
    data: EvaluationData[LabelWindows],
    grid: DrumWindows,
    posterior: Posterior,
    seed: int,
    advance: Advance,
) -> LatentSpace:
    advance("interpolation", 0)
    interpolation = measure_interpolation(
        lambda z, starts: _decode(model, z, LIKELIEST), data.windows.labels, data.windows.files, posterior.means, seed
    )
    advance("latent space", 0)
    training = data.training.labels[choose_by_file(data.training.files, TRAINING, seed)]
    training_means, _ = model.encode(training)
    # the style's classifier is trained on the same windows
    scores, reason = measure_style(data, posterior.means, lambda chosen: training_means, seed)
    attributes, without = measure_attributes(
        lambda z: _decode(model, z, LIKELIEST),
        training,
        training_means,
        posterior.means,
        grid.voice_names,
        grid.meter,
        seed,
    )
    return LatentSpace(
        activity=measure_activity(posterior.means, posterior.scales),
        interpolation=interpolation,
        decodability=scores,
        decodability_reason=reason,
        attributes=attributes,
        attributes_without=without,
    )


def _decode(model: LabelModel, z: Vectors, temperature: float) -> Labels:
    return np.array(model.decode(z, temperature))

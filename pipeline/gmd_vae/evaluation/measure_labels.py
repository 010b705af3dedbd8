"""Everything that is measured about one drum model on one split, from the model's answers to plain figures.

Latent vectors and pairs are drawn with NumPy from the seed, so the figures do not depend on batches.
Nothing here knows TensorFlow: see ``evaluation.model``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from gmd_vae.common.latent_points import prior
from gmd_vae.evaluation.data.label_data import Data, Floats, Labels, to_hits
from gmd_vae.evaluation.latent.space import describe_space
from gmd_vae.evaluation.likelihood import Posterior, Scorer, measure_likelihood
from gmd_vae.evaluation.metrics import baselines, distributions, rhythm
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.label_accuracy import compare
from gmd_vae.evaluation.metrics.novelty import novelty
from gmd_vae.evaluation.model import LIKELIEST, Model
from gmd_vae.evaluation.settings import RESAMPLES, Settings

_ROWS = 4096  # windows that go through the model between two reports of progress
_TRAINING_SET = 2  # so that no two draws of one seed share their numbers


def measure(
    model: Model, data: Data, settings: Settings, advance: Callable[[str, float], None] = lambda what, done: None
) -> dict[str, Any]:
    """All figures of a model on a split.

    Args:
        model: what is evaluated.
        data: at least one window, and one training window.
        settings: see there.
        advance: is told what is being done, and how much of it is done (0 to 1).

    Returns:
        The sections of a result, from ``windows`` to ``latent`` (``docs/evaluation.md`` lists them):
        dataclasses as dictionaries; NaN where a figure is not defined.
    """
    labels, seed = data.windows.labels, settings.seed
    resampler = FileResampler(data.windows.files, RESAMPLES, seed)
    advance("posteriors", 0)
    posterior = Posterior.of(*model.encode(labels), seed)
    likelihood = measure_likelihood(
        lambda rows: _scorer(model, labels[rows]),
        posterior,
        np.full(len(labels), labels.shape[1]),
        resampler,
        draws=settings.importance_samples,
        rows=_ROWS,
        advance=advance,
    )
    reconstruction = _reconstruction(model, data, posterior, resampler, settings, advance)
    advance("samples from the prior", 0)
    samples = model.decode(prior(settings.samples, model.z_size, seed), settings.temperature)
    advance("novelty and distributions", 0)
    of_samples, of_split = (novelty(these, data.training.labels, data.classes) for these in (samples, labels))
    return {
        "windows": len(labels),
        "files": len(data.windows.sources),
        "steps": labels.shape[1],
        "steps_per_bar": data.steps_per_bar,
        "voices": list(data.voices),
        "in_training": of_split.steps.histogram[0],
        "likelihood": likelihood,
        "reconstruction": reconstruction,
        "novelty": {"samples": dataclasses.asdict(of_samples), "held_out": dataclasses.asdict(of_split)},
        "distribution": describe_distribution(samples, data, seed),
        "latent": describe_space(model, data, posterior.means, posterior.scales, seed, advance),
    }


def _scorer(model: Model, labels: Labels) -> Scorer:
    return lambda z: {"steps": model.score(labels, z).nats.sum(axis=1, dtype=np.float64)}


def _reconstruction(
    model: Model,
    data: Data,
    posterior: Posterior,
    resampler: FileResampler,
    settings: Settings,
    advance: Callable[[str, float], None],
) -> dict[str, Any]:
    """The model's answers and the baselines', compared with the windows."""
    labels, training = data.windows.labels, data.training.labels
    advance("reconstruction", 0)
    answers = {
        "teacher_forced": model.score(labels, posterior.means).likeliest,
        "free_running": model.decode(posterior.means, LIKELIEST),
        "free_running_sampled": model.decode(posterior.sampled, settings.temperature),
        "silence": baselines.silence(labels),
        "most_frequent_step": baselines.most_frequent_step(labels, training),
        "previous_bar": baselines.previous_bar(labels, data.steps_per_bar),
        "nearest_training": baselines.nearest_training(labels, training, data.classes),
    }
    return {
        name: dataclasses.asdict(
            compare(labels, answer, classes=data.classes, steps_per_bar=data.steps_per_bar, resampler=resampler)
        )
        for name, answer in answers.items()
    }


def describe_distribution(samples: Labels, data: Data, seed: int) -> dict[str, Any]:
    """How alike samples and the split are, feature by feature; and as many training windows and the split."""
    random = np.random.default_rng([seed, _TRAINING_SET])
    count = min(len(samples), len(data.training))
    chosen = data.training.labels[random.choice(len(data.training), count, replace=False)]
    of_samples, of_training, of_split = (
        _features(labels, data.classes, data.steps_per_bar) for labels in (samples, chosen, data.windows.labels)
    )
    return {
        name: {
            "samples": dataclasses.asdict(distributions.compare(of_samples[name], reference, seed=seed)),
            "training": dataclasses.asdict(distributions.compare(of_training[name], reference, seed=seed)),
        }
        for name, reference in of_split.items()
    }


def _features(labels: Labels, classes: int, steps_per_bar: int) -> dict[str, Floats]:
    """What distributions are compared by, ``[n]`` or ``[n, k]`` each: see ``evaluation.rhythm``."""
    hits = to_hits(labels, classes)
    return {
        "hits_per_bar": rhythm.hits_per_bar(hits, steps_per_bar),
        "syncopation": rhythm.syncopation(hits, steps_per_bar),
        "groove_consistency": rhythm.groove_consistency(hits, steps_per_bar),
        "voice_shares": rhythm.voice_shares(hits, steps_per_bar),
        "density": rhythm.density(hits, steps_per_bar),
    }

"""Everything that is measured about one model on one split, from the model's answers to plain figures.

Latent vectors and pairs are drawn with NumPy from the seed, so the figures do not depend on batches.
Nothing here knows TensorFlow: see ``evaluation.model``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.evaluation import baselines, distributions, rhythm
from pipeline.evaluation.accuracy import compare
from pipeline.evaluation.intervals import FileResampler
from pipeline.evaluation.latent_space import importance_bound, kl_bits
from pipeline.evaluation.model import LIKELIEST, Model, Vectors
from pipeline.evaluation.novelty import novelty
from pipeline.evaluation.space import describe_space
from pipeline.evaluation.windows import Data, Floats, Labels, to_hits
from pipeline.models.latents import prior

RESAMPLES = 2000
_ROWS = 4096  # windows that go through the model between two reports of progress

# so that no two draws of one seed share their numbers
_POSTERIOR, _TRAINING_SET = 1, 2


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is drawn, and how.

    Attributes:
        seed: of every draw.
        temperature: of free-running decoding from a sampled z, and of samples from the prior.
        importance_samples: latent vectors a window for the importance-weighted bound.
        samples: windows drawn from the prior.
    """

    seed: int = 0
    temperature: float = 1.0
    importance_samples: int = 16
    samples: int = 1000


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
    means, scales = model.encode(labels)
    noise = np.random.default_rng([seed, _POSTERIOR]).standard_normal(means.shape, dtype=np.float32)
    sampled = means + scales * noise
    likelihood = _likelihood(model, labels, means, scales, sampled, resampler, settings, advance)
    reconstruction = _reconstruction(model, data, means, sampled, resampler, settings, advance)
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
        "distribution": _distribution(samples, data, seed),
        "latent": describe_space(model, data, means, scales, seed, advance),
    }


def _likelihood(
    model: Model,
    labels: Labels,
    means: Vectors,
    scales: Vectors,
    sampled: Vectors,
    resampler: FileResampler,
    settings: Settings,
    advance: Callable[[str, float], None],
) -> dict[str, Any]:
    """Reconstruction, KL divergence, ELBO and the tighter bound, per window; nats but for ``kl_bits``."""
    count = settings.importance_samples
    log_weights, nats = np.zeros((len(labels), count)), np.zeros((len(labels), count))
    random = np.random.default_rng([settings.seed, _POSTERIOR, 1])
    for k in range(count):
        noise = random.standard_normal(means.shape, dtype=np.float32)
        z = sampled if k == 0 else means + scales * noise
        for start in range(0, len(labels), _ROWS):
            rows = slice(start, start + _ROWS)
            nats[rows, k] = model.score(labels[rows], z[rows]).nats.sum(axis=1, dtype=np.float64)
            advance("likelihood", (k + min(start + _ROWS, len(labels)) / len(labels)) / count)
        # log p(z) - log q(z|x); what both have in common falls out
        distance = (z.astype(np.float64) - means) / scales
        log_ratio = (0.5 * distance**2 + np.log(scales.astype(np.float64)) - 0.5 * z.astype(np.float64) ** 2).sum(
            axis=1
        )
        log_weights[:, k] = log_ratio - nats[:, k]
    reconstruction, bits = nats.mean(axis=1), kl_bits(means, scales)
    figures = {
        "reconstruction": reconstruction,
        "reconstruction_per_step": reconstruction / labels.shape[1],
        "kl_bits": bits,
        "elbo": -reconstruction - bits * np.log(2),
        "importance_bound": importance_bound(log_weights),
    }
    return {name: dataclasses.asdict(resampler.mean(values)) for name, values in figures.items()}


def _reconstruction(
    model: Model,
    data: Data,
    means: Vectors,
    sampled: Vectors,
    resampler: FileResampler,
    settings: Settings,
    advance: Callable[[str, float], None],
) -> dict[str, Any]:
    """The model's answers and the baselines', compared with the windows."""
    labels, training = data.windows.labels, data.training.labels
    advance("reconstruction", 0)
    answers = {
        "teacher_forced": model.score(labels, means).likeliest,
        "free_running": model.decode(means, LIKELIEST),
        "free_running_sampled": model.decode(sampled, settings.temperature),
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


def _distribution(samples: Labels, data: Data, seed: int) -> dict[str, Any]:
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

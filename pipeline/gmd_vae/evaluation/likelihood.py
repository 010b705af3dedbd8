"""How likely a model finds windows: its reconstruction, its KL divergence, and the bounds that both give."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Floats
from gmd_vae.evaluation.latent.posterior import importance_bound, kl_bits
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.model import Vectors

# of some windows, from their latent vectors: the loss of each window, by part
Scorer = Callable[[Vectors], Mapping[str, Floats]]


@dataclasses.dataclass(frozen=True)
class Posterior:
    """What the encoder makes of windows.

    Attributes:
        means: float32 ``[n, z_size]``.
        scales: standard deviations, likewise.
        sampled: one latent vector of each window, drawn.
        random: draws more of them.
    """

    means: Vectors
    scales: Vectors
    sampled: Vectors
    random: np.random.Generator

    @staticmethod
    def of(means: Vectors, scales: Vectors, seed: int) -> Posterior:
        """Draws with NumPy, so the figures do not depend on batches."""
        noise = np.random.default_rng([seed, _POSTERIOR]).standard_normal(means.shape, dtype=np.float32)
        return Posterior(means, scales, means + scales * noise, np.random.default_rng([seed, _POSTERIOR, 1]))


_POSTERIOR = 1  # so that no two draws of one seed share their numbers


def measure_likelihood(
    scorer: Callable[[slice], Scorer],
    posterior: Posterior,
    steps: npt.NDArray[np.int64],
    resampler: FileResampler,
    *,
    draws: int,
    rows: int,
    is_likelihood: bool = True,
    advance: Callable[[str, float], None],
) -> dict[str, Any]:
    """Reconstruction, KL divergence, ELBO and the tighter bound, per window; nats but for ``kl_bits``.

    Args:
        scorer: of some of the windows.
        posterior: of all of them.
        steps: of each window, ``[n]``.
        resampler: for the intervals.
        draws: latent vectors a window.
        rows: windows that a scorer is asked for at once.
        is_likelihood: whether the losses are minus log likelihoods. If they are not, there is no tighter bound,
            and ``elbo`` is no bound of anything: minus Magenta's loss at β 1, without free bits.
        advance: see ``evaluate.measure``.

    Returns:
        The figures by name; ``parts`` has the reconstruction of each part where there are several.
    """
    means, scales = posterior.means, posterior.scales
    count = len(means)
    log_weights, parts = np.zeros((count, draws)), dict[str, Floats]()
    for start in range(0, count, rows):
        some = slice(start, min(start + rows, count))
        losses_of = scorer(some)
        for k in range(draws):
            noise = posterior.random.standard_normal(means[some].shape, dtype=np.float32)
            z = posterior.sampled[some] if k == 0 else means[some] + scales[some] * noise
            losses = losses_of(z)
            for name, values in losses.items():
                parts.setdefault(name, np.zeros(count))[some] += values / draws
            # log p(z) - log q(z|x); what both have in common falls out
            distance = (z.astype(np.float64) - means[some]) / scales[some]
            ratio = 0.5 * distance**2 + np.log(scales[some].astype(np.float64)) - 0.5 * z.astype(np.float64) ** 2
            log_weights[some, k] = ratio.sum(axis=1) - np.sum(list(losses.values()), axis=0)
            advance("likelihood", (start + (some.stop - start) * (k + 1) / draws) / count)
    reconstruction, bits = np.sum(list(parts.values()), axis=0), kl_bits(means, scales)
    figures = {
        "reconstruction": resampler.mean(reconstruction),
        "reconstruction_per_step": resampler.ratio(reconstruction, steps),
        "kl_bits": resampler.mean(bits),
        "elbo": resampler.mean(-reconstruction - bits * np.log(2)),
    }
    if is_likelihood:
        figures["importance_bound"] = resampler.mean(importance_bound(log_weights))
    found: dict[str, Any] = {name: dataclasses.asdict(figure) for name, figure in figures.items()}
    if len(parts) > 1:
        found["parts"] = {name: dataclasses.asdict(resampler.mean(values)) for name, values in parts.items()}
    return found

"""The likelihood of windows: reconstruction loss, KL divergence, ELBO and the importance-weighted bound."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats, Vectors
from gmd_vae.evaluation.latent.posterior import importance_bound, kl_bits
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, FileSums
from gmd_vae.evaluation.model import Model

Advance: TypeAlias = Callable[[str, float], None]  # progress callback: name of the stage, share that is done (0 to 1)
Losses: TypeAlias = Mapping[str, Floats]  # loss of each window, [n], by part of the output

BatchT = TypeVar("BatchT")

# First words of the seeds of NumPy's generators, so that different draws are independent
_POSTERIOR = 1


@dataclasses.dataclass(frozen=True)
class Posterior:
    """The posterior q(z|x) of windows, a diagonal Gaussian.

    Attributes:
        means: float32 ``[n, z_size]``.
        scales: Standard deviations, float32 ``[n, z_size]``.
        sampled: One draw of z for each window, float32 ``[n, z_size]``.
        random: RNG for more draws.
    """

    means: Vectors
    scales: Vectors
    sampled: Vectors
    random: np.random.Generator

    @staticmethod
    def draw(means: Vectors, scales: Vectors, seed: int) -> Posterior:
        """Draws one z for each window with NumPy, so that figures do not depend on the model's batch size."""
        noise = np.random.default_rng([seed, _POSTERIOR]).standard_normal(means.shape, dtype=np.float32)
        return Posterior(means, scales, means + scales * noise, np.random.default_rng([seed, _POSTERIOR, 1]))


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """Likelihood of a window, in nats except for ``kl_bits``.

    Attributes:
        reconstruction: Reconstruction loss, mean over the draws of z.
        reconstruction_per_step: Reconstruction loss divided by the number of steps.
        kl_bits: KL divergence from the posterior to the prior, in bits.
        elbo: Evidence lower bound. GrooVAE: minus Magenta's loss at β 1 without free bits, which is no bound.
        importance_bound: Importance-weighted bound; ``None`` where the losses are no log likelihoods.
        parts: Reconstruction loss of each part of the output; ``None`` where there is one part.
        elbo_by_file: ELBO and number of windows of each file; results of version 0.11 and earlier have none.
    """

    reconstruction: Estimate
    reconstruction_per_step: Estimate
    kl_bits: Estimate
    elbo: Estimate
    importance_bound: Estimate | None = None
    parts: dict[str, Estimate] | None = None
    elbo_by_file: FileSums | None = None


def measure_likelihood(
    window_losses: Callable[[slice], Callable[[Vectors], Losses]],
    posterior: Posterior,
    steps: npt.NDArray[np.int64],
    resampler: FileResampler,
    *,
    draws: int,
    rows: int,
    is_likelihood: bool = True,
    advance: Advance,
) -> Likelihood:
    """Measures the likelihood of windows, with ``draws`` latent vectors for each.

    Args:
        window_losses: Function from a range of windows to their losses given z; see ``window_losses``.
        posterior: Posterior of all windows.
        steps: Number of steps of each window, ``[n]``.
        resampler: Resampler for the intervals.
        draws: Latent vectors per window.
        rows: Windows per batch.
        is_likelihood: True if the losses are negative log likelihoods; without them there is no importance bound.
        advance: Progress callback.
    """
    means, scales = posterior.means, posterior.scales
    count = len(means)
    log_weights, parts = np.zeros((count, draws)), dict[str, Floats]()
    for start in range(0, count, rows):
        batch = slice(start, min(start + rows, count))
        losses_given = window_losses(batch)
        for k in range(draws):
            noise = posterior.random.standard_normal(means[batch].shape, dtype=np.float32)
            z = posterior.sampled[batch] if k == 0 else means[batch] + scales[batch] * noise
            losses = losses_given(z)
            for name, values in losses.items():
                parts.setdefault(name, np.zeros(count))[batch] += values / draws
            # log p(z) - log q(z|x), without the constants that cancel
            distance = (z.astype(np.float64) - means[batch]) / scales[batch]
            ratio = 0.5 * distance**2 + np.log(scales[batch].astype(np.float64)) - 0.5 * z.astype(np.float64) ** 2
            log_weights[batch, k] = ratio.sum(axis=1) - np.sum(list(losses.values()), axis=0)
            advance("likelihood", (start + (batch.stop - start) * (k + 1) / draws) / count)
    reconstruction, bits = np.sum(list(parts.values()), axis=0), kl_bits(means, scales)
    elbo = -reconstruction - bits * np.log(2)
    return Likelihood(
        reconstruction=resampler.mean(reconstruction),
        reconstruction_per_step=resampler.ratio(reconstruction, steps),
        kl_bits=resampler.mean(bits),
        elbo=resampler.mean(elbo),
        importance_bound=resampler.mean(importance_bound(log_weights)) if is_likelihood else None,
        parts={name: resampler.mean(values) for name, values in parts.items()} if len(parts) > 1 else None,
        elbo_by_file=resampler.sums(elbo, np.ones(count)),
    )


def window_losses(model: Model[BatchT], windows: Any) -> Callable[[slice], Callable[[Vectors], Losses]]:
    """Returns the argument ``window_losses`` of ``measure_likelihood`` for a model.

    Args:
        model: The model.
        windows: All windows, in the form that the model reads.
    """

    def of_batch(rows: slice) -> Callable[[Vectors], Losses]:
        batch = windows[rows]

        def losses_given(z: Vectors) -> Losses:
            losses = model.score(batch, z).losses
            return {name: of_steps.sum(axis=1, dtype=np.float64) for name, of_steps in losses.items()}

        return losses_given

    return of_batch

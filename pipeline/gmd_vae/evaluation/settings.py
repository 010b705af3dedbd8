"""What an evaluation draws, and how."""

from __future__ import annotations

import dataclasses

RESAMPLES = 2000  # of the files, for the intervals


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

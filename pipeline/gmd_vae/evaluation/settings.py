"""The settings of an evaluation."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Settings:
    """Seed and sample sizes.

    Attributes:
        seed: Seed of all random draws.
        temperature: Temperature of samples from the prior, and of free-running decoding from a drawn z.
        importance_samples: Draws of z per window for the importance-weighted bound.
        samples: Number of samples from the prior.
        resamples: Number of bootstrap resamples of the files, for the intervals.
    """

    seed: int = 0
    temperature: float = 1.0
    importance_samples: int = 16
    samples: int = 1000
    resamples: int = 2000

    @property
    def suffix(self) -> str:
        """End of the name of a result: the settings that are not the defaults, as in ``-seed-1-samples-200``."""
        return "".join(
            f"-{field.name.replace('_', '-')}-{value:g}"
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        )

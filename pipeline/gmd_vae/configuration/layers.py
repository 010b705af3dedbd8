"""How a model's layers are computed. The model, its variables and its checkpoints are the same either way."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Layers:
    """Which code computes the encoder and the decoder, and how exactly.

    Attributes:
        accelerated: by our layers where there are some for a config, otherwise by Magenta's.
        precision: of the matrix products of our layers, ``fp32`` or ``bf16``. The rest, weights and
            states included, is always fp32.
    """

    accelerated: bool = True
    precision: str = "fp32"


ACCELERATED = Layers()
STOCK = Layers(accelerated=False)

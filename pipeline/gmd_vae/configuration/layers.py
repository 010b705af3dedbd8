"""The implementation of a model's layers: ours or Magenta's. Variables and checkpoints are the same for both."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Layers:
    """The choice of encoder and decoder layers, and their precision.

    Attributes:
        accelerated: Uses our layers where they support the config, else Magenta's. False: Magenta's.
        precision: Precision of the operands of our layers' matrix products, ``fp32`` or ``bf16``. Everything else,
            with weights and states, is fp32.
    """

    accelerated: bool = True
    precision: str = "fp32"


ACCELERATED = Layers()
STOCK = Layers(accelerated=False)

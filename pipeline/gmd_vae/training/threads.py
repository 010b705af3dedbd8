"""Number of threads per TensorFlow operation in training.

No TensorFlow here: it reads the environment variable when it starts, so the variable is set before.
"""

from __future__ import annotations

import os

from gmd_vae.common.machine import usable_cores

VARIABLE = "TF_NUM_INTRAOP_THREADS"  # environment variable of TensorFlow
_MAX_CORES = 2  # not measured with more cores


def share_processors() -> None:
    """Gives every operation one thread on machines with one or two cores, unless the user has set the variable.

    A training step has two independent operations most of the time, such as the two directions of the encoder. They
    occupy both cores; splitting each operation over the cores as well only adds waiting (docs/performance.md).
    """
    if usable_cores() <= _MAX_CORES:
        os.environ.setdefault(VARIABLE, "1")

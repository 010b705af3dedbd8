"""How many threads TensorFlow takes while it trains. No TensorFlow here: it reads this when it starts."""

from __future__ import annotations

import os

from gmd_vae.engines.local import default_jobs

VARIABLE = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's: threads of one operation
_FEW = 2  # processors; with more of them nothing was measured


def share_processors() -> None:
    """Where processors are few: each to an operation of its own, none to a part of another's.

    Most of the time a training step has two operations to do at once, the two directions of an encoder to begin with.
    To split each of them as well makes the processors wait for one another (docs/performance.md). A number that the
    user has set stays.
    """
    if default_jobs() <= _FEW:
        os.environ.setdefault(VARIABLE, "1")

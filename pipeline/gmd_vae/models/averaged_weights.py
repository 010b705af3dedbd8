"""Averages of the weights in a training checkpoint: their names, and which commands read them.

A run with ``average_decay`` keeps two values of each variable in ``RUN/train``: the weights of the step under Magenta's
name, from which training goes on, and their moving average under the name that
``tf.train.ExponentialMovingAverage`` would give it. Where both are there, the average is the model: everything but
training reads it, and ``RUN/best`` has nothing else, under Magenta's names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

SUFFIX = "/ExponentialMovingAverage"


def stored_names(names: Iterable[str], stored: Collection[str]) -> dict[str, str]:
    """Returns the name in a checkpoint of each variable of a model: that of its average, if it has one.

    Args:
        names: Names of the variables.
        stored: Names of all variables in the checkpoint.
    """
    return {name: f"{name}{SUFFIX}" if f"{name}{SUFFIX}" in stored else name for name in names}

"""Windows that are not held out, though the figures could be taken for figures of unseen music."""

from __future__ import annotations

from collections.abc import Sequence

from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.formats import number


def leaks(results: Sequence[Result]) -> list[str]:
    """Returns a sentence about each result with windows that the run was trained on.

    The run's own training split has none: nobody takes its figures for those of unseen music.
    """
    return [
        f"{number(result.figures.in_training)} of {number(result.figures.windows)} windows are training windows of "
        f"{result.identity.run}: these figures are not held out."
        for result in results
        if result.figures.in_training and not _is_training_split(result)
    ]


def _is_training_split(result: Result) -> bool:
    identity = result.identity
    return identity.split == "train" and identity.examples.sha256 == identity.training.sha256

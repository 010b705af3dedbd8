"""A line about what a model memorised, where samples are copies of training windows or these are few."""

from __future__ import annotations

from collections.abc import Sequence

from gmd_vae.evaluation.figures import MEDIAN
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.formats import number
from gmd_vae.windows.storage.examples_manifest import FEW_WINDOWS


def memorised(results: Sequence[Result]) -> list[str]:
    """Returns a line for each result whose samples have copies; of a single one also if it has few training windows.

    The table of several results has the distances to the training windows.
    """
    if len(results) == 1:
        few = results[0].identity.training.windows < FEW_WINDOWS
        return [f"Memorised: {_sentence(results[0])}"] if few or results[0].figures.novelty.samples.copied else []
    copiers = [result for result in results if result.figures.novelty.samples.copied]
    return [f"Memorised by {result.identity.run}: {_sentence(result)}" for result in copiers]


def _sentence(result: Result) -> str:
    """Returns the copies and the median distance."""
    measured = result.figures
    samples, held_out = measured.novelty.samples, measured.novelty.held_out
    copies, windows = samples.copied, result.identity.training.windows
    steps = "events" if measured.steps_per_bar is None else f"of {measured.steps} steps"
    line = (
        f"{copies:,} of {samples.samples:,} samples are copies of one of the {windows:,} training windows; the median "
        f"sample differs from the nearest one in {number(samples.steps.median, MEDIAN.digits)} {steps}"
    )
    if measured.in_training:  # such windows are copies themselves
        return f"{line}."
    unseen = f"{number(100 * held_out.copies.value, 1)} % and {number(held_out.steps.median, MEDIAN.digits)}"
    return f"{line} (unseen windows: {unseen})."

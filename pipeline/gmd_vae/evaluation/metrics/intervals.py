"""95 % intervals of figures by a cluster bootstrap over files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats

Numbers: TypeAlias = npt.NDArray[Any]  # bool, integers or floats; summed as float64

_TAILS = (0.025, 0.975)
_CHUNK = 1 << 21  # draws in memory as float64 at one time: 16 MB


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval.

    Attributes:
        value: Figure on the windows as they are; NaN where it is 0/0.
        low: Lower end of the interval; NaN where there is none.
        high: Upper end of the interval; NaN where there is none.
    """

    value: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class FileSums:
    """A ratio of sums over windows, by file: what the paired difference of two runs on the same windows needs.

    Attributes:
        numerators: Sum of each file, for example its right steps. The files are in the order in which their ids first
            occur in the examples of the split; a window of several files counts for its first id.
        denominators: Likewise, for example all its steps.
    """

    numerators: tuple[float, ...]
    denominators: tuple[float, ...]

    def minus(self, other: FileSums, resamples: int, seed: int) -> Estimate:
        """Estimates the difference to the ratio of another prediction of the same windows.

        The interval is paired: each resample draws the same files for both, so that files that are easy or hard for
        both do not widen it.

        Args:
            other: Sums of the same files, in the same order.
            resamples: Number of resamples.
            seed: Seed of the draws.

        Raises:
            ValueError: The numbers of files differ.
        """
        return difference_of_means([self], [other], resamples, seed)


def difference_of_means(ones: Sequence[FileSums], others: Sequence[FileSums], resamples: int, seed: int) -> Estimate:
    """Estimates the mean ratio of some predictions minus that of others, all of the same windows.

    The interval is paired over files, as that of ``FileSums.minus``. The predictions themselves are not resampled: the
    interval says nothing about the choice of seeds.

    Args:
        ones: Sums of the same files, in the same order, for each prediction; for example of the seeds of one recipe.
        others: Likewise, of the predictions that are subtracted.
        resamples: Number of resamples.
        seed: Seed of the draws.

    Raises:
        ValueError: The numbers of files differ.
    """
    parts = [part for each in (*ones, *others) for part in (each.numerators, each.denominators)]
    if len({len(part) for part in parts}) > 1:
        raise ValueError("sums of different files")

    def combine(sums: Floats) -> Floats:
        ratios = divide(sums[..., 0::2], sums[..., 1::2])
        difference: Floats = ratios[..., : len(ones)].mean(axis=-1) - ratios[..., len(ones) :].mean(axis=-1)
        return difference

    resampler = FileResampler(np.arange(len(parts[0])), resamples, seed)
    return resampler.statistic(np.array(parts, np.float64).T, combine)


def known_difference(
    ones: Sequence[FileSums | None], others: Sequence[FileSums | None], resamples: int, seed: int
) -> Estimate | None:
    """Returns ``difference_of_means``; ``None`` where a prediction has no sums, or those of other files."""
    known, subtracted = ([sums for sums in side if sums is not None] for side in (ones, others))
    if len(known) < len(ones) or len(subtracted) < len(others):
        return None
    if len({len(sums.numerators) for sums in (*known, *subtracted)}) > 1:
        return None
    return difference_of_means(known, subtracted, resamples, seed)


class FileResampler:
    """Percentile intervals by a cluster bootstrap over files.

    Windows of one file overlap and repeat each other: they carry less information than as many independent windows.
    The resamples therefore draw files with replacement, each with all its windows. Every figure is a function of sums
    over windows. Its interval reaches from the 2.5th to the 97.5th percentile over the resamples. Sources: Efron &
    Tibshirani 1993, "An Introduction to the Bootstrap", ch. 13 (percentile intervals); Davison & Hinkley 1997,
    "Bootstrap Methods and their Application", sec. 3.8 (clustered data).

    A figure has an interval only if at least two files contribute to it. Resamples in which the figure is 0/0 are
    left out. With a few tens of files, percentile intervals are a little too narrow.

    All calls use the same draws, which depend only on ``seed`` and the number of files.

    Args:
        groups: Number of each window's file, integers ``[n]``; numbers may be missing.
        resamples: Number of resamples.
        seed: Seed of the draws.

    Raises:
        ValueError: There are no windows.
    """

    def __init__(self, groups: npt.NDArray[np.integer[Any]], resamples: int = 2000, seed: int = 0) -> None:
        if not len(groups):
            raise ValueError("no windows")
        numbers, self._file_of = np.unique(groups, return_inverse=True)
        files = len(numbers)
        random = np.random.default_rng(seed)
        # One byte is enough: the probability to draw one of at least 256 files 256 times is below 1e-500.
        self._draws = np.zeros((resamples, files), np.uint8)
        for row in self._draws:
            row[:] = np.bincount(random.integers(files, size=files), minlength=files)

    @property
    def files(self) -> int:
        """Number of files."""
        return self._draws.shape[1]

    def mean(self, values: Numbers) -> Estimate:
        """Estimates the mean over windows.

        Args:
            values: One value for each window, ``[n]``.
        """
        return self.ratio(values, np.ones(len(values)))

    def ratio(self, numerators: Numbers, denominators: Numbers) -> Estimate:
        """Estimates a ratio of two sums over windows, for example of right steps to all steps.

        Args:
            numerators: ``[n]``.
            denominators: ``[n]``; where their sum is 0, the ratio is NaN.
        """
        return self.ratios(np.asarray(numerators)[:, None], np.asarray(denominators)[:, None])[0]

    def ratios(self, numerators: Numbers, denominators: Numbers) -> list[Estimate]:
        """Estimates several ratios at once.

        Args:
            numerators: ``[n, k]``.
            denominators: ``[n, k]``.

        Returns:
            One estimate for each of the ``k`` columns.
        """
        k = numerators.shape[1]
        columns = np.concatenate([numerators, denominators], axis=1)
        return self._estimates(columns, lambda sums: divide(sums[..., :k], sums[..., k:]))

    def sums(self, numerators: Numbers, denominators: Numbers) -> FileSums:
        """Returns the sums of each file; arguments as of ``ratio``."""
        columns = (np.bincount(self._file_of, np.asarray(part, np.float64)) for part in (numerators, denominators))
        return FileSums(*(tuple(column.tolist()) for column in columns))

    def statistic(self, columns: Numbers, combine: Callable[[Floats], Floats]) -> Estimate:
        """Estimates any figure that is a function of sums over windows.

        Args:
            columns: ``[n, k]``.
            combine: Function from the columns' sums, float64 ``[..., k]``, to the figure, ``[...]``. It returns NaN
                without a warning where the sums do not define the figure, as ``divide`` does.
        """
        return self._estimates(columns, lambda sums: combine(sums)[..., None])[0]

    def _estimates(self, columns: Numbers, combine: Callable[[Floats], Floats]) -> list[Estimate]:
        if len(columns) != len(self._file_of):
            raise ValueError(f"{len(columns)} rows for {len(self._file_of)} windows")
        sums = np.array([np.bincount(self._file_of, column) for column in columns.T], np.float64).T  # [files, k]
        rows = max(1, _CHUNK // self.files)
        resampled = np.concatenate(
            [
                combine(self._draws[start : start + rows].astype(np.float64) @ sums)
                for start in range(0, len(self._draws), rows)
            ]
        )
        values, contributing = combine(sums.sum(axis=0)), np.isfinite(combine(sums)).sum(axis=0)
        return [
            Estimate(float(value), *(_percentiles(column) if files > 1 else (np.nan, np.nan)))
            for value, column, files in zip(values, resampled.T, contributing, strict=True)
        ]


def divide(numerators: Floats, denominators: Floats) -> Floats:
    """Divides float64 arrays of one shape; NaN without a warning where the denominator is 0."""
    quotients: Floats = np.full(numerators.shape, np.nan)
    np.divide(numerators, denominators, out=quotients, where=denominators != 0)
    return quotients


def _percentiles(values: Floats) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.nan, np.nan
    low, high = np.quantile(finite, _TAILS)
    return float(low), float(high)

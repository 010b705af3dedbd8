"""Exact nearest-neighbour search over windows packed as bits."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Labels

# A tile of pairs is 512 KiB of uint64, so that its few arrays stay in the processor's cache. Long rows are a third
# faster than square tiles.
_TILE_QUERIES = 4
_TILE_CORPUS = 16384


@dataclasses.dataclass(frozen=True)
class Nearest:
    """The nearest window of each query. All fields are int64 ``[n]``.

    Attributes:
        index: Number of the window in the corpus. Ties in differing steps are broken by the fewest differing hits,
            then by the lowest number.
        steps: Number of steps whose labels differ.
        hits: Number of drum hits that are in one of the two windows only.
    """

    index: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    hits: npt.NDArray[np.int64]


def pack(labels: Labels, classes: int) -> npt.NDArray[np.uint64]:
    """Packs labels as bit planes: one for each class, 64 steps to a word.

    Args:
        labels: ``[n, steps]``, each below ``2 ** classes``.
        classes: Number of drum classes.

    Returns:
        uint64 ``[n, classes, words]``, ``words = ceil(steps / 64)``; steps after the end are silent.
    """
    count, steps = labels.shape
    words = -(-steps // 64)
    packed = np.zeros((count, classes, words * 8), np.uint8)
    for number in range(classes):
        plane = np.packbits((labels >> number) & 1 > 0, axis=1)
        packed[:, number, : plane.shape[1]] = plane
    return packed.view(np.uint64)


def nearest(queries: npt.NDArray[np.uint64], corpus: npt.NDArray[np.uint64]) -> Nearest:
    """Finds the window of ``corpus`` that differs from each query in the fewest steps.

    All pairs are compared, tile by tile: about a second for 1,760 queries in 13,207 windows of 64 steps. Memory is a
    copy of the corpus and a few MB.

    Args:
        queries: Packed windows, uint64 ``[n, classes, words]``; see ``pack``.
        corpus: Packed windows of the same length and classes, uint64 ``[m, classes, words]``.

    Raises:
        ValueError: The corpus is empty, or its windows have another length or other classes.
    """
    if not len(corpus):
        raise ValueError("there are no windows to search")
    if queries.shape[1:] != corpus.shape[1:]:
        raise ValueError(f"windows of {queries.shape[1:]} (classes, words) in a corpus of {corpus.shape[1:]}")
    planes = np.ascontiguousarray(np.moveaxis(corpus, 0, -1))
    best = np.full(len(queries), np.iinfo(np.int64).max)
    index = np.zeros(len(queries), np.int64)
    for first in range(0, len(queries), _TILE_QUERIES):
        rows = slice(first, first + _TILE_QUERIES)
        for start in range(0, len(corpus), _TILE_CORPUS):
            distance = _distances(queries[rows], planes[..., start : start + _TILE_CORPUS])
            nearest_of_tile = distance.argmin(axis=1)
            least = np.take_along_axis(distance, nearest_of_tile[:, None], axis=1)[:, 0]
            closer = least < best[rows]
            best[rows] = np.where(closer, least, best[rows])
            index[rows] = np.where(closer, nearest_of_tile + start, index[rows])
    return Nearest(index, best >> 32, best & 0xFFFFFFFF)


def _distances(queries: npt.NDArray[np.uint64], planes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Returns steps times 2**32 plus hits for every pair, so that one integer orders by both."""
    shape = len(queries), planes.shape[-1]
    steps, hits = np.zeros(shape, np.uint32), np.zeros(shape, np.uint32)
    for word in range(planes.shape[1]):
        any_class = np.zeros(shape, np.uint64)
        for number in range(planes.shape[0]):
            differ = queries[:, number, word, None] ^ planes[number, word]
            any_class |= differ
            hits += np.bitwise_count(differ)
        steps += np.bitwise_count(any_class)
    return (steps.astype(np.int64) << 32) + hits

"""Merges the batch files: removes repeats, separates the splits, and makes examples in the order of rank.

The merge goes in sweeps over ranges of ranks, each small enough for memory. Equal windows have the same rank, so they
are in the same sweep.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.engines.resumable import Batches
from gmd_vae.windows.extraction import Dropped, Layout
from gmd_vae.windows.storage import records
from gmd_vae.windows.storage.batch_files import RANK, RANK_STARTS, Array, Batch, Rows, rank_of
from gmd_vae.windows.storage.sorted_runs import SortedRuns

_SWEEP_BYTES = 24 << 20  # memory of a sweep, by the estimates in the batch files
_EXAMPLES_AT_ONCE = 4096


class Totals:
    """Sums over all batch files.

    Attributes:
        sequences: Number of NoteSequences in each split, in the order of ``SPLITS``.
        windows: Number of their windows in each split, repeats included.
        dropped: Counts of the music that gave no window.
    """

    def __init__(self, batches: Batches, count: int) -> None:
        """Reads the headers of all batch files.

        Args:
            batches: The batch files.
            count: Number of batch files.

        Raises:
            EngineError: A header is damaged.
        """
        self.sequences = [0] * len(SPLITS)
        self.windows = [0] * len(SPLITS)
        self.dropped = Dropped()
        weights = np.zeros(RANK_STARTS, np.int64)
        for number in range(count):
            with batches.reading(number) as path:
                batch = Batch.open(path)
            self.sequences = [sum(pair) for pair in zip(self.sequences, batch.sequences, strict=True)]
            self.windows = [sum(pair) for pair in zip(self.windows, batch.windows, strict=True)]
            self.dropped.add(batch.dropped)
            weights += batch.weights
        self._weights: list[int] = weights.tolist()

    def sweeps(self) -> Iterator[tuple[int, int]]:
        """Yields ranges ``(low, high)`` of the ranks' first byte, each small enough for memory, or one value."""
        low = weight = 0
        for start, more in enumerate(self._weights):
            if start > low and weight + more > _SWEEP_BYTES:
                yield low, start
                low, weight = start, 0
            weight += more
        yield low, RANK_STARTS


@dataclasses.dataclass
class Merged:
    """The examples of each split, in the order of ``SPLITS``, and counts of removed windows.

    Attributes:
        runs: Examples of each split.
        distinct: Number of different windows in the NoteSequences of each split.
        taken_out: For each split: number of a later split → number of windows removed because that split has them.
    """

    runs: list[SortedRuns]
    distinct: list[int] = dataclasses.field(default_factory=lambda: [0] * len(SPLITS))
    taken_out: list[dict[int, int]] = dataclasses.field(
        # the last split first: a window of train in validation and test counts as shared with test
        default_factory=lambda: [dict.fromkeys(reversed(range(n + 1, len(SPLITS))), 0) for n in range(len(SPLITS))]
    )

    def remove(self) -> None:
        """Removes temporary files."""
        for runs in self.runs:
            runs.remove()


def merge(
    batches: Batches,
    count: int,
    sweeps: Iterable[tuple[int, int]],
    layout: Layout,
    *,
    keep_duplicates: bool,
    into: Merged,
) -> None:
    """Adds all windows of the batch files to ``into``.

    Args:
        batches: Batch files of ``write_batch``.
        count: Number of batch files.
        sweeps: Ranges of ranks from ``Totals.sweeps``.
        layout: Format of the windows.
        keep_duplicates: Makes an example for each occurrence of a window, not one for all.
        into: Receives the examples and counts; starts empty.

    Raises:
        EngineError: A batch file is damaged.
        OSError: The disk is full.
    """
    for low, high in sweeps:
        _add(_Sweep.read(batches, count, low, high), layout, keep_duplicates, into)


def _add(sweep: _Sweep, layout: Layout, keep_duplicates: bool, into: Merged) -> None:
    for split, chosen in enumerate(_choose(sweep.occurs, keep_duplicates, into)):
        for rank, example in _examples(sweep, split, chosen, layout, keep_duplicates):
            into.runs[split].add(rank, example)


def _choose(occurs: Array, keep_duplicates: bool, into: Merged) -> list[Array]:
    """Returns the numbers of the windows that each split keeps, and counts the others.

    Args:
        occurs: Number of occurrences of each window in each split, int64 ``[windows, splits]``.
        keep_duplicates: Counts occurrences, not windows.
        into: Receives the counts.
    """
    present = occurs > 0
    keeps = present.copy()
    for split, others in enumerate(into.taken_out):
        into.distinct[split] += int(np.count_nonzero(present[:, split]))
        for other in others:
            shared = keeps[:, split] & present[:, other]
            others[other] += int(occurs[shared, split].sum() if keep_duplicates else np.count_nonzero(shared))
            keeps[shared, split] = False
    return [np.flatnonzero(column) for column in keeps.T]


@dataclasses.dataclass(frozen=True)
class _Sweep:
    """The different windows of a range of ranks in the order of rank, and their sources.

    Attributes:
        ranks: Rank of each window, S16 ``[windows]``.
        begins: Start of each window in ``data``, int64 ``[windows]``.
        ends: End of each window in ``data``, int64 ``[windows]``.
        data: Packed windows, uint8.
        occurs: Number of occurrences of each window in each split, int64 ``[windows, splits]``.
        sources: Number in ``ids`` of each occurrence, int64; sorted by split, then by window, then as in the input.
        ids: Ids of NoteSequences in UTF-8.
    """

    ranks: Array
    begins: Array
    ends: Array
    data: Array
    occurs: Array
    sources: Array
    ids: list[bytes]

    @classmethod
    def read(cls, batches: Batches, count: int, low: int, high: int) -> _Sweep:
        """Reads the windows with a first byte of the rank in ``[low, high)`` from all batch files."""
        blocks: list[Rows] = []
        splits = []
        ids: list[bytes] = []
        for number in range(count):
            with batches.reading(number) as path:
                batch = Batch.open(path)
                batch_rows = batch.read_windows(low, high)
                names, split_of = batch.read_ids()
            for rows in filter(lambda rows: len(rows.ranks), batch_rows):
                # numbers of NoteSequences in the batch become numbers in ``ids``; ids without windows are dropped
                used, new_numbers = np.unique(rows.sources, return_inverse=True)
                blocks.append(rows._replace(sources=new_numbers + len(ids)))
                splits.append(split_of[rows.sources])
                ids += [names[number_in_batch] for number_in_batch in used.tolist()]
        return cls._join(blocks, splits, ids)

    @classmethod
    def _join(cls, blocks: Sequence[Rows], splits: Sequence[Array], ids: list[bytes]) -> _Sweep:
        """Joins the blocks; ``splits`` has the split of each occurrence of each block."""
        if not blocks:
            nothing = np.zeros(0, np.int64)
            return cls(np.zeros(0, RANK), nothing, nothing, nothing, np.zeros((0, len(SPLITS)), int), nothing, ids)
        ranks, sizes, counts, data, sources = (np.concatenate(column) for column in zip(*blocks, strict=True))
        order = np.argsort(ranks, kind="stable")
        new = np.append(True, ranks[order[1:]] != ranks[order[:-1]])
        window_of = np.empty(len(order), np.int64)  # row → number of its window
        window_of[order] = np.cumsum(new) - 1
        firsts = order[new]  # first row of each window
        keys = np.concatenate(splits).astype(np.int64) * len(firsts) + np.repeat(window_of, counts)
        occurs = np.bincount(keys, minlength=len(SPLITS) * len(firsts)).reshape(len(SPLITS), -1).T
        ends = np.cumsum(sizes, dtype=np.int64)[firsts]
        by_split_and_window = np.argsort(keys, kind="stable")  # stable: equal keys stay in the order of the input
        return cls(ranks[firsts], ends - sizes[firsts], ends, data, occurs, sources[by_split_and_window], ids)


def _examples(
    sweep: _Sweep, split: int, chosen: Array, layout: Layout, keep_duplicates: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Yields rank and record of each example that the chosen windows of a split become."""
    last = np.cumsum(sweep.occurs.T)[split * len(sweep.ranks) + chosen]
    for start in range(0, len(chosen), _EXAMPLES_AT_ONCE):
        numbers, ends = chosen[start : start + _EXAMPLES_AT_ONCE], last[start : start + _EXAMPLES_AT_ONCE]
        begins = ends - sweep.occurs[numbers, split]
        windows = [
            sweep.data[begin:end].tobytes()
            for begin, end in zip(sweep.begins[numbers].tolist(), sweep.ends[numbers].tolist(), strict=True)
        ]
        ranks = sweep.ranks[numbers].tobytes()
        rows = zip(windows, records.unpack_features(layout, windows), begins.tolist(), ends.tolist(), strict=True)
        for number, (window, features, begin, end) in enumerate(rows):
            rank = ranks[number * RANK.itemsize : (number + 1) * RANK.itemsize]
            names = [sweep.ids[source] for source in sweep.sources[begin:end].tolist()]
            if not keep_duplicates:
                yield rank, records.example_record(features, dict.fromkeys(names))
                continue
            for occurrence, name in enumerate(names):
                yield rank_of(window, occurrence) if occurrence else rank, records.example_record(features, [name])

"""The batches of the windows become one: repeats found, splits kept apart, in order of rank.

It goes in sweeps over ranges of ranks, each small enough for memory. All copies of a window have its
rank, so one sweep sees them all.
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

_SWEEP_BYTES = 24 << 20  # of memory, as the batches weigh their windows
_BATCH = 4096  # windows that become examples at once


class Totals:
    """What the batches hold together.

    Attributes:
        sequences: NoteSequences by split, in the order of ``SPLITS``.
        windows: their windows by split, repeats counted.
        dropped: what gave no window.
    """

    def __init__(self, batches: Batches, count: int) -> None:
        """Reads the headers of all ``count`` batches.

        Raises:
            EngineError: one is damaged.
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
        """Ranges of the ranks' first byte, each of as much as fits in memory (but at least one value)."""
        low = weight = 0
        for start, more in enumerate(self._weights):
            if start > low and weight + more > _SWEEP_BYTES:
                yield low, start
                low, weight = start, 0
            weight += more
        yield low, RANK_STARTS


@dataclasses.dataclass
class Merged:
    """The examples by split, in the order of ``SPLITS``, and what was left out.

    Attributes:
        runs: the examples.
        distinct: different windows that the split's NoteSequences hold.
        taken_out: by number of split: windows left out because a later split has them, that split → how many.
    """

    runs: list[SortedRuns]
    distinct: list[int] = dataclasses.field(default_factory=lambda: [0] * len(SPLITS))
    taken_out: list[dict[int, int]] = dataclasses.field(
        # train first: what is in test too is counted there, not as shared with validation
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
    """Adds all windows of the batches to ``into``.

    Args:
        batches: written by ``write_batch``.
        count: how many there are.
        sweeps: see ``Totals.sweeps``.
        layout: of the windows.
        keep_duplicates: an example for each occurrence of a window, not one for all.
        into: starts empty.

    Raises:
        EngineError: a batch is damaged.
        OSError: the disk is full.
    """
    for low, high in sweeps:
        _add(_Sweep.read(batches, count, low, high), layout, keep_duplicates, into)


def _add(sweep: _Sweep, layout: Layout, keep_duplicates: bool, into: Merged) -> None:
    for split, chosen in enumerate(_choose(sweep.occurs, keep_duplicates, into)):
        for rank, example in _examples(sweep, split, chosen, layout, keep_duplicates):
            into.runs[split].add(rank, example)


def _choose(occurs: Array, keep_duplicates: bool, into: Merged) -> list[Array]:
    """For each split the numbers of the windows that it keeps; counts the others. ``occurs`` is [windows, splits]."""
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
    """The different windows of a range of ranks, in order, and where they come from.

    Attributes:
        ranks: of each window.
        begins: where each window begins in ``data``, and ``ends``.
        data: packed windows in a row.
        occurs: [windows, splits], how often each window occurs.
        sources: for each split, and in it for each window in turn, the numbers of the ids in ``ids``.
        ids: of NoteSequences, in UTF-8.
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
        """Reads the windows whose ranks' first byte is from ``low`` to below ``high``."""
        found: list[Rows] = []
        splits = []
        ids: list[bytes] = []
        for number in range(count):
            with batches.reading(number) as path:
                batch = Batch.open(path)
                blocks = batch.read_windows(low, high)
                names, split_of = batch.read_ids()
            for rows in filter(lambda rows: len(rows.ranks), blocks):
                # their NoteSequences get numbers of the sweep; the other ids are let go
                used, places = np.unique(rows.sources, return_inverse=True)
                found.append(rows._replace(sources=places + len(ids)))
                splits.append(split_of[rows.sources])
                ids += [names[place] for place in used.tolist()]
        return cls._of(found, splits, ids)

    @classmethod
    def _of(cls, found: Sequence[Rows], splits: Sequence[Array], ids: list[bytes]) -> _Sweep:
        if not found:
            nothing = np.zeros(0, np.int64)
            return cls(np.zeros(0, RANK), nothing, nothing, nothing, np.zeros((0, len(SPLITS)), int), nothing, ids)
        ranks, sizes, counts, data, sources = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(ranks, kind="stable")
        new = np.append(True, ranks[order[1:]] != ranks[order[:-1]])
        window_of = np.empty(len(order), np.int64)  # row → number of its window
        window_of[order] = np.cumsum(new) - 1
        firsts = order[new]  # a window's first row
        keys = np.concatenate(splits).astype(np.int64) * len(firsts) + np.repeat(window_of, counts)
        occurs = np.bincount(keys, minlength=len(SPLITS) * len(firsts)).reshape(len(SPLITS), -1).T
        ends = np.cumsum(sizes, dtype=np.int64)[firsts]
        by_split_and_window = np.argsort(keys, kind="stable")  # in them, in the order of the input
        return cls(ranks[firsts], ends - sizes[firsts], ends, data, occurs, sources[by_split_and_window], ids)


def _examples(
    sweep: _Sweep, split: int, chosen: Array, layout: Layout, keep_duplicates: bool
) -> Iterator[tuple[bytes, bytes]]:
    """Yields rank and record of each example of a split: of the chosen windows."""
    last = np.cumsum(sweep.occurs.T)[split * len(sweep.ranks) + chosen]
    for start in range(0, len(chosen), _BATCH):
        some, ends = chosen[start : start + _BATCH], last[start : start + _BATCH]
        begins = ends - sweep.occurs[some, split]
        windows = [
            sweep.data[begin:end].tobytes()
            for begin, end in zip(sweep.begins[some].tolist(), sweep.ends[some].tolist(), strict=True)
        ]
        ranks = sweep.ranks[some].tobytes()
        rows = zip(windows, records.unpack_features(layout, windows), begins.tolist(), ends.tolist(), strict=True)
        for number, (window, features, begin, end) in enumerate(rows):
            rank = ranks[number * RANK.itemsize : (number + 1) * RANK.itemsize]
            names = [sweep.ids[place] for place in sweep.sources[begin:end].tolist()]
            if not keep_duplicates:
                yield rank, records.example_record(features, dict.fromkeys(names))
                continue
            for occurrence, name in enumerate(names):
                yield rank_of(window, occurrence) if occurrence else rank, records.example_record(features, [name])

"""NoteSequences → windows → deduplicated, split, sharded examples that describe themselves."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline import manifest
from pipeline.engines.local import default_jobs, map_in_order
from pipeline.errors import GmdVaeError
from pipeline.examples import records
from pipeline.examples.extraction import REASONS, Dropped, Extractor
from pipeline.examples.notes_input import NotesInput, Record, open_notes, split_of
from pipeline.examples.shards import STAGE, Entry, shard_count, write_shards
from pipeline.files import whole_folder
from pipeline.sources.info import SPLITS

_BYTES_PER_JOB = 32 << 20  # a process takes half a second to start: about what 20 MB of music takes to cut

Found = dict[bytes, list[int]]  # packed window → numbers of the NoteSequences it occurs in, with repeats

_HINTS = {
    "unreadable": "INPUT holds NoteSequences, as 'gmd-vae convert' writes them.",
    "quantized": "Give preprocess NoteSequences with times in seconds, as 'gmd-vae convert' writes them.",
    "no_drums": "Is the drum part on MIDI channel 10?",
    "no_known_drums": "The config's pitch_classes say which MIDI pitches are drums.",
    "bad_time_signature": "Check the time signatures of the MIDI files.",
    "other_bar_length": "'gmd-vae configs NAME' shows the bars that a config takes.",
    "no_windows": "Does this music have the parts that the config needs? 'gmd-vae configs NAME' shows them.",
    "too_short": "Choose a config with shorter windows: 'gmd-vae configs' lists them.",
}


@dataclasses.dataclass
class SplitSummary:
    """What became of one split: ``windows - repeats - sum(taken_out.values()) == examples``.

    Attributes:
        sequences: NoteSequences read.
        windows: windows found, each once per section as Magenta counts them.
        distinct: different windows among them.
        repeats: windows left out because the split has them already; 0 with ``keep_duplicates``.
        taken_out: windows left out because another split has them: that split → how many.
        examples: windows written.
        files: the shards.
    """

    sequences: int = 0
    windows: int = 0
    distinct: int = 0
    repeats: int = 0
    taken_out: dict[str, int] = dataclasses.field(default_factory=dict)
    examples: int = 0
    files: list[dict[str, Any]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Summary:
    """What ``preprocess`` did.

    Attributes:
        output_dir: the folder it made.
        config: the config's name.
        splits: by name, in the order train, validation, test.
        dropped: what gave no window, and why.
    """

    output_dir: Path
    config: str
    splits: dict[str, SplitSummary]
    dropped: Dropped

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "output_dir": str(self.output_dir),
            "config": self.config,
            "splits": {name: dataclasses.asdict(split) for name, split in self.splits.items()},
            "dropped": self.dropped.as_json(),
        }


def preprocess(
    input_path: Path,
    output_dir: Path,
    extractor: Extractor,
    *,
    config: str,
    shards: int | None = None,
    max_per_sequence: int | None = None,
    keep_duplicates: bool = False,
    jobs: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Summary:
    """Cuts NoteSequences into windows and writes them as examples, whole or not at all.

    No window is in two splits: the one that train shares with validation or test is taken out of
    train, the one that validation shares with test out of validation. Within a split each window is
    written once and lists the ids of all NoteSequences that hold it. The order is that of a hash of
    the windows: well mixed, and the same whatever the order of the input, the number of shards or
    of processes.

    Args:
        input_path: see ``notes_input.open_notes``.
        output_dir: the folder to make; it may only replace one that ``preprocess`` made.
        extractor: cuts one NoteSequence; picklable.
        config: the config's name, for the manifest and messages.
        shards: number of files for the training split (default: ``shards.shard_count``).
        max_per_sequence: keep so many windows of each NoteSequence, drawn by a hash of its id.
        keep_duplicates: write every occurrence of a window. Windows shared between splits are
            taken out all the same.
        jobs: number of processes (default: by the size of the input, at most all cores).
        on_progress: called with the number of NoteSequences done and in all.

    Raises:
        GmdVaeError: the input cannot be read or gives no training windows (says why), or
            ``output_dir`` holds something that ``preprocess`` did not write.
        UsageError: the input lies in ``output_dir``.
        OSError: the disk is full or cannot be written; nothing half-written stays.
    """
    source = open_notes(input_path)
    manifest.check_replaceable(output_dir, STAGE, source=input_path)
    total = source.count()
    if not total:
        raise GmdVaeError(
            f"'{input_path}' holds no NoteSequences", "Run 'gmd-vae convert' on a folder with MIDI files."
        )
    jobs = jobs or max(1, min(default_jobs(), source.size() // _BYTES_PER_JOB))
    splits = {name: SplitSummary() for name in SPLITS}
    found: dict[str, Found] = {name: {} for name in SPLITS}
    ids: dict[str, list[str]] = {name: [] for name in SPLITS}
    dropped = Dropped()
    for name, sequence_id, windows, missing in _extract_all(source, extractor, max_per_sequence, jobs):
        dropped.add(missing)
        ids[name].append(sequence_id)
        splits[name].sequences += 1
        splits[name].windows += len(windows)
        for window in windows:
            found[name].setdefault(window, []).append(len(ids[name]) - 1)
        on_progress(sum(split.sequences for split in splits.values()), total)
    for name in SPLITS:
        splits[name].distinct = len(found[name])
        if not keep_duplicates:
            splits[name].repeats = splits[name].windows - splits[name].distinct
    _take_out_shared(found, splits, keep_duplicates)
    if not found["train"]:
        raise _nothing_to_train_on(source, config, splits, dropped)
    summary = Summary(output_dir, config, splits, dropped)
    layout = extractor.layout
    options = {"shards": shards, "max_per_sequence": max_per_sequence, "keep_duplicates": keep_duplicates}
    with whole_folder(output_dir) as folder:
        for name in SPLITS:
            entries = _entries(found.pop(name), ids.pop(name), keep_duplicates)
            splits[name].examples = len(entries)
            count = shards if shards and name == "train" else shard_count(name, layout, entries)
            splits[name].files = write_shards(folder, name, layout, entries, min(count, len(entries)))
        manifest.write(folder, STAGE, _describe(summary, extractor, source, options))
    return summary


def _describe(summary: Summary, extractor: Extractor, source: NotesInput, options: dict[str, Any]) -> dict[str, Any]:
    """The content of the manifest."""
    content = summary.as_json()
    del content["output_dir"]
    layout = extractor.layout
    return {
        "config": content.pop("config"),
        "layout": dataclasses.asdict(layout),
        "extractor": extractor.settings,
        "input": source.identity,
        "options": options,
        **content,
        "versions": manifest.versions("note-seq", *(() if layout.format == "labels" else ("magenta",))),
    }


Cut = tuple[str, str, list[bytes], Dropped]  # split, sequence id, packed windows, what is missing


def _extract_all(source: NotesInput, extractor: Extractor, max_per_sequence: int | None, jobs: int) -> Iterator[Cut]:
    """Yields the windows of each NoteSequence, in the order of the input."""
    function = functools.partial(_extract_chunk, extractor, max_per_sequence)
    for chunk in map_in_order(function, source.chunks(), jobs):
        yield from chunk


def _extract_chunk(extractor: Extractor, max_per_sequence: int | None, chunk: list[Record]) -> list[Cut]:
    """Runs in any process; the result depends on the chunk alone."""
    layout = extractor.layout
    results = []
    for record in chunk:
        extraction = extractor(record.data)
        sequence_id = extraction.sequence_id or record.name
        windows = records.pack(layout, extraction.windows)
        if max_per_sequence and len(windows) > max_per_sequence:
            extraction.dropped.reasons["capped"] += len(windows) - max_per_sequence
            windows = _draw(windows, max_per_sequence, sequence_id)
        split = record.split or split_of(extraction.sequence_id, record.data)
        results.append((split, sequence_id, windows, extraction.dropped))
    return results


def _draw(windows: list[bytes], count: int, seed: str) -> list[bytes]:
    """``count`` of the windows, in their order, chosen by the seed."""
    ranks = sorted(range(len(windows)), key=lambda number: hashlib.blake2b(f"{seed} {number}".encode()).digest())
    return [windows[number] for number in sorted(ranks[:count])]


def _take_out_shared(found: dict[str, Found], splits: dict[str, SplitSummary], keep_duplicates: bool) -> None:
    """Removes from each split what a later one holds, and counts it in ``taken_out``."""
    for place, name in enumerate(SPLITS[:-1]):  # train first: validation must still be whole
        for other in reversed(SPLITS[place + 1 :]):
            shared = found[name].keys() & found[other].keys()
            splits[name].taken_out[other] = sum(len(found[name][key]) if keep_duplicates else 1 for key in shared)
            for key in shared:
                del found[name][key]


def _entries(found: Found, ids: list[str], keep_duplicates: bool) -> list[Entry]:
    """A split's examples, ordered by a hash of each window (and of the number of its occurrence)."""
    ranked = []
    for window, numbers in found.items():
        groups = [[number] for number in numbers] if keep_duplicates else [numbers]
        for occurrence, group in enumerate(groups):
            rank = hashlib.blake2b(window, digest_size=16, salt=occurrence.to_bytes(8, "big")).digest()
            ranked.append((rank, window, tuple(dict.fromkeys(ids[number] for number in group))))
    ranked.sort()
    return [(window, sources) for _, window, sources in ranked]


def _nothing_to_train_on(
    source: NotesInput, config: str, splits: dict[str, SplitSummary], dropped: Dropped
) -> GmdVaeError:
    """Says what was seen and why nothing is left."""
    sequences = sum(split.sequences for split in splits.values())
    windows = sum(split.windows for split in splits.values())
    if windows:
        where = ", ".join(f"{split.windows} in {name}" for name, split in splits.items())
        return GmdVaeError(
            f"No window of '{source.path}' is left for training with '{config}': found {where}; "
            f"{sum(splits['train'].taken_out.values())} of train are in validation or test too",
            "Convert more music, or other splits: 'gmd-vae convert --help'.",
        )
    reasons = sorted(dropped.reasons.items(), key=lambda item: -item[1])
    seen = "; ".join(f"{REASONS[reason]}: {count}" for reason, count in reasons if count) or "no reason is known"
    if dropped.time_signatures:
        seen += f" ({_largest(dropped.time_signatures)})"
    if dropped.pitches:
        seen += f"; drum pitches in no class: {_largest(dropped.pitches)}"
    hints = [_HINTS[reason] for reason, _ in reasons if reason in _HINTS]
    return GmdVaeError(
        f"No windows for '{config}' in the {sequences} NoteSequences of '{source.path}': {seen}",
        hints[0] if hints else "",
    )


def _largest(counts: dict[Any, int]) -> str:
    """The five most frequent, such as ``3/4 ×12, 6/8 ×3``."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} ×{count}" for name, count in ordered[:5]) + (" ..." if len(ordered) > 5 else "")

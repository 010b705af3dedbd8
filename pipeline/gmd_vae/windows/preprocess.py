"""``gmd-vae preprocess``: NoteSequences in, a folder of example shards with a manifest out.

The steps are batches of windows (``storage/batch_files.py``), their merge (``storage/merge.py``) and the shards
(``storage/shards.py``).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.common.printable import counted
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.engines.engine import Engine
from gmd_vae.engines.local import engine_for
from gmd_vae.engines.resumable import Progress, make_batches, open_batches, silent
from gmd_vae.windows.cutting.filters import NO_FILTERS, Filters
from gmd_vae.windows.extraction import REASONS, Dropped, Extractor
from gmd_vae.windows.notes_input import NotesInput, decompressed, open_notes
from gmd_vae.windows.storage.batch_files import write_batch
from gmd_vae.windows.storage.examples_manifest import STAGE
from gmd_vae.windows.storage.merge import Merged, Totals, merge
from gmd_vae.windows.storage.shards import shard_count, write_shards
from gmd_vae.windows.storage.sorted_runs import SortedRuns
from gmd_vae.windows.summary import Summary

_BYTES_PER_JOB = 32 << 20  # a process takes half a second to start, as long as 20 MB of music take to be cut

# Next action for each reason of ``extraction.REASONS``
_HINTS = {
    "unreadable": "INPUT holds NoteSequences, as 'gmd-vae convert' writes them.",
    "quantized": "Give preprocess NoteSequences with times in seconds, as 'gmd-vae convert' writes them.",
    "no_drums": "Is the drum part on MIDI channel 10? The option --drum-channel of convert takes another one.",
    "no_known_drums": "The config's pitch_classes say which MIDI pitches are drums.",
    "bad_time_signature": "Check the time signatures of the MIDI files.",
    "other_bar_length": "'gmd-vae configs NAME' shows the bars that a config takes.",
    "no_windows": "Does this music have the parts that the config needs? 'gmd-vae configs NAME' shows them.",
    "no_melody": "'gmd-vae inspect FILE' shows the instruments of a file.",
    "no_melody_part": "'gmd-vae inspect FILE' shows the instruments of a file.",
    "no_bass_part": "'gmd-vae inspect FILE' shows the instruments of a file.",
    "no_drum_part": "Is the drum part on MIDI channel 10?",
    "short_section": "Choose a config with shorter windows: 'gmd-vae configs' lists them.",
    "short_melodies": "Choose a config with shorter windows: 'gmd-vae configs' lists them.",
    "too_short": "Choose a config with shorter windows: 'gmd-vae configs' lists them.",
}


@dataclasses.dataclass
class SplitSummary:
    """Counts of one split; ``windows - repeats - sum(taken_out.values()) == examples``.

    Attributes:
        sequences: NoteSequences read.
        windows: Windows found. A window that repeats within a section counts once, as in Magenta.
        distinct: Different windows among them.
        repeats: Windows removed because the split has them already; 0 with ``keep_duplicates``.
        taken_out: Other split → number of windows removed because that split has them.
        examples: Windows written.
        files: Descriptions of the shards, for the manifest.
    """

    sequences: int = 0
    windows: int = 0
    distinct: int = 0
    repeats: int = 0
    taken_out: dict[str, int] = dataclasses.field(default_factory=dict)
    examples: int = 0
    files: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def preprocess(
    input_path: Path,
    output_dir: Path,
    extractor: Extractor,
    *,
    config: str,
    shards: int | None = None,
    max_per_sequence: int | None = None,
    keep_duplicates: bool = False,
    compress: bool = False,
    filters: Filters = NO_FILTERS,
    engine: Engine | None = None,
    advice: Callable[[Path], str] = lambda notes: "",
    option: str = "--output-dir",
    on_progress: Progress = silent,
    on_resume: Progress = silent,
) -> Summary[SplitSummary]:
    """Cuts NoteSequences into windows and writes them as examples. The folder is written whole or not at all.

    Memory does not grow with the input (external merge): the windows of each range of records go to a batch file, and
    the batch files are merged.

    No window is in two splits. A window that train shares with validation or test is removed from train; one that
    validation shares with test is removed from validation. Within a split each window is written once, with the ids of
    all NoteSequences that contain it. Examples are in the order of a hash of their windows. This order is well mixed,
    and does not depend on the order of the input, the number of shards or the number of processes.

    Args:
        input_path: Path for ``notes_input.open_notes``.
        output_dir: Folder to write. It may replace only a folder that ``preprocess`` wrote.
        extractor: Picklable function from a NoteSequence to its windows.
        config: Name of the config, for the manifest and messages.
        shards: Number of files of the training split; by default ``shards.shard_count``.
        max_per_sequence: Maximum number of windows of each NoteSequence, chosen by a hash of its id.
        keep_duplicates: Writes every occurrence of a window. Windows shared between splits are removed all the same.
        compress: Writes gzip shards.
        filters: The extractor's filters, for the manifest.
        engine: Engine that cuts the windows; the output does not depend on it. With ``None`` or ``LocalEngine()`` the
            number of processes depends on the size of the input.
        advice: Function from the input path to a next action for an input without any window: configs that would fit.
        option: Option that chooses another ``output_dir``, for messages; empty without one.
        on_progress: Progress callback, called with NoteSequences done and NoteSequences in all.
        on_resume: The same, called once if a run that was stopped has left finished batches.

    Raises:
        GmdVaeError: The input cannot be read or gives no training windows, ``output_dir`` holds other files, or another
            run is writing it.
        UsageError: The input lies in ``output_dir``.
        EngineError: A worker failed (``Engine.each``); the same call continues from the finished batches.
        Interrupted: Ctrl-C; the same call continues from the finished batches.
        OSError: The disk is full or cannot be written; no incomplete folder stays at ``output_dir``.
    """
    source = open_notes(input_path)
    tasks = source.ranges()
    if not tasks:
        raise GmdVaeError(
            f"'{input_path}' holds no NoteSequences", "Run 'gmd-vae convert' on a folder with MIDI files."
        )
    engine = engine_for(source.size() // _BYTES_PER_JOB, engine)
    options = {
        "shards": shards,
        "max_per_sequence": max_per_sequence,
        "keep_duplicates": keep_duplicates,
        **({"gzip": True} if compress else {}),
        **({"filters": filters.describe()} if filters.is_on else {}),
    }
    with (
        open_output(output_dir, STAGE, inputs=[input_path], option=option) as replaceable,
        open_batches(output_dir, _identity(source, extractor, max_per_sequence, filters)) as batches,
    ):
        make_batches(
            batches,
            functools.partial(write_batch, extractor, max_per_sequence),
            decompressed(tasks, batches.folder),
            [task.count for task in tasks],
            engine,
            on_progress,
            on_resume,
        )
        totals = Totals(batches, len(tasks))
        layout = extractor.layout
        merged = Merged([SortedRuns(batches.folder / name) for name in SPLITS])
        try:
            merge(batches, len(tasks), totals.sweeps(), layout, keep_duplicates=keep_duplicates, into=merged)
            summary = Summary(output_dir, config, _split_summaries(totals, merged, keep_duplicates), totals.dropped)
            if not summary.splits["train"].examples:
                raise _nothing_to_train_on(source, config, summary.splits, summary.dropped, advice)
            with whole_folder(output_dir, replaceable) as folder:
                for (name, split), runs in zip(summary.splits.items(), merged.runs, strict=True):
                    count = shards if shards and name == "train" else shard_count(name, runs.count, runs.size)
                    split.files = write_shards(
                        folder, name, iter(runs), runs.count, min(count, runs.count), compress=compress
                    )
                manifest.write(folder, STAGE, _describe(summary, extractor, source, options))
        finally:
            merged.remove()
    return summary


def _identity(
    source: NotesInput, extractor: Extractor, max_per_sequence: int | None, filters: Filters
) -> dict[str, Any]:
    """Returns everything that the content of the batches depends on."""
    return {
        "parts": 3,  # version of the batch files and of the cutting
        "input": source.identity,
        "extractor": extractor.settings,
        "max_per_sequence": max_per_sequence,
        "filters": filters.describe(),
        "versions": manifest.versions("note-seq", "magenta"),
    }


def _split_summaries(totals: Totals, merged: Merged, keep_duplicates: bool) -> dict[str, SplitSummary]:
    """Returns the counts of all splits, without files."""
    return {
        name: SplitSummary(
            sequences=totals.sequences[number],
            windows=totals.windows[number],
            distinct=merged.distinct[number],
            repeats=0 if keep_duplicates else totals.windows[number] - merged.distinct[number],
            taken_out={SPLITS[other]: count for other, count in merged.taken_out[number].items()},
            examples=merged.runs[number].count,
        )
        for number, name in enumerate(SPLITS)
    }


def _describe(
    summary: Summary[SplitSummary], extractor: Extractor, source: NotesInput, options: dict[str, Any]
) -> dict[str, Any]:
    """Returns the content of the manifest."""
    content = summary.as_json()
    del content["output_dir"]
    layout = extractor.layout
    return {
        "config": content.pop("config"),
        "layout": dataclasses.asdict(layout),
        "extractor": extractor.settings,
        "input": source.identity,
        **source.describe_source(),
        "options": options,
        **content,
        "versions": manifest.versions("note-seq", *(() if layout.format == "labels" else ("magenta",))),
    }


def _nothing_to_train_on(
    source: NotesInput,
    config: str,
    splits: dict[str, SplitSummary],
    dropped: Dropped,
    advice: Callable[[Path], str],
) -> GmdVaeError:
    """Returns the error for an input without training windows: the reasons, most frequent first."""
    sequences = sum(split.sequences for split in splits.values())
    windows = sum(split.windows for split in splits.values())
    if windows:
        counts = ", ".join(f"{split.windows} in {name}" for name, split in splits.items())
        return GmdVaeError(
            f"No window of '{source.path}' is left for training with '{config}': found {counts}; "
            f"{sum(splits['train'].taken_out.values())} of train are in validation or test too",
            "Convert more music, or all of it for training: run 'gmd-vae convert INPUT --split 100/0/0', then this"
            " command again.",
        )
    reasons = sorted(dropped.reasons.items(), key=lambda item: -item[1])
    seen = "; ".join(f"{REASONS[reason]}: {count}" for reason, count in reasons if count) or "no reason is known"
    if dropped.time_signatures:
        seen += f" ({_largest(dropped.time_signatures)})"
    if dropped.pitches:
        seen += f"; drum pitches in no class: {_largest(dropped.pitches)}"
    hints = [_HINTS[reason] for reason, _ in reasons if reason in _HINTS]
    return GmdVaeError(
        f"No windows for '{config}' in the {counted(sequences, 'NoteSequence')} of '{source.path}': {seen}",
        advice(source.path) or (hints[0] if hints else ""),
    )


def _largest(counts: dict[Any, int]) -> str:
    """Returns the five most frequent as text, for example ``3/4 ×12, 6/8 ×3``."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} ×{count}" for name, count in ordered[:5]) + (" ..." if len(ordered) > 5 else "")

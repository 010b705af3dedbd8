"""A MIDI file as the model's input: the windows that its config finds in it, or the whole piece bar by bar.

Drum windows are found without TensorFlow; the other stock configs start it for Magenta's converters.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import GmdVaeError, UsageError
from pipeline.examples import places
from pipeline.examples.drum_windows import LONGEST_GAP_BARS
from pipeline.examples.extraction import REASONS, Dropped, Labels
from pipeline.examples.spec import DrumWindows
from pipeline.inspection.why import why_no_window
from pipeline.models.extraction import extractor_for
from pipeline.models.registry import Config, label_windows, writes_labels
from pipeline.notes.midi import MAX_BYTES, midi_to_note_sequence
from pipeline.notes.sequences import NoteSequence
from pipeline.sources.names import printable


@dataclasses.dataclass(frozen=True)
class InputWindow:
    """One window of a user's MIDI file.

    Attributes:
        file: where it comes from.
        inputs: the encoder's input, ``[steps, input_depth]``.
        length: its length as the converter gives it.
        found: how many windows the file holds.
        number: which of them this is, from 1; ``None``: the last bars of all.
        labels: of a drum config, int64 ``[steps]``; else ``None``.
        tempo: quarters a minute; ``None`` where it is not known.
    """

    file: Path
    inputs: npt.NDArray[Any]
    length: Any
    found: int
    number: int | None = 1
    labels: Labels | None = None
    tempo: float | None = None


@dataclasses.dataclass(frozen=True)
class Piece:
    """One window's share of a song.

    Attributes:
        window: its labels, int64 ``[steps]``.
        place: the bar of the song where its share begins, from 0.
        skip: bars of the window that an earlier one has already given; its share is the rest.
        tempo: quarters a minute.
    """

    window: Labels
    place: int
    skip: int
    tempo: float


@dataclasses.dataclass(frozen=True)
class Song:
    """All drums of a MIDI file that a config can take, cut into windows that follow each other.

    Attributes:
        file: where it comes from.
        pieces: in the order of time.
        bars: from the first bar with drums in a window to the last.
        missing: what music of the file is in no piece, as sentences without a full stop.
    """

    file: Path
    pieces: tuple[Piece, ...]
    bars: int
    missing: tuple[str, ...]

    @property
    def tempo(self) -> float:
        """Quarters a minute, where it begins."""
        return self.pieces[0].tempo


def read_window(path: Path, config: Config, number: int | None = None) -> InputWindow:
    """A window that a config finds in a MIDI file.

    Args:
        path: the file.
        config: says what a window is.
        number: of the window, from 1, as ``gmd-vae inspect`` counts them; ``None``: the first.

    Raises:
        GmdVaeError: the file cannot be read, or there is none; says what the converter saw.
        UsageError: it has no window of that number.
    """
    extractor = extractor_for(config)
    sequence = read_sequence(path)
    dropped = Dropped()
    found: list[Any]
    if config.windows is not None:
        found = places.windows(config.windows, sequence, dropped)
    else:
        extraction = extractor(sequence.SerializeToString())
        found, dropped = list(extraction.windows), extraction.dropped
    if not found:
        raise _nothing_usable(path, dropped, config)
    if number is not None and number > len(found):
        raise UsageError(
            f"'{_name(path)}' has no window {number}: it has {len(found):,}",
            f"Choose a smaller --window.{_look(path, config)}",
        )
    which = number or 1
    window: Any = found[which - 1]
    if config.windows is None:
        return InputWindow(path, window.inputs, window.length, len(found), which)
    inputs = labels_to_inputs(window.labels, config.windows)
    return InputWindow(path, inputs, config.windows.steps, len(found), which, window.labels, window.bpm)


def read_song(path: Path, config: Config) -> Song:
    """A MIDI file from its first window to its last: each stretch of drums in windows one behind the other.

    Where a stretch is not a whole number of windows, the last one overlaps the one before it, and
    only its last bars count.

    Raises:
        GmdVaeError: the file cannot be read, or has no window; says what the converter saw. Or the config
            does not write drum labels.
    """
    spec = label_windows(config)
    extractor_for(config)  # refuses windows that cannot be cut
    dropped = Dropped()
    # training cuts long stretches off; a song goes on to its end. A pause still bounds the memory.
    whole = dataclasses.replace(spec, max_bars=None) if 0 < (spec.gap_bars or 0) <= LONGEST_GAP_BARS else spec
    stretches = places.stretches(whole, read_sequence(path), dropped)
    if not stretches:
        raise _nothing_usable(path, dropped, config)
    pieces: list[Piece] = []
    first = math.floor(stretches[0].bar + 0.5)
    end = 0
    for stretch in stretches:
        # a section may begin in the middle of a bar: then its bars count from the nearest one
        place = max(math.floor(stretch.bar + 0.5) - first, end)
        bars = len(stretch.labels)
        for begin in range(0, bars, spec.slice_bars):
            start = min(begin, bars - spec.slice_bars)
            window = stretch.labels[start : start + spec.slice_bars].reshape(-1)
            pieces.append(Piece(window, place + begin, begin - start, stretch.bpm))
        end = place + bars
    missing = tuple(f"{count:,} {REASONS[reason]}" for reason, count in dropped.reasons.items() if count)
    if dropped.pitches:
        missing += (f"drum notes that are no known drum: {dropped.pitches.total():,}",)
    return Song(path, tuple(pieces), end, missing)


def read_last_window(path: Path, config: Config) -> InputWindow:
    """The last bars of a MIDI file, as many as a window has; raises as ``read_song``."""
    song = read_song(path, config)
    last, spec = song.pieces[-1], label_windows(config)
    inputs = labels_to_inputs(last.window, spec)
    return InputWindow(path, inputs, spec.steps, len(song.pieces), None, last.window, last.tempo)


def read_sequence(path: Path) -> NoteSequence:
    """A MIDI file as a NoteSequence.

    Raises:
        GmdVaeError: the file is missing, too large, or not MIDI.
    """
    if path.is_dir():
        raise GmdVaeError(f"Input MIDI '{_name(path)}' is a folder", "Name one MIDI file in it.")
    if not path.is_file():
        raise GmdVaeError(f"Input MIDI '{_name(path)}' does not exist", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise GmdVaeError(f"'{_name(path)}' is larger than {MAX_BYTES >> 20} MiB", "Is it a MIDI file?")
    return midi_to_note_sequence(path.read_bytes(), path.parent.name, str(path))


def _name(path: Path) -> str:
    return printable(str(path), limit=None)


def _look(path: Path, config: Config) -> str:
    """How to see what is in the file: ``inspect`` knows the windows of drums only."""
    return f" 'gmd-vae inspect {_name(path)} --config {config.name}' shows it." if writes_labels(config) else ""


def _nothing_usable(path: Path, dropped: Dropped, config: Config) -> GmdVaeError:
    """The error for a file without a window: what the config wants, why there is none, and what to do."""
    if config.windows is None:
        seen = "; ".join(f"{count} {REASONS[reason]}" for reason, count in dropped.reasons.items() if count)
        return GmdVaeError(
            f"'{_name(path)}' holds nothing that '{config.name}' can use: {seen or 'no notes'}",
            "Give another MIDI file.",
        )
    spec = config.windows
    reasons = why_no_window(spec, dropped) or [{"problem": "It has no notes", "action": "Give another MIDI file."}]
    problems = "; ".join(reason["problem"][0].lower() + reason["problem"][1:] for reason in reasons)
    return GmdVaeError(
        f"'{_name(path)}' has no {spec.slice_bars} bars of {spec.quarters_per_bar}/4 drums: {problems}",
        f"{reasons[0]['action']}{_look(path, config)}",
    )


def labels_to_inputs(labels: Labels, windows: DrumWindows) -> npt.NDArray[np.bool_]:
    """Labels of one window as the encoder's input.

    Args:
        labels: int64 ``[steps]``.
        windows: says how many drum classes there are, and whether the input is a roll.

    Returns:
        bool ``[steps, input_depth]``: the drum roll and "no hit", or the one-hot vectors.
    """
    if not windows.roll_input:
        return np.asarray(labels[:, None] == np.arange(windows.input_depth))
    hits = (labels[:, None] >> np.arange(len(windows.pitch_classes))) & 1
    return np.concatenate([hits.astype(bool), (labels == 0)[:, None]], axis=1)

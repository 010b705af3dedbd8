"""A MIDI file as the model's input: the windows that its config finds in it, or the whole piece bar by bar.

The windows of drums and of GrooVAE are found without TensorFlow; the others start it for Magenta's converters.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families import family_of
from gmd_vae.families.output_spec import output_of
from gmd_vae.generation.inputs.groove import read_groove
from gmd_vae.generation.inputs.midi_file import InputWindow, name_of, read_sequence
from gmd_vae.inspection.why_no_window import why_no_window
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.cutting.drum_windows import LONGEST_GAP_BARS
from gmd_vae.windows.extraction import REASONS, Dropped, Labels


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
    found = read_windows(path, config)
    if number is not None and number > len(found):
        raise UsageError(
            f"'{name_of(path)}' has no window {number}: it has {len(found):,}",
            f"Choose a smaller --window.{_look(path, config)}",
        )
    return found[(number or 1) - 1]


def read_windows(path: Path, config: Config) -> tuple[InputWindow, ...]:
    """All windows that a config finds in a MIDI file; raises as ``read_window``, for there is at least one."""
    if output_of(config).kind == "groove":
        played = [piece for piece in read_groove(path, config).pieces if not piece.is_silent]
        return tuple(
            dataclasses.replace(piece, found=len(played), number=number) for number, piece in enumerate(played, start=1)
        )
    extractor = family_of(config).extractor(config)
    sequence = read_sequence(path)
    dropped = Dropped()
    if not config.windows.converter:
        spec = config.drum_windows
        drums = positions.windows(spec, sequence, dropped)
        found = [
            InputWindow(
                path, labels_to_inputs(window.labels, spec), spec.steps, len(drums), number, window.labels, window.bpm
            )
            for number, window in enumerate(drums, start=1)
        ]
    else:
        extraction = extractor(sequence.SerializeToString())
        windows: Any = extraction.windows
        dropped = extraction.dropped
        tempo = sequence.tempos[0].qpm if sequence.tempos else None
        found = [
            InputWindow(
                path,
                window.inputs,
                window.length,
                len(windows),
                number,
                tempo=tempo,
                controls=window.controls,
                outputs=window.outputs,
            )
            for number, window in enumerate(windows, start=1)
        ]
    if not found:
        raise _nothing_usable(path, dropped, config)
    return tuple(found)


def read_song(path: Path, config: Config) -> Song:
    """A MIDI file from its first window to its last: each stretch of drums in windows one behind the other.

    Where a stretch is not a whole number of windows, the last one overlaps the one before it, and
    only its last bars count.

    Raises:
        GmdVaeError: the file cannot be read, or has no window; says what the converter saw.
    """
    spec = config.drum_windows
    family_of(config).extractor(config)  # refuses windows that cannot be cut
    dropped = Dropped()
    # training cuts long stretches off; a song goes on to its end. A pause still bounds the memory.
    whole = dataclasses.replace(spec, max_bars=None) if 0 < (spec.gap_bars or 0) <= LONGEST_GAP_BARS else spec
    stretches = positions.stretches(whole, read_sequence(path), dropped)
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
    """The last bars of a MIDI file, as many as a window has, of drums; the last window of others."""
    if config.windows.converter:
        return read_windows(path, config)[-1]
    song, spec = read_song(path, config), config.drum_windows
    last = song.pieces[-1]
    inputs = labels_to_inputs(last.window, spec)
    return InputWindow(path, inputs, spec.steps, len(song.pieces), None, last.window, last.tempo)


def _look(path: Path, config: Config) -> str:
    """How to see what is in the file: ``inspect`` knows the windows of drums only."""
    return (
        f" 'gmd-vae inspect {name_of(path)} --config {config.name}' shows it." if not config.windows.converter else ""
    )


def _nothing_usable(path: Path, dropped: Dropped, config: Config) -> GmdVaeError:
    """The error for a file without a window: what the config wants, why there is none, and what to do."""
    if config.windows.converter:
        seen = "; ".join(f"{count} {REASONS[reason]}" for reason, count in dropped.reasons.items() if count)
        return GmdVaeError(
            f"'{name_of(path)}' holds nothing that '{config.name}' can use: {seen or 'no notes'}",
            "Give another MIDI file.",
        )
    spec = config.drum_windows
    reasons = why_no_window(spec, dropped) or [{"problem": "It has no notes", "action": "Give another MIDI file."}]
    problems = "; ".join(reason["problem"][0].lower() + reason["problem"][1:] for reason in reasons)
    return GmdVaeError(
        f"'{name_of(path)}' has no {spec.slice_bars} bars of {spec.quarters_per_bar}/4 drums: {problems}",
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

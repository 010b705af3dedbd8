"""Extractors around Magenta's converters: melodies, trios, several instruments, and played drums (GrooVAE).

The converters cut the windows. Our own code does the rest: sections, filters, and counts of dropped music
(``section_windows.py``, ``groove_sections.py``). A call goes through ``__call__``, ``_sections`` (``_cut``: from the
NoteSequence to sections) and ``_windows`` (from a section to windows); each subclass defines ``_cut`` and ``_windows``.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import itertools
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from gmd_vae.common import extras
from gmd_vae.configuration.registry import get_config
from gmd_vae.configuration.window_specs import MagentaWindows
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.sequence_limits import is_too_large, is_within_limits
from gmd_vae.windows.cutting.beat_time import Music, at_one_tempo
from gmd_vae.windows.cutting.filters import NO_FILTERS, Filters, refused_sections
from gmd_vae.windows.cutting.groove_sections import groove_sections, pitches_of, seeded_by
from gmd_vae.windows.cutting.section_content import Ensemble, Requirements
from gmd_vae.windows.cutting.section_windows import (
    PlacedTensors,
    convert,
    convert_section,
    locate_bars,
    prepare_converter,
    requirements_of,
)
from gmd_vae.windows.cutting.time_changes import split_on_time_changes
from gmd_vae.windows.extraction import Dropped, Extraction, Layout, Tensors


@dataclasses.dataclass(frozen=True)
class MagentaExtractor(abc.ABC):
    """An ``Extractor`` with one of Magenta's converters. Picklable; TensorFlow starts at the first call.

    Attributes:
        windows: Settings of the windows, with the name of Magenta's config whose converter cuts them.
        filters: Conditions on sections. If any is on, a NoteSequence is cut into sections as in Magenta's script, and
            refused sections are dropped.

    Raises:
        GmdVaeError: Magenta or a package that it needs is not installed.
    """

    windows: MagentaWindows
    filters: Filters = NO_FILTERS

    def __post_init__(self) -> None:
        extras.require("Cutting windows with one of Magenta's converters")

    @cached_property
    def _converter(self) -> Any:
        from gmd_vae.magenta.api import build_config

        converter = build_config(get_config(self.windows.converter)).data_converter
        converter.set_mode("eval")  # in "train" mode Magenta chooses windows at random
        prepare_converter(converter)
        return converter

    def __getstate__(self) -> dict[str, Any]:
        return fields_of(self)  # without the converter: each process builds its own

    @cached_property
    def layout(self) -> Layout:
        """Format of the windows: tensors with the converter's depths and types."""
        converter, windows = self._converter, self.windows
        return Layout(
            format="tensors",
            steps=windows.steps,
            classes=0,
            input_depth=converter.input_depth,
            output_depth=converter.output_depth,
            control_depth=converter.control_depth,
            input_dtype=np.dtype(converter.input_dtype).name,
            output_dtype=np.dtype(converter.output_dtype).name,
            control_dtype=np.dtype(converter.control_dtype).name,
            length_shape=tuple(int(size) for size in converter.length_shape),
            input_ones=len(windows.parts),  # the converters of streams have equal inputs and outputs
            output_ones=len(windows.parts),
            control_ones=1 if windows.controls == "chords" else 0,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """Config whose converter cuts the windows, for the manifest."""
        return {"converter": "magenta", "config": self.windows.converter}

    def __call__(self, record: bytes) -> Extraction:
        """Returns all windows of one NoteSequence in wire format."""
        dropped = Dropped()
        sequence = parse_sequence(record, dropped)
        if sequence is None:
            return Extraction("", [], dropped)
        return Extraction(sequence.id, [placed.window for placed in self.placed(sequence, record, dropped)], dropped)

    def placed(
        self, sequence: NoteSequence, record: bytes, dropped: Dropped, locate_all_bars: bool = False
    ) -> list[PlacedTensors]:
        """Returns the windows of a NoteSequence with their positions.

        Args:
            sequence: NoteSequence; it may be changed.
            record: The same NoteSequence in wire format.
            dropped: Receives the reasons for missing windows.
            locate_all_bars: Finds the bars of all windows of several instruments, in twice the time.
        """
        try:
            sections = self._sections(sequence, dropped)
        except Exception:  # music for which Magenta's script fails
            dropped.reasons["failed"] += 1
            return []
        return self._placed_in(sections, record, dropped, locate_all_bars)

    def _placed_in(
        self, sections: list[NoteSequence], record: bytes, dropped: Dropped, locate_all_bars: bool
    ) -> list[PlacedTensors]:
        """Returns the windows of all sections; a section for which Magenta fails is counted."""
        windows: list[PlacedTensors] = []
        for number, section in enumerate(sections):
            try:
                in_section = self._windows(section, dropped, locate_all_bars)
                windows += [placed._replace(section=number) for placed in in_section]
            except Exception:  # Magenta's converters raise errors of any type
                dropped.reasons["failed"] += 1
        return windows

    def _sections(self, sequence: NoteSequence, dropped: Dropped) -> list[NoteSequence]:
        """Returns the converter's inputs in order, and counts dropped music."""
        notes = notes_of(sequence)
        if not is_within_limits(sequence, notes):
            dropped.reasons["beyond_limits"] += 1
            return []
        if sequence.quantization_info.steps_per_quarter or sequence.quantization_info.steps_per_second:
            dropped.reasons["quantized"] += 1
            return []
        return self._cut(at_one_tempo(sequence, notes), dropped)

    @abc.abstractmethod
    def _cut(self, music: Music, dropped: Dropped) -> list[NoteSequence]:
        """Returns the sections of music that is not quantized and has one tempo."""

    @abc.abstractmethod
    def _windows(self, section: NoteSequence, dropped: Dropped, locate_all_bars: bool) -> list[PlacedTensors]:
        """Returns the windows of one section."""


@dataclasses.dataclass(frozen=True)
class SectionExtractor(MagentaExtractor):
    """An extractor of melodies and trios: sections between changes of time signature.

    Attributes:
        kind: Instruments of a window.
    """

    kind: Ensemble = "melody"

    @cached_property
    def _requirements(self) -> Requirements:
        return requirements_of(self.kind, self.windows, self._converter)

    def _cut(self, music: Music, dropped: Dropped) -> list[NoteSequence]:
        if not music.sequence.notes or not music.sequence.total_time > 0:
            dropped.reasons["no_length" if music.sequence.notes else "no_notes"] += 1
            return []
        return accepted_sections(self.filters, music, dropped)

    def _windows(self, section: NoteSequence, dropped: Dropped, locate_all_bars: bool) -> list[PlacedTensors]:
        return convert_section(self._converter, self._requirements, section, dropped)


class TrackExtractor(SectionExtractor):
    """An extractor of bars of several instruments."""

    def _windows(self, section: NoteSequence, dropped: Dropped, locate_all_bars: bool) -> list[PlacedTensors]:
        windows = super()._windows(section, dropped, locate_all_bars)
        return locate_bars(self._converter, section, windows) if locate_all_bars else windows


class GrooveExtractor(MagentaExtractor):
    """An extractor of played drums for GrooVAE: known drums in 4/4."""

    @cached_property
    def _pitches(self) -> dict[int, int]:
        return pitches_of(self._converter)

    def _cut(self, music: Music, dropped: Dropped) -> list[NoteSequence]:
        accepted = accepted_sections(self.filters, music, dropped) if self.filters.is_on else [music.sequence]
        sections = (groove_sections(section, self._pitches, self.windows.bars, dropped) for section in accepted)
        return list(itertools.chain.from_iterable(sections))

    def _placed_in(
        self, sections: list[NoteSequence], record: bytes, dropped: Dropped, locate_all_bars: bool
    ) -> list[PlacedTensors]:
        with seeded_by(record):  # the converter drops notes with NumPy's global RNG
            windows = super()._placed_in(sections, record, dropped, locate_all_bars)
        if sections and not windows:
            dropped.reasons["no_windows"] += 1
        return windows

    def _windows(self, section: NoteSequence, dropped: Dropped, locate_all_bars: bool) -> list[PlacedTensors]:
        return [PlacedTensors(window) for window in convert(self._converter, section)]


def parse_sequence(record: bytes, dropped: Dropped) -> NoteSequence | None:
    """Returns a NoteSequence; ``None`` for other bytes, and for one that is too large.

    Args:
        record: NoteSequence in protobuf wire format.
        dropped: Receives the reason.
    """
    if not is_too_large(record):
        with contextlib.suppress(DecodeError):
            return NoteSequence.FromString(record)
    dropped.reasons["unreadable"] += 1
    return None


def window_finder(
    extractor: MagentaExtractor, parts_of: Callable[[Tensors], list[dict[str, Any]]]
) -> Callable[[NoteSequence, Dropped], list[dict[str, Any]]]:
    """Returns a function that finds windows for ``gmd-vae inspect``.

    Each window has the number of its ``section``, its first ``bar`` in that (from 0, or None), and its ``parts``.

    Args:
        extractor: Extractor of the config.
        parts_of: Function from a window to its parts.
    """

    def find(sequence: NoteSequence, dropped: Dropped) -> list[dict[str, Any]]:
        record = sequence.SerializeToString(deterministic=True)
        return [
            {"section": placed.section, "bar": placed.bar, "parts": parts_of(placed.window)}
            for placed in extractor.placed(sequence, record, dropped, locate_all_bars=True)
        ]

    return find


def accepted_sections(filters: Filters, music: Music, dropped: Dropped) -> list[NoteSequence]:
    """Returns the sections with notes, cut as by Magenta's script, that the filters accept.

    Args:
        filters: Conditions on a section.
        music: NoteSequence and its notes; it is cut at its changes of tempo and time signature.
        dropped: Receives the counts of refused sections.

    Raises:
        ValueError: The times of the sequence are quantized.
    """
    refused = refused_sections(filters, music)
    dropped.reasons.update(refused.values())
    sections = split_on_time_changes(music.sequence)
    return [section for number, section in enumerate(sections) if section.notes and number not in refused]


def fields_of(instance: Any) -> dict[str, Any]:
    """Returns the fields of a dataclass without cached properties."""
    return {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}

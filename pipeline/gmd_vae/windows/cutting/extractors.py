"""What cuts the windows of a config: our drum windows, or Magenta's own converters for all else."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import DecodeError

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import VaeConfig
from gmd_vae.configuration.registry import Config, get_config
from gmd_vae.families.output_spec import Output, output_of
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
from gmd_vae.windows.cutting.drum_windows import DrumExtractor
from gmd_vae.windows.cutting.filters import NO_FILTERS, STOCK_FILTERS, FilteredDrumExtractor, Filters, refused_sections
from gmd_vae.windows.cutting.groove_sections import dice_of, groove_sections, pitches_of
from gmd_vae.windows.cutting.section_content import Needs
from gmd_vae.windows.cutting.section_windows import (
    Placed,
    every_window,
    needs_of,
    placed_windows,
    tensors_of,
    with_bars,
)
from gmd_vae.windows.extraction import Dropped, Extraction, Extractor, Layout
from gmd_vae.windows.stock.drums import StockDrumExtractor, StockExtraction

if TYPE_CHECKING:  # only --stock needs what it imports
    from gmd_vae.windows.stock.preprocess import StockExtractor


@dataclasses.dataclass(frozen=True)
class MagentaExtractor:
    """The ``Extractor`` of a stock config. Picklable; TensorFlow starts where it is first called.

    Attributes:
        config_name: the config's name.
        filters: if any is on, a NoteSequence is cut into sections, as by Magenta's script, and those
            that the filters refuse are left out.
    """

    config_name: str
    filters: Filters = NO_FILTERS

    @cached_property
    def _converter(self) -> Any:
        from gmd_vae.magenta.api import build_config

        converter = build_config(get_config(self.config_name)).data_converter
        converter.set_mode("eval")  # in "train" mode Magenta would draw windows at random
        every_window(converter)
        return converter

    def __getstate__(self) -> dict[str, Any]:
        return _fields_of(self)  # a process makes its own converter

    @cached_property
    def _output(self) -> Output:
        return output_of(get_config(self.config_name))

    @cached_property
    def _pitches(self) -> dict[int, int]:
        """What a GrooVAE's drum pitches are; empty for others."""
        return pitches_of(self._converter) if self._output.kind == "groove" else {}

    @cached_property
    def _needs(self) -> Needs:
        return needs_of(self._output, self._converter)

    @cached_property
    def layout(self) -> Layout:
        """Tensors of the converter's depths and types."""
        converter, output = self._converter, self._output
        return Layout(
            format="tensors",
            steps=output.steps,
            classes=0,
            input_depth=converter.input_depth,
            output_depth=converter.output_depth,
            control_depth=converter.control_depth,
            input_dtype=np.dtype(converter.input_dtype).name,
            output_dtype=np.dtype(converter.output_dtype).name,
            control_dtype=np.dtype(converter.control_dtype).name,
            length_shape=tuple(int(size) for size in converter.length_shape),
            input_ones=len(output.streams),  # their converters read what they write
            output_ones=len(output.streams),
            control_ones=1 if output.controls == "chords" else 0,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """For the manifest: the config whose converter cuts the windows."""
        return {"converter": "magenta", "config": self.config_name}

    def __call__(self, record: bytes) -> Extraction:
        """The windows of one NoteSequence, all of them."""
        dropped = Dropped()
        try:
            sequence = NoteSequence.FromString(record)
        except DecodeError:
            dropped.reasons["unreadable"] += 1
            return Extraction("", [], dropped)
        return Extraction(sequence.id, [found.window for found in self.placed(sequence, record, dropped)], dropped)

    def placed(
        self, sequence: NoteSequence, record: bytes, dropped: Dropped, with_every_bar: bool = False
    ) -> list[Placed]:
        """The windows of a NoteSequence, with their places.

        Args:
            sequence: it may be changed.
            record: the same as bytes.
            dropped: why there is nothing, or less, is added to it.
            with_every_bar: finds the bars of all windows of several instruments, in twice the time.
        """
        try:
            sections = self._sections(sequence, dropped)
        except Exception:  # as Magenta's script dies of it
            dropped.reasons["failed"] += 1
            return []
        found: list[Placed] = []
        with dice_of(record) if self._pitches else contextlib.nullcontext():
            for number, section in enumerate(sections):
                try:
                    windows = self._windows(section, dropped)
                    if with_every_bar and self._output.is_events:
                        windows = with_bars(self._converter, section, windows)
                    found += [placed._replace(section=number) for placed in windows]
                except Exception:  # Magenta's converters raise what they like
                    dropped.reasons["failed"] += 1
        if self._pitches and sections and not found:
            dropped.reasons["no_windows"] += 1
        return found

    def _sections(self, sequence: NoteSequence, dropped: Dropped) -> list[NoteSequence]:
        """What the converter is given, one after the other; what is left out of it goes to ``dropped``."""
        if sequence.quantization_info.steps_per_quarter or sequence.quantization_info.steps_per_second:
            dropped.reasons["quantized"] += 1
            return []
        if self._pitches:
            left = sections_left(self.filters, sequence, dropped) if self.filters.is_on else [sequence]
            parts = (groove_sections(section, self._pitches, self._output.bars, dropped) for section in left)
            return list(itertools.chain.from_iterable(parts))
        if not sequence.notes or not sequence.total_time > 0:
            dropped.reasons["no_length" if sequence.notes else "no_notes"] += 1
            return []
        return sections_left(self.filters, sequence, dropped)

    def _windows(self, section: NoteSequence, dropped: Dropped) -> list[Placed]:
        if self._pitches:
            return [Placed(window) for window in tensors_of(self._converter, section)]
        return placed_windows(self._converter, self._needs, section, dropped)


def window_finder(config: Config) -> Callable[[NoteSequence, Dropped], list[dict[str, Any]]]:
    """For ``gmd-vae inspect``: finds the windows of a config that Magenta's converters cut.

    Of each window it gives the number of its ``section``, its first ``bar`` in that (from 0, or None), and its
    ``parts`` (`window_content.parts_of`).
    """
    from gmd_vae.windows.window_content import parts_of

    extractor, output = MagentaExtractor(_converter_of(config)), output_of(config)

    def find(sequence: NoteSequence, dropped: Dropped) -> list[dict[str, Any]]:
        record = sequence.SerializeToString(deterministic=True)
        return [
            {"section": placed.section, "bar": placed.bar, "parts": parts_of(placed.window, output)}
            for placed in extractor.placed(sequence, record, dropped, with_every_bar=True)
        ]

    return find


def sections_left(filters: Filters, sequence: NoteSequence, dropped: Dropped) -> list[NoteSequence]:
    """The sections with notes, cut as by Magenta's script, that the filters do not refuse.

    Args:
        filters: what to ask of a section.
        sequence: cut at its changes of tempo and time signature.
        dropped: the refused sections are added to it.

    Raises:
        Exception: as Magenta's script dies of it.
    """
    refused = refused_sections(filters, sequence, notes_of(sequence)) if filters.is_on else {}
    dropped.reasons.update(refused.values())
    sections = note_seq_module("sequences_lib").split_note_sequence_on_time_changes(sequence)
    return [section for number, section in enumerate(sections) if section.notes and number not in refused]


@dataclasses.dataclass(frozen=True)
class StockMagentaExtractor:
    """What Magenta's script ``preprocess_tfrecord`` does at its defaults: a ``StockExtractor``.

    Picklable; TensorFlow starts where it is first called. The converter is the config's own, with its
    own cap of windows for each section. Magenta draws no window at random here.
    """

    config_name: str

    @cached_property
    def _converter(self) -> Any:
        from gmd_vae.magenta.api import configs

        return copy.deepcopy(configs.CONFIG_MAP[self.config_name].data_converter)

    def __getstate__(self) -> dict[str, Any]:
        return _fields_of(self)

    @property
    def settings(self) -> dict[str, Any]:
        """For the manifest: whose converter cuts the windows, and the filters."""
        return {"converter": "magenta", "config": self.config_name, "filters": STOCK_FILTERS.describe()}

    def __call__(self, record: bytes) -> StockExtraction:
        """What the script makes of one NoteSequence; one that the script dies of gives nothing."""
        dropped = Dropped()
        try:
            sequence = NoteSequence.FromString(record)
        except DecodeError:
            dropped.reasons["unreadable"] += 1
            return StockExtraction("", [], dropped)
        found: list[bytes] = []
        try:
            for section in sections_left(STOCK_FILTERS, sequence, dropped):
                windows = self._windows_of(section)
                found += [window for window in windows if window is not None]
                dropped.reasons["not_reproduced"] += windows.count(None)
        except Exception:  # Magenta's converters raise what they like
            dropped.reasons["failed"] += 1
            return StockExtraction(sequence.id, [], dropped)
        if not found:
            dropped.reasons["no_windows"] += 1
        return StockExtraction(sequence.id, found, dropped)

    def _windows_of(self, section: NoteSequence) -> list[bytes | None]:
        """Each window as a NoteSequence; None for one that does not give a window again."""
        windows: list[bytes | None] = []
        for _, outputs, controls, _ in zip(*self._converter.to_tensors(section), strict=True):
            made = self._converter.from_tensors([outputs], *([[controls]] if controls.size else ()))[0]
            again = self._converter.to_tensors(made).inputs
            # the script holds the segments of a hierarchy to their number only; it writes what differs
            whole = len(again) and (not isinstance(outputs, list) or len(outputs) == len(again[0]))
            windows.append(made.SerializeToString(deterministic=True) if whole else None)
        return windows


def _fields_of(instance: Any) -> dict[str, Any]:
    """The fields of a dataclass, without what it has cached."""
    return {field.name: getattr(instance, field.name) for field in dataclasses.fields(instance)}


def _converter_of(config: Config) -> str:
    """The name of Magenta's config whose converter a config has: examples serve all models and sizes with it."""
    assert not isinstance(config, VaeConfig)
    return config.converter


def stock_extractor_for(config: Config) -> StockExtractor:
    """What Magenta's script does with a config; with one of ours, what it does with a ``DrumsConverter``.

    Raises:
        UsageError: the config's windows cannot be cut.
    """
    extractor_for(config)
    return (
        StockMagentaExtractor(_converter_of(config)) if config.windows is None else StockDrumExtractor(config.windows)
    )


def extractor_for(config: Config, filters: Filters = NO_FILTERS) -> Extractor:
    """What cuts the windows of a config: ours for drums, Magenta's converter for all else.

    Args:
        config: the config.
        filters: which sections to leave out.

    Raises:
        UsageError: the config's windows cannot be cut.
    """
    if config.windows is None:
        return MagentaExtractor(_converter_of(config), filters)
    try:
        extractor = DrumExtractor(config.windows)
    except ValueError as error:
        raise UsageError(
            f"The windows of config '{config.name}' cannot be cut: {error}", "Correct the config."
        ) from None
    return FilteredDrumExtractor(config.windows, filters) if filters.is_on else extractor

"""What cuts the windows of a config: our drum windows, or Magenta's own converters for all else."""

from __future__ import annotations

import copy
import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import DecodeError

from pipeline.errors import UsageError
from pipeline.examples.drum_windows import DrumExtractor
from pipeline.examples.extraction import Dropped, Extraction, Extractor, Layout, Tensors
from pipeline.examples.filters import NO_FILTERS, STOCK_FILTERS, FilteredDrumExtractor, Filters, refused_sections
from pipeline.examples.stock_drums import StockDrumExtractor, StockExtraction
from pipeline.models.config import VaeConfig
from pipeline.models.registry import Config, get_config
from pipeline.notes.sequences import NoteSequence, note_seq_module
from pipeline.notes.wire_notes import notes_of

if TYPE_CHECKING:  # only --stock needs what it imports
    from pipeline.examples.stock import StockExtractor


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
        from pipeline.models.magenta import build_config

        converter = build_config(get_config(self.config_name)).data_converter
        converter.set_mode("eval")  # in "train" mode Magenta would draw windows at random
        return converter

    def __getstate__(self) -> dict[str, Any]:
        return _fields_of(self)  # a process makes its own converter

    @cached_property
    def layout(self) -> Layout:
        """Tensors of the converter's depths and types."""
        converter = self._converter
        return Layout(
            format="tensors",
            steps=int(get_config(self.config_name).hparams["max_seq_len"]),
            classes=0,
            input_depth=converter.input_depth,
            output_depth=converter.output_depth,
            control_depth=converter.control_depth,
            input_dtype=np.dtype(converter.input_dtype).name,
            output_dtype=np.dtype(converter.output_dtype).name,
            control_dtype=np.dtype(converter.control_dtype).name,
            length_shape=tuple(int(size) for size in converter.length_shape),
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
        windows: list[Tensors] = []
        try:
            sections = sections_left(self.filters, sequence, dropped) if self.filters.is_on else [sequence]
            for section in sections:
                tensors = self._converter.to_tensors(section)
                windows += [
                    Tensors(inputs, outputs, controls, tuple(np.atleast_1d(length).tolist()))
                    for inputs, outputs, controls, length in zip(*tensors, strict=True)
                ]
        except Exception:  # Magenta's converters raise what they like
            dropped.reasons["failed"] += 1
            return Extraction(sequence.id, [], dropped)
        if sections and not windows:
            dropped.reasons["no_windows"] += 1
        return Extraction(sequence.id, windows, dropped)


def sections_left(filters: Filters, sequence: NoteSequence, dropped: Dropped) -> list[NoteSequence]:
    """The sections with notes, cut as by Magenta's script, that the filters do not refuse.

    Args:
        filters: what to ask of a section.
        sequence: cut at its changes of tempo and time signature.
        dropped: the refused sections are added to it.

    Raises:
        Exception: as Magenta's script dies of it.
    """
    refused = refused_sections(filters, sequence, notes_of(sequence))
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
        from pipeline.models.magenta import configs

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


def _model_of(config: Config) -> str:
    """The name of Magenta's config whose converter a config has: examples serve all sizes of a model."""
    assert not isinstance(config, VaeConfig)
    return config.model


def stock_extractor_for(config: Config) -> StockExtractor:
    """What Magenta's script does with a config; with one of ours, what it does with a ``DrumsConverter``.

    Raises:
        UsageError: the config's windows cannot be cut.
    """
    extractor_for(config)
    return StockMagentaExtractor(_model_of(config)) if config.windows is None else StockDrumExtractor(config.windows)


def extractor_for(config: Config, filters: Filters = NO_FILTERS) -> Extractor:
    """What cuts the windows of a config: ours for drums, Magenta's converter for all else.

    Args:
        config: the config.
        filters: which sections to leave out.

    Raises:
        UsageError: the config's windows cannot be cut.
    """
    if config.windows is None:
        return MagentaExtractor(_model_of(config), filters)
    try:
        extractor = DrumExtractor(config.windows)
    except ValueError as error:
        raise UsageError(
            f"The windows of config '{config.name}' cannot be cut: {error}", "Correct the config."
        ) from None
    return FilteredDrumExtractor(config.windows, filters) if filters.is_on else extractor

"""What cuts the windows of a config: our drum windows, or Magenta's own converters for all else."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from pipeline.errors import UsageError
from pipeline.examples.drum_windows import DrumExtractor
from pipeline.examples.extraction import Dropped, Extraction, Extractor, Layout, Tensors
from pipeline.models.registry import Config, get_config
from pipeline.notes.sequences import NoteSequence


@dataclasses.dataclass(frozen=True)
class MagentaExtractor:
    """The ``Extractor`` of a stock config. Picklable; TensorFlow starts where it is first called."""

    config_name: str

    @cached_property
    def _converter(self) -> Any:
        from pipeline.models.magenta import build_config

        converter = build_config(get_config(self.config_name)).data_converter
        converter.set_mode("eval")  # in "train" mode Magenta would draw windows at random
        return converter

    def __getstate__(self) -> dict[str, Any]:
        return {"config_name": self.config_name}  # a process makes its own converter

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
        try:
            tensors = self._converter.to_tensors(sequence)
        except Exception:  # Magenta's converters raise what they like
            dropped.reasons["failed"] += 1
            return Extraction(sequence.id, [], dropped)
        if not len(tensors.inputs):
            dropped.reasons["no_windows"] += 1
        windows = [
            Tensors(inputs, outputs, controls, tuple(np.atleast_1d(length).tolist()))
            for inputs, outputs, controls, length in zip(*tensors, strict=True)
        ]
        return Extraction(sequence.id, windows, dropped)


def extractor_for(config: Config) -> Extractor:
    """What cuts the windows of a config: ours for drums, Magenta's converter for all else.

    Raises:
        UsageError: the config's windows cannot be cut.
    """
    if config.windows is None:
        return MagentaExtractor(config.name)
    try:
        return DrumExtractor(config.windows)
    except ValueError as error:
        raise UsageError(
            f"The windows of config '{config.name}' cannot be cut: {error}", "Correct the config."
        ) from None

"""Magenta's script ``preprocess_tfrecord`` without Apache Beam: what it does to one NoteSequence."""

from __future__ import annotations

import copy
import sys
from types import ModuleType
from typing import Any

from pipeline.examples.filters import Filters


class _Counter:
    def inc(self, count: int = 1) -> None: ...


class _Metrics:
    @staticmethod
    def counter(*names: str) -> _Counter:
        return _Counter()


class _DoFn:
    def __init__(self, *arguments: Any, **named: Any) -> None: ...


def load_script() -> Any:
    """The script's module; ``apache_beam`` is a stand-in with the few names that it touches."""
    from pipeline.models import magenta  # noqa: F401  TensorFlow in the right mode comes first

    beam, typehints, metrics = map(ModuleType, ("apache_beam", "apache_beam.typehints", "apache_beam.metrics"))
    typehints.with_input_types = typehints.with_output_types = lambda *types: lambda decorated: decorated
    metrics.Metrics = _Metrics
    beam.DoFn, beam.typehints, beam.metrics = _DoFn, typehints, metrics
    stand_ins = {module.__name__: module for module in (beam, typehints, metrics)}
    sys.modules.update(stand_ins)
    try:
        from magenta.models.music_vae import preprocess_tfrecord
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return preprocess_tfrecord


def flags(filters: Filters) -> dict[str, Any]:
    """The filters as the script takes them."""
    return {
        "max_total_time": float("inf") if filters.max_total_time is None else filters.max_total_time,
        "max_num_notes": float("inf") if filters.max_num_notes is None else filters.max_num_notes,
        "min_velocities": filters.min_velocities,
        "min_metric_positions": filters.min_metric_positions,
        "is_drum": filters.is_drum,
        "drums_only": filters.drums_only,
    }


def extract(script: Any, config_name: str, filters: Filters, cap: int | None = None) -> Any:
    """The script's function for one config, with a converter of its own.

    Args:
        script: from ``load_script``.
        config_name: a name in Magenta's ``CONFIG_MAP``.
        filters: what the script's flags say.
        cap: if given, what the converter's own cap is set to: our configs do not cap.
    """
    function = script.ExtractExamplesDoFn(config_name, flags(filters))
    converter = copy.deepcopy(function._config.data_converter)
    if cap is not None:
        converter.max_tensors_per_notesequence = cap
    function._config = function._config._replace(data_converter=converter)
    return function

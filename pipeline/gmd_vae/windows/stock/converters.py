"""``preprocess --stock`` with Magenta's own converters, for melodies, trios, several instruments and played drums."""

from __future__ import annotations

import copy
import dataclasses
from functools import cached_property
from typing import Any

from gmd_vae.common import extras
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.sequence_limits import is_within_limits
from gmd_vae.windows.cutting.beat_time import Music
from gmd_vae.windows.cutting.filters import STOCK_FILTERS
from gmd_vae.windows.cutting.magenta_windows import accepted_sections, fields_of, parse_sequence
from gmd_vae.windows.cutting.section_content import has_too_many_trios
from gmd_vae.windows.extraction import Dropped
from gmd_vae.windows.stock.drums import StockExtraction


@dataclasses.dataclass(frozen=True)
class StockConverterExtractor:
    """A ``StockExtractor`` with one of Magenta's converters, at the defaults of the script ``preprocess_tfrecord``.

    Picklable; TensorFlow starts at the first call. The converter is the config's own, with its own maximum of windows
    for each section. The script chooses no window at random.

    Attributes:
        config_name: The config of Magenta's whose converter is used.

    Raises:
        GmdVaeError: Magenta or a package that it needs is not installed.
    """

    config_name: str

    def __post_init__(self) -> None:
        extras.require("Cutting windows with one of Magenta's converters")

    @cached_property
    def _converter(self) -> Any:
        from gmd_vae.magenta.api import configs

        return copy.deepcopy(configs.CONFIG_MAP[self.config_name].data_converter)

    def __getstate__(self) -> dict[str, Any]:
        return fields_of(self)

    @property
    def settings(self) -> dict[str, Any]:
        """Config of the converter, and the filters, for the manifest."""
        return {"converter": "magenta", "config": self.config_name, "filters": STOCK_FILTERS.describe()}

    def __call__(self, record: bytes) -> StockExtraction:
        """Returns the script's records of one NoteSequence; none where the script fails."""
        dropped = Dropped()
        sequence = parse_sequence(record, dropped)
        if sequence is None:
            return StockExtraction("", [], dropped)
        notes = notes_of(sequence)
        if not is_within_limits(sequence, notes):
            dropped.reasons["beyond_limits"] += 1
            return StockExtraction(sequence.id, [], dropped)
        sequences: list[bytes] = []
        try:
            for section in accepted_sections(STOCK_FILTERS, Music(sequence, notes), dropped):
                if self._cuts_trios and has_too_many_trios(section):
                    dropped.reasons["too_many_trios"] += 1
                    continue
                windows = self._windows_of(section)
                sequences += [window for window in windows if window is not None]
                dropped.reasons["not_reproduced"] += windows.count(None)
        except Exception:  # Magenta's converters raise errors of any type
            dropped.reasons["failed"] += 1
            return StockExtraction(sequence.id, [], dropped)
        if not sequences:
            dropped.reasons["no_windows"] += 1
        return StockExtraction(sequence.id, sequences, dropped)

    @cached_property
    def _cuts_trios(self) -> bool:
        return type(self._converter).__name__ == "TrioConverter"

    def _windows_of(self, section: NoteSequence) -> list[bytes | None]:
        """Returns each window as a NoteSequence; ``None`` where that does not give the window again."""
        windows: list[bytes | None] = []
        for _, outputs, controls, _ in zip(*self._converter.to_tensors(section), strict=True):
            sequence = self._converter.from_tensors([outputs], *([[controls]] if controls.size else ()))[0]
            inputs = self._converter.to_tensors(sequence).inputs
            # for a hierarchy the script compares only the number of segments
            is_reproduced = len(inputs) and (not isinstance(outputs, list) or len(outputs) == len(inputs[0]))
            windows.append(sequence.SerializeToString(deterministic=True) if is_reproduced else None)
        return windows

"""Shared parts of the families whose windows one of Magenta's converters cuts: streams, multitrack and GrooVAE."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.magenta_table import MAGENTA_CONFIGS
from gmd_vae.configuration.own_hparams import DRUM_LEVERS, GROOVE_LEVERS
from gmd_vae.families.family import Family

if TYPE_CHECKING:
    from gmd_vae.engines.resumable import Progress
    from gmd_vae.evaluation.data.tensor_windows import TensorWindows
    from gmd_vae.generation.inputs.input_windows import InputReader
    from gmd_vae.midi.reading import Reading
    from gmd_vae.training.examples import Split
    from gmd_vae.training.input import ExampleTable
    from gmd_vae.windows.cutting.filters import Filters
    from gmd_vae.windows.cutting.magenta_windows import MagentaExtractor
    from gmd_vae.windows.label_windows import LabelWindows
    from gmd_vae.windows.stock.preprocess import StockExtractor

CHORD_CLASSES = 49  # note_seq.TriadChordOneHotEncoding: no chord, and four triads on each of 12 roots


class MagentaFamily(Family):
    """A family whose windows are tensors of one of Magenta's converters."""

    whole_windows = False

    def check(self, config: Config) -> None:
        """Checks that the config names a model of Magenta's, and has its windows and levels."""
        if not config.magenta:
            self.check_own(config)
            return
        if not config.magenta_windows.converter:
            raise ValueError(f"config '{config.name}': its windows name no converter")
        model = next((stock for stock in MAGENTA_CONFIGS if stock.name == config.magenta), None)
        if model is None:
            raise ValueError(f"config '{config.name}': Magenta has no config '{config.magenta}'")
        for field in ("family", "windows", "levels", "encoder_levels"):
            if getattr(config, field) != getattr(model, field):
                raise ValueError(f"config '{config.name}': '{field}' is not that of Magenta's '{model.name}'")

    def check_own(self, config: Config) -> None:
        """Checks a config without the field ``magenta``. Only GrooVAE builds models of its own.

        Raises:
            ValueError: The family has none, or the config does not fit it.
        """
        raise ValueError(f"config '{config.name}': family '{config.family}' needs the field 'magenta'")

    def unfit_lever(self, config: Config, name: str) -> str:
        """Refuses the levers of drums."""
        return "its music is not drums" if name in (*DRUM_LEVERS, *GROOVE_LEVERS) else ""

    @abc.abstractmethod
    def extractor(self, config: Config, filters: Filters | None = None) -> MagentaExtractor:
        """Returns the extractor with the config's converter. It starts TensorFlow when called."""

    def stock_extractor(self, config: Config) -> StockExtractor:
        """Returns the extractor with the converter as Magenta's script uses it. It starts TensorFlow when called."""
        from gmd_vae.windows.stock.converters import StockConverterExtractor

        return StockConverterExtractor(config.magenta_windows.converter)

    def example_table(self, config: Config, split: Split, tokens: frozenset[str]) -> ExampleTable:
        """Returns a table of serialised tensors."""
        from gmd_vae.training.input import TensorTable

        return TensorTable(split, tokens)

    def load_windows(self, folder: Path, split: str) -> LabelWindows | TensorWindows:
        """Reads tensors."""
        from gmd_vae.evaluation.data.tensor_windows import load_tensor_windows

        return load_tensor_windows(folder, split)

    def inspect_midi(self, config: Config, path: Path, number: int | None, reading: Reading) -> dict[str, Any]:
        """Returns the contents of a MIDI file with the parts of its windows. Starts TensorFlow."""
        from gmd_vae.inspection.one_file import inspect_parts
        from gmd_vae.windows.cutting.magenta_windows import window_finder

        finder = window_finder(self.extractor(config), lambda window: self.window_parts(config, window))
        return inspect_parts(path, finder, number, reading, self.drum_grid(config))

    def inspect_collection(
        self, config: Config, path: Path, kind: str, jobs: int | None, reading: Reading, advance: Progress
    ) -> dict[str, Any]:
        """Refuses: the windows of these families are found one file at a time."""
        raise UsageError(
            f"Of '{path}' inspect shows the windows of drum configs, and '{config.name}' is none",
            f"See one MIDI file of it, or let 'gmd-vae preprocess --config {config.name}' count them.",
        )

    def input_reader(self, config: Config) -> InputReader:
        """Returns the reader that cuts windows with the config's converter."""
        from gmd_vae.generation.inputs.converter_reader import ConverterReader

        return ConverterReader(config)

"""Drum labels: one categorical distribution over all combinations of the drum classes at each step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common import temperatures
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.own_hparams import GROOVE_LEVERS
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.family import Family
from gmd_vae.families.music import MUSIC, Music
from gmd_vae.families.output_spec import OutputSpec, bars_in_words
from gmd_vae.families.parameters import count_parameters

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np
    import numpy.typing as npt

    from gmd_vae.configuration.layers import Layers
    from gmd_vae.engines.resumable import Progress
    from gmd_vae.evaluation.data.evaluation_data import EvaluationData
    from gmd_vae.evaluation.data.tensor_windows import TensorWindows
    from gmd_vae.evaluation.key_figures import KeyFigure
    from gmd_vae.evaluation.likelihood import Advance
    from gmd_vae.evaluation.model import Model
    from gmd_vae.evaluation.result import Figures
    from gmd_vae.evaluation.settings import Settings
    from gmd_vae.generation.decoded.decoded_music import DecodedMusic
    from gmd_vae.generation.inputs.input_windows import InputReader
    from gmd_vae.midi.reading import Reading
    from gmd_vae.models.inference.scorer import Scorer
    from gmd_vae.training.examples import Split
    from gmd_vae.training.input import ExampleTable
    from gmd_vae.windows.cutting.filters import Filters
    from gmd_vae.windows.extraction import Extractor, Tensors
    from gmd_vae.windows.label_windows import LabelWindows
    from gmd_vae.windows.stock.preprocess import StockExtractor


class DrumLabels(Family):
    """Drum grids with one label for each step: bit ``i`` of a label is 1 if a drum of class ``i`` begins there."""

    kind = "labels"
    whole_windows = True
    only_drums = True
    runs_in_numpy = True
    unsupported_modes: tuple[str, ...] = ("groove",)
    sampling_temperature = temperatures.DRUM_LABELS
    playing_options = ("velocity", "swing", "humanize", "quantize")

    def check(self, config: Config) -> None:
        """Checks that the decoder's target is the label, not the drum roll."""
        if config.drum_windows.roll_output:
            raise ValueError(f"config '{config.name}': the categorical decoder writes labels, not a drum roll")

    def output(self, config: Config) -> OutputSpec:
        """Returns the shapes that ``DrumWindows`` gives."""
        windows = config.drum_windows
        return OutputSpec(
            windows.bars, windows.steps, windows.input_depth, windows.output_depth, is_label=not windows.roll_output
        )

    def music(self, config: Config) -> Music:
        """Returns drums."""
        return MUSIC["drums"]

    def describe_output(self, config: Config) -> str:
        """Returns the decoder's output in words."""
        return f"one drum label a step; windows of {bars_in_words(config.windows.bars)}"

    def core_decoders(self, config: Config, hparams: dict[str, Any]) -> Sequence[tuple[int, int]]:
        """Returns one decoder that reads and writes the one-hot label."""
        depth = config.drum_windows.output_depth
        return [(depth, depth)]

    def training_bytes(self, config: Config, hparams: dict[str, Any]) -> int | None:
        """Returns an estimate of the memory that training takes on a CPU, TensorFlow included.

        The estimate is for Magenta's layers; ours take a quarter to two fifths less (docs/performance.md). Counted are
        the activations that the backward pass keeps: seven values per LSTM unit and step (``LSTMBlockCell``) and about
        six arrays as wide as the output, times 1.5 for temporary arrays. The rest is fitted to the peak memory of five
        runs (tests/families/test_parameters.py), within 15 %: 1.1 GB for TensorFlow and the graph, and copies of the
        parameters, two for each segment of the hierarchical decoder, whose gradients Magenta adds up one by one.
        """
        if config.magenta:  # the constants were fitted to our own configs
            return None
        windows = config.drum_windows
        encoder, decoder = sum(hparams["enc_rnn_size"]), sum(hparams["dec_rnn_size"])
        segments = config.levels[0] if config.levels else 1
        per_window = 2 * encoder * 7 * windows.steps + decoder * 7 * (windows.steps + segments)
        per_window += windows.steps * 6 * windows.output_depth
        copies = 7 + 2 * segments
        parameters = count_parameters(config, hparams)
        return int(1.1e9 + 4 * copies * parameters + 1.5 * 4 * int(hparams["batch_size"]) * per_window)

    def unfit_lever(self, config: Config, name: str) -> str:
        """Refuses transposition, levers of velocities, and levers that need more bars or other drum classes."""
        from gmd_vae.configuration.drum_kit import unfit_drum_lever

        if name in GROOVE_LEVERS:
            return "its drums have no velocities and no timing"
        return unfit_drum_lever(name, config.drum_windows)

    def extractor(self, config: Config, filters: Filters | None = None) -> Extractor:
        """Returns our own extractor of drum windows."""
        from gmd_vae.windows.cutting.drum_windows import DrumExtractor
        from gmd_vae.windows.cutting.filters import FilteredDrumExtractor

        windows = config.drum_windows
        try:
            extractor = DrumExtractor(windows)
        except ValueError as error:
            raise UsageError(
                f"The windows of config '{config.name}' cannot be cut: {error}", "Correct the config."
            ) from None
        return FilteredDrumExtractor(windows, filters) if filters and filters.is_on else extractor

    def stock_extractor(self, config: Config) -> StockExtractor:
        """Returns our own version of Magenta's script for drums."""
        from gmd_vae.windows.stock.drums import StockDrumExtractor

        self.extractor(config)  # raises UsageError for windows that cannot be cut
        return StockDrumExtractor(config.drum_windows)

    def example_table(self, config: Config, split: Split, tokens: frozenset[str]) -> ExampleTable:
        """Returns a table of labels."""
        from gmd_vae.training.input import LabelTable

        return LabelTable(split, config.drum_windows, tokens)

    @property
    def draws_grids(self) -> bool:
        """True: a window is a grid of drum labels."""
        return True

    def drum_grid(self, config: Config) -> DrumWindows | None:
        """Returns the config's windows."""
        return config.drum_windows

    def inspect_midi(self, config: Config, path: Path, number: int | None, reading: Reading) -> dict[str, Any]:
        """Returns the contents of a MIDI file with one window as a grid."""
        from gmd_vae.inspection.one_file import inspect_midi

        return inspect_midi(path, config.drum_windows, number, reading)

    def inspect_collection(
        self, config: Config, path: Path, kind: str, jobs: int | None, reading: Reading, advance: Progress
    ) -> dict[str, Any]:
        """Returns the contents of many MIDI files or NoteSequences."""
        from gmd_vae.inspection.collection import inspect_midi_files, inspect_notes

        if kind == "notes":
            return inspect_notes(path, config.drum_windows, jobs, advance)
        return inspect_midi_files(path, config.drum_windows, jobs, advance, reading)

    def window_parts(self, config: Config, window: Tensors) -> list[dict[str, Any]]:
        """Returns the drums of a one-hot window."""
        from gmd_vae.windows.window_content import label_part

        return [label_part("drums", window.outputs.argmax(axis=1))]

    def build(self, config: Config) -> Any:
        """Returns a flat or hierarchical categorical decoder over a ``DrumsConverter``."""
        from gmd_vae.magenta.drum_model import build_drum_model

        return build_drum_model(config, config.drum_windows)

    def open_scorer(
        self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers
    ) -> AbstractContextManager[Scorer[Any]]:
        """Returns the scorer of labels."""
        from gmd_vae.models.inference.label_scorer import LabelScorer

        return LabelScorer(config, hparams, checkpoint, layers)

    def magentajs_spec(self, config: Config) -> dict[str, Any]:
        """Returns ``DrumsConverter``, which reads the bits of a label as ours do."""
        return {"dataConverter": self._magentajs_converter("DrumsConverter", config)}

    def _magentajs_converter(self, kind: str, config: Config) -> dict[str, Any]:
        windows = config.drum_windows
        args: dict[str, Any] = {"numSteps": windows.steps}
        if config.levels:
            args["numSegments"] = config.levels[0]
        args |= {"pitchClasses": [list(pitches) for pitches in windows.pitch_classes]}
        # The converter does not read the steps of a quarter note; a page gives them to decode()
        args |= {"stepsPerQuarter": windows.steps_per_quarter}
        return {"type": kind, "args": args}

    def load_windows(self, folder: Path, split: str) -> LabelWindows | TensorWindows:
        """Reads labels."""
        from gmd_vae.windows.label_windows import load_windows

        return load_windows(folder, split)

    def evaluate(
        self, config: Config, model: Model[Any], data: EvaluationData[Any], settings: Settings, advance: Advance
    ) -> Figures:
        """Measures likelihood, reconstruction, novelty, distributions and latent space of drum labels."""
        from gmd_vae.evaluation.measure.drum_labels import measure_drum_labels

        return measure_drum_labels(model, data, config.drum_windows, settings, advance)

    def key_figures(self, config: Config, figures: Figures) -> Sequence[KeyFigure | None]:
        """Returns free-running step accuracy, and the two-sample AUC and novelty of samples."""
        from gmd_vae.evaluation import key_figures
        from gmd_vae.evaluation.figures import STEP_ACCURACY

        baselines = ("previous_bar", "nearest_training")
        return (
            key_figures.reconstruction(figures, STEP_ACCURACY, baselines),
            key_figures.samples_beside_music(figures),
            key_figures.novelty(figures),
        )

    def input_reader(self, config: Config) -> InputReader:
        """Returns the reader of drum labels."""
        from gmd_vae.generation.inputs.drum_reader import DrumReader

        return DrumReader(config)

    def label_windows(self, config: Config, labels: npt.NDArray[np.int64]) -> Sequence[npt.NDArray[Any]]:
        """Returns the labels of each window."""
        return list(labels)

    def decoded_music(self, config: Config) -> DecodedMusic:
        """Returns drum labels as music."""
        from gmd_vae.generation.decoded.drum_grids import DecodedLabels

        return DecodedLabels(self.output(config), config.drum_windows)


DRUM_LABELS = DrumLabels()

"""The interface of a family of music: every question whose answer depends on the kind of a config's music.

The methods are in the order in which data flows: output, windows, inspection, model, evaluation, generation. Each
family must define the abstract ones. No method imports TensorFlow unless its docstring says so.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common import temperatures

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from gmd_vae.configuration.config import Config
    from gmd_vae.configuration.layers import Layers
    from gmd_vae.configuration.window_specs import DrumWindows
    from gmd_vae.engines.resumable import Progress
    from gmd_vae.evaluation.data.evaluation_data import EvaluationData
    from gmd_vae.evaluation.data.tensor_windows import TensorWindows
    from gmd_vae.evaluation.key_figures import KeyFigure
    from gmd_vae.evaluation.likelihood import Advance
    from gmd_vae.evaluation.model import Model
    from gmd_vae.evaluation.result import Figures
    from gmd_vae.evaluation.settings import Settings
    from gmd_vae.families.music import Music
    from gmd_vae.families.output_spec import OutputSpec
    from gmd_vae.generation.decoded.decoded_music import DecodedMusic
    from gmd_vae.generation.inputs.input_windows import InputReader
    from gmd_vae.generation.model import OpenedModel
    from gmd_vae.generation.performance.humanizer import Humanizer
    from gmd_vae.midi.reading import Reading
    from gmd_vae.models.inference.scorer import Scorer
    from gmd_vae.training.examples import Split
    from gmd_vae.training.input import ExampleTable
    from gmd_vae.windows.cutting.filters import Filters
    from gmd_vae.windows.extraction import Extractor, Tensors
    from gmd_vae.windows.label_windows import LabelWindows
    from gmd_vae.windows.stock.preprocess import StockExtractor


class Family(abc.ABC):
    """One kind of music: its windows, its model, its figures and its MIDI.

    Attributes:
        kind: Name of the output in JSON: ``labels``, ``roll``, ``streams`` or ``groove``. Not the name of the family in
            a config (a key of ``families.FAMILIES``): streams and multitrack have the same kind.
        whole_windows: True if all windows have the full length.
        only_drums: True if all notes that the models write are drums.
        runs_in_numpy: True if ``models/forward`` computes its models; else they need TensorFlow.
        unsupported_modes: Modes of ``gmd-vae generate`` that its models do not have.
        sampling_temperature: Temperature at which ``generate`` draws new music where the user names none.
        playing_options: Those of ``velocity``, ``swing``, ``humanize`` and ``quantize`` that its music takes.
    """

    kind: str
    whole_windows: bool
    only_drums: bool
    runs_in_numpy: bool = False
    unsupported_modes: tuple[str, ...] = ("attribute", "groove")
    sampling_temperature: float = temperatures.SAMPLING
    playing_options: tuple[str, ...] = ()

    # --- output

    @abc.abstractmethod
    def output(self, config: Config) -> OutputSpec:
        """Returns the shapes of a window as the model reads and writes it."""

    @abc.abstractmethod
    def music(self, config: Config) -> Music:
        """Returns the music that the config learns from; it is one of ``music.MUSIC``."""

    @abc.abstractmethod
    def describe_output(self, config: Config) -> str:
        """Returns the decoder's output in words, for ``gmd-vae configs NAME``."""

    @abc.abstractmethod
    def core_decoders(self, config: Config, hparams: dict[str, Any]) -> Sequence[tuple[int, int]]:
        """Returns ``(input depth, output depth)`` of each core decoder, for ``parameters.variable_shapes``.

        Args:
            config: The config.
            hparams: All hyperparameters.
        """

    def extra_variables(self, config: Config, hparams: dict[str, Any]) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of the variables, by name, that are not in LSTM or dense layers."""
        return {}

    def training_bytes(self, config: Config, hparams: dict[str, Any]) -> int | None:
        """Returns an estimate of the memory for training on a CPU in bytes; ``None`` if it is unknown."""
        return None

    @abc.abstractmethod
    def check(self, config: Config) -> None:
        """Checks that a config's windows and network are of this family.

        Raises:
            ValueError: They are not; the text names the config.
        """

    @abc.abstractmethod
    def unfit_lever(self, config: Config, name: str) -> str:
        """Returns the reason why a lever of the training input or of playing cannot be on; empty if it can.

        Args:
            config: The config.
            name: One of ``configuration.own_hparams.INPUT_LEVERS``, or ``FULL_VELOCITY``.
        """

    # --- windows

    @abc.abstractmethod
    def extractor(self, config: Config, filters: Filters | None = None) -> Extractor:
        """Returns the picklable function from NoteSequence bytes to windows. It may start TensorFlow when called.

        Args:
            config: The config.
            filters: Conditions on sections of music; ``None`` for none.

        Raises:
            UsageError: The windows cannot be cut.
        """

    @abc.abstractmethod
    def stock_extractor(self, config: Config) -> StockExtractor:
        """Returns the picklable function from NoteSequence bytes to records of Magenta's ``preprocess_tfrecord``."""

    @abc.abstractmethod
    def example_table(self, config: Config, split: Split, tokens: frozenset[str]) -> ExampleTable:
        """Returns the examples of a split in the training graph. Starts TensorFlow.

        Args:
            config: The config.
            split: Split with at least one example.
            tokens: Names of the arrays (``inputs``, ``outputs``) that the model reads as tokens instead of vectors.
        """

    # --- inspection

    @property
    def draws_grids(self) -> bool:
        """True where ``gmd-vae inspect`` shows a window as a grid of drum labels; else it lists the window's parts."""
        return False

    def drum_grid(self, config: Config) -> DrumWindows | None:
        """Returns the drum classes and steps of the windows; ``None`` if not all notes are drums."""
        return None

    @abc.abstractmethod
    def inspect_midi(self, config: Config, path: Path, number: int | None, reading: Reading) -> dict[str, Any]:
        """Returns the contents of a MIDI file and its windows, as ``gmd-vae inspect --json`` shows them.

        Starts TensorFlow where one of Magenta's converters cuts the windows.

        Args:
            config: The config whose windows are searched.
            path: MIDI file.
            number: Number of the window to show, from 1; ``None``: the one that ``gmd-vae generate`` takes.
            reading: Rules for reading the file.

        Raises:
            GmdVaeError: The file cannot be read, or has no such window.
        """

    @abc.abstractmethod
    def inspect_collection(
        self, config: Config, path: Path, kind: str, jobs: int | None, reading: Reading, advance: Progress
    ) -> dict[str, Any]:
        """Returns the contents of many MIDI files or NoteSequences.

        Args:
            config: The config whose windows are counted.
            path: Folder, archive or TFRecord file.
            kind: ``files`` for MIDI, ``notes`` for NoteSequences.
            jobs: Number of processes; ``None``: one for each processor.
            reading: Rules for reading MIDI files.
            advance: Progress callback, called with files done and files in all.

        Raises:
            UsageError: This family can show only single files.
        """

    @abc.abstractmethod
    def window_parts(self, config: Config, window: Tensors) -> list[dict[str, Any]]:
        """Returns the parts of a window, each with ``name``, ``notes``, ``lowest`` and ``highest`` pitch."""

    # --- model

    def build(self, config: Config) -> Any:
        """Returns Magenta's ``Config`` for a config without the field ``magenta``. Starts TensorFlow.

        Raises:
            ValueError: The family has no model of its own.
        """
        raise ValueError(f"config '{config.name}': give the config of Magenta's that it takes its model from")

    @abc.abstractmethod
    def open_scorer(
        self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers
    ) -> AbstractContextManager[Scorer[Any]]:
        """Returns the checkpoint's model as a probability distribution over windows. Starts TensorFlow.

        Args:
            config: Config that the checkpoint was trained with.
            hparams: Its hyperparameters.
            checkpoint: Prefix of the checkpoint.
            layers: Implementation of the layers.

        Raises:
            GmdVaeError: The checkpoint cannot be read or does not fit the config.
        """

    def stored_windows(self, decoded: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Returns windows from the decoder in the form in which examples store windows."""
        return decoded

    def magentajs_spec(self, config: Config) -> dict[str, Any]:
        """Returns the entries of Magenta.js's ``config.json`` that depend on the music: ``dataConverter`` and controls.

        Raises:
            ValueError: Magenta.js does not compute such models; the text is the reason, a clause.
        """
        raise ValueError("it has no converter for this kind of music")

    # --- evaluation

    @abc.abstractmethod
    def load_windows(self, folder: Path, split: str) -> LabelWindows | TensorWindows:
        """Reads the windows of a split of prepared examples.

        Args:
            folder: Folder that ``gmd-vae preprocess`` made.
            split: Name of the split.

        Raises:
            GmdVaeError: The folder holds other windows, has no such split, or is damaged.
        """

    @abc.abstractmethod
    def evaluate(
        self, config: Config, model: Model[Any], data: EvaluationData[Any], settings: Settings, advance: Advance
    ) -> Figures:
        """Measures all figures of a model on one split.

        Args:
            config: Config of the model.
            model: The model; ``open_model`` opens it from a checkpoint.
            data: Windows of the split and training windows, from ``load_windows``.
            settings: Seed and sample sizes.
            advance: Progress callback.
        """

    @abc.abstractmethod
    def key_figures(self, config: Config, figures: Figures) -> Sequence[KeyFigure | None]:
        """Returns the three figures that carry the verdict of an evaluation, the most important one first.

        Args:
            config: Config of the model.
            figures: Its figures. In the place of one that they lack is ``None``.
        """

    # --- generation

    @abc.abstractmethod
    def input_reader(self, config: Config) -> InputReader:
        """Returns the reader that finds the config's windows in a user's MIDI file."""

    def label_windows(self, config: Config, labels: npt.NDArray[np.int64]) -> Sequence[npt.NDArray[Any]]:
        """Returns drum labels in the form in which the config's models decode windows.

        Args:
            config: A config with a drum grid.
            labels: Drum labels, int64 ``[windows, steps]``.

        Raises:
            ValueError: The family decodes no drum grids.
        """
        raise ValueError(f"config '{config.name}' decodes no drum grids")

    def chord_bars(self, config: Config) -> tuple[int, ...]:
        """Returns the bar of the chord that conditions each step of a window, -1 for steps without a chord."""
        output = self.output(config)
        return tuple(step // output.steps_per_bar for step in range(output.steps))

    @abc.abstractmethod
    def decoded_music(self, config: Config) -> DecodedMusic:
        """Returns the object that compares decoded windows and writes them to MIDI files."""

    def writes_new_music(self, config: Config) -> bool:
        """Returns True if the config's models write music without an input, and not only versions of a given one."""
        return True

    def humanizes(self, config: Config) -> bool:
        """Returns True if the config's models give velocities and offsets to the hits of other models."""
        return False

    def humanizer(self, config: Config, model: OpenedModel) -> Humanizer:
        """Returns the performer of drum patterns for ``--humanize RUN``.

        Args:
            config: A config that humanizes.
            model: The opened model.

        Raises:
            ValueError: The config does not humanize.
        """
        raise ValueError(f"config '{config.name}' does not humanize")

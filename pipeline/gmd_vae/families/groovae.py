"""GrooVAE: drum hits with velocities and timing (Gillick et al. 2019, "Learning to Groove")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.own_hparams import DRUM_LEVERS
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.groove_columns import DRUMS, NOTE_DROPOUT, Groove
from gmd_vae.families.magenta_family import MagentaFamily
from gmd_vae.families.music import MUSIC, Music
from gmd_vae.families.output_spec import OutputSpec, bars_in_words

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from gmd_vae.configuration.layers import Layers
    from gmd_vae.evaluation.data.evaluation_data import EvaluationData
    from gmd_vae.evaluation.key_figures import KeyFigure
    from gmd_vae.evaluation.likelihood import Advance
    from gmd_vae.evaluation.model import Model
    from gmd_vae.evaluation.result import Figures
    from gmd_vae.evaluation.settings import Settings
    from gmd_vae.generation.decoded.decoded_music import DecodedMusic
    from gmd_vae.generation.inputs.input_windows import InputReader
    from gmd_vae.generation.model import OpenedModel
    from gmd_vae.generation.performance.humanizer import Humanizer
    from gmd_vae.models.inference.scorer import Scorer
    from gmd_vae.training.examples import Split
    from gmd_vae.training.input import ExampleTable
    from gmd_vae.windows.cutting.filters import Filters
    from gmd_vae.windows.cutting.magenta_windows import MagentaExtractor
    from gmd_vae.windows.extraction import Tensors


class GrooVae(MagentaFamily):
    """Drum hits with velocities and timing: three columns of each drum class at each step."""

    kind = "groove"
    only_drums = True
    runs_in_numpy = True
    unsupported_modes = ("attribute",)

    def check_own(self, config: Config) -> None:
        """Checks windows that no converter of Magenta's configs cuts.

        Raises:
            ValueError: They have no task, name another converter, have other steps than sixteenth notes, or ask for
                what `build` cannot give.
        """
        windows = config.magenta_windows
        if windows.converter != config.name:
            raise ValueError(f"config '{config.name}': without 'magenta', its converter must have its own name")
        if not windows.task or windows.controls == "chords" or windows.parts or windows.tracks != 1:
            raise ValueError(f"config '{config.name}': its windows need a task, and have neither chords nor parts")
        if windows.steps != 16 * windows.bars:
            raise ValueError(f"config '{config.name}': {windows.bars} bars have {16 * windows.bars} steps")
        if (windows.task == "add") != bool(windows.added) or not set(windows.added) <= set(range(DRUMS)):
            raise ValueError(f"config '{config.name}': 'added' lists the drum classes that task 'add' adds")
        if config.levels or config.encoder_levels:
            raise ValueError(f"config '{config.name}': GrooVAE has one level")

    def build(self, config: Config) -> Any:
        """Returns Magenta's GrooVAE over a ``GrooveConverter`` for the config's task."""
        from gmd_vae.magenta.groove_model import build_groove_model

        return build_groove_model(config, config.magenta_windows)

    def output(self, config: Config) -> OutputSpec:
        """Returns three columns a drum class, and hits as controls where the config needs them."""
        windows = config.magenta_windows
        return OutputSpec(
            windows.bars,
            windows.steps,
            input_depth=3 * DRUMS,
            output_depth=3 * DRUMS,
            control_depth=DRUMS if windows.controls else 0,
            controls=windows.controls,
            given_hits=DRUMS,
        )

    def music(self, config: Config) -> Music:
        """Returns played drums."""
        return MUSIC["groove"]

    def describe_output(self, config: Config) -> str:
        """Returns the three kinds of columns in words."""
        output = self.output(config)
        given = ", to given hits" if output.controls else ""
        return f"hits, velocities and timing of the drum classes; windows of {bars_in_words(output.bars)}{given}"

    def core_decoders(self, config: Config, hparams: dict[str, Any]) -> Sequence[tuple[int, int]]:
        """Returns one decoder of all columns."""
        return [(3 * DRUMS, 3 * DRUMS)]

    def drum_grid(self, config: Config) -> DrumWindows:
        """Returns nine drum classes on sixteenth notes."""
        return DrumWindows(slice_bars=config.windows.bars)

    def groove(self, config: Config) -> Groove:
        """Returns the task that the config's windows name.

        Raises:
            ValueError: The windows name no task.
        """
        windows = config.magenta_windows
        if not windows.task:
            raise ValueError(f"config '{config.name}': its windows name no task")
        return Groove(windows.task, windows.added, hits_as_controls=windows.controls == "hits")

    def unfit_lever(self, config: Config, name: str) -> str:
        """Refuses what drums do not have, and all levers of drums where the input cannot follow them."""
        from gmd_vae.configuration.drum_kit import unfit_drum_lever

        if name in DRUM_LEVERS and config.windows.converter == NOTE_DROPOUT:
            return "its examples lack notes of the input at random, and no input can be made for changed drums"
        return unfit_drum_lever(name, self.drum_grid(config))

    def extractor(self, config: Config, filters: Filters | None = None) -> MagentaExtractor:
        """Returns the extractor of played drums. It starts TensorFlow when called."""
        from gmd_vae.windows.cutting.filters import NO_FILTERS
        from gmd_vae.windows.cutting.magenta_windows import GrooveExtractor

        return GrooveExtractor(config.magenta_windows, filters or NO_FILTERS)

    def example_table(self, config: Config, split: Split, tokens: frozenset[str]) -> ExampleTable:
        """Returns a table of grooves."""
        from gmd_vae.training.music_tables import GrooveTable

        return GrooveTable(split, self.groove(config), self.drum_grid(config), tokens)

    def window_parts(self, config: Config, window: Tensors) -> list[dict[str, Any]]:
        """Returns the number of hits."""
        from gmd_vae.windows.window_content import part

        return [part("drums", int((window.outputs[:, :DRUMS] > 0).sum()))]

    def magentajs_spec(self, config: Config) -> dict[str, Any]:
        """Returns ``GrooveConverter`` for the task, and the hits as control where the decoder follows them."""
        windows, grid = config.magenta_windows, self.drum_grid(config)
        args = {
            "numSteps": windows.steps,
            "stepsPerQuarter": grid.steps_per_quarter,
            "pitchClasses": [list(pitches) for pitches in grid.pitch_classes],
            "humanize": windows.task == "humanize",
            "tapify": windows.task == "tap",
        }
        spec: dict[str, Any] = {"dataConverter": {"type": "GrooveConverter", "args": args}}
        if windows.controls:
            spec["extraControls"] = [{"name": windows.controls, "depth": DRUMS}]
        return spec

    def open_scorer(
        self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers
    ) -> AbstractContextManager[Scorer[Any]]:
        """Returns the scorer of hits, velocities and offsets."""
        from gmd_vae.models.inference.tensor_scorer import GrooveScorer

        return GrooveScorer(config, hparams, checkpoint, layers)

    def evaluate(
        self, config: Config, model: Model[Any], data: EvaluationData[Any], settings: Settings, advance: Advance
    ) -> Figures:
        """Measures the hits like drum labels, and the velocities and offsets of the hits."""
        from gmd_vae.evaluation.measure.groovae import measure_groovae

        return measure_groovae(model, data, self.output(config), self.drum_grid(config), settings, advance)

    def key_figures(self, config: Config, figures: Figures) -> Sequence[KeyFigure | None]:
        """Returns the errors of timing and velocity; beside them the timing KL where hits are given, else the hits F1.

        An error alone rewards the average playing, and a KL alone rewards random playing.
        """
        from gmd_vae.evaluation import key_figures
        from gmd_vae.evaluation.figures import HITS_F1, TIMING_KL, TIMING_MAE_MS, VELOCITY_MSE

        errors = (
            key_figures.timing_and_velocity(figures, TIMING_MAE_MS, ("as_usual", "boosted"), "timing"),
            key_figures.timing_and_velocity(figures, VELOCITY_MSE, ("as_usual", "boosted"), "velocities"),
        )
        if self.groove(config).humanizes:
            spread = key_figures.timing_and_velocity(
                figures, TIMING_KL, ("as_usual", "by_dice"), "distribution of timing"
            )
            return (*errors, spread)
        return (key_figures.reconstruction(figures, HITS_F1, ("previous_bar", "nearest_training"), "hits"), *errors)

    def input_reader(self, config: Config) -> InputReader:
        """Returns the reader of hits, velocities and offsets."""
        from gmd_vae.generation.inputs.groove_reader import GrooveReader

        return GrooveReader(config, self.groove(config))

    def label_windows(self, config: Config, labels: npt.NDArray[np.int64]) -> Sequence[npt.NDArray[Any]]:
        """Returns the hits of each window, with velocities and offsets of 0."""
        from gmd_vae.generation.inputs.groove_reader import labels_to_values

        return [labels_to_values(row) for row in labels]

    def decoded_music(self, config: Config) -> DecodedMusic:
        """Returns grooves as music."""
        from gmd_vae.generation.decoded.grooves import DecodedGrooves

        return DecodedGrooves(self.output(config), self.drum_grid(config))

    def writes_new_music(self, config: Config) -> bool:
        """Returns True for the task of playing; the others complete the hits or taps of an input."""
        return self.groove(config).task == "play"

    def humanizes(self, config: Config) -> bool:
        """Returns True for tasks that keep given hits."""
        return self.groove(config).humanizes

    def humanizer(self, config: Config, model: OpenedModel) -> Humanizer:
        """Returns the performer of drum patterns."""
        from gmd_vae.generation.performance.humanizer import GrooVaeHumanizer

        if not self.humanizes(config):
            raise ValueError(f"config '{config.name}' does not humanize")
        return GrooVaeHumanizer(model, config.name, self.groove(config), self.output(config).steps)


GROOVAE = GrooVae()

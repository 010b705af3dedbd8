"""Multitrack: the events of up to eight instruments in one bar, track behind track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gmd_vae.configuration.config import Config
from gmd_vae.families.magenta_family import CHORD_CLASSES, MagentaFamily
from gmd_vae.families.music import MUSIC, Music
from gmd_vae.families.output_spec import OutputSpec, Stream, bars_in_words

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gmd_vae.configuration.layers import Layers
    from gmd_vae.evaluation.data.evaluation_data import EvaluationData
    from gmd_vae.evaluation.key_figures import KeyFigure
    from gmd_vae.evaluation.likelihood import Advance
    from gmd_vae.evaluation.model import Model
    from gmd_vae.evaluation.result import Figures
    from gmd_vae.evaluation.settings import Settings
    from gmd_vae.generation.decoded.decoded_music import DecodedMusic
    from gmd_vae.models.inference.scorer import Scorer
    from gmd_vae.training.examples import Split
    from gmd_vae.training.input import ExampleTable
    from gmd_vae.windows.cutting.filters import Filters
    from gmd_vae.windows.cutting.magenta_windows import MagentaExtractor
    from gmd_vae.windows.extraction import Tensors

# magenta.models.music_vae.data_hierarchical.MultiInstrumentPerformanceConverter: 360 events of a performance (128 note
# on, 128 note off, 96 time shifts, 8 velocities), 129 programs, an end token
_EVENTS = 490


class Multitrack(MagentaFamily):
    """Bars of several instruments: each step is an event of a track."""

    kind = "streams"
    only_drums = False

    def output(self, config: Config) -> OutputSpec:
        """Returns one stream of events."""
        windows = config.magenta_windows
        return OutputSpec(
            windows.bars,
            windows.steps,
            input_depth=_EVENTS,
            output_depth=_EVENTS,
            control_depth=CHORD_CLASSES if windows.controls else 0,
            streams=(Stream("events", 0, _EVENTS),),
            tracks=windows.tracks,
            controls=windows.controls,
        )

    def music(self, config: Config) -> Music:
        """Returns several instruments."""
        return MUSIC["tracks"]

    def describe_output(self, config: Config) -> str:
        """Returns the number of tracks in words."""
        output = self.output(config)
        given = ", to given chords" if output.controls else ""
        return f"the events of up to {output.tracks} instruments; windows of {bars_in_words(output.bars)}{given}"

    def core_decoders(self, config: Config, hparams: dict[str, Any]) -> Sequence[tuple[int, int]]:
        """Returns one decoder of events."""
        return [(_EVENTS, _EVENTS)]

    def magentajs_spec(self, config: Config) -> dict[str, Any]:
        """Returns ``MultitrackConverter``, and the encoder of chords."""
        windows = config.magenta_windows
        args = {
            "numSteps": windows.steps,
            "numSegments": windows.tracks,
            "stepsPerQuarter": 24,
            "totalSteps": 96,
            "numVelocityBins": 8,
        }
        chords = {"chordEncoder": "TriadChordEncoder"} if windows.controls else {}
        return {"dataConverter": {"type": "MultitrackConverter", "args": args}, **chords}

    def extractor(self, config: Config, filters: Filters | None = None) -> MagentaExtractor:
        """Returns the extractor of bars of several instruments. It starts TensorFlow when called."""
        from gmd_vae.windows.cutting.filters import NO_FILTERS
        from gmd_vae.windows.cutting.magenta_windows import TrackExtractor

        return TrackExtractor(config.magenta_windows, filters or NO_FILTERS, "tracks")

    def example_table(self, config: Config, split: Split, tokens: frozenset[str]) -> ExampleTable:
        """Returns a table of windows with pitches."""
        from gmd_vae.training.music_tables import PitchTable

        return PitchTable(split, self.output(config), tokens)

    def window_parts(self, config: Config, window: Tensors) -> list[dict[str, Any]]:
        """Returns the instruments of a bar with their notes."""
        from gmd_vae.windows.window_content import track_parts

        return track_parts(window.outputs, self.output(config).tracks)

    def open_scorer(
        self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers
    ) -> AbstractContextManager[Scorer[Any]]:
        """Returns the scorer of events."""
        from gmd_vae.models.inference.tensor_scorer import StreamScorer

        return StreamScorer(config, hparams, checkpoint, layers)

    def evaluate(
        self, config: Config, model: Model[Any], data: EvaluationData[Any], settings: Settings, advance: Advance
    ) -> Figures:
        """Measures likelihood, reconstruction, novelty and latent space of events."""
        from gmd_vae.evaluation.measure.multitrack import measure_multitrack

        return measure_multitrack(model, data, self.output(config), settings, advance)

    def key_figures(self, config: Config, figures: Figures) -> Sequence[KeyFigure | None]:
        """Returns free-running F1 of notes and of programs, and the novelty of samples."""
        from gmd_vae.evaluation import key_figures
        from gmd_vae.evaluation.figures import NOTES_F1, PROGRAMS_F1

        baselines = ("random_training", "nearest_training")
        return (
            key_figures.reconstruction(figures, NOTES_F1, baselines, "notes"),
            key_figures.reconstruction(figures, PROGRAMS_F1, baselines, "instruments"),
            key_figures.novelty(figures),
        )

    def chord_bars(self, config: Config) -> tuple[int, ...]:
        """Returns bar 0 for all steps but the first of each track: the program there is learned without a chord."""
        output = self.output(config)
        track_steps = output.steps // output.tracks
        return tuple(-1 if step % track_steps == 0 else 0 for step in range(output.steps))

    def decoded_music(self, config: Config) -> DecodedMusic:
        """Returns tracks of events as music."""
        from gmd_vae.generation.decoded.parts import DecodedTracks

        return DecodedTracks(self.output(config))


MULTITRACK = Multitrack()

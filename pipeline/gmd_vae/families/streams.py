"""Streams: one class a step for each part, a melody alone or melody, bass and drums."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import NINE_CLASSES
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

# note_seq's MelodyOneHotEncoding: no event, note off, 88 pitches of a piano; drums: combinations of nine classes
_CLASSES = {"melody": 90, "bass": 90, "drums": 512}
PIANO = {"minPitch": 21, "maxPitch": 108}


class Streams(MagentaFamily):
    """Melodies and trios: each step has one class of each stream."""

    kind = "streams"
    only_drums = False
    playing_options = ("velocity",)

    def output(self, config: Config) -> OutputSpec:
        """Returns the streams side by side; the converter reads what it writes."""
        windows = config.magenta_windows
        ends = list(itertools.accumulate(_CLASSES[part] for part in windows.parts))
        streams = tuple(Stream(part, end - _CLASSES[part], end) for part, end in zip(windows.parts, ends, strict=True))
        return OutputSpec(
            windows.bars,
            windows.steps,
            input_depth=ends[-1],
            output_depth=ends[-1],
            control_depth=CHORD_CLASSES if windows.controls else 0,
            streams=streams,
            controls=windows.controls,
        )

    def music(self, config: Config) -> Music:
        """Returns trios for several parts, else melodies."""
        return MUSIC["trio" if len(config.magenta_windows.parts) > 1 else "melody"]

    def describe_output(self, config: Config) -> str:
        """Returns the streams with their number of classes."""
        output = self.output(config)
        streams = ", ".join(f"{stream.name} (of {stream.classes})" for stream in output.streams)
        given = ", to given chords" if output.controls else ""
        return f"one class a step of {streams}; windows of {bars_in_words(output.bars)}{given}"

    def core_decoders(self, config: Config, hparams: dict[str, Any]) -> Sequence[tuple[int, int]]:
        """Returns a decoder for each stream where a conductor splits them, else one for all columns."""
        output = self.output(config)
        if not config.levels:
            return [(output.output_depth, output.output_depth)]
        return [(stream.classes, stream.classes) for stream in output.streams]

    def extractor(self, config: Config, filters: Filters | None = None) -> MagentaExtractor:
        """Returns the extractor of melodies or trios. It starts TensorFlow when called."""
        from gmd_vae.windows.cutting.filters import NO_FILTERS
        from gmd_vae.windows.cutting.magenta_windows import SectionExtractor

        windows = config.magenta_windows
        return SectionExtractor(windows, filters or NO_FILTERS, "trio" if len(windows.parts) > 1 else "melody")

    def example_table(self, config: Config, split: Split, tokens: frozenset[str]) -> ExampleTable:
        """Returns a table of windows with pitches."""
        from gmd_vae.training.music_tables import PitchTable

        return PitchTable(split, self.output(config), tokens)

    def window_parts(self, config: Config, window: Tensors) -> list[dict[str, Any]]:
        """Returns the streams with their notes."""
        from gmd_vae.windows.window_content import stream_part

        return [
            stream_part(stream.name, window.outputs[:, stream.start : stream.stop].argmax(axis=1))
            for stream in self.output(config).streams
        ]

    def magentajs_spec(self, config: Config) -> dict[str, Any]:
        """Returns ``MelodyConverter`` or ``TrioConverter``, and the encoder of chords."""
        windows = config.magenta_windows
        if len(windows.parts) > 1 and not config.levels:
            raise ValueError("its flat decoder writes all parts at once, and that of Magenta.js one part")
        args: dict[str, Any] = {"numSteps": windows.steps}
        if config.levels:
            args["numSegments"] = config.levels[0]
        if len(windows.parts) > 1:
            drums = {"pitchClasses": [list(pitches) for pitches in NINE_CLASSES]}
            args |= {"melArgs": dict(PIANO), "bassArgs": dict(PIANO), "drumsArgs": drums}
        else:
            args |= PIANO
        kind = "TrioConverter" if len(windows.parts) > 1 else "MelodyConverter"
        chords = {"chordEncoder": "TriadChordEncoder"} if windows.controls else {}
        return {"dataConverter": {"type": kind, "args": args}, **chords}

    def open_scorer(
        self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers
    ) -> AbstractContextManager[Scorer[Any]]:
        """Returns the scorer of streams."""
        from gmd_vae.models.inference.tensor_scorer import StreamScorer

        return StreamScorer(config, hparams, checkpoint, layers)

    def evaluate(
        self, config: Config, model: Model[Any], data: EvaluationData[Any], settings: Settings, advance: Advance
    ) -> Figures:
        """Measures likelihood, reconstruction, novelty and latent space of streams."""
        from gmd_vae.evaluation.measure.streams import measure_streams

        return measure_streams(model, data, self.output(config), settings, advance)

    def key_figures(self, config: Config, figures: Figures) -> Sequence[KeyFigure | None]:
        """Returns free-running notes F1, since most steps have no event, and the figures of samples."""
        from gmd_vae.evaluation import key_figures
        from gmd_vae.evaluation.figures import NOTES_F1

        baselines = ("previous_bar", "nearest_training")
        return (
            key_figures.reconstruction(figures, NOTES_F1, baselines),
            key_figures.samples_beside_music(figures),
            key_figures.novelty(figures),
        )

    def decoded_music(self, config: Config) -> DecodedMusic:
        """Returns streams as music."""
        from gmd_vae.generation.decoded.parts import DecodedStreams

        return DecodedStreams(self.output(config))


STREAMS = Streams()

"""Input windows of families whose windows one of Magenta's converters cuts: melodies, trios, several instruments."""

from __future__ import annotations

from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.input_windows import InputReader, InputWindow
from gmd_vae.generation.inputs.midi_input import MidiInput
from gmd_vae.windows.cutting.positions import main_tempo
from gmd_vae.windows.extraction import REASONS, of_count


class ConverterReader(InputReader):
    """Finds windows with the config's extractor. The converters give each window once, in no order of time."""

    def windows(self, midi: MidiInput) -> tuple[InputWindow, ...]:
        """Returns the windows that training would get from the music. Starts TensorFlow."""
        extractor = family_of(self.config).extractor(self.config)
        extraction = extractor(midi.sequence.SerializeToString())
        windows: Any = extraction.windows
        if not len(windows):
            reasons = extraction.dropped.reasons
            seen = "; ".join(
                f"{count:,} {of_count(count, REASONS[reason])}" for reason, count in reasons.items() if count
            )
            raise GmdVaeError(
                f"'{midi.name}' holds nothing that '{self.config.name}' can use: {seen or 'no notes'}",
                "Give another MIDI file, or another model with --run-dir or --model.",
            )
        tempo = main_tempo(midi.sequence) if midi.sequence.tempos else None
        return tuple(
            InputWindow(
                midi.file,
                window.inputs,
                window.length,
                count=len(windows),
                number=number,
                target=window.outputs,
                tempo=tempo,
                controls=window.controls,
            )
            for number, window in enumerate(windows, start=1)
        )

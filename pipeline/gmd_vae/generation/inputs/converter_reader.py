"""Input windows of families whose windows one of Magenta's converters cuts: melodies, trios, several instruments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.input_windows import InputReader, InputWindow, read_sequence, shown_path
from gmd_vae.windows.cutting.positions import main_tempo
from gmd_vae.windows.extraction import REASONS


class ConverterReader(InputReader):
    """Reads MIDI files with the config's extractor. The converters give each window once, in no order of time."""

    def windows(self, path: Path) -> tuple[InputWindow, ...]:
        """Returns the windows that training would get from the file. Starts TensorFlow."""
        extractor = family_of(self.config).extractor(self.config)
        sequence = read_sequence(path, self.reading)
        extraction = extractor(sequence.SerializeToString())
        windows: Any = extraction.windows
        if not len(windows):
            reasons = extraction.dropped.reasons
            seen = "; ".join(f"{count} {REASONS[reason]}" for reason, count in reasons.items() if count)
            raise GmdVaeError(
                f"'{shown_path(path)}' holds nothing that '{self.config.name}' can use: {seen or 'no notes'}",
                "Give another MIDI file.",
            )
        tempo = main_tempo(sequence) if sequence.tempos else None
        return tuple(
            InputWindow(
                path,
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

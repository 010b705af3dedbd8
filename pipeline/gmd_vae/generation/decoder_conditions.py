"""Conditioning of the decoder, row by row: chords or hits as controls, and hits that replace those of the decoder."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.chords import chord_controls, chords_of_window
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.latent.modes import FileLatents
from gmd_vae.generation.model import Window
from gmd_vae.generation.request import GROOVE, RECONSTRUCT, GenerationRequest


@dataclasses.dataclass(frozen=True)
class RowConditions:
    """The conditioning of each row of ``FileLatents.z``.

    Attributes:
        controls: Controls, ``[steps, control_depth]`` for each row; ``None`` for models without controls.
        hits: Hits that replace those of the decoder, ``[steps, drums]`` for each row, NaN where it draws; ``None``: the
            decoder draws all.
    """

    controls: list[Window] | None
    hits: list[Window] | None


class DecoderConditions:
    """The conditioning that a request and its inputs give to the decoder of a config.

    Attributes:
        chord_bars: Bar of each step of a window, where controls are chords; else ``None``.
    """

    def __init__(self, config: Config, request: GenerationRequest, inputs: GenerationInputs) -> None:
        """Takes the config of the model, the request and its inputs."""
        self._output = family_of(config).output(config)
        self._request, self._inputs = request, inputs
        self.chord_bars = family_of(config).chord_bars(config) if self._output.controls == "chords" else None

    def for_first_window(self) -> Window | None:
        """Returns the controls of a file's first window; ``None`` for models without controls."""
        if not self._output.controls:
            return None
        return self._chords_of_window(0) if self._request.chords else self._inputs.controls[0]

    def for_inputs(self) -> list[Window] | None:
        """Returns the controls of each input window, for the model's own version of it."""
        if not self._output.controls:
            return None
        windows = self._inputs.windows
        if self._request.chords:
            return [self._chords_of_window(0)] * len(windows)
        return [window.controls for window in windows if window.controls is not None]

    def repeat_for_chords(self, latents: FileLatents) -> FileLatents:
        """Repeats the z of files of one window until every chord of the request has its bar.

        Files of a given length stay as they are: the chords repeat in them.
        """
        times = -(-len(self._request.chords) // self._output.bars)
        if times < 2 or self._request.bars is not None:
            return latents
        ends = itertools.accumulate((times * len(rows) for rows in latents.rows), initial=0)
        return FileLatents(
            np.concatenate([np.tile(latents.z[rows.start : rows.stop], (times, 1)) for rows in latents.rows]),
            tuple(range(*pair) for pair in itertools.pairwise(ends)),
        )

    def for_rows(self, rows: Sequence[range]) -> RowConditions:
        """Returns the conditioning of each row.

        The request's chords go on from window to window of a file, and repeat. Without them, controls are those of
        the input windows.

        Args:
            rows: Rows of each file.
        """
        request, windows = self._request, self._inputs.all_windows
        hits = None
        if request.mode == GROOVE:
            hits = [window.given_hits for window in windows if window.given_hits is not None]
        if not self._output.controls:
            return RowConditions(None, hits)
        if request.chords:
            return RowConditions(self._requested_chords(rows), hits)
        controls = self._inputs.controls
        if request.mode not in (RECONSTRUCT, GROOVE):
            controls = controls[:1] * rows[-1].stop
        if self._output.controls == "hits" and request.mode != RECONSTRUCT:
            hits = controls
        return RowConditions(controls, hits)

    def chords_of_files(self, conditions: RowConditions, rows: Sequence[range]) -> list[tuple[str, ...]]:
        """Returns the chord symbol of each bar of each file; empty for models without chords."""
        if self.chord_bars is None or conditions.controls is None:
            return [()] * len(rows)
        symbols: dict[int, tuple[str, ...]] = {}  # by id: many rows share one array
        for window in conditions.controls:
            if id(window) not in symbols:
                symbols[id(window)] = chords_of_window(window, self.chord_bars)
        return [
            tuple(chord for row in file_rows for chord in symbols[id(conditions.controls[row])]) for file_rows in rows
        ]

    def _requested_chords(self, rows: Sequence[range]) -> list[Window]:
        """Returns the controls of the request's chords for each row; rows with equal chords share one array."""
        known: dict[int, Window] = {}  # by the first chord of the window
        controls: list[Window] = []
        for file_rows in rows:
            for index in range(len(file_rows)):
                first = index * self._output.bars % len(self._request.chords)
                if first not in known:
                    known[first] = self._chords_of_window(index)
                controls.append(known[first])
        return controls

    def _chords_of_window(self, index: int) -> Window:
        """Returns the controls of the request's chords for the window with that index in its file."""
        assert self.chord_bars is not None
        chords, bars = self._request.chords, self._output.bars
        return chord_controls([chords[(index * bars + bar) % len(chords)] for bar in range(bars)], self.chord_bars)

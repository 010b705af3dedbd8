"""Decoded grooves: hits, velocities and offsets of a GrooVAE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gmd_vae.families.groove_columns import VELOCITIES
from gmd_vae.generation.decoded.decoded_music import Steps, Window
from gmd_vae.generation.decoded.drum_grids import DecodedRolls
from gmd_vae.generation.decoded.fidelity import Fidelity, groove_fidelity
from gmd_vae.generation.decoded.midi_files import FilePlan, MidiOutput
from gmd_vae.generation.inputs.input_windows import InputSong, InputWindow
from gmd_vae.generation.model import OpenedModel
from gmd_vae.generation.performance.groove_performance import GroovePerformance
from gmd_vae.generation.performance.humanizer import Humanizer

_NAME = "GrooVAE"
_DEFAULT_TEMPO = 120.0


class DecodedGrooves(DecodedRolls):
    """Windows of hits, velocities (0 to 1) and offsets (-1 to 1 of half a step, early is positive), ``[steps, 27]``."""

    def steps(self, window: Window) -> Steps:
        """Returns the labels of the hits, int64 ``[steps]``; velocities and offsets do not count."""
        return super().steps(window[:, :VELOCITIES])

    def window_fidelity(self, window: InputWindow, decoded: Window) -> Fidelity | None:
        """Compares hits, velocities and timing; ``None`` for tapped rhythms."""
        if window.target is None:
            return None
        return self._fidelity(window, window.target, decoded, window.tempo or _DEFAULT_TEMPO)

    def song_fidelity(self, song: InputSong, decoded: Sequence[Window]) -> Fidelity | None:
        """Compares hits, velocities and timing up to the last bar; ``None`` for tapped rhythms."""
        targets = [window.target for window in song.windows if window.target is not None]
        if not targets:
            return None
        steps = song.bars * self.output.steps_per_bar
        return self._fidelity(song, np.concatenate(targets)[:steps], np.concatenate(decoded)[:steps], song.tempo)

    def midi_files(self, plan: FilePlan, model: OpenedModel, humanizer: Humanizer | None) -> Iterator[MidiOutput]:
        """Yields one drum track for each file, with the decoded velocities and timing. ``humanizer`` is unused."""
        joined: list[Window] = []
        for index, windows in enumerate(plan.windows):
            values = plan.arrange(index, windows, self.grid.steps_per_bar)
            joined += [values] if plan.join else []
            yield self.midi_file(plan, index, self.steps(values).tolist(), GroovePerformance(_NAME, values))
        if plan.join:
            values = np.concatenate(joined)
            yield self.joined_file(plan, self.steps(values).tolist(), GroovePerformance(_NAME, values))

    def _fidelity(self, source: InputWindow | InputSong, target: Window, decoded: Window, tempo: float) -> Fidelity:
        hits = self.steps(target), self.steps(decoded)
        return groove_fidelity(source.file, hits, target, decoded, tempo)

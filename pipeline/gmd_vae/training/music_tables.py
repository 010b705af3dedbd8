"""Tables of the windows of Magenta's converters whose music can be changed at random: pitches, and grooves of drums."""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.configuration.own_hparams import PLAYING_LEVERS
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.groove_columns import DRUMS, Groove
from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.magenta.api import tf
from gmd_vae.training.augmentation.batch_draws import Augmentation
from gmd_vae.training.augmentation.drum_voices import augment_drums
from gmd_vae.training.augmentation.groove_inputs import input_cells
from gmd_vae.training.augmentation.transposition import Notes, draw_shifts, event_notes, shift_chords, stream_notes
from gmd_vae.training.augmentation.wider_playing import widen_playing
from gmd_vae.training.examples import Split
from gmd_vae.training.input import Batch, TensorTable


class PitchTable(TensorTable):
    """Windows of melodies, trios or tracks, which can be transposed.

    Args:
        split: At least one example.
        output: Streams, tracks and conditioning input.
        tokens: Sequences taken as tokens; see ``ExampleTable``.
    """

    def __init__(self, split: Split, output: OutputSpec, tokens: frozenset[str] = frozenset()) -> None:
        self._output = output
        super().__init__(split, tokens)

    def _change_columns(self, columns: dict[str, Any], augmentation: Augmentation) -> dict[str, Any]:
        semitones = augmentation.levers["transpose"]
        if not semitones:
            return columns
        shifts = draw_shifts(self._notes(columns["outputs"]), semitones, augmentation.draws)
        changed = {}
        for name, values in columns.items():
            if name == "controls":
                changed[name] = shift_chords(values, shifts)
            else:
                is_note = self._notes(values).is_note
                changed[name] = tf.where_v2(is_note, values + shifts[:, None, None], values)
        return changed

    def _notes(self, columns: Any) -> Notes:
        if self._output.tracks > 1:
            return event_notes(columns, self._output.tracks)
        return stream_notes(columns, self._output.streams)


class GrooveTable(TensorTable):
    """Windows of a GrooVAE, whose voices, bars, velocities and timing can be changed.

    Args:
        split: At least one example.
        groove: Task of the model, which determines the encoder's input.
        grid: Drum classes, bars and steps of the windows.
        tokens: Sequences taken as tokens; see ``ExampleTable``.
    """

    def __init__(self, split: Split, groove: Groove, grid: DrumWindows, tokens: frozenset[str] = frozenset()) -> None:
        self._groove, self._grid = groove, grid
        super().__init__(split, tokens)

    def _batch(self, rows: Any, augmentation: Augmentation | None) -> Batch:
        batch = super()._batch(rows, augmentation)
        if augmentation is None:
            return batch
        if augmentation.changes_drums:
            batch = self._changed(batch, augmentation)
        if any(augmentation.levers[name] for name in PLAYING_LEVERS):
            wider = widen_playing(self._cells(batch), augmentation.levers)
            batch = dataclasses.replace(batch, output_sequence=self._flat(wider))
        return batch

    def _changed(self, batch: Batch, augmentation: Augmentation) -> Batch:
        """Returns a batch after the levers of drum windows."""
        partner_rows = augmentation.partner_rows()
        partners = None if partner_rows is None else self._cells(super()._batch(partner_rows, None))
        cells = augment_drums(self._cells(batch), partners, self._grid, augmentation.levers, augmentation.draws)
        return dataclasses.replace(
            batch,
            input_sequence=self._flat(input_cells(cells, self._groove)),
            output_sequence=self._flat(cells),
            control_sequence=None if batch.control_sequence is None else cells[:, :, 0],  # the hits
        )

    def _cells(self, batch: Batch) -> Any:
        """Returns hits, velocities and offsets of the output, float32 ``[batch, steps, 3, voices]``."""
        output = batch.output_sequence
        steps = self._grid.steps
        padded = tf.pad(output, [[0, 0], [0, steps - tf.shape(output)[1]], [0, 0]])
        return tf.reshape(padded, [int(output.shape[0]), steps, 3, DRUMS])

    def _flat(self, cells: Any) -> Any:
        return tf.reshape(cells, [int(cells.shape[0]), self._grid.steps, 3 * DRUMS])

"""Columns of GrooVAE's windows, and the tasks that its models were trained for. Plain data without TensorFlow.

A test compares them with the settings of the installed Magenta's converters.
"""

from __future__ import annotations

import dataclasses

from gmd_vae.configuration.window_specs import GrooveTask

DRUMS = 9  # drum classes; columns 0 to 8 are hits
VELOCITIES = DRUMS  # first column of velocities, 0 to 1
OFFSETS = 2 * DRUMS  # first column of offsets, -1 to 1 of half a step, early is positive
TAPPED = 3  # drum class (open hi-hat) in whose columns a tapped rhythm is read
NOTE_DROPOUT = "groovae_2bar_tap_fixed_velocity_note_dropout"  # converter that drops notes of the input at random


@dataclasses.dataclass(frozen=True)
class Groove:
    """The task of a GrooVAE.

    Attributes:
        task: ``play`` reconstructs the pattern. ``humanize`` adds velocities and timing to its hits. ``tap`` makes
            drums of a tapped rhythm. ``add`` adds missing drums. ``follow`` plays given hits.
        added: Drum classes that ``add`` adds.
        hits_as_controls: The hits are also conditioning input of each step.
    """

    task: GrooveTask
    added: tuple[int, ...] = ()
    hits_as_controls: bool = False

    @property
    def humanizes(self) -> bool:
        """True for tasks that keep given hits and write only velocities and timing."""
        return self.task in ("humanize", "follow")

"""The interface of decoded music: everything about decoded windows that depends on the family of a config."""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.generation.decoded.fidelity import Fidelity
from gmd_vae.generation.decoded.midi_files import FilePlan, MidiOutput
from gmd_vae.generation.inputs.input_windows import InputSong, InputWindow
from gmd_vae.generation.model import OpenedModel
from gmd_vae.generation.performance.humanizer import Humanizer

Window = npt.NDArray[Any]
Steps = npt.NDArray[np.int64]


class DecodedMusic(abc.ABC):
    """Decoded windows of one config as music."""

    def __init__(self, output: OutputSpec) -> None:
        """Takes the shapes of a decoded window."""
        self.output = output

    def compact(self, window: Window) -> Window:
        """Returns a decoded window in the smallest dtype that loses nothing."""
        return window

    @abc.abstractmethod
    def steps(self, window: Window) -> Steps:
        """Returns one number for the music of each step, int64 ``[steps]``: equal numbers stand for equal music."""

    def target_steps(self, window: InputWindow) -> Steps | None:
        """Returns ``steps`` of an input, int64 ``[steps]``; ``None`` where no output is the right one."""
        if window.target is None:
            return None
        return window.target if window.target.ndim == 1 else self.steps(window.target)  # labels are such numbers

    @abc.abstractmethod
    def window_fidelity(self, window: InputWindow, decoded: Window) -> Fidelity | None:
        """Returns the agreement of the model's version with an input; ``None`` where no output is the right one."""

    @abc.abstractmethod
    def song_fidelity(self, song: InputSong, decoded: Sequence[Window]) -> Fidelity | None:
        """Returns the agreement of the model's version with a song; ``None`` where no output is the right one.

        Args:
            song: The input.
            decoded: Decoded window of each of its windows.
        """

    @abc.abstractmethod
    def midi_files(self, plan: FilePlan, model: OpenedModel, humanizer: Humanizer | None) -> Iterator[MidiOutput]:
        """Yields the MIDI file of each beat, and at the end the joined file if the plan has one.

        Args:
            plan: Decoded windows, names and options.
            model: The opened model, for its converter.
            humanizer: Performer of drum patterns; ``None``: velocities and timing as ``plan.playing`` has them.
        """

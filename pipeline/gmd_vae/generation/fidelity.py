"""How much of what a model was given its own version has right."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.families.groove_columns import OFFSETS, VELOCITIES
from gmd_vae.families.output_spec import Output
from gmd_vae.generation.decoded import classes_of, labels_of
from gmd_vae.generation.inputs.groove import GrooveSong
from gmd_vae.generation.inputs.midi_file import InputWindow
from gmd_vae.generation.inputs.windows import Song
from gmd_vae.windows.extraction import Labels

Window = npt.NDArray[Any]


class Fidelity(Protocol):
    """Of one input. As text: the end of a sentence that begins with the file."""

    @property
    def file(self) -> Path:
        """The input."""
        ...

    def facts(self) -> dict[str, Any]:
        """For the manifest."""
        ...


@dataclasses.dataclass(frozen=True)
class HitFidelity:
    """Of drum patterns.

    Attributes:
        file: the input.
        steps: how many there are.
        right: those with just the drums of the input.
        hits: drum hits of the input.
        played: of the model.
        common: that both have.
    """

    file: Path
    steps: int
    right: int
    hits: int
    played: int
    common: int

    @property
    def f1(self) -> float:
        """2 × common / (hits of the one + hits of the other); 1 where both are silent."""
        return 2 * self.common / (self.hits + self.played) if self.hits + self.played else 1.0

    def __str__(self) -> str:
        share = f"{self.right:,} of {self.steps:,} steps ({self.right / self.steps:.0%})"
        return f"the model's own version has {share} and {self.common:,} of {self.hits:,} drum hits right"

    def facts(self) -> dict[str, Any]:
        """Steps and hits."""
        return {"steps": self.steps, "steps_right": self.right, "hits_f1": round(self.f1, 4)}


@dataclasses.dataclass(frozen=True)
class GrooveFidelity(HitFidelity):
    """Of drum patterns with velocities and timing.

    Attributes:
        timing_ms: mean distance in time of the common hits, in milliseconds; ``None`` without any.
        velocity: mean difference of the velocities of the common hits, of 127; ``None`` without any.
    """

    timing_ms: float | None
    velocity: float | None

    def __str__(self) -> str:
        if self.timing_ms is None or self.velocity is None:
            return super().__str__()
        return f"{super().__str__()}; these are {self.timing_ms:.1f} ms and a velocity of {self.velocity:.1f} off"

    def facts(self) -> dict[str, Any]:
        """Those of the hits, and the mean absolute errors."""
        if self.timing_ms is None or self.velocity is None:
            return super().facts()
        errors = {"timing_mae_ms": round(self.timing_ms, 3), "velocity_mae": round(self.velocity, 3)}
        return {**super().facts(), **errors}


@dataclasses.dataclass(frozen=True)
class StreamFidelity:
    """Of music in several streams.

    Attributes:
        file: the input.
        window: its number.
        steps: how many there are.
        right: of each stream by its name, how many steps are as in the input.
    """

    file: Path
    window: int | None
    steps: int
    right: dict[str, int]

    def __str__(self) -> str:
        of = ", ".join(
            f"{name} {right:,} of {self.steps:,} ({right / self.steps:.0%})" for name, right in self.right.items()
        )
        return f"the model's own version of window {self.window} has these steps right: {of}"

    def facts(self) -> dict[str, Any]:
        """Steps of each stream."""
        return {"steps": self.steps, "steps_right": self.right}


def song_fidelity(song: Song | GrooveSong, decoded: Sequence[Window], output: Output) -> Fidelity | None:
    """Of a song: over the bars that each piece gives; ``None`` where it is not known what should come out.

    Args:
        song: the input.
        decoded: the window of each of its pieces.
        output: what the model writes.
    """
    if isinstance(song, GrooveSong):
        outputs = [piece.outputs for piece in song.pieces if piece.outputs is not None]
        if not outputs:
            return None
        true = np.concatenate(outputs)
        steps = song.bars * output.steps // output.bars
        return groove_fidelity(song.file, true[:steps], np.concatenate(decoded)[:steps], output, song.tempo)
    every = output.steps // output.bars
    shares = [slice(piece.skip * every, None) for piece in song.pieces]
    labels = np.concatenate([piece.window[share] for piece, share in zip(song.pieces, shares, strict=True)])
    windows = [labels_of(window, output)[share] for window, share in zip(decoded, shares, strict=True)]
    return hit_fidelity(song.file, labels, np.concatenate(windows))


def window_fidelity(window: InputWindow, decoded: Window, output: Output) -> Fidelity | None:
    """Of one window; ``None`` where it is not known what should come out."""
    if window.labels is not None:
        return hit_fidelity(window.file, window.labels, labels_of(decoded, output))
    if window.outputs is None:
        return None
    if output.kind == "groove":
        return groove_fidelity(window.file, window.outputs, decoded, output, window.tempo or 120.0)
    true, made = classes_of(window.outputs, output), classes_of(decoded, output)
    steps = np.ones(len(true[0]), bool)
    if output.is_events:  # what stands behind the ends of both is no music
        end = output.streams[0].classes - 1
        steps = (true[0] != end) | (made[0] != end)
    right = {stream.name: int((a == b)[steps].sum()) for stream, a, b in zip(output.streams, true, made, strict=True)}
    return StreamFidelity(window.file, window.number, int(steps.sum()), right)


def hit_fidelity(file: Path, true: Labels, made: npt.NDArray[np.integer[Any]]) -> HitFidelity:
    """Of labels ``[steps]`` of the input, and of the model."""
    made = made.astype(np.int64)
    counts = (sum(int(label).bit_count() for label in labels) for labels in (true, made, true & made))
    return HitFidelity(file, len(true), int((true == made).sum()), *counts)


def groove_fidelity(file: Path, true: Window, made: Window, output: Output, tempo: float) -> GrooveFidelity:
    """Of hits, velocities and offsets ``[steps, 27]`` of the input, and of the model.

    Args:
        file: the input.
        true: of the input.
        made: of the model.
        output: what the model writes.
        tempo: quarters a minute.
    """
    hits = hit_fidelity(file, labels_of(true, output), labels_of(made, output))
    common = (true[:, :VELOCITIES] > 0.5) & (made[:, :VELOCITIES] > 0.5)
    apart = np.abs(true - made)
    timing = velocity = None
    if common.any():
        timing = float(apart[:, OFFSETS:][common].mean() / 2 * 15_000 / tempo)
        velocity = float(apart[:, VELOCITIES:OFFSETS][common].mean() * 127)
    return GrooveFidelity(**dataclasses.asdict(hits), timing_ms=timing, velocity=velocity)

"""How labels are played: tempo, loudness, swing, and a drummer's feel. Plain data, no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families.output_spec import Output
from gmd_vae.generation.performance.feel import Hit

TEMPO_RANGE = (4.0, 1000.0)  # a MIDI file has three bytes for the microseconds of a quarter: not below 3.58
VELOCITY_RANGE = (1, 127)  # velocity 0 ends a note
SWING_RANGE = (50.0, 75.0)
SWUNG_STEPS_PER_QUARTER = 4  # swing moves sixteenths


class Drummer(Protocol):
    """Says how loud each hit is and when it comes: a measured feel, or what a GrooVAE made of these very hits."""

    @property
    def name(self) -> str:
        """For manifests."""
        ...

    def fits(self, windows: DrumWindows) -> bool:
        """Whether windows of this kind have the drums and places that it knows."""
        ...

    def play(self, labels: Sequence[int], seed: int, number: int) -> Iterator[Hit]:
        """Yields the hits of labels, by step and voice; ``seed`` and ``number`` are for what it draws."""
        ...


@dataclasses.dataclass(frozen=True)
class Playing:
    """How labels become MIDI notes.

    Attributes:
        tempo: quarter notes a minute, 4 to 1000.
        velocity: of every hit, 1 to 127; a feel has velocities of its own, and then this one is not used.
        swing: where the second of two sixteenths begins, in percent of their eighth: 50 is straight,
            66.7 makes triplets, 75 is the most.
        feel: velocities and timing of each hit; None: every hit equally loud and on the grid.
        seed: of the random numbers of the feel.

    Raises:
        ValueError: a number is out of its range.
    """

    tempo: float = 120.0
    velocity: int = 80
    swing: float = 50.0
    feel: Drummer | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _check("tempo", self.tempo, TEMPO_RANGE)
        _check("velocity", self.velocity, VELOCITY_RANGE)
        _check("swing", self.swing, SWING_RANGE)

    def obstacle(self, windows: DrumWindows) -> str:
        """Why windows of this kind cannot be played so, as the rest of a sentence; empty where they can."""
        if self.swing != SWING_RANGE[0] and windows.steps_per_quarter != SWUNG_STEPS_PER_QUARTER:
            return f"swing moves sixteenth notes, and a step here is a quarter note / {windows.steps_per_quarter}"
        if self.feel is not None and not self.feel.fits(windows):
            return "the human feel knows nine kinds of drums on the sixteenth notes of a 4/4 bar, and these are others"
        return ""

    @property
    def delay(self) -> float:
        """How late the second of two sixteenths is, in steps: 0 to 0.5."""
        return self.swing / 50.0 - 1.0

    def describe(self, output: Output, *, humanized: bool = False) -> dict[str, Any]:
        """The fields for a manifest, without those that what is played has of its own; the feel by its name only."""
        fields: dict[str, Any] = {"tempo": self.tempo}
        if output.kind == "groove" or output.is_events:
            return fields
        fields["velocity"] = None if humanized else self.velocity
        if output.kind != "streams":
            fields["swing"] = self.swing
        if self.feel is not None:
            fields |= {"velocity": None, "feel": self.feel.name, "seed": self.seed}
        return fields


def _check(name: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise ValueError(f"{name} must be {limits[0]:g} to {limits[1]:g}, not {value}")

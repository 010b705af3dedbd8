"""Tempo, velocity, swing and feel of generated music. Plain data, cheap to import."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Protocol

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.generation.performance.feel import PlayedHit

TEMPO_RANGE = (
    4.0,
    1000.0,
)  # quarter notes per minute; a MIDI file has 24 bits for the microseconds of one: at least 3.58
EVEN_VELOCITY = 80  # Magenta's
VELOCITY_RANGE = (1, 127)  # velocity 0 ends a note
SWING_RANGE = (50.0, 75.0)
SWUNG_STEPS_PER_QUARTER = 4  # swing moves sixteenths


class Drummer(Protocol):
    """A source of velocities and offsets: a measured feel, or the performance of a GrooVAE."""

    @property
    def name(self) -> str:
        """Name for manifests."""
        ...

    def fits(self, windows: DrumWindows) -> bool:
        """Returns True if it has velocities and offsets for the drum classes and steps of these windows."""
        ...

    def play(self, labels: Sequence[int], seed: int, number: int) -> Iterator[PlayedHit]:
        """Yields the hits of labels, by step and voice.

        Args:
            labels: Drum labels, one for each step.
            seed: Seed of the RNG.
            number: Number of the file, mixed into the seed.
        """
        ...


@dataclasses.dataclass(frozen=True)
class Playing:
    """Options that turn drum labels and decoded notes into MIDI notes.

    Attributes:
        tempo: Quarter notes per minute, 4 to 1000.
        velocity: Velocity of every hit, 1 to 127; ``None``: those of the feel, and without one ``EVEN_VELOCITY``.
        swing: Position of the second of two sixteenth notes in their eighth note, in percent: 50 is straight, 66.7
            makes triplets, 75 is the maximum.
        quantize: Puts every hit on the grid, with its swing.
        feel: Velocities and offsets of the hits; ``None``: equal velocities on the grid.
        seed: Seed of the feel's RNG.
        keeps_velocities: Hits that an input has too keep its velocity, in modes that make versions of it.
        keeps_timing: They keep its timing.

    Raises:
        ValueError: A number is out of its range.
    """

    tempo: float = 120.0
    velocity: int | None = None
    swing: float = 50.0
    quantize: bool = False
    feel: Drummer | None = None
    seed: int = 0
    keeps_velocities: bool = True
    keeps_timing: bool = True

    def __post_init__(self) -> None:
        _check("tempo", self.tempo, TEMPO_RANGE)
        _check("velocity", self.even_velocity, VELOCITY_RANGE)
        _check("swing", self.swing, SWING_RANGE)

    def obstacle(self, windows: DrumWindows) -> str:
        """Returns the reason why these options do not fit such windows, as the rest of a sentence; "" if they fit."""
        if self.swing != SWING_RANGE[0] and windows.steps_per_quarter != SWUNG_STEPS_PER_QUARTER:
            return f"swing moves sixteenth notes, and a step here is a quarter note / {windows.steps_per_quarter}"
        if self.feel is not None and not self.feel.fits(windows):
            return "the human feel is for nine kinds of drums on the sixteenth notes of a 4/4 bar, and these are others"
        return ""

    @property
    def even_velocity(self) -> int:
        """Velocity of all hits where no feel gives them one of their own."""
        return EVEN_VELOCITY if self.velocity is None else self.velocity

    @property
    def is_even(self) -> bool:
        """True if all hits have one velocity and their places on the grid: a feel would have no effect."""
        return self.feel is None or (self.velocity is not None and self.quantize)

    @property
    def delay(self) -> float:
        """Delay of the second of two sixteenth notes, in steps, 0 to 0.5."""
        return self.swing / 50.0 - 1.0

    @property
    def kept(self) -> list[str]:
        """The parts of an input's playing that are kept, in words."""
        parts = {"velocity": self.keeps_velocities, "timing": self.keeps_timing}
        return [name for name, is_kept in parts.items() if is_kept]

    def describe(self, options: Collection[str], *, humanized: bool = False, has_input: bool = False) -> dict[str, Any]:
        """Returns the fields for a manifest; of a feel only its name. Velocity ``None``: each hit has its own.

        Args:
            options: Playing options of the family (``Family.playing_options``).
            humanized: True if a GrooVAE sets velocities and offsets.
            has_input: True if there is an input whose playing can be kept.
        """
        fields: dict[str, Any] = {"tempo": self.tempo}
        if "velocity" in options:
            fields["velocity"] = self.even_velocity if self.is_even and not humanized else self.velocity
        if "swing" in options:
            fields["swing"] = self.swing
        if "quantize" in options:
            fields["quantize"] = self.quantize or (self.is_even and not humanized)
        if self.feel is not None and not self.is_even:
            fields |= {"feel": self.feel.name, "seed": self.seed}
        if has_input:
            fields["kept"] = self.kept
        return fields


def _check(name: str, value: float, limits: tuple[float, float]) -> None:
    if not limits[0] <= value <= limits[1]:
        raise ValueError(f"{name} must be {limits[0]:g} to {limits[1]:g}, not {value}")

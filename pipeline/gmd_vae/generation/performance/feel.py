"""Velocities and offsets of drummers by voice and sixteenth of a bar, measured on the Groove MIDI Dataset (GMD).

A hit's velocity is the mean at its voice and position plus a random deviation; its offset from the grid likewise. All
pads are on one scale of velocity (``tools/measure_feel.py``): GMD's are not, and its kick would be the softest drum.
Deviations are measured within a performance, from its own mean at that voice and position. So they are the variation of
one drummer, not the differences between drummers.

Velocity: over all performances, snares are ghost notes (47 % have a velocity below 60) or accents (32 % have 100 or
more). Most of that depends on position and performance: only 10 % of the snares are in a performance that plays both at
the same position (each at least one time in five). Within a performance, the deviations have one narrow peak and long
tails. So they are drawn from quantiles for each voice, in units of the spread at the position, not from a Gaussian.

Timing: a Gaussian fits. Half of the variance is common to all voices at a moment and changes slowly: kick and hi-hat
drift together, ahead of the click or behind it. Without this common part they would be twice as ragged. So the model is
one AR(1) walk for all voices, plus an independent deviation of each hit.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import json
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.window_specs import CLASS_NAMES, NINE_CLASSES, DrumWindows

FORMAT = 1
POSITIONS = 16  # sixteenths of a bar of 4/4
STEPS_PER_QUARTER = 4
# Quantile levels of a deviation; draws are linear between them. The outer 2 % are left out as slips of the stick.
LEVELS = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
MIN_HITS = 100  # a voice with fewer hits at a position takes the mean of all positions there
MAX_OFFSET = 0.45  # of a step: below one half, so that a hit stays nearest to its own step
_FILE = "feel.json"
_AT_POSITIONS = ("hits", "velocity", "velocity_spread", "offset", "offset_spread")
_SHAPE = "velocity_shape"
_LIMITS = {  # lowest and highest value of each field
    "hits": (0, math.inf),
    "velocity": (1, 127),
    "velocity_spread": (0, 127),
    "offset": (-0.5, 0.5),
    "offset_spread": (0, 1),
    "velocity_shape": (-20, 20),
}


@dataclasses.dataclass(frozen=True)
class VoiceFeel:
    """Statistics of one voice at the 16 positions of a bar.

    Attributes:
        hits: Number of measured hits, ``[16]``.
        velocity: Mean velocity, 1 to 127, ``[16]``.
        velocity_spread: Standard deviation of the velocity within a performance, ``[16]``.
        offset: Mean distance from the grid in steps, late is positive, ``[16]``.
        offset_spread: Standard deviation of the offset within a performance, in steps, ``[16]``.
        velocity_shape: Quantiles at ``LEVELS`` of the velocity's deviation within a performance, in spreads.
    """

    hits: tuple[int, ...]
    velocity: tuple[float, ...]
    velocity_spread: tuple[float, ...]
    offset: tuple[float, ...]
    offset_spread: tuple[float, ...]
    velocity_shape: tuple[float, ...]

    def filled(self) -> VoiceFeel:
        """Returns a copy with the voice's own means at positions with fewer than ``MIN_HITS`` hits."""
        total = sum(self.hits)
        fields: dict[str, Any] = {}
        for name in _AT_POSITIONS[1:]:
            values: tuple[float, ...] = getattr(self, name)
            mean = sum(value * hits for value, hits in zip(values, self.hits, strict=True)) / total
            fields[name] = tuple(
                value if hits >= MIN_HITS else mean for value, hits in zip(values, self.hits, strict=True)
            )
        return dataclasses.replace(self, **fields)


class PlayedHit(NamedTuple):
    """One hit with velocity and timing.

    Attributes:
        step: Step of the grid.
        voice: Number of its drum class.
        velocity: MIDI velocity, 1 to 127.
        offset: Distance from the grid in steps, -0.45 to 0.45, late is positive.
    """

    step: int
    voice: int
    velocity: int
    offset: float


@dataclasses.dataclass(frozen=True)
class Feel:
    """Statistics of all nine voices; implements ``playing.Drummer``.

    Attributes:
        name: Data set of the measurement, for manifests.
        drift: Share of the timing's variance that all voices have in common at a moment, 0 to 1.
        drift_memory: Correlation of that common part between a step and the next one, 0 to 1.
        voices: Statistics in the order of ``NINE_CLASSES``, without gaps.
    """

    name: str
    drift: float
    drift_memory: float
    voices: tuple[VoiceFeel, ...]

    def fits(self, windows: DrumWindows) -> bool:
        """Returns True for windows with the nine classes and 16 positions in a bar."""
        return (
            windows.pitch_classes == NINE_CLASSES
            and windows.steps_per_quarter == STEPS_PER_QUARTER
            and windows.steps_per_bar == POSITIONS
        )

    def play(self, labels: Sequence[int], seed: int, number: int) -> Iterator[PlayedHit]:
        """Yields the hits of labels, by step and voice.

        Args:
            labels: Drum labels, one for each step, the first one on a bar line.
            seed: Seed of the RNG.
            number: Number of the file. The same seed and number always give the same hits.
        """
        rng = random.Random(f"{seed} {number}")
        common, own, renewed = (math.sqrt(share) for share in (self.drift, 1 - self.drift, 1 - self.drift_memory**2))
        drift = rng.gauss(0.0, 1.0)
        for step, label in enumerate(labels):
            for voice, feel in enumerate(self.voices):
                if label >> voice & 1:
                    position = step % POSITIONS
                    deviation = _quantile(feel.velocity_shape, rng.random())
                    velocity = feel.velocity[position] + feel.velocity_spread[position] * deviation
                    timing = common * drift + own * rng.gauss(0.0, 1.0)
                    offset = feel.offset[position] + feel.offset_spread[position] * timing
                    yield PlayedHit(
                        step,
                        voice,
                        min(max(round(velocity), 1), 127),
                        min(max(offset, -MAX_OFFSET), MAX_OFFSET),
                    )
            drift = self.drift_memory * drift + renewed * rng.gauss(0.0, 1.0)


@functools.cache
def load_feel() -> Feel:
    """Returns the feel of the package, measured on GMD's training split by ``tools/measure_feel.py``.

    Raises:
        GmdVaeError: The package's file is missing or damaged.
    """
    try:
        return parse_feel(importlib.resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GmdVaeError(f"'{_FILE}' of gmd-vae cannot be used ({error})", "Install gmd-vae again.") from None


def fitting_feel(windows: DrumWindows | None) -> Feel | None:
    """Returns the feel of the package if it has velocities and offsets for such windows, else ``None``."""
    return load_feel() if windows is not None and load_feel().fits(windows) else None


def parse_feel(text: str) -> Feel:
    """Returns a feel from the JSON of ``feel.json``.

    Raises:
        ValueError: The text is no JSON or has another format, or a number is missing or out of its range.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"it is not of format {FORMAT}")
    voices = content.get("voices")
    if not isinstance(voices, dict) or tuple(voices) != CLASS_NAMES or content.get("levels") != list(LEVELS):
        raise ValueError("it has other voices or levels")
    name = content.get("name")
    if not isinstance(name, str):
        raise ValueError("it has no name")
    return Feel(
        name,
        _share("drift", content),
        _share("drift_memory", content),
        tuple(_voice(voice, measured) for voice, measured in voices.items()),
    )


def _share(name: str, content: dict[str, Any]) -> float:
    value: Any = content.get(name)
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(f"the {name} is not within 0 to 1")
    return float(value)


def _voice(name: str, measured: Any) -> VoiceFeel:
    """Returns the statistics of one voice, without gaps. Raises ValueError for numbers out of range."""
    if not isinstance(measured, dict):
        raise ValueError(f"'{name}' is no object")
    fields = {}
    for field in (*_AT_POSITIONS, _SHAPE):
        values = measured.get(field)
        count = len(LEVELS) if field == _SHAPE else POSITIONS
        low, high = _LIMITS[field]
        if not isinstance(values, list) or len(values) != count:
            raise ValueError(f"the {field} of '{name}' is not {count} numbers")
        if not all(type(value) in (int, float) and low <= value <= high for value in values):
            raise ValueError(f"the {field} of '{name}' is not within {low:g} to {high:g}")
        if field == _SHAPE and values != sorted(values):
            raise ValueError(f"the {field} of '{name}' does not rise")
        fields[field] = tuple(values)
    if not sum(fields["hits"]):
        raise ValueError(f"'{name}' has no hits")
    return VoiceFeel(**fields).filled()


def _quantile(values: Sequence[float], share: float) -> float:
    """Returns the value at ``share`` (0 to 1) of the range of ``LEVELS``, linear between two quantiles."""
    level = LEVELS[0] + share * (LEVELS[-1] - LEVELS[0])
    index = min(int(level * 10), len(LEVELS) - 2)  # all levels but the ends are tenths
    low, high = LEVELS[index], LEVELS[index + 1]
    return values[index] + (values[index + 1] - values[index]) * (level - low) / (high - low)

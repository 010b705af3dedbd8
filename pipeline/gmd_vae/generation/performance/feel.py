"""How drummers play: loudness and timing of each voice at each sixteenth of a bar, measured on GMD.

A hit's velocity is the mean at its voice and position plus a deviation drawn at random; its offset from
the grid likewise. Deviations are measured within a performance, from its own mean at that voice and
position, so that they are one drummer's, not what one drummer does otherwise than another.

Velocity: all snares together are ghost notes (47% have a velocity below 60) or accents (32% have 100 or
more), but that is mostly a matter of position and performance: only 10% of the snares are in a
performance that plays both at the same position (each at least one time in five). What is left within
one has a single narrow heap and long tails. So no bell curve, but a list of quantiles for each voice, in
units of the spread at the position.

Timing: a bell curve fits. But half of it is common to all voices at a moment and changes slowly: the
drummer drifts ahead of the click and behind it, and the kick and the hi-hat drift together. Without that
they would be twice as ragged. So there is one drift for all voices, and a part of each hit's own.
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
# Quantiles of a deviation; between them a draw is linear. The outer 2% are left out: slips of a stick.
LEVELS = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
MIN_HITS = 100  # a voice with fewer at a position is played there as it is on the mean of all positions
MAX_OFFSET = 0.45  # of a step: below one half, so that a hit stays nearest to its own step
_FILE = "feel.json"
_AT_POSITIONS = ("hits", "velocity", "velocity_spread", "offset", "offset_spread")
_SHAPE = "velocity_shape"
_LIMITS = {  # what each number may be
    "hits": (0, math.inf),
    "velocity": (1, 127),
    "velocity_spread": (0, 127),
    "offset": (-0.5, 0.5),
    "offset_spread": (0, 1),
    "velocity_shape": (-20, 20),
}


@dataclasses.dataclass(frozen=True)
class VoiceFeel:
    """How one voice is played.

    Attributes:
        hits: that the numbers are from, [16 positions].
        velocity: mean, 1 to 127, [16].
        velocity_spread: standard deviation within a performance, [16].
        offset: mean distance from the grid in steps, late is positive, [16].
        offset_spread: standard deviation within a performance, in steps, [16].
        velocity_shape: quantiles at ``LEVELS`` of the deviation within a performance, in units of the spread.
    """

    hits: tuple[int, ...]
    velocity: tuple[float, ...]
    velocity_spread: tuple[float, ...]
    offset: tuple[float, ...]
    offset_spread: tuple[float, ...]
    velocity_shape: tuple[float, ...]

    def filled(self) -> VoiceFeel:
        """The same with the voice's own means at positions of fewer than ``MIN_HITS`` hits."""
        total = sum(self.hits)
        fields: dict[str, Any] = {}
        for name in _AT_POSITIONS[1:]:
            values: tuple[float, ...] = getattr(self, name)
            mean = sum(value * hits for value, hits in zip(values, self.hits, strict=True)) / total
            fields[name] = tuple(
                value if hits >= MIN_HITS else mean for value, hits in zip(values, self.hits, strict=True)
            )
        return dataclasses.replace(self, **fields)


class Hit(NamedTuple):
    """One hit as a drummer plays it.

    Attributes:
        step: of the grid.
        voice: the number of its class.
        velocity: 1 to 127.
        offset: from the grid in steps, -0.45 to 0.45, late is positive.
    """

    step: int
    voice: int
    velocity: int
    offset: float


@dataclasses.dataclass(frozen=True)
class Feel:
    """How each of the nine voices is played.

    Attributes:
        name: what it was measured on, for manifests.
        drift: share of the timing's variance that all voices have in common at a moment, 0 to 1.
        drift_memory: correlation of that common part between a step and the next one, 0 to 1.
        voices: one for each class of ``NINE_CLASSES``, in that order; no position is without numbers.
    """

    name: str
    drift: float
    drift_memory: float
    voices: tuple[VoiceFeel, ...]

    def fits(self, windows: DrumWindows) -> bool:
        """Whether windows of this kind have the voices and positions that the feel knows."""
        return (
            windows.pitch_classes == NINE_CLASSES
            and windows.steps_per_quarter == STEPS_PER_QUARTER
            and windows.steps_per_bar == POSITIONS
        )

    def play(self, labels: Sequence[int], seed: int, number: int) -> Iterator[Hit]:
        """Yields the hits of labels, by step and voice.

        Args:
            labels: one a step, the first one on a bar line.
            seed: of the random numbers.
            number: which beat of several it is; the same seed and number always give the same hits.
        """
        numbers = random.Random(f"{seed} {number}")
        common, own, renewed = (math.sqrt(share) for share in (self.drift, 1 - self.drift, 1 - self.drift_memory**2))
        drift = numbers.gauss(0.0, 1.0)
        for step, label in enumerate(labels):
            for voice, feel in enumerate(self.voices):
                if label >> voice & 1:
                    position = step % POSITIONS
                    loudness = _quantile(feel.velocity_shape, numbers.random())
                    velocity = feel.velocity[position] + feel.velocity_spread[position] * loudness
                    timing = common * drift + own * numbers.gauss(0.0, 1.0)
                    offset = feel.offset[position] + feel.offset_spread[position] * timing
                    yield Hit(
                        step,
                        voice,
                        min(max(round(velocity), 1), 127),
                        min(max(offset, -MAX_OFFSET), MAX_OFFSET),
                    )
            drift = self.drift_memory * drift + renewed * numbers.gauss(0.0, 1.0)


@functools.cache
def load_feel() -> Feel:
    """The feel that comes with gmd-vae, measured on GMD's training split by ``tools/measure_feel.py``.

    Raises:
        GmdVaeError: the package's file is missing or damaged.
    """
    try:
        return parse_feel(importlib.resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GmdVaeError(f"'{_FILE}' of gmd-vae cannot be used ({error})", "Install gmd-vae again.") from None


def parse_feel(text: str) -> Feel:
    """A feel from its JSON.

    Raises:
        ValueError: it is no JSON, of another format, or a number is missing or cannot be meant.
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
    """One voice, filled. Raises ValueError."""
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
    """The value at a share, 0 to 1, of the way through the quantiles at ``LEVELS``, linear between two of them."""
    place = LEVELS[0] + share * (LEVELS[-1] - LEVELS[0])
    index = min(int(place * 10), len(LEVELS) - 2)  # all levels but the ends are tenths
    low, high = LEVELS[index], LEVELS[index + 1]
    return values[index] + (values[index + 1] - values[index]) * (place - low) / (high - low)

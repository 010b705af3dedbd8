"""What a GrooVAE was trained to do with a drum pattern, as plain data. No TensorFlow.

A test holds it equal to the settings of the installed Magenta's converters.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeAlias

from gmd_vae.configuration.config import VaeConfig
from gmd_vae.configuration.registry import Config

Task: TypeAlias = Literal["play", "humanize", "tap", "add", "follow"]

TAPPED = 3  # the drum class (open hi-hat) in whose columns a tapped rhythm is read
VELOCITIES = 9  # the first column of velocities, and how many drums there are
OFFSETS = 18


@dataclasses.dataclass(frozen=True)
class Groove:
    """What a GrooVAE reads and writes.

    Attributes:
        task: ``play``: the pattern anew. ``humanize``: gives its hits velocities and timing. ``tap``: drums from a
            tapped rhythm. ``add``: the drums that are missing. ``follow``: plays hits that it is given as controls.
        added: the drum classes that ``add`` adds.
    """

    task: Task
    added: tuple[int, ...] = ()

    @property
    def humanizes(self) -> bool:
        """Whether it keeps hits that it is given, and says how loud they are and when they come."""
        return self.task in ("humanize", "follow")


def groove_of(config: Config) -> Groove | None:
    """What a config's GrooVAE does; ``None``: it is none."""
    if isinstance(config, VaeConfig) or not config.model.startswith("groovae"):
        return None
    if "humanize" in config.model:
        return Groove("humanize")
    if "tap" in config.model:
        return Groove("tap")
    if "add_closed_hh" in config.model:
        return Groove("add", (2,))
    return Groove("follow" if "hits_control" in config.model else "play")

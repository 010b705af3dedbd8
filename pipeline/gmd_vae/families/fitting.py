"""The configs by what they learn from: which music fits a config, and which configs fit some music. No TensorFlow."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from pathlib import Path
from typing import Literal, TypeAlias

from gmd_vae.configuration.config import VaeConfig
from gmd_vae.configuration.registry import Config, all_configs
from gmd_vae.families.output_spec import output_of

GroupName: TypeAlias = Literal["drums", "groove", "melody", "trio", "tracks"]
_LAPTOP = 3_000_000  # parameters: what two CPU cores train in an hour or less
_LOOKED_AT = 200  # NoteSequences: enough to know what a collection is


@dataclasses.dataclass(frozen=True)
class Group:
    """Configs that learn from the same music.

    Attributes:
        name: for programs.
        needs: the music.
        data: where it comes from.
        holds: of music that has it, after "there are".
    """

    name: GroupName
    needs: str
    data: str
    holds: str


_OWN = "your own MIDI files"
GROUPS: dict[str, Group] = {
    group.name: group
    for group in (
        Group("drums", "Drums", f"'gmd-vae fetch groove', or {_OWN} with drums on channel 10", "drums"),
        Group(
            "groove",
            "Drums with velocity and timing, as they were played",
            f"'gmd-vae fetch groove', or {_OWN} of recorded drums",
            "drums",
        ),
        Group("melody", "Melodies", f"{_OWN} with one melody in each track", "melodies"),
        Group("trio", "Melody, bass and drums", f"{_OWN} of bands, all three playing together", "trios"),
        Group("tracks", "Several instruments", f"{_OWN} with two to eight instruments", "several instruments"),
    )
}


def group_of(config: Config) -> Group:
    """The music that a config learns from."""
    output = output_of(config)
    if output.kind == "groove":
        return GROUPS["groove"]
    if output.kind != "streams":
        return GROUPS["drums"]
    return GROUPS["tracks" if output.is_events else "trio" if len(output.streams) > 1 else "melody"]


def is_for_laptops(config: Config) -> bool:
    """Whether it is one of ours that a machine without a GPU trains in a reasonable time."""
    ours = isinstance(config, VaeConfig) or bool(config.sized_from)
    return ours and config.parameters <= _LAPTOP


def what_fits(notes: Path) -> str:
    """Which configs find windows in NoteSequences, as a sentence; empty where none does.

    Only the first 200 are looked at. Without Magenta: a window that its converters leave out for its
    events counts here.

    Raises:
        GmdVaeError: they cannot be read.
    """
    from gmd_vae.inspection.fitting_kinds import families_of  # numpy: only now
    from gmd_vae.windows.notes_input import open_notes

    records = (record for piece in open_notes(notes).ranges() for record in piece.read())
    found: Counter[str] = Counter()
    for record in itertools.islice(records, _LOOKED_AT):
        found.update(family.name for family in families_of(record.data) if family.windows)
    fitting = []
    for name, count in found.most_common():
        if first := _first_of(GROUPS[name]):
            fitting.append(f"{first} ({GROUPS[name].holds} in {count:,})")
    return f"Configs that fit this music: {', '.join(fitting)}." if fitting else ""


def _first_of(group: Group) -> str:
    """The config of a group to begin with."""
    there = [config for config in all_configs().values() if group_of(config) == group and is_for_laptops(config)]
    shortest = min((output_of(config).bars for config in there), default=0)
    return next((config.name for config in there if output_of(config).bars == shortest), "")

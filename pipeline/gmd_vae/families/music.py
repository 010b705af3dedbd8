"""The music that configs learn from: groups of configs for ``gmd-vae configs`` and for hints. No TensorFlow."""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeAlias

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.families import family_of
from gmd_vae.families.parameters import count_parameters

MusicName: TypeAlias = Literal["drums", "groove", "melody", "trio", "tracks"]
_LAPTOP = 3_000_000  # parameters: two CPU cores train them in an hour or less


@dataclasses.dataclass(frozen=True)
class Music:
    """Music that a group of configs learns from.

    Attributes:
        name: Name in JSON output.
        heading: Heading of the group in ``gmd-vae configs``.
        needs: Instruments that the music must have.
        data: Sources of such music, for users.
        contents: Name of the windows in the advice for an input without windows, for example ``melodies``.
    """

    name: MusicName
    heading: str
    needs: str
    data: str
    contents: str


_OWN = "your own MIDI files"
MUSIC: dict[str, Music] = {
    music.name: music
    for music in (
        Music("drums", "Drums", "drums", f"'gmd-vae fetch groove', or {_OWN} with drums on channel 10", "drums"),
        Music(
            "groove",
            "Drums with velocity and timing, as they were played",
            "drums",
            f"'gmd-vae fetch groove', or {_OWN} of recorded drums",
            "drums",
        ),
        Music("melody", "Melodies", "melody", f"{_OWN} with one melody in each track", "melodies"),
        Music(
            "trio",
            "Melody, bass and drums",
            "melody, bass and drums",
            f"{_OWN} of bands, all three playing together",
            "trios",
        ),
        Music(
            "tracks",
            "Several instruments",
            "several instruments",
            f"{_OWN} with two to eight instruments",
            "several instruments",
        ),
    )
}


def is_for_laptops(config: Config) -> bool:
    """Returns True for configs of ours that a machine without a GPU trains in a reasonable time."""
    return not config.is_magentas and count_parameters(config) <= _LAPTOP


def smallest_config(music: Music) -> str:
    """Returns the name of the laptop config with the shortest windows that learns from this music, or ""."""
    fitting = [
        config
        for config in all_configs().values()
        if family_of(config).music(config) == music and is_for_laptops(config)
    ]
    return min(fitting, key=lambda config: config.windows.bars).name if fitting else ""

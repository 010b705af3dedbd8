"""Finds the ready-made drum config that fits music: its metre, its length, and its grid."""

from __future__ import annotations

import functools
import json
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import DEFAULT_CONFIG, all_configs
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.families import family_of
from gmd_vae.families.music import is_for_laptops
from gmd_vae.windows.cutting.beat_time import Floats, Music
from gmd_vae.windows.cutting.drum_windows import placed_windows, section_times
from gmd_vae.windows.extraction import Dropped

_LONGEST = 4  # bars: longer windows are for those who ask for them
_LEAST_OFF_BEATS = 8  # hits between the beats that a decision about the grid needs
_MOST = 0.6  # share of these hits on one grid, at least, to choose it
_SOME = 0.2  # share on each of two grids, at least, to choose the grid of both
_NEARLY_ALL = 0.9
_EIGHTH = 1 / 12  # quarter notes: hits nearer than that to a quarter or an eighth note do not count
_ON_GRID = 1 / 48  # quarter notes: a hit this near to a grid was put on it

Grid: TypeAlias = Literal["sixteenths", "triplets", "both"]
_STEPS = {"sixteenths": (4,), "triplets": (3, 12, 4), "both": (12, 4)}  # steps of a quarter note, the best first


class FittingDrums(NamedTuple):
    """The best ready-made drum config for music.

    Attributes:
        config: Its name; empty if none finds a window.
        bars: Bars in its windows.
        windows: Number of windows it finds.
        dropped: Music that gives no window; without a config, for the shortest windows of four quarters.
    """

    config: str
    bars: int
    windows: int
    dropped: Dropped


def fitting_drums(music: Music) -> FittingDrums:
    """Returns the config with the longest windows (up to 4 bars) that finds some, in the music's metre and grid.

    Args:
        music: Music that was moved to one tempo.
    """
    signatures = {(change.numerator, change.denominator) for change in music.sequence.time_signatures}
    found: dict[str, tuple[int, Dropped]] = {}  # by what is cut
    answer = FittingDrums("", 1, 0, Dropped())
    best: DrumWindows | None = None
    for steps in _STEPS[grid_of(music)]:
        for config in _candidates():
            spec = config.drum_windows
            if spec.steps_per_quarter != steps:
                continue
            if best is not None and (spec.cutting != best.cutting or best.signature in signatures):
                continue  # the same windows in the time signature of the music are better, and nothing else
            key = json.dumps(spec.cutting)
            if key not in found:
                dropped = Dropped()
                found[key] = sum(1 for _ in placed_windows(spec, music.sequence, dropped, music.notes)), dropped
            windows, dropped = found[key]
            if windows and (best is None or spec.signature in signatures):
                answer, best = FittingDrums(config.name, spec.bars, windows, dropped), spec
            elif best is None and spec.quarters_per_bar == 4:
                answer = FittingDrums("", spec.bars, 0, dropped)
    return answer


def grid_of(music: Music) -> Grid:
    """Returns the grid that the drum hits between quarter and eighth notes lie on.

    Args:
        music: Music that was moved to one tempo.
    """
    split = section_times(music.sequence)
    if split is None or not split[1]:
        return "sixteenths"
    times, states = split
    starts = music.notes.start[music.notes.is_drum & (music.notes.velocity != 0)]
    starts = starts[np.isfinite(starts)]
    section = np.clip(np.searchsorted(times, starts, side="right") - 1, 0, len(states) - 1)
    qpm = np.array([state[2] for state in states])[section]
    with np.errstate(all="ignore"):  # numbers that no MIDI file has
        in_beat = (starts - np.array(times)[section]) * qpm / 60 % 1.0
        in_beat = in_beat[_distance(in_beat, 2) > _EIGHTH - _ON_GRID / 2]
        triplet, sixteenth = _distance(in_beat, 3), _distance(in_beat, 4)
    count = len(in_beat)
    if count < _LEAST_OFF_BEATS:
        return "sixteenths"
    on_triplets, on_sixteenths = ((distance <= _ON_GRID).sum() / count for distance in (triplet, sixteenth))
    if min(on_triplets, on_sixteenths) >= _SOME and on_triplets + on_sixteenths >= _NEARLY_ALL:
        return "both"
    return "triplets" if (triplet < sixteenth).sum() / count >= _MOST else "sixteenths"


def _distance(in_beat: Floats, steps: int) -> Floats:
    """Returns the distance from the nearest of the equal steps of a quarter note, in quarter notes."""
    return np.asarray(np.abs(in_beat * steps - np.rint(in_beat * steps)) / steps)


@functools.lru_cache(maxsize=1)
def _candidates() -> tuple[Config, ...]:
    """Returns the configs of drum labels for laptops of up to 4 bars, the longest first, then by the table."""
    found = [
        config
        for config in all_configs().values()
        if family_of(config).output(config).is_label and config.windows.bars <= _LONGEST and is_for_laptops(config)
    ]
    return tuple(sorted(found, key=lambda config: -config.windows.bars))


def advice_for(config: str, command: str) -> str:
    """Returns the next action for music that another config fits.

    Args:
        config: Name of the config that fits.
        command: ``inspect``, whose ``--config`` takes the name, or ``generate``, which needs a model.
    """
    if command == "inspect":
        return f"'{config}' fits it: add '--config {config}', here and for 'gmd-vae preprocess' and 'train'."
    if config == DEFAULT_CONFIG:
        return f"The model of the package, whose config is '{DEFAULT_CONFIG}', fits it."
    return (
        f"A model of '{config}' fits it, and the package has none. Train one: 'gmd-vae convert FOLDER' with your "
        "music, then the command in its last line, and so on. On two cores it takes minutes with few files, up to half "
        "an hour with many."
    )

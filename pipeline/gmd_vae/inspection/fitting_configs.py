"""Configs that fit given music. No TensorFlow."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from gmd_vae.common import manifest
from gmd_vae.common.printable import as_command, printable
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.families import family_of
from gmd_vae.families.music import MUSIC
from gmd_vae.midi.notes_manifest import STAGE, read_convert_manifest

_SAMPLE = 200  # NoteSequences: enough to tell the kind of a collection


def fitting_configs(notes: Path, *words: object) -> str:
    """Returns the configs that find windows in NoteSequences, and the command with the best; empty where none does.

    Where ``convert`` found files without drums whose notes on another channel look like drums, the command is the one
    that reads them.

    Only the first 200 NoteSequences are read. Magenta's converters do not run, so a window that they would drop for its
    events counts here.

    Args:
        notes: Folder or TFRecord file of NoteSequences.
        words: Command that takes ``--config``, as words for ``printable.as_command``.

    Raises:
        GmdVaeError: They cannot be read.
    """
    if elsewhere := _drums_elsewhere(notes):
        return elsewhere
    found = _count_fitting(_sample(notes))
    if not found:
        return ""
    fitting = [f"{config} ({MUSIC[name].contents} in {count:,})" for (name, config), count in found]
    run = as_command(*words, "--config", found[0][0][1])
    return f"Configs that fit this music: {', '.join(fitting)}. Run: {run}"


def config_to_name(notes: Path) -> str:
    """Returns the config that a command for NoteSequences should name; empty where the default fits, or none does.

    Where the default config finds windows, another one fits better only if it keeps triplets (``finer_config``). Only
    the first 200 NoteSequences are read.

    Args:
        notes: Folder or TFRecord file of NoteSequences.

    Raises:
        GmdVaeError: They cannot be read.
    """
    records = list(_sample(notes))
    default = get_config(DEFAULT_CONFIG)
    extract = family_of(default).extractor(default)
    if any(len(extract(record).windows) for record in records):
        return _finer_config(records, default)
    found = _count_fitting(records)
    return found[0][0][1] if found else ""


def finer_config(notes: Path, config: Config) -> str:
    """Returns the config that keeps triplets which the sixteenths of a config move; empty where they are no majority.

    Only the first 200 NoteSequences are read.

    Args:
        notes: Folder or TFRecord file of NoteSequences.
        config: Config that found windows.

    Raises:
        GmdVaeError: They cannot be read.
    """
    return _finer_config(_sample(notes), config)


def _finer_config(records: Iterable[bytes], config: Config) -> str:
    grid = family_of(config).drum_grid(config)
    if grid is None or grid.steps_per_quarter != get_config(DEFAULT_CONFIG).drum_windows.steps_per_quarter:
        return ""
    from gmd_vae.inspection.fitting_drums import fitting_drums, grid_of  # imports numpy, which commands delay
    from gmd_vae.inspection.fitting_kinds import music_of

    found: Counter[str] = Counter()
    for record in records:
        if (music := music_of(record)) is not None:
            found["" if grid_of(music) == "sixteenths" else fitting_drums(music).config] += 1
    ((name, count),) = found.most_common(1) or [("", 0)]
    return name if 2 * count > found.total() else ""


def _sample(notes: Path) -> Iterator[bytes]:
    """Yields the first records of NoteSequences."""
    from gmd_vae.windows.notes_input import open_notes  # imports numpy, which commands delay

    records = (record.data for piece in open_notes(notes).ranges() for record in piece.read())
    return itertools.islice(records, _SAMPLE)


def _count_fitting(records: Iterable[bytes]) -> list[tuple[tuple[str, str], int]]:
    """Returns kind and name of each config that fits, and the number of records that it fits, the largest first."""
    from gmd_vae.inspection.fitting_kinds import fitting_kinds_of_record  # imports numpy, which commands delay

    found: Counter[tuple[str, str]] = Counter()
    for record in records:
        found.update((kind.name, kind.config) for kind in fitting_kinds_of_record(record) if kind.config)
    return found.most_common()


def _drums_elsewhere(notes: Path) -> str:
    """Returns the next action for notes on another channel that look like drums; empty where ``convert`` found none."""
    if manifest.stage_of(notes) != STAGE:
        return ""
    content = read_convert_manifest(notes, "")
    channels = content.drums_on_channel
    if not channels:
        return ""
    channel = max(channels, key=lambda number: channels[number].count)
    found = f"The notes on MIDI channel {channel} look like drums"
    # the manifest has names and no path: of one file its own, of several that of their folder or archive
    name = channels[channel].names[0] if content.input.files == 1 else content.input.collection
    if name and os.path.exists(name):  # noqa: PTH110 - Path.exists() raises for some names
        return f"{found}. Run: {as_command('convert', Path(name), '--drum-channel', channel)}"
    what = f", where INPUT is the path of '{printable(name)}'" if name else ""
    return f"{found}. Run 'gmd-vae convert INPUT --drum-channel {channel}'{what}."

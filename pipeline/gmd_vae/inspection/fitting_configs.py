"""Configs that fit given music. No TensorFlow."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

from gmd_vae.common import manifest
from gmd_vae.families.music import MUSIC
from gmd_vae.midi.notes_manifest import STAGE, read_convert_manifest

_SAMPLE = 200  # NoteSequences: enough to tell the kind of a collection


def fitting_configs(notes: Path) -> str:
    """Returns the configs that find windows in NoteSequences, as a sentence; empty where none does.

    Where ``convert`` found files without drums whose notes on another channel look like drums, the sentence names the
    option that reads them.

    Only the first 200 NoteSequences are read. Magenta's converters do not run, so a window that they would drop for its
    events counts here.

    Args:
        notes: Folder or TFRecord file of NoteSequences.

    Raises:
        GmdVaeError: They cannot be read.
    """
    if elsewhere := _drums_elsewhere(notes):
        return elsewhere
    from gmd_vae.inspection.fitting_kinds import fitting_kinds_of_record  # imports numpy, which commands delay
    from gmd_vae.windows.notes_input import open_notes

    records = (record for piece in open_notes(notes).ranges() for record in piece.read())
    found: Counter[tuple[str, str]] = Counter()  # kind and config
    for record in itertools.islice(records, _SAMPLE):
        found.update((kind.name, kind.config) for kind in fitting_kinds_of_record(record.data) if kind.config)
    fitting = [f"{config} ({MUSIC[name].contents} in {count:,})" for (name, config), count in found.most_common()]
    return f"Configs that fit this music: {', '.join(fitting)}." if fitting else ""


def _drums_elsewhere(notes: Path) -> str:
    """Returns the next action for notes on another channel that look like drums; empty where ``convert`` found none."""
    if manifest.stage_of(notes) != STAGE:
        return ""
    channels = read_convert_manifest(notes, "").drums_on_channel
    if not channels:
        return ""
    channel = max(channels, key=lambda number: channels[number].count)
    return (
        f"The notes on MIDI channel {channel} look like drums: run 'gmd-vae convert INPUT --drum-channel {channel}',"
        " then this command again."
    )

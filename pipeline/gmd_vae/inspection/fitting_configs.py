"""Configs that fit given music. No TensorFlow."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

from gmd_vae.families.music import MUSIC

_SAMPLE = 200  # NoteSequences: enough to tell the kind of a collection


def fitting_configs(notes: Path) -> str:
    """Returns the configs that find windows in NoteSequences, as a sentence; empty where none does.

    Only the first 200 NoteSequences are read. Magenta's converters do not run, so a window that they would drop for its
    events counts here.

    Args:
        notes: Folder or TFRecord file of NoteSequences.

    Raises:
        GmdVaeError: They cannot be read.
    """
    from gmd_vae.inspection.fitting_kinds import fitting_kinds_of_record  # imports numpy, which commands delay
    from gmd_vae.windows.notes_input import open_notes

    records = (record for piece in open_notes(notes).ranges() for record in piece.read())
    found: Counter[tuple[str, str]] = Counter()  # kind and config
    for record in itertools.islice(records, _SAMPLE):
        found.update((kind.name, kind.config) for kind in fitting_kinds_of_record(record.data) if kind.config)
    fitting = [f"{config} ({MUSIC[name].contents} in {count:,})" for (name, config), count in found.most_common()]
    return f"Configs that fit this music: {', '.join(fitting)}." if fitting else ""

"""Families of music: one object for each kind of output that a MusicVAE of ours can have.

A config goes in, and everything that depends on its kind of music comes out: the shape of its output, the cutting of
its windows, its Magenta model, its figures, its MIDI. Commands and stages call ``family_of(config)`` and its methods;
no other code asks for the kind of a config. Read ``family.py`` first: it lists every method with its meaning.

- ``family.py``: the interface ``Family``.
- ``output_spec.py``: streams, steps and depths of a decoder's output.
- ``groove_columns.py``: the columns of a GrooVAE's windows, and its tasks.
- ``music.py``: the music that configs learn from, as ``gmd-vae configs`` groups it.
- ``parameters.py``: variables, parameter counts and sizes, computed from a config.
- ``drum_labels.py``, ``nade_drums.py``, ``streams.py``, ``multitrack.py``, ``groovae.py``: the five families. They
  use the rooms above (windows, models, evaluation, generation), which in turn know only the interface; so they are
  imported on first use.
- ``magenta_family.py``: the shared part of streams, multitrack and GrooVAE. NADE drums derive from ``drum_labels.py``.

``docs/architecture.md`` lists the steps to add a family.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from gmd_vae.common.errors import UsageError, nearest

if TYPE_CHECKING:
    from gmd_vae.configuration.config import Config
    from gmd_vae.families.family import Family

# name of a family, as a config gives it -> module and object
FAMILIES = {
    "drum-labels": ("gmd_vae.families.drum_labels", "DRUM_LABELS"),
    "nade-drums": ("gmd_vae.families.nade_drums", "NADE_DRUMS"),
    "streams": ("gmd_vae.families.streams", "STREAMS"),
    "multitrack": ("gmd_vae.families.multitrack", "MULTITRACK"),
    "groovae": ("gmd_vae.families.groovae", "GROOVAE"),
}


def family_of(config: Config) -> Family:
    """Returns the family that a config names.

    Raises:
        UsageError: There is no family of that name.
    """
    if config.family not in FAMILIES:
        raise UsageError(
            f"Config '{config.name}' names the family '{config.family}', which does not exist",
            nearest(config.family, list(FAMILIES)),
        )
    module, name = FAMILIES[config.family]
    family: Family = getattr(importlib.import_module(module), name)
    return family

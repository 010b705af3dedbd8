"""The next command after one that leaves a model: one that runs as it stands wherever the music allows it."""

from __future__ import annotations

from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of

CHORDS = "C G Am F"
YOUR_FILE = "YOUR.mid"


def generate_words(config: Config, option: str, name: object) -> tuple[object, ...]:
    """Returns the words of a ``generate`` with a model, for ``printable.as_command``.

    A model that plays given hits performs the beats of another one. A model that completes an input gets the
    placeholder ``YOUR_FILE``.

    Args:
        config: Config of the model.
        option: Option that names the model: ``--run-dir`` or ``--model``.
        name: Its value.
    """
    family = family_of(config)
    if family.humanizes(config):
        return ("generate", "--humanize", name)
    words = ("generate", option, name)
    if not family.writes_new_music(config):
        return (*words, "--mode", "groove", "--input-midi", YOUR_FILE)
    if family.output(config).controls == "chords":
        return (*words, "--chords", CHORDS)
    return words

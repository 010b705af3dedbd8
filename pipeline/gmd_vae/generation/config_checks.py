"""Checks options of ``gmd-vae generate`` against a config: modes, playing options and conditioning of its family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.chords import EXAMPLE, parse_chords
from gmd_vae.generation.request import ATTRIBUTE, CONTINUE, GROOVE, RECONSTRUCT, VARY
from gmd_vae.models.bundled import HUMANIZER


def check_config(options: Mapping[str, Any], config: Config, *, rendered: bool) -> None:
    """Checks that a config has the mode, the playing options and the hits that the options ask for.

    Args:
        options: All options by name.
        config: Config of the model.
        rendered: True if sound or pictures are written.

    Raises:
        UsageError: The config does not have one of them.
    """
    family = family_of(config)
    if rendered and not family.only_drums:
        raise UsageError(
            f"--wav and --png are for drums, and '{config.name}' does not only play drums", "Leave them out."
        )
    if options["mode"] in family.unsupported_modes:
        raise _mode_error(options["mode"], config)
    for name in ("velocity", "swing", "humanize", "quantize"):
        if options[name] and name not in family.playing_options:
            raise _playing_error(name, config)
    mode = options["mode"]
    has_hits = mode != VARY and (options["input_midi"] or options["around"])
    if family.output(config).controls == "hits" and not has_hits:
        raise UsageError(
            f"'{config.name}' plays given hits, and --mode {mode} gives it none",
            "Give them: --mode groove --input-midi FILE, or --around FILE for several versions of the same hits.",
        )


def requested_chords(options: Mapping[str, Any], config: Config) -> tuple[str, ...]:
    """Returns the chord symbols of ``--chords``; empty where those of the input count.

    Raises:
        UsageError: The config has no chords, a symbol is no chord, or the chords are missing.
    """
    if family_of(config).output(config).controls != "chords":
        if options["chords"] is not None:
            raise _other_model("--chords is for configs with chords as conditioning input", config)
        return ()
    if options["chords"] is not None:
        return parse_chords(options["chords"])
    if options["mode"] in (RECONSTRUCT, VARY, CONTINUE) and options["input_midi"]:
        return ()
    raise UsageError(f"'{config.name}' needs chords", f"Give one a bar, such as {EXAMPLE}.")


def _mode_error(mode: str, config: Config) -> UsageError:
    if mode == ATTRIBUTE:
        return _other_model("--mode attribute is for drum configs with one label a step", config)
    if mode == GROOVE:
        return UsageError(
            f"--mode groove is for GrooVAE, and '{config.name}' is none",
            f"Give the one of the package, --model {HUMANIZER}, or a run of your own.",
        )
    return _other_model(f"--mode {mode} is for other configs", config)


def _playing_error(option: str, config: Config) -> UsageError:
    action = f"Leave --{option} out."
    if option == "velocity":
        return UsageError(f"'{config.name}' gives each note a velocity of its own", action)
    reason = "gives hits a timing of its own" if family_of(config).only_drums else "does not only play drums"
    return UsageError(f"--{option} is for drums on the grid, and '{config.name}' {reason}", action)


def _other_model(requirement: str, config: Config) -> UsageError:
    return UsageError(
        f"{requirement}, and '{config.name}' is none",
        "Leave it out, or choose another model: 'gmd-vae configs' lists them.",
    )

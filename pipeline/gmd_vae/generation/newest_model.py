"""The model of a ``gmd-vae generate`` that names none: that of the newest run that can do what the options ask."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.home import runs_folder
from gmd_vae.configuration.config import Config
from gmd_vae.families import family_of
from gmd_vae.generation.config_checks import check_config, requested_chords
from gmd_vae.generation.find_model import FoundModel, check_humanizable, find_model, find_run_model
from gmd_vae.generation.performance.feel import load_feel
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.generation.request import GROOVE, MEASURED
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.checkpoints import open_checkpoint
from gmd_vae.training.run.choose_run import choose_run, require_run
from gmd_vae.training.run.folder import Run


def find_newest_model(
    options: Mapping[str, Any], spelling: str | None, *, rendered: bool
) -> tuple[AbstractContextManager[FoundModel], str]:
    """Finds the newest run that can do what the options ask; where there is none, the first bundled model that can.

    Args:
        options: Options of ``gmd-vae generate`` by name.
        spelling: Checkpoint of a run, ``best`` or ``latest``: then it must be a run; ``None``: no matter.
        rendered: True if sound or pictures are written.

    Returns:
        The model, and a line about the choice for the user; "" where there is no run.

    Raises:
        GmdVaeError: A run is needed, and none can do it.
    """

    def check(run: Run) -> None:
        check_model(run.config, options, rendered=rendered)
        if spelling:
            with open_checkpoint(run.folder / spelling):
                pass

    if spelling:
        run, line = require_run(runs_folder(), check)
        return find_run_model(run.folder, spelling), line
    choice = choose_run(runs_folder(), check)
    if choice.run is not None:
        return find_run_model(choice.run.folder, None), choice.explain()
    name, found = _bundled_model(options, rendered=rendered)
    line = choice.explain()
    return contextlib.nullcontext(found), f"{line}. Taking {name} of the package" if line else ""


def _bundled_model(options: Mapping[str, Any], *, rendered: bool) -> tuple[str, FoundModel]:
    """Returns a bundled model that can do what the options ask, with its name; where none can, the default one.

    Its numbers are in memory: it needs no context to stay open.
    """
    with find_model(DEFAULT) as default:
        pass
    if _can(default, options, rendered=rendered):
        return DEFAULT, default
    for name in bundled_models():
        with find_model(name) as found:
            if _can(found, options, rendered=rendered):
                return name, found
    return DEFAULT, default


def _can(found: FoundModel, options: Mapping[str, Any], *, rendered: bool) -> bool:
    try:
        check_model(found.source.config, options, rendered=rendered)
    except GmdVaeError:
        return False
    return True


def check_model(config: Config, options: Mapping[str, Any], *, rendered: bool) -> None:
    """Checks that a config's models can do what the options ask, and are made for it.

    Args:
        config: The config.
        options: Options of ``gmd-vae generate`` by name.
        rendered: True if sound or pictures are written.

    Raises:
        GmdVaeError: They cannot.
    """
    family = family_of(config)
    check_config(options, config, rendered=rendered)
    takes_chords = family.output(config).controls == "chords"
    if not (takes_chords and options["chords"]):  # an error in the chords themselves is no reason for another run
        requested_chords(options, config)
    if options["mode"] != GROOVE and not family.writes_new_music(config):
        raise UsageError(f"'{config.name}' is made for --mode {GROOVE} and --humanize", "Name it with --run-dir.")
    humanize = options["humanize"]
    if humanize not in (None, MEASURED):
        check_humanizable(config)
    grid = family.drum_grid(config)
    playing = Playing(
        swing=Playing.swing if options["swing"] is None else options["swing"],
        feel=load_feel() if humanize == MEASURED else None,
    )
    if grid is not None and (obstacle := playing.obstacle(grid)):
        raise UsageError(f"'{config.name}' cannot be played so: {obstacle}")

"""The next command after one that leaves a model or training windows: one that runs as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gmd_vae.common.home import runs_folder
from gmd_vae.common.manifest import free_name
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import as_typed
from gmd_vae.configuration.registry import DEFAULT_CONFIG
from gmd_vae.families import family_of
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.inspection.fitting_configs import config_to_name
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.model_file import read_model
from gmd_vae.windows.storage.examples_manifest import FEW_WINDOWS, name_of_examples

_LEARNING_RATE, _SMALL_BATCH = 0.0003, 8  # docs/how-to/fine-tuning.md has the reasons
CHORDS = "C G Am F"
YOUR_FILE = "YOUR.mid"


def fine_tuning_words(
    config: Config, examples: Path, counts: Mapping[str, int], configs_file: Path | None = None
) -> tuple[object, ...]:
    """Returns the words of a fine-tuning of the model of the package, where there are too few windows for a new model.

    Its weights are a good start for other lengths, metres and grids of the same drums, too (docs/metres.md).

    Args:
        config: Config of the windows.
        examples: Folder of the windows.
        counts: Number of windows in each split.
        configs_file: File with the user's configs.

    Returns:
        The words; empty if there are enough windows or none, or if the model does not fit the config.
    """
    train = counts.get("train", 0)
    if not 0 < train < FEW_WINDOWS or not _fits_the_bundled_model(config):
        return ()
    run = runs_folder() / f"{name_of_examples(examples, config.name)}-tuned"
    batch = {"batch_size": min(_SMALL_BATCH, train)} if train < config.hparams["batch_size"] else {}
    steps = ("--num-steps", 300, "--validate-every", 50) if counts.get("validation") else ("--num-steps", 100)
    own = ("--configs", configs_file) if configs_file else ()
    named = () if config.name == DEFAULT_CONFIG else (*own, "--config", config.name)
    return (
        *("train", "--init-from", DEFAULT, *named, "--examples-path", examples),
        *("--run-dir", free_name(run) if run.exists() else run, *steps),
        *("--hparams", ",".join(as_typed({**batch, "learning_rate": _LEARNING_RATE}))),
    )


def preprocess_words(notes: Path) -> tuple[object, ...]:
    """Returns the words of a ``preprocess`` of NoteSequences, with a config where the default does not keep them."""
    config = config_to_name(notes)
    return ("preprocess", notes, *(("--config", config) if config else ()))


def _fits_the_bundled_model(config: Config) -> bool:
    """Returns True for a config of the same drums and variables as the model of the package."""
    model = read_model(bundled_models()[DEFAULT])
    grid, own = family_of(config).drum_grid(config), model.config.drum_windows
    same_drums = grid is not None and grid.pitch_classes == own.pitch_classes and grid.roll_input == own.roll_input
    return same_drums and variable_shapes(config, config.hparams) == variable_shapes(model.config, model.hparams)


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

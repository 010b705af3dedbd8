"""Finds the model that a user names: a bundled one, a model file, a run folder, or a checkpoint."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError, UsageError, nearest
from gmd_vae.common.printable import as_command, printable
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.datasets.midi_files import is_midi_file
from gmd_vae.families import family_of
from gmd_vae.generation.model import ModelSource
from gmd_vae.generation.sources import CheckpointSource, ModelFileSource
from gmd_vae.models.bundled import HUMANIZER, bundled_models
from gmd_vae.models.checkpoint_check import fitting_configs
from gmd_vae.models.checkpoints import checkpoint_title, config_from_name, find, open_checkpoint
from gmd_vae.models.export_manifest import read_exported_config
from gmd_vae.models.model_file import SUFFIX, is_model_file, read_model
from gmd_vae.training.run.folder import Run, open_run, read_run
from gmd_vae.training.run.trained_model import density_of_run


class NoConfigError(UsageError):
    """Nothing says which config a checkpoint was trained with.

    Attributes:
        candidates: Names of the configs that have the variables of the checkpoint.
    """

    def __init__(self, path: Path, candidates: list[str]) -> None:
        self.candidates = candidates
        if candidates:
            one_of = "one of " if len(candidates) > 1 else ""
            found = f"By its variables, --config is {one_of}{', '.join(candidates)}."
        else:
            found = "None of the configs has its variables: it has a config (--configs) or hyperparameters of its own."
        super().__init__(
            f"'{path}' needs --config, the config it was trained with",
            f"{found} 'gmd-vae export' takes it and writes a file that needs none; generate takes it with "
            "--checkpoint-file.",
        )


@dataclasses.dataclass(frozen=True)
class FoundModel:
    """A model, and its place.

    Attributes:
        source: The model.
        run: Its run; ``None`` outside of runs.
        path: Run folder, model file or checkpoint, which no output may replace; ``None`` for a bundled model.
        options: Options of ``gmd-vae generate`` that name the same model again.
    """

    source: ModelSource
    run: Run | None
    path: Path | None
    options: tuple[str, ...]


@contextlib.contextmanager
def find_model(name: str) -> Iterator[FoundModel]:
    """Opens a model by name.

    Args:
        name: Name of a bundled model, a model file, a run folder, a checkpoint in one (``RUN/latest``), or a checkpoint
            that is named after its config.

    Raises:
        UsageError: There is no such model.
        GmdVaeError: The model is damaged, or the run has no checkpoint.
    """
    path, bundled, options = Path(name), bundled_models(), ("--model", name)
    if name in bundled:
        model = read_model(bundled[name])
        yield FoundModel(ModelFileSource(f"bundled model {name}", bundled[name], model), None, None, options)
    elif is_model_file(path) and path.exists():
        yield FoundModel(ModelFileSource(f"model {path}", path, read_model(path)), None, path, options)
    elif (run := run_of(path)) is not None:
        with open_checkpoint(path) as checkpoint:
            yield FoundModel(_source(run, checkpoint), run, path, options)
    elif (path / "weights_manifest.json").is_file():
        raise UsageError(
            f"'{name}' is a folder for Magenta.js, which only web pages read", "Give the model it was made of."
        )
    elif path.is_dir() and config_from_name(path, all_configs()) is None and _prefix_at(path) is None:
        open_run(path, ", or one with a checkpoint")  # raises: it has no run.json
    elif path.exists() or path.with_name(f"{path.name}.index").exists():
        with find_checkpoint_model(path, None, None) as found:
            yield found
    else:
        known = nearest(name, list(bundled))
        raise UsageError(f"There is no model '{name}'", f"{known} Or give a run folder or a {SUFFIX} file.")


def run_of(path: Path) -> Run | None:
    """Returns the run of a run folder or of a checkpoint in one, such as ``RUN/latest``; ``None`` outside of runs."""
    runs = (read_run(folder) for folder in (path, *list(path.parents)[:2]) if folder.is_dir())
    return next(filter(None, runs), None)


@contextlib.contextmanager
def find_humanizer(name: str, config: Config) -> Iterator[ModelSource]:
    """Opens the model of ``--humanize``.

    Args:
        name: The model, as for ``find_model``.
        config: Config of the model whose patterns are performed.

    Raises:
        UsageError: The model is no GrooVAE that keeps given hits, or the patterns have other drums than its nine.
        GmdVaeError: The model is damaged, or the run has no checkpoint.
    """
    with find_model(name) as found:
        performer = found.source.config
        if not family_of(performer).humanizes(performer):
            raise UsageError(
                f"'{printable(name, limit=None)}' is a model of '{performer.name}', which does not humanize",
                f"Give {HUMANIZER} or a run of such a model, or --humanize alone for the measured feel.",
            )
        check_humanizable(config)
        yield found.source


def check_humanizable(config: Config) -> None:
    """Checks that a GrooVAE can perform the patterns of a config's models.

    Raises:
        UsageError: They have other drums than its nine, or other steps.
    """
    grid = family_of(config).drum_grid(config)
    if grid is None or grid.pitch_classes != NINE_CLASSES or grid.steps_per_bar != 16:
        raise UsageError(
            f"GrooVAE plays nine kinds of drums on the sixteenth notes of 4/4, and '{config.name}' writes others",
            "Leave --humanize out.",
        )


@contextlib.contextmanager
def find_run_model(folder: Path, spelling: str | None) -> Iterator[FoundModel]:
    """Opens a model of a run.

    Args:
        folder: Run folder.
        spelling: ``best`` or ``latest``; ``None``: the best, or the latest of a run without validation.

    Raises:
        GmdVaeError: The folder is no run, or has no such checkpoint.
    """
    run = open_run(folder, ", or a checkpoint with --checkpoint-file and --config")
    path = run.folder / spelling if spelling else run.folder
    with open_checkpoint(path) as checkpoint:
        options = ("--run-dir", str(run.folder), *(("--checkpoint-file", spelling) if spelling else ()))
        yield FoundModel(_source(run, checkpoint), run, path, options)


@contextlib.contextmanager
def find_checkpoint_model(path: Path, config_name: str | None, configs_file: Path | None) -> Iterator[FoundModel]:
    """Opens the model of a checkpoint outside a run.

    Args:
        path: A checkpoint, as ``checkpoints.open_checkpoint`` takes it.
        config_name: Config that it was trained with; ``None``: the one in the manifest of a folder that ``gmd-vae
            export`` wrote, or in the checkpoint's name, as in Magenta's archives.
        configs_file: File with further configs.

    Raises:
        NoConfigError: No config is given, and neither a manifest nor the name of the checkpoint has one.
        UsageError: The path is a MIDI file, or there is no such config.
        GmdVaeError: There is no complete checkpoint.
    """
    if path.is_file() and is_midi_file(path):
        beats = as_command("generate", "--mode", "vary", "--input-midi", path)
        raise UsageError(
            f"'{path}' is a MIDI file, and no model",
            f"For beats from it: {beats}. To edit it: drop it on the page that 'gmd-vae studio' writes.",
        )
    configs = all_configs(configs_file)
    name = config_name or config_from_name(path, configs)
    named = get_config(name, configs_file) if name else None  # before a large archive is unpacked
    with open_checkpoint(path) as checkpoint:
        if config_name is None and (exported := read_exported_config(checkpoint)):
            config, hparams = exported
        elif named is not None:
            config, hparams = named, named.hparams
        else:
            raise NoConfigError(path, fitting_configs(checkpoint, configs.values()))
        options = ("--checkpoint-file", str(path), *(("--config", config_name) if config_name else ()))
        yield FoundModel(
            CheckpointSource(config, hparams, checkpoint, title=checkpoint_title(path)), None, path, options
        )


def _prefix_at(path: Path) -> Path | None:
    """Returns the prefix of the checkpoint that a path names; ``None`` for an archive, or without a checkpoint."""
    try:
        return find(path)
    except GmdVaeError:
        return None


def _source(run: Run, checkpoint: Path) -> CheckpointSource:
    """Returns the model of a checkpoint in a run."""
    name = run.folder.resolve().name
    return CheckpointSource(run.config, run.hparams, checkpoint, density_of_run(run, checkpoint), name)

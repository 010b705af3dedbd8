"""The checkpoint and the examples that ``gmd-vae evaluate`` measures. No TensorFlow here."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.home import home
from gmd_vae.common.printable import as_command, counted
from gmd_vae.common.priors import FITTED
from gmd_vae.common.regular_files import check_no_link
from gmd_vae.common.run_places import RUN_FILE
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.data.identity import CheckpointFiles, ExamplesFolder, Identity, Prior, TrainingFolder
from gmd_vae.evaluation.data.styles import find_catalogues, styles_of, tempos_of
from gmd_vae.evaluation.settings import Settings
from gmd_vae.families import family_of
from gmd_vae.models import checkpoints
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.models.model_file import is_model_file
from gmd_vae.models.without_run import check_no_model
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import Run, read_plan, read_run
from gmd_vae.training.run.from_best import command_from_best
from gmd_vae.training.run.trained_model import density_of_run
from gmd_vae.training.run.trained_on import changed_splits, was_trained_on
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest


class ExamplesGoneError(GmdVaeError):
    """The examples that a run was trained on are missing, or others are in their place."""


@dataclasses.dataclass(frozen=True)
class Target:
    """A checkpoint of a run, and examples to evaluate it on.

    Attributes:
        run: The trained run.
        checkpoint: Prefix of the checkpoint.
        examples: Folder of the examples whose split is evaluated.
        training: Folder of the examples that the run was trained on.
        catalogues: ``info.csv`` files with styles and tempos of both.
        density: Density of z that the run fitted to the checkpoint; ``None``: samples are from N(0, I).
    """

    run: Run
    checkpoint: Path
    examples: Path
    training: Path
    catalogues: tuple[Path, ...]
    density: LatentDensity | None = None

    @property
    def same_windows(self) -> dict[str, str]:
        """Digest of the manifest that the run names → that of its examples now, which have the same windows."""
        return {self.run.examples_digest: manifest.digest(self.training)}

    def identity(self, split: str) -> Identity:
        """Returns the checkpoint and the data with their digests: a result is valid while they are the same."""
        return Identity(
            run=str(self.run.folder),
            config=self.run.config.name,
            split=split,
            checkpoint=CheckpointFiles(
                self.checkpoint.name,
                checkpoints.step_of(self.checkpoint),
                {piece.name: files.sha256(piece) for piece in checkpoints.files_of(self.checkpoint)},
            ),
            examples=ExamplesFolder(str(self.examples), manifest.digest(self.examples)),
            training=TrainingFolder(
                str(self.training),
                manifest.digest(self.training),
                read_examples_manifest(self.training).split(self.training, "train").examples,
            ),
            catalogues=tuple(files.sha256(catalogue) for catalogue in self.catalogues),
            training_seed=self.run.seed,
            recipe=self.run.recipe,
            planned_steps=None if (plan := read_plan(self.run.folder)) is None else plan.num_steps,
            prior=prior_of(self.density),
        )

    def folder(self, split: str, settings: Settings) -> Path:
        """Returns the folder of a result: ``RUN/eval/test-6800``; with other examples or settings, their names.

        Raises:
            GmdVaeError: ``RUN/eval`` is a link: a run can come from somebody else.
        """
        step = checkpoints.step_of(self.checkpoint)
        name = f"{split}-{step}" if step is not None else split
        is_other = self.examples.resolve() != self.training.resolve()
        if is_other:
            name += f"-{self.examples.resolve().parent.name}"
        place = self.run.folder / "eval"
        check_no_link(place)
        return place / (name + settings.suffix)

    def load(self, split: str) -> EvaluationData[Any]:
        """Reads the windows of a split and the training windows, in the form of the config's family.

        Raises:
            GmdVaeError: A split is empty or damaged.
        """
        load_windows = family_of(self.run.config).load_windows
        windows, training = load_windows(self.examples, split), load_windows(self.training, "train")
        for part, folder, name in ((windows, self.examples, split), (training, self.training, "train")):
            if not len(part):
                raise GmdVaeError(f"Split '{name}' of '{folder}' has no windows", _filled_splits(folder))
        return EvaluationData(
            windows,
            training,
            styles_of(windows.sources, self.catalogues),
            styles_of(training.sources, self.catalogues),
            tempos_of(windows.sources, self.catalogues),
            tempos_of(training.sources, self.catalogues),
        )


def find_target(path: Path, examples: Path | None, catalogue: Path | None) -> Target:
    """Finds the checkpoint and the examples that a command names.

    Args:
        path: Run folder (its best checkpoint), ``RUN/best``, ``RUN/latest``, or a checkpoint in it.
        examples: Folder of other examples to evaluate on; ``None``: those of the run.
        catalogue: An ``info.csv``; ``None``: those in the data folder of the examples.

    Raises:
        ExamplesGoneError: Its examples are missing or have changed.
        GmdVaeError: The path is no run, or has no checkpoint.
    """
    return target_of(*find_checkpoint(path), examples, catalogue)


def find_checkpoint(path: Path) -> tuple[Run, Path]:
    """Returns the run and the prefix of the checkpoint that a path names, as for ``find_target``.

    Raises:
        GmdVaeError: The path is no run, or has no checkpoint.
    """
    folder = next((place for place in (path, *path.parents[:3]) if (place / RUN_FILE).is_file()), None)
    run = read_run(folder) if folder else None
    if run is None:
        needed = "the windows that it was trained on, and evaluate needs them"
        check_no_model(path, needed, "Evaluate the run that it was made of.")
        raise GmdVaeError(
            f"'{path}' is not a run, nor a checkpoint in one: there is no {RUN_FILE}",
            "Give a folder that 'gmd-vae train' made.",
        )
    if is_model_file(path) and path.parent.name == run.best_folder.name:
        path = path.parent  # training keeps this file of the best checkpoint beside it
    return run, checkpoints.find(path)


def target_of(run: Run, checkpoint: Path, examples: Path | None, catalogue: Path | None) -> Target:
    """Finds the examples of a checkpoint.

    Args:
        run: The run.
        checkpoint: Prefix of the checkpoint.
        examples: As for ``find_target``.
        catalogue: Likewise.

    Raises:
        ExamplesGoneError: They are missing or have changed.
        GmdVaeError: They are damaged, or do not fit the config.
    """
    training = check_examples(run, examples)
    catalogues = {catalogue} if catalogue else {*find_catalogues(training), *find_catalogues(examples or training)}
    density = density_of_run(run, checkpoint)
    return Target(run, checkpoint, examples or training, training, tuple(sorted(catalogues)), density)


def check_examples(run: Run, examples: Path | None) -> Path:
    """Checks the examples that a run can be evaluated on.

    Args:
        run: The run.
        examples: Folder of other examples than its own; ``None``: its own.

    Returns:
        The examples that it was trained on.

    Raises:
        GmdVaeError: Some are missing, have changed, or do not fit the config. The advice names the results of earlier
            evaluations, if any.
    """
    try:
        training = training_examples(run, examples)
    except ExamplesGoneError as error:
        error.next_action += _kept_results(run)
        raise
    if examples:
        open_examples(examples, run.config)  # refuses windows that do not fit the config
    return training


def prior_of(density: LatentDensity | None) -> Prior:
    """Returns the prior of samples: a fitted density of z, or N(0, I)."""
    return Prior() if density is None else Prior(FITTED, density.components, sha256=density.digest)


def _kept_results(run: Run) -> str:
    """Returns a sentence on the results of earlier evaluations; empty if there are none."""
    kept = sorted(path.parent for path in run.folder.glob("eval/*/result.json"))
    if not kept:
        return ""
    more = f" and {counted(len(kept) - 1, 'other folder')}" if len(kept) > 1 else ""
    return f" Earlier results are in '{kept[0]}'{more}; this shows them: {as_command('report', run.folder)}"


def training_examples(run: Run, given: Path | None = None) -> Path:
    """Finds the examples that a run was trained on: by their digest, so that a copy will do.

    A relative path is from the folder in which the run was trained. That is one of those above the run folder, where
    the run was not moved; else it is the current folder, or the one that ``GMD_VAE_HOME`` names.

    Args:
        run: The run.
        given: A folder of examples that may be theirs.

    Raises:
        ExamplesGoneError: They are missing or have changed.
        GmdVaeError: They are damaged.
    """
    above = (parent / run.examples for parent in run.folder.resolve().parents)
    recorded = dict.fromkeys((run.examples, *above, _at_home(run.examples)))
    there = [place for place in recorded if (place / manifest.NAME).is_file()]
    candidates = [given, *there] if given is not None and (given / manifest.NAME).is_file() else there
    for place in candidates:
        if was_trained_on(run, place):
            open_examples(place, run.config)
            return place
    if there:
        raise _changed(run, there[0])
    others = f", and those in '{given}' are others" if given in candidates else ""
    raise ExamplesGoneError(
        f"The examples that '{run.folder}' was trained on are not at '{run.examples}'{others}",
        "Start the command in the folder where the run was trained, or put them back there. Or give a copy of them "
        "with --examples-path.",
    )


def _changed(run: Run, folder: Path) -> ExamplesGoneError:
    """Returns the error for a folder with other windows than those that a run was trained on."""
    splits = changed_splits(run, folder)
    other_windows = f": other windows in {', '.join(splits)}" if splits else ""
    ways = [
        "Novelty needs the windows that the model was trained on: bring back the old folder, name a copy of it with "
        "--examples-path, or make it again with the options of then.",
        f"To measure its weights with these windows, make a run of them: "
        f"{command_from_best(run, folder, '--num-steps', 1)}.",
    ]
    if not run.windows_sha256:
        ways.insert(1, "An older version trained it: the same windows are recognised if their notes are in data/notes.")
    return ExamplesGoneError(
        f"The examples in '{folder}' have changed since '{run.folder}' was trained on them{other_windows}",
        " ".join(ways),
    )


def _at_home(examples: Path) -> Path:
    """Returns the place of a run's examples in the folder of ``data`` and ``runs`` that is used now."""
    parts = examples.parts
    for start in range(len(parts)):
        if parts[start : start + 2] == ("data", "examples"):  # of another folder, as of another machine
            return home().joinpath(*parts[start:])
    return home() / examples


def _filled_splits(folder: Path) -> str:
    """Returns the next action for an empty split: the splits of the folder that have windows."""
    splits = read_examples_manifest(folder).splits
    filled = [name for name in SPLITS if name in splits and splits[name].examples]
    return f"Evaluate one that has: {' or '.join(f'--split {name}' for name in filled)}." if filled else ""

"""What is evaluated: a run's checkpoint, on which windows, and those it was trained on. No TensorFlow here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.evaluation.data.label_data import Data
from gmd_vae.evaluation.data.styles import find_catalogues, styles_of, tempos_of
from gmd_vae.evaluation.data.tensor_data import TensorData, TensorWindows, load_tensor_windows
from gmd_vae.families.output_spec import output_of
from gmd_vae.models import checkpoints
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import NAME, Run, read_run
from gmd_vae.windows.label_windows import LabelWindows, load_windows
from gmd_vae.windows.storage.shards import read_examples_manifest

Loaded = TypeVar("Loaded", LabelWindows, TensorWindows)


@dataclasses.dataclass(frozen=True)
class Subject:
    """A checkpoint of a run, and data.

    Attributes:
        run: what was trained.
        checkpoint: prefix.
        examples: the folder whose split is evaluated.
        training: the folder that the run was trained on.
        catalogues: ``info.csv`` files with the styles of both.
    """

    run: Run
    checkpoint: Path
    examples: Path
    training: Path
    catalogues: tuple[Path, ...]

    def describe(self, split: str) -> dict[str, Any]:
        """What was evaluated, on what; with the digests that say whether a result is still true."""
        return {
            "run": str(self.run.folder),
            "config": self.run.config.name,
            "split": split,
            "checkpoint": {
                "name": self.checkpoint.name,
                "step": checkpoints.step_of(self.checkpoint),
                "files": {piece.name: files.sha256(piece) for piece in checkpoints.files_of(self.checkpoint)},
            },
            "examples": {"folder": str(self.examples), "sha256": manifest.digest(self.examples)},
            "training": {
                "folder": str(self.training),
                "sha256": manifest.digest(self.training),
                "windows": read_examples_manifest(self.training)["splits"]["train"]["examples"],
            },
            "catalogues": [files.sha256(catalogue) for catalogue in self.catalogues],
        }

    def folder(self, split: str) -> Path:
        """Where the result of a split lies: ``RUN/eval/test-6800``; of another data set, with its name."""
        step = checkpoints.step_of(self.checkpoint)
        name = f"{split}-{step}" if step is not None else split
        other = self.examples.resolve() != self.training.resolve()
        return self.run.folder / "eval" / (f"{name}-{self.examples.resolve().parent.name}" if other else name)

    def load(self, split: str) -> Data | TensorData:
        """Reads the windows: drum labels, or else tensors.

        Raises:
            GmdVaeError: a split is empty or damaged.
        """
        if not self.run.config.windows.converter:
            spec = self.run.config.drum_windows
            windows, training = self._parts(load_windows, split)
            styles, training_styles = self._styles(windows.sources), self._styles(training.sources)
            return Data(windows, training, styles, training_styles, spec.voice_names, spec.steps_per_bar)
        of_split, of_training = self._parts(load_tensor_windows, split)
        styles, training_styles = self._styles(of_split.sources), self._styles(of_training.sources)
        tempos = tempos_of(of_split.sources, self.catalogues)
        return TensorData(of_split, of_training, styles, training_styles, output_of(self.run.config), tempos)

    def _parts(self, load: Callable[[Path, str], Loaded], split: str) -> tuple[Loaded, Loaded]:
        """The split, and the training windows; neither is empty."""
        parts = load(self.examples, split), load(self.training, "train")
        for part, folder, name in zip(parts, (self.examples, self.training), (split, "train"), strict=True):
            if not len(part):
                raise GmdVaeError(f"Split '{name}' of '{folder}' has no windows", "Choose another one with --split.")
        return parts

    def _styles(self, sources: tuple[str, ...]) -> Sequence[str | None]:
        return styles_of(sources, self.catalogues)


def find_subject(path: Path, examples: Path | None, catalogue: Path | None) -> Subject:
    """What a user means by ``RUN``.

    Args:
        path: a run folder (its best checkpoint), ``RUN/best``, ``RUN/latest``, or a checkpoint in it.
        examples: another folder of examples to evaluate on; ``None``: the run's own.
        catalogue: an ``info.csv``; ``None``: those beside the examples.

    Raises:
        GmdVaeError: it is no run, has no checkpoint, or its examples are not there or not the same.
    """
    folder = next((place for place in (path, *path.parents[:3]) if (place / NAME).is_file()), None)
    run = read_run(folder) if folder else None
    if run is None:
        raise GmdVaeError(
            f"'{path}' is not a run, nor a checkpoint in one: there is no {NAME}",
            "Give a folder that 'gmd-vae train' made.",
        )
    checkpoint = checkpoints.find(path)
    training = training_examples(run)
    if examples:
        open_examples(examples, run.config)  # refuses windows that are cut in another way
    found = (catalogue,) if catalogue else tuple({*find_catalogues(training), *find_catalogues(examples or training)})
    return Subject(run, checkpoint, examples or training, training, tuple(sorted(found)))


def training_examples(run: Run) -> Path:
    """The examples that a run was trained on: where they were, seen from here or from where ``runs`` is.

    Raises:
        GmdVaeError: they are gone, or are not the same any more.
    """
    for place in (run.examples, run.folder.resolve().parent.parent / run.examples):
        if (place / manifest.NAME).is_file():
            if manifest.digest(place) != run.examples_digest:
                raise GmdVaeError(
                    f"The examples in '{place}' are not those that '{run.folder}' was trained on any more",
                    "Put the old ones back, or train again: against what a model was trained on cannot be known.",
                )
            open_examples(place, run.config)
            return place
    raise GmdVaeError(
        f"The examples that '{run.folder}' was trained on are not at '{run.examples}'",
        "Start the command in the folder where the run was trained, or put them back there.",
    )

"""The run folder: what it is made of, and what must not change when it goes on. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from pipeline import manifest
from pipeline.errors import GmdVaeError
from pipeline.models.config import VaeConfig, from_dict
from pipeline.models.registry import Config, get_config

NAME = "run.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        folder: ``runs/NAME``; checkpoints and events lie in its ``train`` folder, as Magenta's do.
        config: what is trained.
        hparams: every hyperparameter, the user's changes included.
        seed: of the weights, the order of the data and the sampling.
        examples: the examples folder, as the user named it.
        examples_digest: SHA-256 of its manifest.
    """

    folder: Path
    config: Config
    hparams: dict[str, Any]
    seed: int
    examples: Path
    examples_digest: str

    @property
    def train_folder(self) -> Path:
        """Where checkpoints and TensorBoard events lie."""
        return self.folder / "train"

    def describe(self) -> None:
        """Writes ``run.json``, or checks that the one that is there describes this same run.

        Raises:
            GmdVaeError: the folder holds a run with another config, data or hyperparameters; says
                which.
        """
        new = {
            "config": self.config.name,
            "declaration": dataclasses.asdict(self.config) if isinstance(self.config, VaeConfig) else None,
            "hparams": self.hparams,
            "seed": self.seed,
            "examples_digest": self.examples_digest,
        }
        new = json.loads(json.dumps(new))  # tuples become lists, as in the file
        path = self.folder / NAME
        if path.exists():
            differences = _differences(_read(path), new)
            if differences:
                raise GmdVaeError(
                    f"'{self.folder}' holds another run: {'; '.join(differences)}",
                    "Choose another --run-dir, or repeat the settings of that run to go on with it.",
                )
            return
        if any(self.train_folder.glob("*.index")):
            raise GmdVaeError(
                f"'{self.folder}' holds checkpoints but no {NAME}, so what they were trained on is unknown",
                "Choose another --run-dir.",
            )
        packages = ("magenta", "tensorflow", "tf-keras", "note-seq", "numpy")
        manifest.write_json(
            path,
            {
                "format": FORMAT,
                **new,
                "examples": str(self.examples),
                "command": shlex.join(["gmd-vae", *sys.argv[1:]]),
                "versions": manifest.versions(*packages),
            },
        )


def read_config(folder: Path) -> tuple[Config, dict[str, Any]]:
    """The config and hyperparameters of a run folder: all that is needed to load its checkpoints.

    Raises:
        GmdVaeError: no ``run.json``, or a damaged one.
    """
    run = read_run(folder)
    if run is None:
        raise GmdVaeError(
            f"'{folder}' is not a run folder: it has no {NAME}",
            "Give a folder that 'gmd-vae train' made, or a checkpoint with --checkpoint-file and --config.",
        )
    return run.config, run.hparams


def read_run(folder: Path) -> Run | None:
    """The run that a folder describes, or ``None`` if it does not describe one.

    Raises:
        GmdVaeError: its ``run.json`` is damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    content = _read(path)
    try:
        declaration = content["declaration"]
        config = from_dict(declaration) if declaration else get_config(content["config"])
        hparams = dict(content["hparams"])
        if set(hparams) < set(config.hparams):
            raise KeyError("hparams")
        return Run(
            folder, config, hparams, int(content["seed"]), Path(content["examples"]), str(content["examples_digest"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GmdVaeError(f"'{path}' does not describe a run ({error})", "Train again in another folder.") from None


def latest_run(runs: Path) -> Path:
    """The run folder whose last checkpoint is the newest.

    Raises:
        GmdVaeError: there is no run with a checkpoint.
    """
    found = [
        (max(index.stat().st_mtime for index in indexes), folder)
        for folder in (path.parent for path in runs.glob(f"*/{NAME}"))
        if (indexes := list((folder / "train").glob("*.index")))
    ]
    if not found:
        raise GmdVaeError(f"There is no trained run in '{runs}'", "Run 'gmd-vae train' first, or give --run-dir.")
    return max(found)[1]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, this version of gmd-vae reads {FORMAT}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GmdVaeError(f"'{path}' cannot be read ({error})", "Choose another --run-dir.") from None
    assert isinstance(content, dict)
    return content


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    if old.get("config") != new["config"]:
        return [f"config {old.get('config')}, not {new['config']}"]
    found = []
    hparams = old.get("hparams") or {}
    for name, value in new["hparams"].items():
        if hparams.get(name) != value:
            found.append(f"{name}={hparams.get(name)}, not {value}")
    if not found and old.get("declaration") != new["declaration"]:
        found.append(f"another definition of config {new['config']}")
    if old.get("seed") != new["seed"]:
        found.append(f"seed {old.get('seed')}, not {new['seed']}")
    if old.get("examples_digest") != new["examples_digest"]:
        found.append(f"trained on other examples ({old.get('examples')})")
    return found

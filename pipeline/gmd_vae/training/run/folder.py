"""`Run` and `Plan`, their file ``run.json``, and the check that a resumed run is the same. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec

from gmd_vae.common import machine, manifest
from gmd_vae.common.code_state import code_state
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.newer_files import unusable
from gmd_vae.common.printable import as_command
from gmd_vae.common.run_places import BEST, RUN_FILE, TRAIN
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.configuration.own_hparams import complete, without_off
from gmd_vae.configuration.registry import config_of_declaration, config_of_model, declaration_of
from gmd_vae.datasets.fetched import DataSource
from gmd_vae.models.card import InitialWeights
from gmd_vae.training.run.from_best import command_from_best
from gmd_vae.training.run.run_file import FORMAT, NEXT_ACTION, Plan, RunFile, read_run_file

KEEP = 3  # checkpoints; stock Magenta keeps 100. Three at the previous project's sizes take half a gigabyte


@dataclasses.dataclass(frozen=True)
class InitFrom:
    """The initial weights of a run; optimizer and step start fresh.

    Attributes:
        path: Prefix of the checkpoint, an archive, a model file, or the name of a bundled model (see
            ``models.model_checkpoint``).
        digest: SHA-256 of its files.
        began_with: Facts about these weights, then about those that they began with; empty in runs of version 0.17 and
            earlier.
    """

    path: Path
    digest: str
    began_with: tuple[InitialWeights, ...] = ()


@dataclasses.dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        folder: Run folder, ``runs/NAME``; its ``train`` folder has checkpoints and events, as Magenta's.
        config: Config of the model.
        hparams: All hyperparameters, the user's changes included.
        seed: Seed of the initial weights, the order of the data and the sampling.
        examples: Folder of examples, as the user named it.
        examples_digest: SHA-256 of the manifest of the examples.
        init_from: Initial weights; ``None``: random.
        layers: Layers that compute the model: accelerated or Magenta's, and their precision.
        schedule_steps: Number of steps of the learning rate's planned schedule; ``None``: it is not planned.
        data_source: Fetched dataset that the music is of; ``None``: of none, or not known. No part of the identity.
        windows_sha256: Name of a split → digest of its windows; empty: not known. No part of the identity.
    """

    folder: Path
    config: Config
    hparams: dict[str, Any]
    seed: int
    examples: Path
    examples_digest: str
    init_from: InitFrom | None = None
    layers: Layers = ACCELERATED
    schedule_steps: int | None = None
    data_source: DataSource | None = None
    windows_sha256: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def train_folder(self) -> Path:
        """Folder of the checkpoints and TensorBoard events."""
        return self.folder / TRAIN

    @property
    def best_folder(self) -> Path:
        """Folder of the checkpoint with the best validation, by ``history.improves``."""
        return self.folder / BEST

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that determines the result of the run, as JSON values."""
        identity = {
            "config": self.config.name,
            "config_digest": _digest(self._declaration),
            "declaration": self._declaration,
            "hparams": self.hparams,
            "seed": self.seed,
            "examples_digest": self.examples_digest,
            "init_from_digest": None if self.init_from is None else self.init_from.digest,
            "layers": dataclasses.asdict(self.layers),
            "schedule_steps": self.schedule_steps,
        }
        as_json: dict[str, Any] = json.loads(json.dumps(identity))  # tuples become lists
        return as_json

    @property
    def recipe(self) -> str:
        """SHA-256 of the identity without the seed: runs with the same recipe differ only in their random numbers."""
        rest = {name: value for name, value in self.identity.items() if name != "seed"}
        return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()

    @property
    def identity_for_workers(self) -> dict[str, Any]:
        """The identity with the digests of the windows, for `check_same`."""
        return {**self.identity, "windows_sha256": self.windows_sha256}

    def check_same(self, identity: dict[str, Any]) -> None:
        """Checks that a worker's run is the chief's, apart from the initial weights and the plan, which the chief uses.

        Args:
            identity: `identity_for_workers` of the chief's run.

        Raises:
            GmdVaeError: The runs differ; names the differences.
        """
        own = {**self.identity, "init_from_digest": None, "schedule_steps": identity.get("schedule_steps")}
        if self.windows_sha256 and identity.get("windows_sha256") == self.windows_sha256:  # in another manifest
            own["examples_digest"] = identity["examples_digest"]
        differences = _differences({**identity, "examples": "the chief's"}, own)
        if differences:
            raise GmdVaeError(
                f"The chief trains another run: {'; '.join(differences)}",
                "Give this worker the chief's config, hyperparameters, seed and examples.",
            )

    def describe(self, plan: Plan) -> None:
        """Writes ``run.json``, or checks that an existing one describes the same run.

        The plan is not part of the identity: ``run.json`` keeps the last one. The description of a run that ended
        before its first result, for example because the initial weights did not fit, is replaced.

        Raises:
            GmdVaeError: The folder holds the results of a run with another config, data or hyperparameters; names the
                differences.
        """
        content = self.check_described()
        if content is None:
            content = {"format": FORMAT, **self.identity}
            content["hparams"] = without_off(content["hparams"])  # earlier versions read it while new levers are off
            content["examples"] = str(self.examples)
            content["data_source"] = msgspec.to_builtins(self.data_source)
            content["init_from_path"] = None if self.init_from is None else str(self.init_from.path)
            content["began_with"] = [] if self.init_from is None else msgspec.to_builtins(self.init_from.began_with)
            content["command"] = _command()
            content["versions"] = manifest.versions("magenta", "tensorflow", "tf-keras", "note-seq", "numpy")
            content["code"] = code_state()
        if self.windows_sha256:  # of an older run: its examples are there, so that they can be described now
            content["windows_sha256"] = self.windows_sha256
        content["plan"] = dataclasses.asdict(plan)
        manifest.write_json(self.folder / RUN_FILE, content)

    def check_described(self) -> dict[str, Any] | None:
        """Checks that an existing ``run.json`` describes this run, as ``describe`` does. Writes nothing.

        Returns:
            Content of the file; ``None`` if there is none, or if it describes a run without a result.

        Raises:
            GmdVaeError: As for ``describe``.
        """
        if (found := read_run_file(self.folder)) is not None:
            content, known = found
            began = {"init_from_path": None if self.init_from is None else str(self.init_from.path)}
            old = {**content, "layers": dataclasses.asdict(known.layers)}
            differences = _differences(old, {**self.identity, **began})
            if not differences:
                return content
            if not self.has_no_result():
                raise GmdVaeError(
                    f"'{self.folder}' holds another run: {'; '.join(differences)}",
                    f"Choose another --run-dir, or {self._way_on(known)}.",
                )
        elif any(self.train_folder.glob("*.index")):
            raise GmdVaeError(
                f"'{self.folder}' holds checkpoints but no {RUN_FILE}, so their config and examples are unknown",
                "Choose another --run-dir.",
            )
        return None

    def _way_on(self, known: RunFile) -> str:
        """Returns the way to train the run that is in the folder further, as a clause."""
        has_other_examples = known.examples_digest != self.examples_digest
        if has_other_examples and Path(known.examples).resolve() == self.examples.resolve():
            # they were made again: to resume it ends here again
            go_on = command_from_best(self)
            return f"bring back the examples that it was trained on, or train its best weights on these: {go_on}"
        return f"resume that run with '{as_command('train', '--run-dir', self.folder)}'"

    def has_no_result(self) -> bool:
        """Returns True if the run has no checkpoint and no measurement yet."""
        curve = self.folder / "metrics.jsonl"
        checkpoints = (*self.train_folder.glob("*.index"), *self.best_folder.glob("*.index"))
        return not checkpoints and not (curve.exists() and curve.stat().st_size)

    def note_start(self, device: str, layers: dict[str, str]) -> None:
        """Adds a start of the run to ``run.json``.

        Args:
            device: Name of the device.
            layers: Layers that compute ``encoder`` and ``decoder``, from ``SelectedLayers.describe``.
        """
        found = read_run_file(self.folder)
        if found is None:
            raise GmdVaeError(f"'{self.folder / RUN_FILE}' was removed during the run", NEXT_ACTION)
        content, _ = found
        starts = content.get("starts", [])
        when = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        place = {"host": socket.gethostname(), "machine": machine.describe(), "device": device}
        start = {"time": when, **place, "layers": layers, "command": _command(), "code": code_state()}
        manifest.write_json(self.folder / RUN_FILE, {**content, "starts": [*starts, start]})

    @property
    def _declaration(self) -> dict[str, Any] | None:
        return declaration_of(self.config)


def open_run(folder: Path, otherwise: str = "") -> Run:
    """Returns the run of a folder.

    Args:
        folder: Run folder.
        otherwise: What the command takes in its place, for the end of the error's advice.

    Raises:
        GmdVaeError: ``run.json`` is missing or damaged, or there is no such folder.
    """
    run = read_run(folder) if folder.is_dir() else None
    if run is None:
        reason = f"it has no {RUN_FILE}" if folder.is_dir() else "it is a file"
        raise GmdVaeError(
            f"'{folder}' is not a run folder: {reason if folder.exists() else 'there is no such folder'}",
            f"Give a folder that 'gmd-vae train' made{otherwise}.",
        )
    return run


def read_run(folder: Path) -> Run | None:
    """Returns the run of a folder, or ``None`` if the folder has no ``run.json``.

    Raises:
        GmdVaeError: ``run.json`` is damaged.
    """
    found = read_run_file(folder)
    if found is None:
        return None
    content, known = found
    try:
        config, hparams = config_of_model(known.config, known.declaration, known.hparams)
    except (UsageError, ValueError) as error:
        reason = error.problem if isinstance(error, UsageError) else str(error)
        raise unusable(f"'{folder / RUN_FILE}' does not describe a run: {reason}", content, NEXT_ACTION) from None
    init_from = None
    if known.init_from_digest is not None and known.init_from_path is not None:
        init_from = InitFrom(Path(known.init_from_path), known.init_from_digest, known.began_with)
    examples = Path(known.examples)
    return Run(
        folder,
        config,
        hparams,
        known.seed,
        examples,
        known.examples_digest,
        init_from,
        known.layers,
        known.schedule_steps,
        known.data_source,
        known.windows_sha256,
    )


def read_plan(folder: Path) -> Plan | None:
    """Returns the plan of a run's last start, or ``None`` if the folder has no ``run.json``.

    Raises:
        GmdVaeError: ``run.json`` is damaged.
    """
    found = read_run_file(folder)
    return None if found is None else found[1].plan


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Lists the differences between two run descriptions, for people; empty if they are the same run."""
    if old.get("config") != new["config"]:
        return [f"config {old.get('config')}, not {new['config']}"]
    found = []
    hparams = complete(old.get("hparams") or {})
    for name, value in new["hparams"].items():
        if hparams.get(name) != value:
            found.append(f"{name}={hparams.get(name)}, not {value}")
    if not found and not _same_model(old, new):
        found.append(f"another definition of config {new['config']}")
    if old.get("seed") != new["seed"]:
        found.append(f"seed {old.get('seed')}, not {new['seed']}")
    if old.get("examples_digest") != new["examples_digest"]:
        found.append(f"trained on other examples ({old.get('examples')})")
    if old.get("schedule_steps") != new["schedule_steps"]:
        found.append(f"a learning rate for {old.get('schedule_steps')} steps, not {new['schedule_steps']}")
    if old["layers"] != new["layers"]:
        found.append(f"computed with {_as_options(old['layers'])}, not {_as_options(new['layers'])}")
    if old.get("init_from_digest") != new["init_from_digest"]:
        found.append(f"it began with {_weights(old)}, not {_weights(new)}")
    return found


def _weights(run: dict[str, Any]) -> str:
    """Returns the initial weights of a run description, for people."""
    return f"the weights of '{run['init_from_path']}'" if run.get("init_from_digest") else "random weights"


def _same_model(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Returns True if two run descriptions declare the same config, apart from its texts."""
    try:
        one, other = (config_of_declaration(run["config"], run.get("declaration")) for run in (old, new))
    except (KeyError, TypeError, ValueError, UsageError):
        return False
    return one.without_texts() == other.without_texts()


def _as_options(layers: dict[str, Any]) -> str:
    return f"--precision {layers['precision']}" if layers["accelerated"] else "--no-acceleration"


def _command() -> str:
    return shlex.join(["gmd-vae", *sys.argv[1:]])


def _digest(declaration: dict[str, Any] | None) -> str | None:
    if declaration is None:  # a config of Magenta: name and hyperparameters determine it
        return None
    return hashlib.sha256(json.dumps(declaration, sort_keys=True).encode()).hexdigest()

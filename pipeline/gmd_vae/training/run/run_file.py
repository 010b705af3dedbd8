"""``run.json``: its format, checked on reading. No TensorFlow here."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import msgspec

from gmd_vae.common.code_state import Code
from gmd_vae.common.json_formats import convert_json, read_json
from gmd_vae.common.newer_files import unusable, wrong_number
from gmd_vae.common.run_places import RUN_FILE
from gmd_vae.configuration.layers import STOCK, Layers
from gmd_vae.configuration.limits import MOST_TRAINING_STEPS
from gmd_vae.datasets.fetched import DataSource
from gmd_vae.models.card import Digest, DigestsBySplit, InitialWeightsChain

FORMAT = 1
_OLD_DIGEST = "init_from"  # the key of "init_from_digest" in runs of version 0.23 and earlier
NEXT_ACTION = "Restore the file from a copy, or train again in another folder."

Steps = Annotated[int, msgspec.Meta(ge=1, le=MOST_TRAINING_STEPS)]


@dataclasses.dataclass(frozen=True)
class Plan:
    """Length and intervals of a run. May change whenever the run is resumed.

    Attributes:
        num_steps: Last step, counted from the beginning of the run.
        validate_every: Steps between two validations.
        patience: Number of validations without a new best after which training stops; ``None``: never.
        save_every: Steps between two checkpoints, in addition to those by time and at each validation; ``None``: none.
    """

    num_steps: Steps
    validate_every: Steps = 200
    patience: Steps | None = None
    save_every: Steps | None = None


class Start(msgspec.Struct, frozen=True):
    """A start of the run.

    Attributes:
        time: Time in ISO 8601.
        device: Name of the device.
        machine: Version of Python, operating system (``platform``) and model of the processor; runs of version 0.15
            and earlier have none.
        code: Code of this start.
    """

    time: str = ""
    device: str = ""
    machine: dict[str, str] = {}
    code: Code | None = None


class RunFile(msgspec.Struct, frozen=True):
    """The fields of ``run.json`` that are read; ``Run`` explains them.

    Attributes:
        format: ``FORMAT``.
        config: Name of the config.
        declaration: Fields of the config, checked by ``Config``; ``None`` for one of Magenta's.
        hparams: Hyperparameters, checked by ``limits.check_hparams``; levers that are off may be absent.
        seed: Seed.
        examples: Folder of the examples, as the user named it.
        examples_digest: SHA-256 of their manifest.
        windows_sha256: Name of a split → digest of its windows; runs of version 0.18 and earlier have none.
        data_source: Fetched dataset that the music is of; ``None``: of none, or a run of version 0.17 or earlier.
        plan: Plan of the last start.
        init_from_path: Path of the checkpoint with the initial weights; ``None``: random.
        init_from_digest: SHA-256 of that checkpoint; ``init_from`` in runs of version 0.23 and earlier.
        began_with: Data and licence of the initial weights, then those of the weights that they began with, and so on.
            Runs of version 0.17 and earlier have none.
        layers: Layers that compute the model. Runs of version 0.2 have none: Magenta's.
        schedule_steps: Number of steps of the learning rate's planned schedule, that of the first plan; ``None``: it
            is not planned.
        starts: Starts of the run.
        versions: Versions of packages at the first start.
        command: Command of the first start.
        code: Code of the first start; runs of version 0.14 and earlier have none.
    """

    format: int
    config: str
    declaration: dict[str, Any] | None
    hparams: dict[str, Any]
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    examples: str
    examples_digest: str
    plan: Plan
    windows_sha256: DigestsBySplit = {}
    data_source: DataSource | None = None
    init_from_path: str | None = None
    init_from_digest: Digest | None = None
    began_with: InitialWeightsChain = ()
    layers: Layers = STOCK
    schedule_steps: Steps | None = None
    starts: list[Start] = []
    versions: dict[str, str] = {}
    command: str = ""
    code: Code | None = None

    def __post_init__(self) -> None:
        if (self.init_from_path is None) != (self.init_from_digest is None):
            raise ValueError("of 'init_from_path' and 'init_from_digest' one is missing")
        if self.layers.precision not in ("fp32", "bf16"):
            raise ValueError(f"'layers.precision' is '{self.layers.precision[:40]}', not 'fp32' or 'bf16'")
        if any("\0" in path for path in (self.examples, self.init_from_path or "")):
            raise ValueError("a path holds a zero byte")


def read_run_file(folder: Path) -> tuple[dict[str, Any], RunFile] | None:
    """Reads the ``run.json`` of a run folder.

    Args:
        folder: Run folder.

    Returns:
        Its content with today's keys, and checked; ``None`` if the folder has none.

    Raises:
        GmdVaeError: It cannot be read, or has another format; the message names the field.
    """
    path = folder / RUN_FILE
    try:
        content = read_json(path, dict[str, Any], NEXT_ACTION)
    except FileNotFoundError:
        return None
    if "format" in content and content["format"] != FORMAT:
        raise wrong_number(f"'{path}'", "format", content["format"], FORMAT, NEXT_ACTION)
    if _OLD_DIGEST in content:
        content.setdefault("init_from_digest", content.pop(_OLD_DIGEST))
    try:
        return content, convert_json(content, RunFile)
    except ValueError as error:
        raise unusable(f"'{path}' {error}", content, NEXT_ACTION) from None

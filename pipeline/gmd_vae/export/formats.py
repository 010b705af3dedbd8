"""The formats of ``gmd-vae export`` by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gmd_vae.models.model_file import DType, ModelFile
    from gmd_vae.training.run.folder import Run

    Writer = Callable[[ModelFile, Path, DType], None]


class Format(NamedTuple):
    """A format.

    Attributes:
        module: Module with a function ``write(model, target, dtype)``, imported on first use. The target is an empty
            folder, or a file that does not exist. The function raises `UsageError` for a model that the format cannot
            hold. A module whose format cannot hold all models also has ``check(config, hparams)``, which raises it too.
        is_folder: True if a model is a folder of files.
        has_fp16: True if the variables can be fp16.
        has_vectors: True if a model keeps its attribute vectors and its fitted prior.
    """

    module: str
    is_folder: bool
    has_fp16: bool = False
    has_vectors: bool = False

    def check_run(self, run: Run) -> None:
        """Checks that the format can hold the model of a run.

        Raises:
            UsageError: It cannot.
        """
        check = getattr(importlib.import_module(self.module), "check", None)
        if check is not None:
            check(run.config, run.hparams)

    def writer(self) -> Writer:
        """Returns the function that writes a model."""
        write: Writer = importlib.import_module(self.module).write
        return write


FORMATS = {
    "safetensors": Format("gmd_vae.export.safetensors_file", is_folder=False, has_fp16=True, has_vectors=True),
    "magenta": Format("gmd_vae.export.magenta_checkpoint", is_folder=True),
    "magentajs": Format("gmd_vae.export.magentajs", is_folder=True),
}

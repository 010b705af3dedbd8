"""The command that trains the weights of a run further in another run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gmd_vae.common.manifest import free_name
from gmd_vae.common.printable import as_command
from gmd_vae.configuration.hparams import as_typed, changed
from gmd_vae.configuration.registry import all_configs

if TYPE_CHECKING:  # folder.py names this command in its errors
    from gmd_vae.training.run.folder import Run


def command_from_best(run: Run, examples: Path | None = None, *more: object) -> str:
    """Returns the command that trains the model of a run from its best weights, in a new folder beside it.

    Args:
        run: The run.
        examples: Examples to train on; ``None``: those of the run.
        *more: More words of the command.
    """
    known = all_configs().get(run.config.name)
    words: list[object] = ["--config", run.config.name]
    if known is None:
        words += ["--configs", "FILE"]  # of the user: run.json does not name it
    if differences := changed(known or run.config, run.hparams):
        words += ["--hparams", ",".join(as_typed(differences))]
    words += ["--examples-path", examples or run.examples, "--init-from", run.best_folder]
    return as_command("train", *words, "--run-dir", free_name(run.folder), *more)

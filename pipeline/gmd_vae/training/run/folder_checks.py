"""Checks before a run starts at step 0: nothing of the user's, and nothing of an earlier training, may be lost."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from gmd_vae.common import files
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.manifest import free_name, is_worthless
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import check_no_link, open_regular
from gmd_vae.common.run_places import BEST, RUN_FILE, TRAIN, run_around
from gmd_vae.models import checkpoints
from gmd_vae.training import history
from gmd_vae.training.run import lock
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.from_best import command_from_best


def check_no_file(folder: Path) -> None:
    """Checks that no file is in the place of a run folder or of a folder above it.

    Args:
        folder: The run folder.

    Raises:
        GmdVaeError: There is one; names it.
    """
    for place in (folder, *folder.parents):
        if place.is_dir():
            return
        if place.exists():
            another = "Choose another --run-dir"
            example = f", for example '{free_name(folder)}'" if place == folder else ""
            raise GmdVaeError(f"'{place}' is a file, not a folder", f"{another}{example}. Nothing was changed.")


def check_new_folder(folder: Path) -> None:
    """Checks that a folder without ``run.json`` is missing or empty, and in no run.

    The lock and leftovers of kills do not count.

    Args:
        folder: The run folder.

    Raises:
        GmdVaeError: The folder is in a run or holds files; names one of them.
    """
    if (folder / RUN_FILE).exists():
        return
    if run := run_around(folder):
        raise GmdVaeError(
            f"'{folder}' is in the run '{run}', and a run in another one would not be found",
            f"Choose another --run-dir, for example '{free_name(run)}'. Nothing was changed.",
        )
    if not folder.exists():
        return
    action = f"Choose another --run-dir, for example '{free_name(folder)}'. Nothing was changed."
    for name, status in files.walk_lazily(folder):
        if name != lock.NAME and not is_worthless(name, status):
            raise GmdVaeError(f"'{folder}' is not a run: it holds '{printable(name)}' and no {RUN_FILE}", action)


def check_places(run: Run) -> None:
    """Checks the places in a run folder where training writes and deletes, before TensorFlow starts.

    Raises:
        GmdVaeError: One is a link.
        OSError: A pipe, a device or a folder is in the place of a file, or a file cannot be read.
    """
    for name in (lock.NAME, RUN_FILE, history.NAME, TRAIN, BEST, "validation", "progress.png"):
        check_no_link(run.folder / name)
    for name in (history.NAME, "progress.png"):
        with contextlib.suppress(FileNotFoundError):
            open_regular(run.folder / name, follow=False).close()


def check_progress(run: Run, damaged: Sequence[tuple[Path, str]] = ()) -> None:
    """Checks that a run without a readable checkpoint in ``train/`` was not trained before.

    Training would begin at step 0 again, and replace ``best/`` and ``metrics.jsonl``. A run that was killed before
    its first checkpoint holds nothing that would be lost: at most the validation of its initial weights, and in
    ``best/`` these.

    Args:
        run: The run.
        damaged: Checkpoints in ``train/`` that cannot be read, each with the reason.

    Raises:
        GmdVaeError: The run was trained, and its checkpoints are missing or damaged. The message says how to go on.
    """
    best = checkpoints.complete(run.best_folder)
    lines = list(history.read_lines(run.folder / history.NAME)) if (run.folder / history.NAME).exists() else []
    validated = any(line["split"] == "validation" and line["step"] for line in lines)
    saved = any(map(checkpoints.step_of, best)) or damaged or validated
    if not saved and (run.train_folder.is_dir() or not lines):
        return
    if damaged:
        prefix, reason = damaged[0]
        problem = f"'{prefix}' cannot be read ({reason}), and there is no earlier checkpoint"
    else:
        problem = f"'{run.train_folder}' holds no complete checkpoint"
    step = max((line["step"] for line in lines), default=checkpoints.step_of(best[-1]) if best else 0)
    trained = f"although the run was trained to step {step:,}: it would begin again and replace its results"
    if best:
        action = f"go on from its best weights with: {command_from_best(run)}"
    else:
        action = f"train anew in another --run-dir, for example '{free_name(run.folder)}'."
    raise GmdVaeError(
        f"{problem}, {trained}", f"Nothing was replaced. Bring back '{run.train_folder}' from a copy, or {action}"
    )

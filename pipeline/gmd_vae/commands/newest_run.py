"""The run of a command that names none, with a line on stderr about the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gmd_vae.training.run.choose_run import CheckRun
    from gmd_vae.training.run.folder import Run


def newest_run(check: CheckRun | None = None, instead: str = "") -> Run:
    """Returns the newest run that can do the work, and prints the choice.

    Args:
        check: Raises an error for a run that cannot do it; ``None``: every trained run can.
        instead: A sentence for the error: what there is to do without a run.

    Raises:
        GmdVaeError: There is none.
    """
    from gmd_vae.common import console
    from gmd_vae.common.home import runs_folder
    from gmd_vae.training.run.choose_run import any_run, require_run

    run, line = require_run(runs_folder(), check or any_run, instead)
    console.stderr().print(line)
    return run

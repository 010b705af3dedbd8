"""The run of a command that names none: the newest one that can do the work. No TensorFlow here.

A run is as new as its last start, by the time in ``run.json``. Times of files do not count: copies have new ones.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.home import place_in_words
from gmd_vae.common.run_places import RUN_FILE
from gmd_vae.training.run.folder import Run, read_run
from gmd_vae.training.run.run_file import RunFile, read_run_file

DEMO = "demo"  # the run of ``make demo``: 100 steps on the built-in set
_NAMED = 3  # runs in one explanation

CheckRun = Callable[[Run], None]
"""Raises ``GmdVaeError`` for a run that cannot do the work."""

_UNKNOWN = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)


class PassedOver(NamedTuple):
    """A run that was not chosen.

    Attributes:
        folder: Its folder.
        error: The reason.
    """

    folder: Path
    error: GmdVaeError


@dataclasses.dataclass(frozen=True)
class RunChoice:
    """The chosen run, and the reasons.

    Attributes:
        run: The newest run that can do the work; ``None`` if none can.
        started: Time of its last start; ``None`` if ``run.json`` has none.
        count: Number of trained runs.
        passed_over: Runs that come before it in the order of search, in that order.
    """

    run: Run | None
    started: datetime.datetime | None
    count: int
    passed_over: tuple[PassedOver, ...]

    def explain(self) -> str:
        """Returns the chosen run and the reasons in one line; "" if there is no run at all."""
        because = "; ".join(f"'{folder}' ({error.problem})" for folder, error in self.passed_over[:_NAMED])
        if len(self.passed_over) > _NAMED:
            because += f"; {len(self.passed_over) - _NAMED:,} more"
        if self.run is None:
            return f"No run can do this: {because}" if because else ""
        if self.count == 1:
            return f"Run: {self.run.folder}, the only one"
        started = "" if self.started is None else f" (started {self.started:%Y-%m-%d %H:%M} UTC)"
        if because:
            return f"Run: {self.run.folder}, the newest that can do this{started}; passed over: {because}"
        return f"Run: {self.run.folder}, the newest of {self.count:,}{started}"


def choose_run(runs: Path, check: CheckRun) -> RunChoice:
    """Chooses the newest trained run that can do some work. ``runs/demo`` comes after all others.

    Args:
        runs: Folder of the runs.
        check: Raises an error for a run that cannot do the work.
    """
    found = [_Trained.read(folder) for folder in sorted(path.parent for path in runs.glob(f"*/{RUN_FILE}"))]
    trained = [one for one in found if one is not None]
    trained.sort(key=lambda one: one.started or _UNKNOWN, reverse=True)  # equal times stay in the order of the names
    trained.sort(key=lambda one: one.folder.name == DEMO)
    passed_over: list[PassedOver] = []
    for one in trained:
        try:
            run = one.open()
            check(run)
        except GmdVaeError as error:
            passed_over.append(PassedOver(one.folder, error))
            continue
        newer_demos = [other.folder for other in trained if other.folder.name == DEMO and _is_newer(other, one)]
        demos = [PassedOver(folder, GmdVaeError("the demo")) for folder in newer_demos]
        return RunChoice(run, one.started, len(trained), (*passed_over, *demos))
    return RunChoice(None, None, len(trained), tuple(passed_over))


def require_run(runs: Path, check: CheckRun, instead: str = "") -> tuple[Run, str]:
    """Returns the chosen run, and the line that explains the choice.

    Args:
        runs: Folder of the runs.
        check: Raises an error for a run that cannot do the work.
        instead: A sentence for the error: what there is to do without a run.

    Raises:
        GmdVaeError: No run can do the work: the reason of the newest one.
    """
    choice = choose_run(runs, check)
    if choice.run is not None:
        return choice.run, choice.explain()
    if choice.passed_over:
        raise choice.passed_over[0].error
    raise GmdVaeError(
        f"There is no trained run in '{runs}'",
        " ".join(filter(None, ("Run 'gmd-vae train' first, or name a run folder.", instead, place_in_words()))),
    )


def any_run(run: Run) -> None:
    """Accepts every run."""


@dataclasses.dataclass(frozen=True)
class _Trained:
    """A run folder with a checkpoint.

    Attributes:
        folder: The folder.
        started: Time of the last start; ``None`` if it is unknown.
    """

    folder: Path
    started: datetime.datetime | None

    @classmethod
    def read(cls, folder: Path) -> _Trained | None:
        """Returns the run of a folder; ``None`` without a checkpoint. A damaged ``run.json`` counts as old."""
        if not any(index for part in ("train", "best") for index in (folder / part).glob("*.index")):
            return None
        try:
            found = read_run_file(folder)
        except GmdVaeError:
            found = None
        return cls(folder, None if found is None else last_start(found[1]))

    def open(self) -> Run:
        """Returns the run; raises ``GmdVaeError`` where ``run.json`` is damaged."""
        run = read_run(self.folder)
        if run is None:
            raise GmdVaeError(f"'{self.folder / RUN_FILE}' is gone", "Run the command again.")
        return run


def last_start(run_file: RunFile) -> datetime.datetime | None:
    """Returns the time of a run's last start in UTC; ``None`` if none of its times can be read."""
    times = filter(None, (_time(start.time) for start in run_file.starts))
    return max(times, default=None)


def _time(text: str) -> datetime.datetime | None:
    try:
        time = datetime.datetime.fromisoformat(text)
        in_zone = time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)
        return in_zone.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None


def _is_newer(one: _Trained, other: _Trained) -> bool:
    return one is not other and (one.started or _UNKNOWN) > (other.started or _UNKNOWN)

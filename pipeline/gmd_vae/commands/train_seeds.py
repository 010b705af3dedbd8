"""The option ``--seeds`` of ``gmd-vae train``: one run for each seed, one after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gmd_vae.configuration.config import Config
    from gmd_vae.training.run.prepare import Job, Request

LARGEST_SEED = 2**31 - 1


class SeedList(click.ParamType):  # type: ignore[type-arg]  # generic only for type checkers
    """Different seeds with commas between them, such as ``0,1,2``; a tuple of integers."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Parses the seeds; refuses what is no seed, and a seed that occurs twice."""
        if isinstance(value, tuple):
            return value
        try:
            seeds = tuple(int(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"'{value}' is not a list of seeds, such as 0,1,2.", param, ctx)
        if wrong := [seed for seed in seeds if not 0 <= seed <= LARGEST_SEED]:
            self.fail(f"Seed {wrong[0]} is not in the range 0 to {LARGEST_SEED}.", param, ctx)
        if len(set(seeds)) < len(seeds):
            self.fail(f"A seed occurs twice in '{value}': its run would be the same.", param, ctx)
        return seeds


def prepare_seeds(
    request: Request, seeds: tuple[int, ...], cut: Callable[[Config, Path, Path], None]
) -> dict[int, Job]:
    """Prepares a run for each seed, in folders such as ``runs/NAME-seed0``, before the first of them trains.

    Args:
        request: Options that all runs share.
        seeds: The seeds.
        cut: Runs ``preprocess``; see ``prepare``.

    Returns:
        The jobs by seed, in the order of the seeds.

    Raises:
        GmdVaeError: One cannot start, or a run that exists differs from the others in more than its seed.
    """
    from gmd_vae.common.errors import UsageError
    from gmd_vae.common.home import runs_folder
    from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
    from gmd_vae.training.run.prepare import prepare

    name = request.run_dir or runs_folder() / get_config(request.config or DEFAULT_CONFIG, request.configs_file).name
    if name.name in ("", ".."):  # such as ".": a folder that is named by its place
        name = name.resolve()
    jobs = {}
    for seed in seeds:
        folder = name.parent / f"{name.name}-seed{seed}"
        jobs[seed] = prepare(dataclasses.replace(request, run_dir=folder, seed=seed), cut)
    first, *others = jobs.values()
    for job in others:
        if job.run.recipe != first.run.recipe or job.plan != first.plan:
            raise UsageError(
                f"'{job.run.folder}' would differ from '{first.run.folder}' in more than its seed",
                "Give the options with which these runs were started, --num-steps included, or choose another "
                "--run-dir.",
            )
    return jobs


def with_seed(print_line: Callable[[str], None], seed: int) -> Callable[[str], None]:
    """Returns a function that prints a JSON line with the seed of its run as the first entry."""
    import json

    from gmd_vae.common.json_text import json_text

    def listener(line: str) -> None:
        print_line(json_text({"seed": seed, **json.loads(line)}) + "\n")

    return listener

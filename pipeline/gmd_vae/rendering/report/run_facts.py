"""Reads the facts of a run for the page: config, data, settings, versions."""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.run_places import RUN_FILE
from gmd_vae.configuration.own_hparams import OWN_HPARAMS
from gmd_vae.evaluation.tables.formats import number
from gmd_vae.models.card import Card
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.initial_weights import began_with
from gmd_vae.training.run.run_file import NEXT_ACTION, read_run_file

_MOST_STARTS = 1000


@dataclasses.dataclass(frozen=True)
class RunFacts:
    """The facts of a run that the page shows.

    Attributes:
        name: Name of the run folder.
        config: Name of the config.
        bars: Bars in a window, or ``None`` where the config has no fixed number.
        z_size: Size of the latent vector, or ``None``.
        rows: All other facts as names and values.
    """

    name: str
    config: str
    bars: int | None
    z_size: int | None
    rows: list[tuple[str, str]]


def read_run_facts(run: Run, last_step: int | None) -> RunFacts:
    """Reads config, data and settings of a run.

    Args:
        run: Run, as ``read_run`` returns it.
        last_step: Last step in ``metrics.jsonl``, or ``None``.

    Raises:
        GmdVaeError: ``run.json`` cannot be read.
    """
    found = read_run_file(run.folder)
    if found is None:
        raise GmdVaeError(f"'{run.folder}' has no {RUN_FILE}", NEXT_ACTION)
    _, known = found
    hparams = run.hparams
    z_size = hparams.get("z_size")
    windows, levels = run.config.windows, run.config.levels
    steps = f"{number(last_step)} steps" if last_step else ""
    if last_step and known.plan.num_steps > last_step:
        steps += f" of {number(known.plan.num_steps)}"
    model = [
        f"encoder {_sizes(hparams.get('enc_rnn_size'))}",
        f"z {z_size}",
        f"decoder {_sizes(hparams.get('dec_rnn_size'))}",
        f"{' × '.join(map(str, levels))} segments and steps" if levels else "",
    ]
    summary = printable(run.config.summary)
    rows = {
        "config": f"{printable(run.config.name)}{f' ({summary})' if summary else ''}",
        "model": ", ".join(part for part in model if part),
        "training": ", ".join(part for part in (steps, f"batches of {hparams.get('batch_size')}") if part),
        "data": f"{printable(str(run.examples))} (sha256 {printable(run.examples_digest[:12])}…)",
        "dataset": run.data_source.in_words if run.data_source else "",
        "levers": ", ".join(f"{name}={hparams[name]}" for name, off in OWN_HPARAMS.items() if hparams[name] != off),
        "initial weights": _initial_weights(run),
        "seed": str(run.seed),
        "device": ", ".join(dict.fromkeys(_text(start.device) for start in known.starts[:_MOST_STARTS])),
        "started": _text(known.starts[0].time) if known.starts else "",
        "code": _text(known.code.commit_in_words) if known.code else "",
        "versions": _versions(known.versions),
        "command": _text(known.command),
    }
    return RunFacts(
        name=printable(run.folder.resolve().name),
        config=printable(run.config.name),
        bars=windows.bars,
        z_size=z_size if isinstance(z_size, int) else None,
        rows=[(name, value) for name, value in rows.items() if value],
    )


def _initial_weights(run: Run) -> str:
    """Returns what is known about the initial weights, and about those that they began with."""
    known = Card("", began_with=began_with(run)).began_with_in_words
    return printable(f"from {'; '.join(known)}", limit=None) if known else "random"


def _text(value: str) -> str:
    return printable(value, limit=400)


def _sizes(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "–"


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(printable(f"{name} {version}", limit=60) for name, version in list(versions.items())[:12])

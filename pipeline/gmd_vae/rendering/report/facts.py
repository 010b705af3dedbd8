"""Reads the facts of a run and its evaluations for the page."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.safe_names import printable
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.formats import Table, number
from gmd_vae.evaluation.tables.overview import overview
from gmd_vae.training.run.folder import NAME as RUN_NAME
from gmd_vae.training.run.folder import Run

MAX_RESULTS = 6  # evaluations on the page; each has a dozen tables (30 kB)
MAX_JSON_BYTES = 8 << 20  # a manifest of 10,000 beats has 2 MB, an evaluation 85 kB

# errors that a JSON file with unexpected content raises when it is read like one of ours
UNEXPECTED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclasses.dataclass(frozen=True)
class Facts:
    """Facts of a run.

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


@dataclasses.dataclass(frozen=True)
class Evaluations:
    """Evaluations of a run.

    Attributes:
        overview: Table with a column for each evaluation, or ``None`` without evaluations.
        details: Folder and tables of each evaluation.
        training_windows: Number of training windows, or ``None`` where no evaluation gives it.
        more: Number of evaluations that are not on the page.
    """

    overview: Table | None
    details: list[tuple[str, list[Table]]]
    training_windows: int | None
    more: int = 0


def read_json(path: Path) -> Any:
    """Reads a JSON file of a run.

    Raises:
        GmdVaeError: The file cannot be read, is not JSON, or is larger than 8 MiB.
    """
    name = printable(path.name)
    try:
        if not path.is_file():
            raise GmdVaeError(f"{name} is missing")
        if path.stat().st_size > MAX_JSON_BYTES:
            raise GmdVaeError(f"{name} is larger than {MAX_JSON_BYTES >> 20} MiB")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GmdVaeError(f"{name} cannot be read ({error.strerror})") from None
    except (RecursionError, ValueError):
        raise GmdVaeError(f"{name} is damaged") from None


def read_facts(run: Run, last_step: int | None) -> Facts:
    """Reads config, data and settings of a run.

    Args:
        run: Run, as ``read_run`` returns it.
        last_step: Last step in ``metrics.jsonl``, or ``None``.

    Raises:
        GmdVaeError: ``run.json`` cannot be read.
    """
    content = read_json(run.folder / RUN_NAME)
    hparams = run.hparams
    z_size = hparams.get("z_size")
    windows, levels = run.config.windows, run.config.levels
    starts = _dicts(content.get("starts"))
    plan = content.get("plan") if isinstance(content.get("plan"), dict) else {}
    steps = f"{number(last_step)} steps" if last_step else ""
    planned = plan.get("num_steps")
    if last_step and isinstance(planned, int) and planned > last_step:
        steps += f" of {number(planned)}"
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
        "initial weights": f"from {printable(str(run.init_from.path))}" if run.init_from else "random",
        "seed": str(run.seed),
        "device": ", ".join(dict.fromkeys(_text(start.get("device")) for start in starts)),
        "started": _text(starts[0].get("time")) if starts else "",
        "versions": _versions(content.get("versions")),
        "command": _text(content.get("command")),
    }
    return Facts(
        name=printable(run.folder.resolve().name),
        config=printable(run.config.name),
        bars=windows.bars,
        z_size=z_size if isinstance(z_size, int) else None,
        rows=[(name, value) for name, value in rows.items() if value],
    )


def read_evaluations(folder: Path, problems: list[str]) -> Evaluations:
    """Reads the evaluations of a run as tables, later steps first.

    Args:
        folder: Run folder.
        problems: Receives one line for each damaged evaluation.
    """
    paths = sorted(folder.glob("eval/*/result.json"), key=lambda path: (len(path.parent.name), path.parent.name))
    shown: list[tuple[Result, str, list[Table]]] = []
    for path in paths[::-1]:  # later steps first
        if len(shown) == MAX_RESULTS:
            break
        name = printable(f"eval/{path.parent.name}")
        try:
            manifest.read(path.parent, "evaluate", "")
            result = Result.from_json(read_json(path))
            overview([result])  # raises if a part cannot be shown
            shown.append((result, name, details(result)))
        except GmdVaeError as error:
            problems.append(f"{name}: {printable(error.problem)}")
        except UNEXPECTED:
            problems.append(f"{name}: result.json is damaged")
    results = [result for result, *_ in shown]
    return Evaluations(
        overview=overview(results) if results else None,
        details=[(name, tables) for _, name, tables in shown],
        training_windows=results[0].identity.training.windows if results else None,
        more=max(0, len(paths) - MAX_RESULTS) if len(shown) == MAX_RESULTS else 0,
    )


def _dicts(content: Any) -> list[dict[str, Any]]:
    return [entry for entry in content if isinstance(entry, dict)] if isinstance(content, list) else []


def _text(value: Any) -> str:
    return printable(value, limit=400) if isinstance(value, str) else ""


def _sizes(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "–"


def _versions(content: Any) -> str:
    if not isinstance(content, dict):
        return ""
    return ", ".join(printable(f"{name} {version}", limit=60) for name, version in list(content.items())[:12])


def finite(value: Any) -> float | None:
    """Returns a finite number of a JSON file as float, or ``None`` for any other value."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None

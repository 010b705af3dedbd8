"""Writes the report page of a run: one HTML file that needs no network and no other file."""

from __future__ import annotations

import base64
import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

from gmd_vae.common.files import whole_file
from gmd_vae.common.own_files import add_mark, check_writable
from gmd_vae.evaluation.tables.formats import Table
from gmd_vae.rendering.drum_part import VOICES
from gmd_vae.rendering.kit import RATE
from gmd_vae.rendering.report.beats import SECTIONS, Folder, Generated, read_generated
from gmd_vae.rendering.report.curves import Curves, read_curves
from gmd_vae.rendering.report.evaluations import read_evaluations
from gmd_vae.rendering.report.run_facts import read_run_facts
from gmd_vae.rendering.web.html import SCRIPTS, STYLE, ZIP_SCRIPT, embedded, environment, joined, policy, script_of
from gmd_vae.rendering.web.kit_samples import LOUDNESS, kit
from gmd_vae.training.history import NAME as METRICS
from gmd_vae.training.run.folder import Run

NAME = "report.html"
MARK = '<meta name="generator" content="gmd-vae report">'
_HERE = Path(__file__).parent
_BYTES_PER_SECOND = 4 * RATE  # of sound: 16 bit, stereo
SCRIPTS_OF_PAGE = [*SCRIPTS, ZIP_SCRIPT, *(_HERE / f"{name}.js" for name in ("beats", "saving", "page"))]
_LABELS = ("BD", "SD", "CH", "OH", "LT", "MT", "HT", "CY", "RD")  # labels of the nine voices, as on drum machines


@dataclasses.dataclass(frozen=True)
class Missing:
    """A part of the page that the run does not have yet.

    Attributes:
        what: The missing part, for example ``No beats yet``.
        command: Command that makes it.
    """

    what: str
    command: str


@dataclasses.dataclass(frozen=True)
class Report:
    """A report that was written.

    Attributes:
        path: HTML file.
        size: Size of the file in bytes.
        beats: Number of beats on the page.
        evaluations: Number of evaluations on the page.
        missing: Parts that the run does not have yet.
        left_out: One line for each damaged part that is not on the page.
    """

    path: Path
    size: int
    beats: int
    evaluations: int
    missing: list[Missing]
    left_out: list[str]

    def as_json(self) -> dict[str, Any]:
        """Returns the answer of ``gmd-vae report --json``."""
        return {
            "output": str(self.path),
            "bytes": self.size,
            "beats": self.beats,
            "evaluations": self.evaluations,
            "missing": [dataclasses.asdict(part) for part in self.missing],
            "left_out": self.left_out,
        }


def write_report(run: Run, target: Path) -> Report:
    """Writes the page of a run. The same run folder gives the same bytes.

    Args:
        run: Run, as ``read_run`` returns it.
        target: HTML file; an older report there is replaced if nobody changed it.

    Raises:
        GmdVaeError: ``target`` exists and is not an unchanged report.
    """
    check_writable(target, option="--output")
    left_out: list[str] = []
    curves = _curves(run.folder / METRICS, left_out)
    evaluations = read_evaluations(run.folder, left_out)
    generated = read_generated(run.folder, left_out)
    missing = _missing(run.folder, curves, generated, evaluations.overview is not None)
    html = _render(
        facts=read_run_facts(run, curves.last_step),
        curves=curves,
        evaluations=evaluations,
        generated=generated,
        sections=_sections(generated),
        missing={part: Missing(*found) for part, found in missing.items()},
        left_out=left_out,
    )
    data = html.encode("utf-8", "replace")  # JSON files may hold lone surrogates
    with whole_file(target) as temporary:
        temporary.write_bytes(data)
        add_mark(temporary)
        size = temporary.stat().st_size
        check_writable(target, option="--output")  # again: something may have appeared in its place
    shown = [Missing(*found) for found in missing.values()]
    return Report(target, size, generated.count, len(evaluations.details), shown, left_out)


def _curves(metrics: Path, left_out: list[str]) -> Curves:
    if not metrics.exists():
        return Curves([])
    try:
        return read_curves(metrics)
    except OSError as error:
        left_out.append(f"{METRICS}: cannot be read ({error.strerror})")
    except (ArithmeticError, RecursionError, TypeError, ValueError) as error:
        left_out.append(f"{METRICS}: damaged ({error})")
    return Curves([])


def _missing(folder: Path, curves: Curves, generated: Generated, evaluated: bool) -> dict[str, tuple[str, str]]:
    """Returns text and command of each missing part, by its section of the page."""
    run = shlex.quote(str(folder))
    parts = {
        "beats": (not generated.folders, ("No beats yet", f"gmd-vae generate --run-dir {run}")),
        "curves": (not curves.charts, ("No training curves yet", f"gmd-vae train --run-dir {run}")),
        "evaluation": (not evaluated, ("Not evaluated yet", f"gmd-vae evaluate {run}")),
    }
    return {part: found for part, (is_missing, found) in parts.items() if is_missing}


def _sections(generated: Generated) -> list[dict[str, Any]]:
    """Groups the folders into sections by mode, and gives every beat an id and a title."""
    sections: list[dict[str, Any]] = []
    number = 0
    for folder in generated.folders:
        title, text = SECTIONS.get(folder.mode, (folder.mode or "Beats", ""))
        if not sections or sections[-1]["mode"] != folder.mode:
            sections.append({"mode": folder.mode, "title": title, "text": text, "folders": []})
        cards = []
        for place, beat in enumerate(folder.beats):
            own = {"id": f"b{number}", "title": _title(folder, place), "folder": folder.name}
            cards.append({**own, "beat": beat, "uri": _uri(beat.midi)})
            number += 1
        joined = {"name": folder.joined.name, "uri": _uri(folder.joined.midi)} if folder.joined else None
        sections[-1]["folders"].append({"folder": folder, "cards": cards, "joined": joined})
    return sections


def _title(folder: Folder, place: int) -> str:
    if folder.mode == "interpolate" and not folder.more:
        if place == 0:
            return "Start"
        if place == len(folder.beats) - 1:
            return "End"
        return f"Step {place}"
    return f"Beat {place + 1}"


def _uri(midi: bytes) -> str:
    return f"data:audio/midi;base64,{base64.b64encode(midi).decode('ascii')}"


def _render(**content: Any) -> str:
    """Fills the template. Everything is escaped, except the style sheet, the script, the charts and the data."""
    from markupsafe import Markup

    templates = environment(_HERE)
    templates.filters["interval"] = _interval
    style, script = joined([*STYLE, _HERE / "page.css"]), script_of(SCRIPTS_OF_PAGE)
    beats = {
        card["id"]: {
            "title": card["title"],
            "folder": card["folder"],
            "name": card["beat"].name,
            "whole": card["beat"].data.whole,
            **card["beat"].data.drawn,
        }
        for section in content["sections"]
        for entry in section["folders"]
        for card in entry["cards"]
    }
    data = {
        "name": content["facts"].name,
        "kit": kit() if beats else [],
        "loudness": LOUDNESS,
        "beats": beats,
    }
    seconds = [
        card["beat"].data.seconds
        for section in content["sections"]
        for entry in section["folders"]
        for card in entry["cards"]
        if card["beat"].data.whole
    ]
    return templates.get_template("page.html.j2").render(
        **content,
        mark=Markup(MARK),
        policy=policy(style, [script]),
        style=Markup(style),
        script=Markup(script),
        data=Markup(embedded(data)),
        labels=_LABELS,
        voices=VOICES,
        megabytes=round(sum(seconds) * _BYTES_PER_SECOND / 1e6),
    )


def _interval(cell: str, table: Table, column: int) -> tuple[str, str]:
    """Splits a cell of a table into its figure and its confidence interval (empty without one)."""
    match = re.fullmatch(r"(.*) (\[[^\[\]]*\])", cell) if column >= table.names else None
    return (match[1], match[2]) if match else (cell, "")

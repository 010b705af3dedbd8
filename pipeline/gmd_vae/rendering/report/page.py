"""The page: what was read of a run, put into one HTML file that needs no network and nothing beside it."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import whole_file
from gmd_vae.evaluation.tables.formats import Table
from gmd_vae.rendering.drum_part import VOICES
from gmd_vae.rendering.report import curves as charts
from gmd_vae.rendering.report import grids
from gmd_vae.rendering.report.beats import Folder, Generated, read_generated
from gmd_vae.rendering.report.curves import Curves, read_curves
from gmd_vae.rendering.report.facts import read_evaluations, read_facts
from gmd_vae.rendering.report.samples import force, kit
from gmd_vae.training.history import NAME as METRICS
from gmd_vae.training.run.folder import Run

NAME = "report.html"
MARK = '<meta name="generator" content="gmd-vae report">'  # near the start of every report
_HERE = Path(__file__).parent
_LABELS = ("BD", "SD", "CH", "OH", "LT", "MT", "HT", "CY", "RD")  # as drum machines call the nine voices

_HEADINGS = {
    "sample": ("New beats", "Made up by the model. Nobody played them, and nobody wrote them down."),
    "interpolate": (
        "From one beat to another",
        "The first and the last are the model's own versions of two given beats. It invents the way between them.",
    ),
    "vary": ("Variations", "One beat, played a little differently each time."),
    "attribute": ("More of one thing", "One beat with more or less of something, such as hi-hat or syncopation."),
    "continue": ("And then", "The model goes on where a given beat ends."),
    "reconstruct": ("From memory", "Given beats, as the model plays them back from the few numbers it keeps of each."),
}


@dataclasses.dataclass(frozen=True)
class Missing:
    """A part that the run does not have yet, and the command that makes it."""

    what: str
    command: str


@dataclasses.dataclass(frozen=True)
class Report:
    """A report that was written.

    Attributes:
        path: of the page.
        size: bytes.
        beats: on the page.
        evaluations: on the page.
        missing: what the run does not have yet.
        left_out: what is damaged and not on the page, a line each.
    """

    path: Path
    size: int
    beats: int
    evaluations: int
    missing: list[Missing]
    left_out: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**dataclasses.asdict(self), "path": str(self.path)}


def write_report(run: Run, target: Path) -> Report:
    """Writes the page of a run. The same run folder gives the same bytes.

    Args:
        run: as ``read_run`` gives it.
        target: the HTML file; a report that is there is replaced.

    Raises:
        GmdVaeError: something else than a report is at ``target``.
    """
    _check_replaceable(target)
    left_out: list[str] = []
    curves = _curves(run.folder / METRICS, left_out)
    evaluations = read_evaluations(run.folder, left_out)
    generated = read_generated(run.folder, left_out)
    missing = _missing(run.folder, curves, generated, evaluations.overview is not None)
    html = _render(
        facts=read_facts(run, curves.last_step),
        curves=curves,
        charts=charts,
        evaluations=evaluations,
        generated=generated,
        sections=_sections(generated),
        missing={part: Missing(*found) for part, found in missing.items()},
        left_out=left_out,
    )
    data = html.encode("utf-8", "replace")  # JSON files may hold halves of letters
    with whole_file(target) as temporary:
        temporary.write_bytes(data)
    shown = [Missing(*found) for found in missing.values()]
    return Report(target, len(data), generated.count, len(evaluations.details), shown, left_out)


def embedded(content: Any) -> str:
    """JSON that can stand in a ``<script>`` element: nothing in it ends the element or opens a comment."""
    text = json.dumps(content, separators=(",", ":"))  # ASCII: U+2028 and its like are escaped
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _check_replaceable(target: Path) -> None:
    action = "Choose another --output, or move that one away. Nothing was changed."
    if target.is_dir():
        raise GmdVaeError(f"'{target}' is a folder, and a file is to be written there", action)
    if not target.exists():
        return
    with open(target, "rb") as stream:
        if MARK.encode() not in stream.read(1_000):
            raise GmdVaeError(f"'{target}' exists and is not a report", action)


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
    """What there is not yet, by its place on the page: in words, and the command that makes it."""
    run = shlex.quote(str(folder))
    parts = {
        "beats": (not generated.folders, ("No beats yet", f"gmd-vae generate --run-dir {run}")),
        "curves": (not curves.panels, ("No training curves yet", f"gmd-vae train --run-dir {run}")),
        "evaluation": (not evaluated, ("Not evaluated yet", f"gmd-vae evaluate {run}")),
    }
    return {part: found for part, (is_missing, found) in parts.items() if is_missing}


def _sections(generated: Generated) -> list[dict[str, Any]]:
    """The folders under their headings; every beat has an id and a title."""
    sections: list[dict[str, Any]] = []
    number = 0
    for folder in generated.folders:
        title, text = _HEADINGS.get(folder.mode, (folder.mode or "Beats", ""))
        if not sections or sections[-1]["mode"] != folder.mode:
            sections.append({"mode": folder.mode, "title": title, "text": text, "folders": []})
        cards = []
        for place, beat in enumerate(folder.beats):
            cards.append({"id": f"b{number}", "title": _title(folder, place), "beat": beat, "uri": _uri(beat.midi)})
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
    """Fills the template. Everything in it is escaped, but for the two files that are ours and the data."""
    import jinja2
    from markupsafe import Markup

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["interval"] = _interval
    style, script = ((_HERE / name).read_text(encoding="utf-8").strip() for name in ("page.css", "page.js"))
    beats = {
        card["id"]: {"title": card["title"], **card["beat"].grid.player}
        for section in content["sections"]
        for entry in section["folders"]
        for card in entry["cards"]
    }
    data = {
        "kit": kit() if beats else [],
        "loudness": [round(force(8 * step), 4) for step in range(16)],
        "beats": beats,
    }
    template = environment.from_string((_HERE / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        **content,
        mark=Markup(MARK),
        # the browser runs and loads nothing else, whatever a name in the run may hold
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        style=Markup(style),
        script=Markup(script),
        data=Markup(embedded(data)),
        labels=_LABELS,
        voices=VOICES,
        grids=grids,
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _interval(cell: str, table: Table, column: int) -> tuple[str, str]:
    """A figure and its interval, "" where it has none."""
    match = re.fullmatch(r"(.*) (\[[^\[\]]*\])", cell) if column >= table.names else None
    return (match[1], match[2]) if match else (cell, "")

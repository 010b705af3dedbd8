"""The held-out figures of a model's card: chosen from a result, and shown as tables of at most 80 characters."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.figures import Figure
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables import groove, overview
from gmd_vae.evaluation.tables.formats import Table, estimate, number
from gmd_vae.models.card import HeldOut, HeldOutFigure


class _Section(NamedTuple):
    """A table of the card.

    Attributes:
        title: Title.
        columns: Place in ``result.json`` and figure of each column; ``*`` stands for the row. At most four, so that
            the table fits into 80 characters.
        rows: Titles of the rows by their names in ``result.json``; ``{usual}`` stands for the temperature of
            ``samples_usual``.
        kept: Figures that the card keeps and the table does not show.
        of_samples: True if the table is about samples: only models that write new music have it.
    """

    title: str
    columns: tuple[tuple[str, Figure], ...]
    rows: Mapping[str, str]
    kept: tuple[tuple[str, Figure], ...] = ()
    of_samples: bool = False


_LIKELIHOOD = (figures.ELBO, figures.IMPORTANCE_BOUND, figures.RECONSTRUCTION, figures.KL_BITS)
_RECONSTRUCTION = (figures.STEP_ACCURACY, figures.CELL_ACCURACY, figures.HITS_F1, figures.NOTES_F1)
_GROOVE = (figures.TIMING_MAE_MS, figures.VELOCITY_MSE, figures.TIMING_KL, figures.VELOCITY_KL)
_SETS = (figures.REPEATED_STEPS, figures.HITS_PER_BAR, figures.SILENT_STEPS, figures.AUC)
_SETS_ROWS = {
    "samples": "samples",
    "samples_usual": "samples, temperature {usual:g}",
    "samples_normal": "samples from N(0, I)",
    "samples_usual_normal": "samples from N(0, I), temperature {usual:g}",
    "held_out": "held-out windows",
    "training": "training windows",
}
_DISTANCES = (figures.QUARTER, figures.MEDIAN, figures.THREE_QUARTERS)

_SECTIONS = (
    _Section(
        "Reconstruction",
        tuple(("reconstruction.*", figure) for figure in _RECONSTRUCTION),
        {**overview.MODELS, **overview.BASELINES},
    ),
    _Section("Likelihood", tuple(("likelihood", figure) for figure in _LIKELIHOOD), {"": "model"}),
    _Section(
        "Velocities and timing",
        tuple(("groove.answers.*", figure) for figure in _GROOVE),
        {**groove.PREDICTIONS, **groove.BASELINES},
    ),
    _Section(
        "Samples and music",
        tuple(("window_sets.*", figure) for figure in _SETS),
        _SETS_ROWS,
        kept=(("window_sets.*", figures.AUC_ABOVE_TRAINING),),
        of_samples=True,
    ),
    _Section(
        "Nearest training window: steps that differ",
        (("novelty.*", figures.COPIES), *(("novelty.*.steps", figure) for figure in _DISTANCES)),
        _SETS_ROWS,
        of_samples=True,
    ),
)


def held_out(result: Result, *, new_music: bool) -> HeldOut:
    """Returns the figures of a result for a card.

    Args:
        result: The result.
        new_music: Whether the model writes new music (``Family.writes_new_music``). If it only completes an input, its
            samples are not music for anybody, and are left out.
    """
    found: dict[str, dict[str, HeldOutFigure]] = {}
    for section in _SECTIONS:
        for pattern, figure in section.columns + section.kept if new_music or not section.of_samples else ():
            for place, part in _parts(result.figures, pattern):
                value = _of_card(figure.read(part))
                if value is not None:
                    found.setdefault(place, {})[figure.name] = value
    usual = (result.figures.window_sets or {}).get("samples_usual")
    return HeldOut(
        split=result.identity.split,
        windows=result.figures.windows,
        files=result.figures.files,
        samples=result.settings.samples,
        temperature=result.settings.temperature,
        **({} if usual is None or usual.temperature is None else {"usual_temperature": usual.temperature}),
        figures=found,
    )


def tables(held: HeldOut) -> list[Table]:
    """Returns the tables of a card; figures that it does not have, or that this version does not know, are left out."""
    found = [table for section in _SECTIONS if (table := _table(section, held)) is not None]
    if not found:
        return []
    intervals = "In brackets: 95 % intervals (bootstrap over files, of samples over samples; of copies Wilson)."
    drawn = f"{number(held.samples)} samples at temperature {held.temperature:g}."
    of_samples = any(place.startswith(("window_sets.", "novelty.")) for place in held.figures)
    found[-1] = dataclasses.replace(found[-1], notes=(intervals, drawn) if of_samples else (intervals,))
    return found


def _table(section: _Section, held: HeldOut) -> Table | None:
    """Returns the table of a section, without rows and columns that have no figure; ``None`` if nothing is left."""

    def read(name: str, column: tuple[str, Figure]) -> HeldOutFigure | None:
        pattern, figure = column
        return held.figures.get(pattern.replace("*", name), {}).get(figure.name)

    names = [name for name in section.rows if any(read(name, column) for column in section.columns)]
    columns = [column for column in section.columns if any(read(name, column) for name in names)]
    rows = [
        (
            section.rows[name].format(usual=held.usual_temperature),
            *(_cell(read(name, column), column[1].digits) for column in columns),
        )
        for name in names
    ]
    headings = (figure.heading_with_unit if " per " in figure.unit else figure.heading for _, figure in columns)
    return Table(section.title, ("", *headings), tuple(rows)) if rows else None


def _cell(figure: HeldOutFigure | None, digits: int) -> str:
    if figure is None or figure.low is None or figure.high is None:
        return number(None if figure is None else figure.value, digits)
    return estimate(Estimate(figure.value, figure.low, figure.high), digits)


def _parts(section: Any, pattern: str) -> Iterator[tuple[str, Any]]:
    """Yields the parts of a section whose places match, with their places; parts that are ``None`` are left out."""
    first, _, rest = pattern.partition(".")
    inner: Mapping[str, Any] = section if isinstance(section, dict) else vars(section)
    for name in inner if first == "*" else [first]:
        part = inner.get(name)
        if part is None:
            continue
        if not rest:
            yield name, part
            continue
        for place, found in _parts(part, rest):
            yield f"{name}.{place}", found


def _of_card(value: Any) -> HeldOutFigure | None:
    if isinstance(value, Estimate):
        ends = (value.low, value.high)
        finite = all(math.isfinite(end) for end in ends)
        return _finite(HeldOutFigure(value.value, *(ends if finite else (None, None))))
    return None if value is None else _finite(HeldOutFigure(float(value)))


def _finite(figure: HeldOutFigure) -> HeldOutFigure | None:
    return figure if math.isfinite(figure.value) else None

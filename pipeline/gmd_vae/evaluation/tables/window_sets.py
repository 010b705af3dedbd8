"""The table of samples beside held-out windows and training windows."""

from __future__ import annotations

from gmd_vae.common.priors import FITTED
from gmd_vae.evaluation import figures
from gmd_vae.evaluation.result import Result, WindowSet
from gmd_vae.evaluation.tables.formats import Table, estimate

_TITLES = {"held_out": "held-out windows", "training": "training windows"}


def window_sets(result: Result) -> Table | None:
    """Returns the table of repetition, density and the two-sample test; ``None`` where the result has none of them."""
    sets = result.figures.window_sets
    if not sets:
        return None
    rows = [
        (
            _TITLES.get(name) or _samples(part, compares=result.identity.fitted_prior is not None),
            *(estimate(figure.read(part), figure.digits) for figure in figures.WINDOW_SETS),
        )
        for name, part in sets.items()
    ]
    notes: tuple[str, ...] = (
        "Repeated: equal to the same step of the bar before, and hits that both bars have, divided by hits that one of "
        "them has. In brackets: 95 % intervals (bootstrap over files, of samples over samples).",
        "AUC: of a classifier that separates the windows from held-out windows, tested on files that it was not "
        "trained on; 0.5: it cannot. Training windows are the yardstick, so read the difference. Intervals "
        "are over the held-out files.",
    )
    if (prior := result.identity.fitted_prior) is not None:
        notes += (f"Fitted: z from {prior}, the prior of this model.",)
    models = sum(name not in _TITLES for name in sets)
    columns = ("", *(figure.heading for figure in figures.WINDOW_SETS))
    return Table("Samples and music", columns, tuple(rows), notes, lines=frozenset({models} - {0}))


def _samples(part: WindowSet, *, compares: bool) -> str:
    """Returns the title of samples; the prior is in it where the result compares two."""
    prior = ("fitted, " if part.prior == FITTED else "N(0, I), ") if compares else ""
    return f"samples, {prior}temperature {part.temperature:g}"

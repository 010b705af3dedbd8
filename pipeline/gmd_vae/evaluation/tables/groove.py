"""The table of a GrooVAE's velocities and timing."""

from __future__ import annotations

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.metrics.groove_errors import OFFSET_BINS, VELOCITY_BINS
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.formats import Table, estimate, number
from gmd_vae.evaluation.tables.overview import INTERVALS, MODELS

PREDICTIONS = {"hits_given": "true hits given", **MODELS}
BASELINES = {
    "as_usual": "mean of drum class and position",
    "boosted": "gradient boosting",
    "by_dice": "drawn from the training hits",
    "on_the_grid": "on the grid, mean velocity",
}


def velocities_and_timing(result: Result) -> Table | None:
    """Returns the table of all predictions, baselines and samples; ``None`` for other models than GrooVAE."""
    groove = result.figures.groove
    if groove is None:
        return None
    rows: list[tuple[str, ...]] = []
    lines: set[int] = set()
    for titles in (PREDICTIONS, BASELINES):
        lines.add(len(rows))
        for name, title in titles.items():
            if name in groove.answers:
                cells = (estimate(figure.read(groove.answers[name]), figure.digits) for figure in figures.GROOVE)
                rows.append((title, *cells))
    lines.add(len(rows))
    of_samples = (estimate(figure.read(groove.samples), figure.digits) for figure in figures.GROOVE)
    rows.append(("samples from the prior", *of_samples))
    unknown = result.figures.windows - groove.windows_with_tempo
    tempo = "the tempo of each file"
    if unknown:
        tempo += f" (120 quarter notes per minute for {number(unknown)} windows whose tempo no info.csv lists)"
    notes = (
        f"{INTERVALS} Errors: at each of the {number(groove.hits)} true hits, played by the prediction or not. A step "
        f"is a sixteenth note; milliseconds are at {tempo}.",
        f"KL: from the distribution of the true hits to that of the played hits, in {OFFSET_BINS} bins (timing) and "
        f"{VELOCITY_BINS} bins (velocity). The baselines play the true hits. Gradient boosting: from drum "
        "class, position, steps since and until the next hit of the class, drum classes of the step, style and tempo.",
    )
    columns = ("", *(figure.heading for figure in figures.GROOVE))
    return Table("Velocities and timing", columns, tuple(rows), notes, lines=frozenset(lines - {0}))

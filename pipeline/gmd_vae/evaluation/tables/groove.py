"""How a GrooVAE plays, as a table."""

from __future__ import annotations

from gmd_vae.evaluation.metrics.groove_errors import OFFSET_BINS, VELOCITY_BINS
from gmd_vae.evaluation.tables.formats import NOTHING, Table, estimate, number
from gmd_vae.evaluation.tables.overview import INTERVALS, MODELS, Result, of

_MODELS = {"hits_given": "the true hits given", **MODELS}
_BASELINES = {
    "as_usual": "mean of drum and sixteenth",
    "by_dice": "drawn from the training hits",
    "on_the_grid": "on the grid, mean velocity",
}
_FIGURES = (
    ("timing\nMAE, ms", "timing_mae_ms", 1),
    ("timing\nMAE, steps", "timing_mae", 3),
    ("timing\nMSE, steps²", "timing_mse", 4),
    ("velocity\nMSE, 0 to 1", "velocity_mse", 4),
    ("timing\nKL, nats", "timing_kl", 3),
    ("velocity\nKL, nats", "velocity_kl", 3),
)


def velocities_and_timing(result: Result) -> Table | None:
    """Of every answer, the baselines below a line, and the samples below another; ``None`` of other models."""
    found = of(result, "groove", "answers")
    if not found:
        return None
    rows: list[tuple[str, ...]] = []
    lines: set[int] = set()
    for titles in (_MODELS, _BASELINES):
        lines.add(len(rows))
        for name, title in titles.items():
            if name in found:
                rows.append((title, *(estimate(of(found, name, key), digits) for _, key, digits in _FIGURES)))
    lines.add(len(rows))
    samples = of(result, "groove", "samples")
    cells = (estimate(of(samples, key), digits) if of(samples, key) else NOTHING for _, key, digits in _FIGURES)
    rows.append(("samples from the prior", *cells))
    windows, known = of(result, "windows"), of(result, "groove", "windows_with_tempo")
    at = "the tempo of each file"
    if known != windows:
        at += f", or at 120 quarters a minute where no info.csv says it ({number(windows - known)} windows)"
    notes = (
        f"{INTERVALS} Errors: at each of the {number(of(result, 'groove', 'hits'))} true hits, whether or not it is "
        f"played; a step is a sixteenth, milliseconds are at {at}.",
        f"KL: from the true hits' distribution to that of the hits that are played, in {OFFSET_BINS} bins (timing) and "
        f"{VELOCITY_BINS} (velocity). The baselines play the true hits.",
    )
    columns = ("", *(heading for heading, *_ in _FIGURES))
    return Table("Velocities and timing", columns, tuple(rows), notes, lines=frozenset(lines - {0}))

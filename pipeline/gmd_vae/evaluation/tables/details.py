"""The tables of one run: everything that was measured. Part by part, in the order of ``result.json``."""

from __future__ import annotations

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.figures import Figure
from gmd_vae.evaluation.latent.interpolation import Curve
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.accuracy import accuracy, bars, drum_classes, event_kinds, streams
from gmd_vae.evaluation.tables.formats import Table, estimate, number, text
from gmd_vae.evaluation.tables.groove import velocities_and_timing
from gmd_vae.evaluation.tables.overview import INTERVALS, run_names
from gmd_vae.evaluation.tables.window_sets import window_sets


def details(result: Result) -> list[Table]:
    """Returns all tables of a result; parts that the result does not have are left out."""
    tables = (
        _about(result),
        _likelihood(result),
        accuracy(result),
        event_kinds(result),
        bars(result),
        drum_classes(result),
        streams(result),
        velocities_and_timing(result),
        window_sets(result),
        _novelty(result),
        _distribution(result),
        _latent(result),
        _style(result),
        _interpolation(result),
        _attributes(result),
    )
    return [table for table in tables if table is not None]


def _about(result: Result) -> Table:
    identity, measured, settings = result.identity, result.figures, result.settings
    windows, run, config, step = run_names(result)
    used = {
        "seed": settings.seed,
        "temperature": settings.temperature,
        "importance samples": settings.importance_samples,
        "samples": settings.samples,
        "resamples": settings.resamples,
    }
    rows = {
        "run": run,
        "config": config,
        "checkpoint": f"{identity.checkpoint.name} (step {step})",
        "windows": f"{windows} windows of {number(measured.files)} files, in {identity.examples.folder}",
        "window size": f"{number(measured.steps)} steps, {number(measured.steps_per_bar)} per bar"
        if measured.steps_per_bar
        else f"up to {number(measured.steps)} events",
        "training windows": f"{number(identity.training.windows)}, in {identity.training.folder}",
        "in training too": f"{number(measured.in_training)} of these windows",
        "settings": ", ".join(f"{name} {text(value)}" for name, value in used.items()),
    }
    return Table("Inputs", ("", ""), tuple(rows.items()), names=2)


def _likelihood(result: Result) -> Table:
    likelihood = result.figures.likelihood
    is_likelihood = likelihood.importance_bound is not None
    loss = "nats" if is_likelihood else "Magenta's loss"

    def row(figure: Figure, unit: str) -> tuple[str, str, str]:
        return " ".join(figure.heading.split()), unit, estimate(figure.read(likelihood), figure.digits)

    def part_row(name: str, part: Estimate) -> tuple[str, str, str]:
        return f"of it, {name}", f"{loss} per window", estimate(part, figures.RECONSTRUCTION.digits)

    rows = (
        row(figures.RECONSTRUCTION, f"{loss} per window"),
        *(part_row(name, part) for name, part in (likelihood.parts or {}).items()),
        row(figures.RECONSTRUCTION_PER_STEP, f"{loss} per step"),
        *(row(figure, figure.unit) for figure in (figures.KL_BITS, figures.ELBO, figures.IMPORTANCE_BOUND)),
    )
    if is_likelihood:
        note = f"{INTERVALS} Importance bound: {number(result.settings.importance_samples)} draws of z per window."
    else:
        note = f"{INTERVALS} The loss adds squared errors to nats: it is no likelihood, and the ELBO is no bound."
    return Table("Likelihood", ("figure", "unit", "value"), rows, (note,), names=2)


def _novelty(result: Result) -> Table:
    novelty = result.figures.novelty
    usual = (result.figures.window_sets or {}).get("samples_usual")
    at = "" if usual is None else f",\ntemperature {usual.temperature:g}"
    titles = {
        "samples": "samples",
        "samples_usual": f"samples{at}",
        "samples_normal": "samples of N(0, I)",
        "samples_usual_normal": f"samples of N(0, I){at}",
        "held_out": "held-out windows",
    }
    named = {title: part for name, title in titles.items() if (part := getattr(novelty, name)) is not None}
    sets = tuple(named.values())
    rows: list[tuple[str, ...]] = []
    lines = []
    for figure in figures.NOVELTY:
        rows.append((figure.heading, *(estimate(figure.read(part), figure.digits) for part in sets)))
    for unit in ("steps", "hits"):
        spreads = [spread for part in sets if (spread := getattr(part, unit)) is not None]
        if spreads:
            lines.append(len(rows))
            for figure in figures.DISTANCES:
                cells = (number(figure.read(spread), figure.digits) for spread in spreads)
                rows.append((f"differing {unit}, {figure.heading}", *cells))
    notes: tuple[str, ...] = (
        "Each window is compared with the nearest training window, the one with the fewest differing steps. In "
        "brackets: 95 % intervals (Wilson), too narrow for held-out windows, which overlap.",
    )
    if (prior := result.identity.fitted_prior) is not None:
        notes += (f"Samples: z from {prior}.",)
    return Table("Novelty", ("", *named), tuple(rows), notes, lines=frozenset(lines))


def _distribution(result: Result) -> Table | None:
    features = result.figures.distribution
    if features is None:
        return None
    if not features:
        reason = "two samples, two training windows and two held-out windows are needed"
        return Table("Distributions", ("", ""), (("not measured", reason),), names=2)
    compared = (figures.OVERLAP, figures.FEATURE_KL)
    distances = (figures.INTER, figures.INTRA_SAMPLES, figures.INTRA_REFERENCE)
    columns = [
        *((f"{figure.heading},\n{part}", figure, part) for figure in compared for part in ("samples", "training")),
        *((figure.heading, figure, "samples") for figure in distances),
    ]
    rows = [
        (_words(name), *(number(figure.read(getattr(feature, part)), figure.digits) for _, figure, part in columns))
        for name, feature in features.items()
    ]
    notes = (
        "Samples and training windows, each compared with the held-out windows (Yang & Lerch 2020). Overlap 1 and KL 0 "
        "are best. The training windows are the yardstick: they show the figures of real music.",
    )
    return Table("Distributions", ("feature", *(heading for heading, *_ in columns)), tuple(rows), notes)


def _latent(result: Result) -> Table:
    activity = result.figures.latent.activity
    rows = (
        (figures.ACTIVE.heading, f"{number(activity.active)} of {number(activity.size)}"),
        (figures.COLLAPSED.heading, "yes" if activity.collapsed else "no"),
    )
    return Table("Latent space", ("", ""), rows)


def _style(result: Result) -> Table | None:
    scores, reason = result.figures.latent.decodability, result.figures.latent.decodability_reason
    if scores is None:
        return Table("Style from z", ("", ""), (("not measured", reason),), names=2) if reason else None
    rows = [
        (name, *(estimate(getattr(scores, prefix + figure.name), figure.digits) for figure in figures.STYLE))
        for name, prefix in (
            ("linear classifier", ""),
            ("linear classifier trained on shuffled styles", "shuffled_"),
            ("always the most frequent style", "majority_"),
        )
    ]
    trained = f"{number(scores.training_windows)} windows of {number(scores.training_files)} files"
    tested = f"{number(scores.windows)} windows of {number(scores.files)} files"
    notes = [
        f"{INTERVALS} Balanced: each style has the same weight.",
        f"Trained on {trained}, tested on {tested}. Styles: {', '.join(scores.styles)}.",
    ]
    if scores.left_out:
        notes.append(f"In one split only, and left out: {', '.join(scores.left_out)}.")
    return Table("Style from z", ("", *(figure.heading for figure in figures.STYLE)), tuple(rows), tuple(notes))


def _interpolation(result: Result) -> Table | None:
    interpolation = result.figures.latent.interpolation
    if interpolation.latent is None or interpolation.data is None:
        return None
    curves = (interpolation.latent, interpolation.data)
    points = len(interpolation.latent.mean)

    def cell(curve: Curve, point: int) -> str:
        return estimate(Estimate(curve.mean[point], curve.low[point], curve.high[point]), figures.PATH_DISTANCE.digits)

    rows = [
        (number(point / max(1, points - 1), 2), *(cell(curve, point) for curve in curves)) for point in range(points)
    ]
    pairs, left_out = number(interpolation.latent.pairs), number(interpolation.latent.left_out)
    notes = (
        f"Distance from the first window, in units of the distance between both windows: means over {pairs} pairs "
        f"({left_out} pairs of equal windows left out), with 95 % intervals.",
    )
    return Table("Interpolation", ("position", "latent space", "mixed steps"), tuple(rows), notes)


def _attributes(result: Result) -> Table | None:
    vectors = result.figures.latent.attributes
    if not vectors:
        return None
    names = list(dict.fromkeys(name for changes in vectors.values() for name in changes))
    rows, bold = [], set()
    for row, (vector, changes) in enumerate(vectors.items()):
        bold |= {(row, 1 + column) for column, name in enumerate(names) if name == vector}
        pairs = [
            [number(figure.read(changes.get(name)), figure.digits, signed=True) for figure in figures.ATTRIBUTES]
            for name in names
        ]
        rows.append((_words(vector), *(" / ".join(pair) for pair in pairs)))
    notes = [
        "A row for each attribute vector: the mean change of each attribute when the vector is added to z / subtracted "
        "from z, in standard deviations of the attribute."
    ]
    if without := result.figures.latent.attributes_without:
        notes.append(f"Without a vector, because all windows have the same value: {', '.join(map(_words, without))}.")
    columns = ("vector", *(_words(name) for name in names))
    meaning = "Bold: the attribute that the vector was made for."
    return Table("Attribute vectors", columns, tuple(rows), tuple(notes), bold=frozenset(bold), bold_meaning=meaning)


def _words(key: str) -> str:
    return key.replace("_", " ")

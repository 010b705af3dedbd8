"""The tables of an evaluation: runs beside each other, and everything about one run."""

from __future__ import annotations

from typing import Any

from gmd_vae.evaluation.tables.formats import Table, estimate, number, text
from gmd_vae.evaluation.tables.groove import velocities_and_timing
from gmd_vae.evaluation.tables.overview import BASELINES, DECODING, INTERVALS, MODELS, Result, of, overview, run_names

__all__ = ["details", "overview"]

_SHARES = {
    "steps_right": "steps right",
    "hits_f1": "hits F1",
    "notes_f1": "notes F1",
    "same_program_f1": "the same,\nsame program",
    "programs_f1": "programs F1",
    "ends_right": "ends right",
    "windows_right": "windows right",
}


def details(result: Result) -> list[Table]:
    """Everything about one run: what was evaluated, likelihood, accuracy, novelty, distributions, latent space.

    A part that the result does not have has no table.
    """
    parts = (
        _about(result),
        _likelihood(result),
        _accuracy(result),
        _kinds(result),
        _bars(result),
        _voices(result),
        _streams(result),
        velocities_and_timing(result),
        _novelty(result),
        _distribution(result),
        _latent(result),
        _style(result),
        _interpolation(result),
        _attributes(result),
    )
    return [table for table in parts if table is not None]


def _about(result: Result) -> Table:
    settings = of(result, "settings") or {}
    windows, run, config, step = run_names(result)
    checkpoint = f"{text(of(result, 'checkpoint', 'name'))} (step {step})"
    files = f"{windows} windows of {number(of(result, 'files'))} files, in {text(of(result, 'examples', 'folder'))}"
    training = of(result, "training", "windows")
    rows = {
        "run": run,
        "config": config,
        "checkpoint": checkpoint,
        "windows": files,
        "a window": _size(result),
        "training windows": f"{number(training)}, in {text(of(result, 'training', 'folder'))}",
        "in training too": f"{number(of(result, 'in_training'))} of these windows",
        "settings": ", ".join(f"{name.replace('_', ' ')} {text(value)}" for name, value in settings.items()),
    }
    return Table("What was evaluated", ("", ""), tuple(rows.items()), names=2)


def _size(result: Result) -> str:
    steps, of_bar = (of(result, key) for key in ("steps", "steps_per_bar"))
    return f"{number(steps)} steps, {number(of_bar)} a bar" if of_bar else f"up to {number(steps)} events"


def _likelihood(result: Result) -> Table | None:
    found = of(result, "likelihood")
    if not found:
        return None
    parts = of(found, "parts") or {}
    unit = "nats" if "importance_bound" in found else "Magenta's loss"
    figures = (
        ("reconstruction", f"{unit} a window", of(found, "reconstruction"), 1),
        *((f"of it, {name}", f"{unit} a window", figure, 1) for name, figure in parts.items()),
        ("reconstruction", f"{unit} a step", of(found, "reconstruction_per_step"), 3),
        ("KL divergence", "bits a window", of(found, "kl_bits"), 1),
        ("ELBO", "nats a window", of(found, "elbo"), 1),
        ("importance bound", "nats a window", of(found, "importance_bound"), 1),
    )
    rows = [(name, of_what, estimate(figure, digits)) for name, of_what, figure, digits in figures]
    if "importance_bound" in found:
        draws = number(of(result, "settings", "importance_samples"))
        note = f"{INTERVALS} Importance bound: {draws} draws of z a window."
    else:
        note = f"{INTERVALS} The loss adds squared errors to nats: no likelihood, and the ELBO is no bound of one."
    return Table("Likelihood", ("figure", "unit", "value"), tuple(rows), (note,), names=2)


def _accuracy(result: Result) -> Table | None:
    found = _predictions(result)
    shares = [share for share in _SHARES if any(of(result, "reconstruction", key, share) for key in found)]
    rows = [
        (title, *(estimate(of(result, "reconstruction", key, share), 3) for share in shares))
        for key, title in found.items()
    ]
    columns = ("", *(_SHARES[share] for share in shares))
    models = sum(key in MODELS for key in found)
    notes = (INTERVALS, DECODING)
    return Table("Accuracy", columns, tuple(rows), notes, lines=frozenset({models} - {0})) if rows else None


def _kinds(result: Result) -> Table | None:
    """Multitrack: events right, by kind."""
    found = _predictions(result)
    kinds = list(of(result, "reconstruction", "teacher_forced", "kinds") or ())
    rows = [
        (title, *(estimate(of(result, "reconstruction", key, "kinds", kind), 3) for kind in kinds))
        for key, title in found.items()
    ]
    notes = (f"{INTERVALS} Events are compared place by place: one too many moves all that follow in its track.",)
    return Table("Events right, by kind", ("", *kinds), tuple(rows), notes) if kinds else None


def _bars(result: Result) -> Table | None:
    found = _predictions(result)
    bars = max((len(of(result, "reconstruction", key, "bars") or ()) for key in found), default=0)
    rows = [
        (str(bar + 1), *(estimate(of(result, "reconstruction", key, "bars", bar), 3) for key in found))
        for bar in range(bars)
    ]
    return Table("Steps right, by bar", ("bar", *found.values()), tuple(rows), (INTERVALS,)) if rows else None


def _voices(result: Result) -> Table | None:
    free, teacher = (of(result, "reconstruction", key, "voices") for key in ("free_running", "teacher_forced"))
    if not free:
        return None
    rows = [
        (
            text(of(result, "voices", voice)),
            number(of(figures, "hits")),
            *(estimate(of(figures, key), 3) for key in ("precision", "recall", "f1")),
            estimate(of(teacher, voice, "f1"), 3),
        )
        for voice, figures in enumerate(free)
    ]
    columns = ("voice", "hits", "precision", "recall", "F1", "F1\nteacher-forced")
    return Table("Voices, free-running", columns, tuple(rows), (INTERVALS,))


def _streams(result: Result) -> Table | None:
    """Melody, bass and drums, each for itself."""
    found = _predictions(result)
    figures = ("steps_right", "events_right", "notes_f1")
    rows: list[tuple[str, ...]] = []
    lines = set()
    for stream in of(result, "reconstruction", "free_running", "streams") or ():
        lines.add(len(rows))
        for key, title in found.items():
            values = (of(result, "reconstruction", key, "streams", stream, figure) for figure in figures)
            rows.append((stream, title, *(estimate(value, 3) for value in values)))
    notes = (f"{INTERVALS} With events: those of the true steps at which a note or a drum begins, or a note ends.",)
    columns = ("stream", "", "steps right", "steps with\nevents right", "notes F1")
    return Table("Streams", columns, tuple(rows), notes, names=2, lines=frozenset(lines - {0})) if rows else None


def _novelty(result: Result) -> Table | None:
    sets = [of(result, "novelty", key) for key in ("samples", "held_out")]
    if not any(sets):
        return None
    rows = [("windows", *(number(of(found, "samples")) for found in sets))]
    for name, key in (("distinct", "distinct"), ("copies of a training window", "copies")):
        rows.append((name, *(estimate(of(found, key), 3) for found in sets)))
    spread = (
        ("least", "minimum", 0),
        ("first quartile", "quarter", 1),
        ("median", "median", 1),
        ("third quartile", "three_quarters", 1),
        ("most", "maximum", 0),
        ("mean", "mean", 1),
    )
    whats = [what for what in ("steps", "hits") if any(of(found, what) for found in sets)]
    for what in whats:
        for title, key, digits in spread:
            rows.append((f"{what} that differ, {title}", *(number(of(found, what, key), digits) for found in sets)))
    notes = (
        "Each window beside the nearest training window: the one with the fewest steps that differ. In brackets: "
        "95 % intervals (Wilson), too narrow for held-out windows, which overlap.",
    )
    columns = ("", "samples", "held-out windows")
    return Table("Novelty", columns, tuple(rows), notes, lines=frozenset({3, 3 + len(spread)} - {len(rows)}))


def _distribution(result: Result) -> Table | None:
    features = of(result, "distribution")
    if not features:
        return None
    figures = [(key, which) for key in ("overlap", "kl_divergence") for which in ("samples", "training")]
    figures += [("inter", "samples"), ("intra_samples", "samples"), ("intra_reference", "samples")]
    rows = [
        (_words(name), *(number(of(found, which, key), 3) for key, which in figures))
        for name, found in features.items()
    ]
    columns = ("feature", "overlap\nsamples", "overlap\ntraining", "KL, nats\nsamples", "KL, nats\ntraining")
    distances = ("distance\nsamples to held-out", "distance\namong samples", "distance\namong held-out")
    notes = (
        "Samples and training windows, each beside the held-out windows (Yang & Lerch 2020): overlap 1 and KL 0 "
        "are the best; training windows show what real music reaches.",
    )
    return Table("Distributions", (*columns, *distances), tuple(rows), notes)


def _latent(result: Result) -> Table | None:
    activity = of(result, "latent", "activity")
    if not activity:
        return None
    rows = (
        ("active dimensions", f"{number(of(activity, 'active'))} of {number(of(activity, 'size'))}"),
        ("posterior collapse", "yes" if of(activity, "collapsed") else "no"),
    )
    return Table("Latent space", ("", ""), rows)


def _style(result: Result) -> Table | None:
    found, reason = (of(result, "latent", key) for key in ("decodability", "decodability_reason"))
    if not found:
        return Table("Style from z", ("", ""), (("not measured", reason),), names=2) if reason else None
    rows = [
        (name, *(estimate(of(found, prefix + key), 3) for key in ("accuracy", "balanced_accuracy")))
        for name, prefix in (
            ("linear classifier", ""),
            ("the same, trained on shuffled styles", "shuffled_"),
            ("always the commonest style", "majority_"),
        )
    ]
    learned = f"{number(of(found, 'training_windows'))} windows of {number(of(found, 'training_files'))} files"
    tested = f"{number(of(found, 'windows'))} windows of {number(of(found, 'files'))} files"
    notes = [
        f"{INTERVALS} Balanced: each style weighs the same.",
        f"Learned on {learned}, tested on {tested}. Styles: {', '.join(of(found, 'styles') or ())}.",
    ]
    if left_out := of(found, "left_out"):
        notes.append(f"In one split only, and left out: {', '.join(left_out)}.")
    return Table("Style from z", ("", "accuracy", "balanced accuracy"), tuple(rows), tuple(notes))


def _interpolation(result: Result) -> Table | None:
    curves = [of(result, "latent", "interpolation", key) for key in ("latent", "data")]
    points = max((len(of(curve, "mean") or ()) for curve in curves), default=0)
    if not points:
        return None

    def shown(curve: Any, point: int) -> str:
        value, low, high = (of(curve, key, point) for key in ("mean", "low", "high"))
        return estimate({"value": value, "low": low, "high": high}, 3)

    rows = [
        (number(point / max(1, points - 1), 2), *(shown(curve, point) for curve in curves)) for point in range(points)
    ]
    pairs, left_out = (number(of(result, "latent", "interpolation", "latent", key)) for key in ("pairs", "left_out"))
    notes = (
        f"Distance from the first window, in units of the distance between both: means over {pairs} pairs "
        f"({left_out} pairs of equal windows left out), with 95 % intervals.",
    )
    return Table("Interpolation", ("way", "latent space", "mixed steps"), tuple(rows), notes)


def _attributes(result: Result) -> Table | None:
    vectors = of(result, "latent", "attributes")
    if not vectors:
        return None
    names = list(dict.fromkeys(name for changes in vectors.values() for name in changes))
    rows, bold = [], set()
    for row, (vector, changes) in enumerate(vectors.items()):
        bold |= {(row, 1 + column) for column, name in enumerate(names) if name == vector}
        pairs = [[number(of(changes, name, key), 2, signed=True) for key in ("added", "removed")] for name in names]
        rows.append((_words(vector), *(" / ".join(pair) for pair in pairs)))
    without = of(result, "latent", "attributes_without") or ()
    notes = [
        "A row for each attribute vector: the mean change of each attribute when it is added to z / taken from z, "
        "in standard deviations of the attribute. Bold: the attribute that the vector is for."
    ]
    if without:
        notes.append(f"Without a vector, being the same in all windows: {', '.join(map(_words, without))}.")
    columns = ("vector", *(_words(name) for name in names))
    return Table("Attribute vectors", columns, tuple(rows), tuple(notes), bold=frozenset(bold))


def _predictions(result: Result) -> dict[str, str]:
    """Those that the result has, models first: key → title."""
    return {key: title for key, title in {**MODELS, **BASELINES}.items() if of(result, "reconstruction", key)}


def _words(key: str) -> str:
    return key.replace("_", " ")

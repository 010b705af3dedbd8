"""The tables and figures of the documentation as text, from ``docs/figures.json`` and the cards of bundled models.

``figures.py`` measures them, and writes them into the pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.tables.formats import estimate, number
from gmd_vae.models.card import HeldOut, HeldOutFigure

SPLITS = ("train", "validation", "test")
ACCURACIES = (figures.STEP_ACCURACY, figures.CELL_ACCURACY, figures.ACCURACY_DROP)
SAMPLE_FIGURES = (figures.REPEATED_STEPS, figures.HITS_PER_BAR, figures.SILENT_STEPS, figures.AUC_ABOVE_TRAINING)

Cards = dict[str, HeldOut]  # by model
Store = dict[str, Any]


def contents(store: Store, of_models: Cards) -> dict[str, str]:
    """Returns what stands between the comments, by name."""
    held_out = of_models["groove-4bar"]
    groove, humanizer = held_out.figures, of_models["humanize-2bar"].figures
    train = store["runs"]["make train"]
    baselines = store["baselines"]

    def percent(value: Any) -> str:
        return f"{_value(value):.1%}"

    return {
        "windows": _table(("split", "files", "windows found", "distinct", "written"), _window_rows(store)),
        "default config": _table(
            ("", "teacher-forced", "free-running", "cells, free-running", "last bar minus first", "ELBO", "KL bits"),
            _default_rows(store, groove),
        ),
        "step accuracy": _table(("", "step accuracy, free-running"), _accuracy_rows(store, groove)),
        "gaps": _table(("", "teacher-forced", "free-running", "gap"), _gap_rows(store, groove)),
        "samples": _table(
            (
                "samples",
                "steps repeated",
                "hits a bar",
                "silent steps",
                "two-sample AUC",
                "nearest training window, median",
                "copies",
            ),
            _sample_rows(held_out),
        ),
        "seeds": _table(
            (
                "",
                "seeds",
                "teacher-forced",
                "free-running",
                "gap",
                "samples at",
                "steps repeated",
                "hits a bar",
                "silent steps",
                "AUC above training",
            ),
            _seed_rows(store["seeds"]),
        ),
        "humanizers": _table(
            ("", "timing, mean error", "velocity, mean squared error (0 to 1)", "KL timing", "KL velocity"),
            _humanizer_rows(store, humanizer),
        ),
        "origin": _origin_in_words(store),
        "make train, teacher-forced": percent(train["teacher_forced"]["step_accuracy"]),
        "make train, free-running": percent(train["free_running"]["step_accuracy"]),
        "copied bar": percent(baselines["previous_bar"]["step_accuracy"]),
        "nearest training window": percent(baselines["nearest_training"]["step_accuracy"]),
        "copies, samples_usual": percent(groove["novelty.samples_usual"]["copies"]),
        "groove-4bar, free-running": percent(groove["reconstruction.free_running"]["step_accuracy"]),
        **{
            f"steps repeated, {name}": percent(groove[f"window_sets.{name}"]["repeated_steps"])
            for name in ("samples", "samples_usual", "samples_normal", "samples_usual_normal", "held_out")
        },
        **{
            f"timing, {name}": f"{_value(humanizer[f'groove.answers.{name}']['timing_mae_ms']):.1f} ms"
            for name in ("hits_given", "as_usual")
        },
    }


def _origin_in_words(store: Store) -> str:
    measured = store["measured"]
    commit = str(measured.get("commit", measured["version"]))[:7] + ("" if measured.get("clean", True) else ", changed")
    return (
        f"Baselines and windows: `make figures` at commit {commit} "
        f"({measured['machine']}; bootstrap of {measured['resamples']:,} draws, seed {measured['seed']})."
    )


def _window_rows(store: Store) -> list[tuple[str, ...]]:
    return [(split, *(f"{count:,}" for count in store["windows"][split].values())) for split in SPLITS]


def _default_rows(store: Store, groove: dict[str, dict[str, HeldOutFigure]]) -> list[tuple[str, ...]]:
    """Returns the models, then the baselines."""
    free = groove["reconstruction.free_running"]
    rows = [
        _model_row(
            "`groove-4bar`, the model of the package",
            groove["reconstruction.teacher_forced"]["step_accuracy"],
            {**free, "accuracy_drop": store["runs"]["groove-4bar"]["free_running"]["accuracy_drop"]},
            groove["likelihood"],
        )
    ]
    for name, title in (("version 0.13.0", "that of version 0.13.0"), ("make train", "`make train`")):
        run = store["runs"][name]
        rows.append(_model_row(title, run["teacher_forced"]["step_accuracy"], run["free_running"], run["likelihood"]))
    titles = {
        "nearest_training": "*nearest training window*",
        "previous_bar": "*the previous bar, copied*",
        "most_frequent_step": "*silence, and the most frequent step*",
    }
    for name, title in titles.items():
        rows.append((title, "", *_accuracies(store["baselines"][name]), "", ""))
    return rows


def _accuracy_rows(store: Store, groove: dict[str, dict[str, HeldOutFigure]]) -> list[tuple[str, ...]]:
    """Returns the models and the baselines with their free-running step accuracy."""
    rows = {
        "**the model of the package**, `groove-4bar`": groove["reconstruction.free_running"],
        "the same config, as `make train` trains it": store["runs"]["make train"]["free_running"],
        "*the nearest training window*": store["baselines"]["nearest_training"],
        "*the bar before, copied*": store["baselines"]["previous_bar"],
        "*silence*": store["baselines"]["silence"],
    }
    return [(title, _cell(figures_of["step_accuracy"], 3)) for title, figures_of in rows.items()]


def _gap_rows(store: Store, groove: dict[str, dict[str, HeldOutFigure]]) -> list[tuple[str, ...]]:
    """Returns the models with both accuracies and their difference."""
    train = store["runs"]["make train"]
    pairs = {
        "the default, as `make train` trains it": (train["teacher_forced"], train["free_running"]),
        "the model of the package": (groove["reconstruction.teacher_forced"], groove["reconstruction.free_running"]),
    }
    rows = []
    for title, (forced, free) in pairs.items():
        values = [_value(part["step_accuracy"]) for part in (forced, free)]
        rows.append((title, *(number(value, 3) for value in (*values, values[0] - values[1]))))
    return rows


def _seed_rows(seeds: Store) -> list[tuple[str, ...]]:
    """Returns the mean and the extremes over the seeds of each set of runs; samples in a row for each temperature."""
    titles = {
        "groove-4bar": "`groove-4bar`",
        "groove-4bar, cosine": "`groove-4bar` until version 0.22",
        "make train": "`make train`",
    }
    rows = []
    for name, title in titles.items():
        runs = sorted(seeds[name], key=lambda run: run["trained"]["seed"])
        pairs = [[_value(run[part]["step_accuracy"]) for part in ("teacher_forced", "free_running")] for run in runs]
        columns = [*zip(*pairs, strict=True), [forced - free for forced, free in pairs]]
        trained = ", ".join(str(run["trained"]["seed"]) for run in runs)
        first = (title, trained, *(_spread(column, 3) for column in columns))
        for key in ("samples", "samples_usual"):
            (temperature,) = {run["temperatures"][key] for run in runs}
            cells = [
                _spread([_value(run["samples"][key][figure.json_key]) for run in runs], figure.digits)
                for figure in SAMPLE_FIGURES
            ]
            rows.append((*first, f"{temperature:g}", *cells))
            first = ("",) * len(first)
    return rows


def _spread(values: Sequence[float], digits: int) -> str:
    """Formats mean, lowest and highest of the seeds."""
    mean, low, high = (number(value, digits) for value in (sum(values) / len(values), min(values), max(values)))
    return f"{mean} ({low} to {high})"


def _model_row(title: str, teacher_forced: Any, free_running: Any, likelihood: Any) -> tuple[str, ...]:
    parts = (
        _cell(likelihood[figure.name], figure.digits, interval=False) for figure in (figures.ELBO, figures.KL_BITS)
    )
    return (title, _cell(teacher_forced, 3), *_accuracies(free_running), *parts)


def _accuracies(prediction: Any) -> tuple[str, ...]:
    return tuple(
        _cell(prediction[figure.name], figure.digits, interval=figure is not figures.CELL_ACCURACY)
        for figure in ACCURACIES
    )


def _sample_rows(held_out: HeldOut) -> list[tuple[str, ...]]:
    groove, usual = held_out.figures, held_out.usual_temperature
    titles = {
        "samples": "fitted prior, temperature 1",
        "samples_usual": f"fitted prior, temperature {usual:g}",
        "samples_normal": "N(0, I), temperature 1",
        "samples_usual_normal": f"N(0, I), temperature {usual:g}",
        "held_out": "*test windows*",
        "training": "*training windows*",
    }
    columns = ((figures.REPEATED_STEPS, True), (figures.HITS_PER_BAR, False), (figures.SILENT_STEPS, False))
    rows = []
    for name, title in titles.items():
        part = groove[f"window_sets.{name}"]
        median = groove.get(f"novelty.{name}.steps", {}).get("median")
        cells = [_cell(part[figure.name], figure.digits, interval=interval) for figure, interval in columns]
        auc = _cell(part["auc"], figures.AUC.digits) if "auc" in part else ""
        copies = groove.get(f"novelty.{name}", {}).get("copies")
        shares = ("" if median is None else number(median.value), "" if copies is None else f"{copies.value:.1%}")
        rows.append((title, *cells, auc, *shares))
    return rows


def _humanizer_rows(store: Store, humanizer: dict[str, dict[str, HeldOutFigure]]) -> list[tuple[str, ...]]:
    titles = {
        "hits_given": "**`humanize-2bar`**",
        "boosted": "gradient boosting",
        "as_usual": "mean of the drum class at that sixteenth",
        "by_dice": "random training hits",
        "on_the_grid": "on the grid, mean velocity",
    }
    of_names = {title: humanizer[f"groove.answers.{name}"] for name, title in titles.items()}
    rows = [(title, *_errors(errors)) for title, errors in of_names.items()]
    rows.insert(
        1, ("`groovae_2bar_humanize_small`, 8,100 steps", *_errors(store["runs"]["groovae_2bar_humanize_small"]))
    )
    return rows


def _errors(errors: Any) -> tuple[str, ...]:
    value, _, interval = _cell(errors["timing_mae_ms"], 1).partition(" ")
    shares = (errors[figure.name] for figure in (figures.TIMING_KL, figures.VELOCITY_KL))
    kls = (number(_value(share), 2 if _value(share) < 1 else 1) for share in shares)
    return (f"{value} ms {interval}".strip(), _cell(errors["velocity_mse"], 3), *kls)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(re.sub(r"  +", " ", f"| {' | '.join(line)} |") for line in lines)


def _cell(figure: Any, digits: int, *, interval: bool = True) -> str:
    """Formats a figure of a card or of the store."""
    value, low, high = (
        (figure.value, figure.low, figure.high)
        if isinstance(figure, HeldOutFigure)
        else (figure["value"], figure.get("low"), figure.get("high"))
    )
    if not interval or low is None or high is None:
        return number(value, digits)
    return estimate(Estimate(value, low, high), digits)


def _value(figure: Any) -> float:
    return float(figure.value if isinstance(figure, HeldOutFigure) else figure["value"])

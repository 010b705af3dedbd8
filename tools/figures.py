"""Measures the figures of the documentation, and writes or checks the tables that hold them.

A table, or a single figure in a sentence, stands between two comments of a page: ``<!-- figures: NAME -->`` and
``<!-- end -->``. What is between them follows from

- the cards of the models in the package, whose trainings take hours (`make weights`);
- ``docs/figures.json``: windows and baselines, which this tool measures in a minute, and the results of trained runs,
  each with its commit, seed and machine.

    make figures                                           # measures windows and baselines, and writes the pages
    python tools/figures.py --run "make train" runs/NAME   # takes over the result of a run that `evaluate` has measured
    python tools/figures.py --check                        # exit status 1 if a page has another figure; quick
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common import machine, manifest
from gmd_vae.common.code_state import code_state
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import read_json
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.evaluation import figures, json_form
from gmd_vae.evaluation.measure.drum_labels import compare_predictions
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler
from gmd_vae.evaluation.settings import Settings
from gmd_vae.evaluation.tables.formats import estimate, number
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.card import HeldOutFigure
from gmd_vae.models.model_file import read_model
from gmd_vae.windows.label_windows import load_windows
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest

ROOT = Path(__file__).parent.parent
PAGES = tuple(
    ROOT / name
    for name in (
        *("README.md", "docs/data.md", "docs/evaluation.md", "docs/first-model.md", "docs/musicvae.md"),
        "docs/systems.md",
    )
)
STORE = ROOT / "docs" / "figures.json"
BLOCK = re.compile(r"(<!-- figures: ([^>]+?) -->)(.*?)(<!-- end -->)", re.DOTALL)

_SPLITS = ("train", "validation", "test")
_ACCURACIES = (figures.STEP_ACCURACY, figures.CELL_ACCURACY, figures.ACCURACY_DROP)
_USUAL = 0.5  # temperature of the cards' second set of samples: that of generate when they were measured

Cards = dict[str, dict[str, dict[str, HeldOutFigure]]]
Store = dict[str, Any]


def measure(notes: Path, examples: Path) -> Store:
    """Returns the counts of windows and the baselines of the test split, with what they follow from.

    Args:
        notes: NoteSequences of the Groove MIDI Dataset.
        examples: Windows of the default config, cut from them.
    """
    config = get_config(DEFAULT_CONFIG)
    read_examples_manifest(examples)  # raises if it is damaged
    cut, converted = (
        manifest.read(folder, stage, "") for folder, stage in ((examples, "preprocess"), (notes, "convert"))
    )
    if cut["config"] != config.name:
        raise GmdVaeError(f"'{examples}' holds windows of '{cut['config']}', not of '{config.name}'")
    counts = {
        name: {
            "files": converted["splits"][name]["files"],
            **{key: cut["splits"][name][key] for key in ("windows", "distinct", "examples")},
        }
        for name in _SPLITS
    }
    test, training = load_windows(examples, "test"), load_windows(examples, "train")
    settings = Settings()
    resampler = FileResampler(test.files, settings.resamples, settings.seed)
    compared = compare_predictions({}, test.labels, training.labels, config.drum_windows, resampler)
    baselines = {
        name: {figure.name: json_form.to_json(figure.read(each)) for figure in _ACCURACIES}
        for name, each in compared.items()
    }
    return {
        "measured": {**_origin(), "config": config.name, "seed": settings.seed, "resamples": settings.resamples},
        "windows": counts,
        "test_files": resampler.files,
        "baselines": baselines,
    }


def of_run(run: Path) -> dict[str, Any]:
    """Returns the figures of a run's newest result on the test split, with commit, seed and device of the training.

    Raises:
        SystemExit: The run was not evaluated.
    """
    results = sorted(run.glob("eval/test-*/result.json"), key=lambda path: path.stat().st_mtime)
    if not results:
        raise SystemExit(f"'{run}' has no result: run 'gmd-vae evaluate {run}' first.")
    result = read_json(results[-1], dict[str, Any], "")
    described = read_json(run / "run.json", dict[str, Any], "")
    code, starts = described.get("code", {}), described.get("starts", [])
    predictions = result["reconstruction"]
    return {
        "trained": {
            "commit": code.get("commit"),
            "clean": code.get("clean"),
            "version": described["versions"]["gmd-vae"],
            "seed": described["seed"],
            "device": starts[-1]["device"] if starts else None,
        },
        "teacher_forced": {"step_accuracy": predictions["teacher_forced"]["steps_right"]},
        "free_running": {figure.name: predictions["free_running"][figure.json_key] for figure in _ACCURACIES},
        "likelihood": {key: result["likelihood"][key] for key in ("elbo", "kl_bits")},
    }


def cards() -> Cards:
    """Returns the held-out figures of the package's models, by model, place and figure."""
    found = {}
    for name, path in bundled_models().items():
        held = read_model(path).card.held_out
        if held is None:
            raise SystemExit(f"The card of '{name}' has no held-out figures.")
        found[name] = dict(held.figures)
    return found


def contents(store: Store, of_models: Cards) -> dict[str, str]:
    """Returns what stands between the comments, by name."""
    groove = of_models["groove-4bar"]
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
            ),
            _sample_rows(groove),
        ),
        "humanizers": _table(
            ("", "timing, mean error", "velocity, mean squared error (0 to 1)", "KL timing", "KL velocity"),
            _humanizer_rows(store, of_models["humanize-2bar"]),
        ),
        "origin": _origin_in_words(store),
        "make train, teacher-forced": percent(train["teacher_forced"]["step_accuracy"]),
        "make train, free-running": percent(train["free_running"]["step_accuracy"]),
        "copied bar": percent(baselines["previous_bar"]["step_accuracy"]),
        "nearest training window": percent(baselines["nearest_training"]["step_accuracy"]),
        "groove-4bar, free-running": percent(groove["reconstruction.free_running"]["step_accuracy"]),
        **{
            f"steps repeated, {name}": percent(groove[f"window_sets.{name}"]["repeated_steps"])
            for name in ("samples", "samples_normal", "held_out")
        },
        **{
            f"timing, {name}": f"{_value(of_models['humanize-2bar'][f'groove.answers.{name}']['timing_mae_ms']):.1f} ms"
            for name in ("hits_given", "as_usual")
        },
    }


def apply(text: str, wanted: dict[str, str]) -> str:
    """Returns a page with what follows from the results between its comments.

    Raises:
        KeyError: A comment names something unknown.
    """

    def replace(match: re.Match[str]) -> str:
        content = wanted[match[2]]
        return f"{match[1]}\n\n{content}\n\n{match[4]}" if "\n" in content else f"{match[1]}{content}{match[4]}"

    return BLOCK.sub(replace, text)


def check(pages: Sequence[Path], wanted: dict[str, str]) -> list[str]:
    """Returns a line for each place whose content is another than that of the results."""
    wrong = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        if (opened := text.count("<!-- figures:")) != (closed := len(BLOCK.findall(text))):
            wrong.append(f"{page.name}: of {opened} places {closed} have an end")
        for match in BLOCK.finditer(text):
            if match[2] not in wanted:
                wrong.append(f"{page.name}: there are no figures '{match[2]}'")
            elif match[0] != apply(match[0], wanted):
                wrong.append(f"{page.name}: '{match[2]}' differs from the results")
    return wrong


def main() -> int:
    """Runs the tool; returns 1 if a checked page has another figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing, and say what differs")
    parser.add_argument("--notes", type=Path, help="NoteSequences of the Groove MIDI Dataset, to measure")
    parser.add_argument("--examples", type=Path, help="windows of the default config, cut from them")
    parser.add_argument(
        "--run", nargs=2, action="append", default=[], metavar=("NAME", "FOLDER"), help="an evaluated run"
    )
    options = parser.parse_args()
    store: Store = json.loads(STORE.read_text(encoding="utf-8"))
    if options.check:
        wrong = check(PAGES, contents(store, cards()))
        for line in wrong:
            print(line)
        return int(bool(wrong))
    try:
        if options.notes and options.examples:
            store |= measure(options.notes, options.examples)
        for name, folder in options.run:
            store["runs"][name] = of_run(Path(folder))
    except GmdVaeError as error:
        raise SystemExit(str(error)) from None
    manifest.write_json(STORE, store)
    wanted = contents(store, cards())
    for page in PAGES:
        page.write_text(apply(page.read_text(encoding="utf-8"), wanted), encoding="utf-8")
    print(f"Windows and baselines: {'measured' if options.notes else 'as before'}, in {STORE.relative_to(ROOT)}")
    for name in bundled_models():
        print(f"{name}: from its card; 'make weights MODELS={name}' trains it anew, in hours")
    for name, run in store["runs"].items():
        print(f'{name}: {run.get("taken_from") or "from the result of a run"}; --run "{name}" FOLDER takes a new one')
    return 0


def _origin() -> dict[str, Any]:
    """Returns commit and machine."""
    cpu = machine.cpu([])
    return {
        **code_state(),
        "machine": f"{machine.usable_cores()} cores, {cpu['model']}",
        "python": platform.python_version(),
    }


def _origin_in_words(store: Store) -> str:
    measured = store["measured"]
    commit = str(measured.get("commit", measured["version"]))[:7] + ("" if measured.get("clean", True) else ", changed")
    return (
        f"Baselines and windows: `make figures` at commit {commit} "
        f"({measured['machine']}; bootstrap of {measured['resamples']:,} draws, seed {measured['seed']})."
    )


def _window_rows(store: Store) -> list[tuple[str, ...]]:
    return [(split, *(f"{count:,}" for count in store["windows"][split].values())) for split in _SPLITS]


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


def _model_row(title: str, teacher_forced: Any, free_running: Any, likelihood: Any) -> tuple[str, ...]:
    parts = (
        _cell(likelihood[figure.name], figure.digits, interval=False) for figure in (figures.ELBO, figures.KL_BITS)
    )
    return (title, _cell(teacher_forced, 3), *_accuracies(free_running), *parts)


def _accuracies(prediction: Any) -> tuple[str, ...]:
    return tuple(
        _cell(prediction[figure.name], figure.digits, interval=figure is not figures.CELL_ACCURACY)
        for figure in _ACCURACIES
    )


def _sample_rows(groove: dict[str, dict[str, HeldOutFigure]]) -> list[tuple[str, ...]]:
    titles = {
        "samples": "fitted prior, temperature 1",
        "samples_usual": f"fitted prior, temperature {_USUAL:g}",
        "samples_normal": "N(0, I), temperature 1",
        "samples_usual_normal": f"N(0, I), temperature {_USUAL:g}",
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
        rows.append((title, *cells, auc, "" if median is None else number(median.value)))
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


if __name__ == "__main__":
    sys.exit(main())

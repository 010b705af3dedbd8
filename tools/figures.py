"""Measures the figures of the documentation, and writes or checks the tables that hold them.

A table, or a single figure in a sentence, stands between two comments of a page: ``<!-- figures: NAME -->`` and
``<!-- end -->``. What is between them follows from

- the cards of the models in the package, whose trainings take hours (`make weights`);
- ``docs/figures.json``: windows and baselines, which this tool measures in a minute, and the results of trained runs,
  each with its commit, seed and machine.

    make figures                                           # measures windows and baselines, and writes the pages
    python tools/figures.py --run "make train" runs/NAME   # takes over the result of a run that `evaluate` has measured
    python tools/figures.py --seeds "make train" runs/NAME-seed0 runs/NAME-seed1 runs/NAME-seed2
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

from figure_tables import ACCURACIES, SAMPLE_FIGURES, SPLITS, Cards, Store, contents
from gmd_vae.common import machine, manifest
from gmd_vae.common.code_state import code_state
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import read_json
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.evaluation import json_form
from gmd_vae.evaluation.measure.drum_labels import compare_predictions
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.settings import Settings
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.model_file import read_model
from gmd_vae.windows.label_windows import load_windows
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest

ROOT = Path(__file__).parent.parent
PAGES = tuple(
    ROOT / name
    for name in (
        *("README.md", "docs/data.md", "docs/evaluation.md", "docs/first-model.md", "docs/musicvae.md"),
        *("docs/systems.md", "docs/training.md"),
    )
)
STORE = ROOT / "docs" / "figures.json"
BLOCK = re.compile(r"(<!-- figures: ([^>]+?) -->)(.*?)(<!-- end -->)", re.DOTALL)


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
        for name in SPLITS
    }
    test, training = load_windows(examples, "test"), load_windows(examples, "train")
    settings = Settings()
    resampler = FileResampler(test.files, settings.resamples, settings.seed)
    compared = compare_predictions({}, test.labels, training.labels, config.drum_windows, resampler)
    baselines = {
        name: {figure.name: json_form.to_json(figure.read(each)) for figure in ACCURACIES}
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
    predictions, sets = result["reconstruction"], result["window_sets"]
    return {
        "trained": {
            "commit": code.get("commit"),
            "clean": code.get("clean"),
            "version": described["versions"]["gmd-vae"],
            "seed": described["seed"],
            "device": starts[-1]["device"] if starts else None,
        },
        "teacher_forced": {"step_accuracy": predictions["teacher_forced"]["steps_right"]},
        "free_running": {figure.name: predictions["free_running"][figure.json_key] for figure in ACCURACIES},
        "likelihood": {key: result["likelihood"][key] for key in ("elbo", "kl_bits")},
        "samples": {
            name: {figure.json_key: sets[name][figure.json_key] for figure in SAMPLE_FIGURES}
            for name in ("samples", "samples_usual")
        },
        "temperatures": {name: sets[name]["temperature"] for name in ("samples", "samples_usual")},
    }


def cards() -> Cards:
    """Returns the held-out figures of the package's models, by model."""
    found = {}
    for name, path in bundled_models().items():
        held = read_model(path).card.held_out
        if held is None:
            raise SystemExit(f"The card of '{name}' has no held-out figures.")
        found[name] = held
    return found


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
    parser.add_argument(
        "--seeds",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "FOLDER"),
        help="evaluated runs that differ in their seed alone; the first of them is also taken as by --run",
    )
    options = parser.parse_args()
    if any(len(set_of_runs) < 3 for set_of_runs in options.seeds):
        parser.error("--seeds takes a name and at least two folders")
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
        for name, *folders in options.seeds:
            store["seeds"][name] = [of_run(Path(folder)) for folder in folders]
            store["runs"][name] = store["seeds"][name][0]
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


if __name__ == "__main__":
    sys.exit(main())

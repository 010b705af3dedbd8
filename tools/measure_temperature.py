"""Measures samples of a drum model at several temperatures beside real music: the default temperature follows.

For each temperature: kick and snare of neighbouring bars (hits that both bars have, divided by the hits of either), the
same of all drums, hits a bar, the differing hits to the nearest training window, training windows among the samples,
and the AUC of a classifier that separates samples from the test split (docs/evaluation.md explains it). Beside them
stand the test split and the training split.

    python tools/measure_temperature.py groove-4bar --examples-path data/examples/groove/hierdec-drum_4bar_small
"""

from __future__ import annotations

import argparse
from pathlib import Path

import gmd_vae
import numpy as np
import numpy.typing as npt
from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.latent.space import choose_by_file
from gmd_vae.evaluation.measure.window_sets import Music, Samples, measure_window_sets
from gmd_vae.evaluation.metrics.contents import DrumContents
from gmd_vae.evaluation.metrics.novelty import measure_novelty
from gmd_vae.evaluation.result import WindowSet
from gmd_vae.evaluation.settings import Settings
from gmd_vae.windows.label_windows import load_windows

TEMPERATURES = (0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0)
BACKBEAT = 0b11  # kick and snare
_COLUMNS = ("kick and snare", "all drums", "hits a bar", "nearest training window", "training windows", "AUC")


def shared_with_bar_before(labels: Labels, steps_per_bar: int, drums: int = -1) -> float:
    """Returns the hits that neighbouring bars share, divided by the hits of either, over all pairs.

    Args:
        labels: Windows, ``[n, steps]``.
        steps_per_bar: Steps in a bar.
        drums: Bits of the drum classes that count; -1: all.
    """
    rows = np.asarray(labels, np.int64) & drums
    before, after = rows[:, :-steps_per_bar], rows[:, steps_per_bar:]
    return float(_hits(before & after) / _hits(before | after))


def _hits(labels: npt.NDArray[np.int64]) -> int:
    return int(np.bitwise_count(labels).sum())


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("model", help="A model of the package, a run folder or a model file.")
    parser.add_argument("--examples-path", type=Path, required=True, help="Windows of the model's config.")
    parser.add_argument("--temperatures", type=float, nargs="+", default=TEMPERATURES)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    training, test = (load_windows(options.examples_path, split) for split in ("train", "test"))
    with gmd_vae.load(options.model) as model:
        windows = model.config.drum_windows
        samples = {
            f"temperature {temperature:g}": Samples(
                np.array(
                    [one.labels for one in model.sample(options.samples, seed=options.seed, temperature=temperature)]
                ),
                temperature,
                "",
            )
            for temperature in options.temperatures
        }
    contents = DrumContents(len(windows.voice_names), windows.meter)
    settings = Settings(seed=options.seed, samples=options.samples, resamples=200)
    sets = measure_window_sets(
        samples, Music(test.labels, test.files), Music(training.labels, training.files), contents, settings
    )
    chosen = {name: part.labels for name, part in samples.items()}
    chosen["held_out"] = test.labels[choose_by_file(test.files, options.samples, options.seed)]
    print(f"| {options.model} | {' | '.join(_COLUMNS)} |\n| --- |{' --- |' * len(_COLUMNS)}")
    for name, labels in chosen.items():
        novelty = measure_novelty(labels, training.labels, contents.bits)
        near = "" if novelty.hits is None else f"{novelty.hits.median:.0f} hits"
        print(
            _row(
                name.replace("held_out", "test split"),
                labels,
                sets[name],
                near,
                f"{novelty.copies.value:.1%}",
                windows.steps_per_bar,
            )
        )
    print(_row("training split", training.labels, sets["training"], "", "", windows.steps_per_bar))


def _row(name: str, labels: Labels, figures: WindowSet, near: str, copies: str, steps_per_bar: int) -> str:
    backbeat, every = (shared_with_bar_before(labels, steps_per_bar, drums) for drums in (BACKBEAT, -1))
    auc = "" if figures.auc is None else f"{figures.auc.value:.2f}"
    return f"| {name} | {backbeat:.2f} | {every:.2f} | {figures.hits_per_bar.value:.1f} | {near} | {copies} | {auc} |"


if __name__ == "__main__":
    main()

"""Measures continuations of real grooves beside what the drummers played: the walk of ``--mode continue`` follows.

The inputs are four bars of performances of GMD's test split in 4/4; 16 bars follow them, as played and by ``gmd-vae
generate --mode continue``. For both it measures the hits that two bars share, divided by the hits of either:
neighbouring bars within a window of the model, neighbouring bars of two windows, and the bars of each window beside
those of the input.

    python tools/measure_continuations.py --archive groove-v1.0.0-midionly.zip
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gmd_vae.api.music import input_windows
from gmd_vae.common import temperatures
from gmd_vae.configuration.layers import ACCELERATED
from gmd_vae.generation.compose import compose
from gmd_vae.generation.find_model import find_model
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.request import CONTINUE, GenerationRequest
from gmd_vae.midi.convert import convert
from gmd_vae.midi.reading import EVERY_HIT, STOCK
from measure_feel import read_hits
from measure_playing import SPLIT, labels_of

Labels = npt.NDArray[np.int64]  # [performances, bars, steps]

STEPS_PER_BAR = 16
WINDOW, FOLLOWING = 4, 16  # bars
MOST_OF_A_PERFORMANCE = 4  # long ones would outweigh the others
DRIFTS = (0.0, 0.2, 0.4, 0.6, 1.0)
_BACKBEAT, _ALL = 0b11, -1
_COLUMNS = ("within a window", "from window to window", *(f"input and window {n}" for n in range(1, 5)), "hits a bar")


def real_performances(archive: Path) -> Labels:
    """Returns stretches of the test split, of an input and the bars that follow it."""
    with tempfile.TemporaryDirectory() as folder:
        notes = convert(archive, Path(folder) / "notes", reading=STOCK)
        performances = read_hits(notes.output_dir / f"{SPLIT}.tfrecord")
    steps = (WINDOW + FOLLOWING) * STEPS_PER_BAR
    found = []
    for number in range(len(performances.sessions)):
        labels = labels_of(performances.hits, number)
        found += [labels[at : at + steps] for at in range(0, len(labels) - steps + 1, steps)][:MOST_OF_A_PERFORMANCE]
    return np.array(found).reshape(len(found), -1, STEPS_PER_BAR)


def continuations(model: str, real: Labels, drift: float, temperature: float, seed: int) -> Labels:
    """Returns the inputs of real performances with the bars that a model plays after them."""
    found = []
    with find_model(model) as source, source.source.open(seed, ACCELERATED) as opened:
        config = source.source.config
        prior = None if source.source.density is None else "fitted"
        request = GenerationRequest(CONTINUE, 1, temperature, seed, bars=FOLLOWING, drift=drift, prior=prior)
        for one in real:
            windows = input_windows(one[:WINDOW].reshape(1, -1), config, EVERY_HIT)
            (decoded,) = compose(source.source, opened, request, GenerationInputs(windows)).windows
            found.append(np.concatenate([one[:WINDOW], np.concatenate(decoded).reshape(-1, STEPS_PER_BAR)]))
    return np.array(found, np.int64)


def figures(bars: Labels, drums: int) -> list[float]:
    """Returns the figures of ``_COLUMNS``; ``drums`` has the bits of the drum classes that count."""
    own = bars & drums
    after = np.arange(WINDOW, WINDOW + FOLLOWING)
    begins = after % WINDOW == 0
    shares = [_shared(own[:, after[~begins] - 1], own[:, after[~begins]])]
    shares += [_shared(own[:, after[begins] - 1], own[:, after[begins]])]
    windows = np.split(own, (WINDOW + FOLLOWING) // WINDOW, axis=1)
    shares += [_shared(windows[0], window) for window in windows[1:]]
    return [*shares, int(np.bitwise_count(own[:, after]).sum()) / (len(own) * FOLLOWING)]


def _shared(first: Labels, second: Labels) -> float:
    return float(np.bitwise_count(first & second).sum() / np.bitwise_count(first | second).sum())


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--archive", type=Path, required=True, help="Archive of the Groove MIDI Dataset.")
    parser.add_argument("--model", default="groove-4bar", help="A model of the package, a run folder or a model file.")
    parser.add_argument("--drifts", type=float, nargs="+", default=DRIFTS)
    parser.add_argument("--temperature", type=float, default=temperatures.DRUM_LABELS)
    parser.add_argument("--most", type=int, default=64, help="Performances, spread evenly over the split.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    real = real_performances(options.archive)
    real = real[np.unique(np.linspace(0, len(real) - 1, min(options.most, len(real))).astype(int))]
    played = {"the drummers": real}
    for drift in options.drifts:
        played[f"drift {drift:g}"] = continuations(options.model, real, drift, options.temperature, options.seed)
    for title, drums in (("kick and snare", _BACKBEAT), ("all drums", _ALL)):
        print(f"| {title} | {' | '.join(_COLUMNS)} |\n| --- |{' --- |' * len(_COLUMNS)}")
        for name, bars in played.items():
            *shares, hits = figures(bars, drums)
            print(f"| {name} | {' | '.join(f'{share:.2f}' for share in shares)} | {hits:.1f} |")
        print()
    print(f"{len(real)} performances of {WINDOW + FOLLOWING} bars (GMD, {SPLIT}), temperature {options.temperature:g}")


if __name__ == "__main__":
    main()

"""Measures ways to play drum hits beside the drummers of GMD's test split: the default of ``gmd-vae generate`` follows.

The ways: the measured feel (``feel.json``), the bundled GrooVAE ``humanize-2bar``, and velocity 80 on the grid. Each
plays the hits of the 4/4 performances of the test split, of which it is given nothing but the grid. Then it plays the
first beats of the bundled drum model. Errors are those of each hit; the distance is the Kullback-Leibler divergence of
all velocities, or offsets, from those of the drummers. Velocities stand on the common scale of ``measure_feel.py``, and
in brackets as they were recorded.

    python tools/measure_playing.py --archive groove-v1.0.0-midionly.zip
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gmd_vae
import numpy as np
import numpy.typing as npt
from gmd_vae.configuration.window_specs import CLASS_NAMES
from gmd_vae.evaluation.metrics.groove_errors import OFFSET_BINS, VELOCITY_BINS, kl_divergence
from gmd_vae.generation.performance.feel import PlayedHit, load_feel
from gmd_vae.generation.performance.playing import EVEN_VELOCITY, Drummer
from gmd_vae.midi.convert import convert
from gmd_vae.midi.reading import STOCK
from measure_feel import Hits, Performances, on_one_scale, read_hits

SPLIT = "test"
WAYS: dict[str, tuple[str, ...]] = {  # name → options of `gmd-vae generate`
    "measured feel": (),
    "humanize-2bar": ("--humanize", "humanize-2bar"),
    "velocity 80, on the grid": ("--velocity", str(EVEN_VELOCITY), "--quantize"),
}
BEATS = 64
RUNS = 5  # of the command, for the time to the first beat: the quickest counts
_SHOWN = ("kick", "snare", "closed hi-hat", "ride")


@dataclasses.dataclass(frozen=True)
class _Played:
    """Velocities and offsets of hits, float64 ``[n]`` each, in the order of the hits that were given."""

    velocity: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]


def labels_of(hits: Hits, performance: int) -> npt.NDArray[np.int64]:
    """Returns the labels of a performance, from its first bar line on."""
    own = hits[hits[:, 0] == performance]
    labels = np.zeros(int(own[:, 2].max()) + 1, np.int64)
    np.bitwise_or.at(labels, own[:, 2].astype(np.int64), 1 << own[:, 1].astype(np.int64))
    return labels


def play(way: str, labels: Sequence[npt.NDArray[np.int64]], seed: int) -> list[dict[tuple[int, int], PlayedHit]]:
    """Returns the hits of patterns by step and voice, played in one of ``WAYS``."""
    drummers: Sequence[Drummer]
    if way == "humanize-2bar":
        with gmd_vae.load("humanize-2bar") as model:
            drummers = model._humanizer().perform([pattern.tolist() for pattern in labels])
    elif way == "measured feel":
        drummers = [load_feel()] * len(labels)
    else:
        return [
            {
                (step, voice): PlayedHit(step, voice, EVEN_VELOCITY, 0.0)
                for step in range(len(one))
                for voice in range(9)
            }
            for one in labels
        ]
    return [
        {(hit.step, hit.voice): hit for hit in drummer.play(pattern.tolist(), seed, number)}
        for number, (drummer, pattern) in enumerate(zip(drummers, labels, strict=True))
    ]


def in_order(hits: Hits, played: Sequence[dict[tuple[int, int], PlayedHit]]) -> _Played:
    """Returns the played hits in the order of the given ones."""
    found = [played[int(performance)][int(step), int(voice)] for performance, voice, step in hits[:, :3]]
    return _Played(np.array([hit.velocity for hit in found], float), np.array([hit.offset for hit in found], float))


def distance(
    true: npt.NDArray[np.float64], played: npt.NDArray[np.float64], bins: int, low: float, high: float
) -> float:
    """Returns the Kullback-Leibler divergence of histograms, in nats."""
    histograms = [np.histogram(values, bins, (low, high))[0][None].astype(float) for values in (true, played)]
    return float(kl_divergence(*histograms)[0])


def errors(performances: Performances, scaled: Hits, played: _Played) -> dict[str, str]:
    """Returns the errors of one way to play, as text by name."""
    hits = performances.hits
    step_ms = 15_000 / np.array(performances.tempos)[hits[:, 0].astype(np.int64)]
    recorded, common = (np.abs(truth[:, 3] - played.velocity).mean() for truth in (hits, scaled))
    late = np.abs(hits[:, 4] - played.offset) * step_ms
    return {
        "velocity error": f"{common:.1f} ({recorded:.1f})",
        "timing error, ms": f"{late.mean():.1f}",
        "velocity distance": f"{distance(scaled[:, 3], played.velocity, VELOCITY_BINS, 1, 127):.2f} "
        f"({distance(hits[:, 3], played.velocity, VELOCITY_BINS, 1, 127):.2f})",
        "timing distance": f"{distance(hits[:, 4], played.offset, OFFSET_BINS, -0.5, 0.5):.2f}",
    }


def loudness(hits: Hits, velocity: npt.NDArray[np.float64]) -> dict[str, str]:
    """Returns mean velocities of drums: kicks on the first beat, snares on the second and fourth, all of others."""
    voice, position = hits[:, 1].astype(np.int64), hits[:, 2].astype(np.int64) % 16
    found = {name: f"{velocity[voice == CLASS_NAMES.index(name)].mean():.0f}" for name in _SHOWN}
    found["kick on 1"] = f"{velocity[(voice == 0) & (position == 0)].mean():.0f}"
    found["snare on 2 and 4"] = f"{velocity[(voice == 1) & np.isin(position, (4, 12))].mean():.0f}"
    return found


def first_beats() -> dict[str, dict[str, str]]:
    """Returns the CPU seconds of ``gmd-vae generate -n 1`` and whether it writes the same bytes each time, by way."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    digests: dict[str, set[str]] = {way: set() for way in WAYS}
    for way, options in [*WAYS.items()] * RUNS:  # in turns: the machine may be busy for a while
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "gmd_vae", "generate", "--model", "groove-4bar", "-n", "1", *options]
            begin = _cpu_seconds()
            subprocess.run([*command, "--output-dir", f"{folder}/beat"], check=True, capture_output=True)
            seconds[way].append(_cpu_seconds() - begin)
            (path,) = Path(folder, "beat").glob("*.mid")
            digests[way].add(hashlib.sha256(path.read_bytes()).hexdigest())
    return {
        way: {"first beat, CPU s": f"{min(seconds[way]):.2f}", "same bytes": "yes" if len(digests[way]) == 1 else "no"}
        for way in WAYS
    }


def _cpu_seconds() -> float:
    """Returns the CPU time of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hits_of(patterns: Sequence[npt.NDArray[np.int64]]) -> Hits:
    """Returns the hits of patterns, with velocity and offset 0."""
    rows = [
        (number, voice, step, 0.0, 0.0)
        for number, pattern in enumerate(patterns)
        for step, label in enumerate(pattern.tolist())
        for voice in range(9)
        if label >> voice & 1
    ]
    return np.array(rows, np.float64)


def table(title: str, rows: dict[str, dict[str, str]]) -> str:
    """Returns a table in Markdown."""
    names = list(next(iter(rows.values())))
    lines = [f"| {title} | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    lines += [f"| {name} | {' | '.join(row[column] for column in names)} |" for name, row in rows.items()]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--archive", type=Path, required=True, help="Archive of the Groove MIDI Dataset.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        notes = convert(options.archive, Path(folder) / "notes", reading=STOCK)
        performances = read_hits(notes.output_dir / f"{SPLIT}.tfrecord")
    scaled, _ = on_one_scale(performances)
    labels = [labels_of(performances.hits, number) for number in range(len(performances.sessions))]
    with gmd_vae.load("groove-4bar") as model:
        beats = [beat.labels for beat in model.sample(BEATS, seed=options.seed)]
    beat_hits = hits_of(beats)
    against: dict[str, dict[str, str]] = {}
    beside: dict[str, dict[str, Any]] = {
        "drummers, as recorded": loudness(performances.hits, performances.hits[:, 3]),
        "drummers, one scale": loudness(scaled, scaled[:, 3]),
    }
    quickest = first_beats()
    for way in WAYS:
        played = in_order(performances.hits, play(way, labels, options.seed))
        against[way] = {**errors(performances, scaled, played), **quickest[way]}
        beside[f"{BEATS} beats, {way}"] = loudness(
            beat_hits, in_order(beat_hits, play(way, beats, options.seed)).velocity
        )
    print(f"{len(performances.hits):,} hits of {len(labels)} performances (GMD, {SPLIT})\n")
    print(table("way to play", against), "\n")
    print(table("mean velocity", beside))


if __name__ == "__main__":
    main()

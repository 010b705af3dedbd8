"""Measures how GMD's drummers play, and writes pipeline/gmd_vae/generation/performance/feel.json.

For each of nine voices and each sixteenth of a bar: mean velocity and mean distance from the grid, and
their spread within a performance (one file of GMD). From the training split only, so that validation and
test music stay unseen; from files in 4/4 with one tempo. A hit belongs to the nearest sixteenth. Of
several hits of a voice at one sixteenth (flams, drags) the loudest counts: a label stands for all of them.
And how much of the timing all voices have in common: see pipeline/gmd_vae/generation/performance/feel.py.

    python tools/measure_feel.py --archive groove-v1.0.0-midionly.zip
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256, whole_file
from gmd_vae.configuration.window_specs import CLASS_NAMES, NINE_CLASSES
from gmd_vae.datasets.groove import CITATION, GROOVE, LICENCE, VERSION
from gmd_vae.generation.performance.feel import FORMAT, LEVELS, POSITIONS, STEPS_PER_QUARTER
from gmd_vae.midi.convert import convert
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records
from gmd_vae.windows.cutting.drum_windows import section_times

TARGET = Path(__file__).parent.parent / "pipeline" / "gmd_vae" / "generation" / "performance" / "feel.json"
SPLIT = "train"
# The shape and the drift are measured where a performance has this many hits of a voice at a position: its
# own mean is then known well enough for the deviations from it to look like themselves.
HITS_FOR_SHAPE = 8
_CLASS_OF = {pitch: number for number, pitches in enumerate(NINE_CLASSES) for pitch in pitches}

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Hits = npt.NDArray[np.float64]  # [n, 5]: performance, voice, step, velocity, offset in steps


def read_hits(records: Path) -> tuple[Hits, int]:
    """The hits of a TFRecord file of NoteSequences, and from how many performances they are."""
    rows: list[tuple[float, ...]] = []
    performances = 0
    for record in read_records(records):
        sequence = NoteSequence.FromString(record)
        times = section_times(sequence)
        if times is None or len(times[1]) != 1 or times[1][0][:2] != (4, 4):
            continue
        steps_per_second = times[1][0][2] / 60 * STEPS_PER_QUARTER
        loudest: dict[tuple[int, int], tuple[int, float]] = {}
        for note in sequence.notes:
            if note.is_drum and note.velocity and note.pitch in _CLASS_OF:
                place = note.start_time * steps_per_second
                step = int(place + 0.5)
                key, hit = (_CLASS_OF[note.pitch], step), (note.velocity, place - step)
                loudest[key] = max(loudest.get(key, hit), hit)
        rows += [(performances, voice, step, *hit) for (voice, step), hit in loudest.items()]
        performances += 1
    return np.array(rows, np.float64).reshape(-1, 5), performances


def measure(hits: Hits) -> dict[str, Any]:
    """The numbers of feel.json: the drift, and those of each voice.

    Raises:
        ValueError: a voice has no performance with hits enough.
    """
    performance, voice, step = hits[:, :3].astype(np.int64).T
    position = step % POSITIONS
    place = voice * POSITIONS + position
    velocity, loudness = _deviations(performance, place, hits[:, 3])
    offset, timing = _deviations(performance, place, hits[:, 4])
    counts = np.bincount(place, minlength=len(CLASS_NAMES) * POSITIONS)
    voices = {}
    for number, name in enumerate(CLASS_NAMES):
        shape = loudness[(voice == number) & ~np.isnan(loudness)]
        if not len(shape):
            raise ValueError(f"no performance has {HITS_FOR_SHAPE} hits of '{name}' at one position")
        at = slice(number * POSITIONS, (number + 1) * POSITIONS)
        voices[name] = {
            "hits": counts[at].tolist(),
            "velocity": _rounded(velocity.mean[at], 1),
            "velocity_spread": _rounded(velocity.spread[at], 1),
            "offset": _rounded(offset.mean[at], 3),
            "offset_spread": _rounded(offset.spread[at], 3),
            "velocity_shape": _rounded(np.quantile(shape, LEVELS), 3),
        }
    together, after_a_bar = (_between_voices(performance, voice, step, timing, lag) for lag in (0, POSITIONS))
    memory = (max(after_a_bar, 0.0) / together) ** (1 / POSITIONS)
    return {"drift": round(together, 3), "drift_memory": round(memory, 3), "voices": voices}


class _AtPlaces(NamedTuple):
    """Mean, and standard deviation within performances, [voices × positions]."""

    mean: Numbers
    spread: Numbers


def _deviations(performance: Integers, place: Integers, values: Numbers) -> tuple[_AtPlaces, Numbers]:
    """What is usual at each place, and how far each value is from the mean of its performance there.

    A place without hits has the least that feel.json may say, which is never used.

    Returns:
        The means and spreads, and the deviations in units of the spread: NaN where the performance has
        too few hits at the place.
    """
    places = len(CLASS_NAMES) * POSITIONS
    hits = np.bincount(place, minlength=places)
    mean = np.where(hits, np.bincount(place, values, places) / np.maximum(hits, 1), 1.0)
    _, first, group, size = np.unique(
        performance * places + place, return_index=True, return_inverse=True, return_counts=True
    )
    deviations = values - (np.bincount(group, values) / size)[group]
    freedom = np.bincount(place[first], size - 1, places)  # each performance's own mean takes one
    spread = np.sqrt(np.bincount(place, deviations**2, places) / np.maximum(freedom, 1))
    usable = (size[group] >= HITS_FOR_SHAPE) & (spread[place] > 0)
    unbiased = np.sqrt(size / np.maximum(size - 1, 1))[group]  # those from a sample's own mean are too small
    units = np.where(spread > 0, spread, 1)[place]
    return _AtPlaces(mean, spread), np.where(usable, deviations * unbiased / units, np.nan)


def _between_voices(performance: Integers, voice: Integers, step: Integers, timing: Numbers, lag: int) -> float:
    """Correlation of the timing of two different voices, the second ``lag`` steps later in the performance."""
    both = first = second = 0.0
    known = ~np.isnan(timing)
    bounds = np.flatnonzero(np.diff(performance, prepend=-1, append=-1))  # performances come one after another
    for begin, end in itertools.pairwise(bounds.tolist()):
        of = np.flatnonzero(known[begin:end]) + begin
        if not len(of):
            continue
        grid = np.zeros((step[of].max() + 1 + lag, len(CLASS_NAMES)))
        there = np.zeros_like(grid)
        grid[step[of], voice[of]], there[step[of], voice[of]] = timing[of], 1
        now, later, now_there, later_there = grid[: len(grid) - lag], grid[lag:], there[: len(grid) - lag], there[lag:]
        both += _products(now, later)
        first += _products(now**2, later_there)
        second += _products(now_there, later**2)
    return both / float(np.sqrt(first * second))


def _products(now: Numbers, later: Numbers) -> float:
    """Sum over all pairs of different voices of their product. Both [steps, voices]."""
    return float(np.sum(now.sum(axis=1) * later.sum(axis=1)) - np.sum(now * later))


def _rounded(values: Numbers, digits: int) -> list[float]:
    return [round(value, digits) for value in values.tolist()]


def describe(hits: Hits, performances: int) -> dict[str, Any]:
    """The whole content of feel.json."""
    return {
        "format": FORMAT,
        "name": f"Groove MIDI Dataset {VERSION}",
        "source": {
            "dataset": "Groove MIDI Dataset",
            "version": VERSION,
            "url": GROOVE.url,
            "sha256": GROOVE.sha256,
            "split": SPLIT,
            "performances": performances,
            "hits": len(hits),
            "licence": f"{LICENCE} (https://creativecommons.org/licenses/by/4.0/), Google LLC",
            "citation": CITATION,
        },
        "tool": "tools/measure_feel.py",
        "versions": manifest.versions("note-seq", "pretty-midi", "mido"),
        "units": "velocity 1 to 127; offset in sixteenths, late is positive; velocity_shape in spreads, at the levels",
        "levels": list(LEVELS),
        **measure(hits),
    }


def to_json(content: dict[str, Any]) -> str:
    """JSON with each list of numbers on one line."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return re.sub(r"\[[-+.\deE,\s]*\]", lambda found: json.dumps(json.loads(found[0])), text) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--archive", type=Path, required=True, help=f"the dataset: {GROOVE.url}")
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args(arguments)
    try:
        if not options.archive.is_file():
            raise GmdVaeError(f"'{options.archive}' is not a file", f"Get it from {GROOVE.url}.")
        if (found := sha256(options.archive)) != GROOVE.sha256:
            raise GmdVaeError(f"'{options.archive}' is not the Groove archive: sha256 {found}", f"Get {GROOVE.url}.")
        with tempfile.TemporaryDirectory() as folder:
            notes = convert(options.archive, Path(folder) / "notes")
            hits, performances = read_hits(notes.output_dir / f"{SPLIT}.tfrecord")
    except GmdVaeError as error:
        sys.exit(f"Error: {error}")
    with whole_file(options.output) as temporary:
        temporary.write_text(to_json(describe(hits, performances)), encoding="utf-8")
    print(f"Wrote {options.output}: {len(hits):,} hits of {performances:,} performances")


if __name__ == "__main__":
    main()

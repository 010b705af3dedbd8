"""Measures velocity and timing of GMD's drummers, and writes pipeline/gmd_vae/generation/performance/feel.json.

For each of nine voices and each sixteenth of a bar, it measures the mean velocity, the mean distance from the grid, and
their standard deviations within a performance (one file of GMD). It also measures the part of the timing that all
voices have in common. pipeline/gmd_vae/generation/performance/feel.py explains the model. Only the training split is
used, and of it only files in 4/4 with one tempo. A hit belongs to the nearest sixteenth. Of several hits of a voice at
one sixteenth (flams, drags) the loudest counts, since one label stands for all of them.

A velocity of GMD depends on the setting of the pad as much as on the stroke: in one session no kick is above 63, and in
two others more than half of the kicks have 127. So velocities are first put on a common scale: the full stroke of each
voice in each session (its 90 % quantile) becomes the mean full stroke of all. Otherwise the kick would be the softest
drum.

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
from gmd_vae.midi.reading import STOCK
from gmd_vae.midi.tfrecord import read_records
from gmd_vae.windows.cutting.drum_windows import section_times

TARGET = Path(__file__).parent.parent / "pipeline" / "gmd_vae" / "generation" / "performance" / "feel.json"
SPLIT = "train"
# Shape and drift are measured where a performance has at least this many hits of a voice at a position: with fewer, its
# own mean is too uncertain, and the deviations from it are distorted.
HITS_FOR_SHAPE = 8
FULL_STROKE = 0.9  # quantile of the velocities of a voice in a session: above it, too few hits remain to measure it
HITS_FOR_STROKE = 100  # a voice with fewer hits in a session takes the full stroke of the voice in all sessions
_CLASS_OF = {pitch: number for number, pitches in enumerate(NINE_CLASSES) for pitch in pitches}

Numbers = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Hits = npt.NDArray[np.float64]  # [n, 5]: performance, voice, step, velocity, offset in steps


class Performances(NamedTuple):
    """Performances in 4/4 with one tempo.

    Attributes:
        hits: Their hits; velocities as they were recorded.
        sessions: Session of each performance, such as ``drummer1/session2``.
        tempos: Quarter notes per minute of each.
    """

    hits: Hits
    sessions: list[str]
    tempos: list[float]


def read_hits(records: Path) -> Performances:
    """Returns the performances of a TFRecord file of NoteSequences."""
    rows: list[tuple[float, ...]] = []
    sessions: list[str] = []
    tempos: list[float] = []
    for record in read_records(records):
        sequence = NoteSequence.FromString(record)
        times = section_times(sequence)
        if times is None or len(times[1]) != 1 or times[1][0][:2] != (4, 4):
            continue
        steps_per_second = times[1][0][2] / 60 * STEPS_PER_QUARTER
        loudest: dict[tuple[int, int], tuple[int, float]] = {}
        for note in sequence.notes:
            if note.is_drum and note.velocity and note.pitch in _CLASS_OF:
                position = note.start_time * steps_per_second  # in steps
                step = int(position + 0.5)
                key, hit = (_CLASS_OF[note.pitch], step), (note.velocity, position - step)
                loudest[key] = max(loudest.get(key, hit), hit)
        rows += [(len(sessions), voice, step, *hit) for (voice, step), hit in loudest.items()]
        sessions.append(sequence.filename.rpartition("/")[0])
        tempos.append(times[1][0][2])
    return Performances(np.array(rows, np.float64).reshape(-1, 5), sessions, tempos)


def on_one_scale(performances: Performances) -> tuple[Hits, float]:
    """Returns hits whose velocities do not depend on the settings of the pads, and the velocity of their full stroke.

    The velocities of a voice in a session are multiplied by one factor, which makes its ``FULL_STROKE`` quantile the
    mean of all those quantiles; 127 stays the highest velocity.

    Args:
        performances: Hits as they were recorded.
    """
    hits = performances.hits
    sessions, session_of = np.unique(performances.sessions, return_inverse=True)
    session, voice = session_of[hits[:, 0].astype(np.int64)], hits[:, 1].astype(np.int64)
    strokes = np.full((len(sessions), len(CLASS_NAMES)), np.nan)
    for place in np.ndindex(*strokes.shape):
        velocities = hits[(session == place[0]) & (voice == place[1]), 3]
        if len(velocities) >= HITS_FOR_STROKE:
            strokes[place] = np.quantile(velocities, FULL_STROKE)
    common = float(np.nanmean(strokes))
    for number in np.unique(voice).tolist():
        own = strokes[:, number]
        own[np.isnan(own)] = np.quantile(hits[voice == number, 3], FULL_STROKE)
    scaled = hits.copy()
    scaled[:, 3] = np.clip(hits[:, 3] * common / strokes[session, voice], 1, 127)
    return scaled, common


def measure(hits: Hits) -> dict[str, Any]:
    """Returns the numbers of feel.json: the drift, and the statistics of each voice.

    Args:
        hits: Hits, float64 ``[n, 5]``, see ``Hits``.

    Raises:
        ValueError: A voice has no performance with enough hits.
    """
    performance, voice, step = hits[:, :3].astype(np.int64).T
    cell = voice * POSITIONS + step % POSITIONS
    velocity, velocity_deviation = _deviations(performance, cell, hits[:, 3])
    offset, timing_deviation = _deviations(performance, cell, hits[:, 4])
    counts = np.bincount(cell, minlength=len(CLASS_NAMES) * POSITIONS)
    voices = {}
    for number, name in enumerate(CLASS_NAMES):
        shape = velocity_deviation[(voice == number) & ~np.isnan(velocity_deviation)]
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
    at_once, after_a_bar = (
        _correlation_between_voices(performance, voice, step, timing_deviation, lag) for lag in (0, POSITIONS)
    )
    memory = (max(after_a_bar, 0.0) / at_once) ** (1 / POSITIONS)
    return {"drift": round(at_once, 3), "drift_memory": round(memory, 3), "voices": voices}


class _CellStatistics(NamedTuple):
    """Mean, and standard deviation within performances, float64 ``[voices * positions]``."""

    mean: Numbers
    spread: Numbers


def _deviations(performance: Integers, cell: Integers, values: Numbers) -> tuple[_CellStatistics, Numbers]:
    """Returns mean and spread of each cell, and the deviation of each value from its performance's own mean there.

    A cell is a voice at a position. A cell without hits gets the lowest mean that feel.json allows; it is never used.

    Args:
        performance: Performance of each hit, int64 ``[n]``.
        cell: Cell of each hit, int64 ``[n]``.
        values: Velocity or offset of each hit, float64 ``[n]``.

    Returns:
        The means and spreads, and the deviations in units of the spread, NaN where the performance has too few hits in
        the cell.
    """
    cells = len(CLASS_NAMES) * POSITIONS
    hits = np.bincount(cell, minlength=cells)
    mean = np.where(hits, np.bincount(cell, values, cells) / np.maximum(hits, 1), 1.0)
    _, first, group, size = np.unique(
        performance * cells + cell, return_index=True, return_inverse=True, return_counts=True
    )
    deviations = values - (np.bincount(group, values) / size)[group]
    degrees_of_freedom = np.bincount(cell[first], size - 1, cells)  # the mean of each performance takes one
    spread = np.sqrt(np.bincount(cell, deviations**2, cells) / np.maximum(degrees_of_freedom, 1))
    usable = (size[group] >= HITS_FOR_SHAPE) & (spread[cell] > 0)
    bessel = np.sqrt(size / np.maximum(size - 1, 1))[group]  # deviations from a sample's own mean are too small
    units = np.where(spread > 0, spread, 1)[cell]
    return _CellStatistics(mean, spread), np.where(usable, deviations * bessel / units, np.nan)


def _correlation_between_voices(
    performance: Integers, voice: Integers, step: Integers, timing: Numbers, lag: int
) -> float:
    """Returns the correlation of the timing of two different voices, the second one ``lag`` steps later.

    Args:
        performance: Performance of each hit, int64 ``[n]``, ascending.
        voice: Voice of each hit, int64 ``[n]``.
        step: Step of each hit in its performance, int64 ``[n]``.
        timing: Deviation of each hit's offset, float64 ``[n]``, NaN where unknown.
        lag: Distance in steps.
    """
    covariance = first_variance = second_variance = 0.0
    known = ~np.isnan(timing)
    bounds = np.flatnonzero(np.diff(performance, prepend=-1, append=-1))
    for begin, end in itertools.pairwise(bounds.tolist()):
        usable = np.flatnonzero(known[begin:end]) + begin
        if not len(usable):
            continue
        grid = np.zeros((step[usable].max() + 1 + lag, len(CLASS_NAMES)))
        has_hit = np.zeros_like(grid)
        grid[step[usable], voice[usable]], has_hit[step[usable], voice[usable]] = timing[usable], 1
        now, later = grid[: len(grid) - lag], grid[lag:]
        covariance += _products(now, later)
        first_variance += _products(now**2, has_hit[lag:])
        second_variance += _products(has_hit[: len(grid) - lag], later**2)
    return covariance / float(np.sqrt(first_variance * second_variance))


def _products(now: Numbers, later: Numbers) -> float:
    """Returns the sum of the products of all pairs of different voices; both arrays are ``[steps, voices]``."""
    return float(np.sum(now.sum(axis=1) * later.sum(axis=1)) - np.sum(now * later))


def _rounded(values: Numbers, digits: int) -> list[float]:
    return [round(value, digits) for value in values.tolist()]


def describe(performances: Performances) -> dict[str, Any]:
    """Returns the content of feel.json."""
    hits, full_stroke = on_one_scale(performances)
    return {
        "format": FORMAT,
        "name": f"Groove MIDI Dataset {VERSION}",
        "source": {
            "dataset": "Groove MIDI Dataset",
            "version": VERSION,
            "url": GROOVE.url,
            "sha256": GROOVE.sha256,
            "split": SPLIT,
            "performances": len(performances.sessions),
            "hits": len(hits),
            "licence": f"{LICENCE} (https://creativecommons.org/licenses/by/4.0/), Google LLC",
            "citation": CITATION,
        },
        "tool": "tools/measure_feel.py",
        "versions": manifest.versions("note-seq", "pretty-midi", "mido"),
        "units": "velocity 1 to 127, full_stroke the 90 % quantile of a pad; offset in sixteenths, late is positive; "
        "velocity_shape in spreads, at the levels",
        "full_stroke": round(full_stroke, 1),
        "levels": list(LEVELS),
        **measure(hits),
    }


def to_json(content: dict[str, Any]) -> str:
    """Returns JSON with each list of numbers on one line."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return re.sub(r"\[[-+.\deE,\s]*\]", lambda found: json.dumps(json.loads(found[0])), text) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--archive", type=Path, required=True, help=f"Archive of the Groove MIDI Dataset: {GROOVE.url}")
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args(arguments)
    try:
        if not options.archive.is_file():
            raise GmdVaeError(f"'{options.archive}' is not a file", f"Get it from {GROOVE.url}.")
        if (found := sha256(options.archive)) != GROOVE.sha256:
            raise GmdVaeError(f"'{options.archive}' is not the Groove archive: sha256 {found}", f"Get {GROOVE.url}.")
        with tempfile.TemporaryDirectory() as folder:
            notes = convert(options.archive, Path(folder) / "notes", reading=STOCK)
            performances = read_hits(notes.output_dir / f"{SPLIT}.tfrecord")
    except GmdVaeError as error:
        sys.exit(f"Error: {error}")
    with whole_file(options.output) as temporary:
        temporary.write_text(to_json(describe(performances)), encoding="utf-8")
    print(f"Wrote {options.output}: {len(performances.hits):,} hits of {len(performances.sessions):,} performances")


if __name__ == "__main__":
    main()

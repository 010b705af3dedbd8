"""Every figure of an evaluation: name, key in ``result.json``, heading, digits, direction and meaning.

Tables, charts, ``result.json`` and the table in ``docs/evaluation.md`` all read this registry. A figure is computed in
``metrics/``, ``latent/`` or ``likelihood.py``, into the dataclass field that has its name. To add one, add the field
and a line here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Literal

Better = Literal["higher", "lower", ""]


@dataclasses.dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: Name of the dataclass field that holds it.
        heading: Name in tables and charts. Its lines are joined by spaces where there is one line.
        digits: Digits after the decimal point.
        better: Direction in which a model is better; empty where there is none.
        meaning: One sentence for readers.
        unit: Unit, for example ``nats per window``; empty for shares and counts.
        key: Key in ``result.json``, where it is not ``name``: keys stay as older versions wrote them.
        sums: Name of the field beside it with its sums by file, for paired differences; empty where there is none.
    """

    name: str
    heading: str
    digits: int
    better: Better
    meaning: str
    unit: str = ""
    key: str = ""
    sums: str = ""

    @property
    def json_key(self) -> str:
        """Key in ``result.json``."""
        return self.key or self.name

    @property
    def heading_with_unit(self) -> str:
        """Heading with the unit as its last line, or at the end of its last line."""
        separator = ", " if "\n" in self.heading else ",\n"
        return self.heading + separator + self.unit.partition(" ")[0]

    def read(self, section: object) -> Any:
        """Returns the figure of a section of a result; ``None`` where the section does not have it."""
        return getattr(section, self.name, None)

    def read_sums(self, section: object) -> Any:
        """Returns the sums by file of a section of a result; ``None`` where the section does not have them."""
        return getattr(section, self.sums, None) if self.sums else None

    def best(self, values: Iterable[float]) -> float | None:
        """Returns the best of several values; ``None`` where no direction is better."""
        choose: Callable[[Iterable[float]], float] | None = {"higher": max, "lower": min, "": None}[self.better]
        return choose(values) if choose else None


# --- likelihood

RECONSTRUCTION = Figure(
    "reconstruction",
    "reconstruction",
    1,
    "lower",
    "Reconstruction loss: minus the log likelihood of a window given z, mean over draws of z from its posterior.",
    "nats per window",
)
RECONSTRUCTION_PER_STEP = Figure(
    "reconstruction_per_step",
    "reconstruction",
    3,
    "lower",
    "The reconstruction loss divided by the number of steps; multitrack: by the number of events.",
    "nats per step",
)
KL_BITS = Figure(
    "kl_bits",
    "KL",
    1,
    "",
    "KL divergence from the posterior of a window to the prior, exact: at most so much does z say.",
    "bits per window",
)
ELBO = Figure(
    "elbo",
    "ELBO",
    1,
    "higher",
    "Evidence lower bound of the log likelihood: minus the reconstruction loss, minus the KL divergence in nats.",
    "nats per window",
    sums="elbo_by_file",
)
IMPORTANCE_BOUND = Figure(
    "importance_bound",
    "importance\nbound",
    1,
    "higher",
    "Importance-weighted bound of the log likelihood, tighter than the ELBO.",
    "nats per window",
)
LIKELIHOOD = (RECONSTRUCTION, RECONSTRUCTION_PER_STEP, KL_BITS, ELBO, IMPORTANCE_BOUND)

# --- reconstruction: each prediction compared with the true windows

STEP_ACCURACY = Figure(
    "step_accuracy",
    "step accuracy",
    3,
    "higher",
    "Share of the steps that are right in full: all drum classes, all streams, or the event of a track.",
    key="steps_right",
    sums="by_file",
)
HITS_F1 = Figure("hits_f1", "hits F1", 3, "higher", "F1 of the drum hits of all classes together.", sums="hits_by_file")
CELL_ACCURACY = Figure(
    "cell_accuracy",
    "cell accuracy",
    3,
    "higher",
    "Share of the cells, one for each step and drum class, that are right: hit or no hit.",
)
NOTES_F1 = Figure(
    "notes_f1",
    "notes F1",
    3,
    "higher",
    "F1 of the note onsets: same pitch at the same step; multitrack: at most one step apart.",
    sums="notes_by_file",
)
SAME_PROGRAM_F1 = Figure(
    "same_program_f1",
    "notes F1,\nsame program",
    3,
    "higher",
    "The notes F1 of multitrack windows where the MIDI program must be the same too.",
)
PROGRAMS_F1 = Figure("programs_f1", "programs F1", 3, "higher", "F1 of the MIDI programs of the tracks, in any order.")
TRACK_LENGTH_ACCURACY = Figure(
    "track_length_accuracy",
    "track length\naccuracy",
    3,
    "higher",
    "Share of the tracks that have the true number of events, empty tracks included.",
    key="ends_right",
)
WINDOW_ACCURACY = Figure(
    "window_accuracy",
    "window accuracy",
    3,
    "higher",
    "Share of the windows that are right at every step.",
    key="windows_right",
)
ACCURACY_DROP = Figure(
    "accuracy_drop",
    "accuracy drop",
    3,
    "",
    "Step accuracy in the last bar minus that in the first: negative where a model gets worse along a window.",
    key="fade",
)
RECONSTRUCTIONS = (
    STEP_ACCURACY,
    HITS_F1,
    CELL_ACCURACY,
    NOTES_F1,
    SAME_PROGRAM_F1,
    PROGRAMS_F1,
    TRACK_LENGTH_ACCURACY,
    WINDOW_ACCURACY,
    ACCURACY_DROP,
)

# --- each drum class, each stream

HITS = Figure("hits", "hits", 0, "", "Number of true hits.")
PRECISION = Figure("precision", "precision", 3, "higher", "Share of the predicted hits of a drum class that are true.")
RECALL = Figure("recall", "recall", 3, "higher", "Share of the true hits of a drum class that were predicted.")
F1 = Figure("f1", "F1", 3, "higher", "Harmonic mean of precision and recall.")
DRUM_CLASSES = (HITS, PRECISION, RECALL, F1)

EVENT_ACCURACY = Figure(
    "event_accuracy",
    "step accuracy\nat events",
    3,
    "higher",
    "Step accuracy of a stream at the true steps where a note or a drum begins, or a note ends.",
    key="events_right",
)
STREAMS = (STEP_ACCURACY, EVENT_ACCURACY, NOTES_F1)

# --- novelty: the distance to the nearest training window

SAMPLES = Figure("samples", "windows", 0, "", "Number of windows.")
DISTINCT = Figure("distinct", "distinct", 3, "", "Number of different windows divided by the number of windows.")
COPIES = Figure("copies", "copies of a training window", 3, "", "Share of the windows that equal a training window.")
MINIMUM = Figure("minimum", "minimum", 0, "", "Smallest distance to the nearest training window.")
QUARTER = Figure("quarter", "first quartile", 1, "", "First quartile of the distances.")
MEDIAN = Figure("median", "median", 1, "", "Median of the distances.")
THREE_QUARTERS = Figure("three_quarters", "third quartile", 1, "", "Third quartile of the distances.")
MAXIMUM = Figure("maximum", "maximum", 0, "", "Largest distance to the nearest training window.")
MEAN = Figure("mean", "mean", 1, "", "Mean of the distances.")
NOVELTY = (SAMPLES, DISTINCT, COPIES)
DISTANCES = (MINIMUM, QUARTER, MEDIAN, THREE_QUARTERS, MAXIMUM, MEAN)

# --- sets of windows: samples at two temperatures, held-out windows, training windows

REPEATED_STEPS = Figure(
    "repeated_steps", "steps repeated", 3, "", "Share of the steps that equal the same step of the bar before."
)
REPEATED_HITS = Figure(
    "repeated_hits",
    "hits repeated",
    3,
    "",
    "Jaccard index of the hits of a bar and of the bar before: hits in both, divided by hits in either.",
)
HITS_PER_BAR = Figure(
    "hits_per_bar",
    "hits a bar",
    1,
    "",
    "Hits of all drum classes in a bar; of melodies and trios, the notes that begin in it.",
)
SILENT_STEPS = Figure("silent_steps", "silent steps", 3, "", "Share of the steps at which no drum and no note begins.")
AUC = Figure(
    "auc",
    "two-sample\nAUC",
    3,
    "lower",
    "Area under the ROC curve of a classifier that separates these windows from held-out windows; 0.5: it cannot.",
)
AUC_ABOVE_TRAINING = Figure(
    "auc_above_training",
    "AUC above\ntraining",
    3,
    "lower",
    "The AUC minus that of as many training windows: 0 where samples are as near to held-out music as training music.",
)
WINDOW_SETS = (REPEATED_STEPS, REPEATED_HITS, HITS_PER_BAR, SILENT_STEPS, AUC, AUC_ABOVE_TRAINING)

# --- distributions of musical features

OVERLAP = Figure(
    "overlap", "overlap", 3, "higher", "Overlapping area of the distances within held-out windows and to them."
)
FEATURE_KL = Figure(
    "kl_divergence", "KL, nats", 3, "lower", "KL divergence between the same two distributions of distances.", "nats"
)
INTER = Figure("inter", "distance\nto held-out", 3, "", "Mean distance of a window to the held-out windows.")
INTRA_SAMPLES = Figure("intra_samples", "distance\namong samples", 3, "", "Mean distance of two samples.")
INTRA_REFERENCE = Figure("intra_reference", "distance\namong held-out", 3, "", "Mean distance of two held-out windows.")
DISTRIBUTION = (OVERLAP, FEATURE_KL, INTER, INTRA_SAMPLES, INTRA_REFERENCE)

# --- latent space

ACTIVE = Figure("active", "active dimensions", 0, "", "Dimensions of z whose posterior mean has a variance above 0.01.")
COLLAPSED = Figure("collapsed", "posterior collapse", 0, "", "True if no dimension is active: z holds no information.")
ACTIVITY = (ACTIVE, COLLAPSED)

STYLE_ACCURACY = Figure(
    "accuracy", "accuracy", 3, "higher", "Share of the held-out windows whose style a linear classifier finds from z."
)
STYLE_BALANCED_ACCURACY = Figure(
    "balanced_accuracy", "balanced accuracy", 3, "higher", "The same accuracy as a mean over the styles."
)
STYLE = (STYLE_ACCURACY, STYLE_BALANCED_ACCURACY)

PATH_DISTANCE = Figure(
    "mean",
    "distance",
    3,
    "",
    "Mean distance from the first window at each point of a path to a second window.",
    "distances between both windows",
)
INTERPOLATION = (PATH_DISTANCE,)

ADDED = Figure(
    "added",
    "added",
    2,
    "",
    "Mean change of an attribute when an attribute vector is added to z.",
    "standard deviations",
)
REMOVED = Figure(
    "removed",
    "subtracted",
    2,
    "",
    "Mean change of an attribute when a vector is subtracted from z.",
    "standard deviations",
)
ATTRIBUTES = (ADDED, REMOVED)

# --- velocities and timing

TIMING_MAE_MS = Figure(
    "timing_mae_ms",
    "timing\nMAE, ms",
    1,
    "lower",
    "Mean absolute timing error at the true hits, at the tempo of each file.",
    "milliseconds",
    sums="timing_by_file",
)
TIMING_MAE = Figure(
    "timing_mae", "timing\nMAE, steps", 3, "lower", "Mean absolute timing error at the true hits.", "sixteenths"
)
TIMING_MSE = Figure(
    "timing_mse",
    "timing\nMSE, steps²",
    4,
    "lower",
    "Mean squared timing error at the true hits.",
    "sixteenths squared",
)
VELOCITY_MSE = Figure(
    "velocity_mse",
    "velocity\nMSE, 0 to 1",
    4,
    "lower",
    "Mean squared error of velocities, 0 to 1, at the true hits.",
    sums="velocity_by_file",
)
TIMING_KL = Figure(
    "timing_kl",
    "timing\nKL, nats",
    3,
    "lower",
    "KL divergence from the true to the played timing offsets, over histograms of all hits.",
    "nats",
)
VELOCITY_KL = Figure(
    "velocity_kl",
    "velocity\nKL, nats",
    3,
    "lower",
    "KL divergence from the true to the played velocities, over histograms of all hits.",
    "nats",
)
GROOVE = (TIMING_MAE_MS, TIMING_MAE, TIMING_MSE, VELOCITY_MSE, TIMING_KL, VELOCITY_KL)

# place in result.json -> figures there; * stands for any name or number
SECTIONS: dict[str, tuple[Figure, ...]] = {
    "likelihood": LIKELIHOOD,
    "reconstruction.*": RECONSTRUCTIONS,
    "reconstruction.*.voices.*": DRUM_CLASSES,
    "reconstruction.*.streams.*": STREAMS,
    "novelty.*": NOVELTY,
    "novelty.*.steps": DISTANCES,
    "novelty.*.hits": DISTANCES,
    "window_sets.*": WINDOW_SETS,
    "distribution.*.*": DISTRIBUTION,
    "latent.activity": ACTIVITY,
    "latent.decodability": STYLE,
    "latent.interpolation.*": INTERPOLATION,
    "latent.attributes.*.*": ATTRIBUTES,
    "groove.answers.*": GROOVE,
}

# name of a dataclass field -> its key in result.json, where they differ
JSON_KEYS = {
    figure.name: figure.json_key
    for figures in SECTIONS.values()
    for figure in figures
    if figure.json_key != figure.name
}


def markdown_table() -> str:
    """Returns the table of all figures in ``docs/evaluation.md``."""
    lines = ["| in `result.json` | figure | better | unit | meaning |", "| --- | --- | --- | --- | --- |"]
    for section, figures in SECTIONS.items():
        for figure in figures:
            heading = " ".join(figure.heading.split())
            place, better, unit = f"`{section}.{figure.json_key}`", figure.better or "–", figure.unit or "–"
            cells = (place, heading, better, unit, figure.meaning)
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"

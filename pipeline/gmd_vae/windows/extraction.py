"""The interface of extractors: NoteSequence bytes in, windows out, with counts of the music that gave none."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import MAX_CLASSES, MAX_STEPS

Labels = npt.NDArray[np.int64]

MAX_DEPTH = 1 << 16  # columns of an array; Magenta's widest has 692

# Reasons for music without windows. `of_count` puts a text after a number: "3 NoteSequences without ...". The first
# word of a text is the unit of its count: NoteSequences, sections (between two changes of time signature), stretches
# (of drums, between two pauses), windows, steps or drum notes.
REASONS = {
    "unreadable": "records that are not NoteSequences",
    "beyond_limits": "NoteSequences longer than 1,000,000 quarter notes, or with numbers that no MIDI file has",
    "quantized": "NoteSequences that were already quantized",
    "no_drums": "NoteSequences without drum notes",
    "no_known_drums": "NoteSequences whose drum notes all have pitches outside the drum classes",
    "no_notes": "NoteSequences without notes",
    "no_length": "NoteSequences with notes and a total time of 0",
    "bad_times": "NoteSequences or sections with times that are not finite numbers",
    "bad_time_signature": "sections with an impossible time signature",
    "other_bar_length": "sections with bars of another length than the config's",
    "negative_times": "sections with times before their beginning",
    "too_many_splits": "sections of NoteSequences with more sections than --max-time-splits",
    "too_long": "sections longer than --max-total-time",
    "too_many_notes": "sections with more notes than --max-num-notes",
    "few_velocities": "sections with fewer velocities than --min-velocities",
    "few_positions": "sections with fewer metric positions than --min-metric-positions",
    "not_only_drums": "sections with other notes than drums (--drums-only)",
    "failed": "NoteSequences or sections that the converter refused",
    "short_section": "sections shorter than a window",
    "no_melody": "sections without notes of the melody instruments that the config takes",
    "short_melodies": "sections whose melodies are shorter than a window (a bar of silence ends one)",
    "no_melody_part": "sections without a melody instrument (MIDI programs 0 to 31)",
    "no_bass_part": "sections without a bass (MIDI programs 32 to 39)",
    "no_drum_part": "sections without drums",
    "not_together": "sections in which melody, bass and drums never play together for a whole window",
    "too_many_trios": "sections with more than 1,000 choices of a melody, a bass and drums",
    "no_chords": "sections whose chords cannot be inferred: in an uncommon time signature, or over 500 bars",
    "bad_chords": "sections with chord symbols that no chord has, or with two at one time",
    "few_instruments": "bars with fewer than two instruments",
    "many_instruments": "bars with more than eight instruments",
    "event_count": "bars with an instrument of more than 62 events, or of fewer than 8 events in all",
    "melodies_cut_off": "melodies cut off at the config's longest",
    "trios_cut_off": "sections cut off after 1,024 bars",
    "no_windows": "NoteSequences or sections in which the converter found no window",
    "too_short": "stretches of drums shorter than a window",
    "cut_off": "stretches of drums cut off at the config's longest",
    "outside": "drum notes before 0 or after the total time",
    "after_gap": "steps with drums after a pause, in the bar where a stretch had ended",
    "repeated": "windows that repeat an earlier one of their section",
    "not_reproduced": "windows whose NoteSequence does not give the window again",
    "capped": "windows left out by --max-per-sequence",
}
# Beginnings of these texts for a count of 1; the first that fits counts
_SINGULAR = {
    "records that are not NoteSequences": "record that is not a NoteSequence",
    "NoteSequences that were": "NoteSequence that was",
    "NoteSequences or sections": "NoteSequence or section",
    "NoteSequences": "NoteSequence",
    "sections of NoteSequences": "section of a NoteSequence",
    "sections": "section",
    "bars": "bar",
    "melodies": "melody",
    "stretches": "stretch",
    "drum notes": "drum note",
    "steps": "step",
    "windows that repeat an earlier one of their section": "window that repeats an earlier one of its section",
    "windows": "window",
}


def of_count(count: int, text: str) -> str:
    """Returns a text of ``REASONS``, or one that begins with its units, as it follows a count: singular after 1."""
    if count == 1:
        for plural, singular in _SINGULAR.items():
            if text.startswith(plural):
                return singular + text.removeprefix(plural)
    return text


def left_out(dropped: Mapping[str, Mapping[str, int]], *, pitches: bool = True) -> list[tuple[int, str]]:
    """Returns the rows of a table of music that gave no window: a count and the text after it.

    Args:
        dropped: Counts from ``Dropped.as_json``.
        pitches: True with the pitches of drum notes in no drum class.
    """
    rows = [(count, REASONS[reason]) for reason, count in dropped["reasons"].items()]
    rows += [(count, f"sections in {name}, of those above") for name, count in dropped["time_signatures"].items()]
    if pitches:
        lost = dropped["drum_pitches_in_no_class"].items()
        rows += [(count, f"drum notes of pitch {pitch}, which is in no drum class") for pitch, count in lost]
    return [(count, of_count(count, text)) for count, text in rows]


@dataclasses.dataclass
class Dropped:
    """Counts of music that did not become windows.

    Attributes:
        reasons: Key of ``REASONS`` → count.
        pitches: MIDI pitch of drum notes in no drum class → number of notes.
        time_signatures: For example ``3/4`` → number of sections dropped for it (``other_bar_length`` and
            ``bad_time_signature``).
        chords: For configs with chords: ``given`` or ``inferred`` → number of sections with windows.
    """

    reasons: Counter[str] = dataclasses.field(default_factory=Counter)
    pitches: Counter[int] = dataclasses.field(default_factory=Counter)
    time_signatures: Counter[str] = dataclasses.field(default_factory=Counter)
    chords: Counter[str] = dataclasses.field(default_factory=Counter)

    def counters(self) -> list[list[tuple[Any, int]]]:
        """Returns all counts as JSON values, for ``from_counters``."""
        return [list(getattr(self, field.name).items()) for field in dataclasses.fields(self)]

    @classmethod
    def from_counters(cls, counters: Iterable[Iterable[tuple[Any, int]]]) -> Dropped:
        """Returns the counts that ``counters`` returned."""
        return cls(*(Counter(dict(pairs)) for pairs in counters))

    def add(self, other: Dropped) -> None:
        """Adds other counts to these."""
        self.reasons.update(other.reasons)
        self.pitches.update(other.pitches)
        self.time_signatures.update(other.time_signatures)
        self.chords.update(other.chords)

    def as_json(self) -> dict[str, dict[str, int]]:
        """Returns the counts in a fixed order: reasons as in ``REASONS``, the others sorted."""
        return {
            "reasons": {reason: self.reasons[reason] for reason in REASONS if self.reasons[reason]},
            "drum_pitches_in_no_class": {str(pitch): self.pitches[pitch] for pitch in sorted(self.pitches)},
            "time_signatures": {name: self.time_signatures[name] for name in sorted(self.time_signatures)},
            **({"chords": {name: self.chords[name] for name in sorted(self.chords)}} if self.chords else {}),
        }


class Tensors(NamedTuple):
    """One window of one of Magenta's converters, not padded.

    Attributes:
        inputs: Encoder input, bool or float32 ``[steps, input_depth]``.
        outputs: Decoder target, bool or float32 ``[steps, output_depth]``.
        controls: Conditioning input, bool or float32 ``[steps, control_depth]``; the depth may be 0.
        length: Length in steps: one number, or one for each segment of a hierarchy.
    """

    inputs: npt.NDArray[Any]
    outputs: npt.NDArray[Any]
    controls: npt.NDArray[Any]
    length: tuple[int, ...]


@dataclasses.dataclass
class Extraction:
    """The windows of one NoteSequence.

    Attributes:
        sequence_id: ``id`` of the NoteSequence, or else its ``filename``; empty if it has neither.
        windows: Drum labels, int64 ``[windows, steps]``; or a list of ``Tensors``.
        dropped: Counts of the music that gave no window.
    """

    sequence_id: str
    windows: Labels | Sequence[Tensors]
    dropped: Dropped = dataclasses.field(default_factory=Dropped)


@dataclasses.dataclass(frozen=True)
class Layout:
    """The format of the example records of a folder, as in its manifest.

    Raises:
        ValueError: A size is out of its range. The ranges keep a damaged manifest from taking all memory.

    Attributes:
        format: ``labels`` (one integer a step) or ``tensors`` (arrays of inputs, outputs and controls).
        steps: Length of each window in steps; for ``tensors`` the longest allowed, or ``None`` if unknown.
        classes: Number of drum classes: labels are less than ``2 ** classes``. 0 for ``tensors``.
        input_depth: Columns of the encoder's input.
        output_depth: Columns of the decoder's output.
        control_depth: Columns of the conditioning input; 0 for none.
        input_dtype: Type of the inputs: ``bool`` or ``float32``.
        output_dtype: Type of the outputs.
        control_dtype: Type of the controls.
        length_shape: Shape of a window's length: ``()`` or ``(segments,)``.
        input_ones: Maximum number of ones in a row of a sparse boolean array. A record then stores column numbers.
            0: it stores the whole array.
        output_ones: The same for the outputs.
        control_ones: The same for the controls.
    """

    format: Literal["labels", "tensors"]
    steps: int | None
    classes: int
    input_depth: int
    output_depth: int
    control_depth: int = 0
    input_dtype: Literal["bool", "float32"] = "bool"
    output_dtype: Literal["bool", "float32"] = "bool"
    control_dtype: Literal["bool", "float32"] = "bool"
    length_shape: tuple[int, ...] = ()
    input_ones: int = 0
    output_ones: int = 0
    control_ones: int = 0

    def __post_init__(self) -> None:
        widest = MAX_DEPTH if self.format == "tensors" else 2**MAX_CLASSES
        ranges = {
            "steps": (self.steps or 1, 1, MAX_STEPS),
            "classes": (self.classes, self.format == "labels", MAX_CLASSES),
            "length_shape": (math.prod(self.length_shape), 1, MAX_STEPS),
        }
        for name in ("input", "output", "control"):
            ranges[f"{name}_depth"] = (getattr(self, f"{name}_depth"), 0, widest)
            ranges[f"{name}_ones"] = (getattr(self, f"{name}_ones"), 0, MAX_DEPTH)
        for name, (value, lowest, highest) in ranges.items():
            if not lowest <= value <= highest:
                raise ValueError(f"'{name}' is {value}, not from {lowest:d} to {highest:,}")
        if self.format == "labels" and self.steps is None:
            raise ValueError("'steps' is missing")


class Extractor(Protocol):
    """A picklable function from NoteSequence bytes to windows. Damaged music raises no error; it is counted."""

    @property
    def layout(self) -> Layout:
        """Format of the windows."""
        ...

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that the windows depend on, as JSON values for the manifest."""
        ...

    def __call__(self, record: bytes) -> Extraction:
        """Returns the windows of one NoteSequence.

        Args:
            record: NoteSequence in protobuf wire format.
        """
        ...

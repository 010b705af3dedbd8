"""Training windows as plain data: the settings of the converters that cut them.

``DrumWindows`` are cut by our own code, equal to Magenta's ``DrumsConverter``. ``MagentaWindows`` are cut by one of
Magenta's converters.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from gmd_vae.configuration.limits import COUNT, MOST_UNITS, Range, check_fields, check_numbers, shortened

# Magenta's nine drum classes: note_seq.drums_encoder_decoder.DEFAULT_DRUM_TYPE_PITCHES. The first pitch of a class is
# written to MIDI. A test compares the table with the package.
NINE_CLASSES: tuple[tuple[int, ...], ...] = (
    (36, 35),  # kick
    (38, 27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85),  # snare
    (42, 44, 54, 68, 69, 70, 71, 73, 78, 80, 22),  # closed hi-hat
    (46, 67, 72, 74, 79, 81, 26),  # open hi-hat
    (45, 29, 41, 43, 61, 64, 84),  # low tom
    (48, 47, 60, 63, 77, 86, 87),  # mid tom
    (50, 30, 62, 76, 83),  # high tom
    (49, 52, 55, 57, 58),  # crash
    (51, 53, 59, 82),  # ride
)
CLASS_NAMES = ("kick", "snare", "closed hi-hat", "open hi-hat", "low tom", "mid tom", "high tom", "crash", "ride")

MAX_CLASSES = 62  # drum classes: labels are int64
MAX_STEPS = 4096  # of a window: 256 bars of sixteenths. The longest of all configs has 512


_DENOMINATORS = (1, 2, 4, 8, 16, 32)


class Meter(NamedTuple):
    """Bars and beats of drum windows.

    Attributes:
        steps_per_bar: Steps in a bar.
        steps_per_beat: Steps in a beat: a quarter note, or a dotted one in 6/8, 9/8 and 12/8.
        is_compound: True if a beat has three eighth notes.
    """

    steps_per_bar: int
    steps_per_beat: int = 4
    is_compound: bool = False


@dataclasses.dataclass(frozen=True)
class DrumWindows:
    """Drum windows of fixed length, as ``magenta.models.music_vae.data.DrumsConverter`` cuts them.

    A window has ``steps`` steps, sixteenth notes with ``steps_per_quarter=4``. Each step is a *label*: an integer in
    which bit ``i`` is 1 if a drum of class ``i`` begins there. The decoder's one-hot vector (``2 ** classes`` columns)
    and the encoder's drum roll (one column for each class, and a last one for "no hit") are functions of the label.

    Attributes:
        slice_bars: Length of a window in bars; a window begins at every bar.
        max_bars: Maximum length of a stretch of drums in bars; it is cut off there before it is sliced. ``None``: no
            limit.
        gap_bars: Length in bars of a pause that ends a stretch of drums.
        steps_per_quarter: Steps in a quarter note.
        quarters_per_bar: Quarter notes in a bar; music with other bars gives no windows.
        pitch_classes: MIDI pitches of each drum class; other pitches are dropped.
        roll_input: The encoder reads the drum roll; False: the one-hot vector.
        roll_output: The decoder writes the drum roll; False: the one-hot vector.
        time_signature: Numerator and denominator that generated files have; ``None``: ``quarters_per_bar``/4. It does
            not change which windows are cut: a bar of 6/8 is as long as one of 3/4.
    """

    slice_bars: int = 4
    max_bars: int | None = 100
    gap_bars: float = 1.0
    steps_per_quarter: int = 4
    quarters_per_bar: int = 4
    pitch_classes: tuple[tuple[int, ...], ...] = NINE_CLASSES
    roll_input: bool = True
    roll_output: bool = False
    time_signature: tuple[int, int] | None = None

    def check(self) -> None:
        """Checks the types and ranges of the fields, and the size of a window.

        Raises:
            ValueError: A field does not fit, or a window is too large.
        """
        counts = dict.fromkeys(("slice_bars", "steps_per_quarter", "quarters_per_bar"), COUNT)
        switches = dict.fromkeys(("roll_input", "roll_output"), bool)
        check_fields(vars(self), {**counts, **switches, "gap_bars": Range(float, 0, 10**6)})
        if self.max_bars is not None:
            check_fields(vars(self), {"max_bars": COUNT})
        classes = self.pitch_classes
        if not isinstance(classes, tuple) or not 1 <= len(classes) <= MAX_CLASSES:
            raise ValueError(f"pitch_classes is {shortened(classes)}, and must be a tuple of 1 to {MAX_CLASSES} tuples")
        for pitches in classes:
            check_numbers("pitch_classes", pitches, Range(int, 0, 127), 128)
            if not pitches:
                raise ValueError("pitch_classes holds a class without pitches")
        if self.time_signature is not None:
            check_numbers("time_signature", self.time_signature, Range(int, 1, 64), 2)
            if len(self.time_signature) != 2 or self.time_signature[1] not in _DENOMINATORS:
                raise ValueError(f"time_signature is {self.time_signature}, and must be a pair such as (6, 8)")
            if 4 * self.time_signature[0] != self.quarters_per_bar * self.time_signature[1]:
                raise ValueError(
                    f"time_signature is {self.time_signature}, whose bar is not {self.quarters_per_bar} quarter notes"
                )
        if self.steps > MAX_STEPS:
            raise ValueError(f"its windows have {self.steps:,} steps, and must have at most {MAX_STEPS:,}")
        if max(self.input_depth, self.output_depth) > MOST_UNITS:
            raise ValueError(f"its {len(classes)} drum classes are too many for one-hot vectors: 16 is the limit")

    @property
    def converter(self) -> str:
        """Empty: none of Magenta's converters cuts these windows."""
        return ""

    @property
    def bars(self) -> int:
        """Bars in one window."""
        return self.slice_bars

    @property
    def steps_per_bar(self) -> int:
        """Steps in one bar."""
        return self.steps_per_quarter * self.quarters_per_bar

    @property
    def signature(self) -> tuple[int, int]:
        """Numerator and denominator of the time signature."""
        return self.time_signature or (self.quarters_per_bar, 4)

    @property
    def meter(self) -> Meter:
        """Bars and beats in steps."""
        numerator, denominator = self.signature
        beat = 3 * self.steps_per_quarter / 2
        if denominator >= 8 and numerator > 3 and numerator % 3 == 0 and beat.is_integer():
            return Meter(self.steps_per_bar, int(beat), is_compound=True)
        return Meter(self.steps_per_bar, self.steps_per_quarter)

    @property
    def cutting(self) -> dict[str, Any]:
        """The fields that change which windows are cut, for manifests and comparisons."""
        fields = dataclasses.asdict(self)
        del fields["time_signature"]
        return fields

    @property
    def voice_names(self) -> tuple[str, ...]:
        """Names of the drum classes in their order."""
        if self.pitch_classes == NINE_CLASSES:
            return CLASS_NAMES
        return tuple(f"pitch {pitches[0]}" for pitches in self.pitch_classes)

    @property
    def steps(self) -> int:
        """Steps in one window."""
        return self.slice_bars * self.steps_per_bar

    @property
    def input_depth(self) -> int:
        """Columns of the encoder's input: the roll with its "no hit" column, or the one-hot vector."""
        return len(self.pitch_classes) + 1 if self.roll_input else 2 ** len(self.pitch_classes)

    @property
    def output_depth(self) -> int:
        """Columns of the decoder's output: the roll, or the one-hot vector."""
        return len(self.pitch_classes) if self.roll_output else 2 ** len(self.pitch_classes)


GrooveTask: TypeAlias = Literal["play", "humanize", "tap", "add", "follow"]


@dataclasses.dataclass(frozen=True)
class MagentaWindows:
    """Windows that one of Magenta's converters cuts.

    A test compares each row of ``magenta_table.py`` with the installed converters.

    Attributes:
        converter: First of Magenta's configs with this converter, or the config itself where its family builds the
            converter. Examples cut for one fit every config with the same converter.
        bars: Bars of 4/4 in a window.
        steps: Steps in a window, those of all tracks together; the longest where windows may be shorter.
        parts: Streams that the decoder writes, in the order of their columns. Empty for GrooVAE.
        tracks: Tracks that stand one behind the other in a window and sound together. Where there are several, the
            steps are events of a track; else they are sixteenth notes.
        controls: Conditioning input of each step.
        task: GrooVAE only. ``play``: reconstructs the pattern. ``humanize``: adds velocities and timing to its hits.
            ``tap``: makes drums of a tapped rhythm. ``add``: adds missing drums. ``follow``: plays given hits.
        added: Drum classes that task ``add`` adds.
    """

    converter: str
    bars: int
    steps: int
    parts: tuple[str, ...] = ()
    tracks: int = 1
    controls: Literal["chords", "hits", ""] = ""
    task: GrooveTask | Literal[""] = ""
    added: tuple[int, ...] = ()

    def check(self) -> None:
        """Checks the types and ranges of the fields.

        Raises:
            ValueError: A field does not fit.
        """
        check_fields(
            vars(self),
            {
                "converter": str,
                "bars": COUNT,
                "steps": Range(int, 1, MAX_STEPS),
                "tracks": Range(int, 1, MAX_STEPS),
                "controls": ("chords", "hits", ""),
                "task": (*get_args(GrooveTask), ""),
            },
        )
        if not isinstance(self.parts, tuple) or not all(isinstance(part, str) for part in self.parts):
            raise ValueError(f"parts is {shortened(self.parts)}, and must be a tuple of names")
        check_numbers("added", self.added, Range(int, 0, MAX_CLASSES), MAX_CLASSES)


WindowSpec: TypeAlias = DrumWindows | MagentaWindows

"""What to generate, and which wishes go together. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import UsageError, nearest

SAMPLE, INTERPOLATE, RECONSTRUCT = "sample", "interpolate", "reconstruct"
VARY, ATTRIBUTE, CONTINUE = "vary", "attribute", "continue"
GROOVE = "groove"
MODES = (SAMPLE, INTERPOLATE, RECONSTRUCT, VARY, ATTRIBUTE, CONTINUE, GROOVE)

COUNT = 8
RADIUS = 0.5
DISTANCE = 8
DRIFT = 0.4
BARS = 32  # of a continuation
MAX_BARS = 4_000  # of one file: more than two hours at 120 quarters a minute

# What a user means with a mode unless he says something else: modes that show what the model makes of a
# beat take the likeliest step each time, those that invent do not.
TEMPERATURES = {
    **dict.fromkeys((SAMPLE, INTERPOLATE, CONTINUE), 0.5),
    **dict.fromkeys((RECONSTRUCT, VARY, ATTRIBUTE, GROOVE), 0.0),
}
MEASURED = "measured"  # --humanize without a run

# wish → the modes that know it; those that are not here go with all of them
_MODES_OF: dict[str, tuple[str, ...]] = {
    "num_outputs": (SAMPLE, INTERPOLATE, VARY, ATTRIBUTE, CONTINUE),
    "around": (SAMPLE,),
    "radius": (SAMPLE,),
    "same_z": (SAMPLE,),
    "latents": (SAMPLE,),
    "path": (INTERPOLATE,),
    "input_midi": (INTERPOLATE, RECONSTRUCT, VARY, ATTRIBUTE, CONTINUE, GROOVE),
    "window": (SAMPLE, INTERPOLATE, RECONSTRUCT, VARY, ATTRIBUTE, CONTINUE),
    "chords": (SAMPLE, INTERPOLATE, RECONSTRUCT, VARY, CONTINUE),
    "input_seed": (INTERPOLATE, VARY, ATTRIBUTE, CONTINUE),
    "distance": (VARY,),
    "attribute": (ATTRIBUTE,),
    "examples_path": (ATTRIBUTE,),
    "bars": (SAMPLE, CONTINUE),
    "drift": (SAMPLE, CONTINUE),
    "only": (SAMPLE, INTERPOLATE, VARY, ATTRIBUTE, CONTINUE),
}


@dataclasses.dataclass(frozen=True)
class Move:
    """How far to go along an attribute's vector: 1 is once the vector."""

    attribute: str
    start: float
    end: float


@dataclasses.dataclass(frozen=True)
class Request:
    """What to generate.

    Attributes:
        mode: one of ``MODES``.
        count: files to write; in an interpolation from one input to the next, both counted.
        temperature: of the decoder's output distribution; lower is safer, 0 takes the likeliest step.
        seed: same seed, checkpoint and options: same bytes.
        radius: of samples around a beat, their standard deviation in each dimension of z.
        same_z: all samples come from the same z.
        path: ``slerp`` or ``lerp``.
        distance: steps in which variations shall differ from what the model makes of the beat.
        moves: of the attributes.
        bars: length of each file; ``None``: one window.
        drift: how far each window of a longer file is from the one before it, 0 to 1.
        join: writes all beats into one more file.
        only: writes only the file of this number.
        tempo: quarters a minute; ``None``: that of the input, or 120.
        chords: of each bar; they begin again where there are more bars. Empty: those of the input, if the
            model knows chords.
    """

    mode: str = SAMPLE
    count: int = COUNT
    temperature: float = 0.5
    seed: int = 0
    radius: float | None = None
    same_z: bool = False
    path: str = "slerp"
    distance: int = DISTANCE
    moves: tuple[Move, ...] = ()
    bars: int | None = None
    drift: float = DRIFT
    join: bool = False
    only: int | None = None
    tempo: float | None = None
    chords: tuple[str, ...] = ()

    def numbers(self, total: int) -> range:
        """The files to write, of ``total``.

        Raises:
            UsageError: there is none of that number.
        """
        if self.only is None:
            return range(total)
        if self.only >= total:
            raise UsageError(
                f"There is no file {self.only}: they are numbered from 0 to {total - 1}", "Choose a smaller --only."
            )
        return range(self.only, self.only + 1)

    def describe(self) -> dict[str, Any]:
        """For the manifest: what was asked for, without what the mode does not know."""
        options = {"count": "num_outputs", "moves": "attribute"}
        return {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if not (value is None or value is False or value == ())
            and self.mode in _MODES_OF.get(options.get(name, name), MODES)
            and (name != "drift" or self.bars is not None)
        }


def check_wishes(mode: str, wishes: Mapping[str, Any]) -> None:
    """Refuses what cannot be meant together.

    Args:
        mode: one of ``MODES``.
        wishes: the options that the user gave himself, by name (``input_midi``); defaults are not among them.

    Raises:
        UsageError: an option does not go with the mode or with another one, or one is missing.
    """
    for wish in wishes:
        modes = _MODES_OF.get(wish, MODES)
        if mode not in modes:
            raise UsageError(
                f"{_option(wish)} goes with --mode {_or(modes)}, not with {mode}", "Leave one of them out."
            )
    ends = len(wishes.get("input_midi", ())) + len(wishes.get("input_seed", ()))
    either = "--input-midi FILE or --input-seed NUMBER"
    if mode == INTERPOLATE and ends < 2:
        raise UsageError("--mode interpolate goes from beat to beat, and needs two or more", f"Give {either} twice.")
    if mode == INTERPOLATE and wishes.get("num_outputs") == 1:
        raise UsageError("From beat to beat are at least 2 beats, for both ends count", "Choose a larger -n.")
    if mode in (RECONSTRUCT, GROOVE) and not ends:
        raise UsageError(f"--mode {mode} needs music", "Give --input-midi FILE, once or more often.")
    if mode in (VARY, CONTINUE) and ends != 1:
        raise UsageError(f"--mode {mode} takes one beat, not {ends}", f"Give {either} once.")
    if mode == ATTRIBUTE and ends > 1:
        raise UsageError(f"--mode attribute takes one beat, not {ends}", f"Give {either} once, or not at all.")
    if mode == ATTRIBUTE and "attribute" not in wishes:
        raise UsageError("--mode attribute needs to know what to change", "Give --attribute, for example ride=+1.")
    for wish, other in (("radius", "around"), ("drift", "bars")):
        if wish in wishes and other not in wishes and mode == SAMPLE:
            raise UsageError(f"{_option(wish)} goes with {_option(other)}", f"Add {_option(other)}, or leave it out.")
    for one, other in (("latents", "num_outputs"), ("latents", "around"), ("latents", "bars"), ("latents", "same_z")):
        if one in wishes and other in wishes:
            raise UsageError(f"--latents says what each beat is, and {_option(other)} too", "Leave one of them out.")
    if "only" in wishes and "join" in wishes:
        raise UsageError("--only writes one file, and --join needs all of them", "Leave one of them out.")
    if "velocity" in wishes and "humanize" in wishes:
        raise UsageError("--velocity makes all hits equally loud, and --humanize does not", "Leave one of them out.")
    windows, files = wishes.get("window", ()), len(wishes.get("input_midi", ())) + ("around" in wishes)
    if windows and not files:
        raise UsageError("--window says which window of a MIDI file", "Give a file too.")
    if len(windows) > 1 and len(windows) != files:
        raise UsageError(
            f"--window is given {len(windows)} times for {files} files", "Give it once for all, or once for each file."
        )


def parse_move(text: str) -> Move:
    """``ride=+1.0`` (from nothing to 1), or ``ride=-1:1``.

    Raises:
        UsageError: it is neither.
    """
    name, _, amounts = text.partition("=")
    try:
        numbers = [float(amount) for amount in amounts.split(":")]
    except ValueError:
        numbers = []
    if not name.strip() or len(numbers) not in (1, 2) or not all(math.isfinite(number) for number in numbers):
        raise UsageError(
            f"'{text}' is no --attribute", "Write NAME=AMOUNT, such as ride=+1.0, or NAME=FROM:TO, such as ride=-1:1."
        )
    start, end = numbers if len(numbers) == 2 else (0.0, numbers[0])
    return Move(plain(name), start, end)


def check_attributes(moves: Sequence[Move], names: Sequence[str]) -> tuple[Move, ...]:
    """The moves, with the attributes' own names for what a user writes (``closed-hi-hat``).

    Raises:
        UsageError: there is no such attribute, or one is named twice; answers with the nearest names.
    """
    known = {plain(name): name for name in names}
    for move in moves:
        if move.attribute not in known:
            raise UsageError(f"There is no attribute '{move.attribute}'", nearest(move.attribute, list(known)))
        if sum(other.attribute == move.attribute for other in moves) > 1:
            raise UsageError(f"--attribute {move.attribute} is given twice", "Leave one of them out.")
    return tuple(dataclasses.replace(move, attribute=known[move.attribute]) for move in moves)


def plain(name: str) -> str:
    """An attribute's name as one types it: ``closed hi-hat`` is ``closed-hi-hat``."""
    return re.sub(r"[\s_]+", "-", name.strip().lower())


def which_windows(windows: Sequence[int], files: Sequence[Path]) -> list[int | None]:
    """The number of the window of each file: ``--window`` once for all of them, or once for each."""
    if len(windows) > 1:
        return list(windows)
    return [windows[0] if windows else None] * len(files)


def _option(wish: str) -> str:
    return "--" + wish.replace("_", "-")


def _or(names: Sequence[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]

"""The request for ``generate``: mode, counts and distances; and the rules for options that go together."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gmd_vae.common import temperatures
from gmd_vae.common.errors import UsageError, nearest

SAMPLE, INTERPOLATE, RECONSTRUCT = "sample", "interpolate", "reconstruct"
VARY, ATTRIBUTE, CONTINUE = "vary", "attribute", "continue"
GROOVE = "groove"
MODES = (SAMPLE, INTERPOLATE, RECONSTRUCT, VARY, ATTRIBUTE, CONTINUE, GROOVE)

COUNT = 8
RADIUS = 0.2
DISTANCE = 8
DRIFT = 0.4
BARS = 32  # default length of a continuation
MAX_BARS = 4_000  # for one file: more than two hours at 120 quarter notes per minute
_MAX_AMOUNT = 100  # of --attribute: larger than in any music

LIKELIEST = 0.0  # temperature that takes the likeliest step each time
_DRAWING = (SAMPLE, INTERPOLATE, CONTINUE)  # the other modes show the model's version of an input
MEASURED = "measured"  # --humanize without a run

# option → the modes that take it; all modes take the options that are not listed
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
    "prior": (SAMPLE, INTERPOLATE, VARY, ATTRIBUTE, CONTINUE),
}


@dataclasses.dataclass(frozen=True)
class Move:
    """A move along an attribute vector.

    Attributes:
        attribute: Name of the attribute.
        start: Multiple of the vector for the first file.
        end: Multiple of the vector for the last file.
    """

    attribute: str
    start: float
    end: float


@dataclasses.dataclass(frozen=True)
class GenerationRequest:
    """Settings of one ``gmd-vae generate``.

    Attributes:
        mode: One of ``MODES``.
        count: Number of files. In an interpolation: files from one input to the next, both ends included.
        temperature: Temperature of the decoder's output distribution; 0 takes the likeliest step.
        seed: Seed of every RNG. The same seed, checkpoint and options give the same bytes.
        radius: Standard deviation of samples around an input, in each dimension of z; ``None``: samples of the prior.
        same_z: Decodes all samples from the same z.
        path: Path of an interpolation, ``slerp`` or ``lerp``.
        distance: Number of steps in which variations differ from the model's version of the input.
        moves: Moves along attribute vectors.
        bars: Length of each file in bars; ``None``: one window.
        drift: Step size of the AR(1) walk from window to window of longer files, 0 to 1.
        join: Writes one more file with all others in a row.
        only: Number of the only file to write; ``None``: all files.
        tempo: Quarter notes per minute; ``None``: the tempo of the input, or 120.
        chords: Chord symbol of each bar, repeated to the end of the file. Empty: the chords of the input, if the model
            is conditioned on chords.
        prior: Distribution of z, one of ``priors.PRIORS``; ``None``: no z is drawn, or N(0, I).
    """

    mode: str = SAMPLE
    count: int = COUNT
    temperature: float = temperatures.SAMPLING
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
    prior: str | None = None

    def labels(self, total: int) -> list[str]:
        """Returns a label of each file for pictures: its place between the inputs of an interpolation, else [].

        Args:
            total: Number of files.
        """
        if self.mode != INTERPOLATE:
            return []
        steps = self.count - 1  # from one input to the next
        names = [
            f"{number % steps}/{steps}" if number % steps else f"input {number // steps + 1}" for number in range(total)
        ]
        return ["start", *names[1:-1], "end"]

    def numbers(self, total: int) -> range:
        """Returns the numbers of the files to write.

        Args:
            total: Number of files of the request without ``only``.

        Raises:
            UsageError: No file has the number ``only``.
        """
        if self.only is None:
            return range(total)
        if self.only >= total:
            raise UsageError(
                f"There is no file {self.only}: they are numbered from 0 to {total - 1}", "Choose a smaller --only."
            )
        return range(self.only, self.only + 1)

    def describe(self) -> dict[str, Any]:
        """Returns the settings that the mode uses, for the manifest."""
        options = {"count": "num_outputs", "moves": "attribute"}
        return {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if not (value is None or value is False or value == ())
            and self.mode in _MODES_OF.get(options.get(name, name), MODES)
            and (name != "drift" or self.bars is not None)
        }


def default_temperature(mode: str, sampling: float) -> float:
    """Returns the temperature of a mode where the user names none.

    Args:
        mode: One of ``MODES``.
        sampling: Temperature at which new music is drawn (``Family.sampling_temperature``).
    """
    return sampling if mode in _DRAWING else LIKELIEST


def check_options(mode: str, options: Mapping[str, Any]) -> None:
    """Checks that options go together, whatever the model.

    Args:
        mode: One of ``MODES``.
        options: Options given on the command line, by name (``input_midi``), without defaults.

    Raises:
        UsageError: An option does not go with the mode or with another option, or one is missing.
    """
    for name in options:
        modes = _MODES_OF.get(name, MODES)
        if mode not in modes:
            raise UsageError(
                f"{_option(name)} goes with --mode {_or(modes)}, not with {mode}", _way_out(mode, name, options)
            )
    _check_input_count(mode, options)
    if mode == ATTRIBUTE and "attribute" not in options:
        raise UsageError("--mode attribute needs an attribute to change", "Give --attribute, for example ride=+1.")
    for name, needed in (("radius", "around"), ("drift", "bars")):
        if name in options and needed not in options and mode == SAMPLE:
            raise UsageError(f"{_option(name)} goes with {_option(needed)}", f"Add {_option(needed)}, or leave it out.")
    for other in ("num_outputs", "around", "bars", "same_z"):
        if "latents" in options and other in options:
            raise UsageError(f"--latents and {_option(other)} both determine the beats", "Leave one of them out.")
    if "only" in options and "join" in options:
        raise UsageError("--only writes one file, and --join needs all of them", "Leave one of them out.")
    windows = options.get("window", ())
    files = len(options.get("input_midi", ())) + ("around" in options)
    for name, option in (("drum_channels", "--drum-channel"), ("drum_map", "--drum-map")):
        if name in options and not files:
            raise UsageError(f"{option} says how MIDI files are read", "Give a file too: --input-midi FILE.")
    if windows and not files:
        raise UsageError("--window chooses a window of a MIDI file", "Give a file too.")
    if len(windows) > 1 and len(windows) != files:
        raise UsageError(
            f"--window is given {len(windows)} times for {files} files", "Give it once for all, or once for each file."
        )


def _way_out(mode: str, name: str, options: Mapping[str, Any]) -> str:
    """Returns what to do about an option that the mode does not take: the requests that come nearest to it."""
    from gmd_vae.common.printable import quoted  # only for errors: --help does without

    files = options.get("input_midi", ())
    source = quoted(files[0]) if files else "FILE"
    if name == "bars" and files:
        bars = f"--bars {options['bars']}"
        return (
            f"For more bars of a beat: --around {source} {bars}, --mode continue {bars} for what follows it, or --mode"
            " vary -n 4 --join for variations in a row."
        )
    if name == "input_midi" and mode == SAMPLE:
        bars = f" --bars {options['bars']}" if "bars" in options else ""
        played = (
            " To hear it as a drummer plays it: --model humanize-2bar --mode groove." if "humanize" in options else ""
        )
        return (
            f"For beats near it: --around {source}{bars}; for versions: --mode vary; for what follows: --mode continue."
            f"{played}"
        )
    return "Leave one of them out."


def _check_input_count(mode: str, options: Mapping[str, Any]) -> None:
    """Checks the number of MIDI files and seeds that a mode starts from."""
    inputs = len(options.get("input_midi", ())) + len(options.get("input_seed", ()))
    either = "--input-midi FILE or --input-seed NUMBER"
    if mode == INTERPOLATE and inputs < 2:
        raise UsageError("--mode interpolate goes from beat to beat, and needs two or more", f"Give {either} twice.")
    if mode == INTERPOLATE and options.get("num_outputs") == 1:
        raise UsageError("Interpolation needs -n 2 or more: both endpoints count", "Choose a larger -n.")
    if mode in (RECONSTRUCT, GROOVE) and not inputs:
        raise UsageError(f"--mode {mode} needs music", "Give --input-midi FILE, once or more often.")
    if mode in (VARY, CONTINUE) and inputs != 1:
        raise UsageError(f"--mode {mode} takes one beat, not {inputs}", f"Give {either} once.")
    if mode == ATTRIBUTE and inputs > 1:
        raise UsageError(f"--mode attribute takes one beat, not {inputs}", f"Give {either} once, or not at all.")


def parse_move(text: str) -> Move:
    """Returns the move of an option such as ``ride=+1.0`` (from 0 to 1) or ``ride=-1:1``.

    Raises:
        UsageError: The text has another form, or a number is not within ±100.
    """
    name, _, amounts = text.partition("=")
    try:
        numbers = [float(amount) for amount in amounts.split(":")]
    except ValueError:
        numbers = []
    if not name.strip() or len(numbers) not in (1, 2) or not all(abs(number) <= _MAX_AMOUNT for number in numbers):
        raise UsageError(
            f"'{text}' is no value for --attribute",
            f"Write NAME=AMOUNT, such as ride=+1.0, or NAME=FROM:TO, such as ride=-1:1, up to {_MAX_AMOUNT}.",
        )
    start, end = numbers if len(numbers) == 2 else (0.0, numbers[0])
    return Move(plain(name), start, end)


def check_attributes(moves: Sequence[Move], names: Sequence[str]) -> tuple[Move, ...]:
    """Returns the moves with the full names of their attributes (``closed hi-hat`` for ``closed-hi-hat``).

    Args:
        moves: Moves from ``parse_move``.
        names: Full names of all attributes.

    Raises:
        UsageError: An attribute does not exist (the error names the nearest), or is given twice.
    """
    known = {plain(name): name for name in names}
    for move in moves:
        if move.attribute not in known:
            raise UsageError(f"There is no attribute '{move.attribute}'", nearest(move.attribute, list(known)))
        if sum(other.attribute == move.attribute for other in moves) > 1:
            raise UsageError(f"--attribute {move.attribute} is given twice", "Leave one of them out.")
    return tuple(dataclasses.replace(move, attribute=known[move.attribute]) for move in moves)


def plain(name: str) -> str:
    """Returns an attribute's name as it is typed: ``closed hi-hat`` becomes ``closed-hi-hat``."""
    return re.sub(r"[\s_]+", "-", name.strip().lower())


def window_numbers(windows: Sequence[int], files: Sequence[object]) -> list[int | None]:
    """Returns the window number of each file: ``--window`` is given once for all files, or once for each."""
    if len(windows) > 1:
        return list(windows)
    return [windows[0] if windows else None] * len(files)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _or(names: Sequence[str]) -> str:
    return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]

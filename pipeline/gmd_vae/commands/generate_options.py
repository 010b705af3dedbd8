"""Options of ``gmd-vae generate``, in the groups of its help."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gmd_vae.commands.options import Command, DrumChannelType, FiniteRange, GroupedCommand, GroupedOption, Name, Tempo
from gmd_vae.commands.paths import UserPath
from gmd_vae.common.priors import PRIORS
from gmd_vae.generation import request

_MODEL, _INPUTS, _LATENT, _PLAYING, _FILES = "Model", "Inputs", "Latent space", "Playing", "Output"


class FileNumber(click.IntRange):
    """The number of a file to write."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Returns the number; raises ``BadParameter`` with the meaning of the option."""
        if not re.fullmatch(r"\s*[0-9]+\s*", str(value)):
            self.fail(
                f"{value!r} is not a number from 0: --only writes a single file, for example --only 3.", param, ctx
            )
        return int(super().convert(value, param, ctx))


def _option(group: str, *names: str, **settings: Any) -> Callable[[Command], Command]:
    return click.option(*names, cls=GroupedOption, group=group, **settings)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _option(
        _MODEL,
        "--model",
        "model_name",
        metavar="NAME|FILE|RUN",
        type=UserPath(),  # text: a path would make "./groove-4bar" into "groove-4bar"
        help="A model of the package (`gmd-vae models` lists them), a model file (.safetensors), or a run folder.  "
        "[default: the newest run in runs/ that can do what you ask, else groove-4bar of the package]",
    ),
    _option(_MODEL, "--run-dir", type=UserPath(path_type=Path), help="A run folder."),
    _option(
        _MODEL,
        "--checkpoint-file",
        type=UserPath(),  # text: a path would make "./best" into "best"
        help="'best' or 'latest' of the run, or a checkpoint instead of a run: prefix, .index file, folder or "
        "Magenta's .tar.  [default: best, or latest in a run without validation]",
    ),
    _option(
        _MODEL,
        "--config",
        "config_name",
        metavar="NAME",
        type=Name(),
        help="The config of a checkpoint instead of a run.  [default: the one it is named after, as Magenta's are]",
    ),
    _option(
        _MODEL,
        "--no-acceleration",
        is_flag=True,
        help="With a model that needs TensorFlow: Magenta's own layers, slower, for comparison.  [default: ours]",
    ),
    _option(
        _INPUTS,
        "--mode",
        type=click.Choice(request.MODES),
        default=request.SAMPLE,
        show_default=True,
        help="sample: new beats. interpolate: from beat to beat. reconstruct: the model's version of a beat or of a "
        "whole song. vary: variations of a beat. attribute: more or less of one attribute. continue: bars that follow "
        "a beat. groove: the task of a GrooVAE on your drums: a drummer's velocity and timing, missing drums, or drums "
        "for a rhythm tapped on any key.",
    ),
    _option(
        _INPUTS,
        "--input-midi",
        metavar="FILE",
        type=UserPath(path_type=Path),
        multiple=True,
        help="MIDI file to start from, of any length and tempo. Music that the model does not play is left out. "
        "interpolate takes two or more, reconstruct and groove one or more, the others one.",
    ),
    _option(
        _INPUTS,
        "--drum-channel",
        "drum_channels",
        metavar="N|FILE=N",
        type=DrumChannelType(),
        multiple=True,
        help="MIDI channel of the drums in --input-midi and --around, 1 to 16, or all; for one file of several: "
        "song.mid=3, repeatable.  [default: 10]",
    ),
    _option(
        _INPUTS,
        "--drum-map",
        metavar="MAP",
        type=UserPath(),
        help="Drums of another kit in these files: a ready map (general-midi, roland-td), or a file with two columns.",
    ),
    _option(
        _INPUTS,
        "--input-seed",
        metavar="NUMBER",
        type=click.IntRange(0, 2**31 - 1),
        multiple=True,
        help="Start from the first sample of this seed instead of a file. Seeds come after files.",
    ),
    _option(
        _INPUTS,
        "--window",
        metavar="K",
        type=click.IntRange(min=1),
        multiple=True,
        help="Number of the window in the file; once for all files, or once for each. `gmd-vae inspect FILE` shows "
        "them.  "
        "[default: the fullest regular one; the last to continue; all to reconstruct]",
    ),
    _option(
        _INPUTS,
        "--chords",
        metavar="SYMBOLS",
        help='Chord symbols for a model with chords, one for each bar, such as "C G Am F". They repeat to the end of '
        "the file.  [default: those of the MIDI file]",
    ),
    _option(
        _INPUTS,
        "--around",
        metavar="FILE",
        type=UserPath(path_type=Path),
        help="sample: beats near the beat of this MIDI file.",
    ),
    _option(
        _INPUTS,
        "--latents",
        metavar="FILE",
        type=UserPath(path_type=Path),
        help="sample: decode these latent vectors, from the latents.npz of generated beats.",
    ),
    _option(
        _LATENT,
        "--radius",
        metavar="NUMBER",
        type=FiniteRange(0, 10),
        default=request.RADIUS,
        show_default=True,
        help="With --around: distance, as a standard deviation. 1 is the distance of independent samples.",
    ),
    _option(
        _LATENT, "--same-z", is_flag=True, help="sample: one z for all beats; only the decoder's random draws differ."
    ),
    _option(
        _LATENT,
        "--path",
        type=click.Choice(["slerp", "lerp"]),
        default="slerp",
        show_default=True,
        help="interpolate: along the sphere (slerp), or straight (lerp).",
    ),
    _option(
        _LATENT,
        "--distance",
        metavar="NUMBER",
        type=click.IntRange(min=1),
        default=request.DISTANCE,
        show_default=True,
        help="vary: number of steps in which a variation differs (4 bars are 64 steps).",
    ),
    _option(
        _LATENT,
        "--attribute",
        metavar="NAME=AMOUNT",
        multiple=True,
        help="attribute: kick, snare, closed-hi-hat, open-hi-hat, low-tom, mid-tom, high-tom, crash, ride, busier, "
        "syncopation or swing; may be given several times. The files go from 0 to AMOUNT in equal steps; ride=-1:1 "
        "goes from less to more.",
    ),
    _option(
        _LATENT,
        "--examples-path",
        metavar="PATH",
        type=UserPath(path_type=Path),
        help="attribute, with a checkpoint or a model file without attribute vectors: training windows for them.  "
        "[default: those of the run]",
    ),
    _option(
        _LATENT,
        "--bars",
        metavar="NUMBER",
        type=click.IntRange(1, request.MAX_BARS),
        help=f"sample, continue: length of each file. Its windows follow a random walk.  [default: one window; "
        f"{request.BARS} to continue]",
    ),
    _option(
        _LATENT,
        "--drift",
        metavar="NUMBER",
        type=FiniteRange(0, 1),
        default=request.DRIFT,
        show_default=True,
        help="With --bars: distance of each window from the one before. 0 repeats it, 1 is independent of it.",
    ),
    _option(
        _LATENT,
        "--prior",
        type=click.Choice(PRIORS),
        help="Distribution of the z of new beats: the density that training fitted to its windows (fitted; "
        "docs/training.md), or N(0, I) (normal).  [default: fitted where the model has one]",
    ),
    _option(
        _LATENT,
        "--temperature",
        metavar="NUMBER",
        type=FiniteRange(0, 10),
        help="Lower is safer, higher is wilder, 0 takes the likeliest step.  [default: 0.25 for drum labels, 0.5 "
        "for other music; 0 to reconstruct, vary, "
        "change attributes and groove]",
    ),
    _option(
        _LATENT,
        "--seed",
        metavar="NUMBER",
        type=click.IntRange(0, 2**31 - 1),
        default=0,
        show_default=True,
        help="Same seed, same bytes.",
    ),
    _option(_PLAYING, "--tempo", metavar="BPM", type=Tempo(20, 400), help="[default: the input's, or 120]"),
    _option(
        _PLAYING,
        "--velocity",
        metavar="NUMBER",
        type=click.IntRange(1, 127),
        help="One velocity for every note.  [default: a drummer's; that of the input for hits that it has too; 80 "
        "for other music and other metres]",
    ),
    _option(
        _PLAYING,
        "--humanize",
        metavar="[MODEL]",
        type=UserPath(),
        is_flag=False,
        flag_value=request.MEASURED,
        help="Velocity and timing of a GrooVAE that humanizes: humanize-2bar, a run or a model file.  [default: those "
        "of drummers, measured on the Groove MIDI Dataset by drum and position in the bar]",
    ),
    _option(_PLAYING, "--quantize", is_flag=True, help="Put every hit on the grid, with a drummer's velocity."),
    _option(
        _PLAYING,
        "--swing",
        metavar="PERCENT",
        type=FiniteRange(50, 75),
        help="Delays every second sixteenth note: 50 is straight, 66 triplets.  [default: 50; the timing of "
        "the input for hits that it has too]",
    ),
    _option(
        _FILES,
        "--num-outputs",
        "-n",
        metavar="NUMBER",
        type=click.IntRange(1, 100_000),
        default=request.COUNT,
        show_default=True,
        help="Number of MIDI files; interpolate: from one beat to the next, both endpoints included.",
    ),
    _option(_FILES, "--join", is_flag=True, help="Write one more MIDI file with all beats in a row."),
    _option(
        _FILES,
        "--only",
        metavar="NUMBER",
        type=FileNumber(0),
        help="Write only the file of this number, with the same bytes as among the others.",
    ),
    _option(_FILES, "--wav", is_flag=True, help="Also write each beat as sound (.wav), a loop of exactly its bars."),
    _option(_FILES, "--tail", is_flag=True, help="With --wav: the last strokes ring on behind the last bar."),
    _option(_FILES, "--png", is_flag=True, help="Also draw each beat as a grid (.png)."),
    _option(
        _FILES,
        "--output-dir",
        type=UserPath(path_type=Path, file_okay=False),
        help="Output folder.  [default: generated/TIME, in the run folder if there is one]",
    ),
)


class GenerateCommand(GroupedCommand):
    """The command, with a hint for a file without its option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments; names the option that a file needs."""
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if rest:
            raise click.UsageError(
                f"'{rest[0]}' needs an option: --input-midi for a MIDI file to start from (for example with --mode"
                " vary), --model for a model.",
                ctx,
            )
        return rest


def generate_options(function: Command) -> Command:
    """Adds all options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function

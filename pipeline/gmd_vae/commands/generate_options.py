"""The options of ``gmd-vae generate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gmd_vae.commands.options import Command, GroupedOption
from gmd_vae.generation import request as wishes

_MODEL, _START = "The model", "What to start from"
_WALK, _PLAY, _FILES = "How to move in latent space", "How it is played", "What to write"


def _option(group: str, *names: str, **settings: Any) -> Callable[[Command], Command]:
    return click.option(*names, cls=GroupedOption, group=group, **settings)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _option(_MODEL, "--run-dir", type=click.Path(path_type=Path), help="A run folder.  [default: the latest in runs/]"),
    _option(
        _MODEL,
        "--checkpoint-file",
        type=click.Path(),  # text: a path would make "./best" into "best"
        help="'best' or 'latest' of the run, or a checkpoint instead of a run: prefix, .index file, folder or "
        "Magenta's .tar.  [default: best, or latest in a run without validation]",
    ),
    _option(
        _MODEL,
        "--config",
        "config_name",
        metavar="NAME",
        help="The config of a checkpoint instead of a run.  [default: the one it is named after, as Magenta's are]",
    ),
    _option(
        _MODEL,
        "--no-acceleration",
        is_flag=True,
        help="Compute with Magenta's own layers: slower, to compare.  [default: ours]",
    ),
    _option(
        _START,
        "--mode",
        type=click.Choice(wishes.MODES),
        default=wishes.SAMPLE,
        show_default=True,
        help="sample: new beats. interpolate: from beat to beat. reconstruct: a beat or a whole song as the model "
        "plays it. vary: variations of a beat. attribute: more or less of something. continue: what follows a beat. "
        "groove: what a GrooVAE was trained to do with your drums: give them a drummer's velocity and timing, add what "
        "is missing, or give drums to a rhythm that you tapped on any key.",
    ),
    _option(
        _START,
        "--input-midi",
        metavar="FILE",
        type=click.Path(path_type=Path),
        multiple=True,
        help="A MIDI file to start from, of any length and tempo; what the model does not play is left out. "
        "interpolate takes two or more, reconstruct and groove one or more, the others one.",
    ),
    _option(
        _START,
        "--input-seed",
        metavar="NUMBER",
        type=click.IntRange(0, 2**31 - 1),
        multiple=True,
        help="Instead of a file: the first sample of that seed. Behind the files, if there are both.",
    ),
    _option(
        _START,
        "--window",
        metavar="K",
        type=click.IntRange(min=1),
        multiple=True,
        help="Which window of the files; once for all, or once for each. `gmd-vae inspect FILE` shows them.  "
        "[default: the first; the last to continue; all to reconstruct]",
    ),
    _option(
        _START,
        "--chords",
        metavar="SYMBOLS",
        help='With a model that plays to chords: one chord a bar, such as "C G Am F", again and again to the end of '
        "the file.  [default: those of the MIDI file]",
    ),
    _option(_START, "--around", metavar="FILE", type=click.Path(path_type=Path), help="sample: beats near this one."),
    _option(
        _START,
        "--latents",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="sample: the latent vectors themselves, from latents.npz of generated beats.",
    ),
    _option(
        _WALK,
        "--radius",
        metavar="NUMBER",
        type=click.FloatRange(0, 10),
        default=wishes.RADIUS,
        show_default=True,
        help="With --around: how near. 1 is as far as samples are from each other.",
    ),
    _option(_WALK, "--same-z", is_flag=True, help="sample: one z for all beats; only the decoder's dice differ."),
    _option(
        _WALK,
        "--path",
        type=click.Choice(["slerp", "lerp"]),
        default="slerp",
        show_default=True,
        help="interpolate: along the sphere, or straight.",
    ),
    _option(
        _WALK,
        "--distance",
        metavar="NUMBER",
        type=click.IntRange(min=1),
        default=wishes.DISTANCE,
        show_default=True,
        help="vary: in how many steps a variation differs (4 bars are 64 steps).",
    ),
    _option(
        _WALK,
        "--attribute",
        metavar="NAME=AMOUNT",
        multiple=True,
        help="attribute: kick, snare, closed-hi-hat, open-hi-hat, low-tom, mid-tom, high-tom, crash, ride, busier, "
        "syncopation or swing; several at once too. The files go from nothing to AMOUNT in equal steps; ride=-1:1 goes "
        "from less to more.",
    ),
    _option(
        _WALK,
        "--examples-path",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="attribute, with a checkpoint instead of a run: windows that show what more and less of something is.  "
        "[default: those that the run was trained on]",
    ),
    _option(
        _WALK,
        "--bars",
        metavar="NUMBER",
        type=click.IntRange(1, wishes.MAX_BARS),
        help=f"sample, continue: the length of each file, window after window on a smooth way.  [default: one window; "
        f"{wishes.BARS} to continue]",
    ),
    _option(
        _WALK,
        "--drift",
        metavar="NUMBER",
        type=click.FloatRange(0, 1),
        default=wishes.DRIFT,
        show_default=True,
        help="With --bars: how far each window is from the one before. 0 stays, 1 is always new.",
    ),
    _option(
        _WALK,
        "--temperature",
        metavar="NUMBER",
        type=click.FloatRange(0, 10),
        help="Lower is safer, higher is wilder, 0 takes the likeliest step.  [default: 0.5; 0 to reconstruct, vary, "
        "change attributes and groove]",
    ),
    _option(
        _WALK,
        "--seed",
        metavar="NUMBER",
        type=click.IntRange(0, 2**31 - 1),
        default=0,
        show_default=True,
        help="Same seed, same bytes.",
    ),
    _option(_PLAY, "--tempo", metavar="BPM", type=click.FloatRange(20, 400), help="[default: the input's, or 120]"),
    _option(_PLAY, "--velocity", metavar="NUMBER", type=click.IntRange(1, 127), help="Of every note.  [default: 80]"),
    _option(
        _PLAY,
        "--humanize",
        metavar="[RUN]",
        is_flag=False,
        flag_value=wishes.MEASURED,
        help="Velocity and timing of drummers: measured on the Groove MIDI Dataset, by drum and place in the bar. "
        "With a run of a GrooVAE that humanizes: as that model plays these hits.",
    ),
    _option(
        _PLAY,
        "--swing",
        metavar="PERCENT",
        type=click.FloatRange(50, 75),
        help="Delays every second sixteenth note: 50 is straight, 66 triplets.  [default: 50]",
    ),
    _option(
        _FILES,
        "--num-outputs",
        "-n",
        metavar="NUMBER",
        type=click.IntRange(1, 100_000),
        default=wishes.COUNT,
        show_default=True,
        help="MIDI files; interpolate: from one beat to the next, both counted.",
    ),
    _option(_FILES, "--join", is_flag=True, help="Write all beats, one after the other, into one more MIDI file."),
    _option(
        _FILES,
        "--only",
        metavar="NUMBER",
        type=click.IntRange(min=0),
        help="Write only the file of this number, with the same bytes as among the others.",
    ),
    _option(_FILES, "--wav", is_flag=True, help="Write each beat as sound too (.wav)."),
    _option(_FILES, "--png", is_flag=True, help="Draw each beat too, as a grid (.png)."),
    _option(
        _FILES,
        "--output-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="A folder to make.  [default: generated/TIME, in the run folder if there is one]",
    ),
)


def generate_options(function: Command) -> Command:
    """Adds all of them, in groups."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function

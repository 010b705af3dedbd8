"""What steers the decoder in each window: chords or hits as controls, and hits that are kept as they are."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.families.output_spec import Output
from gmd_vae.generation.inputs.chords import chord_controls, chords_of
from gmd_vae.generation.inputs.conditioning import Originals
from gmd_vae.generation.latent.modes import Points
from gmd_vae.generation.request import GROOVE, RECONSTRUCT, Request

Window = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Steering:
    """Of each row that is decoded.

    Attributes:
        controls: ``[steps, control_depth]``; ``None``: the model takes none.
        hits: that the decoder is given, ``[steps, drums]``, NaN where it draws; ``None``: it draws all.
    """

    controls: list[Window] | None
    hits: list[Window] | None


def first_controls(request: Request, given: Originals, output: Output) -> Window | None:
    """The controls of a file's first window, where nothing else is said: for what is decoded to look at it."""
    if not output.controls:
        return None
    if request.chords:
        return chord_controls(_of_window(request.chords, output.bars, 0), output)
    return given.pieces[0].controls


def original_controls(request: Request, given: Originals, output: Output) -> list[Window] | None:
    """The controls under which the model plays its own version of each window that it was given."""
    if not output.controls:
        return None
    if request.chords:
        return [chord_controls(_of_window(request.chords, output.bars, 0), output)] * len(given.windows)
    return [piece.controls for piece in given.windows if piece.controls is not None]


def through_all_chords(where: Points, request: Request, output: Output) -> Points:
    """Files of one window as so many of the same z that all chords are heard; longer files as they are."""
    times = -(-len(request.chords) // output.bars)
    if times < 2 or request.bars is not None:
        return where
    counts = itertools.accumulate((times * len(rows) for rows in where.rows), initial=0)
    return Points(
        np.concatenate([np.tile(where.z[rows.start : rows.stop], (times, 1)) for rows in where.rows]),
        tuple(range(*pair) for pair in itertools.pairwise(counts)),
    )


def steer(request: Request, given: Originals, output: Output, rows: Sequence[range]) -> Steering:
    """What steers each row of ``Points``.

    Args:
        request: what was asked for; its chords, one a bar, go on from window to window, and begin again.
        given: what it starts from; without chords, its windows say theirs.
        output: what the model writes.
        rows: of each file.
    """
    total = rows[-1].stop
    hits = None
    if request.mode == GROOVE:
        hits = [piece.kept for piece in given.pieces if piece.kept is not None]
    if not output.controls:
        return Steering(None, hits)
    if request.chords:
        # few different windows, however many there are of them
        known: dict[tuple[str, ...], Window] = {}
        controls: list[Window] = []
        for part in rows:
            for place in range(len(part)):
                chords = _of_window(request.chords, output.bars, place)
                if chords not in known:
                    known[chords] = chord_controls(chords, output)
                controls.append(known[chords])
        return Steering(controls, hits)
    controls = [piece.controls for piece in given.pieces if piece.controls is not None]
    if request.mode not in (RECONSTRUCT, GROOVE):
        controls = controls[:1] * total
    if output.controls == "hits" and request.mode != RECONSTRUCT:
        hits = controls
    return Steering(controls, hits)


def chords_of_files(steering: Steering, rows: Sequence[range], output: Output) -> list[tuple[str, ...]]:
    """The chord of each bar of each file; empty where the model knows none."""
    if output.controls != "chords" or steering.controls is None:
        return [()] * len(rows)
    named: dict[int, tuple[str, ...]] = {}
    for window in steering.controls:
        if id(window) not in named:
            named[id(window)] = chords_of(window, output)
    return [tuple(chord for row in part for chord in named[id(steering.controls[row])]) for part in rows]


def _of_window(chords: Sequence[str], bars: int, place: int) -> tuple[str, ...]:
    return tuple(chords[(place * bars + bar) % len(chords)] for bar in range(bars))

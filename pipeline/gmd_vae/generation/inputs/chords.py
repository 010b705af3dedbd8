"""Chord symbols as a model's controls: one chord a bar, as note-seq understands the symbols. No TensorFlow."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import UsageError
from gmd_vae.families.output_spec import Output
from gmd_vae.midi.note_sequence import note_seq_module

EXAMPLE = '--chords "C G Am F"'
NO_CHORD = "N.C."
_ROOTS = ("C", "C#", "Db", "D", "D#", "Eb", "E", "F", "F#", "Gb", "G", "G#", "Ab", "A", "A#", "Bb", "B")
_KINDS = ("", "m", "7", "m7", "maj7", "dim", "aug")

Controls = npt.NDArray[np.float32]


@functools.cache
def _encoding() -> Any:
    """Magenta's, of all its configs with chords: major, minor, augmented or diminished triads, or none."""
    return note_seq_module("chords_encoder_decoder").TriadChordOneHotEncoding()


def parse_chords(text: str) -> tuple[str, ...]:
    """Chord symbols with spaces between them.

    Raises:
        UsageError: there is none, or one is no chord, or none that the models know.
    """
    symbols = tuple(text.split())
    if not symbols:
        raise UsageError("--chords names no chord", f"Write one for each bar: {EXAMPLE}.")
    for symbol in symbols:
        _check(symbol)
    return symbols


def _check(symbol: str) -> None:
    errors = note_seq_module("chord_symbols_lib").ChordSymbolError
    unknown = note_seq_module("chords_encoder_decoder").ChordEncodingError
    try:
        _encoding().encode_event(symbol)
    except errors:
        known = [root + kind for root in _ROOTS for kind in _KINDS]
        near = difflib.get_close_matches(symbol[:1].upper() + symbol[1:], known, n=2, cutoff=0.6)
        meant = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(
            f"'{symbol}' is no chord", f"{meant}Chords are such as C, Am, F#m7, Bbmaj7, Bdim, and {NO_CHORD} for none."
        ) from None
    except unknown:
        raise UsageError(
            f"'{symbol}' has no major, minor, augmented or diminished triad, and the models know no others",
            f"Write {symbol[:1]}, {symbol[:1]}m, {symbol[:1]}aug or {symbol[:1]}dim.",
        ) from None


def chord_controls(symbols: Sequence[str], output: Output) -> Controls:
    """The controls of one window.

    Where steps are events of tracks, each track begins with its program, which is learned without a chord;
    the events behind it have the chord of the bar.

    Args:
        symbols: of each bar of the window.
        output: what the model writes.

    Returns:
        float32 ``[steps, control_depth]``, one-hot.
    """
    if len(symbols) != output.bars:
        raise ValueError(f"{len(symbols)} chords for {output.bars} bars")
    encoding = _encoding()
    steps = np.repeat([encoding.encode_event(symbol) for symbol in symbols], output.steps // output.bars)
    if output.is_events:
        steps[:: output.steps // output.tracks] = encoding.encode_event(NO_CHORD)
    return np.asarray(np.eye(encoding.num_classes)[steps], np.float32)


def chords_of(controls: npt.NDArray[Any], output: Output) -> tuple[str, ...]:
    """The chord at the beginning of each bar of a window whose controls are ``[steps, control_depth]``."""
    encoding = _encoding()
    if output.is_events:  # one bar; its first event stands behind the first program
        return (encoding.decode_event(int(np.argmax(controls[1]))),)
    every = output.steps // output.bars
    return tuple(encoding.decode_event(int(np.argmax(step))) for step in controls[::every])

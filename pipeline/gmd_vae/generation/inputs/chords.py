"""Chord symbols as a model's conditioning input: one chord for each bar, one-hot at each step. No TensorFlow.

note-seq parses the symbols and reduces them to triads (``TriadChordOneHotEncoding``), as in all of Magenta's configs
with chords. A tuple ``chord_bars`` maps steps to bars; each family gives its own (``Family.chord_bars``).
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import UsageError
from gmd_vae.midi.note_sequence import note_seq_module

EXAMPLE = '--chords "C G Am F"'
NO_CHORD = "N.C."
_ROOTS = ("C", "C#", "Db", "D", "D#", "Eb", "E", "F", "F#", "Gb", "G", "G#", "Ab", "A", "A#", "Bb", "B")
_KINDS = ("", "m", "7", "m7", "maj7", "dim", "aug")

Controls = npt.NDArray[np.float32]


@functools.cache
def _encoding() -> Any:
    """Returns Magenta's encoding: no chord, or a major, minor, augmented or diminished triad."""
    return note_seq_module("chords_encoder_decoder").TriadChordOneHotEncoding()


def parse_chords(text: str) -> tuple[str, ...]:
    """Returns the chord symbols of a text in which spaces separate them.

    Raises:
        UsageError: The text is empty, or a symbol is no chord or has no triad.
    """
    symbols = tuple(text.split())
    if not symbols:
        raise UsageError("--chords names no chord", f"Write one for each bar: {EXAMPLE}.")
    for symbol in symbols:
        _check(symbol)
    return symbols


def _check(symbol: str) -> None:
    not_a_chord = note_seq_module("chord_symbols_lib").ChordSymbolError
    no_triad = note_seq_module("chords_encoder_decoder").ChordEncodingError
    try:
        _encoding().encode_event(symbol)
    except not_a_chord:
        known = [root + kind for root in _ROOTS for kind in _KINDS]
        near = difflib.get_close_matches(symbol[:1].upper() + symbol[1:], known, n=2, cutoff=0.6)
        suggestion = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UsageError(
            f"'{symbol}' is no chord",
            f"{suggestion}Chords are such as C, Am, F#m7, Bbmaj7, Bdim, and {NO_CHORD} for none.",
        ) from None
    except no_triad:
        raise UsageError(
            f"'{symbol}' has no major, minor, augmented or diminished triad, the only chords of the models",
            f"Write {symbol[:1]}, {symbol[:1]}m, {symbol[:1]}aug or {symbol[:1]}dim.",
        ) from None


def chord_controls(symbols: Sequence[str], chord_bars: Sequence[int]) -> Controls:
    """Returns the controls of one window.

    Args:
        symbols: Chord symbols, one for each bar of the window.
        chord_bars: Bar of each step, -1 for steps without a chord.

    Returns:
        One-hot vectors, float32 ``[steps, control_depth]``.

    Raises:
        ValueError: The number of symbols is not the number of bars.
    """
    bars = max(chord_bars) + 1
    if len(symbols) != bars:
        raise ValueError(f"{len(symbols)} chords for {bars} bars")
    encoding = _encoding()
    classes = np.array([encoding.encode_event(symbol) for symbol in (*symbols, NO_CHORD)])
    return np.asarray(np.eye(encoding.num_classes)[classes[np.array(chord_bars)]], np.float32)


def chords_of_window(controls: npt.NDArray[Any], chord_bars: Sequence[int]) -> tuple[str, ...]:
    """Returns the chord symbol at the first step of each bar.

    Args:
        controls: One-hot vectors, ``[steps, control_depth]``.
        chord_bars: Bar of each step, -1 for steps without a chord.
    """
    encoding = _encoding()
    first_steps = [chord_bars.index(bar) for bar in range(max(chord_bars) + 1)]
    return tuple(encoding.decode_event(int(np.argmax(controls[step]))) for step in first_steps if step < len(controls))

"""Tempo and bars of a section, as Magenta's converters of other music than drum labels read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gmd_vae.windows.extraction import Dropped

DEFAULT_TEMPO = 120.0  # quarters per minute, for music without a tempo


def tempo_of(section: Any) -> float:
    """Returns the first tempo of a section (a NoteSequence) in quarters per minute."""
    return section.tempos[0].qpm if section.tempos else DEFAULT_TEMPO


def has_bars_of_four_quarters(signatures: Iterable[Any], dropped: Dropped) -> bool:
    """Returns True if each time signature has bars of four quarters, as 4/4, 2/2 and 8/8 do.

    Args:
        signatures: Time signatures of a NoteSequence; without any, music is in 4/4.
        dropped: Receives the reason for the first signature of another kind.
    """
    for signature in signatures:
        numerator, denominator = signature.numerator, signature.denominator
        is_possible = numerator > 0 and denominator > 0 and denominator & (denominator - 1) == 0
        if not is_possible or numerator != denominator:
            dropped.reasons["other_bar_length" if is_possible else "bad_time_signature"] += 1
            dropped.time_signatures[f"{numerator}/{denominator}"] += 1
            return False
    return True

"""The reasons for music without windows, in words."""

from __future__ import annotations

import re

import pytest
from gmd_vae.windows.extraction import REASONS, Dropped, left_out, of_count

UNITS = "record|NoteSequence|section|bar|melody|stretch|drum note|step|window"


@pytest.mark.parametrize("text", REASONS.values())
def test_a_reason_for_one_is_singular(text: str) -> None:
    one = of_count(1, text)
    assert re.match(rf"({UNITS}) ", one)
    assert not re.match(rf"({UNITS}) (that|which) (are|were|repeat) ", one)
    assert "or sections" not in one
    assert of_count(2, text) == of_count(0, text) == text


def test_rows_of_what_was_left_out() -> None:
    dropped = Dropped()
    dropped.reasons.update({"repeated": 1, "other_bar_length": 1, "too_short": 3, "unreadable": 1})
    dropped.time_signatures["3/4"] = 1
    dropped.pitches.update({30: 1, 31: 2})
    rows = left_out(dropped.as_json())
    assert rows == [
        (1, "record that is not a NoteSequence"),
        (1, "section with bars of another length than the config's"),
        (3, "stretches of drums shorter than a window"),
        (1, "window that repeats an earlier one of its section"),
        (1, "section in 3/4, of those above"),
        (1, "drum note of pitch 30, which is in no drum class"),
        (2, "drum notes of pitch 31, which is in no drum class"),
    ]
    assert left_out(dropped.as_json(), pitches=False) == rows[:-2]

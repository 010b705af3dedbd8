from __future__ import annotations

import dataclasses

import pytest
from gmd_vae.common.errors import UsageError
from gmd_vae.datasets.catalogue import Entry, parse_catalogue
from gmd_vae.datasets.selection import Selection, parse_bpm

ENTRY = Entry(
    midi_filename="drummer1/eval/1.mid", split="test", style="rock/halftime", beat_type="beat", bpm=138.0,
    time_signature="4-4", drummer="drummer1", session="drummer1/eval", id="drummer1/eval/1", duration=27.87,
)  # fmt: skip


def entry(**changes: object) -> Entry:
    return dataclasses.replace(ENTRY, **changes)  # type: ignore[arg-type]


def test_a_style_takes_its_substyles_and_a_substyle_itself() -> None:
    assert Selection(styles=("rock",)).matches(entry(style="rock"))
    assert Selection(styles=("rock",)).matches(entry(style="rock/halftime"))
    assert Selection(styles=("Rock/Halftime",)).matches(entry(style="rock/halftime"))
    assert not Selection(styles=("rock/halftime",)).matches(entry(style="rock"))
    assert not Selection(styles=("rock",)).matches(entry(style="rockabilly"))
    assert not Selection(styles=("halftime",)).matches(entry(style="rock/halftime"))
    assert Selection(styles=("jazz", "rock")).matches(entry(style="rock"))


def test_every_field_given_must_match() -> None:
    full = Selection(("rock",), ("beat",), ("4/4",), (90, 138), ("drummer1",))
    assert full.matches(ENTRY)
    for change in (
        {"style": "jazz"},
        {"beat_type": "fill"},
        {"time_signature": "3-4"},
        {"bpm": 139.0},
        {"drummer": "x"},
    ):
        assert not full.matches(entry(**change)), change


def test_an_empty_selection_takes_everything_and_describes_nothing() -> None:
    assert Selection().is_empty
    assert Selection().matches(ENTRY)
    assert Selection().describe() == {}
    assert not Selection(bpm_range=(1, 2)).is_empty


def test_a_description_is_short_and_plain() -> None:
    assert Selection(styles=("rock",), bpm_range=(90.0, 140.5)).describe() == {"styles": ["rock"], "bpm": [90, 140.5]}


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(styles=("rok",)), "No file has the style 'rok'. Did you mean 'rock'?"),
        (Selection(styles=("xxxxxx",)), "No file has the style 'xxxxxx'. Known: jazz, rock."),
        (Selection(styles=("rock", "jaz")), "No file has the style 'jaz'. Did you mean 'jazz'?"),
        (Selection(beat_types=("beats",)), "No file has the beat type 'beats'. Did you mean 'beat'?"),
        (Selection(time_signatures=("9-8",)), "No file has the time signature '9-8'. Known: 4-4."),
        (Selection(drummers=("drummer77",)), "No file has the drummer 'drummer77'. Did you mean 'drummer1'?"),
        (Selection(bpm_range=(10, 20)), "No file has a tempo of 10 to 20 bpm. The files have 100 to 138 bpm."),
        (Selection(styles=("jazz",), bpm_range=(138, 138)), "No file matches all of this: styles ['jazz'], bpm"),
    ],
)
def test_an_unknown_value_is_a_usage_error_with_the_nearest(selection: Selection, message: str) -> None:
    catalogue = [ENTRY, entry(style="jazz", bpm=100.0, midi_filename="2.mid")]
    with pytest.raises(UsageError) as caught:
        selection.check(catalogue)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "bpm"),
    [("90-140", (90.0, 140.0)), ("120", (120.0, 120.0)), (" 90 - 140.5 ", (90.0, 140.5)), ("90-90", (90.0, 90.0))],
)
def test_a_tempo_range(text: str, bpm: tuple[float, float]) -> None:
    assert parse_bpm(text) == bpm


@pytest.mark.parametrize("text", ["", "-", "fast", "90-", "-90", "140-90", "0", "1e3", "90-100-110", "nan", "99999"])
def test_no_tempo_range(text: str) -> None:
    with pytest.raises(UsageError, match="90-140"):
        parse_bpm(text)


def test_a_selection_names_the_columns_that_it_needs() -> None:
    entries = parse_catalogue(b"split,midi_filename,drummer\ntrain,a.mid,d1\n")
    Selection(drummers=("d1",)).check(entries)
    for selection, column in (
        (Selection(styles=("rock",)), "style"),
        (Selection(beat_types=("beat",), drummers=("d1",)), "beat_type"),
        (Selection(bpm_range=(90, 140), time_signatures=("4-4",)), "time_signature, bpm"),
    ):
        with pytest.raises(UsageError, match=f"has no column {column} to choose files by"):
            selection.check(entries)
        assert not selection.matches(entries[0])

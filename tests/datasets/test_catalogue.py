from __future__ import annotations

import collections
import contextlib
import dataclasses
import random
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.datasets.catalogue import COLUMNS, MAX_INFO_BYTES, Entry, Selection, parse, parse_bpm
from gmd_vae.datasets.midi_files import list_midi_files
from hypothesis import given
from hypothesis import strategies as st

GOOD = {
    "drummer": "drummer1", "session": "drummer1/eval", "id": "drummer1/eval/1", "style": "rock/halftime",
    "bpm": "138", "beat_type": "beat", "time_signature": "4-4", "midi_filename": "drummer1/eval/1.mid",
    "audio_filename": "", "duration": "27.87", "split": "test",
}  # fmt: skip


def table(*rows: dict[str, str], end: str = "\n") -> bytes:
    lines = [",".join(GOOD), *(",".join({**GOOD, **row}.values()) for row in rows)]
    return (end.join(lines) + end).encode()


def refuse(data: bytes) -> str:
    with pytest.raises(GmdVaeError) as caught:
        parse(data)
    assert "\n" not in str(caught.value)
    assert "info.csv" in str(caught.value)
    return str(caught.value)


ENTRY = Entry(
    midi_filename="drummer1/eval/1.mid", split="test", style="rock/halftime", beat_type="beat", bpm=138.0,
    time_signature="4-4", drummer="drummer1", session="drummer1/eval", id="drummer1/eval/1", duration=27.87,
)  # fmt: skip


def entry(**changes: object) -> Entry:
    return dataclasses.replace(ENTRY, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_row_becomes_an_entry(end: str, mark: bytes) -> None:
    assert parse(mark + table({}, end=end)) == (ENTRY,)


def test_an_lf_header_over_crlf_rows_and_blank_lines() -> None:
    data = table({}).replace(b"test\n", b"test\r\n\r\n")
    assert parse(data) == (ENTRY,)


def test_backslashes_in_paths_are_separators() -> None:
    assert parse(table({"midi_filename": "drummer1\\eval\\1.mid"})) == (ENTRY,)


def test_columns_may_be_in_any_order() -> None:
    order = random.Random(0).sample(list(GOOD), len(GOOD))
    data = ",".join(order) + "\n" + ",".join(GOOD[name] for name in order)
    assert parse(data.encode()) == (ENTRY,)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"bpm": "fast"}, "line 3 has the bpm 'fast', not a positive number"),
        ({"bpm": "nan"}, "line 3 has the bpm 'nan'"),
        ({"bpm": "inf"}, "line 3 has the bpm 'inf'"),
        ({"bpm": "0"}, "line 3 has the bpm '0'"),
        ({"bpm": "-3"}, "line 3 has the bpm '-3'"),
        ({"bpm": ""}, "line 3 has no bpm"),
        ({"duration": "1e999"}, "line 3 has the duration '1e999'"),
        ({"split": "dev"}, "line 3 has the split 'dev', not train, validation, test"),
        ({"style": " "}, "line 3 has no style"),
        ({"midi_filename": "../x.mid"}, "line 3 has a midi_filename that is not used: its name leads out"),
        ({"midi_filename": "C:\\x.mid"}, "its name is an absolute path"),
        ({"midi_filename": "drummer1/eval/1.mid"}, "line 3 has the same midi_filename as line 2"),
        ({"style": "rock\x1b[31m"}, "line 3 has a style that is not valid: 'rock\\x1b[31m'"),
        ({"duration": "1,2"}, "line 3 has 12 fields, not 11"),
        ({"style": 'a"b'}, None),
        ({"style": '"rock'}, "line 3"),
    ],
)
def test_a_bad_row_is_named_by_its_line(row: dict[str, str], message: str | None) -> None:
    data = table({}, {"midi_filename": "other.mid", **row})
    if message is None:
        assert len(parse(data)) == 2
    else:
        assert message in refuse(data)


def test_too_few_fields() -> None:
    assert "line 3 has 2 fields, not 11" in refuse(table({}) + b"drummer1,x\n")


def test_missing_columns_are_named_with_those_found() -> None:
    message = refuse(b"\nfile,style,bpm\n1.mid,rock,90\n")
    assert "line 2 has no column midi_filename, split" in message
    assert "(its columns: file, style, bpm)" in message


def test_only_the_name_and_the_split_are_needed() -> None:
    assert parse(b"split,midi_filename\ntrain,a.mid\n") == (Entry("a.mid", "train"),)


def test_a_selection_names_the_columns_that_it_needs() -> None:
    entries = parse(b"split,midi_filename,drummer\ntrain,a.mid,d1\n")
    Selection(drummers=("d1",)).check(entries)
    for selection, column in (
        (Selection(styles=("rock",)), "style"),
        (Selection(beat_types=("beat",), drummers=("d1",)), "beat_type"),
        (Selection(bpm_range=(90, 140), time_signatures=("4-4",)), "time_signature, bpm"),
    ):
        with pytest.raises(UsageError, match=f"has no column {column} to choose files by"):
            selection.check(entries)
        assert not selection.matches(entries[0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_catalogues_saved_by_spreadsheets_are_read(encoding: str, end: str, separator: str) -> None:
    bpm = "138" if separator == "," else "138,0"
    rows = [
        {**GOOD, "bpm": bpm, "style": '"rock/halftime"'},
        dict.fromkeys(GOOD, ""),
        {**GOOD, "midi_filename": "é.mid"},
    ]
    lines = [separator.join(GOOD), "", *(separator.join(row.values()) for row in rows)]
    assert parse((end.join(lines) + end).encode(encoding)) == (ENTRY, entry(midi_filename="é.mid"))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_line_of_a_bad_character(end: bytes) -> None:
    good = table({}, {"midi_filename": "b.mid"}).replace(b"\n", end)
    assert "line 4 is not UTF-8 text" in refuse(good + b"caf\xe9")
    assert "line 4 holds a NUL character" in refuse(good + b"a\0b")
    wide = (good + b"a").decode().encode("utf-16") + b"\x00\xd8\x61\x00"
    assert "line 4 is not UTF-16 text" in refuse(wide)
    assert "line 1 holds a NUL character" in refuse(good.decode().encode("utf-16-le"))


def test_a_column_twice() -> None:
    assert "has the column style more than once" in refuse(",".join((*COLUMNS, "style")).encode())


def test_other_files_are_refused() -> None:
    assert "lists no file" in refuse(b"")
    assert "lists no file" in refuse(table())
    assert "line 2 is not UTF-8" in refuse(table({"style": "caf"}).replace(b"caf", b"caf\xe9"))
    assert "larger than 16 MiB" in refuse(b"x" * (MAX_INFO_BYTES + 1))
    assert "line 2" in refuse(table({"style": "x" * 200_000}))


@given(st.binary(max_size=400))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    with contextlib.suppress(GmdVaeError):
        parse(data)


@given(st.lists(st.sampled_from([*COLUMNS, ",", "\n", "\r\n", '"', "\0", "1", "train", "é", "\ufeff", "a.mid"])))
def test_any_table_is_parsed_or_refused(parts: list[str]) -> None:
    for head in ("", ",".join(COLUMNS) + "\n"):
        for text in (",".join(parts), "".join(parts)):
            with contextlib.suppress(GmdVaeError):
                parse((head + text).encode())
            with contextlib.suppress(GmdVaeError):
                parse((head + text).replace(",", ";").encode("utf-16"))


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


def test_the_real_catalogue(groove_archive: Path) -> None:
    listing = list_midi_files(groove_archive)
    assert listing.info_csv is not None
    entries = parse(listing.info_csv)
    assert len(entries) == 1150
    assert {one.midi_filename for one in entries} == {file.name for file in listing.files}
    count = collections.Counter
    assert count(one.split for one in entries) == {"train": 897, "validation": 124, "test": 129}
    assert count(one.beat_type for one in entries) == {"beat": 503, "fill": 647}
    assert count(one.time_signature for one in entries) == {"4-4": 1138, "3-4": 5, "6-8": 5, "5-4": 1, "5-8": 1}
    assert (min(one.bpm for one in entries), max(one.bpm for one in entries)) == (50, 290)

    rock_beats = Selection(styles=("rock",), beat_types=("beat",))
    rock_beats.check(entries)
    assert count(one.split for one in entries if rock_beats.matches(one)) == {
        "train": 173,
        "validation": 17,
        "test": 21,
    }
    assert sum(Selection(time_signatures=("4/4",)).matches(one) for one in entries) == 1138
    with pytest.raises(UsageError, match="Did you mean 'rock'"):
        Selection(styles=("rok",)).check(entries)

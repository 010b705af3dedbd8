from __future__ import annotations

import collections
import contextlib
import dataclasses
import random
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.datasets.catalogue import COLUMNS, MAX_INFO_BYTES, Entry, parse_catalogue
from gmd_vae.datasets.midi_files import list_midi_files
from gmd_vae.datasets.selection import Selection
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
        parse_catalogue(data)
    assert "\n" not in str(caught.value)
    assert "info.csv" in str(caught.value)
    return str(caught.value)


ENTRY = Entry(
    midi_filename="drummer1/eval/1.mid", split="test", style="rock/halftime", beat_type="beat", bpm=138.0,
    time_signature="4-4", drummer="drummer1", session="drummer1/eval", id="drummer1/eval/1", duration=27.87,
)  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_row_becomes_an_entry(end: str, mark: bytes) -> None:
    assert parse_catalogue(mark + table({}, end=end)) == (ENTRY,)


def test_an_lf_header_over_crlf_rows_and_blank_lines() -> None:
    data = table({}).replace(b"test\n", b"test\r\n\r\n")
    assert parse_catalogue(data) == (ENTRY,)


def test_backslashes_in_paths_are_separators() -> None:
    assert parse_catalogue(table({"midi_filename": "drummer1\\eval\\1.mid"})) == (ENTRY,)


def test_columns_may_be_in_any_order() -> None:
    order = random.Random(0).sample(list(GOOD), len(GOOD))
    data = ",".join(order) + "\n" + ",".join(GOOD[name] for name in order)
    assert parse_catalogue(data.encode()) == (ENTRY,)


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
        assert len(parse_catalogue(data)) == 2
    else:
        assert message in refuse(data)


def test_too_few_fields() -> None:
    assert "line 3 has 2 fields, not 11" in refuse(table({}) + b"drummer1,x\n")


def test_missing_columns_are_named_with_those_found() -> None:
    message = refuse(b"\nfile,style,bpm\n1.mid,rock,90\n")
    assert "line 2 has no column midi_filename, split" in message
    assert "(its columns: file, style, bpm)" in message


def test_only_the_name_and_the_split_are_needed() -> None:
    assert parse_catalogue(b"split,midi_filename\ntrain,a.mid\n") == (Entry("a.mid", "train"),)


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
    assert parse_catalogue((end.join(lines) + end).encode(encoding)) == (
        ENTRY,
        dataclasses.replace(ENTRY, midi_filename="é.mid"),
    )


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
        assert all(entry.midi_filename for entry in parse_catalogue(data))


@given(st.lists(st.sampled_from([*COLUMNS, ",", "\n", "\r\n", '"', "\0", "1", "train", "é", "\ufeff", "a.mid"])))
def test_any_table_is_parsed_or_refused(parts: list[str]) -> None:
    for head in ("", ",".join(COLUMNS) + "\n"):
        for text in (",".join(parts), "".join(parts)):
            for data in ((head + text).encode(), (head + text).replace(",", ";").encode("utf-16")):
                with contextlib.suppress(GmdVaeError):
                    names = [entry.midi_filename for entry in parse_catalogue(data)]
                    assert all(name and not name.startswith("/") and ".." not in name.split("/") for name in names)


def test_the_real_catalogue(groove_archive: Path) -> None:
    listing = list_midi_files(groove_archive)
    (catalogue,) = listing.catalogues
    entries = parse_catalogue(catalogue.read())
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

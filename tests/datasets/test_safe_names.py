from __future__ import annotations

import json

import pytest
from gmd_vae.datasets.safe_names import is_clutter, printable, relative_name
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b.mid", "a/b.mid"),
        ("./a//b.mid", "a/b.mid"),
        ("a\\b.mid", "a/b.mid"),
        ("é/ü.mid", "é/ü.mid"),
        ("..a/b..", "..a/b.."),
    ],
)
def test_clean_names(name: str, clean: str) -> None:
    assert relative_name(name) == clean


@given(st.text())
def test_what_is_accepted_stays_inside(name: str) -> None:
    try:
        clean = relative_name(name)
    except ValueError:
        return
    parts = clean.split("/")
    assert not {"", ".", ".."} & set(parts)
    assert "\\" not in clean
    assert "\0" not in clean
    assert relative_name(clean) == clean


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_printed_names_are_harmless(name: str) -> None:
    shown = printable(name)
    assert "\n" not in shown
    assert "\x1b" not in shown
    json.dumps(shown, ensure_ascii=False).encode("utf-8")


def test_names_are_escaped_not_dropped() -> None:
    assert printable(b"caf\xe9.mid".decode("utf-8", "surrogateescape")) == "caf\\xe9.mid"
    assert printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"
    assert printable("naïve 鼓.mid") == "naïve 鼓.mid"
    assert printable("x" * 300) == "x" * 200 + "..."


def test_clutter() -> None:
    assert all(is_clutter(name) for name in ("._x.mid", "a/._x.mid", "__MACOSX/a", ".git/a.mid", "a/Icon", ".DS_Store"))
    assert not any(is_clutter(name) for name in ("a/b.mid", "Icons/a.mid", "a.b"))

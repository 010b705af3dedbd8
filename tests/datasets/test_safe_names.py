from __future__ import annotations

import pytest
from gmd_vae.datasets.safe_names import is_clutter, relative_name
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


def test_clutter() -> None:
    assert all(is_clutter(name) for name in ("._x.mid", "a/._x.mid", "__MACOSX/a", ".git/a.mid", "a/Icon", ".DS_Store"))
    assert not any(is_clutter(name) for name in ("a/b.mid", "Icons/a.mid", "a.b"))

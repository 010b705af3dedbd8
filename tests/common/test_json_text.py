"""JSON that every program can read."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from gmd_vae.common.json_text import json_text
from hypothesis import given
from hypothesis import strategies as st

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(values, st.sampled_from(["utf-8", "ascii", "latin-1"]), st.sampled_from([None, 2]))
def test_it_means_the_same_and_has_no_control_codes(content: Any, encoding: str, indent: int | None) -> None:
    text = json_text(content, indent=indent, encoding=encoding)
    assert json.loads(text.encode(encoding).decode(encoding)) == content
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_have_become_null(value: float) -> None:
    assert json.loads(json_text({"a": [value, 1.5, (value,)]})) == {"a": [None, 1.5, [None]]}


def test_bytes_of_a_name_that_are_no_utf_8_become_text() -> None:
    text = json_text({"name": "caf\udce9\ud800"})
    assert msgspec.json.decode(text) == {"name": "caf\\xe9\\ud800"}


def test_readable_text_stays_readable() -> None:
    assert json_text({"name": "naïve 鼓"}) == '{"name": "naïve 鼓"}'

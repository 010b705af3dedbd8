"""JSON files: every damage is one line with the field, what was expected, and what to do."""

from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import Count, FileName, convert_json, decode_json, read_json
from hypothesis import given, settings
from hypothesis import strategies as st


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of the file."""

    steps: Annotated[int, msgspec.Meta(ge=1)]
    share: float | None = None

    def __post_init__(self) -> None:
        if self.steps == 13:
            raise ValueError("13 is no number of steps")


class File(msgspec.Struct):
    """A format."""

    name: FileName
    count: Count = 0
    parts: list[Part] = []
    digests: dict[str, str] = {}


VALID = {"name": "a.mid", "count": 3, "parts": [{"steps": 1, "share": 0.5}], "digests": {"a": "b"}}


def test_a_file_is_read_with_or_without_keys_of_other_versions(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    expected = File("a.mid", 3, [Part(1, 0.5)], {"a": "b"})
    for content in (VALID, {**VALID, "added": [{}]}):
        path.write_text(json.dumps(content))
        assert read_json(path, File, "") == expected
        assert convert_json(read_json(path, dict[str, Any], ""), File) == expected
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())  # as some editors save it
    assert read_json(path, File, "") == expected
    assert decode_json(b'{"name": "a", "name": "b"}', File, "x", "").name == "b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", "is damaged: "),
        (b"{", "is damaged: "),
        (b"[]", "expected an object, got a list"),
        (b"null", "expected an object, got null"),
        (b"{}", "has no field 'name'"),
        (b'{"name": 3}', "field 'name': expected text, got a whole number"),
        (b'{"name": "../x"}', "field 'name': expected text of another form"),
        (b'{"name": ".."}', "field 'name': expected text of another form"),
        (b'{"name": "a", "count": "3"}', "field 'count': expected a whole number, got text"),
        (b'{"name": "a", "count": -1}', "field 'count': expected a whole number >= 0"),
        (b'{"name": "a", "count": true}', "field 'count': expected a whole number, got true or false"),
        (b'{"name": "a", "count": 1e999}', "field 'count': number out of range"),
        (b'{"name": "a", "count": 1' + b"0" * 5000 + b"}", "field 'count': integer value out of range"),
        (b'{"name": "a", "parts": [{"steps": 1}, {}]}', r"has no field 'parts\[1\].steps'"),
        (b'{"name": "a", "parts": [{"steps": 0}]}', r"field 'parts\[0\].steps': expected a whole number >= 1"),
        (b'{"name": "a", "parts": [{"steps": 13}]}', r"field 'parts\[0\]': 13 is no number of steps"),
        (b'{"name": "a", "parts": [{"steps": 1, "share": "x"}]}', "expected a number or null, got text"),
        (b'{"name": "a", "parts": [{"steps": 1, "share": NaN}]}', "is damaged: "),
        (b'{"name": "a", "digests": {"a": 1}}', r"field 'digests\[...\]': expected text"),
        (b'{"name": "\xff"}', "it is not UTF-8"),
        (b'{"name": "\\ud800"}', "is damaged: "),
        (b"[" * 1_000_000, "is nested too deeply|expected an object"),
        (b'{"x":' * 1_000_000, "is nested too deeply"),
        (b'{"x": [' + b"0," * 5_000_000 + b"0]}", "holds more than 4,000,000 values"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_every_damage_is_one_line_with_the_field_and_the_next_action(
    text: bytes, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(text)
    with pytest.raises(GmdVaeError, match=expected) as caught:
        read_json(path, File, "Make it again.")
    message = str(caught.value)
    assert message.startswith(f"'{path}' ")
    assert message.endswith(" Make it again.")
    assert "\n" not in message
    assert len(message) < 500


def test_files_that_are_missing_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json", File, "")
    (tmp_path / "large.json").write_bytes(b" " * 2_000_000 + b"{}")
    with pytest.raises(GmdVaeError, match="larger than 1 MiB"):
        read_json(tmp_path / "large.json", File, "", max_bytes=1 << 20)
    with pytest.raises(GmdVaeError, match="cannot be read"):
        read_json(tmp_path, File, "")


def message_for(data: bytes, kind: Any) -> str:
    """Returns the message for a text that is refused, and an empty one for others."""
    try:
        decode_json(data, kind, "x", "")
    except GmdVaeError as error:
        return str(error)
    return ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(VALID)), inner),
    max_leaves=20,
)


@settings(max_examples=150)
@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(VALID, JSON)))
def test_any_json_is_read_or_refused(content: Any) -> None:
    assert "\n" not in message_for(json.dumps(content).encode("utf-8", "surrogatepass"), File)


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert "\n" not in message_for(data, dict[str, Any])


def test_a_file_made_to_take_memory_takes_little(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b'{"x": [' + b"[]," * ((63 << 20) // 3) + b"0]}")
    program = (
        "import sys; from pathlib import Path; from gmd_vae.common.json_formats import *\n"
        "try: read_json(Path(sys.argv[1]), dict, '')\n"
        "except GmdVaeError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert "more than 4,000,000 values" in done.stdout, done.stderr

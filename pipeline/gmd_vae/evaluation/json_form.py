"""Dataclasses as JSON and back, for ``result.json``.

- A field has the key that ``figures.JSON_KEYS`` gives it, else its own name.
- An optional field, whose default is ``None``, is left out of JSON while it is ``None``.
- NaN and infinity, which JSON does not have, become ``null``; ``null`` becomes NaN where a float is expected.
- Keys without a field are ignored, so that results of other versions can be read.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from typing import Any, TypeVar, Union

from gmd_vae.evaluation.figures import JSON_KEYS

T = TypeVar("T")
_LARGEST = 2**53  # of whole numbers, which JSON holds exactly up to there


def to_json(value: Any) -> Any:
    """Returns a value of dataclasses, dictionaries, sequences and plain values as JSON."""
    if dataclasses.is_dataclass(value):
        return {
            JSON_KEYS.get(field.name, field.name): to_json(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.default is not None or getattr(value, field.name) is not None
        }
    if isinstance(value, dict):
        return {name: to_json(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def from_json(kind: type[T], content: Any, place: str = "") -> T:
    """Returns JSON as a dataclass.

    Args:
        kind: The dataclass.
        content: JSON value.
        place: Name of the content in errors, for example ``likelihood.elbo``.

    Raises:
        ValueError: The content does not fit; the text names the place.
    """
    value: T = _read(kind, content, place)
    return value


def _read(kind: Any, content: Any, place: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return content
    if origin in (Union, types.UnionType):
        return _read_union(arguments, content, place)
    if origin is dict and isinstance(content, dict):
        return {str(key): _read(arguments[1], part, f"{place}.{key}") for key, part in content.items()}
    if origin is tuple and isinstance(content, list):
        return tuple(_read(arguments[0], part, f"{place}.{number}") for number, part in enumerate(content))
    if dataclasses.is_dataclass(kind) and isinstance(content, dict):
        return _read_dataclass(kind, content, place)
    if kind is float and content is None:
        return math.nan
    if isinstance(content, int) and abs(content) > _LARGEST:
        raise ValueError(f"{place or 'the content'} is a number of more than 15 digits")
    if kind is float and isinstance(content, (int, float)) and not isinstance(content, bool):
        return float(content)
    if kind in (bool, int, str) and type(content) is kind:
        return content
    raise ValueError(f"{place or 'the content'} is not what an evaluation writes there")


def _read_union(kinds: tuple[Any, ...], content: Any, place: str) -> Any:
    """Reads one of several types: ``None``, or the first dataclass whose keys are all there."""
    if content is None and types.NoneType in kinds:
        return None
    others = [kind for kind in kinds if kind is not types.NoneType]
    if isinstance(content, dict) and len(others) > 1:
        others = [kind for kind in others if _required(kind) <= content.keys()]
    if not others:
        raise ValueError(f"{place} does not have all figures")
    return _read(others[0], content, place)


def _read_dataclass(kind: Any, content: dict[str, Any], place: str) -> Any:
    if missing := sorted(_required(kind) - content.keys()):
        raise ValueError(f"{place or 'the content'} has no '{missing[0]}'")
    values = {}
    for name, part in _types(kind).items():
        key = JSON_KEYS.get(name, name)
        if key in content:
            values[name] = _read(part, content[key], f"{place}.{key}".lstrip("."))
    return kind(**values)


@functools.cache
def _types(kind: Any) -> dict[str, Any]:
    """The type of each field."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@functools.cache
def _required(kind: Any) -> frozenset[str]:
    """Keys of the fields without a default."""
    return frozenset(
        JSON_KEYS.get(field.name, field.name)
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    )

"""Files of a newer version of gmd-vae: what this version cannot use of them, with the advice to update.

Files name the version that wrote them in ``versions``; ``run.json`` also names that of each start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gmd_vae.common.code_state import own_version
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.extras import update

_VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?![0-9])")


class NewerFileError(GmdVaeError):
    """A file of a newer version of gmd-vae has something that this version cannot use."""


def wrong_number(name: str, key: str, found: Any, reads: int, next_action: str) -> GmdVaeError:
    """Makes the error for a file whose format has another number.

    Args:
        name: Name of the file, with quotes; empty: the problem is a predicate.
        key: Key of the number.
        found: Its value in the file.
        reads: Newest number that this version reads.
        next_action: The user's way to a valid file, where the number is not a newer one.

    Returns:
        A ``NewerFileError`` with the advice to update for a newer number.
    """
    earlier = " and earlier" if reads > 1 else ""
    problem = f"{name} has {key} {repr(found)[:40]}, this version of gmd-vae reads {reads}{earlier}".lstrip()
    if isinstance(found, int) and found > reads:
        return NewerFileError(problem, update())
    return GmdVaeError(problem, next_action)


def unusable(problem: str, content: Mapping[str, Any], next_action: str) -> GmdVaeError:
    """Makes the error for a file with something that this version cannot use.

    Args:
        problem: The file and the reason.
        content: Its content, which may be damaged.
        next_action: The user's way to a valid file, where no newer version wrote it.

    Returns:
        A ``NewerFileError`` with both versions and the advice to update, if the file names a newer version.
    """
    own = _numbers(own_version())
    newest = max((numbers for version in _named(content) if (numbers := _numbers(version))), default=None)
    if own is None or newest is None or newest <= own:
        return GmdVaeError(problem, next_action)
    return NewerFileError(f"{problem} (written by gmd-vae {_text(newest)}, this is {_text(own)})", update())


def _named(content: Mapping[str, Any]) -> Iterator[Any]:
    """Yields the versions of gmd-vae that a file names."""
    versions, starts = content.get("versions"), content.get("starts")
    yield versions.get("gmd-vae") if isinstance(versions, dict) else None
    for start in starts if isinstance(starts, list) else []:
        code = start.get("code") if isinstance(start, dict) else None
        yield code.get("version") if isinstance(code, dict) else None


def _numbers(version: Any) -> tuple[int, ...] | None:
    found = _VERSION.match(version) if isinstance(version, str) else None
    return None if found is None else tuple(map(int, found.groups()))


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))

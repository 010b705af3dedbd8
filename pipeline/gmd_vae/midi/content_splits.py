"""Splits by the content of the files alone, near-duplicates together, training never empty."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.midi.near_duplicates import groups_of
from gmd_vae.midi.splits import Shares

_LARGE = 0.2  # share of all files from which a group of near-duplicates belongs to train
_MAX_GROUPS = 100  # groups named in a manifest, and names of each
_TRAIN = 0  # index in SPLITS


class Content(NamedTuple):
    """The content of a file.

    Attributes:
        sha256: Hexadecimal SHA-256 of its bytes.
        fingerprint: Fingerprint of its music, see ``near_duplicates``; None for a file that was not converted.
    """

    sha256: str
    fingerprint: bytes | None


@dataclass(frozen=True)
class ContentSplits:
    """The splits of files by their content.

    Attributes:
        splits: Split of each file.
        groups: Indices of the files of each group of near-duplicates, the largest group first.
    """

    splits: list[str]
    groups: list[list[int]]

    def describe(self, names: Sequence[str]) -> dict[str, Any]:
        """Returns the groups for a manifest.

        Args:
            names: Name of each file.
        """
        return {
            "groups": len(self.groups),
            "files": sum(map(len, self.groups)),
            "names": [[names[index] for index in group[:_MAX_GROUPS]] for group in self.groups[:_MAX_GROUPS]],
        }


def hash_position(sha256: str) -> float:
    """Returns the position of a file's content in the range of the hash, from 0 to 1.

    >>> hash_position("ff" * 32)
    1.0
    """
    return int(sha256[:16], 16) / 2**64


def split_by_content(contents: Sequence[Content], shares: Shares) -> ContentSplits:
    """Returns the splits of files by hashes of their content; names and order do not matter.

    A file keeps its split when other files are added or removed, with three exceptions. Files with nearly the same
    music are one group, with a position that follows from its smallest hash. A group with more than a fifth of the
    files belongs to train. Where no file is in train, the group with the smallest hash is.

    Args:
        contents: Content of each file.
        shares: Shares of the splits.
    """
    order = sorted(range(len(contents)), key=lambda index: contents[index].sha256)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place, group in enumerate(groups_of([contents[index].fingerprint or b"" for index in order])):
        groups[group].append(order[place])  # the first has the smallest hash
    places = {
        group: _place(_position([contents[index].sha256 for index in members]), shares)
        for group, members in groups.items()
    }
    total = sum(content.fingerprint is not None for content in contents)
    converted = [group for group, members in groups.items() if contents[members[0]].fingerprint is not None]
    for group, members in groups.items():
        if len(members) > max(1, _LARGE * total):
            places[group] = _TRAIN
    if converted and not any(places[group] == _TRAIN for group in converted):
        places[converted[0]] = _TRAIN
    splits = [""] * len(contents)
    for group, members in groups.items():
        for index in members:
            splits[index] = SPLITS[places[group]]
    similar = sorted(
        (sorted(members) for members in groups.values() if len(members) > 1), key=lambda one: (-len(one), one)
    )
    return ContentSplits(splits, similar)


def _position(digests: Sequence[str]) -> float:
    """Returns the position of a group in the range of the hash.

    The smallest of several hashes lies near 0, so that of different files is hashed again.
    """
    first = min(digests)
    is_one_content = all(digest == first for digest in digests)
    return hash_position(first if is_one_content else hashlib.sha256(first.encode()).hexdigest())


def _place(position: float, shares: Shares) -> int:
    """Returns the index of the split at a position of the hash."""
    return (position >= shares.train / 100) + (position >= (shares.train + shares.validation) / 100)

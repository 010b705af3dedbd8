"""The dataset that ``gmd-vae fetch`` wrote: its name, version, licence and citation, and which files are of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import Count
from gmd_vae.common.printable import counted, one_line

STAGE = "fetch"
_MAX_NAME, _MAX_TEXT = 200, 4000  # characters, as on the card of a model

_Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=_MAX_NAME)]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=_MAX_TEXT)]


class DataSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fetched dataset that music came from. What the manifest of ``fetch`` does not say is absent.

    Attributes:
        dataset: Name of the dataset.
        version: Its version; empty: not stated.
        licence: Its licence; empty: not stated.
        citation: The publication to name, or what the dataset is; empty: not stated.
        other_files: Number of converted files that are not of the dataset, or were changed since it was fetched.
    """

    dataset: _Name
    version: _Name = ""
    licence: _Text = ""
    citation: _Text = ""
    other_files: Count = 0

    @property
    def in_words(self) -> str:
        """The facts on one line: ``NAME VERSION (LICENCE): CITATION``."""
        named = f"{self.dataset} {self.version}".strip() + (f" ({self.licence})" if self.licence else "")
        others = f"with {counted(self.other_files, 'other or changed file')}" if self.other_files else ""
        if self.citation:
            named += f": {self.citation}"
        return one_line("; ".join(filter(None, (named, others))), _MAX_TEXT)


@dataclass(frozen=True)
class FetchedDataset:
    """A dataset whose files are known: a folder that ``fetch`` wrote, perhaps changed since, or an unchanged archive.

    Attributes:
        source: What is known about it.
        digests: SHA-256 of every file that its manifest lists; ``None`` for an archive, whose files are all of it.
    """

    source: DataSource
    digests: frozenset[str] | None

    def has(self, sha256: str) -> bool:
        """Returns True for the digest of a file of the dataset."""
        return self.digests is None or sha256 in self.digests

    def source_of(self, own_files: int, all_files: int) -> DataSource | None:
        """Returns the source of converted files; ``None`` if none of them is of the dataset.

        Args:
            own_files: Number of those that are of the dataset, under any name.
            all_files: Number of all.
        """
        return msgspec.structs.replace(self.source, other_files=all_files - own_files) if own_files else None


def read_fetched(folder: Path) -> FetchedDataset | None:
    """Reads the manifest that ``fetch`` wrote into a folder. Never refuses it: music can be read without.

    Args:
        folder: A folder, or an archive or file, which has none.

    Returns:
        ``None`` without a manifest of ``fetch`` that names a dataset and lists its files; those of version 0.8.3 and
        earlier list none.
    """
    try:
        content = manifest.read(folder, STAGE, "")
    except GmdVaeError:
        return None

    def text(name: str, most: int) -> str:
        value: Any = content.get(name)
        return one_line(value, most) if isinstance(value, str) else ""

    source = DataSource(
        text("dataset", _MAX_NAME),
        text("version", _MAX_NAME),
        text("licence", _MAX_TEXT),
        text("citation", _MAX_TEXT),
    )
    digests = frozenset(entry["sha256"] for entry in manifest.described_files(content).values())
    return FetchedDataset(source, digests) if source.dataset and digests else None

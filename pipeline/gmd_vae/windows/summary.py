"""The counts of a run of ``preprocess``, for people, programs and manifests."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Generic, TypeVar

from gmd_vae.windows.extraction import Dropped

Split = TypeVar("Split", bound=Any)  # a dataclass with the counts of one split


@dataclasses.dataclass
class Summary(Generic[Split]):
    """The counts of a run.

    Attributes:
        output_dir: The new folder.
        config: Name of the config.
        splits: Name of a split → its counts, in the order train, validation, test.
        dropped: Counts of the music that gave no window.
    """

    output_dir: Path
    config: str
    splits: dict[str, Split]
    dropped: Dropped

    def as_json(self) -> dict[str, Any]:
        """Returns the counts as JSON values."""
        return {
            "output_dir": str(self.output_dir),
            "config": self.config,
            "splits": {name: dataclasses.asdict(split) for name, split in self.splits.items()},
            "dropped": self.dropped.as_json(),
        }

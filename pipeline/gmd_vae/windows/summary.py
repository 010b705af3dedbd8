"""What a run of ``preprocess`` did, for people, programs and manifests."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Generic, TypeVar

from gmd_vae.windows.extraction import Dropped

Split = TypeVar("Split", bound=Any)  # a dataclass with the counts of one split


@dataclasses.dataclass
class Summary(Generic[Split]):
    """What became of the input.

    Attributes:
        output_dir: the folder that was made.
        config: the config's name.
        splits: by name, in the order train, validation, test.
        dropped: what gave no window, and why.
    """

    output_dir: Path
    config: str
    splits: dict[str, Split]
    dropped: Dropped

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "output_dir": str(self.output_dir),
            "config": self.config,
            "splits": {name: dataclasses.asdict(split) for name, split in self.splits.items()},
            "dropped": self.dropped.as_json(),
        }

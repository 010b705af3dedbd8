"""The manifest of an examples folder: its format, checked on reading."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import Count
from gmd_vae.datasets.fetched import DataSource
from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.midi.tfrecord import FRAME, most_unpacked
from gmd_vae.windows.extraction import Layout

STAGE = "preprocess"
FEW_WINDOWS = 2_000  # for training: of fewer, a new model learns many outright. The starter set has 624
ShardName = Annotated[
    str, msgspec.Meta(pattern=r"^(train|validation|test)-[0-9]{5}-of-[0-9]{5}\.tfrecord(\.gz)?$", max_length=60)
]


class Shard(msgspec.Struct, frozen=True):
    """One TFRecord file.

    Attributes:
        name: File name.
        bytes: Size.
        records: Number of examples.
    """

    name: ShardName
    bytes: Count
    records: Count


class ExamplesSplit(msgspec.Struct, frozen=True):
    """The examples of one split.

    Attributes:
        examples: Number of examples.
        files: Shards, in order.
    """

    examples: Count
    files: list[Shard]

    def __post_init__(self) -> None:
        listed = sum(shard.records for shard in self.files)
        if listed != self.examples:
            raise ValueError(f"its files hold {listed:,} examples, and 'examples' is {self.examples:,}")


class ExamplesManifest(msgspec.Struct, frozen=True):
    """The fields of the manifest that other stages read.

    Attributes:
        config: Name of the config that the windows were cut for.
        layout: Format of the records.
        splits: Name of a split → its examples.
        extractor: Settings of the extractor, for a comparison with those of a config.
        input: Identity of the NoteSequences.
        data_source: Fetched dataset that they are of; ``None``: of none, or version 0.17 or earlier.
    """

    config: str
    layout: Layout
    splits: dict[Literal["train", "validation", "test"], ExamplesSplit]
    extractor: dict[str, Any]
    input: dict[str, Any] = {}
    data_source: DataSource | None = None

    def __post_init__(self) -> None:
        shortest = FRAME + (self.layout.steps or 1 if self.layout.format == "labels" else 1)  # a byte for each label
        for shard in (shard for split in self.splits.values() for shard in split.files):
            held = most_unpacked(shard.bytes) if shard.name.endswith(".gz") else shard.bytes
            if shard.records * shortest > held:
                raise ValueError(f"'{shard.name}' has {shard.bytes:,} bytes, too few for {shard.records:,} records")

    def split(self, folder: Path, name: str) -> ExamplesSplit:
        """Returns a split.

        Args:
            folder: Folder of the manifest, for the error.
            name: Name of the split.

        Raises:
            GmdVaeError: There is no such split.
        """
        for known, split in self.splits.items():
            if known == name:
                return split
        raise GmdVaeError(f"'{folder}' has no split '{name}'", f"There is: {', '.join(self.splits)}.")


def read_examples_manifest(folder: Path) -> ExamplesManifest:
    """Returns the manifest of an examples folder.

    Raises:
        GmdVaeError: The folder is not one that ``preprocess`` wrote, or its manifest has another format.
    """
    return manifest.read(folder, STAGE, "Make it with 'gmd-vae preprocess'.", ExamplesManifest)


def name_of_examples(folder: Path, config: str) -> str:
    """Returns the name of the music in a folder of examples: ``groove`` for ``data/examples/groove/CONFIG``.

    Args:
        folder: The folder, which need not exist.
        config: Name of the config.
    """
    folder = folder.resolve()
    return folder.parent.name if folder.name == config else folder.name


def other_sizes(layout: Layout, output: OutputSpec) -> list[str]:
    """Lists the differences between the sizes of records and those that a config's model reads."""
    sizes = {
        "steps": (layout.steps or output.steps, output.steps),
        "input_depth": (layout.input_depth, output.input_depth),
        "output_depth": (layout.output_depth, output.output_depth),
        "control_depth": (layout.control_depth, output.control_depth),
    }
    return [f"{name} is {have}, not {wanted}" for name, (have, wanted) in sizes.items() if have != wanted]

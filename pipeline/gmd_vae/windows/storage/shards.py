"""Example shards: their names and sizes; writing and reading them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi.tfrecord import create, file_name, read_records, write_record
from gmd_vae.windows.extraction import Layout

STAGE = "preprocess"
_SHARD_BYTES = 64 << 20
_TRAIN_SHARDS = 4  # at least: a file for each of several parallel readers, or workers of a cluster


def shard_count(split: str, examples: int, size: int) -> int:
    """Returns the default number of files of a split: about 64 MiB each.

    The training split has at least four. No split has more files than examples.

    Args:
        split: Name of the split.
        examples: Number of examples.
        size: Size of all examples in bytes.
    """
    least = _TRAIN_SHARDS if split == "train" else 1
    return min(examples, max(least, -(-size // _SHARD_BYTES)))


def write_shards(
    folder: Path, split: str, examples: Iterator[bytes], count: int, shards: int, *, compress: bool = False
) -> list[dict[str, Any]]:
    """Writes a split as ``SPLIT-00000-of-00004.tfrecord`` and so on, the examples in their order.

    Args:
        folder: Folder of the shards.
        split: Name of the split.
        examples: Example records.
        count: Number of examples.
        shards: Number of files, at most ``count``. An empty split has none.
        compress: Writes gzip files: ``SPLIT-00000-of-00004.tfrecord.gz``.

    Returns:
        A description of each file, for the manifest.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    described = []
    for shard in range(shards):
        begin, end = (count * bound // shards for bound in (shard, shard + 1))
        path = folder / file_name(f"{split}-{shard:05d}-of-{shards:05d}", compress=compress)
        with create(path, compress=compress) as stream:
            for example in itertools.islice(examples, end - begin):
                write_record(stream, example)
        described.append(manifest.describe_file(path, records=end - begin))
    return described


def read_examples_manifest(folder: Path) -> dict[str, Any]:
    """Returns the manifest of an examples folder.

    Raises:
        GmdVaeError: The folder is not one that ``preprocess`` wrote.
    """
    return manifest.read(folder, STAGE, "Make it with 'gmd-vae preprocess'.")


def layout_of(content: dict[str, Any]) -> Layout:
    """Returns the layout of the records from the content of a manifest."""
    fields = dict(content["layout"])
    return Layout(**{**fields, "length_shape": tuple(fields["length_shape"])})


def example_files(folder: Path, split: str) -> list[Path]:
    """Returns the shards of a split in order; none for an empty split.

    Raises:
        GmdVaeError: A shard is missing or has another size than in the manifest.
        KeyError: There is no split of that name.
    """
    files = []
    for entry in read_examples_manifest(folder)["splits"][split]["files"]:
        path = folder / entry["name"]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            raise GmdVaeError(f"'{path}' is missing or has changed since it was written", _make_again(folder))
        files.append(path)
    return files


def read_examples(folder: Path, split: str) -> Iterator[bytes]:
    """Yields the example records of a split in order, every checksum and count verified.

    Raises:
        GmdVaeError: A shard is missing or damaged, or holds another number of records than in the manifest.
    """
    counts = [entry["records"] for entry in read_examples_manifest(folder)["splits"][split]["files"]]
    for path, expected in zip(example_files(folder, split), counts, strict=True):
        count = 0
        for record in read_records(path):
            yield record
            count += 1
        if count != expected:
            raise GmdVaeError(f"'{path}' holds {count} examples, its manifest lists {expected}", _make_again(folder))


def _make_again(folder: Path) -> str:
    return f"Make '{folder}' again with 'gmd-vae preprocess'."

"""Example shards: how they are named and cut, written and read back."""

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
_TRAIN_SHARDS = 4  # so that parallel readers, or the workers of a cluster, each have a file


def shard_count(split: str, examples: int, size: int) -> int:
    """How many files a split is written to unless the user says: about 64 MiB each.

    The training split gets at least four, but never more than it has examples.

    Args:
        split: its name.
        examples: how many it has.
        size: bytes of all of them.
    """
    least = _TRAIN_SHARDS if split == "train" else 1
    return min(examples, max(least, -(-size // _SHARD_BYTES)))


def write_shards(
    folder: Path, split: str, examples: Iterator[bytes], count: int, shards: int, *, compress: bool = False
) -> list[dict[str, Any]]:
    """Writes a split as ``SPLIT-00000-of-00004.tfrecord`` and so on; the shards one after another
    give the examples in their order.

    Args:
        folder: where.
        split: its name.
        examples: the records.
        count: how many they are.
        shards: number of files, at most ``count``.
        compress: gzip: ``SPLIT-00000-of-00004.tfrecord.gz``.

    Returns:
        One description for each file, for the manifest. Nothing is written for an empty split.
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
    """The manifest of a folder that ``preprocess`` made.

    Raises:
        GmdVaeError: it is not such a folder.
    """
    return manifest.read(folder, STAGE, "Make it with 'gmd-vae preprocess'.")


def layout_of(content: dict[str, Any]) -> Layout:
    """The layout of the records, from the folder's manifest."""
    facts = dict(content["layout"])
    return Layout(**{**facts, "length_shape": tuple(facts["length_shape"])})


def example_files(folder: Path, split: str) -> list[Path]:
    """The shards of a split in order; empty for an empty split.

    Raises:
        GmdVaeError: a shard is missing or has another size than the manifest says.
        KeyError: there is no split of that name.
    """
    files = []
    for entry in read_examples_manifest(folder)["splits"][split]["files"]:
        path = folder / entry["name"]
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            raise GmdVaeError(f"'{path}' is missing or has changed since it was written", _again(folder))
        files.append(path)
    return files


def read_examples(folder: Path, split: str) -> Iterator[bytes]:
    """Yields the example records of a split in order, every checksum and count verified.

    Raises:
        GmdVaeError: a shard is missing, damaged, or holds another number of records than the
            manifest says.
    """
    counts = [entry["records"] for entry in read_examples_manifest(folder)["splits"][split]["files"]]
    for path, expected in zip(example_files(folder, split), counts, strict=True):
        found = 0
        for record in read_records(path):
            yield record
            found += 1
        if found != expected:
            raise GmdVaeError(f"'{path}' holds {found} examples, its manifest says {expected}", _again(folder))


def _again(folder: Path) -> str:
    return f"Make '{folder}' again with 'gmd-vae preprocess'."

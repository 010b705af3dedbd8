"""Example shards: their names and sizes; writing and reading them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.regular_files import open_regular
from gmd_vae.midi.tfrecord import create, file_name, framed, is_gzip, read_records, write_record
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest
from gmd_vae.windows.storage.records import RecordError

T = TypeVar("T")

_BLOCK_BYTES = 1 << 20
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


def example_files(folder: Path, split: str) -> list[Path]:
    """Returns the shards of a split in order; none for an empty split.

    Raises:
        GmdVaeError: A shard is missing or has another size than in the manifest, or there is no such split.
    """
    return [path for path, _ in _shards(folder, split)]


def read_examples(folder: Path, split: str) -> Iterator[bytes]:
    """Yields the example records of a split in order, every checksum and count verified.

    Raises:
        GmdVaeError: A shard is missing or damaged, or holds another number of records than in the manifest.
    """
    return parse_examples(folder, split, lambda record: record)


def parse_examples(folder: Path, split: str, parse: Callable[[bytes], T]) -> Iterator[T]:
    """Yields what a function reads from each example record of a split.

    Args:
        folder: Folder of the shards.
        split: Name of the split.
        parse: Reads one record; raises ``RecordError`` for one that cannot be used.

    Raises:
        GmdVaeError: As for ``read_examples``, or ``parse`` refused a record; names its shard and its number, from 1.
    """
    for path, expected in _shards(folder, split):
        count = 0
        for record in read_records(path):
            count += 1
            try:
                parsed = parse(record)
            except RecordError as error:
                raise RecordError(error.reason, f"Record {count} of '{path}'") from None
            yield parsed
            if count > expected:
                break
        if count != expected:
            more = "more than " if count > expected else ""
            raise GmdVaeError(
                f"'{path}' holds {more}{min(count, expected)} examples, its manifest lists {expected}",
                _make_again(folder),
            )


def windows_digest(folder: Path, split: str) -> str:
    """Returns the SHA-256 of a split's records in order, as bytes of uncompressed TFRecord files.

    It does not depend on the number of files, on compression, or on what else is in the manifest: the same windows of
    the same sources have the same digest in every version. ``cat SPLIT-*.tfrecord | sha256sum`` prints it.

    Args:
        folder: Folder of the shards.
        split: Name of the split.

    Raises:
        GmdVaeError: A shard is missing, damaged, or has another size than in the manifest, or there is no such split.
    """
    digest = hashlib.sha256()
    for path in example_files(folder, split):
        if is_gzip(path):
            for record in read_records(path):
                digest.update(framed(record))
        else:
            with open_regular(path) as stream:
                while block := stream.read(_BLOCK_BYTES):
                    digest.update(block)
    return digest.hexdigest()


def windows_digests(folder: Path) -> dict[str, str]:
    """Returns the ``windows_digest`` of each split that has windows.

    Raises:
        GmdVaeError: The folder has no examples, or a shard is missing or damaged.
    """
    splits = read_examples_manifest(folder).splits
    return {str(name): windows_digest(folder, name) for name, split in splits.items() if split.examples}


def _shards(folder: Path, split: str) -> list[tuple[Path, int]]:
    """Returns the path of each shard and the number of its records."""
    shards = []
    for shard in read_examples_manifest(folder).split(folder, split).files:
        path = folder / shard.name
        if not path.is_file() or path.stat().st_size != shard.bytes:
            raise GmdVaeError(f"'{path}' is missing or has changed since it was written", _make_again(folder))
        shards.append((path, shard.records))
    return shards


def _make_again(folder: Path) -> str:
    return f"Make '{folder}' again with 'gmd-vae preprocess'."

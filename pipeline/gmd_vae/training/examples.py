"""Finds the examples to train on, or has them cut from NoteSequences. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable
from pathlib import Path

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.home import data_folder, place_in_words
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import all_configs
from gmd_vae.datasets.fetched import DataSource
from gmd_vae.families import family_of
from gmd_vae.midi.tfrecord import is_gzip, record_sizes
from gmd_vae.windows.extraction import Layout
from gmd_vae.windows.notes_input import input_name, open_notes
from gmd_vae.windows.storage.examples_manifest import ExamplesManifest, other_sizes, read_examples_manifest
from gmd_vae.windows.storage.shards import example_files

_MOST_DIFFERENCES = 12  # in a message; a manifest that was made to do harm may have any number

Prepare = Callable[[Path, Path], None]  # (NoteSequences, new folder of examples)


@dataclasses.dataclass(frozen=True)
class Split:
    """Examples of one split.

    Attributes:
        files: Shards, in order.
        count: Number of examples in all shards.
        layout: Shapes and dtypes of the arrays in a record.
    """

    files: list[Path]
    count: int
    layout: Layout


@dataclasses.dataclass(frozen=True)
class Examples:
    """A folder of prepared examples.

    Attributes:
        folder: Folder made by ``preprocess``.
        layout: Shapes and dtypes of the arrays in a record.
        train: Examples of the training split.
        validation: Examples of the validation split; may be empty.
        digest: SHA-256 of the folder's manifest.
        data_source: Fetched dataset that the music is of; ``None``: of none, or not known.
    """

    folder: Path
    layout: Layout
    train: Split
    validation: Split
    digest: str
    data_source: DataSource | None


def find_examples(config: Config, path: Path | None, prepare: Prepare) -> Examples:
    """Finds the examples to train a config on.

    Args:
        config: Config to train.
        path: Folder of examples; or NoteSequences (a folder from ``convert`` or a TFRecord file), which are cut once;
            or ``None`` to search ``data/examples``, then ``data/notes``.
        prepare: Runs ``preprocess`` for this config.

    Raises:
        GmdVaeError: No examples found, or none that fit the config; names the command to run.
    """
    if path is None:
        path = _search(config)
    if path.is_dir() and manifest.stage_of(path) == "preprocess":
        return open_examples(path, config)
    if not path.exists():
        raise GmdVaeError(
            f"Examples '{path}' do not exist", f"Make them with 'gmd-vae preprocess --config {config.name}'."
        )
    notes = open_notes(path)  # refuses what is none before the cutting is announced
    folder = data_folder("examples") / input_name(path) / config.name
    if not folder.exists() or read_examples_manifest(folder).input != notes.identity:
        prepare(path, folder)
    return open_examples(folder, config)


def open_examples(folder: Path, config: Config) -> Examples:
    """Opens a folder of examples and checks that its windows are cut as the config requires.

    Raises:
        GmdVaeError: The folder has no examples, a file is missing, or the windows do not fit the config.
    """
    content = read_examples_manifest(folder)
    differences = _differences(content, config)
    if differences:
        raise GmdVaeError(
            f"The examples in '{folder}' were cut for '{content.config}' and do not fit '{config.name}': "
            + "; ".join(differences),
            f"Run 'gmd-vae preprocess --config {config.name}'.",
        )
    return Examples(
        folder=folder,
        layout=content.layout,
        train=_split(folder, content, "train"),
        validation=_split(folder, content, "validation"),
        digest=manifest.digest(folder),
        data_source=content.data_source,
    )


def _split(folder: Path, content: ExamplesManifest, name: str) -> Split:
    if name not in content.splits:
        return Split([], 0, content.layout)
    files, count = example_files(folder, name), content.split(folder, name).examples
    packed = [file for file in files if is_gzip(file)]  # TensorFlow unpacks them without a limit
    if packed and sum(1 for file in packed for _ in record_sizes(file)) > count:
        raise GmdVaeError(
            f"The {name} files in '{folder}' hold more examples than their manifest lists",
            f"Make '{folder}' again with 'gmd-vae preprocess'.",
        )
    return Split(files, count, content.layout)


def _search(config: Config) -> Path:
    """Searches ``data/examples``, then ``data/notes``; prefers the Groove MIDI Dataset among several data sets."""
    examples_folder, notes_folder = data_folder("examples"), data_folder("notes")
    manifests = sorted(examples_folder.glob(f"*/*/{manifest.NAME}"))
    prepared = [path.parent for path in manifests if _fits(path.parent, config)]
    # a data set may be cut for several configs with the same windows; the config's own folder wins
    by_data = {folder.parent.name: folder for folder in prepared}
    own = {folder.parent.name: folder for folder in prepared if folder.name == config.name}
    by_data.update(own)
    if not by_data:
        notes = [folder.parent for folder in sorted(notes_folder.glob(f"*/{manifest.NAME}"))]
        by_data = {folder.name: folder for folder in notes if manifest.stage_of(folder) == "convert"}
    if not by_data:
        raise GmdVaeError(
            f"There are no examples for '{config.name}' in '{examples_folder}', and no NoteSequences in "
            f"'{notes_folder}'",
            f"Run 'gmd-vae fetch groove' and 'gmd-vae convert'. {place_in_words()}",
        )
    if len(by_data) > 1 and "groove" not in by_data:
        choices = ", ".join(f"--examples-path {shlex.quote(str(folder))}" for folder in by_data.values())
        raise GmdVaeError(f"There are several data sets to train '{config.name}' on", f"Choose one: {choices}.")
    return by_data.get("groove") or next(iter(by_data.values()))


def _fits(folder: Path, config: Config) -> bool:
    """Returns True for a folder of examples whose windows are cut as the config requires."""
    try:
        return not _differences(read_examples_manifest(folder), config)
    except GmdVaeError:
        return False


def _differences(content: ExamplesManifest, config: Config) -> list[str]:
    """Lists the differences between the windows of prepared examples and those that the config requires."""
    # through JSON: tuples become lists
    wanted = json.loads(json.dumps(family_of(config).extractor(config).settings))
    have = content.extractor
    named = all_configs().get(str(have.get("config")))
    if named is not None and named.windows.converter:  # until 0.8.0 the name of any config with that converter
        have = {**have, "config": named.windows.converter}
    different = [
        f"{name[:40]} is {str(have.get(name))[:60]}, not {str(wanted.get(name))[:60]}"
        for name in dict.fromkeys([*wanted, *have])
        if have.get(name) != wanted.get(name)
    ]
    return different[:_MOST_DIFFERENCES] or other_sizes(content.layout, family_of(config).output(config))

"""Tests of the dataset that the manifest of ``fetch`` names: bounded texts on one line; what is odd is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common import manifest
from gmd_vae.datasets.fetched import DataSource, read_fetched
from gmd_vae.datasets.groove import CITATION, fetch_groove
from gmd_vae.datasets.starter.starter_set import write_starter

GROOVE = DataSource("groove", "1.0.0", "CC BY 4.0", CITATION)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as ``fetch`` writes it, with one file."""
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "1.mid").write_bytes(b"music")
    manifest.write(folder, "fetch", {"dataset": "groove", "version": "1.0.0"})
    return folder


def change(folder: Path, **entries: Any) -> None:
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**content, **entries}))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (GROOVE, f"groove 1.0.0 (CC BY 4.0): {CITATION}"),
        (DataSource("groove"), "groove"),
        (DataSource("mine", licence="CC0"), "mine (CC0)"),
        (DataSource("mine", citation="Somebody", other_files=1), "mine: Somebody; with 1 other or changed file"),
        (DataSource("mine", "2", other_files=1200), "mine 2; with 1,200 other or changed files"),
        (DataSource("a\nb", "\x1b[2J"), r"a b \x1b[2J"),
    ],
)
def test_the_facts_on_one_line(source: DataSource, text: str) -> None:
    assert source.in_words == text


def test_long_texts_are_cut() -> None:
    text = DataSource("n" * 200, "v" * 200, "l" * 4000, "c" * 4000).in_words
    assert (len(text), text[-4:]) == (4000, "l...")


def test_the_datasets_of_fetch_are_named(tmp_path: Path, server: Any) -> None:
    fetch_groove(tmp_path / "groove", remote=server.remote)
    fetched = read_fetched(tmp_path / "groove")
    assert fetched is not None
    assert (fetched.source, len(fetched.digests)) == (GROOVE, 3)
    summary = write_starter(tmp_path / "starter")
    fetched = read_fetched(tmp_path / "starter")
    assert fetched is not None
    assert fetched.source.in_words == "starter (Apache-2.0): The starter set, drum grooves written for gmd-vae"
    assert len(fetched.digests) == summary.midi_files + 1  # and info.csv


def test_texts_are_bounded_and_other_values_are_not_stated(folder: Path) -> None:
    change(folder, version=1, licence="line\n" * 5000, citation=["x"], dataset="\u202e" + "d" * 300)
    fetched = read_fetched(folder)
    assert fetched is not None
    source = fetched.source
    assert (source.version, source.citation) == ("", "")
    assert (len(source.dataset), len(source.licence)) == (200, 4000)
    assert source.dataset.startswith(r"\u202edd")
    assert source.licence.startswith("line line line")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{"),
        lambda folder: change(folder, stage="convert"),
        lambda folder: change(folder, format=2),
        lambda folder: change(folder, dataset=None),
        lambda folder: change(folder, other_files=[]),  # until version 0.8.3
    ],
)
def test_no_dataset_without_a_manifest_that_names_it_and_lists_files(
    folder: Path, spoil: Callable[[Path], object]
) -> None:
    assert read_fetched(folder) is not None
    spoil(folder)
    assert read_fetched(folder) is None
    assert read_fetched(folder / "1.mid") is None


def test_files_of_the_user_are_counted_and_nothing_is_said_of_them_alone(folder: Path) -> None:
    fetched = read_fetched(folder)
    assert fetched is not None
    assert fetched.source_of(3, 3) == DataSource("groove", "1.0.0")
    assert fetched.source_of(3, 5) == DataSource("groove", "1.0.0", other_files=2)
    assert fetched.source_of(0, 5) is None

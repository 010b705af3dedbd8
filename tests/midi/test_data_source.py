"""The fetched dataset of notes and examples: ``convert`` records it, ``preprocess`` carries it on, and no more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.datasets import known_source
from gmd_vae.datasets.download import RemoteFile
from gmd_vae.datasets.fetched import DataSource
from gmd_vae.datasets.groove import CITATION as GROOVE_CITATION
from gmd_vae.datasets.groove import GROOVE
from gmd_vae.datasets.starter.starter_set import CITATION, write_starter
from gmd_vae.engines.local import LocalEngine
from gmd_vae.families import family_of
from gmd_vae.midi.convert import convert
from gmd_vae.midi.notes_manifest import read_convert_manifest
from gmd_vae.windows.notes_input import open_notes
from gmd_vae.windows.preprocess import preprocess
from gmd_vae.windows.stock.drums import StockDrumExtractor
from gmd_vae.windows.stock.preprocess import write_stock
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest

MakeMidi = Callable[..., bytes]
STARTER = DataSource("starter", licence="Apache-2.0", citation=CITATION)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """The starter set as ``fetch`` writes it."""
    write_starter(tmp_path / "raw")
    return tmp_path / "raw"


def source_of(music: Path, notes: Path | None = None) -> DataSource | None:
    """Returns what ``convert`` records of music."""
    notes = notes or music.parent / "notes"
    convert(music, notes)
    return read_convert_manifest(notes, "").data_source


def test_a_fetched_dataset_reaches_the_examples(starter_notes: Path, starter_examples: Path) -> None:
    assert read_convert_manifest(starter_notes, "").data_source == STARTER
    assert read_examples_manifest(starter_examples).data_source == STARTER
    written = json.loads((starter_notes / "manifest.json").read_text())["data_source"]
    assert written == {"dataset": "starter", "licence": "Apache-2.0", "citation": CITATION}, (
        "what is not known is absent"
    )


def test_one_file_has_the_source_of_its_folder(starter_notes: Path, tmp_path: Path) -> None:
    notes = shutil.copytree(starter_notes, tmp_path / "notes")
    alone = tmp_path / "alone.tfrecord"
    alone.symlink_to(notes / "train.tfrecord")
    assert open_notes(alone).data_source == STARTER
    config = get_config(DEFAULT_CONFIG)
    extractor = family_of(config).extractor(config)
    preprocess(notes / "train.tfrecord", tmp_path / "examples", extractor, config=config.name)
    assert read_examples_manifest(tmp_path / "examples").data_source == STARTER
    write_stock(notes, tmp_path / "stock", StockDrumExtractor(DrumWindows()), config="name", engine=LocalEngine(1))
    assert open_notes(tmp_path / "stock" / "train.tfrecord").data_source == STARTER
    (tmp_path / "moved.tfrecord").write_bytes((notes / "train.tfrecord").read_bytes())
    assert open_notes(tmp_path / "moved.tfrecord").data_source is None, "nothing says what it is"
    (notes / "train.tfrecord").write_bytes((notes / "test.tfrecord").read_bytes() * 2)
    assert open_notes(notes / "train.tfrecord").data_source is None, "changed since"
    (notes / "manifest.json").write_text("{")
    assert open_notes(notes / "test.tfrecord").data_source is None


def test_the_notes_of_preprocess_stock_keep_it(starter_notes: Path, tmp_path: Path) -> None:
    write_stock(
        starter_notes, tmp_path / "stock", StockDrumExtractor(DrumWindows()), config="name", engine=LocalEngine(1)
    )
    assert open_notes(tmp_path / "stock").data_source == STARTER


def test_music_of_the_user_has_no_source(raw: Path) -> None:
    (raw / "manifest.json").unlink()
    assert source_of(raw) is None
    assert "data_source" not in json.loads((raw.parent / "notes" / "manifest.json").read_text())
    assert open_notes(raw.parent / "notes").data_source is None


def test_added_and_changed_files_are_counted_where_they_are_converted(raw: Path, make_midi: MakeMidi) -> None:
    (raw / "mine.mid").write_bytes(make_midi())
    assert source_of(raw) == STARTER, "info.csv does not list it, so it is left out"
    (raw / "info.csv").unlink()
    changed, moved, *_ = sorted((raw / "drummer1").rglob("*.mid"))
    changed.write_bytes(make_midi([(0, 38)]))
    moved.rename(raw / "moved.mid")  # its content is still of the dataset
    (raw / "broken.mid").write_bytes(b"")  # gives no notes
    assert source_of(raw) == DataSource("starter", licence="Apache-2.0", citation=CITATION, other_files=2)
    shutil.rmtree(raw / "drummer1")
    (raw / "moved.mid").unlink()
    assert source_of(raw) is None, "only files of the user are left"


def test_a_part_of_a_fetched_folder_is_of_the_dataset(raw: Path, make_midi: MakeMidi) -> None:
    notes = raw.parent / "notes"
    part = next(path for path in sorted((raw / "drummer1").iterdir()) if path.is_dir())
    assert source_of(part, notes) == STARTER
    (raw / "here").symlink_to(part)
    assert source_of(raw / "here", notes) == STARTER
    assert source_of(sorted(part.rglob("*.mid"))[0], notes) == STARTER, "one file of it"
    (part / "mine.mid").write_bytes(make_midi([(0, 38)]))
    assert source_of(part, notes) == DataSource("starter", licence="Apache-2.0", citation=CITATION, other_files=1)
    (raw / "songs").mkdir()
    (raw / "songs" / "mine.mid").write_bytes(make_midi())
    assert source_of(raw / "songs", notes) is None, "music of the user that lies there"
    assert source_of(raw / "songs" / "mine.mid", notes) is None
    shutil.move(part, raw.parent / "moved")
    assert source_of(raw.parent / "moved", notes) is None, "nothing says what it is"


def test_the_archive_of_a_dataset_is_known_by_its_digest(
    raw: Path, make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch
) -> None:
    (raw / "manifest.json").unlink()
    archive = Path(shutil.make_archive(str(raw.parent / "any name"), "zip", raw))
    assert source_of(archive) is None
    remote = RemoteFile("https://example.org/x.zip", archive.stat().st_size, sha256(archive))
    source = DataSource("groove", "1.0.0", "CC BY 4.0", "Jon Gillick")
    monkeypatch.setattr(known_source, "_ARCHIVES", ((remote, source),))
    assert source_of(archive) == source
    archive.write_bytes(archive.read_bytes()[:-1] + b"!")
    assert known_source.find_source(archive) is None, "of the same size, with one byte changed"
    (raw / "mine.mid").write_bytes(make_midi())
    assert source_of(Path(shutil.make_archive(str(raw.parent / "any name"), "zip", raw))) is None


def test_the_archive_of_the_groove_midi_dataset_is_in_the_table() -> None:
    ((remote, source),) = known_source._ARCHIVES
    assert (remote, source) == (GROOVE, DataSource("groove", "1.0.0", "CC BY 4.0", GROOVE_CITATION))


def test_notes_and_examples_of_earlier_versions_are_read_and_replaced(
    raw: Path, starter_examples: Path, tmp_path: Path
) -> None:
    assert source_of(raw) == STARTER
    folders = (tmp_path / "notes", shutil.copytree(starter_examples, tmp_path / "examples"))
    for folder in folders:
        content = json.loads((folder / "manifest.json").read_text())
        del content["data_source"]
        (folder / "manifest.json").write_text(json.dumps(content))
    assert open_notes(folders[0]).data_source is None
    assert read_examples_manifest(folders[1]).data_source is None
    assert source_of(raw) == STARTER


@pytest.mark.parametrize("value", ["starter", {}, {"dataset": "x" * 201}, {"dataset": "x", "other_files": -1}])
def test_a_source_of_another_form_is_refused_with_the_field(starter_notes: Path, tmp_path: Path, value: object) -> None:
    notes = shutil.copytree(starter_notes, tmp_path / "notes")
    content = json.loads((notes / "manifest.json").read_text())
    (notes / "manifest.json").write_text(json.dumps({**content, "data_source": value}))
    with pytest.raises(GmdVaeError, match="data_source"):
        open_notes(notes)

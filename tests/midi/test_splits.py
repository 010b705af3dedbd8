from __future__ import annotations

import collections
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.datasets.catalogue import COLUMNS
from gmd_vae.datasets.midi_files import list_midi_files
from gmd_vae.datasets.selection import Selection
from gmd_vae.midi.content_splits import Content, split_by_content
from gmd_vae.midi.splits import DEFAULT_SHARES, make_plan

MakeMidi = Callable[..., bytes]


def row(name: str, split: str = "train", style: str = "rock", beat_type: str = "beat") -> str:
    values = dict.fromkeys(COLUMNS, "x")
    values.update(midi_filename=name, split=split, style=style, beat_type=beat_type, bpm="120", duration="3.5")
    return ",".join(values[column] for column in COLUMNS)


@pytest.fixture
def folder(tmp_path: Path, make_midi: MakeMidi) -> Path:
    for name in ("a.mid", "b.mid", "c.mid", "extra.mid"):
        (tmp_path / name).write_bytes(make_midi())
    rows = [
        ",".join(COLUMNS),
        row("a.mid", "test"),
        row("b.mid", "train", style="funk"),
        row("c.mid", beat_type="fill"),
        row("gone.mid"),
    ]
    (tmp_path / "info.csv").write_text("\n".join(rows))
    return tmp_path


def test_the_hash_splits_80_10_10_and_never_changes() -> None:
    contents = [Content(hashlib.sha256(b"%d" % n).hexdigest(), b"") for n in range(10_000)]
    splits = split_by_content(contents, DEFAULT_SHARES).splits
    assert collections.Counter(splits) == {"train": 8045, "validation": 948, "test": 1007}
    ends = {"00": "train", "cb": "train", "cd": "validation", "e5": "validation", "e7": "test", "ff": "test"}
    found = split_by_content([Content(byte * 32, b"") for byte in ends], DEFAULT_SHARES).splits
    assert found == list(ends.values())  # cb is 0.796 of the range, cd 0.804, e5 0.898, e7 0.906


def test_a_catalogue_is_followed_by_default(folder: Path) -> None:
    plan = make_plan(list_midi_files(folder), Selection(), None)
    assert plan.split_by == "info"
    assert plan.splits == {"a.mid": "test", "b.mid": "train", "c.mid": "train"}
    assert [file.name for file in plan.files] == ["a.mid", "b.mid", "c.mid"]
    assert (plan.not_selected, plan.not_listed, plan.missing) == (0, ("extra.mid",), ("gone.mid",))


def test_a_selection_takes_what_matches(folder: Path) -> None:
    plan = make_plan(list_midi_files(folder), Selection(styles=("rock",), beat_types=("beat",)), None)
    assert [file.name for file in plan.files] == ["a.mid"]
    assert (plan.not_selected, plan.not_listed, plan.missing) == (2, ("extra.mid",), ("gone.mid",))


def test_the_hash_rule_takes_every_file_and_reads_no_catalogue(folder: Path) -> None:
    (folder / "info.csv").write_text("nonsense")
    plan = make_plan(list_midi_files(folder), Selection(), "hash")
    assert len(plan.files) == 4
    assert plan.splits is None


def test_a_selection_can_be_split_by_hash(folder: Path) -> None:
    plan = make_plan(list_midi_files(folder), Selection(styles=("funk",)), "hash")
    assert [file.name for file in plan.files] == ["b.mid"]
    assert plan.splits is None


def test_without_a_catalogue_the_hash_rule_is_the_default(folder: Path) -> None:
    (folder / "info.csv").unlink()
    assert make_plan(list_midi_files(folder), Selection(), None).split_by == "hash"
    with pytest.raises(UsageError, match=r"--split-by info needs an info\.csv, but .* has no info\.csv"):
        make_plan(list_midi_files(folder), Selection(), "info")
    with pytest.raises(UsageError, match=r"Choosing files by styles, bpm needs an info\.csv"):
        make_plan(list_midi_files(folder), Selection(styles=("rock",), bpm_range=(90, 140)), None)


def test_a_damaged_catalogue_names_the_way_out(folder: Path) -> None:
    (folder / "info.csv").write_text("midi_filename,style\na.mid,rock\n")
    with pytest.raises(GmdVaeError, match=r"has no column split.*--split-by hash"):
        make_plan(list_midi_files(folder), Selection(), None)


def test_a_catalogue_of_other_files(folder: Path) -> None:
    (folder / "info.csv").write_text(",".join(COLUMNS) + "\n" + row("other.mid"))
    with pytest.raises(GmdVaeError, match=r"None of the 1 files that info\.csv lists"):
        make_plan(list_midi_files(folder), Selection(), None)


def test_files_are_selected_by_a_catalogue_without_splits(folder: Path) -> None:
    (folder / "info.csv").write_text("midi_filename;style\na.mid;rock\nb.mid;funk\n")
    plan = make_plan(list_midi_files(folder), Selection(styles=("funk",)), "hash")
    assert [file.name for file in plan.files] == ["b.mid"]
    assert plan.splits is None
    with pytest.raises(GmdVaeError, match="has no column split"):
        make_plan(list_midi_files(folder), Selection(styles=("funk",)), None)

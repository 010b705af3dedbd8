"""Batch files and their merge: the result equals a simple implementation in memory."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.byte_windows import Bytes, ByteTensors
from fixtures.command_line import PYTHONPATH
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.engines.local import LocalEngine
from gmd_vae.midi.tfrecord import write_record
from gmd_vae.windows import notes_input, preprocess
from gmd_vae.windows.cutting.filters import Filters
from gmd_vae.windows.storage import batch_files, merge, sorted_runs
from gmd_vae.windows.storage.records import read_label_example
from gmd_vae.windows.storage.shards import read_examples
from hypothesis import given, settings
from hypothesis import strategies as st


def write_notes(folder: Path, content: dict[str, list[bytes]]) -> Path:
    folder.mkdir()
    for split, records in content.items():
        with (folder / f"{split}.tfrecord").open("wb") as stream:
            for record in records:
                write_record(stream, record)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def cut(notes: Path, output: Path, extractor: Any = None, **options: Any) -> preprocess.Summary:
    return preprocess.preprocess(notes, output, extractor or Bytes(), config="bytes", **options)


def expected(content: dict[str, list[bytes]], keep_duplicates: bool) -> dict[str, list[tuple[list[int], list[str]]]]:
    """Repeats the specification of ``preprocess`` with all windows in memory."""
    found: dict[str, dict[bytes, list[str]]] = {split: {} for split in SPLITS}
    for split, records in content.items():
        for record in records:
            for row in np.asarray(Bytes()(record).windows):
                found[split].setdefault(row.astype("<u2").tobytes(), []).append(f"id {record[-1]}")
    examples: dict[str, list[tuple[list[int], list[str]]]] = {}
    for place, split in enumerate(SPLITS):
        later = set().union(*(found[other] for other in SPLITS[place + 1 :]))
        ranked = []
        for window, ids in found[split].items():
            groups = [[name] for name in ids] if keep_duplicates else [list(dict.fromkeys(ids))]
            for number, group in enumerate(groups if window not in later else []):
                rank = hashlib.blake2b(window, digest_size=16, salt=number.to_bytes(8, "big")).digest()
                ranked.append((rank, np.frombuffer(window, "<u2").tolist(), group))
        examples[split] = [(labels, group) for _, labels, group in sorted(ranked)]
    return examples


record = st.binary(min_size=1, max_size=12)


@settings(deadline=None, max_examples=25)
@given(
    content=st.fixed_dictionaries({split: st.lists(record, min_size=1, max_size=6) for split in SPLITS}),
    keep_duplicates=st.booleans(),
    sweep=st.sampled_from([500, 3000, 1 << 20]),
    run=st.sampled_from([200, 1 << 20]),
    block=st.sampled_from([1, 1 << 20]),
)
def test_the_merge_equals_the_implementation_in_memory(
    tmp_path_factory: pytest.TempPathFactory,
    content: dict[str, list[bytes]],
    keep_duplicates: bool,
    sweep: int,
    run: int,
    block: int,
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    notes = write_notes(folder / "notes", content)
    reference = expected(content, keep_duplicates)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "_SWEEP_BYTES", sweep)
        patch.setattr(sorted_runs, "_RUN_BYTES", run)
        patch.setattr(batch_files, "_BLOCK_BYTES", block)
        patch.setattr(notes_input, "_RANGE_RECORDS", 2)
        if not reference["train"]:
            with pytest.raises(GmdVaeError, match="No window"):
                cut(notes, folder / "out", keep_duplicates=keep_duplicates)
            return
        summary = cut(notes, folder / "out", keep_duplicates=keep_duplicates)
    for name, split in summary.splits.items():
        assert [read_label_example(each) for each in read_examples(folder / "out", name)] == reference[name]
        assert split.examples == len(reference[name])
        assert split.windows - split.repeats - sum(split.taken_out.values()) == split.examples
        windows = Counter(byte for each in content[name] for byte in each[:-1])
        assert (split.windows, split.distinct) == (windows.total(), len(windows))
    assert sorted(path.name for path in folder.iterdir()) == ["notes", "out"]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Writes records with windows that are in several records and splits."""
    generator = np.random.default_rng(1)
    draw = [generator.integers(0, 200, 9, np.uint8).tobytes() for _ in range(60)]
    return write_notes(tmp_path / "notes", {"train": draw[:50], "validation": draw[45:55], "test": draw[52:]})


@pytest.mark.parametrize("keep_duplicates", [False, True])
@pytest.mark.parametrize("extractor", [Bytes(), ByteTensors()])
def test_the_output_does_not_depend_on_the_memory_limits(
    many: Path, tmp_path: Path, extractor: Bytes, keep_duplicates: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(many, tmp_path / "whole", extractor, keep_duplicates=keep_duplicates)
    monkeypatch.setattr(merge, "_SWEEP_BYTES", 3000)
    monkeypatch.setattr(sorted_runs, "_RUN_BYTES", 500)
    monkeypatch.setattr(batch_files, "_BLOCK_BYTES", 300)
    monkeypatch.setattr(notes_input, "_RANGE_RECORDS", 7)
    monkeypatch.setattr(notes_input, "_MOST_RANGES", 5)
    monkeypatch.setattr(merge, "_EXAMPLES_AT_ONCE", 3)
    cut(many, tmp_path / "pieces", extractor, keep_duplicates=keep_duplicates)
    assert contents(tmp_path / "whole") == contents(tmp_path / "pieces")


def test_ranges_are_few_and_cover_every_record_once(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes_input, "_RANGE_RECORDS", 4)
    source = notes_input.open_notes(many)
    ranges = source.ranges()
    assert [piece.count for piece in ranges] == [4] * 12 + [2] + [4, 4, 2] + [4, 4]
    every = [each for piece in ranges for each in piece.read()]
    assert [each.name for each in every][49:52] == [
        "train.tfrecord#49",
        "validation.tfrecord#0",
        "validation.tfrecord#1",
    ]
    monkeypatch.setattr(notes_input, "_MOST_RANGES", 5)
    assert len(source.ranges()) == 6  # one more for each file's last
    assert [each for piece in source.ranges() for each in piece.read()] == every
    monkeypatch.setattr(notes_input, "_RANGE_BYTES", 30)
    assert max(piece.count for piece in notes_input.open_notes(many).ranges()) > 1


def test_a_damaged_batch_is_made_again(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(many, tmp_path / "whole")
    monkeypatch.setattr(notes_input, "_RANGE_RECORDS", 7)

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preprocess, "merge", interrupted)
        with pytest.raises(Interrupted):
            cut(many, tmp_path / "out")
    (folder,) = (path for path in (tmp_path / ".out.parts").iterdir() if path.is_dir())
    empty, changed, short, *_ = sorted(folder.glob("*.part"))
    empty.write_bytes(b"")
    changed.write_bytes(changed.read_bytes()[:-1] + b"\0")
    short.write_bytes(short.read_bytes()[:-200])
    for _ in range(3):  # each run finds one
        with pytest.raises(GmdVaeError, match=r"part' is .*\(was the power cut\?\). Run the same command again"):
            cut(many, tmp_path / "out")
    cut(many, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_batches_of_other_options_are_not_reused(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(preprocess, "merge", interrupted)
        with pytest.raises(Interrupted):
            cut(many, tmp_path / "out")
    resumed: list[int] = []
    summary = cut(many, tmp_path / "out", max_per_sequence=2, on_resume=lambda done, total: resumed.append(done))
    assert resumed == []
    with monkeypatch.context() as patch:
        patch.setattr(preprocess, "merge", interrupted)
        with pytest.raises(Interrupted):
            cut(many, tmp_path / "out")
    cut(many, tmp_path / "out", filters=Filters(max_num_notes=9), on_resume=lambda done, total: resumed.append(done))
    assert resumed == []
    assert summary.splits["train"].windows == 100


_KILLED = """if True:
    import os, signal, sys
    from pathlib import Path
    from gmd_vae.engines.local import LocalEngine
    from gmd_vae.windows import notes_input, preprocess
    from fixtures.byte_windows import Bytes
    notes_input._RANGE_RECORDS = 7
    if __name__ == "__main__":
        preprocess.preprocess(
            Path("notes"), Path("out"), Bytes(), config="bytes", engine=LocalEngine(int(sys.argv[1])),
            on_progress=lambda done, total: done > 20 and os.kill(os.getpid(), signal.SIGKILL),
        )
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_continues_from_its_batches(
    many: Path, tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes_input, "_RANGE_RECORDS", 7)
    (tmp_path / "killed.py").write_text(_KILLED)
    killed = subprocess.run(
        [sys.executable, "killed.py", str(jobs)], cwd=tmp_path, env=os.environ | {"PYTHONPATH": PYTHONPATH},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    time.sleep(0.1)  # a child may still finish a batch
    resumed: list[tuple[int, int]] = []
    cut(many, tmp_path / "out", engine=LocalEngine(1), on_resume=lambda done, total: resumed.append((done, total)))
    ((done, total),) = resumed
    assert 20 < done <= total == 68
    cut(many, tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert not (tmp_path / ".out.parts").exists()

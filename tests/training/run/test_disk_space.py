"""A run that cannot be saved is refused before it starts."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.training.run.disk_space import check_space


@pytest.fixture
def requested(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A disk with 300 MB free; returns the folders for which the space was requested."""
    requested: list[Path] = []

    def usage(folder: Path) -> SimpleNamespace:
        requested.append(folder)
        return SimpleNamespace(free=300_000_000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return requested


def test_too_little_is_refused_with_both_numbers(tmp_path: Path, requested: list[Path]) -> None:
    with pytest.raises(GmdVaeError) as caught:
        check_space(tmp_path / "run", 380_000_000, 5)
    assert str(caught.value) == (
        f"The disk of '{tmp_path / 'run'}' is too full: training needs about 1.9 GB for 5 checkpoints of 0.4 GB, "
        "0.3 GB are free. Free some space, or choose a --run-dir on another disk."
    )


def test_the_last_byte_counts(tmp_path: Path, requested: list[Path]) -> None:
    check_space(tmp_path, 100_000_000, 3)
    check_space(tmp_path, 300_000_001, 0)
    with pytest.raises(GmdVaeError, match="for one checkpoint"):
        check_space(tmp_path, 300_000_001, 1)


def test_small_sizes_are_given_in_megabytes(tmp_path: Path, requested: list[Path]) -> None:
    with pytest.raises(GmdVaeError, match=r"for 4,?000 checkpoints of 4\.2 MB"):
        check_space(tmp_path, 4_200_000, 4000)


def test_a_folder_that_is_still_to_be_made_lies_on_the_disk_above_it(
    tmp_path: Path, requested: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_space(tmp_path / "runs" / "deep" / "new", 1, 1)
    monkeypatch.chdir(tmp_path)
    check_space(Path("runs/new"), 1, 1)
    assert requested == [tmp_path, tmp_path]


def test_the_real_disk_answers(tmp_path: Path) -> None:
    check_space(tmp_path, 1, 1)
    with pytest.raises(GmdVaeError, match="are free"):
        check_space(tmp_path, 1 << 60, 3)

"""Number of threads per TensorFlow operation in training."""

from __future__ import annotations

import os

import pytest
from gmd_vae.training import threads


@pytest.mark.parametrize(
    ("processors", "before", "after"), [(1, None, "1"), (2, None, "1"), (4, None, None), (2, "2", "2")]
)
def test_one_or_two_cores_give_each_operation_one_thread(
    processors: int, before: str | None, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: processors)
    monkeypatch.setenv(threads.VARIABLE, before or "")  # so that monkeypatch restores it
    if before is None:
        monkeypatch.delenv(threads.VARIABLE)
    threads.share_processors()
    assert os.environ.get(threads.VARIABLE) == after

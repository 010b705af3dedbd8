"""How many threads TensorFlow takes while it trains."""

from __future__ import annotations

import os

import pytest
from gmd_vae.training import threads


@pytest.mark.parametrize(
    ("processors", "before", "after"), [(1, None, "1"), (2, None, "1"), (4, None, None), (2, "2", "2")]
)
def test_few_processors_take_an_operation_each(
    processors: int, before: str | None, after: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "default_jobs", lambda: processors)
    monkeypatch.setenv(threads.VARIABLE, before or "")  # so that what was there comes back
    if before is None:
        monkeypatch.delenv(threads.VARIABLE)
    threads.share_processors()
    assert os.environ.get(threads.VARIABLE) == after

"""What tests of random numbers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest


@pytest.fixture(scope="session")
def magenta() -> Any:
    from pipeline.models import magenta

    return magenta


@pytest.fixture(scope="session")
def randomness(magenta: Any) -> Any:
    from pipeline.models import randomness

    return randomness


@pytest.fixture(scope="session")
def assert_unrelated() -> Callable[[npt.NDArray[Any]], None]:
    def check(columns: npt.NDArray[Any]) -> None:
        """No two columns, ``[draws, columns]``, have more to do with each other than chance allows."""
        related = np.abs(np.corrcoef(columns.T)) - np.eye(columns.shape[1])
        assert related.max() < 6 / np.sqrt(len(columns))

    return check

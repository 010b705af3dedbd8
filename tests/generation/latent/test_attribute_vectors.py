"""Attribute vectors: where a model does not follow what was asked for."""

from __future__ import annotations

import pytest
from gmd_vae.generation.latent.attribute_vectors import AttributeChange


@pytest.mark.parametrize(
    ("amounts", "values", "not_followed"),
    [
        # less of what a beat does not have is followed
        ((0, -3), (0, 0, 0), []),
        ((0, -3), (0, 0, 0.5), ["-3, changed by +0.5"]),
        ((0, -3), (0.5, 0.5, 0.5), ["-3, changed by +0"]),
        ((0, -3), (0.5, 0.5, 0), []),
        ((0, 3), (0, 0, 0), ["+3, changed by +0"]),
        ((-3, 0), (0, 0, 0), []),
        ((-3, 0), (0.5, 0.5, 0.5), ["-3, changed by +0"]),
        ((-3, 0), (0, 0.5, 0.5), []),
        # one end of a range, or both
        ((-3, 3), (0, 0, 2), []),
        ((-3, 3), (0, 0, 0), ["+3, changed by +0"]),
        ((-3, 3), (0, 5, 5), ["+3, changed by +0"]),
        ((3, -3), (5, 4, 4), ["-3, changed by +0"]),
        ((-3, 3), (5, 4, 3), ["-3, changed by +1", "+3, changed by -1"]),
        # on one side of the beat itself
        ((-3, -1), (0, 4, 0), []),
        ((1, 3), (2, 2, 2), ["+1 to +3, changed by +0"]),
        ((1, 3), (2, 0, 4), []),
    ],
)
def test_where_a_model_does_not_follow(
    amounts: tuple[float, float], values: tuple[float, float, float], not_followed: list[str]
) -> None:
    """Values at the first amount, of the beat itself, and at the last amount."""
    (start, end), (before, unmoved, after) = amounts, values
    change = AttributeChange("crash", end - start, before, after, start, unmoved)
    assert change.not_followed == [f"crash: asked for {text}" for text in not_followed]

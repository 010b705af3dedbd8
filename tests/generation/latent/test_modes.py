"""Latent vectors of each mode, with decoders whose output is easy to predict."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.latent_points import prior
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.inputs.input_windows import InputSong, InputWindow
from gmd_vae.generation.latent.modes import FileLatents, Floats, Steps, file_latents
from gmd_vae.generation.request import GenerationRequest, Move
from gmd_vae.models.latent_density import LatentDensity

SIZE, STEPS = 6, 64
NOTHING = np.zeros((0, SIZE), np.float32)
ENDS = prior(3, SIZE, seed=9)


def ladder(z: Floats) -> list[Steps]:
    """One more step differs from ``ENDS[0]`` for each twentieth of distance from it."""
    changed = np.minimum(np.linalg.norm(z - ENDS[0], axis=1) * 20, STEPS).astype(int)
    return [np.where(np.arange(STEPS) < count, 1, 0).astype(np.int64) for count in changed]


def constant(z: Floats) -> list[Steps]:
    """The same music for every z."""
    return [np.zeros(STEPS, np.int64)] * len(z)


def latents(
    request: GenerationRequest, encoded: Floats = NOTHING, inputs: GenerationInputs | None = None
) -> FileLatents:
    vectors = {"ride": np.eye(SIZE)[0], "kick": np.eye(SIZE)[1]}
    return file_latents(request, encoded, inputs or GenerationInputs(), vectors, 4, ladder)


def test_samples_are_drawn_from_the_prior() -> None:
    found = latents(GenerationRequest(count=5, seed=3))
    np.testing.assert_array_equal(found.z, prior(5, SIZE, 3))
    assert found.rows == tuple(range(row, row + 1) for row in range(5))


def test_same_z_gives_all_files_one_z() -> None:
    found = latents(GenerationRequest(count=5, seed=3, same_z=True))
    np.testing.assert_array_equal(found.z, np.repeat(prior(1, SIZE, 3), 5, axis=0))


DENSITY = LatentDensity(np.random.default_rng(0).normal(size=(40, SIZE)).astype(np.float16))


@pytest.mark.parametrize("density", [None, DENSITY], ids=["normal", "fitted"])
@pytest.mark.parametrize(
    ("settings", "others"),  # others: of the other files, those that cost nothing
    [
        ({}, 0),
        ({"same_z": True}, 0),
        ({"radius": 0.3}, 0),
        ({"bars": 8}, 0),
        ({"mode": "continue", "bars": 8}, 0),
        ({"mode": "vary", "distance": 3}, 31),  # decoded with the one to write
        ({"mode": "interpolate"}, 138),  # three ends
    ],
)
def test_the_only_file_to_write_is_that_of_all_files_and_costs_as_much_as_one(
    settings: dict[str, Any], others: int, density: LatentDensity | None
) -> None:
    def of(request: GenerationRequest) -> FileLatents:
        encoded = ENDS if request.mode == "interpolate" else ENDS[:1]
        return file_latents(request, encoded, GenerationInputs(), {}, 4, ladder, density)

    request = GenerationRequest(**{"count": 70, "seed": 3, **settings})
    every, one = of(request), of(dataclasses.replace(request, only=40))
    assert every.rows == one.rows
    rows = slice(every.rows[40].start, every.rows[40].stop)
    np.testing.assert_array_equal(one.z[rows], every.z[rows])
    made = sum(bool(one.z[span.start : span.stop].any()) for span in one.rows)
    assert made <= 1 + others


def test_samples_around_a_beat_are_as_near_as_the_radius() -> None:
    near = latents(GenerationRequest(count=4000, radius=0.1), ENDS[:1]).z - ENDS[0]
    assert abs(near.std() - 0.1) < 0.01
    np.testing.assert_array_equal(
        latents(GenerationRequest(count=3, radius=0.0), ENDS[:1]).z, np.repeat(ENDS[:1], 3, axis=0)
    )


@pytest.mark.parametrize("path", ["slerp", "lerp"])
def test_an_interpolation_passes_every_input_once(path: str) -> None:
    found = latents(GenerationRequest(mode="interpolate", count=4, path=path), ENDS).z
    assert len(found) == 7
    np.testing.assert_allclose(found[[0, 3, 6]], ENDS, rtol=1e-5, atol=1e-6)


def test_lerp_is_straight_and_slerp_is_not() -> None:
    straight = latents(GenerationRequest(mode="interpolate", count=3, path="lerp"), ENDS[:2]).z
    np.testing.assert_allclose(straight[1], ENDS[:2].mean(axis=0), rtol=1e-5)
    round_about = latents(GenerationRequest(mode="interpolate", count=3, path="slerp"), ENDS[:2]).z
    assert np.linalg.norm(round_about[1]) > np.linalg.norm(straight[1])


@pytest.mark.parametrize("distance", [1, 8, 20])
def test_variations_have_the_distance_and_do_not_depend_on_the_count(distance: int) -> None:
    request = GenerationRequest(mode="vary", count=40, distance=distance)
    found = latents(request, ENDS[:1]).z
    changed = [int(window.sum()) for window in ladder(found)]
    assert all(abs(count - distance) <= max(1, distance // 6) for count in changed)
    assert len(np.unique(found, axis=0)) == 40
    few = latents(GenerationRequest(mode="vary", count=3, distance=distance), ENDS[:1]).z
    np.testing.assert_array_equal(few, found[:3])


def test_an_impossible_distance_is_refused() -> None:
    with pytest.raises(GmdVaeError, match="differ in 65 of 64 steps"):
        latents(GenerationRequest(mode="vary", distance=65), ENDS[:1])


def test_a_model_without_variations_is_refused() -> None:
    with pytest.raises(GmdVaeError, match="decodes every z to the same music"):
        file_latents(GenerationRequest(mode="vary"), ENDS[:1], GenerationInputs(), {}, 4, constant)


def test_attributes_are_added_in_equal_steps() -> None:
    moves = (Move("ride", -1.0, 1.0), Move("kick", 0.0, 2.0))
    found = latents(GenerationRequest(mode="attribute", count=3, moves=moves), ENDS[:1]).z - ENDS[0]
    np.testing.assert_allclose(found[:, :2], [[-1, 0], [0, 1], [1, 2]], atol=1e-6)
    np.testing.assert_allclose(found[:, 2:], 0, atol=1e-6)
    (alone,) = latents(GenerationRequest(mode="attribute", count=1, moves=moves), ENDS[:1]).z - ENDS[0]
    np.testing.assert_allclose(alone[:2], [1, 2], atol=1e-6)


def test_without_a_beat_attributes_change_the_first_sample() -> None:
    found = latents(GenerationRequest(mode="attribute", count=2, seed=4, moves=(Move("ride", 0.0, 1.0),)))
    np.testing.assert_array_equal(found.z[0], prior(1, SIZE, 4)[0])


def test_longer_files_follow_a_walk() -> None:
    found = latents(GenerationRequest(count=3, bars=10, drift=0.1, seed=2))
    assert found.rows == (range(0, 3), range(3, 6), range(6, 9))
    np.testing.assert_array_equal(found.z[[0, 3, 6]], prior(3, SIZE, 2))
    steps = np.linalg.norm(np.diff(found.z[:3], axis=0), axis=1)
    assert (steps < np.linalg.norm(found.z[0] - found.z[3])).all()
    few = latents(GenerationRequest(count=1, bars=10, drift=0.1, seed=2))
    np.testing.assert_array_equal(few.z, found.z[:3])


def test_a_continuation_does_not_begin_with_what_it_continues() -> None:
    found = latents(GenerationRequest(mode="continue", count=2, bars=8, drift=0.2), ENDS[:1])
    assert found.rows == (range(0, 2), range(2, 4))
    assert not (found.z == ENDS[0]).any()
    assert (found.z[0] != found.z[2]).any()
    still = latents(GenerationRequest(mode="continue", count=1, bars=8, drift=0.0), ENDS[:1])
    np.testing.assert_allclose(still.z, np.repeat(ENDS[:1], 2, axis=0), rtol=1e-6)


def test_songs_keep_their_windows_together() -> None:
    windows = tuple(InputWindow(Path("a.mid"), np.zeros((STEPS, 10)), STEPS, 2, bar=4 * index) for index in range(2))
    songs = (InputSong(Path("a.mid"), windows, 8, 120.0, ()), InputSong(Path("b.mid"), windows[:1], 4, 120.0, ()))
    found = latents(GenerationRequest(mode="reconstruct"), ENDS, GenerationInputs(songs=songs))
    assert found.rows == (range(0, 2), range(2, 3))
    np.testing.assert_array_equal(found.z, ENDS)


def test_given_latent_vectors_are_decoded_as_they_are() -> None:
    assert latents(GenerationRequest(), inputs=GenerationInputs(vectors=ENDS)).z is ENDS

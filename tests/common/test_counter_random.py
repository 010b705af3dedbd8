from __future__ import annotations

import math

import numpy as np
from gmd_vae.common.counter_random import LATENTS, STEPS, WALKS, integers, normals


def test_a_number_depends_on_its_place_alone() -> None:
    alone = integers(7, STEPS, [(3, 2)], 10)
    among = integers(7, STEPS, [(0, 0), (3, 2), (3, 3)], 100)
    assert (among[1, :10] == alone[0]).all()
    everywhere = [
        *(integers(7, STEPS, [place], 4) for place in ((3, 2), (2, 3), (3, 3), (0, 0))),
        *(integers(seed, STEPS, [(3, 2)], 4) for seed in (8, -7, 7 + 2**64)),
        integers(7, WALKS, [(3, 2)], 4),
    ]
    assert len({row.tobytes() for row in everywhere}) == len(everywhere)
    assert (integers(7 + 2**128, STEPS, [(3, 2)], 4) == alone[:, :4]).all()


def test_the_numbers_are_philox_as_it_was_published() -> None:
    """The first block of key 0 and counter 1, computed from the definition (Salmon et al. 2011)."""
    mask = 2**64 - 1
    counter, key = [1, 0, 0, 0], [0, 0]
    for _ in range(10):
        high, low = divmod(0xD2E7470EE14C6C93 * counter[0], 2**64)
        high2, low2 = divmod(0xCA5A826395121157 * counter[2], 2**64)
        counter = [high2 ^ counter[1] ^ key[0], low2, high ^ counter[3] ^ key[1], low]
        key = [(key[0] + 0x9E3779B97F4A7C15) & mask, (key[1] + 0xBB67AE8584CAA73B) & mask]
    assert integers(0, STEPS, [(0, 0)], 4)[0].tolist() == counter


def test_normals_are_normal() -> None:
    z = normals(1, LATENTS, [(file, 0) for file in range(2000)], 33)
    assert z.shape == (2000, 33)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()
    assert abs(z.mean()) < 4 / math.sqrt(z.size)
    assert abs(z.std() - 1) < 4 / math.sqrt(2 * z.size)
    quantiles = np.quantile(z, [0.025, 0.5, 0.975])
    assert np.abs(quantiles - [-1.96, 0, 1.96]).max() < 0.03
    assert np.abs(np.corrcoef(z.T) - np.eye(33)).max() < 0.1
    assert (normals(1, LATENTS, [(5, 0)], 33)[0] == z[5]).all()

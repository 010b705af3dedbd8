"""Random numbers by their place: a counter-based generator, in NumPy.

The generator is Philox 4x64 with ten rounds (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"), as
NumPy has it. The seed modulo 2 ** 128 is its key. The counter has four words of 64 bits: the fourth is the stream, the
third the file, the second the window, and the first counts from 1, a block of four numbers at a time. So each number
depends on its place alone, not on the numbers that were drawn before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Streams, so that no two draws of one seed share their numbers
STEPS, LATENTS, WALKS, VARIATIONS, COMPONENTS = range(5)


def integers(seed: int, stream: int, places: Sequence[tuple[int, int]], count: int) -> npt.NDArray[np.uint64]:
    """Returns random numbers of 64 bits.

    Args:
        seed: Any integer.
        stream: One of the streams of this module.
        places: File and window of each row, from 0 on.
        count: Numbers of each window.

    Returns:
        uint64 ``[rows, count]``.
    """
    word = (1 << 64) - 1
    philox = np.random.Philox(key=np.array([seed & word, seed >> 64 & word], np.uint64))
    state = philox.state
    drawn = np.empty((len(places), count), np.uint64)
    for row, (file, window) in zip(drawn, places, strict=True):
        state["state"]["counter"][:] = (0, window, file, stream)
        philox.state = state  # a third of the time of a new Philox
        row[:] = philox.random_raw(count)
    return drawn


def normals(seed: int, stream: int, places: Sequence[tuple[int, int]], count: int) -> npt.NDArray[np.float32]:
    """Returns draws from the standard normal distribution, by the Box-Muller transform of pairs of uniform numbers.

    Arguments are those of ``integers``.

    Returns:
        float32 ``[rows, count]``.
    """
    pairs = -(-count // 2)
    # multiples of 2 ** -53, above 0: the logarithm is finite
    uniform = ((integers(seed, stream, places, 2 * pairs) >> np.uint64(11)) + np.uint64(1)) * 2.0**-53
    radius, angle = np.sqrt(-2 * np.log(uniform[:, :pairs])), 2 * np.pi * uniform[:, pairs:]
    both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return np.asarray(both[:, :count], np.float32)

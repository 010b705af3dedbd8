"""Products of rows with a weight matrix, in which a row's result does not depend on the other rows.

A BLAS library computes a product of one row, of four and of a hundred in different ways, and the last bits differ. So
every product here has one shape: ``group_size()`` rows and one panel of the weights. NumPy runs over the groups and
panels of a larger product without returning to Python.

Small groups cost nothing. OpenBLAS has kernels for small matrices on processors with AVX-512: groups of 4 rows reach
150 GFLOP/s on one core there, as much as one large product. On other processors a group of 4 takes nine times as long
as one row, because the weights are copied first; a single row takes them as they are (27 to 46 GFLOP/s with AVX2). No
product is large enough for OpenBLAS's threads, which only slow such small products down.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

UNITS = 64  # layers are padded with zeros to a multiple of this, so that every panel is full
_AVX512 = ("SkylakeX", "Cooperlake", "SapphireRapids")  # OpenBLAS's names of processors
# Most weights of a panel, by the rows of a group. With more, OpenBLAS takes threads for a single row (interface/gemv.c:
# from 9216 weights), and for 4 rows its kernels for large matrices, 2 to 10 times slower (from 250,001).
_MOST_WEIGHTS = {1: 9215, 4: 250_000}


@functools.cache
def group_size() -> int:
    """Returns the number of rows of each product."""
    import threadpoolctl  # reads the loaded libraries, after NumPy

    libraries = threadpoolctl.threadpool_info()
    return 4 if any(library.get("architecture") in _AVX512 for library in libraries) else 1


def whole_groups(rows: int) -> int:
    """Returns the number of rows, padded to whole groups."""
    return -(-rows // group_size()) * group_size()


def padded(units: int) -> int:
    """Returns the size of a layer, padded to whole panels."""
    return -(-units // UNITS) * UNITS


class Product:
    """Weights, prepared for products.

    Args:
        weights: Weights of one or more directions, ``[directions, inputs, outputs]``.

    Attributes:
        width: Outputs of a panel.
        panels: Number of panels: those of the outputs, padded to whole panels of `UNITS`.
    """

    def __init__(self, weights: Floats) -> None:
        directions, inputs, outputs = weights.shape
        fits = (width for width in (UNITS, 32, 16) if inputs * width <= _MOST_WEIGHTS[group_size()])
        self.width = next(fits, 16)
        self.panels = padded(outputs) // self.width
        whole = np.zeros((directions, inputs, self.panels * self.width), np.float32)
        whole[..., :outputs] = weights
        split = whole.reshape(directions, inputs, self.panels, self.width).transpose(2, 0, 1, 3)
        self._weights = np.ascontiguousarray(split)[:, :, None]  # [panels, directions, 1, inputs, width]

    def outputs(self, rows: int, directions: int = 1) -> Floats:
        """Returns an array for the results, ``[panels, directions, rows, width]``; the rows are whole groups."""
        if rows == group_size():  # one row alone is then contiguous in memory
            return np.zeros((directions, rows, self.panels, self.width), np.float32).transpose(2, 0, 1, 3)
        return np.zeros((self.panels, directions, rows, self.width), np.float32)

    def bind(self, operand: Floats, outputs: Floats) -> Callable[[], Any]:
        """Returns a function that computes the product of the operand's current content.

        Args:
            operand: Left operand, ``[directions, rows, inputs]``; the rows are whole groups.
            outputs: Array for the result, as `outputs` returns it.
        """
        size = group_size()
        directions, rows, inputs = operand.shape
        groups = operand.reshape(directions, rows // size, size, inputs)
        into = outputs.reshape(self.panels, directions, rows // size, size, self.width)
        return functools.partial(np.matmul, groups, self._weights, into)

    def rows(self, operand: Floats) -> Floats:
        """Returns the product of rows, ``[rows, padded outputs]``, from an operand of any number of rows."""
        whole = np.zeros((1, whole_groups(len(operand)), operand.shape[1]), np.float32)
        whole[0, : len(operand)] = operand
        outputs = self.outputs(whole.shape[1])
        self.bind(whole, outputs)()
        return rows_of(outputs[:, 0])[: len(operand)]


def rows_of(panels: Floats) -> Floats:
    """Returns panels ``[panels, rows, width]`` as rows ``[rows, panels * width]``."""
    return panels.transpose(1, 0, 2).reshape(panels.shape[1], -1)


def panels_of(rows: Floats, width: int) -> Floats:
    """Returns rows ``[..., rows, columns]`` as a view of panels, ``[panels, ..., rows, width]``."""
    split = rows.reshape(*rows.shape[:-1], -1, width)
    return np.moveaxis(split, -2, 0)


def panels_of_width(panels: Floats, width: int) -> Floats:
    """Returns panels ``[panels, directions, rows, any width]`` as panels of another width."""
    if panels.shape[-1] == width:
        return panels
    rows = np.moveaxis(panels, 0, -2).reshape(*panels.shape[1:3], -1)
    return np.ascontiguousarray(panels_of(rows, width))

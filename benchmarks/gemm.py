"""Measures the rate of matrix products (GEMM) on this machine with TensorFlow, as a process of its own."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from gmd_vae.magenta.api import gpus, tf

from benchmarks.clock import Clock, cpu_seconds

_SECONDS = 1.0  # minimum time of measuring each shape
_CHAIN = 16  # products in one run of the session
_RUNS = 5  # minimum number of runs
_MAX_PRODUCT = 1 << 34  # maximum operations in one run: large products need no long chain


def main() -> None:
    """Measures every shape of the command line, ``[[rows, units], ...]``, in fp32 and in bf16."""
    shapes, started = json.loads(sys.argv[1])
    clock = Clock(started)
    clock.stage("import")
    rates = []
    for rows, units in shapes:
        for precision in ("fp32", "bf16"):
            wall, cpu = _rate(rows, units, precision)
            rates.append({"rows": rows, "units": units, "precision": precision, "wall": wall, "cpu": cpu})
    clock.report(rates=rates, devices=gpus)


def _rate(rows: int, units: int, precision: str) -> tuple[float, float]:
    """Returns the operations per second of wall and of processor time for ``[rows, units] x [units, 4 * units]``."""
    chain = max(1, min(_CHAIN, _MAX_PRODUCT // (8 * rows * units * units)))
    random = np.random.default_rng(0)
    # the first columns of each product are the input of the next; a rotation keeps their norm, because denormal
    # numbers would be slow
    rotation = np.linalg.qr(random.standard_normal([units, units]))[0]
    kernel = np.concatenate([rotation, random.standard_normal([units, 3 * units])], axis=1)
    dtype = tf.bfloat16 if precision == "bf16" else tf.float32
    with tf.Graph().as_default(), tf.Session() as session:
        # variables, because TensorFlow folds products of constants
        weights = tf.Variable(tf.cast(kernel.astype(np.float32), dtype), use_resource=True)
        first = tf.Variable(tf.cast(random.standard_normal([rows, units]).astype(np.float32), dtype), use_resource=True)
        state: Any = first.read_value()
        matrix = weights.read_value()
        used = []
        for _ in range(chain):
            product = tf.matmul(state, matrix)
            state = product[:, :units]
            used.append(product[0, -1])  # so that no column is optimised away
        result = tf.cast(tf.add_n([*used, tf.reduce_sum(state)]), tf.float32)
        session.run(tf.global_variables_initializer())
        call = session.make_callable(result)
        if not np.isfinite(call()):
            raise ValueError(f"{precision} products of {rows} x {units} are not finite")
        wall, cpu, runs = time.monotonic(), cpu_seconds(), 0
        while runs < _RUNS or time.monotonic() - wall < _SECONDS:
            call()
            runs += 1
        operations = runs * chain * 8 * rows * units * units
        return operations / (time.monotonic() - wall), operations / (cpu_seconds() - cpu)


if __name__ == "__main__":
    main()

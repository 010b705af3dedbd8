"""How fast this machine multiplies matrices: a process that measures it with TensorFlow."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from gmd_vae.magenta.api import gpus, tf

from benchmarks.clock import Clock, cpu_seconds

_SECONDS = 1.0  # of measuring, for each shape
_CHAIN = 16  # products in one run of the session
_RUNS = 5  # at the least
_MAX_PRODUCT = 1 << 34  # operations in one run: what is large already needs no long chain


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
    """Operations per second of wall and of processor time, of ``[rows, units] x [units, 4 * units]``."""
    chain = max(1, min(_CHAIN, _MAX_PRODUCT // (8 * rows * units * units)))
    random = np.random.default_rng(0)
    # each product's first columns are the next one's input; they keep their size, so that nothing
    # becomes too small for normal numbers, which would be slow
    rotation = np.linalg.qr(random.standard_normal([units, units]))[0]
    kernel = np.concatenate([rotation, random.standard_normal([units, 3 * units])], axis=1)
    dtype = tf.bfloat16 if precision == "bf16" else tf.float32
    with tf.Graph().as_default(), tf.Session() as session:
        # variables: TensorFlow would compute with constants beforehand
        weights = tf.Variable(tf.cast(kernel.astype(np.float32), dtype), use_resource=True)
        first = tf.Variable(tf.cast(random.standard_normal([rows, units]).astype(np.float32), dtype), use_resource=True)
        state: Any = first.read_value()
        matrix = weights.read_value()
        used = []
        for _ in range(chain):
            product = tf.matmul(state, matrix)
            state = product[:, :units]
            used.append(product[0, -1])  # so that all columns are wanted
        result = tf.cast(tf.add_n([*used, tf.reduce_sum(state)]), tf.float32)
        session.run(tf.global_variables_initializer())
        call = session.make_callable(result)
        if not np.isfinite(call()):
            raise ValueError(f"{precision} products of {rows} x {units} came to no number")
        wall, cpu, runs = time.monotonic(), cpu_seconds(), 0
        while runs < _RUNS or time.monotonic() - wall < _SECONDS:
            call()
            runs += 1
        operations = runs * chain * 8 * rows * units * units
        return operations / (time.monotonic() - wall), operations / (cpu_seconds() - cpu)


if __name__ == "__main__":
    main()

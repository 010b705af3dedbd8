"""Damaged checkpoints and latent vectors."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from attacks.driver import Attack
from attacks.kinds import kind


@kind(slow=True)
def damaged_checkpoint(rng: random.Random, home: Path) -> Attack:
    """Bytes of a checkpoint changed, cut or swapped."""
    files = sorted(path for path in (home / "run" / "best").iterdir() if path.is_file())
    path = rng.choice(files)
    data = bytearray(path.read_bytes())
    if rng.random() < 0.3:
        data = data[: rng.randrange(len(data))]
    elif rng.random() < 0.1:
        data = bytearray(rng.choice(files).read_bytes())
    else:
        for _ in range(rng.choice([1, 3, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(bytes(data))
    command = ["generate", "--run-dir", "run", "-n", "1", "--output-dir", "new", "--json"]
    return Attack(command, outputs=["new*", ".new*"], seconds=90, megabytes=3000)


@kind(slow=True)
def odd_latents(rng: random.Random, home: Path) -> Attack:
    """Files of latent vectors with odd shapes, values, types and pickled objects."""
    path = home / "latents.npz"
    z = rng.choice([
        np.zeros((2, 4)), np.zeros((2, 5)), np.zeros(4), np.full((1, 4), np.nan), np.full((1, 4), 1e300),
        np.zeros((0, 4)),
        np.array([["a"] * 4]), np.zeros((1, 4), np.complex64), np.zeros((2, 2, 4)), np.array({"x": 1}, object),
    ])  # fmt: skip
    np.savez(path, **{rng.choice(["z", "z", "z", "y"]): z})
    if rng.random() < 0.2:
        path.write_bytes(path.read_bytes()[: rng.randrange(200)])
    command = ["generate", "--run-dir", "run", "--latents", "latents.npz", "--output-dir", "new"]
    return Attack(command, outputs=["new*", ".new*"], seconds=90, megabytes=3000)

"""Models as one file, and checkpoints that become one: bytes changed, and headers that lie with a correct checksum."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from pathlib import Path
from typing import Any

from attacks.driver import Attack
from attacks.kinds import kind

_ODD: tuple[Any, ...] = (
    None, True, -1, 0, 2**31, 2**63, 2**70, 1e308, "", "x" * 100_000, "\x1b[2J", "../evil", "\ud800", [], {}, [0], [-1],
    [2**40, 2**40], [[]] * 100, {"a": {}}, "F16", "I64", "fp16", ["kick"] * 5000,
)  # fmt: skip
_MEGABYTES = 500


@kind()
def model_file_with_changed_bytes(rng: random.Random, home: Path) -> Attack:
    """Bytes changed, cut or added, above all in the header."""
    path = home / "model.safetensors"
    data = bytearray((home / "run" / "best" / "model.safetensors").read_bytes())
    choice = rng.random()
    if choice < 0.3:
        del data[rng.randrange(rng.choice([20, 9000, len(data)])) :]
    elif choice < 0.5:
        data[:8] = struct.pack("<Q", rng.choice([0, 1, 2**20, 2**32, 2**40, 2**63, 2**64 - 1, len(data) - 8]))
    elif choice < 0.6:
        data += bytes(rng.choice([1, 8, 10**6]))
    else:
        for _ in range(rng.choice([1, 3, 30])):
            data[rng.randrange(rng.choice([8, 9000, len(data)]))] = rng.randrange(256)
    path.write_bytes(bytes(data))
    return _export(rng, path.name)


@kind()
def model_file_that_lies(rng: random.Random, home: Path) -> Attack:
    """Another value somewhere in the header or the metadata, mostly with a correct checksum."""
    data = (home / "run" / "best" / "model.safetensors").read_bytes()
    length = 8 + struct.unpack_from("<Q", data)[0]
    header, tensors = json.loads(data[8:length]), bytearray(data[length:])
    document = json.loads(header["__metadata__"]["gmd_vae"])
    for _ in range(rng.choice([1, 1, 3])):
        places = [header, document, document, document.get("hparams"), document.get("declaration")]
        _change(rng, rng.choice([place for place in places if isinstance(place, dict)]))
    if rng.random() < 0.3:
        place = 4 * rng.randrange(len(tensors) // 4)
        tensors[place : place + 4] = struct.pack("<f", rng.choice([float("nan"), float("inf")]))
    text = json.dumps({name: value for name, value in document.items() if name != "sha256"})[:-1]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass") + tensors).hexdigest()
    if isinstance(header.get("__metadata__"), dict):
        header["__metadata__"]["gmd_vae"] = f'{text}, "sha256": "{digest}"}}'
    head = json.dumps(header).encode()
    (home / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + tensors)
    return _export(rng, "model.safetensors")


@kind()
def damaged_checkpoint_to_export(rng: random.Random, home: Path) -> Attack:
    """Bytes of a checkpoint changed or cut, read without TensorFlow."""
    path = rng.choice(sorted((home / "run" / "best").glob("model.ckpt-*")))
    data = bytearray(path.read_bytes())
    if rng.random() < 0.3:
        del data[rng.randrange(len(data)) :]
    for _ in range(rng.choice([1, 3, 30])):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(bytes(data))
    return _export(rng, "run")


def _export(rng: random.Random, model: str) -> Attack:
    kind = rng.choice([["-o", "new.safetensors"], ["--format", "magenta", "-o", "new"], ["--json", "-o", "new"]])
    return Attack(
        ["export", model, *kind], outputs=["new*", ".new*", "run/attributes*"], seconds=30, megabytes=_MEGABYTES
    )


def _change(rng: random.Random, place: Any) -> None:
    """Replaces, removes or adds a value somewhere below a place."""
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(place[key], (dict, list)) and place[key] and rng.random() < 0.6:
            place = place[key]
            continue
        if rng.random() < 0.2:
            del place[key]
        elif rng.random() < 0.2 and isinstance(place, dict):
            place[rng.choice(["x", "\x1b[2J", "encoder/evil"])] = place[key]
        else:
            place[key] = rng.choice(_ODD)
        return

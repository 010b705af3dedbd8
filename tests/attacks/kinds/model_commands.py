"""`models`, `export`, `generate --model` and the Python API: odd outputs, full disks, signals, kills and races."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path

from attacks.driver import Attack
from attacks.kinds import kind

_MODEL = "run/best/model.safetensors"
_SECONDS, _MEGABYTES = 60, 700
_GENERATE = ["generate", "--model", _MODEL, "-n", "3", "--seed", "1", "--output-dir", "new"]
_EXPORTS = (
    ["export", _MODEL, "-o", "new.safetensors"], ["export", "run", "-o", "new.safetensors", "--dtype", "fp16"],
    ["export", _MODEL, "--format", "magenta", "-o", "new"], ["export", "run", "--json", "-o", "new.safetensors"],
)  # fmt: skip
_OUTPUTS = ["new*", ".new*", "run/attributes*"]

_API = """
import sys, random, warnings
import numpy as np
import gmd_vae

rng = random.Random(int(sys.argv[1]))
model = gmd_vae.load(sys.argv[2])
beats = model.sample(2, seed=1)
z = model.encode(beats)
odd = [
    None, True, -1, 0, 1, 2.5, float("nan"), float("inf"), 10**30, "", "x", "\\0", "../x", b"", b"MThd", [], [1], [[1]],
    ["a"], {}, object(), np.zeros(0), np.zeros((1, 64)), np.zeros((1, 64, 9)), np.zeros((1, 64), int), z, z * np.nan,
    np.full((1, 64), 2**63, np.uint64), np.array(["a"]), np.array([object()]), z.astype(object), z[0], beats, beats[0],
    np.zeros((0, 4)), np.full((1, 4), 1e300), range(3), print, "song.mid", "mine.zip", "run/run.json",
]
calls = {
    "load": lambda v: gmd_vae.load(v), "encode": model.encode, "decode": model.decode,
    "temperature": lambda v: model.decode(z, temperature=v), "seed": lambda v: model.sample(1, seed=v),
    "count": lambda v: model.sample(v if not isinstance(v, int) or v < 100 else 10**30),
    "bars": lambda v: model.sample(1, bars=v if not isinstance(v, int) or v < 100 else 10**30),
    "interpolate": lambda v: model.interpolate(v, rng.choice(odd), 3), "vary": lambda v: model.vary(v, 2, distance=3),
    "distance": lambda v: model.vary(z[0], 1, distance=v), "reconstruct": model.reconstruct,
    "tempo": lambda v: beats[0].to_midi(tempo=v), "swing": lambda v: beats[0].to_midi(swing=v),
    "velocity": lambda v: beats[0].to_midi(velocity=v), "humanize": lambda v: beats[0].to_midi(humanize=v),
    "train": lambda v: gmd_vae.train(num_steps=0, **{rng.choice(["config", "run_dir", "hparams", "seed"]): v}),
}
for name in rng.sample(sorted(calls), 6):
    for value in rng.sample(odd, 20):
        try:
            calls[name](value)
        except gmd_vae.GmdVaeError as error:
            assert "\\n" not in str(error), (name, value, error)
"""


@kind()
def python_with_odd_arguments(rng: random.Random, home: Path) -> Attack:
    """Calls of the API with odd values: an answer, or `GmdVaeError` on one line."""
    return Attack([str(rng.randrange(10**6)), _MODEL], python=_API, seconds=_SECONDS, megabytes=_MEGABYTES)


@kind()
def export_to_an_odd_place(rng: random.Random, home: Path) -> Attack:
    """Refused: the output is an input, a file of the user, a part of the run, or below a file."""
    shutil.copy(home / _MODEL, home / "mine.safetensors")
    with open(home / "mine.safetensors", "ab") as stream:
        stream.write(b"changed")
    target = rng.choice(["letter.txt", "letter.txt/new", "mine", ".", "..", "/", "run", "run/run.json", "song.mid", "",
                         "mine.safetensors", _MODEL, "missing/\0", "../outside", "x" * 300, "notes"])  # fmt: skip
    if "\0" in target:
        target = "mine/"
    style = rng.choice([[], ["--format", "magenta"], ["--json"]])
    return Attack(["export", _MODEL, *style, "-o", target], refused=True, seconds=_SECONDS)


@kind()
def full_disk_for_a_model_file(rng: random.Random, home: Path) -> Attack:
    """A disk that takes no more than some bytes for each file, for `export` and `generate --model`."""
    command = rng.choice([*_EXPORTS, _GENERATE])
    limit = rng.choice([0, 10, 500, 5000, 20_000])
    return Attack(command, outputs=["new*", "run/attributes*"], file_bytes=limit, seconds=_SECONDS)


@kind()
def killed_with_a_model_file(rng: random.Random, home: Path) -> Attack:
    """A signal to `export` or `generate --model`; then the command runs again."""
    number = rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
    first = rng.random() * 1.5
    signals = [(int(number), first)] + [(int(number), first + 0.1)] * (rng.random() < 0.3)
    return Attack(rng.choice([*_EXPORTS, _GENERATE]), _OUTPUTS, ["new*"], signals=signals, again=True, seconds=_SECONDS)


@kind()
def export_and_generate_at_once(rng: random.Random, home: Path) -> Attack:
    """Several processes with one model and one output; a last one finds it whole."""
    command = rng.choice([*_EXPORTS, _GENERATE])
    return Attack(command, _OUTPUTS, ["new*"], copies=rng.choice([2, 4]), again=True, seconds=90, megabytes=_MEGABYTES)


@kind()
def model_of_another_kind(rng: random.Random, home: Path) -> Attack:
    """Refused: a file or folder that is no model, in the place of one."""
    shutil.copy(home / "song.mid", home / "song.safetensors")
    (home / "empty.safetensors").touch()
    (home / "folder.safetensors").mkdir()
    os.mkfifo(home / "pipe.safetensors")
    (home / "null.safetensors").symlink_to("/dev/zero")
    (home / "loop.safetensors").symlink_to("loop.safetensors")
    name = rng.choice(["song.mid", "song.safetensors", "empty.safetensors", "folder.safetensors", "pipe.safetensors",
                       "null.safetensors", "loop.safetensors", "letter.txt", "notes", "examples", "mine.zip", "beats",
                       ".", "/", "~", "run/run.json", "run/best", "groove-4baR", "\x1b[2J", "", "/dev/null",
                       "run/best/checkpoint"])  # fmt: skip
    command = rng.choice([
        ["generate", "--model", name, "-n", "1", "--output-dir", "new"], ["models", name], ["models", name, "--json"],
        ["generate", "--model", _MODEL, "-n", "1", "--humanize", name, "--output-dir", "new"],
        ["export", name, "-o", "new.safetensors"], ["train", "--init-from", name, "--run-dir", "new"],
    ])  # fmt: skip
    return Attack(command, outputs=_OUTPUTS, seconds=_SECONDS, megabytes=_MEGABYTES, refused=name != "run/best")

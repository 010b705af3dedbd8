"""Text of files that a terminal or a page would obey."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS, CONFIG, evaluation
from attacks.kinds import kind

EVIL = (
    "\x1b[2J\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "a\rb", "\x08\x08\x08", "\u202eevil", "[link=http://x]y[/link]",
    "[bold red]x", "[/]", "<script>alert(1)</script>", "line\nError: done", "\x00", "\x7f",
)  # fmt: skip


def _poison(rng: random.Random, value: object) -> object:
    """Returns a JSON value with evil text in the place of some of its text."""
    if isinstance(value, dict):
        return {key: _poison(rng, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_poison(rng, one) for one in value]
    if isinstance(value, str) and rng.random() < 0.3:
        return value + rng.choice(EVIL)
    return value


@kind()
def evil_text_in_json(rng: random.Random, home: Path) -> Attack:
    """Evil text in manifests and in the files of a run."""
    place, command = rng.choice([
        ("notes/manifest.json", ["preprocess", "notes", "--output-dir", "new"]),
        ("notes/manifest.json", ["inspect", "notes"]),
        ("notes/manifest.json", COMMANDS["notes"]),
        ("examples/manifest.json", ["inspect", "examples"]),
        ("run/run.json", ["report", "run", "--output", "new.html"]),
        ("run/run.json", ["inspect", "run"]),
        (evaluation(home), ["report", "run", "--output", "new.html"]),
        ("grooves/manifest.json", ["fetch", "starter", "--output-dir", "grooves"]),
    ])  # fmt: skip
    path = home / place
    path.write_text(json.dumps(_poison(rng, json.loads(path.read_text()))))
    return Attack(command, outputs=["new*", ".new*"], replaces=["notes/*", "grooves/*"])


@kind()
def evil_text_in_midi(rng: random.Random, home: Path) -> Attack:
    """Evil text in track names, texts and lyrics, and in the names of the files."""
    text = rng.choice(EVIL).encode("latin1", "replace")
    meta = rng.randrange(1, 10)
    track = b"\x00\xff" + bytes([meta, len(text)]) + text
    track += b"\x00\x99\x24\x64\x60\x89\x24\x00" * 16 + b"\x00\xff\x2f\x00"
    data = b"MThd" + struct.pack(">LHHH", 6, 1, 1, 96) + b"MTrk" + struct.pack(">L", len(track)) + track
    if rng.random() < 0.3:
        data = data[: rng.randrange(10, len(data))]
    folder = home / "evil"
    folder.mkdir()
    name = rng.choice(EVIL).replace("/", "").replace("\x00", "") + ".mid"
    (folder / name).write_bytes(data)
    with open(folder / "info.csv", "w") as stream:
        stream.write(rng.choice(["", "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,duration,"
                                 "split\n"
                                 f"d,s,i,{rng.choice(EVIL)!r},100,beat,4-4,{name},1,train\n"]))  # fmt: skip
    command = rng.choice([
        ["convert", "evil", "--output-dir", "new"], ["inspect", "evil"], ["inspect", f"evil/{name}"],
        ["render", f"evil/{name}", "--output-dir", "new"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"])


@kind(slow=True)
def evil_text_for_a_model(rng: random.Random, home: Path) -> Attack:
    """Evil text in the files of a run and in names of checkpoints."""
    path = home / rng.choice(["run/run.json", "examples/manifest.json"])
    path.write_text(json.dumps(_poison(rng, json.loads(path.read_text()))))
    if rng.random() < 0.5:
        checkpoint = home / "run" / rng.choice(["best", "train"]) / "checkpoint"
        name = rng.choice(EVIL).encode("unicode_escape").decode()
        checkpoint.write_text(f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "../../{name}"\n')
    command = rng.choice([
        ["generate", "--run-dir", "run", "-n", "1", "--output-dir", "new"],
        ["evaluate", "run", "--samples", "5", "--split", "train"],
        ["train", "--config", CONFIG, "--examples-path", "examples", "--run-dir", "run", "--num-steps", "3"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*", "run/*"], replaces=["run/*"], seconds=120, megabytes=3000)

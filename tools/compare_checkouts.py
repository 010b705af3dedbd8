"""Compares the results of two checkouts of gmd-vae: records, windows, weights, MIDI files and figures.

``python tools/compare_checkouts.py OLD NEW --groove ARCHIVE --music FOLDER --output-dir DIR`` runs the same commands
with both, in processes of their own, and lists the differences. Versions, times and paths are not compared. It takes
some 10 minutes on two cores. The new checkout also resumes a run of the old one, generates with it and evaluates it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

DRUMS, GROOVE, MELODY = "hierdec-drum_4bar_small", "groovae_2bar_humanize_small", "flat-mel_16bar_small"
STEPS = 60
_FEW = ("--samples", "50", "--importance-samples", "2", "--split", "validation")


class Checkout:
    """One version of the code and its working folder.

    Args:
        code: Folder of the checkout.
        folder: Working folder.
    """

    def __init__(self, code: Path, folder: Path) -> None:
        self._code, self.folder = code, folder
        is_package = (code / "pipeline" / "gmd_vae").is_dir()  # since 0.9.0; before, the package was pipeline
        self._module = "gmd_vae" if is_package else "pipeline"
        self._environment = {**os.environ, "PYTHONPATH": str(code / "pipeline" if is_package else code)}
        folder.mkdir(parents=True, exist_ok=True)

    def copy(self, folder: Path, source: Path | None = None) -> Checkout:
        """Returns the same version in a copy of its working folder, or of another one."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source or self.folder, folder)
        return Checkout(self._code, folder)

    def run(self, *arguments: object, expect: Sequence[int] = (0,)) -> str:
        """Runs a command in the working folder and returns its stdout.

        Args:
            *arguments: Command line after ``gmd-vae``.
            expect: Exit codes that are not an error.

        Raises:
            SystemExit: The command failed.
        """
        command = [sys.executable, "-m", self._module, *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)
        print(f"{self.folder.name}: {' '.join(map(str, arguments))}", flush=True)
        if done.returncode not in expect:
            raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def work(self, groove: Path, music: Path) -> None:
        """Runs every stage."""
        self.run("convert", groove, "--output-dir", "notes/groove")
        self.run("convert", music, "--output-dir", "notes/music")
        for config, notes in ((DRUMS, "groove"), (GROOVE, "groove"), (MELODY, "music")):
            few = ("--max-per-sequence", "5") if config != DRUMS else ()
            self.run("preprocess", f"notes/{notes}", "--config", config, "--output-dir", f"examples/{config}", *few)
            self.train(config, STEPS)
            figures = self.run("evaluate", f"runs/{config}", "--json", *_FEW)
            (self.folder / f"{config}.json").write_text(figures)
        self.generate()

    def train(self, config: str, steps: int) -> None:
        """Trains a config, or goes on with it."""
        self.run(
            *("train", "--config", config, "--examples-path", f"examples/{config}", "--run-dir", f"runs/{config}"),
            *("--num-steps", steps, "--seed", "1", "--precision", "fp32", "--validate-every", steps),
        )

    def generate(self) -> None:
        """Generates in every mode."""
        midi = sorted((self.folder / "inputs").glob("*.mid"))
        one, two = ("--input-midi", midi[0]), ("--input-midi", midi[1])
        modes: dict[str, tuple[object, ...]] = {
            "sample": ("--humanize", "--swing", "58"),
            "bars": ("--bars", "12", "--join"),
            "interpolate": ("--mode", "interpolate", *one, *two),
            "reconstruct": ("--mode", "reconstruct", *one),
            "vary": ("--mode", "vary", *one),
            "attribute": ("--mode", "attribute", *one, "--attribute", "ride=-1:1"),
            "continue": ("--mode", "continue", *one),
        }
        for mode, options in modes.items():
            self.generated(DRUMS, mode, *options)
        self.generated(GROOVE, "groove", "--mode", "groove", *one)
        self.generated(GROOVE, "groove-sample")
        self.generated(DRUMS, "humanized", "--humanize", f"runs/{GROOVE}")
        self.generated(MELODY, "melody")

    def generated(self, config: str, name: str, *options: object) -> None:
        """Generates with a run into ``made/NAME``."""
        several = () if {"reconstruct", "groove"} & {*options} else ("-n", "3")
        target = ("--output-dir", f"made/{name}")
        # a model of few steps may refuse (code 1): then both versions must
        self.run("generate", "--run-dir", f"runs/{config}", "--seed", "7", *several, *target, *options, expect=(0, 1))

    def go_on(self) -> None:
        """Resumes the drum run, generates with it and evaluates it."""
        self.train(DRUMS, STEPS + 20)
        self.generated(DRUMS, "resumed", "--temperature", "0.7")
        (self.folder / f"{DRUMS}.json").write_text(self.run("evaluate", f"runs/{DRUMS}", "--json", *_FEW))


def contents(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields the name and the SHA-256 of every file that does not depend on paths, times or versions."""
    for pattern in ("notes/*/*.tfrecord", "examples/*/*.tfrecord", "made/*/*.mid"):
        for path in sorted(folder.glob(pattern)):
            yield str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()


def weights(run: Path) -> dict[str, Any]:
    """Returns the variables of a run's last checkpoint."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorflow import train  # type: ignore[attr-defined]

    reader = train.load_checkpoint(str(run / "train"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def figures_of(path: Path) -> dict[str, Any]:
    """Returns the figures of ``evaluate --json`` by their path, without what names files and versions."""
    found: dict[str, Any] = {}

    def collect(value: Any, name: str) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                if key not in ("versions", "checkpoint", "examples", "training", "run", "catalogues", "folder"):
                    collect(part, f"{name}/{key}")
        elif isinstance(value, list):
            for number, part in enumerate(value):
                collect(part, f"{name}/{number}")
        else:
            found[name] = value

    content = json.loads(path.read_text())
    collect(content["results"] if isinstance(content, dict) else content, "")  # a list until version 0.14
    return found


def differences(old: Path, new: Path, configs: Sequence[str]) -> list[str]:
    """Returns one line for each result that differs."""
    lines = []
    before, after = dict(contents(old)), dict(contents(new))
    lines += [f"{name}: differs" for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    print(f"files compared: {len(before.keys() | after.keys())}")
    for config in configs:
        one, other = weights(old / "runs" / config), weights(new / "runs" / config)
        if one.keys() != other.keys():
            lines.append(f"{config}: other variables")
            continue
        apart = max(float(np.abs(one[name] - other[name]).max()) for name in one)
        print(f"{config}: {len(one)} variables, largest difference {apart:g}")
        if apart:
            lines.append(f"{config}: weights differ by up to {apart:g}")
        first, second = figures_of(old / f"{config}.json"), figures_of(new / f"{config}.json")
        different = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
        print(f"{config}: {len(first)} figures, {len(different)} differ")
        lines += [f"{config}{name}: {first.get(name)} -> {second.get(name)}" for name in sorted(different)]
    return lines


def main() -> int:
    """Runs both checkouts and prints what differs; returns 1 if something does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--groove", type=Path, required=True, help="the Groove MIDI Dataset's archive")
    parser.add_argument("--music", type=Path, required=True, help="a folder of MIDI files with melodies")
    parser.add_argument("--output-dir", type=Path, required=True)
    parser.add_argument("--only", choices=("old", "new", "compare"), help="one part of the work")
    options = parser.parse_args()
    folder = options.output_dir.resolve()
    old, new = (Checkout(getattr(options, name).resolve(), folder / name) for name in ("old", "new"))
    for name, checkout in (("old", old), ("new", new)):
        if options.only in (None, name):
            _write_inputs(checkout.folder / "inputs")
            checkout.work(options.groove.resolve(), options.music.resolve())
            checkout.copy(checkout.folder.with_name(f"{name}-resumed")).go_on()
            if name == "new":  # and the old one's folders
                checkout.copy(folder / "crossed", old.folder).go_on()
    if options.only not in (None, "compare"):
        return 0
    found = differences(old.folder, new.folder, (DRUMS, GROOVE, MELODY))
    print("Resumed by each:")
    found += differences(folder / "old-resumed", folder / "new-resumed", (DRUMS,))
    print("A run of the old one, resumed by the new one:")
    found += differences(folder / "old-resumed", folder / "crossed", (DRUMS,))
    print("\n".join(found) or "no differences")
    return int(bool(found))


def _write_inputs(folder: Path) -> None:
    """Writes two short beats as MIDI files."""
    import mido

    folder.mkdir(parents=True, exist_ok=True)
    for number, hats in enumerate((2, 4)):
        hits = [(step * 120, 42) for step in range(0, 128, 8 // hats)]
        hits += [(step * 120, 36 if step % 8 == 0 else 38) for step in range(0, 128, 4)]
        events = [(tick + after, after == 0, pitch) for tick, pitch in hits for after in (0, 60)]
        track, now = mido.MidiTrack(), 0
        for tick, begins, pitch in sorted(events):
            kind = "note_on" if begins else "note_off"
            track.append(mido.Message(kind, channel=9, note=pitch, velocity=90, time=tick - now))
            now = tick
        file = mido.MidiFile(ticks_per_beat=480)
        file.tracks.append(track)
        file.save(folder / f"beat-{number}.mid")


if __name__ == "__main__":
    raise SystemExit(main())

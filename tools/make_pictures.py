"""Makes the pictures of the README and the documentation again, and the sound of a beat, with fixed seeds.

Needs Chromium for the pictures of the studio. Usage: python tools/make_pictures.py [FOLDER]
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gmd_vae
import numpy as np
import soundfile
from gmd_vae.common.charts import BLUE, GREY, ORANGE, styled_figure
from gmd_vae.generation.request import INTERPOLATE, GenerationRequest
from PIL import Image
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parent.parent / "docs" / "pictures"
FIGURES = TARGET.parent / "figures.json"
SEED = 7
BEAT_SEED = 36  # its first beat has a backbeat, a crash and a fill, so a reader sees what the grid can show
DESKTOP = (1280, 860)  # CSS pixels
MEASURED = {  # rows of the chart of accuracies: name in docs/figures.json -> label
    "groove-4bar": "the model of the package",
    "make train": "the default, as make train trains it",
    "nearest_training": "the nearest training window",
    "previous_bar": "the bar before, copied",
    "silence": "silence",
}


def command(folder: Path, *words: str) -> None:
    """Runs a command of this package in a folder."""
    subprocess.run([sys.executable, "-m", "gmd_vae", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def webp(png: bytes, path: Path, width: int) -> None:
    """Writes a picture of at most a width, in pixels, as WebP."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    picture.save(path, "WEBP", quality=82, method=6)


def beat(target: Path, folder: Path) -> None:
    """Draws the first beat of a seed as ``gmd-vae generate --png`` does, with its MIDI file and its sound beside it."""
    options = ("--model", "groove-4bar", "-n", "1", "--seed", str(BEAT_SEED), "--tempo", "96", "--png", "--wav")
    command(folder, "generate", *options, "--output-dir", "beat")
    (picture,) = (folder / "beat").glob("*.png")
    webp(picture.read_bytes(), target / "beat.webp", 1300)
    shutil.copyfile(picture.with_suffix(".mid"), target / "beat.mid")
    samples, rate = soundfile.read(picture.with_suffix(".wav"), dtype="float32")
    soundfile.write(target / "beat.mp3", samples, rate)


def studio(target: Path, folder: Path) -> None:
    """Takes the studio's picture."""
    command(folder, "studio", "groove-4bar", "-o", "studio.html")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        width, height = DESKTOP
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        page.goto((folder / "studio.html").as_uri(), timeout=120_000)  # milliseconds
        page.wait_for_selector("body[data-ready]", timeout=120_000)
        webp(page.screenshot(), target / "studio.webp", width)
        browser.close()


def path(target: Path, folder: Path) -> None:
    """Draws the path of docs/tutorials/student.md as a row of small grids."""
    seeds = ("--input-seed", str(SEED), "--input-seed", str(SEED + 1), "-n", "8", "--temperature", "0")
    command(folder, "generate", "--model", "groove-4bar", "--mode", "interpolate", *seeds, "--output-dir", "path")
    z = np.load(folder / "path" / "latents.npz")["z"]
    with gmd_vae.load("groove-4bar") as model:
        way = model.interpolate(z[0], z[-1], 8, temperature=0)
        names = list(model.config.drum_windows.voice_names)
        titles = GenerationRequest(mode=INTERPOLATE, count=8).labels(8)
        strip(target / "interpolation.svg", way, titles, names)


def strip(path: Path, beats: list[Any], titles: list[str], drums_shown: list[str]) -> None:
    """Draws the grids of beats, four beside each other, as SVG; equal beats give equal bytes."""
    with styled_figure(10.5, 1.6 * ((len(beats) + 3) // 4)) as figure:
        panels = figure.subplots((len(beats) + 3) // 4, min(4, len(beats)), squeeze=False).ravel()
        for axes in panels[len(beats) :]:
            axes.set_axis_off()
        for number, (axes, one, title) in enumerate(zip(panels, beats, titles, strict=False)):
            steps, drums = np.nonzero(one.grid)
            axes.scatter(steps, drums, marker="s", s=5, color=BLUE, linewidths=0)
            axes.set(xlim=(-1, len(one.grid)), ylim=(-0.8, one.grid.shape[1] - 0.2), xticks=range(0, 64, 16), yticks=[])
            axes.set_xticklabels([])
            if number % 4 == 0:  # the first of a row names the drums of all
                axes.set_yticks(range(len(drums_shown)), drums_shown, fontsize=6)
            axes.tick_params(length=0)
            axes.grid(axis="y", visible=False)
            axes.set_title(title, fontsize=8, color=GREY, fontweight="normal")
        save(figure, path)


def accuracies(target: Path) -> None:
    """Draws the step accuracies of docs/figures.json with their intervals, models above baselines."""
    known = json.loads(FIGURES.read_text(encoding="utf-8"))
    with styled_figure(8, 2.6) as figure:
        axes = figure.subplots()
        for place, name in enumerate(MEASURED):
            found = known["runs"].get(name) or {"free_running": known["baselines"].get(name)}
            for way, offset in (("teacher_forced", -0.14), ("free_running", 0.14)):
                if way not in found:
                    continue
                value, low, high = (found[way]["step_accuracy"][part] for part in ("value", "low", "high"))
                colour = (BLUE if way == "teacher_forced" else ORANGE) if name in known["runs"] else GREY
                height = place + (offset if name in known["runs"] else 0)
                label = way.replace("_", "-") if place == 0 else None
                axes.plot([low, high], [height, height], color=colour)
                axes.plot(value, height, "o" if way == "teacher_forced" else "s", color=colour, label=label)
        axes.set(xlim=(0, 1), xlabel="step accuracy, with 95 % intervals over files")
        axes.set_yticks(range(len(MEASURED)), list(MEASURED.values()))
        axes.grid(axis="y", visible=False)
        axes.invert_yaxis()
        axes.legend(loc="lower right")
        save(figure, target / "accuracy.svg")


def save(figure: Any, path: Path) -> None:
    """Writes a chart as SVG; equal charts give equal bytes."""
    import matplotlib

    matplotlib.rcParams["svg.hashsalt"] = "gmd-vae"
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def main(target: Path) -> None:
    """Makes all pictures."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        accuracies(target)
        path(target, Path(name))
        beat(target, Path(name))
        studio(target, Path(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)

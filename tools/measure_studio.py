"""Measures the studio in Chromium: how soon it sounds, how well it keeps time, and how fast its model is.

    python tools/measure_studio.py                                  # the model of the package
    python tools/measure_studio.py runs/mine
    python tools/measure_studio.py --config hierdec-drum_4bar_v2    # random weights: only their number matters

``sounds`` is the time from the click to the first sound at the output. Then the page plays for 20 seconds at 120 bpm
while the point of the pad is dragged and cells are set: the difference of its hits from the grid on the audio clock,
the least time by which one was scheduled ahead, the tasks of the main thread of 50 ms and more, and the longest task
in CPU time, which other work on the machine does not lengthen. ``milliseconds`` has median and worst of 200 decoded
places of the pad and of 200 encoded edits, the way to the worker and back included. Products with large matrices are
computed by WebAssembly; ``plain`` is the time without it, in the same page, at every tenth turn.

It needs a Chromium and the Python package playwright.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import get_config
from gmd_vae.export.source import read_model_of
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.models.bundled import DEFAULT
from gmd_vae.models.model_file import Card, ModelFile
from gmd_vae.rendering.studio.page import write_studio

COUNT = 200
STEP = 60 / 120 / 4  # seconds
PLAYED = 20  # seconds
# before the scripts of the page: times of its hits, its long tasks, and its first sound after a click
OBSERVE = """
window.hits = [];
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ entryTypes: ["longtask"] });
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when) {
  hits.push([when, this.context.currentTime]);
  return start.call(this, when);
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to === this.context.destination) {
    const analyser = this.context.createAnalyser(), samples = new Float32Array(analyser.fftSize);
    connect.call(this, analyser);
    const listen = () => {
      analyser.getFloatTimeDomainData(samples);
      if (samples.some((sample) => Math.abs(sample) > 0.001)) window.firstSound = performance.now();
      else setTimeout(listen, 2);
    };
    listen();
  }
  return connect.call(this, to, ...rest);
};
addEventListener("click", (event) => { window.clicked ??= event.timeStamp; }, true);
"""
MEASURE = """async (count) => {
  const {model, drums} = JSON.parse(document.querySelector("#data").textContent);
  const engine = document.querySelector("#engine").textContent;
  const fast = new ModelClient(model, engine);
  const plain = new ModelClient(model, `${engine}\nglobalThis.WebAssembly = undefined;`);
  await Promise.all([fast.ready, plain.ready]);
  const times = {decode: [], encode: [], plain_decode: [], plain_encode: []};
  const timed = async (name, work) => {
    const start = performance.now();
    await work();
    times[name].push(performance.now() - start);
  };
  for (let number = -5; number < count; number++) { // the first ones warm up
    const z = await fast.prior({seed: 1, file: number + 5});
    const labels = await fast.decode({z, temperature: 0.5, seed: 1, file: number + 5});
    labels[(number + 5) % labels.length] ^= 1;
    await timed("decode", () => fast.decode({z, temperature: 0.5, seed: 1}));
    await timed("encode", () => fast.encode(labels));
    if (number > 0 && number % 10) continue;
    await timed("plain_decode", () => plain.decode({z, temperature: 0.5, seed: 1}));
    await timed("plain_encode", () => plain.encode(labels));
  }
  for (const name of Object.keys(times)) times[name].splice(0, 5);
  return times;
}"""


def random_model(name: str) -> ModelFile:
    """Returns a model of a config with random weights."""
    config = get_config(name)
    random = np.random.default_rng(0)
    variables = {
        variable: (random.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
        for variable, shape in variable_shapes(config, config.hparams).items()
    }
    return ModelFile(config, dict(config.hparams), variables, Card(name))


@contextlib.contextmanager
def open_chromium() -> Iterator[Any]:
    """Starts the Chromium of this machine."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        raise GmdVaeError("There is no chromium, chromium-browser or google-chrome", "Install one.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def longest_cpu(trace: bytes) -> float:
    """Returns the CPU time of the longest task of a page's main thread in a trace of Chromium, in milliseconds."""
    events = json.loads(trace)["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    times = [
        event.get("tdur", 0) / 1000
        for event in events
        if event["name"].endswith("RunTask") and (event["pid"], event["tid"]) in main
    ]
    return max(times)


def play(browser: Any, page: Any) -> dict[str, Any]:
    """Plays while the beat changes; returns how well the page kept time, in milliseconds."""
    for slider in ("#humanize", "#swing"):
        page.locator(slider).focus()
        page.keyboard.press("Home")  # all hits on the grid
    page.evaluate("longTasks.length = 0")
    browser.start_tracing(page=page, categories=["toplevel"])
    page.locator("#play").click()
    page.wait_for_function("() => window.firstSound")
    surface = page.locator(".surface")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    random, end = np.random.default_rng(0), time.perf_counter() + PLAYED
    while time.perf_counter() < end:
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        for x, y in random.uniform(0.05, 0.95, (10, 2)):
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=3)
            time.sleep(0.05)
        page.mouse.up()
        page.evaluate(f"document.querySelector('.cell[data-at=\"{random.integers(500)}\"]').focus()")
        page.keyboard.press("Enter")
        page.locator(".surface").scroll_into_view_if_needed()
        box = surface.bounding_box()
    page.keyboard.press("Escape")
    cpu = longest_cpu(browser.stop_tracing())
    when, now = np.array(page.evaluate("hits")).T
    off = (when - when[0] + STEP / 2) % STEP - STEP / 2
    tasks = page.evaluate("longTasks")
    return {
        "hits": len(when),
        "off_grid_worst": round(1000 * float(np.abs(off).max()), 4),
        "least_ahead": round(1000 * float((when - now)[1:].min()), 1),
        "long_tasks": len(tasks),
        "longest_task": round(max(tasks, default=0)),
        "longest_task_cpu": round(cpu),
    }


def measure(page_file: Path) -> dict[str, Any]:
    """Returns the seconds until the page is ready and until it sounds, and the milliseconds of each task."""
    with open_chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(OBSERVE)
        start = time.perf_counter()
        page.goto(page_file.as_uri())
        page.wait_for_selector("body[data-ready]")
        ready = time.perf_counter() - start
        opened = page.evaluate("longTasks")
        playing = play(browser, page)
        sounds = page.evaluate("(firstSound - clicked) / 1000")
        times = page.evaluate(MEASURE, COUNT)
    tasks = {
        name: {"median": round(statistics.median(values), 1), "worst": round(max(values), 1)}
        for name, values in times.items()
    }
    found = {"ready_seconds": round(ready, 2), "sounds_seconds": round(sounds, 2)}
    return {
        **found,
        "longest_task_of_opening": round(max(opened, default=0)),
        "playing": playing,
        "milliseconds": tasks,
    }


def main() -> None:
    """Measures the model of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=DEFAULT, help="a model of the package, a run, or a model file")
    parser.add_argument("--config", help="a config, whose model gets random weights")
    options = parser.parse_args()
    model = (
        random_model(options.config) if options.config else read_model_of(options.model, None, None, with_vectors=False)
    )
    with tempfile.TemporaryDirectory() as folder:
        written = write_studio(model, Path(folder) / "studio.html")
        result = {"config": written.config, "parameters": written.parameters, "megabytes": round(written.size / 1e6, 1)}
        result |= {"load": round(os.getloadavg()[0], 1), **measure(written.path)}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    try:
        main()
    except GmdVaeError as error:
        sys.exit(f"Error: {error}")

"""Measures the studio in Chromium: median and worst of 200 decoded places of the pad and of 200 encoded edits.

    python tools/measure_studio.py                                  # the model of the package
    python tools/measure_studio.py runs/mine
    python tools/measure_studio.py --config hierdec-drum_4bar_v2    # random weights: only their number matters

It needs a Chromium and the Python package playwright. The times include the way to the worker and back. Products with
large matrices are computed by WebAssembly; ``plain`` is the time without it, in the same page, at every tenth turn.
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


def measure(page_file: Path) -> dict[str, Any]:
    """Returns the seconds until the page is ready and until it sounds, and the milliseconds of each task."""
    with open_chromium() as browser:
        page = browser.new_page()
        start = time.perf_counter()
        page.goto(page_file.as_uri())
        page.wait_for_selector("body[data-ready]")
        ready = time.perf_counter() - start
        start = time.perf_counter()
        page.locator("#play").click()
        page.wait_for_selector(".cell.now")
        sounds = time.perf_counter() - start
        page.keyboard.press("Escape")
        times = page.evaluate(MEASURE, COUNT)
    tasks = {
        name: {"median": round(statistics.median(values), 1), "worst": round(max(values), 1)}
        for name, values in times.items()
    }
    return {"ready_seconds": round(ready, 2), "sounds_seconds": round(sounds, 2), "milliseconds": tasks}


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

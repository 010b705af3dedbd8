"""Compares the model in the studio with the one in Python, in Node and in Chromium.

    python tools/compare_studio.py --examples data/examples/groove/hierdec-drum_4bar_small
    python tools/compare_studio.py runs/mine --examples data/examples/mine

For 1,000 latent vectors from the model's prior: the likeliest steps, and those sampled at temperature 1. For 1,000
windows of the test split: means and standard deviations of the posterior. For one seed: the 1,000 beats that ``gmd-vae
generate`` writes as MIDI files. The reference computes with weights rounded to 16 bits, as the page has them, except
that of ``generate``. The exit status is 1 if a likeliest step differs or a mean is off by more than 0.001.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import mido
import numpy as np
import numpy.typing as npt
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.export.source import read_model_of
from gmd_vae.families import family_of
from gmd_vae.generation.inputs.drum_reader import labels_to_inputs
from gmd_vae.models.bundled import DEFAULT
from gmd_vae.models.forward.numpy_model import NumpyModel
from gmd_vae.models.latent_density import draw_latents
from gmd_vae.models.model_file import ModelFile
from gmd_vae.rendering.studio.model_data import pack_model
from gmd_vae.rendering.studio.page import write_studio
from gmd_vae.rendering.studio.scripts import ENGINE
from gmd_vae.rendering.web.html import script_of
from gmd_vae.windows.label_windows import load_windows
from measure_studio import open_chromium

COUNT = 1000
SEED = 7
LARGEST = 1e-3  # of a difference between means
Numbers = npt.NDArray[Any]
# the engine answers at once, a worker later: `await` takes both
ANSWERS = """async (model, { z, labels, temperature, seed }) => {
  const numbers = (array) => Array.from(array);
  const found = { likeliest: [], sampled: [], means: [], scales: [], prior: [], beats: [] };
  for (const [file, row] of z.entries()) {
    const vector = Float32Array.from(row);
    found.likeliest.push(numbers(await model.decode({ z: vector, temperature: 0 })));
    found.sampled.push(numbers(await model.decode({ z: vector, temperature: 1, seed, file })));
    const drawn = await model.prior({ seed, file });
    found.prior.push(numbers(drawn));
    found.beats.push(numbers(await model.decode({ z: drawn, temperature, seed, file })));
  }
  for (const row of labels) {
    const { mean, scale } = await model.encode(row);
    found.means.push(numbers(mean));
    found.scales.push(numbers(scale));
  }
  return found;
}"""
IN_NODE = f"""
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
({ANSWERS})(new Model(given.packed), given).then((found) => process.stdout.write(JSON.stringify(found)));
"""
IN_PAGE = f"""async (given) => {{
  const {{ model }} = JSON.parse(document.querySelector("#data").textContent);
  const client = new ModelClient(model, document.querySelector("#engine").textContent);
  await client.ready;
  return ({ANSWERS})(client, given);
}}"""


def questions(model: ModelFile, labels: Numbers, count: int, seed: int) -> dict[str, Any]:
    """Returns what the engine is asked: the argument of ``ANSWERS``.

    Args:
        model: The model.
        labels: Windows to encode, ``[n, steps]``.
        count: Number of latent vectors and beats.
        seed: Seed of all draws.
    """
    z = draw_latents(model.density, count, model.hparams["z_size"], seed + 1)
    temperature = family_of(model.config).sampling_temperature
    return {"z": z.tolist(), "labels": labels.tolist(), "temperature": temperature, "seed": seed}


def answers_of_python(model: ModelFile, asked: dict[str, Any]) -> dict[str, Numbers]:
    """Returns the answers of NumPy with weights of 16 bits, without the beats."""
    halves = {name: values.astype(np.float16).astype(np.float32) for name, values in model.variables.items()}
    reference = NumpyModel(model.config, model.hparams, halves, seed=asked["seed"])
    z = np.array(asked["z"], np.float32)
    inputs = [labels_to_inputs(np.array(row), model.config.drum_windows) for row in asked["labels"]]
    means, scales = reference.posterior(inputs)
    prior = draw_latents(model.density, len(z), z.shape[1], asked["seed"])
    likeliest, sampled = (np.array(reference.decode(z, temperature)) for temperature in (0.0, 1.0))
    return {"likeliest": likeliest, "sampled": sampled, "means": means, "scales": scales, "prior": prior}


def generated(name: str, model: ModelFile, count: int, seed: int) -> Numbers:
    """Returns the labels of the MIDI files of ``gmd-vae generate --seed``, ``[count, steps]``."""
    windows = model.config.drum_windows
    class_of = {pitch: number for number, pitches in enumerate(windows.pitch_classes) for pitch in pitches}
    labels = np.zeros((count, windows.steps), np.int64)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "beats"
        options = ["-n", str(count), "--seed", str(seed), "--quantize", "--output-dir", str(target)]
        subprocess.run(
            [sys.executable, "-m", "gmd_vae", "generate", "--model", name, *options],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        for number, path in enumerate(sorted(target.glob("*.mid"))):
            midi, tick = mido.MidiFile(path), 0
            for message in midi.tracks[0]:
                tick += message.time
                if message.type == "note_on" and message.velocity:
                    step = round(tick * windows.steps_per_quarter / midi.ticks_per_beat)
                    labels[number, step] |= 1 << class_of[message.note]
    return labels


def differences(found: dict[str, Any], expected: dict[str, Numbers]) -> dict[str, int | float]:
    """Returns the number of steps that differ, and the largest difference of numbers."""
    result: dict[str, int | float] = {}
    for name, values in expected.items():
        answer = np.array(found[name])
        if answer.shape != values.shape:
            raise GmdVaeError(f"'{name}' has the shape {answer.shape}, not {values.shape}", "Look at the scripts.")
        if values.dtype.kind == "f":
            result[name] = float(np.abs(answer - values).max())
        else:
            result[name] = int((answer != values).sum())
    return result


def answers_of_node(model: ModelFile, asked: dict[str, Any]) -> dict[str, Any]:
    """Returns the answers of the engine in Node."""
    node = shutil.which("node")
    if node is None:
        raise GmdVaeError("There is no node", "Install Node.js.")
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.js"
        script.write_text(f"{script_of(ENGINE)}\n{IN_NODE}", encoding="utf-8")
        given = json.dumps({**asked, "packed": pack_model(model)})
        done = subprocess.run([node, script], input=given, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def answers_of_chromium(model: ModelFile, asked: dict[str, Any]) -> dict[str, Any]:
    """Returns the answers of the worker of the page, in Chromium."""
    with tempfile.TemporaryDirectory() as folder, open_chromium() as browser:
        page = browser.new_page()
        page.goto(write_studio(model, Path(folder) / "studio.html").path.as_uri())
        page.wait_for_selector("body[data-ready]")
        found: dict[str, Any] = page.evaluate(IN_PAGE, asked)
    return found


def main() -> None:
    """Compares the model of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=DEFAULT, help="a model of the package, a run, or a model file")
    parser.add_argument("--examples", type=Path, required=True, help="windows of the model's config")
    parser.add_argument("--count", type=int, default=COUNT, help="number of latent vectors, windows and beats")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    model = read_model_of(options.model, None, None, with_vectors=False)
    labels = load_windows(options.examples, "test").labels
    chosen = np.sort(np.random.default_rng(options.seed).permutation(len(labels))[: options.count])
    asked = questions(model, labels[chosen], options.count, options.seed)
    beats = generated(options.model, model, options.count, options.seed)
    expected = {**answers_of_python(model, asked), "beats": beats}
    steps = options.count * model.config.windows.steps
    result: dict[str, Any] = {
        "config": model.config.name,
        "windows": len(chosen),
        "vectors": options.count,
        "steps": steps,
    }
    for place, answer in (("node", answers_of_node), ("chromium", answers_of_chromium)):
        result[place] = differences(answer(model, asked), expected)
    print(json.dumps(result, indent=2))
    if any(result[place]["likeliest"] or result[place]["means"] > LARGEST for place in ("node", "chromium")):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except GmdVaeError as error:
        sys.exit(f"Error: {error}")

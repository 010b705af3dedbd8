"""The model in JavaScript beside the one in NumPy: the same tokens, draws and posteriors."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from fixtures.densities import random_density
from fixtures.node import RunScript
from fixtures.random_models import drum_rolls, random_variables, small
from gmd_vae.common import counter_random
from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.registry import get_config
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.forward.numpy_model import NumpyModel
from gmd_vae.models.latent_density import draw_latents
from gmd_vae.models.model_file import Card, ModelFile, read_model
from gmd_vae.rendering.studio.model_data import pack_model
from gmd_vae.rendering.studio.scripts import ENGINE

# two levels with and without autoregression, segments of a bar, three layers, flat, one-hot encoder input
NAMES = ("hierdec-drum_4bar-ar_small", "hierdec-drum_4bar_small", "flat-drum_1bar_small", "cat-drums_2bar_small")
CODE = """
const model = new Model(given.packed);
const z = given.z.map((row) => Float32Array.from(row));
const numbers = (array) => Array.from(array);
print({
  likeliest: z.map((row) => numbers(model.decode({z: row, temperature: 0}))),
  sampled: z.map((row, file) => numbers(model.decode({z: row, temperature: 1, seed: 5, file}))),
  means: given.labels.map((row) => numbers(model.encode(row).mean)),
  scales: given.labels.map((row) => numbers(model.encode(row).scale)),
  prior: z.map((_, file) => numbers(model.prior({seed: 7, file}))),
});
"""


# the products of large matrices: by WebAssembly where there is one, else in plain JavaScript
PRODUCTS = """
if (given.plain) globalThis.WebAssembly = undefined;
const [rows, columns] = given.shape, numbers = given.numbers;
const values = Float32Array.from({length: rows * columns}, (_, at) => numbers[at % numbers.length]);
const matrix = {rows, columns, values};
const vectors = Array.from({length: given.count}, (_, number) =>
  Float32Array.from({length: rows}, (_, row) => numbers[(7 * number + 3 * row + 1) % numbers.length]));
const sums = vectors.map(() => new Float64Array(columns).fill(2)), one = new Float64Array(columns).fill(2);
accelerate([{rows: 24, columns: 512, values: new Float32Array(24 * 512)}, matrix]);
addProducts(sums, vectors, matrix);
addProduct(one, vectors[0], matrix);
print({fast: Boolean(matrix.fast), sums: sums.map((row) => [...row]), one: [...one]});
"""


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(("shape", "count"), [((64, 256), 5), ((100, 84), 130), ((16, 1000), 64)])
def test_products_with_large_matrices(shape: tuple[int, int], count: int, plain: bool, run_script: RunScript) -> None:
    numbers = np.random.default_rng(6).normal(size=997).astype(np.float32)
    given = {"shape": shape, "count": count, "numbers": numbers.tolist(), "plain": plain}
    found = run_script(ENGINE, PRODUCTS, given)
    assert found["fast"] != plain
    matrix = np.resize(numbers, shape).astype(np.float64)
    places = 7 * np.arange(count)[:, None] + 3 * np.arange(shape[0]) + 1
    expected = 2 + numbers[places % len(numbers)].astype(np.float64) @ matrix
    np.testing.assert_allclose(found["sums"], expected, atol=1e-10 if plain else 1e-4)
    np.testing.assert_allclose(found["one"], expected[0], atol=1e-10 if plain else 1e-4)


@pytest.mark.parametrize("plain", [False, True])
def test_posteriors_of_a_large_model_are_those_of_numpy(plain: bool, run_script: RunScript) -> None:
    config = get_config("hierdec-drum_4bar_v2")
    hparams = {**config.hparams, "enc_rnn_size": [96, 80], "dec_rnn_size": [8], "z_size": 12}
    variables = {name: values / 2 for name, values in random_variables(config, hparams).items()}
    labels = np.random.default_rng(3).integers(0, 512, (3, 64))
    packed = pack_model(ModelFile(config, hparams, variables, Card("large")))
    code = """
    if (given.plain) globalThis.WebAssembly = undefined;
    const model = new Model(given.packed);
    const cells = model.encoder.layers.flat();
    const found = given.labels.map((row) => [...model.encode(row).mean]);
    print({fast: cells.every(({own}) => Boolean(own.fast)), found});
    """
    answer = run_script(ENGINE, code, {"packed": packed, "labels": labels.tolist(), "plain": plain})
    assert bool(answer.get("fast")) != plain
    means, _ = NumpyModel(config, hparams, half(variables), seed=0).posterior(drum_rolls(labels))
    np.testing.assert_allclose(answer["found"], means, atol=2e-5)


def half(variables: Any) -> dict[str, Any]:
    """The variables as the page has them: rounded to 16 bits."""
    return {name: values.astype(np.float16).astype(np.float32) for name, values in variables.items()}


def compare(model: ModelFile, count: int, run_script: RunScript) -> None:
    config, hparams = model.config, model.hparams
    reference = NumpyModel(config, hparams, half(model.variables), seed=5)
    z = prior(count, hparams["z_size"], seed=7)
    labels = np.random.default_rng(3).integers(0, 512, (count, config.windows.steps))
    inputs = drum_rolls(labels) if config.drum_windows.roll_input else np.eye(512, dtype=np.float32)[labels]
    given = {"packed": pack_model(model), "z": z.tolist(), "labels": labels.tolist()}
    found = run_script(ENGINE, CODE, given)
    np.testing.assert_array_equal(found["likeliest"], reference.decode(z, 0))
    np.testing.assert_array_equal(found["sampled"], reference.decode(z, 1.0))
    means, scales = reference.posterior(inputs)
    np.testing.assert_allclose(found["means"], means, atol=2e-5)
    np.testing.assert_allclose(found["scales"], scales, atol=2e-5)
    np.testing.assert_allclose(found["prior"], draw_latents(model.density, count, hparams["z_size"], 7), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_gives_the_numbers_of_numpy(name: str, run_script: RunScript) -> None:
    config = get_config(name)
    hparams = small(config)
    compare(ModelFile(config, hparams, random_variables(config, hparams, 3), Card(name)), 8, run_script)


def test_the_bundled_model_gives_the_beats_of_numpy(run_script: RunScript) -> None:
    compare(read_model(bundled_models()[DEFAULT]), 12, run_script)


@pytest.mark.parametrize("components", [1, 3, 400])
def test_z_of_a_fitted_prior_is_that_of_the_package(
    components: int, tiny_model: ModelFile, run_script: RunScript
) -> None:
    density = random_density(components, tiny_model.hparams["z_size"])
    packed = pack_model(dataclasses.replace(tiny_model, density=density))
    code = (
        "const model = new Model(given); print([...Array(20).keys()].map((file) => [...model.prior({seed: 7, file})]));"
    )
    np.testing.assert_allclose(run_script(ENGINE, code, packed), density.draw(20, 7), rtol=1e-6)


def test_numbers_of_16_bits_are_decoded_exactly(run_script: RunScript) -> None:
    found = run_script(ENGINE, "print(Array.from(halfValues(), (value) => String(value)))")
    with np.errstate(over="ignore"):
        values = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float64)
    read = np.array([float(text.replace("Infinity", "inf")) for text in found])
    np.testing.assert_array_equal(read, values)


def test_random_numbers_are_those_of_the_package(run_script: RunScript) -> None:
    places = [(0, 0), (3, 1), (2**33, 70)]
    for seed in (0, 12345678901234567890123, -1):
        given = {"seed": str(seed), "places": places}
        code = "print(given.places.map((at) => randomIntegers(BigInt(given.seed), 1, ...at, 9).map(String)))"
        found = np.array(run_script(ENGINE, code, given), np.uint64)
        np.testing.assert_array_equal(found, counter_random.integers(seed, 1, places, 9))

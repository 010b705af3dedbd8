"""Fixtures that compute one model with Magenta's and with accelerated layers.

Both have the same weights, windows and random numbers. Sizes are tiny (8 steps, 16 classes), because most of the time
is spent on building Magenta's graphs. Each graph is built once, and only its numbers are kept.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, STOCK, Layers
from gmd_vae.configuration.own_hparams import OWN_HPARAMS
from gmd_vae.configuration.window_specs import NINE_CLASSES, DrumWindows

Arrays = dict[str, npt.NDArray[Any]]

WINDOWS = DrumWindows(slice_bars=1, steps_per_quarter=2, pitch_classes=NINE_CLASSES[:4])
ABSENT = (8, 0, 8, 8)  # lengths of the windows of a batch; the second one is absent


@dataclasses.dataclass(frozen=True)
class Measured:
    """Results of a graph.

    Attributes:
        shapes: Shapes of the trainable variables, in the order of their creation.
        loss: Loss in nats.
        losses: Reconstruction loss of each window in nats.
        gradients: Gradients by variable; empty where the graph does not train.
        metrics: Magenta's streaming metrics after one batch, by name.
        operation_types: Types of all operations.
    """

    shapes: dict[str, tuple[int, ...]]
    loss: Any
    losses: npt.NDArray[Any]
    gradients: Arrays
    metrics: dict[str, Any]
    operation_types: frozenset[str]


def _tiny(config: Config, **changed: Any) -> Config:
    """Returns a config of the same family and depth at tiny sizes, so that configs of different sizes become equal."""
    small: dict[str, Any] = {
        "z_size": 5,
        "enc_rnn_size": [6, 5][: len(config.hparams["enc_rnn_size"])],
        "dec_rnn_size": [7, 6, 5][: len(config.hparams["dec_rnn_size"])],
        "levels": (2, 4) if config.levels else (),
        "conductor_autoregression": config.conductor_autoregression or not config.levels,
        "sampling_rate": 2.0 if config.hparams["sampling_rate"] else 0,  # a probability of 0.45 at step 1
        "free_bits": 0.0,  # so that the KL divergence has a gradient
        "max_beta": 0.2,
    }
    training = {"batch_size": 4, "num_steps": 1, "learning_rate": 0.001, "decay_rate": 0.9999}
    named = {"name": "tiny", "summary": "", "source": ""}
    # no layer reads the levers
    return config.replace(windows=WINDOWS, **{**small, **training, **OWN_HPARAMS, **named, **changed})


def _session(optimised: bool, step: int, scale: float = 0.4) -> Any:
    """Returns a session in which each variable has random values seeded by its name.

    Args:
        optimised: Run TensorFlow's graph optimiser.
        step: Global step.
        scale: Standard deviation of the weights.
    """
    from gmd_vae.magenta.api import tf

    options = tf.ConfigProto()
    options.graph_options.rewrite_options.disable_meta_optimizer = not optimised
    options.graph_options.rewrite_options.min_graph_nodes = -1  # graphs of any size; see tests/conftest.py
    values = {tf.train.get_global_step(): step}
    for variable in tf.trainable_variables():
        numbers = np.random.default_rng(zlib.crc32(variable.op.name.encode()))
        spread = 0.1 if variable.op.name.endswith("bias") else scale
        values[variable] = numbers.normal(0, spread, variable.shape.as_list())
    session = tf.Session(config=options)
    initial = {variable.initializer.inputs[1]: value for variable, value in values.items()}
    session.run([tf.local_variables_initializer(), *(variable.initializer for variable in values)], initial)
    return session


def _built(config: Config, hparams: dict[str, Any], layers: Layers, levels: Sequence[int]) -> tuple[Any, Any]:
    from gmd_vae.magenta.api import build_config, configs
    from gmd_vae.models.accelerated.select_layers import accelerate

    with mock.patch.dict(configs.CONFIG_MAP):  # the tiny config is registered there
        built = build_config(config, hparams)
    if levels:
        built.model.decoder._level_lengths = list(levels)
        built.model.encoder._level_lengths = list(reversed(levels))
    return built, accelerate(built, config, layers)


def _measure(
    config: Config,
    layers: Layers,
    lengths: Any = ABSENT,
    step: int = 1,
    training: bool = True,
    tokens: bool = True,
    levels: Sequence[int] = (),
    blanks: float = 0.0,
    **hparams: Any,
) -> Measured:
    """Builds a graph and computes its results.

    Args:
        config: The config.
        layers: Requested layers.
        lengths: Lengths of the windows, one or one per segment.
        step: Global step.
        training: Build the graph for training.
        tokens: Use tokens where the model accepts them.
        levels: Level lengths that replace those of the config.
        blanks: Probability of a blank in the decoder's input.
        hparams: Hyperparameters that replace those of the config.
    """
    from gmd_vae.families import family_of
    from gmd_vae.magenta.api import tf
    from gmd_vae.magenta.randomness import stateless_randomness
    from gmd_vae.models.accelerated.tokens import labels_to_sequence
    from gmd_vae.models.label_vectors import expand_labels
    from gmd_vae.training.augmentation.batch_draws import BatchDraws
    from gmd_vae.training.augmentation.blanking import blank_decoder_inputs

    with tf.Graph().as_default() as graph:
        built, chosen = _built(config, {**config.hparams, **hparams, "batch_size": len(lengths)}, layers, levels)
        model, converter, steps = built.model, built.data_converter, built.hparams.max_seq_len
        model.build(built.hparams, converter.output_depth, is_training=training)
        random = np.random.default_rng(1)
        if config.windows.converter:
            part = np.arange(steps // np.size(lengths[0]))  # of a window, or of a segment
            present = (part < np.array(lengths)[..., None]).reshape(len(lengths), steps, 1)
            classes = [stream.classes for stream in family_of(config).output(config).streams]
            labels = [random.integers(0, count, [len(lengths), steps]) for count in classes]
            one_hot = [np.eye(count, dtype=np.float32)[of] for count, of in zip(classes, labels, strict=True)]
            vectors = tf.constant(np.concatenate(one_hot, axis=-1) * present)
            token_sequence = labels_to_sequence(tf.constant((labels[0] + 1) * present[..., 0] - 1))
            token_names = chosen.token_sequences if tokens and len(classes) == 1 else frozenset[str]()
            read, said = (token_sequence if name in token_names else vectors for name in ("inputs", "outputs"))
        else:
            windows = config.drum_windows
            labels = random.integers(0, 2 ** len(windows.pitch_classes), [len(lengths), steps]).astype(np.int32)
            read = expand_labels(tf.constant(labels), windows, roll=windows.roll_input, no_hit=True)
            said = expand_labels(tf.constant(labels), windows, roll=windows.roll_output, no_hit=False)
            if chosen.decoder_takes_tokens and tokens:
                said = labels_to_sequence(tf.constant(labels))
        if blanks:
            blank_decoder_inputs(model, blanks, steps, BatchDraws(7, model.global_step, len(lengths), 0, len(lengths)))
        with stateless_randomness(7, model.global_step):
            metrics, figures = model._compute_model_loss(read, said, tf.constant(lengths), None)
        variables = tf.trainable_variables()
        gradients = tf.gradients(model.loss, variables) if training else []
        # the graph optimiser also rewrites accelerated layers beside Magenta's; it is slow on Magenta's loops
        with _session(layers.accelerated, step) as session:
            session.run([update for _, update in metrics.values()])
            values = {name: value for name, (value, _) in metrics.items()}
            results = session.run([model.loss, figures["losses/r_loss"], gradients, values])
    shapes = {variable.op.name: tuple(variable.shape.as_list()) for variable in variables}
    operation_types = frozenset(operation.type for operation in graph.get_operations())
    return Measured(shapes, *results[:2], dict(zip(shapes, results[2], strict=False)), results[3], operation_types)


def _sample(
    config: Config,
    layers: Layers,
    at: Sequence[tuple[float, int]],
    as_tokens: bool = False,
    levels: Sequence[int] = (),
    hparams: Mapping[str, Any] = MappingProxyType({}),
    **arguments: Any,
) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Samples four windows from the same four latent vectors at each (temperature, seed).

    Args:
        config: The config.
        layers: Requested layers.
        at: Pairs of temperature and seed.
        as_tokens: Call ``sample_tokens`` instead of ``sample``.
        levels: Level lengths that replace those of the config.
        hparams: Hyperparameters that replace those of the config.
        arguments: Arguments of ``sample``.

    Returns:
        For each pair, the windows and their lengths.
    """
    from gmd_vae.magenta.api import tf
    from gmd_vae.magenta.randomness import stateless_randomness

    with tf.Graph().as_default():
        built, _ = _built(config, {**config.hparams, **hparams, "batch_size": 4}, layers, levels)
        model, steps = built.model, built.hparams.max_seq_len
        model.build(built.hparams, built.data_converter.output_depth, is_training=False)
        z = tf.constant(np.random.default_rng(2).normal(size=[4, built.hparams.z_size]).astype(np.float32))
        temperature, seed = tf.placeholder(tf.float32, []), tf.placeholder(tf.int64, [])
        with stateless_randomness(seed, model.global_step):
            if as_tokens:
                fetched = (model.decoder.sample_tokens(4, z, temperature, steps), tf.fill([4], steps))
            else:
                samples, results = model.sample(4, z=z, temperature=temperature, **{"max_length": steps, **arguments})
                fetched = (samples, results.final_sequence_lengths)
        # a large scale, so that the most likely class changes from step to step
        with _session(False, 0, scale=2.0) as session:
            return [session.run(fetched, {temperature: degree, seed: number}) for degree, number in at]


def _training_graph(config: Config, layers: Layers) -> Any:
    from gmd_vae.families import family_of
    from gmd_vae.magenta.api import configs, tf
    from gmd_vae.training.examples import Split
    from gmd_vae.training.execution import SingleProcess
    from gmd_vae.training.graph import build
    from gmd_vae.training.run.folder import Run

    nowhere = Path("nowhere")  # building a graph reads no examples
    run = Run(nowhere, config, config.hparams, 1, nowhere, "", layers=layers)
    with mock.patch.dict(configs.CONFIG_MAP), tf.Graph().as_default() as graph:
        build(
            run,
            Split([nowhere / "examples"], 32, family_of(config).extractor(config).layout),
            SingleProcess(),
        )
        return graph


@pytest.fixture(scope="session")
def tiny() -> Callable[..., Config]:
    return _tiny


@pytest.fixture(scope="session")
def measure(magenta: Any) -> Callable[..., Measured]:
    """Returns ``measure(config, layers, ...)``: `_measure` with a cache."""
    cache: dict[str, Measured] = {}

    def measured(config: Config, layers: Layers = ACCELERATED, **arguments: Any) -> Measured:
        key = repr((config, layers, sorted(arguments.items())))
        if key not in cache:
            cache[key] = _measure(config, layers, **arguments)
        return cache[key]

    return measured


@pytest.fixture(scope="session")
def sample(magenta: Any) -> Callable[..., Any]:
    """Returns ``sample(config, layers, [(temperature, seed)], ...)``."""
    return _sample


@pytest.fixture(scope="session")
def training_graph(magenta: Any) -> Callable[..., Any]:
    """Returns ``training_graph(config, layers)``, which builds the graph of a training run."""
    return _training_graph


@pytest.fixture(scope="session")
def assert_as_magenta(measure: Callable[..., Measured]) -> Callable[..., None]:
    """Returns a check that accelerated fp32 layers have Magenta's variables and results, up to rounding."""

    def check(config: Config, **arguments: Any) -> None:
        ours, stock = measure(config, ACCELERATED, **arguments), measure(config, STOCK, **arguments)
        assert ours.shapes == stock.shapes
        np.testing.assert_allclose(ours.loss, stock.loss, rtol=1e-5)
        np.testing.assert_allclose(ours.losses, stock.losses, rtol=1e-5)
        assert ours.gradients.keys() == stock.gradients.keys()
        for name, gradient in stock.gradients.items():
            largest = np.abs(gradient).max()
            assert largest > 0, name
            np.testing.assert_allclose(ours.gradients[name], gradient, rtol=0, atol=1e-5 * largest, err_msg=name)

    return check

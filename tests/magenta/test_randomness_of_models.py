"""Stateless randomness in training and sampling of Magenta's own models."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.stateful_ops import stateful_draws
from gmd_vae.configuration.registry import get_config

pytestmark = pytest.mark.tensorflow

Check = Callable[[npt.NDArray[Any]], None]

# sizes at which 60 steps give enough draws for statistics
TINY = {"enc_rnn_size": [6], "dec_rnn_size": [6, 5], "z_size": 16, "batch_size": 16}
SAMPLING = {"sampling_schedule": "constant", "sampling_rate": 0.4}
DROPOUT = {"dropout_keep_prob": 0.5, "residual_encoder": True, "residual_decoder": True}

# Together: every decoder of Magenta that draws, every kind of draw, flat and hierarchical.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "hierarchical": ("hierdec-drum_4bar_v2", SAMPLING),
    "flat": ("flat-drum_4bar", SAMPLING),
    "dropout": ("hierdec-drum_4bar-no_ar", DROPOUT),
    "groovae": ("groovae_2bar_hits_control_tfds", {**SAMPLING, "max_seq_len": 8}),
    "multi-out": ("flat-trio_16bar", {**SAMPLING, **DROPOUT, "max_seq_len": 8}),
    "split-multi-out": ("hierdec-trio_16bar", SAMPLING),
    "nade": ("nade-drums_2bar_reduced", {**SAMPLING, "max_seq_len": 8}),
}


@dataclasses.dataclass
class Training:
    """A training graph with placeholders for seed and step.

    ``helper`` has the draws of the decoder's helper, ``[batch, time]``: 1 where the decoder reads its own output.
    """

    graph: Any
    loss: Any
    optimizer: Any
    noise: Any
    helper: Any
    seed: Any
    step: Any
    feed: dict[Any, Any]

    @functools.cached_property
    def gradients(self) -> list[tuple[Any, Any]]:
        """Pairs (gradient, variable)."""
        with self.graph.as_default():
            pairs: list[tuple[Any, Any]] = self.optimizer.compute_gradients(self.loss)
            return pairs

    def losses(self, *at: tuple[int, int]) -> list[bytes]:
        """Returns the loss at each (seed, step), in a new session with newly initialised weights."""
        from gmd_vae.magenta.api import tf

        with quick_session(self.graph) as session:
            session.run(tf.global_variables_initializer())
            return [
                session.run(self.loss, {**self.feed, self.seed: seed, self.step: step}).tobytes() for seed, step in at
            ]


def quick_session(graph: Any = None) -> Any:
    """Returns a session without TensorFlow's graph optimiser, which takes longer than the numbers."""
    from gmd_vae.magenta.api import tf

    options = tf.ConfigProto()
    options.graph_options.rewrite_options.disable_meta_optimizer = True
    return tf.Session(graph=graph, config=options)


def small(name: str, changed: dict[str, Any]) -> Any:
    """Returns Magenta's ``Config`` at tiny sizes; hierarchical models get two segments of four steps."""
    from gmd_vae.magenta.api import build_config

    config = get_config(name)
    built = build_config(config, {**config.hparams, **TINY, **changed})
    if hasattr(built.model.decoder, "_level_lengths"):
        built.model.decoder._level_lengths = [2, 4]
        built.hparams.max_seq_len = 8
    return built


@functools.cache
def training(case: str, drawn: bool = True, changed: tuple[tuple[str, Any], ...] = ()) -> Training:
    from gmd_vae.magenta.api import tf
    from gmd_vae.magenta.randomness import stateless_randomness

    name, own = CASES[case]
    built = small(name, {**own, **dict(changed)})
    model, hparams, converter = built.model, built.hparams, built.data_converter
    numbers = np.random.default_rng(0)
    feed: dict[Any, Any] = {}

    def windows(depth: int) -> Any:
        window = tf.placeholder(tf.float32, [hparams.batch_size, hparams.max_seq_len, depth])
        feed[window] = np.eye(depth)[numbers.integers(0, depth, window.shape[:2])]
        return window

    caught: dict[str, Any] = {}
    encode, reconstruction_loss = model.encode, model.decoder.reconstruction_loss

    def catch_posterior(*args: Any, **kwargs: Any) -> Any:
        caught["posterior"] = encode(*args, **kwargs)
        return caught["posterior"]

    def catch_draws(x_input: Any, x_target: Any, x_length: Any, z: Any, *args: Any) -> Any:
        caught["noise"] = (z - caught["posterior"].mean()) / caught["posterior"].stddev()
        results = reconstruction_loss(x_input, x_target, x_length, z, *args)
        caught["helper"] = results[2].samples
        return results

    model.encode, model.decoder.reconstruction_loss = catch_posterior, catch_draws
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        model.build(hparams, converter.output_depth, is_training=True)
        seed, step = tf.placeholder(tf.int64, []), tf.placeholder_with_default(model.global_step, [])
        with stateless_randomness(seed, step) if drawn else nullcontext():
            optimizer = model.train(
                windows(converter.input_depth),
                windows(converter.output_depth),
                tf.fill([hparams.batch_size, *converter.length_shape], hparams.max_seq_len),
                windows(converter.control_depth) if converter.control_depth else None,
            )
        return Training(
            graph=graph,
            loss=model.loss,
            optimizer=optimizer,
            noise=caught["noise"],
            helper=caught["helper"],
            seed=seed,
            step=step,
            feed=feed,
        )


def variables(graph: Any) -> dict[str, tuple[int, ...]]:
    from gmd_vae.magenta.api import tf

    with graph.as_default():
        return {variable.name: tuple(variable.shape.as_list()) for variable in tf.global_variables()}


@pytest.mark.parametrize("case", CASES)
def test_training_has_no_stateful_draws(case: str, randomness: Any) -> None:
    assert stateful_draws(training(case).graph) == []


@pytest.mark.parametrize("case", CASES)
def test_the_loss_is_a_function_of_seed_and_step(case: str) -> None:
    graph = training(case)
    [fresh] = graph.losses((1, 5))
    after_others = graph.losses((2, 0), (1, 1), (1, 2), (1, 5), (1, 6), (2, 5), (1, 5))
    assert after_others[3] == after_others[6] == fresh
    assert after_others[5] != fresh  # another seed
    assert len(set(after_others)) >= 5  # of six; losses of an untrained model can be equal by chance


@pytest.mark.parametrize("case", ["hierarchical", "multi-out"])
def test_variables_equal_those_of_the_stock_graph(case: str, randomness: Any) -> None:
    stock = training(case, drawn=False)
    assert variables(training(case).graph) == variables(stock.graph)
    kinds = {stock.graph.get_operation_by_name(name).type for name in stateful_draws(stock.graph)}
    assert kinds >= {"RandomStandardNormal", "RandomUniform"}


def test_gradients_without_draws_equal_those_of_the_stock_graph(magenta: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tf = magenta.tf
    # without a latent vector Magenta's gradients crash TensorFlow: so one without noise
    monkeypatch.setattr(
        magenta.lstm_models.tfp.distributions.Distribution, "sample", lambda self, *_, **__: self.mean()
    )
    gradients = []
    weights: dict[str, Any] = {}
    for drawn in (True, False):
        graph = training.__wrapped__("flat", drawn, (("sampling_rate", 0.0),))
        pairs = graph.gradients
        with quick_session(graph.graph) as session:
            session.run(tf.global_variables_initializer())
            for _, variable in pairs:
                variable.load(weights.setdefault(variable.name, session.run(variable)), session)
            feed = {**graph.feed, graph.seed: 0, graph.step: 0}
            gradients.append(session.run([gradient for gradient, _ in pairs], feed))
    for mine, theirs in zip(*gradients, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_gradients_use_the_same_draws_as_the_loss(magenta: Any) -> None:
    """Compares with finite differences, which would differ if the backward pass drew again."""
    tf = magenta.tf
    graph = training("flat", True, (*DROPOUT.items(), ("sampling_rate", 0.0)))
    gradients, weights = zip(*graph.gradients, strict=True)
    with quick_session(graph.graph) as session:
        session.run(tf.global_variables_initializer())
        feed = {**graph.feed, graph.seed: 3, graph.step: 4}
        directions = session.run(gradients, feed)
        assert all(np.any(direction) for direction in directions)
        norm = np.sqrt(sum(np.sum(direction.astype(float) ** 2) for direction in directions))
        start = session.run(weights)

        def loss_at(distance: float) -> float:
            for variable, value, direction in zip(weights, start, directions, strict=True):
                variable.load(value + distance * direction / norm, session)
            return float(session.run(graph.loss, feed))

        assert (loss_at(0.01) - loss_at(-0.01)) / 0.02 == pytest.approx(norm, rel=0.01)


@pytest.mark.parametrize("case", ["hierarchical", "multi-out"])
def test_weights_after_an_interruption_are_bit_identical(case: str, magenta: Any, randomness: Any) -> None:
    tf = magenta.tf
    graph = training(case)
    with graph.graph.as_default():
        train_op = graph.optimizer.apply_gradients(graph.gradients, tf.train.get_global_step())
    assert stateful_draws(graph.graph) == []

    def trained(session: Any) -> list[Any]:
        for _ in range(3):  # by the model's own global step
            session.run(train_op, {**graph.feed, graph.seed: 7})
        values: list[Any] = session.run(tf.global_variables())
        return values

    with quick_session(graph.graph) as session:
        session.run(tf.global_variables_initializer())
        checkpoint = trained(session)
        uninterrupted = trained(session)
    with quick_session(graph.graph) as session:
        for variable, value in zip(tf.global_variables(), checkpoint, strict=True):
            variable.load(value, session)
        resumed = trained(session)
    for value, expected, before in zip(resumed, uninterrupted, checkpoint, strict=True):
        np.testing.assert_array_equal(value, expected)
        assert not np.array_equal(value, before)


@pytest.mark.parametrize("case", ["hierarchical", "flat"])
def test_the_distributions_of_scheduled_sampling_and_latent_noise(
    case: str, magenta: Any, assert_unrelated: Check
) -> None:
    graph = training(case)
    with quick_session(graph.graph) as session:
        session.run(magenta.tf.global_variables_initializer())
        drawn = [
            session.run([graph.helper, graph.noise], {**graph.feed, graph.seed: 1, graph.step: step})
            for step in range(60)
        ]
    helper = np.concatenate([each for each, _ in drawn]).astype(float)  # [steps * batch, time]
    assert helper.mean() == pytest.approx(0.4, abs=5 * np.sqrt(0.24 / helper.size))
    assert_unrelated(helper)  # times
    assert_unrelated(helper.reshape(60, -1).T)  # steps
    noise = np.concatenate([each for _, each in drawn])
    assert noise.mean() == pytest.approx(0, abs=5 / np.sqrt(noise.size))
    assert noise.std() == pytest.approx(1, abs=5 / np.sqrt(2 * noise.size))
    assert_unrelated(noise)
    assert_unrelated(noise.reshape(60, -1).T)


@pytest.mark.parametrize("case", CASES)
def test_samples_are_functions_of_seed_and_batch(
    case: str, magenta: Any, randomness: Any, assert_unrelated: Check
) -> None:
    tf = magenta.tf
    name, changed = CASES[case]
    built = small(name, {**changed, "batch_size": 64})
    model, hparams = built.model, built.hparams
    control_depth = built.data_converter.control_depth
    with tf.Graph().as_default() as graph:
        tf.set_random_seed(1)
        seed, batch = tf.placeholder(tf.int64, []), tf.placeholder(tf.int64, [])
        model.build(hparams, built.data_converter.output_depth, is_training=False)
        with randomness.stateless_randomness(seed, batch):
            samples, _ = model.sample(
                64,
                max_length=hparams.max_seq_len,
                z=tf.zeros([64, hparams.z_size]),
                c_input=tf.zeros([hparams.max_seq_len, control_depth]) if control_depth else None,
                temperature=1.0,
            )
        assert stateful_draws(graph) == []
        first: dict[tuple[int, int], bytes] = {}
        windows = []
        for order in ([(0, 0), (0, 1), (5, 0)], [(5, 0), (0, 0), (0, 0), (0, 1)]):
            with quick_session() as session:
                session.run(tf.global_variables_initializer())
                for at in order:
                    values = session.run(samples, {seed: at[0], batch: at[1]})
                    assert first.setdefault(at, values.tobytes()) == values.tobytes()
                    windows.append(values)
        assert len(set(first.values())) == 3
    # each time step has its own draws: in an untrained model all outputs are about equally likely
    hits = np.concatenate(windows[:3])[..., : 9 if case == "groovae" else None]
    for time in range(1, hits.shape[1]):
        for before in range(time):
            assert np.mean(np.all(hits[:, time] == hits[:, before], axis=-1)) < 0.1
    if case in ("groovae", "nade"):  # the drums of one step are drawn independently
        assert_unrelated(hits.reshape(-1, hits.shape[-1]))

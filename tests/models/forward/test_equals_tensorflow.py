"""The forward passes in NumPy give the numbers of Magenta's model in TensorFlow.

Decoders of many segments are compared with our own layers in TensorFlow, because Magenta's graphs of them take half a
minute to build; `models/accelerated` compares those with Magenta's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.models import random_model
from fixtures.random_models import drum_rolls, random_variables, small
from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, STOCK
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.models.checkpoint_variables import read_variables
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.checkpoints import find
from gmd_vae.models.forward.groove import sigmoid, with_hits
from gmd_vae.models.forward.numpy_model import NumpyModel
from gmd_vae.training.run.folder import open_run

pytestmark = pytest.mark.tensorflow

ROWS = 3
TOLERANCE = 1e-5  # absolute; the largest logits are between 2 and 4


def of_each_structure(family: str) -> list[str]:
    """The configs of a family that differ in more than the lengths of their windows, sizes and training."""
    found: dict[tuple[object, ...], str] = {}
    for name, config in all_configs().items():
        if config.family == family:
            layers = [len(config.hparams[key]) for key in ("enc_rnn_size", "dec_rnn_size")]
            levels = config.levels and (len(config.levels), config.levels[0] > 2, config.conductor_autoregression)
            windows = config.windows
            of_windows = (
                (windows.roll_input, windows.roll_output, windows.output_depth)
                if isinstance(windows, DrumWindows)
                else (windows.task, windows.controls, windows.added)
            )
            found.setdefault((*layers, levels, *of_windows), name)
    return list(found.values())


LABELS, GROOVES = map(of_each_structure, ("drum-labels", "groovae"))


def session_with(variables: Mapping[str, Any]) -> Any:
    """A session on the default graph whose variables have these values."""
    from gmd_vae.magenta.api import tf

    options = tf.ConfigProto()
    options.graph_options.rewrite_options.disable_meta_optimizer = True  # it takes longer than the numbers
    session = tf.Session(config=options)
    trainable = {variable.op.name: variable for variable in tf.trainable_variables()}
    assert trainable.keys() == variables.keys()
    for name, variable in trainable.items():
        variable.load(variables[name], session)
    return session


class LabelGraph:
    """Magenta's model of drum labels in TensorFlow, with the given variables."""

    def __init__(self, config: Config, hparams: dict[str, Any], variables: Mapping[str, Any]) -> None:
        from gmd_vae.magenta.api import build_config, tf
        from gmd_vae.models.accelerated.core_decoder import DecoderNetwork
        from gmd_vae.models.accelerated.select_layers import accelerate
        from gmd_vae.models.accelerated.tokens import labels_to_sequence
        from gmd_vae.models.label_vectors import expand_labels

        windows, hparams = config.drum_windows, {**hparams, "batch_size": ROWS}
        with tf.Graph().as_default(), pytest.MonkeyPatch.context() as patch:
            self.labels = tf.placeholder(tf.int32, [ROWS, windows.steps])
            self.z = tf.placeholder(tf.float32, [ROWS, hparams["z_size"]])
            built = build_config(config, hparams)
            model = built.model
            encoder = model._encoder
            chosen = accelerate(built, config, ACCELERATED if len(config.levels) and config.levels[0] > 2 else STOCK)
            model._encoder = encoder  # Magenta's
            model.build(built.hparams, built.data_converter.output_depth, is_training=False)
            lengths = tf.fill([ROWS], windows.steps)
            read = expand_labels(self.labels, windows, roll=windows.roll_input, no_hit=True)
            posterior = model.encode(read, lengths)
            written = expand_labels(self.labels, windows, roll=False, no_hit=False)
            if chosen.decoder_takes_tokens:
                written = labels_to_sequence(self.labels)
            before = tf.pad(written[:, :-1], [(0, 0), (1, 0), (0, 0)])
            recorded: list[Any] = []
            compute = DecoderNetwork.logits
            patch.setattr(DecoderNetwork, "logits", lambda *of: [recorded.append(compute(*of)), recorded[-1]][-1])
            *_, results = model.decoder.reconstruction_loss(before, written, lengths, self.z)
            if recorded:
                by_step = tf.reshape(recorded[0], [windows.steps, ROWS, -1])
                logits = tf.transpose(by_step, [1, 0, 2])
            else:
                logits = tf.reshape(results.rnn_output, [ROWS, windows.steps, -1])
            self.fetched = (posterior.loc, posterior.stddev(), logits)
            self.session = session_with(variables)

    def __call__(self, labels: npt.NDArray[Any], z: npt.NDArray[np.float32]) -> Any:
        """Means, standard deviations and logits."""
        return self.session.run(self.fetched, {self.labels: labels, self.z: z})


def assert_equal(config: Config, hparams: dict[str, Any], variables: Mapping[str, Any], labels: Any) -> None:
    """Compares posteriors, logits and likeliest windows."""
    graph, model = LabelGraph(config, hparams, variables), NumpyModel(config, hparams, variables)
    z = prior(ROWS, hparams["z_size"], seed=2)
    with graph.session:
        means, scales, logits = graph(labels, z)
        for mine, theirs in zip(model.posterior(drum_rolls(labels)), (means, scales), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(model.logits(labels, z), logits, rtol=0, atol=TOLERANCE)
        # each likeliest label is TensorFlow's, given the same past; so TensorFlow's own windows are the same
        decoded = np.array(model.decode(z, 0))
        *_, logits = graph(decoded, z)
        np.testing.assert_array_equal(logits.argmax(axis=-1), decoded)
    assert len(np.unique(decoded, axis=0)) == ROWS


@pytest.mark.parametrize("name", LABELS)
def test_drum_labels(name: str, magenta: Any) -> None:
    config = all_configs()[name]
    hparams = small(config)
    labels = np.random.default_rng(1).integers(0, config.drum_windows.output_depth, (ROWS, config.windows.steps))
    assert_equal(config, hparams, random_variables(config, hparams), labels)


def test_a_trained_run(tiny_run: Path, magenta: Any) -> None:
    run = open_run(tiny_run)
    labels = np.random.default_rng(1).integers(0, 512, (ROWS, 64))
    hparams = {**run.hparams, "sampling_schedule": "constant", "sampling_rate": 0.0}
    assert_equal(run.config, hparams, read_variables(find(tiny_run)), labels)


@pytest.mark.parametrize("name", GROOVES)
def test_groovae(name: str, magenta: Any) -> None:
    from gmd_vae.magenta.api import build_config, tf

    config = all_configs()[name]
    hparams = {**small(config), "blank_inputs": 0.0}  # Magenta's decoder reads its own output
    variables, steps, random = random_variables(config, hparams), config.windows.steps, np.random.default_rng(1)
    windows = random.uniform(-1, 1, (ROWS, steps, 27)).astype(np.float32)
    hits = random.integers(0, 2, (ROWS, steps, 9)).astype(np.float32)
    lengths, z = [steps, 10, 0], prior(ROWS, hparams["z_size"], seed=2)
    model, controls = NumpyModel(config, hparams, variables, 3), hits if config.magenta_windows.controls else None
    with tf.Graph().as_default():
        built = build_config(config, {**hparams, "batch_size": ROWS})
        built.model.build(built.hparams, 27, is_training=False)
        given = None if controls is None else tf.constant(controls)
        posterior = built.model.encode(tf.constant(windows), tf.constant(lengths), given)
        written = tf.placeholder(tf.float32, windows.shape)
        before = tf.pad(written[:, :-1], [(0, 0), (1, 0), (0, 0)])
        *_, results = built.model.decoder.reconstruction_loss(
            before, written, tf.fill([ROWS], steps), tf.constant(z), given
        )
        with session_with(variables) as session:
            fetched = (posterior.loc, posterior.stddev(), results.rnn_output)
            means, scales, outputs = session.run(fetched, {written: windows})
            decoded = np.array(model.decode(z, 0, controls=controls))
            own = session.run(results.rnn_output, {written: decoded})
    for mine, theirs in zip(model.posterior(windows, lengths, controls), (means, scales), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(model.logits(windows, z, controls), outputs, rtol=0, atol=TOLERANCE)
    # TensorFlow's output, given the past that our model decoded
    np.testing.assert_array_equal(decoded[..., :9], own[..., :9] > 0)
    np.testing.assert_allclose(decoded[..., 9:18], sigmoid(own[..., 9:18]), rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(decoded[..., 18:], np.tanh(own[..., 18:]), rtol=0, atol=TOLERANCE)
    assert 0.2 < decoded[..., :9].mean() < 0.8


def test_given_hits(magenta: Any) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.models.inference.conditioned_sampling import _with_hits

    random = np.random.default_rng(4)
    drawn = random.uniform(-1, 1, (50, 27)).astype(np.float32)
    probabilities = random.uniform(0, 1, (50, 9)).astype(np.float32)
    given = random.choice([0, 1, np.nan], (50, 9)).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        theirs = session.run(_with_hits(*(tf.constant(values) for values in (drawn, probabilities, given))))
    np.testing.assert_allclose(with_hits(drawn, probabilities, given), theirs, rtol=0, atol=1e-6)


def test_a_decoder_that_is_given_the_hits_reads_blanks(magenta: Any, tmp_path: Path) -> None:
    """The velocities and offsets of a step do not depend on those before it, in TensorFlow and in NumPy alike."""
    from gmd_vae.models.inference.sampler import Sampler

    config = get_config("groovae_2bar_humanize_hits_small")
    sizes = {"z_size": 6, "enc_rnn_size": [8], "dec_rnn_size": [8, 7]}
    model = random_model(config, {**config.hparams, **sizes})
    random = np.random.default_rng(5)
    z = random.standard_normal((3, 6)).astype(np.float32)
    hits = list(random.integers(0, 2, (3, 32, 9)).astype(np.float32))
    arguments: dict[str, Any] = {"controls": hits, "hits": hits}
    blank = np.array(NumpyModel(config, model.hparams, model.variables).decode(z, 0, **arguments))
    write_checkpoint(tmp_path / "model.ckpt-0", {**model.variables, "global_step": np.array(0)})
    with Sampler(config, model.hparams, tmp_path / "model.ckpt-0", seed=0) as sampler:
        np.testing.assert_allclose(np.array(sampler.decode(z, 0, **arguments)), blank, rtol=0, atol=TOLERANCE)
    velocities = np.sort(blank[..., 9:18][np.array(hits) > 0])
    middle = velocities[int(0.45 * len(velocities)) : int(0.55 * len(velocities))]
    widest = int(np.argmax(np.diff(middle)))  # TensorFlow's numbers differ by rounding
    louder = {**model.hparams, "full_velocity_from": float(middle[widest : widest + 2].mean())}
    full = np.array(NumpyModel(config, louder, model.variables).decode(z, 0, **arguments))
    assert 0.4 < (full[..., 9:18][np.array(hits) > 0] == 1).mean() < 0.6
    with Sampler(config, louder, tmp_path / "model.ckpt-0", seed=0) as sampler:
        np.testing.assert_allclose(np.array(sampler.decode(z, 0, **arguments)), full, rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(blank[..., :9], np.array(hits))
    assert not blank[..., 9:18][blank[..., :9] == 0].any()
    reading = NumpyModel(config, {**model.hparams, "blank_inputs": 0.0}, model.variables)
    other = np.array(reading.decode(z, 0, **arguments))
    assert abs(other - blank)[:, 1:].max() > 0.01

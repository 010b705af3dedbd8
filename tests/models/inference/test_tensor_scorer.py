"""Scores of melodies, trios, multitrack bars and grooves, compared with Magenta's own loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.layers import ACCELERATED, STOCK, Layers
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.windows.extraction import Tensors

pytestmark = pytest.mark.tensorflow

SIZES = "enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size=4"
TEACHER_FORCED = {"sampling_schedule": "constant", "sampling_rate": 0.0}
Z = np.random.default_rng(7).standard_normal((5, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes two batches of five windows, the second of them not full."""
    from gmd_vae.models.inference import label_scorer, tensor_scorer

    monkeypatch.setattr(tensor_scorer, "_LARGEST_BATCH", 3)
    monkeypatch.setattr(label_scorer, "BATCH_SIZE", 3)


def made_windows(name: str, count: int = 5) -> list[Tensors]:
    """Returns random windows of a config's shapes; tracks have random lengths."""
    from gmd_vae.magenta.api import build_config

    config, random = get_config(name), np.random.default_rng(3)
    output, converter = family_of(config).output(config), build_config(config).data_converter
    windows = []
    for _ in range(count):
        if not output.streams:
            hits = random.random((output.steps, 9)) < 0.2
            values = random.random(hits.shape), random.uniform(-1, 1, hits.shape)
            outputs = np.concatenate([hits, *(value * hits for value in values)], axis=1).astype(np.float32)
        else:
            parts = [np.eye(part.classes)[random.integers(part.classes, size=output.steps)] for part in output.streams]
            outputs = np.concatenate(parts, axis=1).astype(np.bool_)
        controls = np.zeros((output.steps, converter.control_depth), np.bool_)
        if converter.control_depth:
            controls[np.arange(output.steps), random.integers(converter.control_depth, size=output.steps)] = True
        length: tuple[int, ...] = (output.steps,)
        if output.tracks > 1:
            length = tuple(random.integers(1, 20, output.tracks).tolist())
            places = np.arange(output.steps).reshape(output.tracks, -1)
            outputs &= (places - places[:, :1] < np.array(length)[:, None]).reshape(-1, 1)
        windows.append(Tensors(outputs, outputs, controls, length))
    return windows


def made_model(name: str, folder: Path, windows: list[Tensors]) -> tuple[Path, Any, Any]:
    """Saves a checkpoint of an untrained model with large weights.

    Returns:
        The checkpoint; Magenta's reconstruction loss of each window, behind them two of length 0; and the
        posterior's means.
    """
    from gmd_vae.magenta.api import build_config, tf
    from gmd_vae.models.elbo_terms import allow_empty_windows

    config = get_config(name)
    with tf.Graph().as_default(), tf.Session() as session:
        built = build_config(config, {**resolve(config, SIZES), **TEACHER_FORCED, "batch_size": len(windows) + 2})
        built.model.build(built.hparams, built.data_converter.output_depth, is_training=False)
        allow_empty_windows(built.model)

        def batch(part: str) -> Any:
            arrays = [getattr(window, part) for window in windows]
            return tf.constant(np.stack([*arrays, *arrays[:1] * 2]).astype(np.float32))

        inputs, outputs, controls = (batch(part) for part in ("inputs", "outputs", "controls"))
        lengths = tf.constant([*(window.length[0] for window in windows), 0, 0])
        given = controls if controls.shape[2] else None
        before = tf.pad(outputs[:, :-1], [(0, 0), (1, 0), (0, 0)])
        z = tf.constant(np.concatenate([Z[: len(windows)], Z[:2]]))
        loss, *_ = built.model.decoder.reconstruction_loss(before, outputs, lengths, z, given)
        posterior = built.model.encode(inputs, lengths, given)
        give_weights(session)
        checkpoint = Path(tf.train.Saver().save(session, str(folder / "model.ckpt"), global_step=1))
        return checkpoint, *session.run((loss, posterior.loc))


def give_weights(session: Any) -> None:
    from gmd_vae.magenta.api import tf

    random, weights = np.random.default_rng(5), tf.trainable_variables()
    session.run(tf.global_variables_initializer())
    for part in weights:
        part.load(random.normal(0, 0.5, part.shape).astype(np.float32), session)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("cat-mel_2bar_med_chords", ACCELERATED),  # controls: the layers are Magenta's
        ("groovae_2bar_humanize", ACCELERATED),
        ("hierdec-trio_16bar", STOCK),
    ],
)
def test_the_parts_add_up_to_magentas_loss(
    name: str, layers: Layers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gmd_vae.magenta.api import configs

    if "trio" in name:
        # one segment instead of 16: Magenta's graphs of 16 segments with three decoders take a minute to build
        monkeypatch.setattr(configs.CONFIG_MAP[name].model.decoder, "_level_lengths", [1, 256])
    config, windows = get_config(name), made_windows(name)
    checkpoint, loss, magentas_means = made_model(name, tmp_path, windows)
    with family_of(config).open_scorer(config, resolve(config, SIZES), checkpoint, layers) as model:
        scores = model.score(windows, Z)
        means, scales = model.encode(windows)
    np.testing.assert_allclose(sum(part.sum(axis=1) for part in scores.losses.values()), loss[:5], rtol=1e-4)
    np.testing.assert_array_equal(loss[5:], 0)  # windows that pad a batch have no loss
    np.testing.assert_allclose(means, magentas_means[:5], rtol=1e-4, atol=1e-6)
    assert (scales > 0).all()
    output = family_of(config).output(config)
    if not output.streams:
        assert list(scores.losses) == ["hits", "velocities", "offsets"]
        assert scores.likeliest.shape == (5, output.steps, 27)
        true = np.stack([window.outputs for window in windows])
        squared = ((scores.likeliest[..., 9:18] - true[..., 9:18]) ** 2).sum(axis=-1)
        np.testing.assert_allclose(scores.losses["velocities"], squared, rtol=1e-4)
    else:
        assert list(scores.losses) == [stream.name for stream in output.streams]
        assert scores.likeliest.shape == (5, output.steps, len(output.streams))
        assert all((scores.likeliest[..., i] < part.classes).all() for i, part in enumerate(output.streams))


def test_short_tracks_keep_their_positions() -> None:
    """If all segments are shorter than the longest allowed length, later ones would be shifted."""
    from gmd_vae.magenta.api import build_config, lstm_models, tf
    from gmd_vae.models.inference.tensor_scorer import _pad_segments

    config = get_config("hier-multiperf_vel_1bar_med")
    with tf.Graph().as_default(), tf.Session() as session:
        hparams = build_config(config, resolve(config, SIZES) | {"max_seq_len": 12}).hparams
        decoder = lstm_models.HierarchicalLstmDecoder(
            lstm_models.CategoricalLstmDecoder(), level_lengths=[2, 6], disable_autoregression=True
        )
        decoder.build(hparams, 5, is_training=False)
        target = tf.one_hot(np.random.default_rng(1).integers(5, size=(4, 12)), 5)
        lengths = tf.constant([[2, 3], [3, 1], [1, 3], [3, 3]])
        _pad_segments(decoder)
        before = tf.pad(target[:, :-1], [(0, 0), (1, 0), (0, 0)])
        loss, _, results = decoder.reconstruction_loss(before, target, lengths, tf.constant(Z[:4]))
        session.run(tf.global_variables_initializer())
        steps = tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=results.rnn_output)
        counted = tf.reshape(tf.sequence_mask(lengths, 6, dtype=tf.float32), [4, 12]) * steps
        found, added = session.run((loss, tf.reduce_sum(counted, axis=1)))
    assert results.rnn_output.shape.as_list()[0] == 4
    np.testing.assert_allclose(added, found, rtol=1e-5)


def test_bars_of_several_tracks_with_our_layers(tmp_path: Path) -> None:
    from gmd_vae.magenta.api import build_config, lstm_models, tf
    from gmd_vae.models.inference.tensor_scorer import StreamScorer

    config, windows = get_config("hier-multiperf_vel_1bar_med"), made_windows("hier-multiperf_vel_1bar_med")
    hparams = resolve(config, SIZES)
    with tf.Graph().as_default(), tf.Session() as session:
        # all segments of a hierarchy share their variables: one segment creates them
        decoder = lstm_models.HierarchicalLstmDecoder(
            lstm_models.CategoricalLstmDecoder(), level_lengths=[1, 512], disable_autoregression=True
        )
        decoder.build(build_config(config, hparams).hparams, 490, is_training=False)
        nothing = tf.zeros([4, 512, 490])
        decoder.reconstruction_loss(nothing, nothing, tf.fill([4], 512), tf.zeros([4, 4]))
        tf.train.get_or_create_global_step()
        give_weights(session)
        checkpoint = Path(tf.train.Saver().save(session, str(tmp_path / "model.ckpt"), global_step=1))
    with StreamScorer(config, hparams, checkpoint) as model:
        assert model.layers["decoder"].startswith("accelerated")
        all_of_them, last = model.score(windows, Z), model.score(windows[4:], Z[4:])
    nats = all_of_them.losses["events"]
    np.testing.assert_allclose(last.losses["events"], nats[4:], rtol=1e-5)
    for window, row in zip(windows, nats.reshape(5, 8, 64), strict=True):
        for length, track in zip(window.length, row, strict=True):
            assert (track[:length] > 0).all()
            assert not track[length:].any()


def test_a_nade_scores_each_step_and_decides_class_by_class(tmp_path: Path) -> None:
    from gmd_vae.models.inference.label_scorer import NadeScorer

    config = get_config("nade-drums_2bar_full")  # 61 drum classes: labels of 61 bits
    labels = np.random.default_rng(2).integers(0, 1 << 61, (3, 32))
    labels[0] = 1 << 60
    rolls = ((labels[..., None] >> np.arange(61)) & 1) > 0
    silent = ~rolls.any(axis=-1, keepdims=True)
    windows = [
        Tensors(np.concatenate([roll, none], axis=1), roll, np.zeros((32, 0)), (32,))
        for roll, none in zip(rolls, silent, strict=True)
    ]
    checkpoint, loss, _ = made_model("nade-drums_2bar_full", tmp_path, windows)
    with NadeScorer(config, resolve(config, SIZES), checkpoint) as model:
        found = model.score(labels, Z[:3])
        answered = labels.copy()
        answered[:, 0] = found.likeliest[:, 0]
        # the first step has no past: the decided label is likelier than a random one
        assert (model.score(answered, Z[:3]).losses["steps"][:, 0] < found.losses["steps"][:, 0]).all()
    np.testing.assert_allclose(found.losses["steps"].sum(axis=1), loss[:3], rtol=1e-4)
    assert found.likeliest.dtype == np.int64
    assert found.likeliest.max() >> 61 == 0
    assert (found.likeliest > 1 << 40).any()

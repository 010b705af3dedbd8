"""Validation covers the whole split, whatever the batch size, with the figures of Magenta's eval mode."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from gmd_vae.training.examples import Examples, Split, open_examples
from gmd_vae.training.history import Validation
from gmd_vae.training.run.folder import Run

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def run(short_run: Run) -> Run:
    return short_run


@pytest.fixture(scope="module")
def examples(run: Run) -> Examples:
    return open_examples(run.examples, run.config)


@pytest.fixture(scope="module")
def whole(run: Run, examples: Examples) -> Validation:
    """The figures of the validation split in one batch."""
    return validate(run, examples.validation, examples.validation.count)


def validate(run: Run, split: Split, rows: int | None = None, **hparams: Any) -> Validation:
    from gmd_vae.training import validation

    run = dataclasses.replace(run, hparams={**run.hparams, **hparams})
    with pytest.MonkeyPatch.context() as patch, validation.Validator(run, split) as validator:
        if rows:
            patch.setattr(validation, "BATCH_SIZE", rows)
        return validator.validate(run.train_folder / "model.ckpt-3", 3)[0]


def test_windows_count_once_whatever_the_batch_size(run: Run, examples: Examples, whole: Validation) -> None:
    split = examples.validation
    assert whole.windows == split.count > 7
    larger = validate(run, split, split.count + 100)
    assert larger == whole  # a split smaller than a batch
    # the batch size of training has no effect
    assert validate(run, split, split.count, batch_size=3) == whole
    parts = validate(run, split, 7)  # the last batch is not full
    assert split.count % 7
    assert parts.kl_bits == pytest.approx(whole.kl_bits, rel=1e-5)
    # other batches draw other latent noise
    assert parts.reconstruction == pytest.approx(whole.reconstruction, rel=1e-3)
    assert parts.accuracy == pytest.approx(whole.accuracy, abs=0.01)


def test_the_same_checkpoint_gives_the_same_figures(run: Run, examples: Examples) -> None:
    from gmd_vae.training.validation import Validator

    with Validator(run, examples.validation) as validator:
        prefix = run.train_folder / "model.ckpt-3"
        first, again = validator.validate(prefix, 3), validator.validate(prefix, 3)
    assert first == again
    assert validate(run, examples.validation) == first[0]


def test_the_figures_are_those_of_magentas_own_eval(run: Run, examples: Examples, whole: Validation) -> None:
    """One whole batch through ``MusicVAE.eval``, as ``music_vae_train`` runs it."""
    from gmd_vae.magenta.api import build_config, tf
    from gmd_vae.training.input import LabelTable

    count = examples.validation.count
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(5)
        config = build_config(run.config, {**run.hparams, "batch_size": count})
        config.model.build(config.hparams, config.data_converter.output_depth, is_training=False)
        table = LabelTable(examples.validation, run.config.drum_windows)
        update = config.model.eval(**table.batch(tf.range(count, dtype=tf.int64)).arguments())
        session.run(tf.local_variables_initializer())
        tf.train.Saver().restore(session, str(run.train_folder / "model.ckpt-3"))
        session.run(update)
        summary = tf.Summary.FromString(session.run(tf.summary.merge_all()))
        stock = {value.tag: value.simple_value for value in summary.value}
    assert whole.kl_bits == pytest.approx(stock["losses/kl_bits"], rel=1e-4)
    assert whole.reconstruction == pytest.approx(stock["losses/r_loss"], rel=1e-3)  # other latent noise
    assert whole.accuracy == pytest.approx(stock["metrics/accuracy"], abs=0.01)
    assert whole.elbo == pytest.approx(-whole.reconstruction - whole.kl_bits * np.log(2))


def test_scheduled_sampling_and_free_bits_do_not_change_the_bound(run: Run, examples: Examples) -> None:
    plain = validate(run, examples.validation)
    sampled = validate(run, examples.validation, sampling_schedule="constant", sampling_rate=1.0)
    assert sampled == plain
    assert run.hparams["free_bits"] == 0
    assert plain.kl_bits_above_free == pytest.approx(plain.kl_bits, rel=1e-5)
    free = validate(run, examples.validation, free_bits=plain.kl_bits / 2)
    assert (free.elbo, free.kl_bits) == (plain.elbo, plain.kl_bits)
    assert 0 < free.kl_bits_above_free < 0.6 * plain.kl_bits


def test_the_accuracy_of_several_streams_is_their_mean() -> None:
    from gmd_vae.training.validation import accuracy_of

    streams = {"metrics/accuracy/output_0": 0.5, "metrics/accuracy/output_1": 0.75, "metrics/mean_per_class": 0.1}
    assert accuracy_of(streams) == 0.625
    assert accuracy_of({**streams, "metrics/accuracy": 0.6}) == 0.6
    assert accuracy_of({"metrics/mean_per_class": 0.1}) is None

"""The training graph: loss, gradients, clipping and update of ``magenta.models.music_vae.music_vae_train.train``.

Same loss, Adam, gradient clipping and summaries as Magenta's script. Two differences: a batch is a function of the
step (``training/input.py``), and so is every random draw (``magenta/randomness.py``). The levers
(``configuration/own_hparams.py``) add nothing to the graph while they are off.

Read `build` from top to bottom: model, schedules, batch, loss and optimizer, update, average, tensors to fetch.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.configuration.own_hparams import INPUT_LEVERS
from gmd_vae.families import family_of
from gmd_vae.magenta.api import build_config, tf
from gmd_vae.magenta.randomness import stateless_randomness
from gmd_vae.models.accelerated.select_layers import accelerate
from gmd_vae.training.augmentation.batch_draws import Augmentation, BatchDraws
from gmd_vae.training.augmentation.blanking import blank_decoder_inputs
from gmd_vae.training.average import average_weights
from gmd_vae.training.examples import Split
from gmd_vae.training.execution import Execution
from gmd_vae.training.input import shuffled_rows
from gmd_vae.training.run.folder import Run
from gmd_vae.training.scheduled_hparams import schedule_hparams


@dataclasses.dataclass(frozen=True)
class TrainingGraph:
    """The tensors of the default graph that the training loop fetches.

    Attributes:
        train_op: Operation that computes the gradients of one batch and applies them.
        step: Number of steps done after ``train_op``, int64 scalar.
        figures: Float32 scalars by the tags of Magenta's summaries, computed on this process's rows of the batch:
            ``loss``, ``losses/r_loss`` (nats per window), ``losses/kl_bits`` (bits per window), ``losses/kl_beta``,
            ``learning_rate``, ``global_norm`` (of the gradients before clipping).
        summaries: All of Magenta's summaries, serialised ``Summary`` protobuf, string scalar.
    """

    train_op: Any
    step: Any
    figures: dict[str, Any]
    summaries: Any


def build(run: Run, split: Split, execution: Execution, *, one_batch: bool = False) -> TrainingGraph:
    """Builds the training graph in the default graph.

    Args:
        run: Config, hyperparameters, layers and seed.
        split: Training examples, at least one batch.
        execution: Placement of the graph and share of each batch.
        one_batch: Trains on the first batch at every step, without levers of the input (smoke test).
    """
    batch_size = run.hparams["batch_size"]
    first_row, size = execution.rows(batch_size)
    tf.set_random_seed(run.seed)  # seeds the initial weights
    with execution.devices():
        config = build_config(run.config, {**run.hparams, "batch_size": size})
        chosen = accelerate(config, run.config, run.layers)
        model = config.model
        model.build(config.hparams, config.data_converter.output_depth, is_training=True)
        schedule_hparams(model, run.hparams, run.schedule_steps or run.config.num_steps)

        with execution.local_device():
            table = family_of(run.config).example_table(run.config, split, chosen.token_sequences)
        first = (0 if one_batch else model.global_step) * tf.constant(batch_size, tf.int64) + first_row
        rows, augmentation = shuffled_rows(first, size, split.count, run.seed), None
        if not one_batch and any(run.hparams[name] for name in INPUT_LEVERS):
            draws = BatchDraws(run.seed, model.global_step, batch_size, first_row, size)
            batch_rows = shuffled_rows(first - first_row, batch_size, split.count, run.seed)
            augmentation = Augmentation(run.hparams, draws, batch_rows)
            if blanks := run.hparams["blank_inputs"]:
                blank_decoder_inputs(model, blanks, config.hparams.max_seq_len, draws)
        batch = table.batch(rows, augmentation=augmentation)

        with stateless_randomness(run.seed, model.global_step, stream=execution.rng_stream):
            optimizer = execution.wrap_optimizer(model.train(**batch.arguments()))  # also sets model.loss

        train_op, global_norm = _update(config, optimizer)
        if decay := run.hparams["average_decay"]:
            train_op = average_weights(train_op, decay, model.global_step, updates=execution.updates_model)
        step = execution.step_number(train_op, model.global_step)

    # the operation of a scalar summary has two inputs: the tag and the value
    by_tag = {summary.op.name: summary.op.inputs[1] for summary in tf.get_collection(tf.GraphKeys.SUMMARIES)}
    tags = ("losses/r_loss", "losses/kl_bits", "losses/kl_beta", "learning_rate")
    figures = {"loss": model.loss, "global_norm": global_norm, **{tag: by_tag[tag] for tag in tags}}
    return TrainingGraph(train_op, step, figures, tf.summary.merge_all())


def _update(config: Any, optimizer: Any) -> tuple[Any, Any]:
    """Builds gradients, clipping and update as ``music_vae_train.train`` does.

    Returns:
        The training operation, and the global norm of the gradients before clipping, float32 scalar.
    """
    # TREE adds in pairs. The default adds three and more terms in the order in which they happen to be ready, so a
    # resumed run would end with slightly different weights.
    in_pairs = tf.AggregationMethod.EXPERIMENTAL_TREE
    gradients, variables = zip(
        *optimizer.compute_gradients(config.model.loss, aggregation_method=in_pairs), strict=True
    )
    global_norm = tf.global_norm(gradients)
    tf.summary.scalar("global_norm", global_norm)
    hparams = config.hparams
    if hparams.clip_mode == "value":
        limit = hparams.grad_clip
        clipped = [tf.clip_by_value(gradient, -limit, limit) for gradient in gradients]
    else:
        clipped = tf.cond(
            global_norm < hparams.grad_norm_clip_to_zero,
            lambda: tf.clip_by_global_norm(gradients, hparams.grad_clip, use_norm=global_norm)[0],
            lambda: [tf.zeros(tf.shape(gradient)) for gradient in gradients],
        )
    train_op = optimizer.apply_gradients(
        list(zip(clipped, variables, strict=True)), global_step=config.model.global_step, name="train_step"
    )
    return train_op, global_norm

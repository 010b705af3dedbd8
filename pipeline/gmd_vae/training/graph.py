"""The training graph: that of ``magenta.models.music_vae.music_vae_train.train``, on our input.

Same loss, Adam, gradient clipping and summaries. What differs: a batch is a function of the step
(``training.input``), and so is every random number (``magenta.randomness``).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.families import family_of
from gmd_vae.magenta.api import build_config, tf
from gmd_vae.magenta.randomness import stateless_randomness
from gmd_vae.models.accelerated.select_layers import accelerate
from gmd_vae.training.cluster.replica import Replica, Step
from gmd_vae.training.examples import Split
from gmd_vae.training.input import shuffled_rows
from gmd_vae.training.run.folder import Run


@dataclasses.dataclass(frozen=True)
class TrainingGraph:
    """The tensors of the default graph that a training loop runs.

    Attributes:
        step: one step of the optimiser, and its number.
        figures: float32 scalars by the tags of Magenta's summaries; of this process's rows.
        summaries: all of Magenta's summaries, serialised.
    """

    step: Step
    figures: dict[str, Any]
    summaries: Any


def build(run: Run, split: Split, replica: Replica, *, one_batch: bool = False) -> TrainingGraph:
    """Builds the training graph in the default graph.

    Args:
        run: what is trained.
        split: the examples; at least one batch.
        replica: this process's part of it.
        one_batch: every step sees the first batch (a smoke test).
    """
    batch_size = run.hparams["batch_size"]
    first_row, size = replica.rows(batch_size)
    tf.set_random_seed(run.seed)  # of the initial weights
    with replica.devices():
        config = build_config(run.config, {**run.hparams, "batch_size": size})
        chosen = accelerate(config, run.config, run.layers)
        model = config.model
        model.build(config.hparams, config.data_converter.output_depth, is_training=True)
        with tf.device(replica.here):
            table = family_of(run.config).example_table(run.config, split, chosen.token_sequences)
        first = (0 if one_batch else model.global_step) * tf.constant(batch_size, tf.int64) + first_row
        batch = table.batch(shuffled_rows(first, size, split.count, run.seed))
        with stateless_randomness(run.seed, model.global_step, stream=replica.number):
            optimizer = replica.synchronised(model.train(**batch.arguments()))
        train_op, global_norm = _train_op(config, optimizer)
        step = replica.step(train_op, model.global_step)
    # a scalar summary's operation has two inputs: the tag and the value
    by_tag = {summary.op.name: summary.op.inputs[1] for summary in tf.get_collection(tf.GraphKeys.SUMMARIES)}
    tags = ("losses/r_loss", "losses/kl_bits", "losses/kl_beta", "learning_rate")
    figures = {"loss": model.loss, "global_norm": global_norm, **{tag: by_tag[tag] for tag in tags}}
    return TrainingGraph(step, figures, tf.summary.merge_all())


def _train_op(config: Any, optimizer: Any) -> tuple[Any, Any]:
    """Gradients, clipping and update as in ``music_vae_train.train``; and the norm before clipping."""
    # in pairs: three and more terms TensorFlow adds in an order that depends on which of them is free at
    # that moment, and a run that goes on would not end with the same weights
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

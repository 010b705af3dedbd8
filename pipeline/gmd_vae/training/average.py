"""Moving average of the weights, updated after each step."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.models.averaged_weights import SUFFIX


def average_weights(train_op: Any, decay: float, global_step: Any, *, updates: bool) -> Any:
    """Adds the averages of all trainable variables of the default graph, and their update.

    ``tf.train.ExponentialMovingAverage`` reads the variables through tensors that do not wait for the update of the
    step. Here they are read after it, so that every average is the same number after a kill and a resume.

    Args:
        train_op: Operation that changes the variables.
        decay: Share that an average keeps of itself; ``schedules.average_decay`` has the rule of the first steps.
        global_step: Global step variable, int64 scalar.
        updates: False adds the variables alone: a worker of a cluster, where the chief updates them.

    Returns:
        The training operation with the update of the averages.
    """
    pairs = []
    for variable in tf.trainable_variables():
        with tf.device(variable.device):  # in a cluster the same parameter server
            zeros = tf.zeros(variable.shape)
            pairs.append((variable, tf.Variable(zeros, trainable=False, name=f"{variable.op.name}{SUFFIX}")))
    if not updates:
        return train_op
    with tf.control_dependencies([train_op]):
        with tf.device(global_step.device):
            step = tf.cast(global_step.read_value(), tf.float32)
        new_share = 1.0 - tf.minimum(decay, (step - 1.0) / (step + 8.0))
        assigned = []
        for variable, average in pairs:
            with tf.device(variable.device):
                assigned.append(average.assign_sub(new_share * (average.read_value() - variable.read_value())))
        return tf.group(train_op, *assigned)

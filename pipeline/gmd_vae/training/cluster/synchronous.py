"""Synchronous updates: the mean of the gradients of several machines makes one update.

Every replica pushes its gradient to an accumulator on the ps, labelled with its step. The chief's step waits until
enough gradients have arrived, applies their mean and sends each worker a token: the number of the next step.

``tf.train.SyncReplicasOptimizer`` works the same way, with two differences that make it unfit here. Its workers share
one token queue: after the chief was killed and restarted, a worker took the chief's token and both waited forever. And
it updates in a thread of the chief, which may change the model while the chief saves it, and which delays the end by
two minutes. Here each worker has its own queue, and only the chief's step changes the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.training.cluster.roles import Cluster

NO_STEP = -1  # token that a worker skips


class SynchronousOptimizer:
    """Optimizer for the training graph of chief and workers.

    Args:
        optimizer: ``tf.train.Optimizer`` that applies the mean gradient.
        cluster: Cluster description of this process.

    Attributes:
        number: Number of the next step, int64 scalar. A worker's waits for the chief's update; `NO_STEP` is to be
            skipped. Set by `apply_gradients`, like the next two.
        begin: Operation to run first in every session.
        release: Operation to run after `begin` in every session but the first, in which gradients or tokens may have
            been lost. It makes the workers, or this worker, repeat the present step.
    """

    def __init__(self, optimizer: Any, cluster: Cluster) -> None:
        self._optimizer, self._cluster = optimizer, cluster
        self.number: Any = None
        self.begin: Any = None
        self.release: Any = None

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the gradients of this replica's rows, as ``tf.train.Optimizer.compute_gradients``."""
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Sequence[tuple[Any, Any]], global_step: Any, name: str = "") -> Any:
        """Returns the training operation, and sets `number`, `begin` and `release`.

        Args:
            grads_and_vars: Pairs (gradient, variable), for example clipped.
            global_step: Global step variable, int64 scalar.
            name: Name of the update operation.
        """
        # The label is the step that this replica's input belongs to, read here. Grappler would remove an identity, and
        # the ps would label the gradient with the step at the time of its arrival.
        label = tf.maximum(global_step, 0)
        pushes, takes, begins = [], [], []
        for gradient, variable in grads_and_vars:
            if gradient is None:
                continue
            with tf.device(variable.device):
                accumulator = tf.ConditionalAccumulator(
                    gradient.dtype, shape=variable.shape, shared_name=f"{variable.op.name}/gradients"
                )
                # the accumulator drops gradients of earlier steps
                pushes.append(accumulator.apply_grad(tf.convert_to_tensor(gradient), local_step=label))
                if self._cluster.is_chief:
                    takes.append((accumulator.take_grad(self._cluster.num_sync_workers), variable))
                    begins.append(accumulator.set_global_step(global_step))
        if not self._cluster.is_chief:
            return self._worker(pushes, global_step)
        update = self._optimizer.apply_gradients(takes, global_step=global_step, name=name or None)
        queues = [token_queue(number) for number in range(1, self._cluster.num_workers)]
        with tf.device(global_step.device), tf.control_dependencies([update]):
            self.number = global_step.read_value()
            tokens = [queue.enqueue(self.number) for queue in queues]
        self.begin = tf.group(*begins)
        self.release = tf.group(*(queue.enqueue(global_step) for queue in queues))
        return tf.group(*pushes, *tokens)

    def _worker(self, pushes: list[Any], global_step: Any) -> Any:
        queue = token_queue(self._cluster.worker_number)
        # takes every token in the queue: a slow worker skips the steps that the others did without it
        self.number = tf.reduce_max(queue.dequeue_many(tf.maximum(queue.size(), 1)))
        # If this worker's machine vanished, the ps may still hold its pending dequeue and hand the next token to it.
        # This one is then lost instead.
        self.begin = queue.enqueue(tf.constant(NO_STEP, tf.int64))
        self.release = queue.enqueue(global_step)
        return tf.group(*pushes)


def token_queue(worker: int) -> Any:
    """Returns the queue, on the first ps, with the numbers of the steps that a worker has to do."""
    with tf.device("/job:ps/task:0/cpu:0"):
        return tf.queue.FIFOQueue(-1, tf.int64, shapes=[()], shared_name=f"gmd_vae_tokens_{worker}")

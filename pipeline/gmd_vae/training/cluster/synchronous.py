"""Gradients of several machines, averaged into one update.

Every replica pushes its gradient to the ps, labelled with its step. The chief's own step waits until
enough are there, applies their mean and sends each worker a token, the number of the next step.

``tf.train.SyncReplicasOptimizer`` does it with the same means, but its tokens are common property,
and it updates in a thread of the chief. After a chief was killed and had come back, a worker took
the chief's token and both waited for ever; at the end, the thread keeps the chief for two minutes,
and it may change the model while the chief saves it. Here each worker has a queue of its own, and
nothing changes the model but the chief's step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.training.cluster.roles import Cluster

NOT_A_STEP = -1


class SynchronousOptimizer:
    """Stands where an optimizer stands in the training graph of chief and workers.

    Args:
        optimizer: applies the mean gradient.
        cluster: says whether this is the chief, and how many gradients make an update.
    """

    def __init__(self, optimizer: Any, cluster: Cluster) -> None:
        self._optimizer, self._cluster = optimizer, cluster
        self.number: Any = None
        self.begin: Any = None
        self.release: Any = None

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """As the optimizer does: the gradient of this replica alone."""
        return self._optimizer.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Sequence[tuple[Any, Any]], global_step: Any, name: str = "") -> Any:
        """Makes the training operation, and the tensors and operations that go with it.

        ``number`` is the step that comes next; a worker's waits for the chief's update, and is
        `NOT_A_STEP` if nothing can be done with it. ``begin`` is to be run first in every session,
        then ``release`` in all but the first: it makes the workers, or this one, compute the
        present step again, as gradients or tokens may have been lost.

        Args:
            grads_and_vars: from `compute_gradients`, changed at will.
            global_step: the variable.
            name: of the update.
        """
        # the step that this replica's input belongs to, as it was read here: an identity would be optimised away,
        # and the ps would label the gradient with the step at the time when it arrives
        label = tf.maximum(global_step, 0)
        pushes, takes, begins = [], [], []
        for gradient, variable in grads_and_vars:
            if gradient is None:
                continue
            with tf.device(variable.device):
                accumulator = tf.ConditionalAccumulator(
                    gradient.dtype, shape=variable.shape, shared_name=f"{variable.op.name}/gradients"
                )
                # drops a gradient whose step is over
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
        # all that there are: a worker that is late skips what the others have done without it
        self.number = tf.reduce_max(queue.dequeue_many(tf.maximum(queue.size(), 1)))
        # Where this worker's machine vanished, the ps may not know, and gives the next token to nobody.
        # Let that be this one.
        self.begin = queue.enqueue(tf.constant(NOT_A_STEP, tf.int64))
        self.release = queue.enqueue(global_step)
        return tf.group(*pushes)


def token_queue(worker: int) -> Any:
    """The queue in which a worker finds the numbers of the steps to do."""
    with tf.device("/job:ps/task:0/cpu:0"):
        return tf.queue.FIFOQueue(-1, tf.int64, shapes=[()], shared_name=f"gmd_vae_tokens_{worker}")

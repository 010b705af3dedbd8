"""Interface between the training loop and the processes that execute it; the default is one process.

The loop (``loop.py``) and the graph (``graph.py``) use an `Execution` for everything that depends on where the
computation runs: device placement, the share of each batch, the optimizer, the session. `SingleProcess` is the
default. ``training/cluster`` implements the same interface for several machines; neither the loop nor the graph
depends on it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from gmd_vae.magenta.api import tf
from gmd_vae.models.tensorflow_paths import tensorflow_path


class Execution(Protocol):
    """Placement and session of one training run. The methods are called in the order in which they stand here."""

    def start(self, config: Any, stop: threading.Event) -> AbstractContextManager[None]:
        """Acquires what the run needs until the context ends.

        Args:
            config: ``tf.ConfigProto`` for every session of the run.
            stop: Event set by Ctrl-C or SIGTERM. Calls that wait must return soon after.
        """
        ...

    def rows(self, batch_size: int) -> tuple[int, int]:
        """Returns the rows of each batch that this process computes: index of the first row, number of rows."""
        ...

    @property
    def rng_stream(self) -> int:
        """Number that separates the random draws of this process from those of others with the same seed."""
        ...

    def devices(self) -> AbstractContextManager[Any]:
        """Returns the device scope for everything in the graph."""
        ...

    def local_device(self) -> AbstractContextManager[Any]:
        """Returns the device scope, inside `devices`, for variables private to this process, such as the examples."""
        ...

    def wrap_optimizer(self, optimizer: Any) -> Any:
        """Returns the optimizer whose ``apply_gradients`` makes the update; by default the given one."""
        ...

    @property
    def updates_model(self) -> bool:
        """True if this process applies the updates, and so updates the average of the weights."""
        ...

    def step_number(self, train_op: Any, global_step: Any) -> Any:
        """Returns the int64 scalar tensor with the number of steps done after ``train_op``.

        Args:
            train_op: Operation returned by ``apply_gradients`` of the wrapped optimizer, or one that includes it.
            global_step: Global step variable, int64 scalar.
        """
        ...

    def session(
        self, scaffold: Any, hooks: Sequence[Any], latest: Callable[[], Path | None], description: str
    ) -> AbstractContextManager[Any]:
        """Opens a ``MonitoredSession``.

        Args:
            scaffold: ``tf.train.Scaffold`` with the saver.
            hooks: ``tf.train.SessionRunHook`` objects. Their ``end`` runs only if the block ends without an exception.
            latest: Returns the prefix of the checkpoint to restore, or ``None`` to initialise the variables. Called
                again whenever the session has to be recreated.
            description: Identity of the run as JSON (``Run.identity_for_workers``).

        Returns:
            Context manager that yields the session.
        """
        ...

    def finish_without_session(self) -> None:
        """Ends a run that has no step left to do; called instead of `session`."""
        ...


class SingleProcess:
    """Execution in this process, on this machine's devices."""

    rng_stream = 0
    updates_model = True

    @contextlib.contextmanager
    def start(self, config: Any, stop: threading.Event) -> Iterator[None]:
        """Keeps the session configuration."""
        self._config = config
        yield

    def rows(self, batch_size: int) -> tuple[int, int]:
        """Returns the whole batch."""
        return 0, batch_size

    def devices(self) -> AbstractContextManager[Any]:
        """Leaves the placement to TensorFlow."""
        return contextlib.nullcontext()

    def local_device(self) -> AbstractContextManager[Any]:
        """Leaves the placement to TensorFlow."""
        return contextlib.nullcontext()

    def wrap_optimizer(self, optimizer: Any) -> Any:
        """Returns the optimizer as it is."""
        return optimizer

    def step_number(self, train_op: Any, global_step: Any) -> Any:
        """Reads the global step after the update."""
        return read_after(train_op, global_step)

    @contextlib.contextmanager
    def session(
        self, scaffold: Any, hooks: Sequence[Any], latest: Callable[[], Path | None], description: str
    ) -> Iterator[Any]:
        """Opens a ``MonitoredSession`` on this machine."""
        creator = RestoringSessionCreator(scaffold, latest, target="", config=self._config)
        with tf.train.MonitoredSession(creator, hooks) as session:
            yield session

    def finish_without_session(self) -> None:
        """Does nothing: no other process waits."""


def read_after(operation: Any, global_step: Any) -> Any:
    """Returns the value of the global step, int64 scalar, read after an operation."""
    with tf.device(global_step.device), tf.control_dependencies([operation]):
        return global_step.read_value()


class RestoringSessionCreator(tf.train.SessionCreator):  # type: ignore[misc]
    """Creates sessions that start from the checkpoint that is the latest at that moment.

    ``tf.train.ChiefSessionCreator`` restores the checkpoint that was the latest when the creator was made, also for
    a session recreated hours later.

    Args:
        scaffold: ``tf.train.Scaffold`` with the saver.
        latest: Returns the prefix of the checkpoint to restore, or ``None``.
        target: Address of the TensorFlow server; "" for this process.
        config: ``tf.ConfigProto``.
    """

    def __init__(self, scaffold: Any, latest: Callable[[], Path | None], target: str, config: Any) -> None:
        self._scaffold, self._latest, self._target, self._config = scaffold, latest, target, config

    def create_session(self) -> Any:
        """Creates a session and restores or initialises its variables."""
        checkpoint = self._latest()
        return tf.train.ChiefSessionCreator(
            self._scaffold,
            self._target,
            self._config,
            checkpoint_filename_with_path=tensorflow_path(checkpoint) if checkpoint else None,
        ).create_session()

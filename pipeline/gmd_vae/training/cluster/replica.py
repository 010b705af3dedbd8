"""`Replica`: the `Execution` of a chief or worker, one of several machines that train the same model.

The variables lie on the parameter servers (ps). Chief and workers build the same graph; each computes the gradient of
its rows of the batch. The mean of the gradients makes an update (`SynchronousOptimizer`); without synchronisation
every gradient is applied as it arrives.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import Interrupted
from gmd_vae.magenta.api import tf
from gmd_vae.training.cluster import servers
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.cluster.sessions import (
    ChiefSessionCreator,
    JobEnded,
    SynchronisingHook,
    WaitingSession,
    WorkerSessionCreator,
)
from gmd_vae.training.cluster.synchronous import NO_STEP, SynchronousOptimizer
from gmd_vae.training.cluster.waiting import Waiter, answers
from gmd_vae.training.execution import read_after
from gmd_vae.training.progress import note

_SECONDS_BETWEEN_CHECKS = 1.0
_SECONDS_BETWEEN_LINES = 10.0  # progress lines of a worker
_SECONDS_TO_MEET = 60.0  # all processes start at about the same time, and TensorFlow starts slowly


class Replica:
    """Execution of a chief or worker. See `gmd_vae.training.execution.Execution` for the methods of the interface.

    Args:
        cluster: Cluster description of this process, not of a ps.
        report: Prints a line for people.
    """

    def __init__(self, cluster: Cluster, report: Callable[[str], None] = note) -> None:
        self._cluster, self._report = cluster, report
        self._optimizer: SynchronousOptimizer | None = None
        self._saw_end = False
        self._is_resumed = False  # True if the next session is not the first; the chief's first may have been killed

    @contextlib.contextmanager
    def start(self, config: Any, stop: threading.Event) -> Iterator[None]:
        """Starts this process's server. At the end, the chief ends the job and a worker confirms the end.

        Raises:
            GmdVaeError: The port cannot be used.
        """
        self._target = servers.start_server(self._cluster, config)
        self._config = servers.with_device_filters(self._cluster, config)
        self._waiter = Waiter(self._cluster, stop, self._report)
        try:
            yield
        finally:
            if self._cluster.is_chief:
                servers.announce_end(self._cluster, self._target)
            elif self._saw_end:
                servers.confirm_end(self._cluster, self._target)

    def rows(self, batch_size: int) -> tuple[int, int]:
        """Returns this replica's rows of each batch: index of the first row, number of rows."""
        return self._cluster.rows(batch_size)

    @property
    def rng_stream(self) -> int:
        """Worker number; 0 for the chief."""
        return self._cluster.worker_number

    def devices(self) -> AbstractContextManager[Any]:
        """Places variables on the ps and everything else on this machine."""
        setter = tf.train.replica_device_setter(self._cluster.num_ps, worker_device=self._here, merge_devices=True)
        devices: AbstractContextManager[Any] = tf.device(setter)
        return devices

    def local_device(self) -> AbstractContextManager[Any]:
        """Places variables on this machine."""
        device: AbstractContextManager[Any] = tf.device(self._here)
        return device

    def wrap_optimizer(self, optimizer: Any) -> Any:
        """Returns an optimizer that averages the gradients of all replicas; the given one if asynchronous."""
        if not self._cluster.num_sync_workers:
            return optimizer
        self._optimizer = SynchronousOptimizer(optimizer, self._cluster)
        return self._optimizer

    @property
    def updates_model(self) -> bool:
        """True for the chief: it alone applies synchronous updates."""
        return self._cluster.is_chief

    def step_number(self, train_op: Any, global_step: Any) -> Any:
        """Returns the number of the step. The chief fetches it with ``train_op``, a worker after it."""
        if self._optimizer:
            return self._optimizer.number
        if self._cluster.is_chief:
            return read_after(train_op, global_step)
        with tf.device(global_step.device):
            return global_step.read_value()

    @contextlib.contextmanager
    def session(
        self, scaffold: Any, hooks: Sequence[Any], latest: Callable[[], Path | None], description: str
    ) -> Iterator[Any]:
        """Opens the chief's session. Its ``run`` waits for other machines, until Ctrl-C."""
        creator = ChiefSessionCreator(
            self._cluster, scaffold, latest, self._target, self._config, description, self._mark_resumed
        )
        with self._session(creator, hooks) as session:
            yield session

    def finish_without_session(self) -> None:
        """Waits up to a minute for the ps, so that they receive the end of the job that follows."""
        self._report("nothing is left to do; notifying the other machines")
        until = time.monotonic() + _SECONDS_TO_MEET
        while time.monotonic() < until and not self._waiter.is_stopping:
            if all(map(answers, self._cluster.addresses.get("ps", ()))):
                return
            time.sleep(_SECONDS_BETWEEN_CHECKS)

    def follow(self, train_op: Any, step: Any, loss: Any, check: Callable[[str], None]) -> int:
        """Runs the steps of a worker until the chief ends the job.

        Args:
            train_op: Operation that pushes this worker's gradient.
            step: From `step_number`, int64 scalar.
            loss: Loss of this worker's rows, float32 scalar.
            check: Takes the chief's description; raises if this worker would train another run.

        Returns:
            The number of the last step; 0 if there was none.

        Raises:
            Interrupted: Ctrl-C or SIGTERM came before the job ended.
        """
        with self.devices(), tf.control_dependencies([step]):
            ended = servers.ended_flag()
        number, shown, shown_at = 0, 0, time.monotonic()
        creator = WorkerSessionCreator(self._cluster, tf.train.Scaffold(), self._target, self._config, check)
        with contextlib.suppress(JobEnded), self._session(creator, []) as session:
            while True:
                _, value = session.run([train_op, loss])
                token = NO_STEP
                while token < 0:
                    token, self._saw_end = session.run([step, ended])
                if self._saw_end:
                    break
                number = int(token)
                if self._waiter.is_stopping:
                    raise Interrupted(
                        f"Interrupted at step {number}: this worker has left a job that is not over",
                        "The same command joins it again; the others may wait for that. The chief ends the job.",
                    )
                seconds = time.monotonic() - shown_at
                if not shown or seconds >= _SECONDS_BETWEEN_LINES:
                    # a chief that was restarted may be at an earlier step
                    rate = f"  {(number - shown) / seconds:.2f} steps/s" if 0 < shown < number else ""
                    self._report(f"step {number}  loss {value:.1f}{rate}")
                    shown, shown_at = number, time.monotonic()
                    # Asynchronous workers do not wait for tokens and would go on without the chief. Their updates
                    # would be lost: a restarted chief resumes from its last checkpoint.
                    if self._cluster.chief_address:
                        self._waiter.wait_for_listener(self._cluster.chief_address)
        self._saw_end = True
        return number

    @property
    def _here(self) -> str:
        return f"/job:{self._cluster.job}/task:{self._cluster.index}"

    def _mark_resumed(self) -> None:
        self._is_resumed = True

    @contextlib.contextmanager
    def _session(self, creator: Any, hooks: Sequence[Any]) -> Iterator[WaitingSession]:
        if self._optimizer:
            hooks = [SynchronisingHook(self._optimizer, lambda: self._is_resumed, self._mark_resumed), *hooks]
        session = WaitingSession(creator, hooks, self._waiter)
        try:
            yield session
        except BaseException:
            session.abandon()
            raise
        session.close()

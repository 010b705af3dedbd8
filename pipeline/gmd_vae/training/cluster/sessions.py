"""Sessions of chief and workers: recreated after a ps was lost, and interruptible while another machine is away."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.magenta.api import tf
from gmd_vae.training.cluster import servers
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.cluster.synchronous import SynchronousOptimizer
from gmd_vae.training.cluster.waiting import Waiter
from gmd_vae.training.execution import RestoringSessionCreator

PS_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError)  # raised by a call whose ps goes away
_SECONDS_BETWEEN_CHECKS = 1.0
_SECONDS_TO_CANCEL = 2.0


class JobEnded(Exception):
    """The chief ended the job while a worker was waiting for it."""


class WaitingSession:
    """``MonitoredSession`` whose calls run in a thread and can be interrupted; see `Waiter`.

    Args:
        creator: ``tf.train.SessionCreator``.
        hooks: ``tf.train.SessionRunHook`` objects.
        waiter: Runs the calls.
    """

    def __init__(self, creator: Any, hooks: Sequence[Any], waiter: Waiter) -> None:
        self._graph, self._waiter = tf.get_default_graph(), waiter
        self._session: Any = waiter.wait_for(self._in_graph(lambda: tf.train.MonitoredSession(creator, hooks)))

    def run(self, fetches: Any, feed_dict: Any = None) -> Any:
        """Calls ``MonitoredSession.run``."""
        return self._waiter.wait_for(self._in_graph(lambda: self._session.run(fetches, feed_dict)))

    def close(self) -> None:
        """Ends the hooks, which may save, and the session.

        Raises:
            GmdVaeError: A ps went away meanwhile.
        """
        try:
            self._waiter.wait_for(self._in_graph(self._session.close), may_stop=False)
        except PS_LOST:
            raise GmdVaeError(
                "A ps went away while the chief saved; the last checkpoint is from before",
                "Start the job again: it resumes from there.",
            ) from None

    def abandon(self) -> None:
        """Cancels calls that are blocked in the session, if the other end still responds; ends no hook."""
        self._waiter.wait_at_most(
            _SECONDS_TO_CANCEL, self._in_graph(lambda: self._session.__exit__(Exception, None, None))
        )

    def _in_graph(self, call: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            with self._graph.as_default():  # every thread has a default graph of its own
                return call()

        return run


class ChiefSessionCreator(RestoringSessionCreator):
    """Creates the chief's sessions, each from the checkpoint that is the latest at that moment.

    Args:
        cluster: Cluster description of the chief.
        scaffold: ``tf.train.Scaffold`` with the saver.
        latest: Returns the prefix of the checkpoint to restore, or ``None``.
        target: Address of the chief's server.
        config: ``tf.ConfigProto``.
        description: Identity of the run as JSON, published for the workers.
        on_resumed_job: Called if the ps already hold a job, one of a chief that was killed.
    """

    def __init__(
        self,
        cluster: Cluster,
        scaffold: Any,
        latest: Callable[[], Path | None],
        target: str,
        config: Any,
        description: str,
        on_resumed_job: Callable[[], None],
    ) -> None:
        super().__init__(scaffold, latest, target, config)
        self._cluster, self._description, self._on_resumed_job = cluster, description, on_resumed_job

    def create_session(self) -> Any:
        """Waits for the ps, publishes the description of the run and creates a session."""
        while servers.job_has_ended(self._cluster, self._target):  # an earlier job, whose ps are about to exit
            time.sleep(_SECONDS_BETWEEN_CHECKS)
        if servers.read_description(self._cluster, self._target):
            self._on_resumed_job()
        servers.publish_description(self._cluster, self._target, self._description)
        return super().create_session()


class WorkerSessionCreator(tf.train.SessionCreator):  # type: ignore[misc]
    """Creates a worker's sessions, each when the chief has initialised the variables.

    ``tf.train.WorkerSessionCreator`` checks every 30 seconds, and waits forever after the job has ended.

    Args:
        cluster: Cluster description of the worker.
        scaffold: ``tf.train.Scaffold``.
        target: Address of the worker's server.
        config: ``tf.ConfigProto``.
        check: Takes the chief's description; raises if this worker would train another run.
    """

    def __init__(self, cluster: Cluster, scaffold: Any, target: str, config: Any, check: Callable[[str], None]) -> None:
        self._cluster, self._scaffold, self._check = cluster, scaffold, check
        self._target, self._config = target, config

    def create_session(self) -> Any:
        """Waits for the chief's variables and creates a session.

        Raises:
            JobEnded: The chief has ended the job.
        """
        self._scaffold.finalize()
        manager = tf.train.SessionManager(
            local_init_op=self._scaffold.local_init_op,
            ready_op=self._scaffold.ready_op,
            ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
            recovery_wait_secs=1,
        )
        while True:
            if servers.job_has_ended(self._cluster, self._target):
                raise JobEnded
            if description := servers.read_description(self._cluster, self._target):
                # before the session: with variables of other sizes TensorFlow fails with an obscure error
                self._check(description)
                with contextlib.suppress(tf.errors.DeadlineExceededError):
                    return manager.wait_for_session(self._target, self._config, max_wait_secs=0)
            time.sleep(_SECONDS_BETWEEN_CHECKS)


class SynchronisingHook(tf.train.SessionRunHook):  # type: ignore[misc]
    """Runs the synchronous optimizer's set-up operations in every new session.

    Args:
        optimizer: Optimizer of this replica.
        is_resumed: Returns True if the session is not the first of the job, so that gradients or tokens may be lost.
        on_created: Called after the session has been created.
    """

    def __init__(
        self, optimizer: SynchronousOptimizer, is_resumed: Callable[[], bool], on_created: Callable[[], None]
    ) -> None:
        self._optimizer, self._is_resumed, self._on_created = optimizer, is_resumed, on_created

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Sets the step of the accumulators; makes the workers repeat the present step if needed."""
        session.run(self._optimizer.begin)
        if self._is_resumed():
            session.run(self._optimizer.release)
        self._on_created()

"""One process's part in training: alone, or as one of several machines' replicas in step.

The variables live on the parameter servers ("ps"). Chief and workers build the same graph; each
computes the gradient of its rows of the batch. Their mean makes an update (`SynchronousOptimizer`),
or, without synchronisation, each is applied as it comes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.magenta.api import tf
from gmd_vae.training.cluster import servers
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.cluster.synchronous import NOT_A_STEP, SynchronousOptimizer
from gmd_vae.training.cluster.waiting import Patience, answers

GONE = (tf.errors.UnavailableError, tf.errors.AbortedError)  # what a call gets when a ps goes away
_SECONDS_BETWEEN_LOOKS = 1.0  # of a worker, whether the chief has made the variables
_SECONDS_BETWEEN_LINES = 10.0  # of a worker about its progress
_SECONDS_TO_CANCEL = 2.0
_SECONDS_TO_MEET = 60.0  # all are started at about the same time, and TensorFlow takes its time to start


@dataclasses.dataclass(frozen=True)
class Step:
    """What a session runs to train.

    Attributes:
        operation: computes a gradient and has it applied.
        number: int64, how many steps have been done then. The chief gets it with the operation, a worker after it.
        ended: bool, whether the chief has ended the job.
    """

    operation: Any
    number: Any
    ended: Any


class Replica:
    """A process that trains, alone or in a cluster. A context: when it is left, the chief ends the job.

    Args:
        cluster: its place in the job, not that of a ps; ``None`` for training on this machine alone.
        config: ``tf.ConfigProto`` of this machine's devices.
        stop: set by Ctrl-C or SIGTERM.
        say: takes lines for people.
    """

    def __init__(self, cluster: Cluster | None, config: Any, stop: threading.Event, say: Callable[[str], None]) -> None:
        self.cluster, self.config, self.say = cluster, config, say
        self.is_chief = cluster is None or cluster.is_chief
        self.target = ""
        self._patience: Patience | None = None
        self._optimizer: Any = None
        self._saw_the_end = False
        self.is_back = False  # whether the session to come is not the first; a chief's may be that of a dead one
        if cluster:
            self.target = servers.start_server(cluster, config)
            self.config = servers.session_config(cluster, config)
            self._patience = Patience(cluster, stop, say)

    def __enter__(self) -> Replica:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.cluster and self.is_chief:
            servers.announce_end(self.cluster, self.target)
        elif self.cluster and self._saw_the_end:
            servers.say_goodbye(self.cluster, self.target)

    def meet(self) -> None:
        """For a chief without a session: waits a while for the ps, so that they hear it when the chief ends the job."""
        if not self.cluster or not self._patience:
            return
        self.say("nothing is left to do; telling the other machines")
        until = time.monotonic() + _SECONDS_TO_MEET
        while time.monotonic() < until and not self._patience.is_stopping:
            if all(map(answers, self.cluster.addresses.get("ps", ()))):
                return
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    @property
    def number(self) -> int:
        """Counts the replicas; the chief, or who is alone, is 0."""
        return self.cluster.worker_number if self.cluster else 0

    def rows(self, batch_size: int) -> tuple[int, int]:
        """Which rows of each batch this process takes: the first one and how many."""
        return self.cluster.rows(batch_size) if self.cluster else (0, batch_size)

    @property
    def here(self) -> str:
        """For ``tf.device``, inside `devices`: around variables that are this process's own, such as its examples."""
        return f"/job:{self.cluster.job}/task:{self.cluster.index}" if self.cluster else ""

    def devices(self) -> contextlib.AbstractContextManager[Any]:
        """Around everything that makes the graph: variables go to the ps, all else stays here."""
        if not self.cluster:
            return contextlib.nullcontext()
        setter = tf.train.replica_device_setter(self.cluster.num_ps, worker_device=self.here, merge_devices=True)
        devices: contextlib.AbstractContextManager[Any] = tf.device(setter)
        return devices

    def synchronised(self, optimizer: Any) -> Any:
        """The optimizer that averages the gradients of all replicas, if they are to be averaged."""
        if not self.cluster or not self.cluster.num_sync_workers:
            return optimizer
        self._optimizer = SynchronousOptimizer(optimizer, self.cluster)
        return self._optimizer

    def step(self, train_op: Any, global_step: Any) -> Step:
        """The training step.

        Args:
            train_op: what ``apply_gradients`` of the (synchronised) optimizer gave.
            global_step: the variable.
        """
        if self._optimizer:
            number = self._optimizer.number
        else:
            with tf.device(global_step.device), tf.control_dependencies([train_op] if self.is_chief else []):
                number = global_step.read_value()
        if self.is_chief:
            return Step(train_op, number, tf.constant(False))
        with tf.control_dependencies([number]):
            return Step(train_op, number, servers.ended_flag())

    @contextlib.contextmanager
    def session(
        self, scaffold: Any, hooks: Sequence[Any], latest: Callable[[], Path | None], description: str = ""
    ) -> Iterator[Any]:
        """The chief's ``MonitoredSession``; its ``run`` waits for other machines, but not after Ctrl-C.

        Args:
            scaffold: with the saver.
            hooks: they end, and may save, when the block ends without an exception.
            latest: the checkpoint to begin with; asked again whenever a ps has lost its variables.
            description: what is trained, for the workers to compare.
        """
        with self._session(_FromLatest(self, scaffold, latest, description), hooks) as session:
            yield session

    def follow(self, scaffold: Any, step: Step, loss: Any, check: Callable[[str], None]) -> int:
        """The life of a worker: steps until the chief ends the job.

        Args:
            scaffold: whose variables the chief makes.
            step: from `step`.
            loss: shown now and then.
            check: gets the chief's description, and raises if this worker would train anything else.

        Returns:
            The number of the last step.
        """
        number, shown, shown_at = 0, 0, time.monotonic()
        with contextlib.suppress(_JobEnded), self._session(_WhenReady(self, scaffold, check), []) as session:
            while True:
                _, value = session.run([step.operation, loss])
                now = NOT_A_STEP
                while now < 0:
                    now, self._saw_the_end = session.run([step.number, step.ended])
                if self._saw_the_end:
                    break
                number = int(now)
                if self._patience and self._patience.is_stopping:
                    raise Interrupted(
                        f"Interrupted at step {number}: this worker has left a job that is not over",
                        "The same command joins it again; the others may wait for that. The chief ends the job.",
                    )
                seconds = time.monotonic() - shown_at
                if not shown or seconds >= _SECONDS_BETWEEN_LINES:
                    # the chief may have come back, and be at an earlier step
                    rate = f"  {(number - shown) / seconds:.2f} steps/s" if 0 < shown < number else ""
                    self.say(f"step {number}  loss {value:.1f}{rate}")
                    shown, shown_at = number, time.monotonic()
                    # One that waits for tokens knows without this. What the others do without the chief is lost:
                    # when it comes back, it starts from its last checkpoint.
                    if self._patience and self.cluster and self.cluster.chief_address:
                        self._patience.wait_until_there(self.cluster.chief_address)
        self._saw_the_end = True
        return number

    @contextlib.contextmanager
    def _session(self, creator: Any, hooks: Sequence[Any]) -> Iterator[Any]:
        if not self._patience:
            with tf.train.MonitoredSession(creator, hooks) as session:
                yield session
            return
        if self._optimizer:
            hooks = [_InStep(self, self._optimizer), *hooks]
        patient = _PatientSession(creator, hooks, self._patience)
        try:
            yield patient
        except BaseException:
            patient.abandon()
            raise
        patient.close()


class _JobEnded(Exception):
    """The chief ended the job while this worker was waiting for it."""


class _PatientSession:
    """A ``MonitoredSession`` in a thread that may be blocked; see `Patience`."""

    def __init__(self, creator: Any, hooks: Sequence[Any], patience: Patience) -> None:
        self._graph, self._patience = tf.get_default_graph(), patience
        self._session: Any = self._patience.wait_for(self._here(lambda: tf.train.MonitoredSession(creator, hooks)))

    def run(self, fetches: Any, feed_dict: Any = None) -> Any:
        """As ``MonitoredSession.run``."""
        return self._patience.wait_for(self._here(lambda: self._session.run(fetches, feed_dict)))

    def close(self) -> None:
        """Ends the hooks, which may save, and the session."""
        try:
            self._patience.wait_for(self._here(self._session.close), may_stop=False)
        except GONE:
            raise GmdVaeError(
                "A ps went away while the chief saved; the last checkpoint is from before",
                "Start the job again: it goes on from there.",
            ) from None

    def abandon(self) -> None:
        """Cancels what is blocked in it, if those at the other end still hear; no hook ends."""
        self._patience.within(_SECONDS_TO_CANCEL, self._here(lambda: self._session.__exit__(Exception, None, None)))

    def _here(self, call: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            with self._graph.as_default():  # the default graph is one of each thread
                return call()

        return run


class _FromLatest(tf.train.SessionCreator):  # type: ignore[misc]
    """The chief's sessions: each starts from the checkpoint that is the last one then."""

    def __init__(self, replica: Replica, scaffold: Any, latest: Callable[[], Path | None], description: str) -> None:
        self._replica, self._scaffold, self._latest, self._description = replica, scaffold, latest, description

    def create_session(self) -> Any:
        replica = self._replica
        if replica.cluster:
            while servers.has_ended(replica.cluster, replica.target):  # the job before, whose ps are about to leave
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            if servers.published(replica.cluster, replica.target):
                replica.is_back = True
            servers.publish(replica.cluster, replica.target, self._description)
        start = self._latest()
        return tf.train.ChiefSessionCreator(
            self._scaffold,
            replica.target,
            replica.config,
            checkpoint_filename_with_path=str(start) if start else None,
        ).create_session()


class _WhenReady(tf.train.SessionCreator):  # type: ignore[misc]
    """A worker's sessions: each starts when the chief has made the variables.

    TensorFlow's own looks every 30 seconds, and waits on when the job has ended.
    """

    def __init__(self, replica: Replica, scaffold: Any, check: Callable[[str], None]) -> None:
        self._replica, self._scaffold, self._check = replica, scaffold, check

    def create_session(self) -> Any:
        replica = self._replica
        assert replica.cluster
        self._scaffold.finalize()
        manager = tf.train.SessionManager(
            local_init_op=self._scaffold.local_init_op,
            ready_op=self._scaffold.ready_op,
            ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
            recovery_wait_secs=1,
        )
        while True:
            if servers.has_ended(replica.cluster, replica.target):
                raise _JobEnded
            if description := servers.published(replica.cluster, replica.target):
                self._check(description)  # first: on variables of other sizes, TensorFlow fails in its own words
                with contextlib.suppress(tf.errors.DeadlineExceededError):
                    return manager.wait_for_session(replica.target, replica.config, max_wait_secs=0)
            time.sleep(_SECONDS_BETWEEN_LOOKS)


class _InStep(tf.train.SessionRunHook):  # type: ignore[misc]
    """Tells the ps of a new session."""

    def __init__(self, replica: Replica, optimizer: SynchronousOptimizer) -> None:
        self._replica, self._optimizer = replica, optimizer

    def after_create_session(self, session: Any, coord: Any) -> None:
        session.run(self._optimizer.begin)
        if self._replica.is_back:
            session.run(self._optimizer.release)
        self._replica.is_back = True

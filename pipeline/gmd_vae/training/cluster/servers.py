"""TensorFlow servers of a job on several machines, and the protocol that ends the job.

The chief ends the job: it puts an element into a queue on every ps (``gmd_vae_ended``). Workers check the queue after
each step and confirm in a second one (``gmd_vae_left``); a ps exits when all workers have confirmed. Queues need no
initialisation and live as long as the ps, so a chief that was killed and restarted finds the state of the job.
"""

from __future__ import annotations

import concurrent.futures
import errno
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.common.threads import in_thread
from gmd_vae.magenta.api import tf
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.cluster.synchronous import token_queue
from gmd_vae.training.cluster.waiting import answers

_SECONDS_BETWEEN_POLLS = 0.25
_SECONDS_TO_LEAVE = 30.0  # a ps waits for the workers, which finish a step first; some may be dead
_SECONDS_TO_SAVE = 10.0  # a ps that receives Ctrl-C lets the chief save its variables
_SECONDS_TO_NOTIFY = 5.0


def start_server(cluster: Cluster, config: Any) -> str:
    """Starts this process's TensorFlow server, which lives as long as the process.

    Args:
        cluster: Cluster description of this process.
        config: ``tf.ConfigProto``. The server creates the devices, so the device options of sessions have no effect.

    Returns:
        Target for sessions, such as ``grpc://localhost:2222``; ``cluster.master`` if the servers run elsewhere.

    Raises:
        GmdVaeError: The port cannot be used.
    """
    if not cluster.addresses:
        return cluster.master
    _check_port(cluster)
    if cluster.is_ps:
        config.device_count["GPU"] = 0  # a ps computes nothing; the GPU is for a worker on the same machine
    server = tf.distribute.Server(
        {job: list(addresses) for job, addresses in cluster.addresses.items()},
        job_name=cluster.job,
        task_index=cluster.index,
        config=config,
    )
    _SERVERS.append(server)
    return str(server.target)


_SERVERS: list[Any] = []  # TensorFlow cannot stop a server, so they are kept until the process ends


def with_device_filters(cluster: Cluster, config: Any) -> Any:
    """Limits the sessions of a ``tf.ConfigProto`` to the ps and this process: others need not be running."""
    config.device_filters.extend(["/job:ps", f"/job:{cluster.job}/task:{cluster.index}"])
    return config


def serve_until_done(cluster: Cluster, target: str, stop: threading.Event, report: Callable[[str], None]) -> None:
    """Holds variables until the chief has ended the job and the workers have confirmed it.

    Args:
        cluster: Cluster description of a ps.
        target: From `start_server`.
        stop: Event set by Ctrl-C or SIGTERM.
        report: Prints a line for people.

    Raises:
        Interrupted: Ctrl-C or SIGTERM came before the job ended.
    """
    leave_by: float | None = None
    stop_by: float | None = None
    config = tf.ConfigProto(device_filters=[f"/job:ps/task:{cluster.index}"])
    with tf.Graph().as_default():
        sizes = [_queue(name, cluster.index).size() for name in (_ENDED, _LEFT)]
        with tf.Session(target, config=config) as session:
            while True:
                ended, left = session.run(sizes)
                now = time.monotonic()
                if ended:
                    leave_by = leave_by or now + _SECONDS_TO_LEAVE
                    if left >= cluster.num_workers - 1 or now > leave_by or not _some_worker_answers(cluster):
                        return
                elif stop.is_set():
                    # if all machines are stopped at once, the chief still has to save the variables held here
                    if not answers(cluster.chief_address) or (stop_by and now > stop_by):
                        raise Interrupted(
                            f"Interrupted: {cluster.role} has left a job that is not over",
                            "The others wait for it: start it again, or stop the chief, which ends the job.",
                        )
                    if not stop_by:
                        report(f"waiting up to {_SECONDS_TO_SAVE:.0f} s for the chief to save (again: stop at once)")
                        stop_by = now + _SECONDS_TO_SAVE
                time.sleep(_SECONDS_BETWEEN_POLLS)


def _some_worker_answers(cluster: Cluster) -> bool:
    """Returns True if some worker is running, possibly in its last step."""
    return any(answers(address) for role, address in cluster.others().items() if role.startswith("worker"))


def job_has_ended(cluster: Cluster, target: str) -> bool:
    """Returns True if the chief has ended the job. Blocks while the ps is away."""
    with tf.Graph().as_default():
        size = ended_flag()
        with tf.Session(target, config=with_device_filters(cluster, tf.ConfigProto())) as session:
            return bool(session.run(size))


def publish_description(cluster: Cluster, target: str, description: str) -> None:
    """Writes the description of the run to the first ps. Blocks while the ps is away."""
    with tf.Graph().as_default():
        variable = _description()
        with tf.Session(target, config=with_device_filters(cluster, tf.ConfigProto())) as session:
            session.run(tf.assign(variable, description, validate_shape=False))


def read_description(cluster: Cluster, target: str) -> str:
    """Returns the chief's description of the run, "" before it is published. Blocks while the ps is away."""
    with tf.Graph().as_default():
        variable = _description()
        with tf.Session(target, config=with_device_filters(cluster, tf.ConfigProto())) as session:
            return session.run(variable).decode() if session.run(tf.is_variable_initialized(variable)) else ""


def ended_flag(after: Any = None) -> Any:
    """Returns a bool scalar tensor of the default graph: True once the chief has ended the job."""
    with tf.control_dependencies([] if after is None else [after]):
        return _queue(_ENDED, 0).size() > 0


def announce_end(cluster: Cluster, target: str) -> None:
    """Announces the end of the job on every ps, and wakes the workers that wait for the next step.

    Skips a ps that is away: its queues are lost.
    """

    def enqueue(ps: Sequence[int]) -> Any:
        ended = [_queue(_ENDED, index).enqueue(0) for index in ps]
        with tf.control_dependencies(ended):
            tokens = [token_queue(number).enqueue(0) for number in range(1, cluster.num_workers) if 0 in ps]
        return [*ended, *tokens]

    _run_on_ps(cluster, target, enqueue)


def confirm_end(cluster: Cluster, target: str) -> None:
    """Confirms on every ps that this worker has seen the end of the job, so that the ps can exit."""
    _run_on_ps(cluster, target, lambda ps: [_queue(_LEFT, index).enqueue(0) for index in ps])


def _run_on_ps(cluster: Cluster, target: str, build: Callable[[Sequence[int]], Any]) -> None:
    """Runs operations on every ps that answers, in a new session: the training session may be blocked."""
    addresses = cluster.addresses.get("ps", ())
    present = [index for index in range(cluster.num_ps) if not addresses or answers(addresses[index])]

    def run() -> None:
        config = tf.ConfigProto(device_filters=[f"/job:ps/task:{index}" for index in present])
        config.device_filters.append(f"/job:{cluster.job}/task:{cluster.index}")
        with tf.Graph().as_default():
            operations = build(present)
            with tf.Session(target, config=config) as session:
                session.run(operations)

    if present:
        # a ps that dies now would block the session forever; failures do not matter, as the process ends anyway
        concurrent.futures.wait([in_thread(run)], _SECONDS_TO_NOTIFY)


_ENDED = "gmd_vae_ended"
_LEFT = "gmd_vae_left"


def _queue(name: str, ps: int) -> Any:
    with tf.device(f"/job:ps/task:{ps}/cpu:0"):
        return tf.queue.FIFOQueue(-1, tf.int64, shapes=(), shared_name=name)


def _description() -> Any:
    with tf.device("/job:ps/task:0/cpu:0"):
        return tf.Variable("", name="gmd_vae_description", trainable=False, collections=[])


def _check_port(cluster: Cluster) -> None:
    port = int(cluster.address.rpartition(":")[2])
    # TensorFlow's own error is three lines of C++ and "Could not start gRPC server"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))  # TensorFlow binds all interfaces, whatever the address
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise GmdVaeError(
                f"Port {port} of the {cluster.role} in TF_CONFIG {why} on this machine",
                "Stop the process that uses it (an earlier start of this job?), or choose another port everywhere.",
            ) from None

"""TensorFlow servers of a job on several machines: how one starts, and how all learn that the job has ended.

The chief decides when the job ends. It says so on every ps, in a queue at which the workers look
after each step; a ps ends when the workers have said in a second queue that they saw it. These are
queues because they need no initialisation and live as long as the ps: a chief that was killed and
starts again finds the job as it was.
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
from gmd_vae.magenta.api import tf
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.cluster.synchronous import token_queue
from gmd_vae.training.cluster.waiting import answers, in_thread

_SECONDS_BETWEEN_LOOKS = 0.25
_SECONDS_TO_LEAVE = 30.0  # how long a ps waits for the workers, who finish a step first; some may be dead
_SECONDS_TO_SAVE = 10.0  # how long a ps that was asked to stop lets the chief save what the ps holds
_SECONDS_TO_TELL = 5.0


def start_server(cluster: Cluster, config: Any) -> str:
    """Starts this process's TensorFlow server, which lives as long as the process. Returns its target.

    Args:
        cluster: with this process's place in it.
        config: ``tf.ConfigProto``. The server makes the devices, so its options count, not a session's.

    Raises:
        GmdVaeError: the port cannot be used.
    """
    if not cluster.addresses:
        return cluster.master
    _check_port(cluster)
    if cluster.is_ps:
        config.device_count["GPU"] = 0  # it computes nothing; the GPU is for the worker beside it
    server = tf.distribute.Server(
        {job: list(addresses) for job, addresses in cluster.addresses.items()},
        job_name=cluster.job,
        task_index=cluster.index,
        config=config,
    )
    _SERVERS.append(server)
    return str(server.target)


_SERVERS: list[Any] = []  # TensorFlow has no way to stop one, so they are kept until the process ends


def session_config(cluster: Cluster, config: Any) -> Any:
    """A session's config: the process sees the ps and itself, so that it need not wait for other workers."""
    config.device_filters.extend(["/job:ps", f"/job:{cluster.job}/task:{cluster.index}"])
    return config


def serve_until_done(cluster: Cluster, target: str, stop: threading.Event, say: Callable[[str], None]) -> None:
    """The life of a ps: keeps variables until the chief has ended the job and the workers have seen it.

    Args:
        cluster: of a ps.
        target: from `start_server`.
        stop: set by Ctrl-C or SIGTERM.
        say: takes lines for people.

    Raises:
        Interrupted: it was asked to stop before the job ended.
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
                    # Where somebody stops all machines at once, the chief still wants what is here
                    if not answers(cluster.chief_address) or (stop_by and now > stop_by):
                        raise Interrupted(
                            f"Interrupted: {cluster.role} has left a job that is not over",
                            "The others wait for it: start it again, or stop the chief, which ends the job.",
                        )
                    if not stop_by:
                        say(f"waiting up to {_SECONDS_TO_SAVE:.0f} s for the chief to save (again: stop at once)")
                        stop_by = now + _SECONDS_TO_SAVE
                time.sleep(_SECONDS_BETWEEN_LOOKS)


def _some_worker_answers(cluster: Cluster) -> bool:
    """Whether one is there that may still be in its last step."""
    return any(answers(address) for role, address in cluster.others().items() if role.startswith("worker"))


def has_ended(cluster: Cluster, target: str) -> bool:
    """Whether the chief has ended the job. Blocks while there is no ps."""
    with tf.Graph().as_default():
        size = ended_flag()
        with tf.Session(target, config=session_config(cluster, tf.ConfigProto())) as session:
            return bool(session.run(size))


def publish(cluster: Cluster, target: str, description: str) -> None:
    """Leaves word on the first ps of what is trained. Blocks while there is no ps."""
    with tf.Graph().as_default():
        variable = _description()
        with tf.Session(target, config=session_config(cluster, tf.ConfigProto())) as session:
            session.run(tf.assign(variable, description, validate_shape=False))


def published(cluster: Cluster, target: str) -> str:
    """What the chief has said that it trains, or "" if it has not begun. Blocks while there is no ps."""
    with tf.Graph().as_default():
        variable = _description()
        with tf.Session(target, config=session_config(cluster, tf.ConfigProto())) as session:
            return session.run(variable).decode() if session.run(tf.is_variable_initialized(variable)) else ""


def ended_flag(after: Any = None) -> Any:
    """A tensor for a graph of one's own: true once the chief has ended the job."""
    with tf.control_dependencies([] if after is None else [after]):
        return _queue(_ENDED, 0).size() > 0


def announce_end(cluster: Cluster, target: str) -> None:
    """The chief's last word: tells every ps, and wakes the workers that wait for the next step.

    Does nothing for a ps that is away: it holds nothing any more.
    """

    def tell(ps: Sequence[int]) -> Any:
        ended = [_queue(_ENDED, index).enqueue(0) for index in ps]
        with tf.control_dependencies(ended):
            tokens = [token_queue(number).enqueue(0) for number in range(1, cluster.num_workers) if 0 in ps]
        return [*ended, *tokens]

    _on_ps(cluster, target, tell)


def say_goodbye(cluster: Cluster, target: str) -> None:
    """A worker's last word, once it has seen that the job has ended: no ps need wait for it any more."""
    _on_ps(cluster, target, lambda ps: [_queue(_LEFT, index).enqueue(0) for index in ps])


def _on_ps(cluster: Cluster, target: str, build: Callable[[Sequence[int]], Any]) -> None:
    """Runs something on every ps that is there, in a session of its own: the training one may be stuck."""
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
        # a ps that dies just now would block it for ever, and a failure has no remedy: the process ends anyway
        concurrent.futures.wait([in_thread(run)], _SECONDS_TO_TELL)


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
    # TensorFlow itself would print three lines of C++ and say "Could not start gRPC server"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))  # as TensorFlow does: on all interfaces, whatever the address says
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise GmdVaeError(
                f"Port {port}, that of the {cluster.role} in TF_CONFIG, {why} on this machine",
                "Stop the process that has it (an earlier start of this job?), or name another port on all machines.",
            ) from None

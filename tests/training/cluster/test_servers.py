"""Servers of a job: ports, and the protocol that ends the job."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.training.cluster.roles import Cluster

pytestmark = [pytest.mark.tensorflow, pytest.mark.timeout(120)]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def members() -> dict[str, Cluster]:
    addresses = {
        job: (f"127.0.0.1:{port}",) for job, port in zip(("chief", "worker", "ps"), free_ports(3), strict=True)
    }
    return {job: Cluster(job, 0, addresses, 2, 1, 2) for job in addresses}


def test_a_port_in_use_is_named() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.cluster.servers import start_server

    ps = members()["ps"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(ps.address.rpartition(":")[2])))
        other.listen()
        with pytest.raises(GmdVaeError, match=rf"Port {other.getsockname()[1]} of the ps 0 .* is in use"):
            start_server(ps, tf.ConfigProto())


def test_a_ps_ends_when_the_chief_has_ended_the_job_and_the_worker_has_seen_it() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.cluster import servers

    job = members()
    target = {name: servers.start_server(cluster, tf.ConfigProto()) for name, cluster in job.items()}
    ps = threading.Thread(
        target=servers.serve_until_done, args=(job["ps"], target["ps"], threading.Event(), print), daemon=True
    )
    ps.start()
    servers.publish_description(job["chief"], target["chief"], "a job")
    assert servers.read_description(job["worker"], target["worker"]) == "a job"
    assert not servers.job_has_ended(job["worker"], target["worker"])

    servers.announce_end(job["chief"], target["chief"])
    assert servers.job_has_ended(job["worker"], target["worker"])
    time.sleep(1)
    assert ps.is_alive()  # the worker is still in its last step

    servers.confirm_end(job["worker"], target["worker"])
    ps.join(10)
    assert not ps.is_alive()


def test_a_ps_without_a_chief_stops_on_ctrl_c() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.cluster import servers

    ps = members()["ps"]
    target = servers.start_server(ps, tf.ConfigProto())
    stop = threading.Event()
    stop.set()
    begun = time.monotonic()
    with pytest.raises(Interrupted, match="ps 0 has left a job that is not over"):
        servers.serve_until_done(ps, target, stop, print)
    assert time.monotonic() - begun < 5


def test_a_chief_without_steps_waits_for_the_ps_to_announce_the_end() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.cluster import servers
    from gmd_vae.training.cluster.replica import Replica

    job = members()
    said: list[str] = []
    replica = Replica(job["chief"], said.append)
    with replica.start(tf.ConfigProto(), threading.Event()):
        meeting = threading.Thread(target=replica.finish_without_session, daemon=True)
        meeting.start()
        time.sleep(1)
        assert meeting.is_alive()
        target = servers.start_server(job["ps"], tf.ConfigProto())
        meeting.join(10)
        assert not meeting.is_alive()
    assert said == ["nothing is left to do; notifying the other machines"]
    servers.serve_until_done(job["ps"], target, threading.Event(), print)  # returns at once: no worker is running


def test_ctrl_c_ends_the_wait_of_a_chief_without_steps() -> None:
    """No ps is running, so that only Ctrl-C can end the wait before its 60 seconds are over."""
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.cluster.replica import Replica

    stop = threading.Event()
    replica = Replica(members()["chief"])
    with replica.start(tf.ConfigProto(), stop):
        waiting = threading.Thread(target=replica.finish_without_session, daemon=True)
        waiting.start()
        waiting.join(1.5)
        assert waiting.is_alive()
        stop.set()
        waiting.join(10)
        assert not waiting.is_alive()

"""The servers of a job: their ports, and its end."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.training.cluster.roles import Cluster

pytestmark = pytest.mark.tensorflow


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


def test_a_ps_without_a_chief_stops_when_it_is_told_to() -> None:
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


def test_a_chief_with_nothing_to_do_waits_for_the_ps_that_are_to_hear_of_it() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.cluster import servers
    from gmd_vae.training.cluster.replica import Replica

    job = members()
    said: list[str] = []
    with Replica(job["chief"], tf.ConfigProto(), threading.Event(), said.append) as replica:
        meeting = threading.Thread(target=replica.meet, daemon=True)
        meeting.start()
        time.sleep(1)
        assert meeting.is_alive()
        target = servers.start_server(job["ps"], tf.ConfigProto())
        meeting.join(10)
        assert not meeting.is_alive()
    assert said == ["nothing is left to do; telling the other machines"]
    servers.serve_until_done(job["ps"], target, threading.Event(), print)  # at once: no worker is there


def test_a_chief_with_nothing_to_do_can_be_stopped() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.cluster.replica import Replica

    stop = threading.Event()
    stop.set()
    with Replica(members()["chief"], tf.ConfigProto(), stop, print) as replica:
        replica.meet()

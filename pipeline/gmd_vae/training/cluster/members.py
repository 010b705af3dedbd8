"""Processes of a job on several machines: `lead` (the chief), `work` (a worker), `serve` (a parameter server)."""

from __future__ import annotations

import json
from collections.abc import Callable

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.select_layers import select_layers
from gmd_vae.models.sessions import session_config
from gmd_vae.training.cluster import servers
from gmd_vae.training.cluster.replica import Replica
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.examples import Examples
from gmd_vae.training.graph import build
from gmd_vae.training.loop import Outcome, train
from gmd_vae.training.progress import note, prefix_lines
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan
from gmd_vae.training.stopping import one_line_errors, stop_event


def lead(run: Run, examples: Examples, plan: Plan, listener: Callable[[str], None] | None, cluster: Cluster) -> Outcome:
    """Runs the chief: the training loop of one machine, with the variables on the parameter servers.

    Args:
        run: See `gmd_vae.training.loop.train`, as for the next three.
        examples: Training and validation examples.
        plan: Number of steps; validation and checkpoint intervals; patience.
        listener: Receives every line of ``metrics.jsonl``.
        cluster: Cluster description of the chief.

    Raises:
        GmdVaeError: As `gmd_vae.training.loop.train`; or the port of this process cannot be used.
        Interrupted: Stopped before the first step, or while waiting for another machine.
    """
    with prefix_lines(cluster.role):
        return train(run, examples, plan, listener, Replica(cluster))


def work(run: Run, examples: Examples, cluster: Cluster) -> int:
    """Runs a worker: computes gradients of its rows of every batch until the chief ends the job. Writes nothing.

    Args:
        run: Same run as the chief's; the run folder is not used.
        examples: Same examples as the chief's.
        cluster: Cluster description of the worker.

    Returns:
        The last step in which this worker took part; 0 if there was none.

    Raises:
        GmdVaeError: The chief trains another run; or as `gmd_vae.training.loop.train`.
        Interrupted: Stopped before the job ended.
    """
    replica = Replica(cluster)
    config = session_config(select_layers(run.config, run.hparams, run.layers))
    with (
        prefix_lines(cluster.role),
        one_line_errors(run),
        stop_event() as stop,
        replica.start(config, stop),
        tf.Graph().as_default(),
    ):
        graph = build(run, examples.train, replica)
        return replica.follow(
            graph.train_op, graph.step, graph.figures["loss"], lambda identity: run.check_same(json.loads(identity))
        )


def serve(cluster: Cluster) -> None:
    """Runs a parameter server: holds variables until the job ends.

    Args:
        cluster: Cluster description of the ps.

    Raises:
        GmdVaeError: Its port cannot be used.
        Interrupted: Stopped before the job ended.
    """
    with prefix_lines(cluster.role), stop_event() as stop:
        target = servers.start_server(cluster, session_config(None))
        note("serving")
        servers.serve_until_done(cluster, target, stop, note)
        note("the job has ended")

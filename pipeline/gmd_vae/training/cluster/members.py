"""The other processes of a job on several machines: workers and parameter servers. The chief is in ``loop``."""

from __future__ import annotations

import json

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.select_layers import select_layers
from gmd_vae.models.sessions import session_config
from gmd_vae.training.cluster import servers
from gmd_vae.training.cluster.replica import Replica
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.examples import Examples
from gmd_vae.training.graph import build
from gmd_vae.training.progress import note, speak_as
from gmd_vae.training.run.folder import Run
from gmd_vae.training.stopping import errors_in_words, stop_signals


def work(run: Run, examples: Examples, cluster: Cluster) -> int:
    """The life of a worker: computes its rows of every batch until the chief ends the job. Writes nothing.

    Returns:
        The last step it took part in.

    Raises:
        GmdVaeError: the chief trains something else; or what `gmd_vae.training.loop.train` raises.
    """
    speak_as(cluster.role)
    with (
        errors_in_words(run),
        stop_signals() as stop,
        Replica(cluster, session_config(select_layers(run.config, run.hparams, run.layers)), stop, note) as replica,
        tf.Graph().as_default(),
    ):
        graph = build(run, examples.train, replica)
        scaffold = tf.train.Scaffold()
        return replica.follow(
            scaffold, graph.step, graph.figures["loss"], lambda identity: run.check_same(json.loads(identity))
        )


def serve(cluster: Cluster) -> None:
    """The life of a ps: keeps variables until the job ends."""
    speak_as(cluster.role)
    with stop_signals() as stop:
        target = servers.start_server(cluster, session_config(None))
        note("serving")
        servers.serve_until_done(cluster, target, stop, note)
        note("the job has ended")

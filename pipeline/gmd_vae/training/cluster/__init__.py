"""Training on several machines with TensorFlow's parameter servers (docs/cluster.md).

In: TF_CONFIG or Magenta's flags, and a run prepared as on one machine. Out: the same run folder, written by the chief.
Nothing outside this folder and ``commands/train.py`` imports it. Read first: ``members.py``.

- ``roles.py``: parses TF_CONFIG and the flags into a `Cluster`; no TensorFlow.
- ``members.py``: the three kinds of process: chief, worker, parameter server (ps).
- ``replica.py``: `Replica`, the `Execution` of chief and workers.
- ``synchronous.py``: optimizer that averages the gradients of all replicas.
- ``sessions.py``: sessions of chief and workers, recreated after a ps was lost.
- ``servers.py``: TensorFlow servers, and the queues on the ps that announce the end of the job.
- ``waiting.py``: blocking calls that Ctrl-C can interrupt; no TensorFlow.
"""

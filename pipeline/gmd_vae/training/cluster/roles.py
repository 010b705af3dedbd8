"""Parses the members of a training job from TF_CONFIG or Magenta's flags. No TensorFlow here.

TF_CONFIG has the form that TensorFlow documents, for example ::

    {"cluster": {"chief": ["10.0.0.1:2222"], "worker": ["10.0.0.2:2222"], "ps": ["10.0.0.1:2223"]},
     "task": {"type": "worker", "index": 0}}

Every process of the job has the same cluster and its own task.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.own_hparams import OWN_HPARAMS, PLANNED

VARIABLE = "TF_CONFIG"
_JOBS = ("chief", "worker", "ps")
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
_EXAMPLE = 'See docs/cluster.md; it looks like {"cluster": {"chief": [...], ...}, "task": {"type": ..., "index": 0}}.'


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Description of the cluster from the view of one process.

    Attributes:
        job: TensorFlow job of this process: ``chief``, ``worker`` or ``ps``.
        index: Index of this process within its job, as in TF_CONFIG.
        addresses: ``host:port`` of every process, by job and index; empty if the servers run elsewhere.
        num_workers: Number of processes that compute gradients, the chief included.
        num_ps: Number of parameter servers.
        num_sync_workers: Number of gradients averaged into one update; 0: asynchronous, each gradient is an update.
        master: Address of this process's server if it runs elsewhere (Magenta's ``--master``), or "".
    """

    job: str
    index: int
    addresses: dict[str, tuple[str, ...]]
    num_workers: int
    num_ps: int
    num_sync_workers: int
    master: str = ""

    @property
    def is_chief(self) -> bool:
        """True if this process starts and ends the job and writes the run folder."""
        return self.job == "chief" or (self.job == "worker" and self.index == 0 and "chief" not in self.addresses)

    @property
    def is_ps(self) -> bool:
        """True if this process holds variables and computes no gradients."""
        return self.job == "ps"

    @property
    def worker_number(self) -> int:
        """Index among the processes that compute gradients; the chief is 0. Selects the rows and the random draws.

        Raises:
            ValueError: This is a ps.
        """
        if self.is_ps:
            raise ValueError("a ps has no worker number")
        return self.index + (1 if self.job == "worker" and "chief" in self.addresses else 0)

    @property
    def role(self) -> str:
        """Name for people: ``chief``, ``worker 1 of 2``, ``ps 0``; numbers as in TF_CONFIG."""
        if self.is_chief:
            return "chief" if self.job == "chief" else "chief (worker 0)"
        count = self.num_ps if self.is_ps else len(self.addresses.get("worker", ())) or self.num_workers
        return f"{self.job} {self.index}" + (f" of {count}" if count > 1 else "")

    @property
    def address(self) -> str:
        """Address of this process's server, ``host:port``."""
        return self.addresses[self.job][self.index] if self.addresses else self.master

    def others(self) -> dict[str, str]:
        """Returns the addresses of all other processes by role, as ``{"ps 0": "10.0.0.1:2223"}``."""
        return {
            job if job == "chief" else f"{job} {index}": address
            for job, addresses in self.addresses.items()
            for index, address in enumerate(addresses)
            if (job, index) != (self.job, self.index)
        }

    @property
    def chief_address(self) -> str:
        """Address of the chief's server, ``host:port``, or "" if the servers run elsewhere."""
        return (self.addresses.get("chief") or self.addresses.get("worker") or ("",))[0]

    def describe(self) -> str:
        """Returns a line for people: role, cluster size and kind of update."""
        how = "asynchronous updates"
        if self.num_sync_workers:
            how = f"{self.num_sync_workers} gradients averaged into one update"
        return f"Cluster: {self.role}; {self.num_workers} compute gradients, {self.num_ps} hold variables (ps); {how}"

    def rows(self, batch_size: int) -> tuple[int, int]:
        """Returns the rows of the global batch that this process computes.

        With ``num_sync_workers`` gradients per update, each covers an equal share of the batch, as in Magenta. The rows
        of spare workers lie after the end of the batch, where the next batch begins. Without synchronisation each
        update has a whole batch.

        Args:
            batch_size: Number of windows in the global batch.

        Returns:
            Index of the first row, number of rows.

        Raises:
            UsageError: The batch cannot be shared equally; names the nearest sizes that can.
        """
        if not self.num_sync_workers:
            return 0, batch_size
        rows, rest = divmod(batch_size, self.num_sync_workers)
        if rest:
            sizes = [size * self.num_sync_workers for size in (rows, rows + 1) if size]
            raise UsageError(
                f"A batch of {batch_size} cannot be shared equally by {self.num_sync_workers} workers "
                "(batch_size counts all workers together)",
                f"Train with --hparams batch_size={' or '.join(str(size) for size in sizes)}.",
            )
        return self.worker_number * rows, rows

    def check_levers(self, hparams: Mapping[str, Any]) -> None:
        """Checks that the levers of a run work with this cluster's kind of update.

        Args:
            hparams: All hyperparameters.

        Raises:
            UsageError: Updates are asynchronous, and a lever needs one process that makes all of them.
        """
        needs_one = {"average_decay": hparams["average_decay"] > 0}
        needs_one["learning_rate_schedule"] = hparams["learning_rate_schedule"] in PLANNED
        if not self.num_sync_workers and (found := [name for name, is_on in needs_one.items() if is_on]):
            name = found[0]
            raise UsageError(
                f"{name}={hparams[name]} needs synchronous updates, and this cluster's are asynchronous",
                f"Set --num-sync-workers, or train with --hparams {name}={OWN_HPARAMS[name]}.",
            )


@dataclasses.dataclass(frozen=True)
class Flags:
    """Magenta's flags for clusters; ``None`` if not given."""

    num_sync_workers: int | None = None
    num_ps_tasks: int | None = None
    task: int | None = None
    master: str | None = None


def read_cluster(variable: str | None, flags: Flags) -> Cluster | None:
    """Returns the cluster described by TF_CONFIG or Magenta's flags, or ``None`` for a single process.

    Args:
        variable: Value of TF_CONFIG, or ``None`` if it is not set.
        flags: Magenta's flags. They must agree with TF_CONFIG; without it, they describe servers that run elsewhere.

    Raises:
        UsageError: They do not describe a cluster; names the fault.
    """
    for name, value in (("num-sync-workers", flags.num_sync_workers), ("num-ps-tasks", flags.num_ps_tasks)):
        if value is not None and value < 0:
            raise UsageError(f"--{name} is {value}", "Give 0 or more.")
    config = _parse(variable) if variable and variable.strip() else {}
    if not config.get("cluster"):
        if config.get("task"):
            raise _fault('it has a "task", but no "cluster"')
        return _from_flags(flags)
    return _from_config(config, flags)


def _parse(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise _fault(f"it is not JSON ({error.msg} at character {error.pos + 1})") from None
    except (ValueError, RecursionError):  # numbers with thousands of digits, deeply nested brackets
        raise _fault("it is not JSON that Python can read") from None
    if not isinstance(config, dict):
        raise _fault("it is not a JSON object")
    if config.get("rpc_layer", "grpc") != "grpc":
        raise _fault('"rpc_layer" is not "grpc", the only one that gmd-vae supports')
    return config


def _from_config(config: dict[str, Any], flags: Flags) -> Cluster | None:
    addresses = _addresses(config["cluster"])
    job, index = _task(config.get("task"), addresses)
    if flags.master:
        raise UsageError(
            f"--master is for servers that run elsewhere; with {VARIABLE} gmd-vae starts its own",
            f"Drop --master, or unset {VARIABLE}.",
        )
    num_workers = len(addresses.get("chief", ())) + len(addresses.get("worker", ()))
    num_ps = len(addresses.get("ps", ()))
    if not num_workers:
        raise _fault("its cluster has no chief and no worker, so no process would train")
    for name, given, stated in (("num-ps-tasks", flags.num_ps_tasks, num_ps), ("task", flags.task, index)):
        if given is not None and given != stated:
            raise UsageError(
                f"--{name} is {given}, but {stated} in {VARIABLE}", f"Drop --{name}, or correct {VARIABLE}."
            )
    if not num_ps and num_workers > 1:
        raise _fault(f"its cluster has {num_workers} workers, but no ps to hold their variables", 'Add a "ps".')
    num_sync_workers = num_workers if flags.num_sync_workers is None else flags.num_sync_workers
    if num_sync_workers > num_workers:
        raise UsageError(
            f"--num-sync-workers is {num_sync_workers}, but {VARIABLE} has {num_workers} that train (chief included)",
            f"Give {num_workers} or less; 0 trains asynchronously.",
        )
    if not num_ps:
        return None
    return Cluster(job, index, addresses, num_workers, num_ps, num_sync_workers)


def _addresses(cluster: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(cluster, dict):
        raise _fault('"cluster" is not a JSON object of jobs')
    addresses: dict[str, tuple[str, ...]] = {}
    holders: dict[str, str] = {}
    for job, tasks in cluster.items():
        if job == "evaluator":  # allowed by TensorFlow; takes no part in training
            continue
        if job not in _JOBS:
            hint = '"master" is now called "chief".' if job == "master" else ""
            raise _fault(f"its cluster has a job {job[:40]!r}; gmd-vae supports chief, worker and ps", hint)
        if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
            raise _fault(f'"{job}" is not a list of addresses such as ["10.0.0.1:2222"]')
        for index, address in enumerate(tasks):
            where = f"{job} {index}"
            match = _ADDRESS.fullmatch(address)
            if not match or not 1 <= int(match["port"]) <= 65535:
                raise _fault(f"the address of {where}, {address[:60]!r}, is not HOST:PORT")
            if address in holders:
                raise _fault(f"{holders[address]} and {where} have the same address, {address}")
            holders[address] = where
        if tasks:
            addresses[job] = tuple(tasks)
    if len(addresses.get("chief", ())) > 1:
        raise _fault(f"its cluster has {len(addresses['chief'])} chiefs; there can be only one")
    return addresses


def _task(task: Any, addresses: dict[str, tuple[str, ...]]) -> tuple[str, int]:
    if not isinstance(task, dict) or "type" not in task:
        raise _fault('it has no "task" with a "type", which identifies this process in the cluster')
    job, index = task["type"], task.get("index", 0)
    if job == "evaluator":
        raise _fault(
            "its task is evaluator, which gmd-vae does not support: the chief validates between its steps",
            "Start chief, worker and ps only.",
        )
    if not isinstance(job, str) or job not in _JOBS:
        kind = repr(job[:40]) if isinstance(job, str) else "not a string"
        raise _fault(f"the type of its task is {kind}; gmd-vae supports chief, worker and ps")
    if isinstance(index, bool) or not isinstance(index, int):
        raise _fault('the "index" of its task is not a whole number')
    count = len(addresses.get(job, ()))
    if not 0 <= index < count:
        what = f"task indices of {job} go from 0 to {count - 1}" if count else f"its cluster has no {job}"
        raise _fault(f"its task is {job} {str(index)[:20]}, but {what}")
    return job, index


def _from_flags(flags: Flags) -> Cluster | None:
    """Returns a cluster whose servers run elsewhere, as for Magenta's own script, or ``None`` without ``--master``."""
    task, num_ps, num_sync_workers = flags.task or 0, flags.num_ps_tasks or 0, flags.num_sync_workers or 0
    if not flags.master:
        if task or num_ps or num_sync_workers > 1:
            raise UsageError(
                "--task, --num-ps-tasks and --num-sync-workers describe a cluster, but not where it is",
                f"Set {VARIABLE} (see docs/cluster.md), or give --master for servers that already run.",
            )
        return None
    match = re.fullmatch(r"grpc://(.+)", flags.master)
    if not match or not _ADDRESS.fullmatch(match[1]):
        raise UsageError(f"--master is {flags.master[:60]!r}, not grpc://HOST:PORT")
    if not num_ps:
        raise UsageError("--master needs a parameter server to hold the variables", "Give --num-ps-tasks 1 or more.")
    if task < 0 or (num_sync_workers and task >= num_sync_workers):
        raise UsageError(
            f"--task is {task}, but --num-sync-workers {num_sync_workers} makes tasks from 0 to {num_sync_workers - 1}"
            if num_sync_workers
            else f"--task is {task}",
            "Task 0 is the chief.",
        )
    return Cluster("worker", task, {}, num_sync_workers or task + 1, num_ps, num_sync_workers, flags.master)


def _fault(what: str, next_action: str = "") -> UsageError:
    return UsageError(f"{VARIABLE} cannot be used: {what}", next_action or _EXAMPLE)

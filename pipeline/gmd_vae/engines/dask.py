"""Runs a function over many items on the workers of a Dask cluster, which are on machines of their own."""

from __future__ import annotations

import collections
import contextlib
import logging
import platform
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gmd_vae.common import manifest
from gmd_vae.engines.engine import EngineError, Item, Result

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_SECONDS = 30
_WORKER_SECONDS = 60
_ASK_SECONDS = 5  # workers may come and go; to ask costs a round trip, and half a minute if the scheduler is gone
_IN_FLIGHT_PER_THREAD = 4
_GOES_ON = "The same command goes on from what is done."


@dataclass(frozen=True)
class DaskEngine:
    """An ``Engine``: what a Dask scheduler has in workers, those too that come later.

    The tasks of a worker that dies run elsewhere.

    Attributes:
        address: of the scheduler: ``tcp://HOST:8786``.
        say: is told that there is no worker yet.
    """

    address: str
    say: Callable[[str], None] = lambda text: None

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
        """See ``Engine.each``.

        Raises:
            EngineError: distributed is not installed, the scheduler is not there or goes away, it has
                no worker for a minute, a task has killed several workers, or a worker has no gmd-vae
                or another version.
        """
        try:
            import distributed
        except ImportError:
            raise EngineError(
                "'--engine dask' needs the package distributed, which is not installed",
                "Install it: pip install 'gmd-vae[cluster]'",
            ) from None
        # what Dask has to say of lost workers and closed connections comes as errors of ours, or is no matter
        for part in ("", ".client", ".comm", ".core", ".batched"):
            logging.getLogger(f"distributed{part}").setLevel(logging.CRITICAL + 1)
        with contextlib.ExitStack() as stack:
            try:
                client = stack.enter_context(
                    distributed.Client(self.address, timeout=_CONNECT_SECONDS, set_as_default=False)
                )
            except (OSError, ValueError) as error:  # distributed's TimeoutError is an OSError
                raise EngineError(
                    f"There is no Dask scheduler at '{self.address}' ({_short(error)})",
                    "Start one with 'dask scheduler'; it says its address.",
                ) from None
            self._wait_for_workers(client)
            _check_versions(client)
            yield from self._results(client, function, items)

    def _wait_for_workers(self, client: Client) -> None:
        if not client.nthreads():
            self.say(f"The scheduler at {self.address} has no workers yet: waiting {_WORKER_SECONDS} seconds for one.")
        try:
            client.wait_for_workers(1, timeout=_WORKER_SECONDS)
        except TimeoutError:
            raise EngineError(
                f"The scheduler at '{self.address}' has no workers",
                f"Start some: dask worker {self.address} --nthreads 1",
            ) from None

    def _results(
        self, client: Client, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Generator[Result, None, None]:
        from distributed import CancelledError, KilledWorker, as_completed
        from distributed.comm import CommClosedError

        waiting = collections.deque(items)
        threads, asked = 0, float("-inf")

        def submit() -> list[Future]:
            """What keeps the workers busy, and no more."""
            nonlocal threads, asked
            if time.monotonic() > asked + _ASK_SECONDS:
                threads, asked = sum(client.nthreads().values()), time.monotonic()
            room = _IN_FLIGHT_PER_THREAD * max(1, threads) - running.count()
            return [client.submit(function, waiting.popleft(), pure=False) for _ in range(min(room, len(waiting)))]

        running = as_completed(loop=client.loop)
        try:
            for future in submit():
                running.add(future)
            for future in running:
                yield future.result()
                for other in submit():
                    running.add(other)
        except KilledWorker:
            raise EngineError(
                "Several workers died of the same work, most often because memory ran out",
                f"Give them more memory (dask worker --memory-limit). {_GOES_ON}",
            ) from None
        except (CancelledError, OSError) as error:
            closed = isinstance(error, CommClosedError)  # an OSError, and there before the client's status says so
            if isinstance(error, OSError) and not closed and client.status == "running":
                raise  # the function's own: a full disk
            raise EngineError(
                f"The Dask scheduler at '{self.address}' has gone away", f"Start it again. {_GOES_ON}"
            ) from None


def _versions() -> dict[str, str]:
    """What must be the same on all machines for the output to be the same."""
    found = manifest.versions("note-seq", "numpy", "protobuf")
    return {"Python": ".".join(platform.python_version_tuple()[:2]), **found}


def _check_versions(client: Client) -> None:
    """Makes sure that every worker computes what this process would, and that the scheduler can hand it on."""
    ours = _versions()
    answers: dict[str, Any] = {}
    try:
        client.run_on_scheduler(_versions)
    except ImportError as error:
        answers["scheduler"] = error
    for address, answer in client.run(_versions, on_error="return").items():
        answers[f"worker at '{address}'"] = answer
    for who, theirs in answers.items():
        if isinstance(theirs, ImportError):
            raise EngineError(
                f"The {who} has no gmd-vae ({_short(theirs)})",
                "Start it in an environment that has the same version as this one.",
            )
        if isinstance(theirs, dict) and theirs != ours:
            package = next(name for name, version in ours.items() if theirs.get(name) != version)
            raise EngineError(
                f"The {who} has {package} {theirs.get(package)}, this machine has {ours[package]}",
                "Install the same versions on all machines.",
            )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

"""Runs a function over many items on the workers of a Dask cluster, on other machines."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import platform
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gmd_vae.common import extras, manifest
from gmd_vae.engines.engine import EngineError, Item, Result

if TYPE_CHECKING:
    from distributed import Client, Future

_CONNECT_SECONDS = 10  # a scheduler that is there answers at once
_WORKER_SECONDS = 60
_COUNT_SECONDS = 5  # between counts of the workers: a count is a round trip, half a minute if the scheduler is gone
_IN_FLIGHT_PER_THREAD = 4
_CONTINUES = "The same command continues from what is finished."


@dataclass(frozen=True)
class DaskEngine:
    """The ``Engine`` of a Dask cluster: all workers of a scheduler, including those that join later.

    The tasks of a worker that dies run on another one.

    Attributes:
        address: Address of the scheduler: ``tcp://HOST:8786``.
        on_message: Called with a line of text while the engine waits for a worker.
    """

    address: str
    on_message: Callable[[str], None] = lambda text: None

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
        """Implements ``Engine.each``.

        Raises:
            EngineError: distributed is not installed, the scheduler does not answer, it has no worker
                for a minute, a task has killed several workers, or a worker lacks gmd-vae or has
                another version.
        """
        try:
            import distributed
        except ImportError:
            raise EngineError(
                "'--engine dask' needs the package distributed, which is not installed",
                f"Run '{extras.install('gmd-vae[cluster]')}'.",
            ) from None
        # Dask logs lost workers and closed connections; what matters of it is raised as EngineError
        for logger in ("", ".client", ".comm", ".core", ".batched"):
            logging.getLogger(f"distributed{logger}").setLevel(logging.CRITICAL + 1)
        with contextlib.ExitStack() as stack:
            try:
                asyncio.run(_greet(self.address))  # Client would try for a minute, or for ever
                client = stack.enter_context(
                    distributed.Client(self.address, timeout=_CONNECT_SECONDS, set_as_default=False)
                )
            except (OSError, ValueError) as error:  # distributed's TimeoutError is an OSError
                raise EngineError(
                    f"There is no Dask scheduler at '{self.address}' ({_short(error)})",
                    "Start one with 'dask scheduler'; it prints its address.",
                ) from None
            self._wait_for_workers(client)
            _check_versions(client)
            yield from self._results(client, function, items)

    def _wait_for_workers(self, client: Client) -> None:
        if not client.nthreads():
            self.on_message(
                f"The scheduler at {self.address} has no workers yet: waiting {_WORKER_SECONDS} seconds for one."
            )
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
        threads, counted = 0, float("-inf")

        def submit() -> list[Future]:
            """Submits as many items as keep the workers busy."""
            nonlocal threads, counted
            if time.monotonic() > counted + _COUNT_SECONDS:
                threads, counted = sum(client.nthreads().values()), time.monotonic()
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
                f"Give them more memory (dask worker --memory-limit). {_CONTINUES}",
            ) from None
        except (CancelledError, OSError) as error:
            closed = isinstance(error, CommClosedError)  # an OSError, raised before the client's status changes
            if isinstance(error, OSError) and not closed and client.status == "running":
                raise  # from the function: a full disk
            raise EngineError(
                f"The Dask scheduler at '{self.address}' has gone away", f"Start it again. {_CONTINUES}"
            ) from None


async def _greet(address: str) -> None:
    """Exchanges greetings with a scheduler.

    Raises:
        OSError: Nobody answers within ``_CONNECT_SECONDS``, or something else does.
        ValueError: The address has another form.
    """
    from distributed.comm import connect

    try:
        comm = await asyncio.wait_for(connect(address, timeout=_CONNECT_SECONDS), _CONNECT_SECONDS)
    except (TimeoutError, asyncio.TimeoutError):  # two classes in Python 3.10
        raise OSError(f"no answer within {_CONNECT_SECONDS} seconds") from None
    except (OSError, ValueError):
        raise
    except Exception:  # a web server: distributed takes its text for lengths, and asks for exabytes of memory
        raise OSError("what answers there is something else") from None
    comm.abort()


def _versions() -> dict[str, str]:
    """Returns the versions that must agree on all machines for the output to be the same."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"Python": python, **manifest.versions("note-seq", "numpy", "protobuf")}


def _check_versions(client: Client) -> None:
    """Checks that every worker computes what this process would, and that the scheduler can pass it on.

    Raises:
        EngineError: A version differs, or gmd-vae is not installed there.
    """
    expected = _versions()
    answers: dict[str, Any] = {}
    try:
        client.run_on_scheduler(_versions)
    except ImportError as error:
        answers["scheduler"] = error
    for address, answer in client.run(_versions, on_error="return").items():
        answers[f"worker at '{address}'"] = answer
    for machine, installed in answers.items():
        if isinstance(installed, ImportError):
            raise EngineError(
                f"The {machine} has no gmd-vae ({_short(installed)})",
                "Start it in an environment that has the same version as this one.",
            )
        if isinstance(installed, dict) and installed != expected:
            package = next(name for name, version in expected.items() if installed.get(name) != version)
            raise EngineError(
                f"The {machine} has {package} {installed.get(package)}, this machine has {expected[package]}",
                "Install the same versions on all machines.",
            )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]

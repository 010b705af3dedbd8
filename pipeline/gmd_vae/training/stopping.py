"""Early ends of a training run: Ctrl-C and other signals, and errors of TensorFlow as one line."""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.common.stop_signals import on_request
from gmd_vae.magenta.api import tf
from gmd_vae.training.input import CHECK
from gmd_vae.training.run.folder import Run


@contextlib.contextmanager
def stop_event() -> Iterator[threading.Event]:
    """Yields an event that the first Ctrl-C, SIGTERM or SIGHUP sets; a second one raises `Interrupted` at once.

    Signal handlers exist in the main thread only; in other threads the event is never set.
    """
    stop = threading.Event()

    def request_stop() -> None:
        if stop.is_set():
            raise Interrupted("Interrupted", "The last checkpoint is kept; the same command resumes from there.")
        stop.set()

    with on_request(request_stop):
        yield stop


@contextlib.contextmanager
def one_line_errors(run: Run) -> Iterator[None]:
    """Replaces errors that a user can act on by a `GmdVaeError` of one line; other errors pass unchanged.

    Raises:
        GmdVaeError: Memory or disk space ran out, a file of examples is damaged, another machine went away, or the run
            was moved.
    """
    was_there = run.train_folder.is_dir()
    try:
        with _known_errors(run):
            yield
    except GmdVaeError:
        raise
    except Exception:
        if was_there and not run.train_folder.is_dir():
            raise GmdVaeError(
                f"'{run.train_folder}' was moved or deleted while it was used",
                "Give its new place with --run-dir: the run resumes from the last checkpoint.",
            ) from None
        raise


@contextlib.contextmanager
def _known_errors(run: Run) -> Iterator[None]:
    """Replaces the errors of TensorFlow and of the disk."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _disk_full(run) from None
    except tf.errors.OpError as error:
        text = str(error)
        if "No space left" in text or "quota" in text:
            raise _disk_full(run) from None
        if isinstance(error, tf.errors.ResourceExhaustedError):
            size = run.hparams["batch_size"]
            raise GmdVaeError(
                f"Memory ran out at batch size {size}", f"Train with --hparams batch_size={max(1, size // 2)}."
            ) from None
        if isinstance(error, (tf.errors.UnavailableError, tf.errors.AbortedError)):
            raise GmdVaeError(
                f"Another machine of the job went away ({text.splitlines()[0]})",
                "Start this process again: the job resumes from the last checkpoint.",
            ) from None
        is_example = CHECK in text or "Dataset was empty" in text
        if isinstance(error, tf.errors.InvalidArgumentError) and is_example:
            raise _misfit(run, _reason(text)) from None
        if isinstance(error, tf.errors.DataLossError):
            raise GmdVaeError(
                f"A file in '{run.examples}' is damaged ({text.splitlines()[0]})", "Run 'gmd-vae preprocess' again."
            ) from None
        raise
    except UnicodeDecodeError:  # TensorFlow's message quotes bytes of a damaged record
        raise _misfit(run, "it is no example record") from None


def _reason(text: str) -> str:
    """Returns the line of an error of TensorFlow that has the reason: before the name of the failed node, if there.

    The first line may be no more than "Graph execution error:", and a list of calls follows it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    nodes = (number for number, line in enumerate(lines) if number and line.startswith("[[{{node"))
    return lines[next(nodes, 1) - 1].removeprefix("assertion failed: ").strip("[]")


def _misfit(run: Run, reason: str) -> GmdVaeError:
    return GmdVaeError(
        f"An example in '{run.examples}' does not fit the manifest beside it ({reason})",
        "Run 'gmd-vae preprocess' again.",
    )


def _disk_full(run: Run) -> GmdVaeError:
    return GmdVaeError(
        f"The disk is full: '{run.folder}' cannot be written",
        "Free some space; the same command resumes from the last checkpoint.",
    )

"""Downloads one file of known size and SHA-256 with pooch.

pooch retries, verifies the hash and moves the file into place. This module bounds the size and the time, reports
the progress, and turns failures into one line.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.threads import in_thread

if TYPE_CHECKING:  # pooch and requests take a while to import: only a download needs them
    import requests

ATTEMPTS = 5  # pooch waits 1, 2, 3 and 4 seconds between them
_NAME = "archive"  # of the file in the folder
_BLOCK = 1 << 13  # bytes read at once
_TIMEOUT = (15.0, 30.0)  # seconds to connect; seconds without a byte
TOTAL_SECONDS = 600.0  # for all attempts together
_WATCHED_SECONDS = 60.0  # in any such time, ...
_LEAST_BYTES = 30_000  # ... so many bytes arrive, or the download ends: 500 bytes a second
_SECONDS_BETWEEN_LOOKS = 0.1
_RETRY_STATUS = (408, 425, 429, 500, 502, 503, 504)

OnProgress = Callable[[int, int], None]  # bytes received, bytes in total


@dataclass(frozen=True)
class RemoteFile:
    """A file on the web.

    Attributes:
        url: Address of the file.
        size: Size in bytes.
        sha256: SHA-256 as 64 hex digits.
    """

    url: str
    size: int
    sha256: str

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.url).netloc or self.url


def download(remote: RemoteFile, folder: Path, advice: str, on_progress: OnProgress = lambda done, total: None) -> Path:
    """Downloads a file into a folder and verifies it; returns its path.

    A broken connection, a busy server and wrong content are retried ``ATTEMPTS - 1`` times, from the
    first byte. On failure nothing stays in the folder.

    Args:
        remote: The file.
        folder: An empty folder, for this download alone.
        advice: The user's way out where the network is the problem, as a sentence.
        on_progress: Called after each block.

    Raises:
        GmdVaeError: The server cannot be reached or refuses, or what it sends is not the file.
    """
    downloader = _Downloader(remote, advice, on_progress)
    future = in_thread(lambda: _fetch(folder, downloader))
    begun = watched_since = time.monotonic()
    received = 0
    try:
        # a limit on the time without a byte is not enough: a proxy may pass on one byte now and then
        while not concurrent.futures.wait([future], _SECONDS_BETWEEN_LOOKS).done:
            now = time.monotonic()
            if now - begun > TOTAL_SECONDS:
                raise downloader.too_slow(f"is not complete after {TOTAL_SECONDS:.0f} seconds")
            if now - watched_since > _WATCHED_SECONDS:
                arrived = downloader.received - received
                if arrived < _LEAST_BYTES:
                    raise downloader.too_slow(f"brought {arrived:,} bytes in {_WATCHED_SECONDS:.0f} seconds")
                received, watched_since = downloader.received, now
        return future.result()
    finally:
        downloader.is_given_up = True


def _fetch(folder: Path, downloader: _Downloader) -> Path:
    """Downloads the file with pooch, see ``download``."""
    import pooch
    import requests

    remote, advice = downloader.remote, downloader.advice
    pooch.get_logger().setLevel("WARNING")  # pooch reports each attempt; on_progress shows it
    cache = pooch.create(
        folder,
        base_url="",
        registry={_NAME: f"sha256:{remote.sha256}"},
        urls={_NAME: remote.url},
        retry_if_failed=ATTEMPTS - 1,
    )
    try:
        return Path(cache.fetch(_NAME, downloader=downloader))
    except requests.RequestException as error:
        raise GmdVaeError(
            f"The download from {remote.host} broke off {ATTEMPTS} times ({_reason(error)})", advice
        ) from None
    except ValueError:  # pooch's error for a wrong hash
        raise GmdVaeError(
            f"What came from {remote.url} is not the expected file (its sha256 is not {remote.sha256})",
            f"It was deleted; run the command again to download it afresh. {advice}",
        ) from None


@dataclass
class _Downloader:
    """A pooch downloader. Raises ``GmdVaeError`` where a retry cannot help; pooch retries after other errors.

    Attributes:
        received: Number of bytes received in all attempts.
        is_given_up: Set when nobody waits for the file any more.
    """

    remote: RemoteFile
    advice: str
    on_progress: OnProgress
    received: int = 0
    is_given_up: bool = False

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        import requests
        from pooch import HTTPDownloader

        fetch = HTTPDownloader(
            chunk_size=_BLOCK,
            timeout=_TIMEOUT,
            headers={"Accept-Encoding": "identity", "User-Agent": "gmd-vae"},
        )
        self.on_progress(0, self.remote.size)
        with open(output_file, "wb") as stream:
            bounded = _BoundedFile(stream, self)
            try:
                fetch(url, bounded, None)
            except requests.RequestException as error:
                if self._is_temporary(error):
                    raise
                raise self._failure(error) from None
        if bounded.size != self.remote.size:
            raise self.not_the_file(f"sent {bounded.size:,} bytes, not the {self.remote.size:,} of the expected file")

    def too_slow(self, problem: str) -> GmdVaeError:
        """Returns the error for a connection that passes on too few bytes."""
        return GmdVaeError(f"The download from {self.remote.host} {problem}, which is too slow", self.advice)

    def not_the_file(self, problem: str) -> GmdVaeError:
        """Returns the error for an answer of another size, such as a network's sign-in page."""
        return GmdVaeError(
            f"{self.remote.url} {problem}",
            f"Something between here and there may have answered in its place. {self.advice}",
        )

    def _is_temporary(self, error: requests.RequestException) -> bool:
        """Returns True for a failure that a retry may cure, False for others, such as an unknown host."""
        import requests
        import urllib3

        if isinstance(error, requests.HTTPError):
            return error.response is not None and error.response.status_code in _RETRY_STATUS
        if isinstance(error, requests.ConnectionError):
            cause = error.args[0] if error.args else None
            return self.received > 0 or isinstance(cause, urllib3.exceptions.ProtocolError)  # the server was reached
        return isinstance(error, (requests.Timeout, requests.exceptions.ChunkedEncodingError))

    def _failure(self, error: requests.RequestException) -> GmdVaeError:
        """Returns the error for a failure that no retry can cure."""
        import requests

        host, reason = self.remote.host, _reason(error)
        if isinstance(error, requests.HTTPError):
            return GmdVaeError(f"{self.remote.url} answered {reason}", self.advice)
        if isinstance(error, requests.exceptions.SSLError):
            return GmdVaeError(f"No secure connection to {host} ({reason})", self.advice)
        if isinstance(error, requests.exceptions.ProxyError):
            return GmdVaeError(f"The proxy for {host} cannot be used ({reason})", self.advice)
        if isinstance(error, requests.ConnectionError):
            return GmdVaeError(f"No network: {host} cannot be reached ({reason})", self.advice)
        return GmdVaeError(f"{self.remote.url} cannot be downloaded ({reason})", self.advice)


@dataclass
class _BoundedFile:
    """The file that pooch writes to; refuses bytes beyond the expected size."""

    stream: IO[bytes]
    downloader: _Downloader
    size: int = 0

    def write(self, block: bytes) -> None:
        """Writes a block of the answer.

        Raises:
            GmdVaeError: The answer is larger than the expected file.
        """
        remote = self.downloader.remote
        if self.downloader.is_given_up:
            raise GmdVaeError(f"The download from {remote.host} was given up")
        if self.size + len(block) > remote.size:
            raise self.downloader.not_the_file(f"sends more than the {remote.size:,} bytes of the expected file")
        self.stream.write(block)
        self.size += len(block)
        self.downloader.received += len(block)
        self.downloader.on_progress(self.size, remote.size)

    def flush(self) -> None:
        """Does nothing: ``close`` flushes. pooch calls this after each block."""


def _reason(error: requests.RequestException) -> str:
    """Returns the status of an answer, or the innermost cause: requests and urllib3 wrap it three deep."""
    if error.response is not None:
        return printable(f"{error.response.status_code} {error.response.reason or ''}".strip(), 80)
    cause: BaseException = error
    for _ in range(8):
        candidates = (getattr(cause, "reason", None), *cause.args, cause.__cause__)
        inner = next((one for one in candidates if isinstance(one, BaseException)), None)
        if inner is None:
            break
        cause = inner
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return printable(text) or type(error).__name__

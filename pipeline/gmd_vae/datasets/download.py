"""Downloads one file of known size and SHA-256: resumes, never takes more than the size, verifies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.common.files import sha256

if TYPE_CHECKING:  # requests takes a while to import: only a download needs it
    import requests

PART = ".part"  # suffix of a download that is not complete; kept so that the next run goes on from it
ATTEMPTS = 5  # failures in a row
MAX_FAILURES = 50  # in all
_BLOCK = 1 << 15
_TIMEOUT = (15.0, 30.0)  # seconds to connect; seconds without a byte
_TRY_AGAIN_STATUS = (408, 425, 429, 500, 502, 503, 504)

OnProgress = Callable[[int, int], None]  # bytes so far, bytes in all


@dataclass(frozen=True)
class RemoteFile:
    """A file on the web that we know byte for byte."""

    url: str
    size: int
    sha256: str

    @property
    def host(self) -> str:
        """The server's name, as messages give it."""
        return urlsplit(self.url).netloc or self.url


class _Broken(Exception):
    """The connection failed in a way that trying again may cure."""


def download(
    remote: RemoteFile, target: Path, way_out: str, on_progress: OnProgress | None = None, backoff: float = 1.0
) -> Path:
    """Downloads ``remote`` to ``target.part`` and returns that path, complete and verified.

    An incomplete part from an earlier run is continued. A broken connection is tried again, waiting
    ``backoff`` seconds, then twice as long each time.

    Args:
        way_out: what users can do where the network is the problem, as a sentence.

    Raises:
        GmdVaeError: no network, the server refuses, or what came is not the file. What has arrived
            and can be continued is kept, and the message says so.
        Interrupted: Ctrl-C; the part is kept.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    with _locked(part) as stream:
        run = _Download(remote, part, stream, way_out, on_progress or (lambda done, total: None))
        try:
            run.fill(backoff)
        except BaseException as error:
            kept = run.kept()
            if not kept:
                part.unlink(missing_ok=True)
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted("Download interrupted", kept or "Nothing had arrived yet.") from None
            raise
        if (found := sha256(part)) != remote.sha256:
            part.unlink()
            raise GmdVaeError(
                f"What came from {remote.url} is not the expected file (sha256 {found}, expected {remote.sha256})",
                f"It was deleted; run the command again to download it afresh. {way_out}",
            )
    return part


@dataclass
class _Download:
    """One run: the part file, and what has been learned about the server."""

    remote: RemoteFile
    part: Path
    stream: BinaryIO
    way_out: str
    on_progress: OnProgress
    etag: str = ""  # of the answer that the part comes from; a changed file is then sent whole

    @property
    def size(self) -> int:
        """Bytes on disk. The file is not buffered, so this is what a later run finds."""
        return os.fstat(self.stream.fileno()).st_size

    def fill(self, backoff: float) -> None:
        """Asks for what is missing until nothing is, or until it makes no sense to go on."""
        import requests

        if self.size > self.remote.size:  # not from us, or of another version
            self.stream.truncate(0)
        start = self.size
        failures = total = 0
        with requests.Session() as session:
            while (done := self.size) < self.remote.size:
                self.on_progress(done, self.remote.size)
                try:
                    self.request(session)
                except requests.RequestException as error:
                    if self.size == start:
                        raise self.unreachable(error) from None
                    problem = _reason(error)  # it worked a moment ago
                except _Broken as error:
                    problem = str(error)
                else:
                    continue
                # progress earns patience: only failures in a row count
                failures = 1 if self.size > done else failures + 1
                total += 1
                if failures >= ATTEMPTS or total >= MAX_FAILURES:
                    raise GmdVaeError(
                        f"The download from {self.remote.host} broke off {total} times ({problem})",
                        f"{self.kept() or 'Run the same command again.'} {self.way_out}",
                    )
                time.sleep(backoff * 2 ** (failures - 1))
        self.on_progress(self.remote.size, self.remote.size)

    def request(self, session: requests.Session) -> None:
        """One request for the missing bytes. Raises ``_Broken`` where another one may help."""
        import requests

        headers = {"Accept-Encoding": "identity", "User-Agent": "gmd-vae"}
        if done := self.size:
            headers["Range"] = f"bytes={done}-"
            if self.etag:
                headers["If-Range"] = self.etag
        try:
            response = session.get(self.remote.url, headers=headers, stream=True, timeout=_TIMEOUT)
        except (requests.ReadTimeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _Broken(_reason(error)) from None
        except requests.ConnectionError as error:
            if _was_connected(error):
                raise _Broken(_reason(error)) from None
            raise
        with response:
            self.check(response)
            self.append(response)

    def check(self, response: requests.Response) -> None:
        """Makes sure that the answer goes on where the part ends, or empties the part for a fresh start."""
        done, status = self.size, response.status_code
        if status == 416 and done:  # the server's file ends before our part does
            self.stream.truncate(0)
            raise _Broken("it could not be continued")
        if status in _TRY_AGAIN_STATUS:
            raise _Broken(f"the server answered {_status(response)}")
        if status not in (200, 206):
            raise GmdVaeError(f"{self.remote.url} answered {_status(response)}", self.way_out)
        offset = _offset(response, self.remote.size) if status == 206 else 0
        if offset != done:  # a server without ranges, or a file that changed
            self.stream.truncate(0)
            if offset:
                raise _Broken("the server sent another part than the one asked for")
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and offset + int(length) != self.remote.size:
            self.stream.truncate(0)
            raise GmdVaeError(
                f"{self.remote.url} offers {offset + int(length):,} bytes, not the {self.remote.size:,} of the"
                " expected file",
                f"Something between here and there may have answered in its place. {self.way_out}",
            )
        tag = response.headers.get("ETag", "")
        self.etag = tag if tag.startswith('"') else ""  # a weak one (W/...) says nothing about bytes

    def append(self, response: requests.Response) -> None:
        """Writes the body to the end of the part, never beyond the expected size."""
        import urllib3

        done = self.stream.seek(0, os.SEEK_END)
        try:
            while done < self.remote.size:
                block = response.raw.read(min(_BLOCK, self.remote.size - done), decode_content=False)
                if not block:
                    raise _Broken(f"{self.remote.size - done:,} bytes are missing")
                _write(self.stream, block)
                done += len(block)
                self.on_progress(done, self.remote.size)
        except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
            raise _Broken(_reason(error)) from None

    def kept(self) -> str:
        """What the next run goes on from, as a sentence; empty when there is nothing."""
        if self.size == 0:
            return ""
        return (
            f"{self.size:,} of {self.remote.size:,} bytes are kept in '{self.part}':"
            " run the same command again to go on from there."
        )

    def unreachable(self, error: requests.RequestException) -> GmdVaeError:
        """The error for a request that never reached the server."""
        import requests

        host, reason, way_out = self.remote.host, _reason(error), f"{self.kept()} {self.way_out}"
        if isinstance(error, requests.exceptions.SSLError):
            return GmdVaeError(f"No secure connection to {host} ({reason})", way_out)
        if isinstance(error, requests.exceptions.ProxyError):
            return GmdVaeError(f"The proxy for {host} cannot be used ({reason})", way_out)
        if isinstance(error, (requests.ConnectionError, requests.Timeout)):
            return GmdVaeError(f"No network: {host} cannot be reached ({reason})", way_out)
        return GmdVaeError(f"{self.remote.url} cannot be downloaded ({reason})", way_out)


def _offset(response: requests.Response, size: int) -> int:
    """Where a 206 answer starts; -1 when it does not say so, or speaks of a file of another size."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "").strip())
    return int(match[1]) if match and match[2] in ("*", str(size)) else -1


@contextlib.contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """The part file open for reading and writing, by one process at a time."""
    # not followed: whoever could write into that folder could otherwise have any file overwritten
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "r+b", buffering=0) as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise GmdVaeError(
                f"Another gmd-vae is downloading to '{part}'", "Wait until it is done, then run the command again."
            ) from None
        except OSError:
            pass  # a file system without locks: two downloads at once would end in a wrong hash, no worse
        yield stream


def _write(stream: BinaryIO, block: bytes) -> None:
    view = memoryview(block)
    while view:  # unbuffered: one call may take less than it is given
        view = view[stream.write(view) :]


def _was_connected(error: requests.ConnectionError) -> bool:
    """Whether the server was reached before it failed: that may pass; an unknown host does not."""
    import urllib3

    cause = error.args[0] if error.args else None
    return isinstance(cause, urllib3.exceptions.ProtocolError)


def _status(response: requests.Response) -> str:
    reason = "".join(letter for letter in response.reason or "" if letter.isprintable())[:60]
    return f"{response.status_code} {reason}".strip()


def _reason(error: BaseException) -> str:
    """The innermost cause, in the system's words: requests and urllib3 wrap it three deep."""
    seen: BaseException = error
    for _ in range(8):
        inner = getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((argument for argument in reversed(seen.args) if isinstance(argument, BaseException)), None)
        if inner is None:
            inner = seen.__cause__
        if inner is None:
            break
        seen = inner
    text = seen.strerror if isinstance(seen, OSError) and seen.strerror else str(seen)
    text = re.sub(r"^<?[\w.]*(?:Connection|Pool)\w*(?: object at 0x[0-9a-f]+>|\(.*?\)): ", "", text)
    return "".join(letter if letter.isprintable() else " " for letter in text)[:200] or type(error).__name__

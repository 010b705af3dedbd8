"""Servers that answer slowly, wrongly or not at all."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from pathlib import Path

from attacks.driver import Attack
from attacks.kinds import kind

_ANSWERS = (
    b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n", b"HTTP/1.1 407 No\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", b"\x00" * 1000, b"HTTP/1.1 \x1b[2J\r\n\r\n",
)  # fmt: skip


def _serve(listener: socket.socket, answer: bytes, drip: bool, stop: threading.Event) -> None:
    """Answers every connection; drips the answer, or bytes without end, one in a second."""
    listener.settimeout(0.2)
    clients = []
    while not stop.is_set():
        with contextlib.suppress(OSError):
            client, _ = listener.accept()
            clients.append(client)
            client.setblocking(False)
            if not drip:
                client.send(answer)
                client.close()
        for client in clients if drip else []:
            with contextlib.suppress(OSError):
                client.send(b"H")
    for client in clients:
        client.close()
    listener.close()


@kind()
def bad_proxy(rng: random.Random, home: Path) -> Attack:
    """A proxy that drips bytes, answers nonsense, or closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    answer, drip = rng.choice(_ANSWERS), rng.random() < 0.5

    def serve(_home: Path, stop: threading.Event) -> None:
        _serve(listener, answer, drip, stop)

    proxy = f"http://127.0.0.1:{port}"
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
    return Attack(["fetch", "groove", "--output-dir", "new"], outputs=["new*", ".new*"], background=[serve],
                  environment=dict.fromkeys(names, proxy), seconds=150, refused=True)  # fmt: skip


@kind()
def nobody_answers(rng: random.Random, home: Path) -> Attack:
    """The address of a scheduler where nobody answers, or somebody who is none."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    answer, drip = rng.choice(_ANSWERS), rng.random() < 0.5

    def serve(_home: Path, stop: threading.Event) -> None:
        _serve(listener, answer, drip, stop)

    address = rng.choice([f"tcp://127.0.0.1:{port}", "tcp://127.0.0.1:9", "x", "", "tcp://[::1]:1", "tcp://x.invalid:1",
                          f"tls://127.0.0.1:{port}", "tcp://127.0.0.1:99999", "\x1b[2J"])  # fmt: skip
    command = rng.choice([["convert", "mine"], ["preprocess", "notes"]])
    return Attack([*command, "--output-dir", "new", "--engine", "dask", "--scheduler", address],
                  outputs=["new*", ".new*"], background=[serve], seconds=45, refused=True)  # fmt: skip

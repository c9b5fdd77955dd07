"""Servers that write what they like on a socket, and clients for them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from conformance.client import Client, Pacer
from conformance.evidence import Recorder
from conformance.target import Limits, Secret, Target

TOKEN = "gAAAAABm-tok/en+Value=01234567890abcdefXYZ"
SERVER, ADDRESS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
TIMEOUT_SECONDS = 1.0
Behaviour = Callable[["Peer"], None]


class Peer:
    """One connection, as the server sees it."""

    def __init__(self, connection: socket.socket, stopped: threading.Event) -> None:
        self.connection = connection
        self.stopped = stopped
        self.rest = b""

    def head(self) -> bytes:
        """Read a request up to the end of its header section; empty at the end of the connection."""
        while b"\r\n\r\n" not in self.rest:
            piece = self.connection.recv(65536)
            if not piece:
                return b""
            self.rest += piece
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def body(self, size: int) -> bytes:
        """Read so many bytes after the header section."""
        while len(self.rest) < size:
            piece = self.connection.recv(65536)
            if not piece:
                break
            self.rest += piece
        body, self.rest = self.rest[:size], self.rest[size:]
        return body

    def until(self, ending: bytes) -> bytes:
        """Read up to and with these bytes."""
        while ending not in self.rest:
            piece = self.connection.recv(65536)
            if not piece:
                break
            self.rest += piece
        before, found, self.rest = self.rest.partition(ending)
        return before + found

    def send(self, *pieces: bytes) -> None:
        """Write."""
        for piece in pieces:
            self.connection.sendall(piece)

    def endlessly(self, piece: bytes, pause_seconds: float = 0.0) -> None:
        """Write the piece again and again until somebody closes."""
        while not self.stopped.wait(pause_seconds):
            self.connection.sendall(piece)

    def hang(self) -> None:
        """Do nothing until the server is stopped."""
        self.stopped.wait()

    def reset(self) -> None:
        """End the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()


class RawServer:
    """Answers each connection as ``behaviour`` does; ``connections`` counts them."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._behaviour(Peer(connection, self._stopped))


def answering(*pieces: bytes) -> Behaviour:
    """Answer every request of a connection with the same bytes."""

    def behave(peer: Peer) -> None:
        while peer.head():
            peer.send(*pieces)

    return behave


def once(*pieces: bytes) -> Behaviour:
    """Answer one request and close."""

    def behave(peer: Peer) -> None:
        peer.head()
        peer.send(*pieces)

    return behave


def client_of(url: str, directory: Path, *, timeout: float = TIMEOUT_SECONDS, token: str = TOKEN) -> Client:
    """A client of the service at ``url``."""
    target = Target(
        name="raw",
        compute=f"{url}/v2",
        network=f"{url}/v2.0",
        tokens={"full": Secret(token)},
        servers=(SERVER, "33333333-3333-4333-8333-333333333333"),
        limits=Limits(timeout_seconds=timeout),
    )
    return Client(target, Recorder(), Pacer(directory / "pace"))


@contextlib.contextmanager
def serving(behaviour: Behaviour, directory: Path, *, timeout: float = TIMEOUT_SECONDS) -> Iterator[Client]:
    """A client of a server that behaves so."""
    with RawServer(behaviour) as server:
        yield client_of(server.url, directory, timeout=timeout)

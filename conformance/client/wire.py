"""Connections that send a request byte for byte, bound the time of a whole answer and see what follows a 204.

The libraries below them bound each wait on a socket, so an answer that trickles may take for ever; they normalise
paths, take 103 for an answer, and trust a 204 to have no content, so that bytes which a target sends all the same
would be lost, or be taken for the beginning of the next answer. Everything else is theirs: proxies, TLS, pooling.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import logging
import selectors
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from conformance.client import halting, names

CONNECT_SECONDS = 10.0

SLICE_SECONDS = 0.2
"""How long a wait for an answer may last before somebody looks whether the run is to stop."""

GRACE_SECONDS = 0.1
"""How long content that a 204 announces, or that may precede the end of its connection, may take to arrive."""

IDLE_SECONDS = 4.0
"""A connection idle for longer is not used again: servers close theirs after five seconds and more, and a close that
crosses a request loses the answer."""

MOST_STRAY_BYTES = 65536
PIECE_BYTES = 16 * 1024

# What urllib3 logs of a target's header section and of a request's URL has not passed redaction.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


SELECTOR: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)


@dataclass(slots=True)
class RequestInFlight:
    """The request that is under way. A thread sends one at a time, so its connections share one of these.

    Attributes:
        url: as it was asked for; the request line carries just that.
        deadline: reading of the monotonic clock by which the whole answer must have come.
        cut_short: the answer came before the request was sent in full.
        patience: seconds that the answer may take after the run was asked to stop.
        certificates: host and port of a URL -> the certificate that was shown there last.
    """

    url: str = ""
    deadline: float = 0.0
    cut_short: bool = False
    patience: float = 0.0
    certificates: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def target(self, proposed: str) -> str:
        """The request target: in absolute form for a proxy, as ``proposed``, else in origin form (RFC 9112, 3.2)."""
        return f"/{self.url.split('/', 3)[3]}" if proposed.startswith("/") else self.url

    def left(self) -> float:
        """Seconds until the deadline.

        Raises:
            TimeoutError: it has passed.
            Stopped: the run is to stop.
        """
        halting.check(self.patience)
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the answer is over")
        return left


class Incoming(io.RawIOBase):
    """What a socket receives, never waiting beyond its deadline."""

    def __init__(self, connection: socket.socket, raw: io.RawIOBase, in_flight: RequestInFlight) -> None:
        super().__init__()
        self._connection = connection
        self._raw = raw  # keeps the socket open until it is closed itself
        self._in_flight = in_flight
        self._until: float | None = None

    def readable(self) -> bool:
        """As :class:`io.RawIOBase` asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive once, or raise what the socket raises when nothing comes in time."""
        while True:
            wait = self._wait()
            self._connection.settimeout(min(wait, SLICE_SECONDS))
            try:
                return self._connection.recv_into(buffer)
            except TimeoutError:
                if wait <= SLICE_SECONDS:
                    raise

    def _wait(self) -> float:
        left = self._in_flight.left()
        return left if self._until is None else max(0.0, min(left, self._until - time.monotonic()))

    @contextlib.contextmanager
    def hurried(self, seconds: float) -> Iterator[None]:
        """Within the context, wait for so long at most; not at all with 0."""
        self._until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._until = None

    def close(self) -> None:
        """Let the socket go."""
        self._raw.close()
        super().close()


class WireResponse(http.client.HTTPResponse):
    """A response read within the deadline.

    Attributes:
        stray: the bytes after the header section of a 204.
        surplus: the target sent more than the answer that it declared: where the next one begins is anybody's guess.
    """

    def __init__(self, sock: socket.socket, *args: Any, in_flight: RequestInFlight, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._in_flight = in_flight
        self._incoming = Incoming(sock, self.fp.detach(), in_flight)
        self.fp = io.BufferedReader(self._incoming)
        self.stray = b""
        self.surplus = False

    def _read_status(self) -> tuple[str, int, str]:
        """The status line of the final answer: any number of interim ones may precede it (RFC 9110, 15.2)."""
        version, status, reason = super()._read_status()  # type: ignore[misc]  # http.client's own step
        while 100 <= status < 200 and status != http.client.SWITCHING_PROTOCOLS:
            http.client.parse_headers(self.fp)
            version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, status, reason

    def begin(self) -> None:
        """Read the status line and header section; of a 204 also what follows it."""
        super().begin()
        if self.status == http.client.NO_CONTENT:
            length = self.headers.get("Content-Length", "0").strip()
            announced = length not in {"", "0"} or "Transfer-Encoding" in self.headers
            self.stray = self._what_follows(GRACE_SECONDS if announced or self.will_close else 0.0)
            self.surplus = announced or bool(self.stray)
            self.chunked, self.length = False, 0
        if self._in_flight.cut_short:
            self.surplus = True

    def _what_follows(self, seconds: float) -> bytes:
        collected = b""
        with self._incoming.hurried(seconds), contextlib.suppress(OSError):
            while len(collected) < MOST_STRAY_BYTES:
                piece = self.fp.read1(MOST_STRAY_BYTES)
                if not piece:
                    break
                collected += piece
        return collected

    def _close_conn(self) -> None:
        """The answer is complete: note whether more has come than that, before the buffer is lost."""
        with self._incoming.hurried(0), contextlib.suppress(OSError, ValueError):
            self.surplus = self.surplus or (not self.will_close and bool(self.fp.peek(1)))
        super()._close_conn()  # type: ignore[misc]  # http.client's own step


class WireConnection(HTTPConnection):
    """A plain connection for the request under way."""

    def __init__(self, *args: Any, in_flight: RequestInFlight, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_flight = in_flight
        self._used = time.monotonic()
        self.response_class = functools.partial(WireResponse, in_flight=in_flight)  # type: ignore[assignment]

    @property
    def is_connected(self) -> bool:
        """It may be used for another request."""
        return super().is_connected and time.monotonic() - self._used < IDLE_SECONDS

    def _new_conn(self) -> socket.socket:
        """Look the host up and connect, in the time that is left for all its addresses together."""
        host = self._dns_host
        found = names.places(host, self.port, self._in_flight.left)
        self.timeout = min(CONNECT_SECONDS, self._in_flight.left()) / len(found)
        try:
            for self._dns_host in found[:-1]:
                with contextlib.suppress(urllib3.exceptions.HTTPError):
                    return super()._new_conn()
            self._dns_host = found[-1]
            return super()._new_conn()
        finally:
            self._dns_host = host

    def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        """Begin the request with the target as it was asked for, not as it was normalised on the way."""
        super().putrequest(method, self._in_flight.target(url), *args, **kwargs)

    def send(self, data: Any) -> None:
        """Send within the deadline, and no further once the answer is there (RFC 9112, 9.3).

        Raises:
            BrokenPipeError: the answer is there already; urllib3 then goes on to read it.
        """
        if self.sock is None:
            self.connect()
        pieces = memoryview(data)
        while pieces:
            piece, pieces = pieces[:PIECE_BYTES], pieces[PIECE_BYTES:]
            if isinstance(self.sock, socket.socket) and not isinstance(self.sock, ssl.SSLSocket):
                self._push(piece)
            else:  # TLS offers no look ahead
                self.sock.settimeout(self._in_flight.left())
                self.sock.sendall(piece)

    def _push(self, piece: memoryview) -> None:
        watched = True
        while piece:
            left = self._in_flight.left()
            readable, writable = _ready(self.sock, min(left, SLICE_SECONDS), watch=watched)
            if readable:
                if self._answered():
                    self._in_flight.cut_short = True
                    raise BrokenPipeError("the answer came before the request was sent in full")
                watched = False  # an interim answer, or the end: sending will say which
            if writable:
                self.sock.settimeout(left)
                piece = piece[self.sock.send(piece) :]

    def _answered(self) -> bool:
        try:
            head: bytes = self.sock.recv(10, socket.MSG_PEEK)
        except OSError:
            return False
        return head.startswith(b"HTTP/1.") and head[9:10] not in {b"", b"1"}

    def getresponse(self) -> Any:
        """The answer's head, and the rest to be read from it."""
        answer = super().getresponse()
        self._used = time.monotonic()
        return answer


def _ready(connection: socket.socket, seconds: float, *, watch: bool) -> tuple[bool, bool]:
    """Whether there is something to read, if that is watched, and room to write; any number of files may be open."""
    with SELECTOR() as selector:
        selector.register(connection, selectors.EVENT_WRITE | (selectors.EVENT_READ if watch else 0))
        events = next((mask for _, mask in selector.select(seconds)), 0)
    return bool(events & selectors.EVENT_READ), bool(events & selectors.EVENT_WRITE)


class WireConnectionTLS(WireConnection, HTTPSConnection):
    """The same over TLS."""

    def connect(self) -> None:
        """Connect, and keep the certificate that was accepted; nothing is known of one that was not verified."""
        super().connect()
        self._in_flight.certificates[urlsplit(self._in_flight.url).netloc] = (
            getattr(self.sock, "getpeercert", dict)() or {}
        )


class WirePool(HTTPConnectionPool):
    """A pool of :class:`WireConnection`."""

    ConnectionCls = WireConnection


class WirePoolTLS(HTTPSConnectionPool):
    """A pool of :class:`WireConnectionTLS`."""

    ConnectionCls = WireConnectionTLS


class WireAdapter(HTTPAdapter):
    """The adapter that every request of the suite passes: no retries, no redirects, one request at a time."""

    def __init__(self) -> None:
        self._in_flight = RequestInFlight()
        super().__init__(pool_connections=4, pool_maxsize=4, max_retries=0)

    def travel(
        self, request: requests.PreparedRequest, seconds: float, patience: float = 0.0, **settings: Any
    ) -> requests.Response:
        """Send a request; its whole answer, the content too, must have come within ``seconds``.

        Args:
            patience: seconds that the answer may take after the run was asked to stop.
        """
        self._in_flight.patience = patience
        self._in_flight.url, self._in_flight.cut_short = str(request.url), False
        self._in_flight.deadline = time.monotonic() + seconds
        return self.send(request, stream=True, timeout=(min(CONNECT_SECONDS, seconds), seconds), **settings)

    def certificate(self, url: str) -> Mapping[str, Any]:
        """The certificate that the service at ``url`` showed last, as :meth:`ssl.SSLSocket.getpeercert` gives it."""
        return self._in_flight.certificates.get(urlsplit(url).netloc, {})

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Let the pools make wire connections."""
        super().init_poolmanager(*args, **kwargs)
        self._use_wire_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        self._use_wire_pools(manager)
        return manager

    def _use_wire_pools(self, manager: PoolManager) -> None:
        plain: Any = functools.partial(WirePool, in_flight=self._in_flight)
        secure: Any = functools.partial(WirePoolTLS, in_flight=self._in_flight)
        manager.pool_classes_by_scheme = {"http": plain, "https": secure}

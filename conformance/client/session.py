"""One request in, one recorded exchange out: paced, bounded in time and size, never redirected, never retried."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import itertools
import os
import ssl
import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Self, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from urllib3.util import SKIP_HEADER

from conformance import __version__
from conformance.client import halting
from conformance.client.breaker import Breaker
from conformance.client.content import content
from conformance.client.failure import own, shortened, why
from conformance.client.outgoing import Outgoing
from conformance.client.pace import Pacer
from conformance.client.stopwatch import Stopwatch, Wait
from conformance.client.wire import WireAdapter, WireResponse
from conformance.errors import Exhausted
from conformance.evidence import Exchange, Recorder, Redactor, Request, Response
from conformance.identity import Tls

SKIPPABLE = frozenset({"accept-encoding", "user-agent"})
"""Fields that the libraries below would add of their own."""

DAY_SECONDS = 86400.0
"""The longest time for an answer that every platform's sockets can count."""

ALLOCATION, ALLOCATION_SECONDS = "allocateAddress", 5.0
"""When the run is asked to stop, the answer to an allocation under way is worth waiting so long for: else nobody knows
what was made. All else is abandoned."""

REMEDY = "raise the limit of open files (ulimit -n), or use fewer workers (-n)"
USER_AGENT = f"ip-association-conformance/{__version__}"
# No ValueError: what the libraries below make of a strange answer is one of these, all else is a mistake of our own.
LOSSES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)

READS_OF_LATE = 15

READ_CONNECTIONS = 4
"""The reads of a thread take turns on so many: behind a balancer that spreads connections, one shows one replica."""


class Session:
    """A connection pool with a recorder. Threads may share it: each has connections of its own."""

    def __init__(
        self,
        recorder: Recorder,
        redactor: Redactor,
        pacer: Pacer,
        stopwatch: Stopwatch,
        breaker: Breaker,
        timeout_seconds: float,
        tls: Tls | None = None,
    ) -> None:
        self._recorder = recorder
        self._redactor = redactor
        self._pacer = pacer
        self._stopwatch = stopwatch
        self._timeout = min(timeout_seconds, DAY_SECONDS)
        self._tls = tls or Tls()
        self._breaker = breaker
        self._local = threading.local()
        self._surroundings: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._reads: deque[float] = deque(maxlen=READS_OF_LATE)

    @property
    def latency(self) -> float:
        """What a read took of late, the median, seconds; 0 while none was answered."""
        return statistics.median(self._reads or [0.0])

    def send(self, outgoing: Outgoing) -> Exchange:
        """Send once and record what came of it; a lost answer is an exchange without a response.

        Raises:
            Exhausted: this machine lacks what a request needs, so that nothing is known of the target.
            Stopped: the run is to stop; perhaps since the target answers no more.
        """
        exchange = self._sent(outgoing)
        if read := self._breaker.hear(outgoing, exchange):
            self._breaker.ask(read, exchange, self._heard)
            halting.check()
        return exchange

    def _heard(self, outgoing: Outgoing) -> Exchange:
        exchange = self._sent(outgoing)
        self._breaker.hear(outgoing, exchange)
        return exchange

    def _sent(self, outgoing: Outgoing) -> Exchange:
        patience = ALLOCATION_SECONDS if outgoing.operation == ALLOCATION else 0.0
        halting.check(patience)
        with self._turn():
            with self._lock:
                identifier = self._recorder.next_id()
            at, started = time.time(), time.monotonic()
            response, failure = self._answer(outgoing, patience)
            finished = time.monotonic()
        exchange = Exchange(
            id=identifier,
            operation=outgoing.operation,
            credential=outgoing.credential,
            request=self._as_evidence(outgoing),
            started=started,
            finished=finished,
            at=at,
            response=response,
            failure=failure,
        )
        with self._lock:
            self._recorder.record(exchange, removal=outgoing.removal)
            if outgoing.method == "GET" and response:
                self._reads.append(finished - started)
        return exchange

    def certificate_ends(self, url: str) -> float | None:
        """When the certificate that this thread was shown at ``url`` ends, seconds since the epoch; None for none."""
        ends = self._connections()[1][0].certificate(url).get("notAfter")
        return ssl.cert_time_to_seconds(ends) if ends else None

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with contextlib.ExitStack() as turn:
            with self._stopwatch.on(Wait.PACING):
                turn.enter_context(self._pacer.turn())
            with self._stopwatch.on(Wait.TARGET):
                yield

    def _answer(self, outgoing: Outgoing, patience: float) -> tuple[Response | None, str]:
        try:
            with _Answer(self._transmit(outgoing, patience)) as answer:
                body, truncated = content(answer.wire)
                return self._redacted(answer.wire, body, truncated=truncated), ""
        except LOSSES as error:
            if lacking := own(error):
                raise Exhausted(f"this machine lets the suite send nothing: {lacking.strerror}", REMEDY) from error
            return None, shortened(self._redactor.text(why(error, self._timeout)))

    def _transmit(self, outgoing: Outgoing, patience: float) -> requests.Response:
        """Hand the request to the adapter itself: a session would read and follow redirects, and keep cookies."""
        session, adapters = self._connections()
        adapter = adapters[next(self._local.turn) % READ_CONNECTIONS if outgoing.method == "GET" else 0]
        settings = self._settings(session, outgoing.url)
        return adapter.travel(_prepared(outgoing), self._timeout, patience, **settings)

    def _settings(self, session: requests.Session, url: str) -> dict[str, Any]:
        """Proxies and certificates that the surroundings ask for; they do not change while a run is under way."""
        origin = urlsplit(url)[:2]
        if origin not in self._surroundings:
            found = session.merge_environment_settings(url, {}, True, self._tls.verify, self._tls.cert)
            settings = {name: found[name] for name in ("proxies", "verify", "cert")}
            if settings["verify"] is True:  # as curl and OpenSSL take it, where nothing else is said
                settings["verify"] = os.environ.get("SSL_CERT_FILE") or True
            if loopback(url):
                settings["proxies"] = {}
            self._surroundings[origin] = settings
        return self._surroundings[origin]

    def _connections(self) -> tuple[requests.Session, tuple[WireAdapter, ...]]:
        if not hasattr(self._local, "adapters"):
            self._local.session, self._local.turn = requests.Session(), itertools.count()
            self._local.adapters = tuple(WireAdapter() for _ in range(READ_CONNECTIONS))
        return self._local.session, self._local.adapters

    def _redacted(self, answer: WireResponse, body: bytes, *, truncated: bool) -> Response:
        return Response(
            status=answer.status,
            reason=self._redactor.text(answer.reason or ""),
            headers=self._redactor.headers((name, str(value)) for name, value in answer.getheaders()),
            body=self._redactor.bytes(body),
            truncated=truncated,
        )

    def _as_evidence(self, outgoing: Outgoing) -> Request:
        headers = {name: value for name, value in {**_named(outgoing), **outgoing.shown}.items() if value is not None}
        return Request(
            method=outgoing.method,
            url=self._redactor.text(outgoing.shown_url or outgoing.url),
            headers=tuple((name, self._redactor.text(value)) for name, value in headers.items()),
            body=self._redactor.bytes(outgoing.body or b""),
            framing=outgoing.framing if outgoing.body is not None else "none",
        )


class _Answer:
    """An answer while it is read; its connection is kept only if the next answer's beginning is certain."""

    def __init__(self, answer: requests.Response) -> None:
        self._raw: Any = answer.raw
        self.wire: WireResponse = cast("WireResponse", self._raw._original_response)  # noqa: SLF001  # its only name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        complete = self.wire.status == http.client.NO_CONTENT or self.wire.isclosed()
        if complete and not self.wire.surplus:
            self.wire.close()
        else:
            self._raw.close()
        self._raw.release_conn()


def loopback(url: str) -> bool:
    """The host is this very machine, which no proxy could ask for us: NO_PROXY need not name it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _prepared(outgoing: Outgoing) -> requests.PreparedRequest:
    """The request as it is: ``requests`` would rewrite path and method, and add a Content-Length to a bare DELETE."""
    prepared = requests.PreparedRequest()
    prepared.method = outgoing.method
    prepared.url = outgoing.url
    prepared.hooks = requests.hooks.default_hooks()
    named = CaseInsensitiveDict(_named(outgoing))
    left_out = {name: SKIP_HEADER for name, value in named.items() if value is None and name.lower() in SKIPPABLE}
    kept = {name: value for name, value in named.items() if value is not None}
    prepared.headers = CaseInsensitiveDict({**kept, **left_out})
    if outgoing.body is not None and outgoing.framing == "content-length":
        prepared.headers.setdefault("Content-Length", str(len(outgoing.body)))
        prepared.body = outgoing.body
    elif outgoing.body is not None:
        prepared.body = _chunks(outgoing.body, outgoing.chunk_bytes)  # type: ignore[assignment]  # an iterator is sent chunked
    return prepared


def _named(outgoing: Outgoing) -> dict[str, str | None]:
    """Its fields, with the name that the suite goes by where it has no other and is not to go without one."""
    named = any(name.lower() == "user-agent" for name in outgoing.headers)
    return dict(outgoing.headers) if named else {**outgoing.headers, "User-Agent": USER_AGENT}


def _chunks(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))

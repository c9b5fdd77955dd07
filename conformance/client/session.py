"""One request in, one recorded exchange out: paced, bounded in time and size, never redirected, never retried."""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import requests
import urllib3
from requests.structures import CaseInsensitiveDict

from conformance import __version__
from conformance.client.pace import Pacer
from conformance.client.wire import WireAdapter, after_no_content
from conformance.evidence import Exchange, Recorder, Redactor, Request, Response

MOST_BODY_BYTES = 16 * 1024 * 1024
CHUNK_BYTES = 16 * 1024
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes out.

    Attributes:
        headers: all of them, secrets included.
        shown: header name -> what evidence shows in place of the value that is sent.
        body: None for no content; ``framing`` then is none.
        removal: it is a request to the operation under test.
    """

    operation: str
    method: str
    url: str
    credential: str
    headers: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    framing: str = "none"
    removal: bool = False


class Session:
    """A connection pool with a recorder. Threads may share it: each has connections of its own."""

    def __init__(self, recorder: Recorder, redactor: Redactor, pacer: Pacer, timeout_seconds: float) -> None:
        self._recorder = recorder
        self._redactor = redactor
        self._pacer = pacer
        self._timeout = timeout_seconds
        self._local = threading.local()
        self._lock = threading.Lock()

    def send(self, outgoing: Outgoing) -> Exchange:
        """Send once and record what came of it; a lost answer is an exchange without a response."""
        self._pacer.wait()
        with self._lock:
            identifier = self._recorder.next_id()
        at, started = time.time(), time.monotonic()
        response, failure = self._answer(outgoing, started + self._timeout)
        exchange = Exchange(
            id=identifier,
            operation=outgoing.operation,
            credential=outgoing.credential,
            request=self._as_evidence(outgoing),
            started=started,
            finished=time.monotonic(),
            at=at,
            response=response,
            failure=failure,
        )
        with self._lock:
            self._recorder.record(exchange, removal=outgoing.removal)
        return exchange

    def _answer(self, outgoing: Outgoing, deadline: float) -> tuple[Response | None, str]:
        try:
            with contextlib.closing(self._transmit(outgoing)) as answer:
                body, truncated = _content(answer, deadline)
                return self._redacted(answer, body, truncated=truncated), ""
        except _TooSlow:
            return None, f"timed out: the answer took longer than {self._timeout:g} s"
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return None, self._redactor.text(_why(error, self._timeout))

    def _transmit(self, outgoing: Outgoing) -> requests.Response:
        session = self._session()
        prepared = _prepared(outgoing)
        settings = session.merge_environment_settings(outgoing.url, {}, True, None, None)
        timeout = (min(CONNECT_SECONDS, self._timeout), self._timeout)
        return session.send(prepared, timeout=timeout, allow_redirects=False, **settings)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.mount("http://", WireAdapter())
            session.mount("https://", WireAdapter())
            session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
            self._local.session = session
        return self._local.session  # type: ignore[no-any-return]  # threading.local is untyped

    def _redacted(self, answer: requests.Response, body: bytes, *, truncated: bool) -> Response:
        return Response(
            status=answer.status_code,
            reason=self._redactor.text(answer.reason or ""),
            headers=self._redactor.headers(_fields(answer)),
            body=self._redactor.bytes(body),
            truncated=truncated,
        )

    def _as_evidence(self, outgoing: Outgoing) -> Request:
        headers = {**outgoing.headers, **outgoing.shown}
        return Request(
            method=outgoing.method,
            url=self._redactor.text(outgoing.url),
            headers=tuple((name, self._redactor.text(value)) for name, value in headers.items()),
            body=self._redactor.bytes(outgoing.body or b""),
            framing=outgoing.framing,
        )


class _TooSlow(Exception):  # noqa: N818  # says what happened, not that the suite erred
    pass


def _prepared(outgoing: Outgoing) -> requests.PreparedRequest:
    """The request byte for byte: ``requests`` would rewrite the path and add a Content-Length to a bare DELETE."""
    prepared = requests.PreparedRequest()
    prepared.method = outgoing.method
    prepared.url = outgoing.url
    prepared.hooks = requests.hooks.default_hooks()
    headers = {"User-Agent": f"ip-association-conformance/{__version__}", **outgoing.headers}
    prepared.headers = CaseInsensitiveDict(headers)
    if outgoing.body is not None and outgoing.framing == "content-length":
        prepared.headers.setdefault("Content-Length", str(len(outgoing.body)))
        prepared.body = outgoing.body
    elif outgoing.body is not None:
        prepared.body = _chunks(outgoing.body)  # type: ignore[assignment]  # an iterator is sent chunked
    elif outgoing.method not in {"GET", "DELETE"}:
        # RFC 9110, 8.6: a method that anticipates content says when there is none.
        prepared.headers["Content-Length"] = "0"
    else:
        prepared.body = None
    return prepared


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]


def _content(answer: requests.Response, deadline: float) -> tuple[bytes, bool]:
    """The content up to the client's limit, and whether there was more; never later than the deadline."""
    if answer.status_code == http.client.NO_CONTENT:
        return after_no_content(answer), False
    collected = bytearray()
    for piece in answer.raw.stream(65536, decode_content=True):
        collected += piece
        if len(collected) > MOST_BODY_BYTES:
            return bytes(collected[:MOST_BODY_BYTES]), True
        if time.monotonic() > deadline:
            raise _TooSlow
    return bytes(collected), False


def _fields(answer: requests.Response) -> list[tuple[str, str]]:
    return list(answer.raw.headers.iteritems())


def _why(error: Exception, timeout: float) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS failed: {_root_cause(error)}"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "timed out: no connection"
    if isinstance(error, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)):
        return f"timed out: no answer within {timeout:g} s"
    return f"{_root_cause(error)}"


def _root_cause(error: BaseException) -> str:
    """The innermost reason, without the layers that wrapped it."""
    seen = {id(error)}
    while True:
        inner = next((one for one in (error.__cause__, error.__context__, *error.args) if _is_new(one, seen)), None)
        reason = getattr(error, "reason", None)
        inner = reason if _is_new(reason, seen) else inner
        if not isinstance(inner, BaseException):
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        seen.add(id(inner))
        error = inner


def _is_new(candidate: object, seen: set[int]) -> bool:
    return isinstance(candidate, BaseException) and id(candidate) not in seen

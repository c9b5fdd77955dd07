"""Exchanges with the target, redacted at the moment of recording, and how to repeat them with curl.

An exchange is a request and its response, or a request and the reason why no response came. Nothing here judges.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
SHORTEST_PART = 12
"""Parts of a token shorter than this would redact ordinary words."""

KEPT_BODY_BYTES = 4096
"""How much of a body a report keeps; the whole is in memory only while it is judged."""

TOKEN_HEADER = "X-Auth-Token"  # noqa: S105  # the header's name


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was sent, without its secrets. ``framing`` is none, content-length or chunked."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    framing: str = "none"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it was received. ``body`` holds every byte after the header section, up to the client's limit."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    truncated: bool = False

    def header(self, name: str) -> str | None:
        """The value of a field, its lines joined with a comma (RFC 9110, 5.3); None when it is absent."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it.

    Attributes:
        id: unique in the run; a finding cites it.
        operation: the ``operationId`` of the OpenAPI document.
        credential: which credential was sent: full, restricted, foreign, none, or ``made up``.
        started, finished: readings of the monotonic clock, seconds.
        at: wall clock at the start, seconds since the epoch.
        response: None when the answer was lost; ``failure`` says why.
    """

    id: str
    operation: str
    credential: str
    request: Request
    started: float
    finished: float
    at: float
    response: Response | None = None
    failure: str = ""

    @property
    def status(self) -> int | None:
        """The code that was answered; None when the answer was lost."""
        return self.response.status if self.response else None

    @property
    def code(self) -> str:
        """The code as text, ``lost`` for none: the key under which it is counted."""
        return str(self.response.status) if self.response else "lost"

    @property
    def outcome(self) -> str:
        """What a reader calls it: the code, or why there is none."""
        return f"{self.code} {self.response.reason}".strip() if self.response else f"no answer ({self.failure})"

    def to_json(self) -> dict[str, Any]:
        """The exchange as the run document holds it, bodies cut to what a report keeps."""
        response = self.response and {
            "status": self.response.status,
            "reason": self.response.reason,
            "headers": [list(pair) for pair in self.response.headers],
            "body": body_as_json(self.response.body),
            "truncated": self.response.truncated,
        }
        return {
            "id": self.id,
            "operation": self.operation,
            "credential": self.credential,
            "at": self.at,
            "seconds": round(self.finished - self.started, 6),
            "request": {
                "method": self.request.method,
                "url": self.request.url,
                "headers": [list(pair) for pair in self.request.headers],
                "framing": self.request.framing,
                "body": body_as_json(self.request.body),
            },
            "response": response,
            "failure": self.failure,
        }


def body_as_json(body: bytes) -> dict[str, Any]:
    """A body for the run document: its size, and its beginning as text, or in base64 when it is none."""
    kept = body[:KEPT_BODY_BYTES]
    try:
        shown: dict[str, Any] = {"text": kept.decode("utf-8")}
    except UnicodeDecodeError:
        shown = {"base64": base64.b64encode(kept).decode("ascii")}
    return {"bytes": len(body), "kept": len(kept), **shown}


class Redactor:
    """Takes secrets out of everything that is recorded, in whatever spelling a target echoes them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {spelling for secret in secrets if secret for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)
        self._text = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if spellings else None
        self._bytes = re.compile(self._text.pattern.encode(), re.IGNORECASE) if self._text else None

    def text(self, value: str) -> str:
        """``value`` without the secrets."""
        return self._text.sub(REDACTED, value) if self._text else value

    def bytes(self, value: bytes) -> bytes:
        """``value`` without the secrets."""
        return self._bytes.sub(REDACTED.encode(), value) if self._bytes else value

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Header fields without the secrets, and cookies without their values."""
        return tuple(
            (name, REDACTED if name.lower() in {"cookie", "set-cookie"} else self.text(value)) for name, value in pairs
        )


def _spellings(secret: str) -> set[str]:
    """The secret, the parts of it that the suite sends as wrong tokens, and how a target may encode them."""
    parts = {secret, secret[:-1], secret[: len(secret) // 2]} if len(secret) >= SHORTEST_PART else {secret}
    return {spelling for part in parts for spelling in _encodings(part)}


def _encodings(secret: str) -> set[str]:
    raw = secret.encode()
    encoded = {base64.b64encode(raw), base64.urlsafe_b64encode(raw)}
    bare = {spelling.decode().rstrip("=") for spelling in encoded}
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], raw.hex(), *bare}


VARIABLES: Mapping[str, str] = {
    "full": "CONFORMANCE_TOKEN",
    "restricted": "CONFORMANCE_RESTRICTED_TOKEN",
    "foreign": "CONFORMANCE_FOREIGN_TOKEN",
}
"""Credential -> the environment variable that stands for it in evidence and in commands to reproduce it."""


def curl(exchange: Exchange) -> str:
    """A command that repeats the exchange, with the credential taken from the environment.

    A body that a command line cannot hold is read from a pipe that writes the same bytes.
    """
    request = exchange.request
    words = ["curl", "-i", "--path-as-is", "-X", shlex.quote(request.method)]
    for name, value in request.headers:
        words += ["-H", _curl_header(name, value)]
    if request.framing == "chunked":
        words += ["-H", shlex.quote("Transfer-Encoding: chunked")]
    source = ""
    if request.body:
        if _printable(request.body):
            words += ["--data-binary", shlex.quote(request.body.decode())]
        else:
            source = _pipe(request.body)
            words += ["--data-binary", "@-"]
    return source + " ".join([*words, shlex.quote(request.url)])


def _curl_header(name: str, value: str) -> str:
    if "$" in value and "CONFORMANCE_" in value:  # evidence shows a credential as the variable that holds it
        return f'"{name}: {value}"'
    return shlex.quote(f"{name}: {value}" if value else f"{name};")


def _printable(body: bytes) -> bool:
    return len(body) <= KEPT_BODY_BYTES and body.isascii() and not body.startswith(b"@") and b"\0" not in body


def _pipe(body: bytes) -> str:
    if len(body) > KEPT_BODY_BYTES:
        return f"head -c {len(body)} /dev/zero | "  # the size is what matters of a body this large
    return f"echo {base64.b64encode(body).decode()} | base64 -d | "


@dataclass(slots=True)
class Recorder:
    """Keeps the exchanges of the current test and counts those of the whole process.

    ``prefix`` makes identifiers unique among workers. Listeners see every exchange as it is recorded.
    """

    prefix: str = ""
    total: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    by_operation: Counter[str] = field(default_factory=Counter)
    removals_by_code: Counter[str] = field(default_factory=Counter)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    listeners: list[Callable[[Exchange], None]] = field(default_factory=list)

    def next_id(self) -> str:
        """The identifier of the exchange that is about to begin."""
        self.total += 1
        return f"{self.prefix}{self.total}"

    def record(self, exchange: Exchange, *, removal: bool) -> None:
        """Keep and count an exchange; ``removal`` says that it was a request to the operation under test."""
        self.exchanges[exchange.id] = exchange
        self.by_code[exchange.code] += 1
        self.by_operation[exchange.operation] += 1
        if removal:
            self.removals_by_code[exchange.code] += 1
        for listener in self.listeners:
            listener(exchange)

    def forget(self) -> None:
        """Drop the kept exchanges: their test has ended and its findings hold copies."""
        self.exchanges.clear()

"""Exchanges with the target, redacted at the moment of recording, and how to repeat them with curl.

An exchange is a request and its response, or a request and the reason why no response came. Nothing here judges.
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from typing import Any
from urllib.parse import quote, quote_plus

from conformance.tally import Tally

REDACTED = "[redacted]"
SHORTEST_DIVIDED = 12
"""Parts of a token shorter than this could be ordinary words: such a token is only looked for as a whole."""

LONGEST_NEEDED_RUN = 12
"""So many characters in a row of a token, of a shorter one the half, are no coincidence."""

SHORTEST_ENCODED = 4

GLOB = frozenset("[]{}")
"""In a URL, curl takes these for a pattern."""

LONGEST_ARGUMENT = 4096
"""Bytes of a body that stand in a command line as they are."""

COOKIES = frozenset({"cookie", "set-cookie"})

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
    """An answer as it was received.

    Attributes:
        body: every byte after the header section, up to the client's limit, without its compression.
        truncated: there was more than that.
        dropped: bytes that :meth:`Exchange.kept` took off the end of ``body``.
    """

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    truncated: bool = False
    dropped: int = 0

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

    def kept(self) -> Exchange:
        """The exchange with no more of the answer's body than a report keeps."""
        if self.response is None or len(self.response.body) <= KEPT_BODY_BYTES:
            return self
        body = self.response.body
        dropped = self.response.dropped + len(body) - KEPT_BODY_BYTES
        return replace(self, response=replace(self.response, body=body[:KEPT_BODY_BYTES], dropped=dropped))

    def to_json(self) -> dict[str, Any]:
        """The exchange as the run document holds it, bodies cut to what a report keeps."""
        response = self.response and {
            "status": self.response.status,
            "reason": self.response.reason,
            "headers": [list(pair) for pair in self.response.headers],
            "body": body_as_json(self.response.body, self.response.dropped),
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


def body_as_json(body: bytes, dropped: int = 0) -> dict[str, Any]:
    """A body for the run document: its size, and its beginning as text, or in base64 when it is none."""
    kept = body[:KEPT_BODY_BYTES]
    try:
        shown: dict[str, Any] = {"text": kept.decode("utf-8")}
    except UnicodeDecodeError:
        shown = {"base64": base64.b64encode(kept).decode("ascii")}
    return {"bytes": len(body) + dropped, "kept": len(kept), **shown}


class Redactor:
    """Takes secrets out of everything that is recorded, in whatever spelling and part a target echoes them.

    Any run of characters that is long enough to be told from an ordinary word counts as the secret: so the parts that
    the suite sends as wrong tokens, and a secret split over two fields, are found without being foreseen.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._rows: list[tuple[bytes, int]] = []
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Take these out from now on as well. Other threads may be at work: they see all rows of it or none."""
        rows = {*self._rows, *(row for secret in secrets if secret for row in _spellings(secret))}
        self._rows = sorted(rows, key=lambda row: len(row[0]), reverse=True)

    def text(self, value: str) -> str:
        """``value`` without the secrets."""
        raw = value.encode("utf-8", "surrogatepass")
        clean = self.bytes(raw)
        return value if clean is raw else clean.decode("utf-8", "surrogatepass")

    def bytes(self, value: bytes) -> bytes:
        """``value`` without the secrets; the same object when there are none in it."""
        lowered = value.lower()
        runs = sorted(run for spelling, shortest in self._rows for run in _runs(lowered, spelling, shortest))
        if not runs:
            return value
        pieces, end = [], 0
        for start, stop in runs:
            if start >= end:
                pieces += [value[end:start], REDACTED.encode()]
            end = max(end, stop)
        return b"".join([*pieces, value[end:]])

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Header fields without the secrets, and cookies without their values."""
        return tuple(
            (self.text(name), REDACTED if name.lower() in COOKIES else self.text(value)) for name, value in pairs
        )


def _spellings(secret: str) -> Iterator[tuple[bytes, int]]:
    """How a target may encode a secret, in lower case, and how long a run of it must be to be taken out."""
    raw = secret.encode()
    divided = len(raw) >= SHORTEST_DIVIDED
    run = min(LONGEST_NEEDED_RUN, (len(raw) + 1) // 2) if divided else len(raw)
    for spelling in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], html.escape(secret)):
        yield spelling.lower().encode(), run if divided else len(spelling)
    yield raw.hex().encode(), 2 * run
    for shift in range(3):  # a secret stands at any offset in what was encoded, such as a user's name and password
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(bytes(shift) + raw).rstrip(b"=")
            shared_end = 1 if (len(raw) + shift) % 3 else 0
            own = encoded[shift + 1 if shift else 0 : len(encoded) - shared_end].lower()
            if len(own) >= SHORTEST_ENCODED:
                yield own, min(len(own), run * 4 // 3)


def _runs(text: bytes, spelling: bytes, shortest: int) -> Iterator[tuple[int, int]]:
    """Where ``shortest`` or more characters in a row of ``spelling`` stand in ``text``.

    Every such run contains one of the anchors that are looked for, whose distance is chosen so.
    """
    length = (shortest + 1) // 2
    for offset in range(0, len(spelling) - length + 1, shortest - length + 1):
        anchor = spelling[offset : offset + length]
        at = text.find(anchor)
        while at >= 0:
            start, stop = _widened(text, at, spelling, offset, length)
            long_enough = stop - start >= shortest
            if long_enough:
                yield start, stop
            at = text.find(anchor, stop if long_enough else at + 1)


def _widened(text: bytes, at: int, spelling: bytes, offset: int, length: int) -> tuple[int, int]:
    """The longest run around ``text[at : at + length]`` that agrees with ``spelling`` around ``offset``."""
    before = 0
    while before < min(at, offset) and text[at - before - 1] == spelling[offset - before - 1]:
        before += 1
    after = length
    while at + after < len(text) and offset + after < len(spelling) and text[at + after] == spelling[offset + after]:
        after += 1
    return at - before, at + after


VARIABLES: Mapping[str, str] = {
    "full": "CONFORMANCE_TOKEN",
    "restricted": "CONFORMANCE_RESTRICTED_TOKEN",
    "foreign": "CONFORMANCE_FOREIGN_TOKEN",
}
"""Credential -> the environment variable that stands for it in evidence and in commands to reproduce it."""

EXPANSION = re.compile(r"\$(?:CONFORMANCE_(?:\w+_)?TOKEN\b|\{CONFORMANCE_(?:\w+_)?TOKEN(?:%\?|:0:\d+|~~)?\})", re.ASCII)
"""The shell expressions that evidence shows in place of a credential or of a part of one."""

CONTENT_EXPECTED = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say Content-Length: 0 when there is no content (RFC 9110, 8.6); ``curl -X`` does not."""


def curl(exchange: Exchange) -> str:
    """A command for bash that repeats the exchange, with the credential taken from the environment.

    What curl would add of its own (a media type, a wish to be asked to continue) is taken back. A body that a command
    line cannot hold is read from a pipe that writes the same bytes.
    """
    request = exchange.request
    words = ["curl", "-i", "--path-as-is", "-X", _quoted(request.method)]
    words += ["--globoff"] if GLOB & set(request.url) else []
    for name, value in request.headers:
        words += ["-H", _quoted(f"{name}: {value}" if value.strip() else f"{name};")]
    source = ""
    if request.framing != "none":
        source, content = _content(request)
        words += content
    elif request.method in CONTENT_EXPECTED:
        words += ["-H", "'Content-Length: 0'"]
    return source + " ".join([*words, _quoted(request.url)])


def _content(request: Request) -> tuple[str, list[str]]:
    """A pipe that writes the body, or nothing, and curl's arguments to send it."""
    named = {name.lower() for name, _ in request.headers}
    words = [] if "content-type" in named else ["-H", "'Content-Type:'"]
    words += ["-H", "'Expect:'"]
    if request.framing == "chunked":
        words += ["-H", "'Transfer-Encoding: chunked'"]
    body = request.body
    if len(body) <= LONGEST_ARGUMENT and body.isascii() and not body.startswith(b"@") and b"\0" not in body:
        return "", [*words, "--data-binary", shlex.quote(body.decode())]
    return _pipe(body), [*words, "--data-binary", "@-"]


def _quoted(word: str) -> str:
    """A shell word; the expressions that stand for a credential are left to the shell to expand."""
    if not EXPANSION.search(word):
        return shlex.quote(word)
    literal = [re.sub(r'([\\"`$])', r"\\\1", part) for part in EXPANSION.split(word)]
    return '"' + "".join(chain.from_iterable(zip_longest(literal, EXPANSION.findall(word), fillvalue=""))) + '"'


def _pipe(body: bytes) -> str:
    """A command that writes the body; one that repeats itself is not written out."""
    period = (body + body).find(body, 1)
    if period == len(body):
        return f"echo {base64.b64encode(body).decode()} | base64 -d | "
    pattern = base64.b64encode(body[:period] * 3).decode()  # of a length that base64 needs no padding for
    return f"yes {pattern} | tr -d '\\n' | base64 -d | head -c {len(body)} | "


def allocated(exchange: Exchange) -> str:
    """The ID that an allocation was answered with; empty if it cannot be told."""
    document = exchange.response.json() if exchange.response else None
    address = document.get("ip_address") if isinstance(document, Mapping) else None
    identifier = address.get("id") if isinstance(address, Mapping) else None
    return identifier if isinstance(identifier, str) else ""


@dataclass(slots=True)
class Recorder:
    """Keeps the exchanges of the current test, their bodies cut, and counts those of the whole process.

    ``prefix`` makes identifiers unique among workers. Listeners see every exchange as it is recorded. ``origins`` holds
    the exchange that allocated an address, by its ID: who repeats a finding later needs an address of their own.
    """

    prefix: str = ""
    total: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    by_operation: Counter[str] = field(default_factory=Counter)
    removals_by_code: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    origins: dict[str, Exchange] = field(default_factory=dict)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    listeners: list[Callable[[Exchange], None]] = field(default_factory=list)

    def next_id(self) -> str:
        """The identifier of the exchange that is about to begin."""
        self.total += 1
        return f"{self.prefix}{self.total}"

    def record(self, exchange: Exchange, *, removal: bool) -> None:
        """Keep and count an exchange; ``removal`` says that it was a request to the operation under test."""
        self.exchanges[exchange.id] = exchange.kept()
        self.by_code[exchange.code] += 1
        self.by_operation[exchange.operation] += 1
        if removal:
            self.removals_by_code[exchange.code] += 1
        self._tell(exchange, removal=removal)
        for listener in self.listeners:
            listener(exchange)

    def _tell(self, exchange: Exchange, *, removal: bool) -> None:
        request, granted = exchange.request, exchange.status is not None and 200 <= exchange.status < 300
        if exchange.response:
            self.tally.answered(exchange.operation, exchange.finished - exchange.started)
        if removal:
            self.tally.removal(request.url, exchange.credential, request.framing, exchange.code)
        elif exchange.operation == "associate" and granted:
            self.tally.associated(request.url)
        elif exchange.operation == "allocateAddress" and granted and (identifier := allocated(exchange)):
            self.origins[identifier] = exchange.kept()

    def forget(self) -> None:
        """Drop the kept exchanges: their test has ended and its findings hold copies."""
        self.exchanges.clear()

"""A request and what came of it, as evidence: nothing in it is a secret."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, replace
from typing import Any

KEPT_BODY_BYTES = 4096
"""How much of a body a report keeps; the whole is in memory only while it is judged."""


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
        pages: how many exchanges a list was put together from; it is no view of one moment if there are several.
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
    pages: int = 1

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
                "body": body_as_json(self.request.body) | _packed(self.request.body),
            },
            "response": response,
            "failure": self.failure,
        }


def _packed(body: bytes) -> dict[str, str]:
    """The whole of a request's body that is longer than what is kept, if it packs well: who repeats it needs it."""
    if len(body) <= KEPT_BODY_BYTES:
        return {}
    packed = base64.b64encode(zlib.compress(body, 9)).decode("ascii")
    return {"zlib": packed} if len(packed) <= KEPT_BODY_BYTES else {}


def body_as_json(body: bytes, dropped: int = 0) -> dict[str, Any]:
    """A body for the run document: its size, and its beginning as text, or in base64 when it is none."""
    kept = body[:KEPT_BODY_BYTES]
    try:
        shown: dict[str, Any] = {"text": kept.decode("utf-8")}
    except UnicodeDecodeError:
        shown = {"base64": base64.b64encode(kept).decode("ascii")}
    return {"bytes": len(body) + dropped, "kept": len(kept), **shown}

"""What the deployment reads and writes: a request, an answer, a refusal.

A request is kept as it came: the path undecoded beside the decoded segments, the framing of the body beside
its bytes. Nothing here decides whether any of it is right.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from cheroot.errors import MaxSizeExceeded

from conformance.reference.store import Caller

ABSOLUTE = re.compile(r"^https?://[^/?]*", re.IGNORECASE)
BODY_LIMIT = 16 * 1024 * 1024
ERROR_NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflict",
    413: "overLimit",
    500: "computeFault",
    503: "serviceUnavailable",
}
Headers = tuple[tuple[str, str], ...]


class Refusal(Exception):
    """A step will not go on; the client gets ``code`` and ``message``."""

    def __init__(self, code: int, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.code, self.message, self.headers = code, message, headers


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: ``document`` is sent as JSON unless ``content`` holds bytes to send as they are.

    Its length is declared only if it is ``sized``.
    """

    code: int
    document: Any = None
    headers: Headers = ()
    content: bytes | None = None
    sized: bool = True

    @property
    def status(self) -> str:
        """The status line's code and phrase."""
        try:
            return f"{self.code} {HTTPStatus(self.code).phrase}"
        except ValueError:
            return f"{self.code} Unassigned"

    @property
    def payload(self) -> bytes | None:
        """The bytes to send, or ``None`` for an answer without content."""
        if self.content is not None or self.document is None:
            return self.content
        return json.dumps(self.document).encode()


@dataclass(slots=True)
class Path:
    """Where a request goes: the kind of resource, and the identifiers of its path, decoded once."""

    resource: str
    server: str = ""
    address: str = ""


class ReceivedRequest:
    """One request as it arrived; ``caller`` is set once it is authenticated, ``path`` once it is located."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        origin_form = ABSOLUTE.sub("", environ["REQUEST_URI"])
        self.raw_path, _, self.query = origin_form.partition("?")
        self.caller = Caller(tenant="")
        self.path = Path("nowhere")

    def header(self, name: str) -> str | None:
        """Give a header's value, ``None`` without it."""
        value: str | None = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return value

    @property
    def token(self) -> str | None:
        """The credential that the request carries."""
        return self.header("X-Auth-Token")

    @property
    def removal(self) -> bool:
        """Whether this is a request to the operation itself."""
        return self.method == "DELETE" and self.path.resource == "association"

    @property
    def media_type(self) -> str:
        """The declared media type of the body in lower case, without parameters; empty without one."""
        return str(self.environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()

    @property
    def chunked(self) -> bool:
        """Whether the body is framed in chunks."""
        return bool(self.environ.get("wsgi.input_terminated"))

    @property
    def declared_length(self) -> int:
        """The value of ``Content-Length``, 0 without it."""
        return int(self.environ.get("CONTENT_LENGTH") or 0)

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The query's parameters, decoded."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path's segments, each decoded once, so that an encoded slash stays inside its segment."""
        return tuple(unquote(segment, errors="replace") for segment in self.raw_path.split("/")[1:])

    @cached_property
    def body(self) -> bytes | None:
        """The body, read to its end; ``None`` if it is cut off, over the limit or framed in no known way."""
        if self.header("Transfer-Encoding") and not self.chunked:
            return None
        if not self.chunked and not self.declared_length:
            return b""
        if not 0 <= self.declared_length <= BODY_LIMIT:
            return None
        try:
            return self._read()
        except (OSError, ValueError, MaxSizeExceeded):
            return None

    def _read(self) -> bytes | None:
        stream = self.environ["wsgi.input"]
        body: bytes = stream.read() if self.chunked else stream.read(self.declared_length)
        if self.chunked and hasattr(stream, "read_trailer_lines"):
            list(stream.read_trailer_lines())
        return body if self.chunked or len(body) == self.declared_length else None

    def document(self) -> Any:
        """Give the body as JSON.

        Raises:
            Refusal: 400, the body is no JSON.
        """
        try:
            return json.loads(self.body or b"")
        except (ValueError, RecursionError):
            raise Refusal(400, "the body is no JSON") from None


@dataclass(frozen=True, slots=True)
class Page:
    """How a resource is written: its path's segments, ``{server}`` and ``{address}`` for identifiers."""

    resource: str
    side: str
    template: tuple[str, ...] = field(default=())

    def match(self, segments: tuple[str, ...]) -> Path | None:
        """Give the identifiers that the segments hold, ``None`` if they lead elsewhere."""
        if len(segments) != len(self.template):
            return None
        path = Path(self.resource)
        for expected, segment in zip(self.template, segments, strict=True):
            if expected == "{server}":
                path.server = segment
            elif expected == "{address}":
                path.address = segment
            elif expected != segment:
                return None
        return path

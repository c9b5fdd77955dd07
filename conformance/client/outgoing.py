"""A request as it goes out, secrets included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CHUNK_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it goes out.

    Attributes:
        headers: all of them, secrets included; None leaves out one that would be sent otherwise.
        shown: header name -> what evidence shows in place of the value that is sent.
        shown_url: what evidence shows in place of the URL; empty for the URL itself.
        body: None for no content; ``framing`` then is none.
        removal: it is a request to the operation under test.
    """

    operation: str
    method: str
    url: str
    credential: str
    headers: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    shown: Mapping[str, str] = field(default_factory=dict)
    shown_url: str = ""
    body: bytes | None = None
    framing: str = "none"
    chunk_bytes: int = CHUNK_BYTES
    removal: bool = False

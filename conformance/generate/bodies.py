"""Request bodies of any size, media type and framing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis import strategies as st

SHOWN_BYTES = 60
LARGEST_GENERATED = 64 * 1024

MEDIA_TYPES = (
    None,
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/merge-patch+json",
    "nonsense",
)

JSON_BODIES = (
    b"{}",
    b"null",
    b"[]",
    b'""',
    b"0",
    b'{"ip_association": {}}',
    b'{"ip_association": null}',
    b'{"ip_address": {"port_ids": []}}',
    b'{"force": true}',
    b'{"unclosed": ',
)
"""What a client of the neighbouring operations might send by mistake, and what is no JSON at all."""


@dataclass(frozen=True, slots=True)
class Body:
    """``pattern`` repeated ``times``, so that a large body has a short name."""

    pattern: bytes
    times: int = 1
    media_type: str | None = None
    framing: str = "content-length"

    @property
    def content(self) -> bytes:
        """The bytes that are sent."""
        return self.pattern * self.times

    def variation(self) -> dict[str, Any]:
        """The arguments of a removal that sends this body."""
        headers = {"Content-Type": self.media_type} if self.media_type else {}
        return {"body": self.content, "framing": self.framing, "headers": headers}

    def __str__(self) -> str:
        size = len(self.pattern) * self.times
        shown = repr(self.content[:SHOWN_BYTES])[1:] + ("..." if size > SHOWN_BYTES else "")
        return f"a body of {size} bytes, {self.media_type or 'no media type'}, {self.framing}: {shown}"


def bodies(framing: str) -> st.SearchStrategy[Body]:
    """Bodies with at least one byte: small ones of every kind, repeated up to 64 KiB."""
    from hypothesis import strategies as st  # noqa: PLC0415  # only when something is generated

    patterns = (
        st.sampled_from(JSON_BODIES)
        | st.binary(min_size=1, max_size=64)
        | st.text(min_size=1, max_size=32).map(str.encode)
    )
    times = st.just(1) | st.sampled_from([2, 100, 1000]).filter(lambda times: times * 64 <= LARGEST_GENERATED)
    return st.builds(Body, patterns, times, st.sampled_from(MEDIA_TYPES), st.just(framing))


def rows(framing: str) -> list[dict[str, Body]]:
    """Bodies that are always tried: one byte, what clients really send, and sizes around usual buffers."""
    chosen = (
        Body(b"x", 1, None, framing),
        Body(b"{}", 1, "application/json", framing),
        Body(b'{"ip_association": {}}', 1, "application/json", framing),
        Body(b"a=b", 1, "application/x-www-form-urlencoded", framing),
        Body(b"\0", 1, "application/octet-stream", framing),
        Body(b"x", 4096, "text/plain", framing),
        Body(b"x", 66_000, "application/octet-stream", framing),
        Body(b"x", 1_100_000, "application/octet-stream", framing),
    )
    return [{"body": body} for body in chosen]

"""``response.*``: a 204 ends with its header section (RFC 9110, 15.3.5; RFC 9112, 6.1 and 6.3)."""

from __future__ import annotations

from conformance.evidence import Exchange, Response
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling

CLAUSE = "response.no-content"


def no_content(exchange: Exchange) -> Ruling | None:
    """``response.no-content``: no body bytes, no non-zero Content-Length, no Transfer-Encoding.

    None if there is no 204, or where another answer follows it.
    """
    if exchange.response is None or exchange.response.status != 204 or _is_answered_twice(exchange):
        return None
    faults = _faults(exchange.response)
    if not faults:
        return kept(CLAUSE)
    return broken(
        CLAUSE,
        "content",
        summary="a 204 carries content",
        expected="the header section and nothing after it: no Transfer-Encoding, no Content-Length but 0",
        observed="; ".join(faults),
        exchanges=[exchange],
    )


def _is_answered_twice(exchange: Exchange) -> bool:
    """Content that the target leaves unread is taken for the next request: what follows is the answer to that one."""
    response = exchange.response
    sent = exchange.request.framing != "none"
    return sent and response is not None and response.body.startswith(b"HTTP/1.")


def _faults(response: Response) -> list[str]:
    length = response.header("Content-Length")
    coding = response.header("Transfer-Encoding")
    return [
        *([f"Content-Length: {length}"] if length is not None and length.strip(" 0,") else []),
        *([f"Transfer-Encoding: {coding}"] if coding is not None else []),
        *([f"{len(response.body)} bytes after the header section"] if response.body else []),
    ]

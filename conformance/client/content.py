"""The content of an answer: read within a limit, its compression undone within the same limit."""

from __future__ import annotations

import http.client
import zlib

from conformance.client.wire import WireResponse

MOST_BODY_BYTES = 4 * 1024 * 1024
"""An address in the tenant's list takes 400 bytes: room for ten thousand of them."""

PIECE_BYTES = 65536

EITHER_WRAPPER = zlib.MAX_WBITS | 32
"""Let zlib tell gzip from zlib by the first bytes."""


def content(answer: WireResponse) -> tuple[bytes, bool]:
    """Every byte of the content up to the limit, and whether there was more.

    Raises:
        http.client.HTTPException: the framing is broken, or the connection ended before the declared length.
        OSError: the connection broke, or the time was over.
    """
    if answer.status == http.client.NO_CONTENT:
        return answer.stray, False
    collected = bytearray()
    while len(collected) <= MOST_BODY_BYTES and (piece := answer.read(PIECE_BYTES)):
        collected += piece
    if len(collected) > MOST_BODY_BYTES:
        return _decoded(bytes(collected[:MOST_BODY_BYTES]), answer)[0], True
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return _decoded(bytes(collected), answer)


def _decoded(body: bytes, answer: WireResponse) -> tuple[bytes, bool]:
    """The content without its compression, which nobody asked for; as it is when it cannot be undone."""
    coding = answer.headers.get("Content-Encoding", "").strip().lower()
    if coding not in {"gzip", "x-gzip", "deflate"}:
        return body, False
    decoder = zlib.decompressobj(EITHER_WRAPPER)
    try:
        decoded = decoder.decompress(body, MOST_BODY_BYTES)
    except zlib.error:
        return body, False
    return decoded, bool(decoder.unconsumed_tail)

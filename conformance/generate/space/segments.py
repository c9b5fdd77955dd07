"""Path segments that leave a request one to the operation (decisions 7 and 22)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from conformance.generate.space.value import Value
from conformance.judge.oracle import Expected

LONGEST_SEGMENT_BYTES = 255
FORBIDDEN = frozenset({"Cc", "Zl", "Zp", "Cs"})


def encoded(text: str) -> str:
    """The text as one segment."""
    return quote(text, safe="")


def addresses_the_operation(segment: str) -> bool:
    """Neither empty, nor dots, a slash, a control character or too long, even if it is decoded twice."""
    once = unquote_to_bytes(segment)
    return len(segment) <= LONGEST_SEGMENT_BYTES and all(_harmless(raw) for raw in (once, unquote_to_bytes(once)))


def _harmless(raw: bytes) -> bool:
    text = raw.decode("utf-8", "ignore")
    dots = raw in {b"", b".", b".."}
    return not dots and not any(one in "/\\" or unicodedata.category(one) in FORBIDDEN for one in text)


def segment_values(
    place: str, kind: str, source: str, clause: str, expected: Expected, segments: Iterable[str]
) -> list[Value]:
    """A value for each segment that a request may have; ``place`` is ``server`` or ``address``."""
    return [
        Value(
            dimension=place,
            kind=kind,
            words=f"{kind}: {segment}",
            source=source,
            clause=clause,
            expected=expected,
            variation={"address": segment, "raw": True} if place == "address" else {"segment": segment},
            names=expected in {Expected.GRANTED, Expected.EITHER},
            mistake=expected is Expected.REFUSED,
        )
        for segment in dict.fromkeys(segments)
        if addresses_the_operation(segment)
    ]

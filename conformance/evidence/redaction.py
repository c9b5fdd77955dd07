"""No secret reaches any output, in whatever spelling a target throws it back."""

from __future__ import annotations

import base64
import functools
import html
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from conformance.evidence import decoding

REDACTED = "[redacted]"
SHORTEST_DIVIDED = 12
"""Parts of a token shorter than this could be ordinary words: such a token is only looked for as a whole."""

LONGEST_NEEDED_RUN = 12
"""So many characters in a row of a token, of a shorter one the half, are no coincidence."""

SHORTEST_ENCODED = 4

DECODED_BYTES = 1 << 16
"""What is decoded of a longer value, many times what a report shows; the rest is searched as it stands."""

LAYERS = 3
"""So many encodings around each other are taken off."""

LONGEST_REMEMBERED, MOST_REMEMBERED = 4096, 2048
"""Bytes of a value, and values: fields and whole bodies come again with every answer."""

COOKIES = frozenset({"cookie", "set-cookie"})


class Redactor:
    """Takes secrets out of everything that is recorded, in whatever spelling and part a target echoes them.

    Any run of characters that is long enough to be told from an ordinary word counts as the secret: so the parts that
    the suite sends as wrong tokens, and a secret split over two fields, are found without being foreseen.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._rows: list[tuple[bytes, int]] = []
        self._joined: list[tuple[bytes, int]] = []
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Take these out from now on as well. Other threads may be at work: they see all rows of it or none."""
        rows = {*self._rows, *(row for secret in secrets if secret for row in _spellings(secret))}
        joined = {*self._joined, *(row for secret in secrets for row in _joined(secret))}
        self._rows = sorted(rows, key=lambda row: len(row[0]), reverse=True)
        self._joined = sorted(joined)
        self._clean = functools.partial(_without, rows=self._rows, joined=self._joined)
        # What was clean before need not be so now: nothing that is remembered outlives the rows it was held against.
        self._remembered = functools.lru_cache(MOST_REMEMBERED)(self._clean)

    def text(self, value: str) -> str:
        """``value`` without the secrets."""
        raw = value.encode("utf-8", "surrogatepass")
        clean = self.bytes(raw)
        return value if clean is raw else clean.decode("utf-8", "surrogatepass")

    def bytes(self, value: bytes) -> bytes:
        """``value`` without the secrets; the same object when there are none in it."""
        clean = (self._remembered if len(value) <= LONGEST_REMEMBERED else self._clean)(value)
        return value if clean is None else clean

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Header fields without the secrets, and cookies without their values."""
        return tuple(
            (self.text(name), REDACTED if name.lower() in COOKIES else self.text(value)) for name, value in pairs
        )


def _without(value: bytes, *, rows: list[tuple[bytes, int]], joined: list[tuple[bytes, int]]) -> bytes | None:
    """``value`` without the secrets; None where there are none in it."""
    shown = value[:DECODED_BYTES]
    runs = sorted({*_spans(value, rows, 0), *_spans(shown, rows, LAYERS), *_divided(shown, joined)})
    if not runs:
        return None
    pieces, end = [], 0
    for start, stop in runs:
        if start >= end:
            pieces += [value[end:start], REDACTED.encode()]
        end = max(end, stop)
    return b"".join([*pieces, value[end:]])


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
    for shift in range(5):
        encoded = base64.b32encode(bytes(shift) + raw)
        own = encoded[-(-8 * shift // 5) : 8 * (shift + len(raw)) // 5].lower()
        if len(own) >= 2 * SHORTEST_ENCODED:
            yield own, min(len(own), run * 8 // 5)


def _joined(secret: str) -> Iterator[tuple[bytes, int]]:
    """The secret and its hexadecimal spelling, without what may stand between characters."""
    raw = secret.encode()
    if len(raw) >= SHORTEST_DIVIDED:
        joined = decoding.SEPARATOR.sub(b"", raw.lower())
        yield joined, max(LONGEST_NEEDED_RUN, len(joined) // 2)
        yield raw.hex().encode(), 2 * LONGEST_NEEDED_RUN


def _spans(value: bytes, rows: list[tuple[bytes, int]], layers: int) -> Iterator[tuple[int, int]]:
    """Where secrets stand, also in what escapes and base64 mean, so many of them around each other."""
    lowered = value.lower()
    for spelling, shortest in rows:
        yield from _runs(lowered, spelling, shortest)
    if not layers or not rows:
        return
    if view := decoding.unescaped(value):
        yield from (view.span(*run) for run in _spans(view.text, rows, layers - 1))
    for start, stop, meant in decoding.from_base64(value):
        if any(_spans(meant, rows, layers - 1)):
            yield start, stop


def _divided(value: bytes, rows: list[tuple[bytes, int]]) -> Iterator[tuple[int, int]]:
    """Where secrets stand with something between their characters."""
    if rows and (view := decoding.without_separators(value.lower())):
        for spelling, shortest in rows:
            yield from (view.span(*run) for run in _runs(view.text, spelling, shortest))


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

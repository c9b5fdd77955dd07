"""No secret reaches any output, in whatever spelling a target throws it back."""

from __future__ import annotations

import base64
import functools
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
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

SMALL_BYTES, MOST_SMALL, MOST_LARGE = 4096, 2048, 8
"""Of values, how many of which size are remembered: fields and whole bodies come again with every exchange."""

SHORT_BYTES = 1536
"""In what is shorter one pattern is faster than a search for each of its pieces (measured: four times at 300 bytes)."""

END = -1
"""Where a piece ends in the tree of all."""

COOKIES = frozenset({"cookie", "set-cookie"})


@dataclass(frozen=True, slots=True)
class Spellings:
    """What is looked for, each with how long a run of it must be, and one pattern of all that such a run contains."""

    rows: tuple[tuple[bytes, int], ...]
    anchors: re.Pattern[bytes]

    @classmethod
    def of(cls, rows: Iterable[tuple[bytes, int]]) -> Self:
        """The longest first."""
        ordered = tuple(sorted(rows, key=lambda row: len(row[0]), reverse=True))
        return cls(ordered, _any_of(anchor for row in ordered for _, anchor in _anchors(*row)))

    def runs(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Where long enough runs of any of them stand in a text in lower case."""
        if self.rows and (len(text) > SHORT_BYTES or self.anchors.search(text)):
            for spelling, shortest in self.rows:
                yield from _runs(text, spelling, shortest)


class Redactor:
    """Takes secrets out of everything that is recorded, in whatever spelling and part a target echoes them.

    Any run of characters that is long enough to be told from an ordinary word counts as the secret: so the parts that
    the suite sends as wrong tokens, and a secret split over two fields, are found without being foreseen.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._whole = Spellings.of(())
        self._joined = Spellings.of(())
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Take these out from now on as well. Other threads may be at work: they see all rows of it or none."""
        rows = {*self._whole.rows, *(row for secret in secrets if secret for row in _spellings(secret))}
        joined = {*self._joined.rows, *(row for secret in secrets for row in _joined(secret))}
        self._whole, self._joined = Spellings.of(rows), Spellings.of(joined)
        # What was clean before need not be so now: nothing that is remembered outlives the rows it was held against.
        clean = functools.partial(_without, whole=self._whole, joined=self._joined)
        self._small, self._large = functools.lru_cache(MOST_SMALL)(clean), functools.lru_cache(MOST_LARGE)(clean)

    def text(self, value: str) -> str:
        """``value`` without the secrets."""
        raw = value.encode("utf-8", "surrogatepass")
        clean = self.bytes(raw)
        return value if clean is raw else clean.decode("utf-8", "surrogatepass")

    def bytes(self, value: bytes) -> bytes:
        """``value`` without the secrets; the same object when there are none in it."""
        clean = (self._small if len(value) <= SMALL_BYTES else self._large)(value)
        return value if clean is None else clean

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Header fields without the secrets, and cookies without their values."""
        return tuple(
            (self.text(name), REDACTED if name.lower() in COOKIES else self.text(value)) for name, value in pairs
        )


def _without(value: bytes, *, whole: Spellings, joined: Spellings) -> bytes | None:
    """``value`` without the secrets; None where there are none in it."""
    shown = value[:DECODED_BYTES]
    runs = sorted({*whole.runs(value.lower()), *_spans(shown, whole, LAYERS), *_divided(shown, joined)})
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


def _spans(value: bytes, spellings: Spellings, layers: int) -> Iterator[tuple[int, int]]:
    """Where secrets stand, also in what escapes and base64 mean, so many of them around each other."""
    yield from spellings.runs(value.lower())
    if not layers or not spellings.rows:
        return
    if view := decoding.unescaped(value):
        yield from (view.span(*run) for run in _spans(view.text, spellings, layers - 1))
    for start, stop, meant in decoding.from_base64(value):
        if any(_spans(meant, spellings, layers - 1)):
            yield start, stop


def _divided(value: bytes, spellings: Spellings) -> Iterator[tuple[int, int]]:
    """Where secrets stand with something between their characters."""
    if spellings.rows and (view := decoding.without_separators(value.lower())):
        yield from (view.span(*run) for run in spellings.runs(view.text))


def _anchors(spelling: bytes, shortest: int) -> Iterator[tuple[int, bytes]]:
    """Pieces of a spelling, and where they stand in it, of which every run of ``shortest`` characters contains one."""
    length = (shortest + 1) // 2
    for offset in range(0, len(spelling) - length + 1, shortest - length + 1):
        yield offset, spelling[offset : offset + length]


def _any_of(pieces: Iterable[bytes]) -> re.Pattern[bytes]:
    """A pattern of them, as a tree, that looks at each byte of a text about once; a plain choice tries them all."""
    tree: dict[int, Any] = {}
    for piece in pieces:
        branch = tree
        for byte in piece:
            branch = branch.setdefault(byte, {})
        branch[END] = {}
    return re.compile(_choice(tree))


def _choice(tree: Mapping[int, Any]) -> bytes:
    if END in tree or not tree:
        return b""
    ways = [re.escape(bytes([byte])) + _choice(branch) for byte, branch in tree.items()]
    return ways[0] if len(ways) == 1 else b"(?:" + b"|".join(ways) + b")"


def _runs(text: bytes, spelling: bytes, shortest: int) -> Iterator[tuple[int, int]]:
    """Where ``shortest`` or more characters in a row of ``spelling`` stand in ``text``.

    Every such run contains one of the anchors that are looked for.
    """
    for offset, anchor in _anchors(spelling, shortest):
        at = text.find(anchor)
        while at >= 0:
            start, stop = _widened(text, at, spelling, offset, len(anchor))
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

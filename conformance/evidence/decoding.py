"""What escaping hides: a text as a reader of its format would see it, and where each byte of that stands."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

ESCAPE = re.compile(
    rb"&#x(?P<hexadecimal>[0-9a-f]{1,6});?|&#(?P<decimal>[0-9]{1,7});?|(?P<named>&[a-z]{2,8};)"
    rb"|\\u(?P<unicode>[0-9a-f]{4})|\\x(?P<byte>[0-9a-f]{2})|%(?P<percent>[0-9a-f]{2})|\\(?P<plain>[\\\"'/])",
    re.IGNORECASE,
)
"""References of HTML, escapes of JSON and of programming languages, and percent-encoding (RFC 3986, 2.1)."""

NESTED = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SEPARATOR = re.compile(rb"[\s\-_.,:;|/*+]+")


@dataclass(frozen=True, slots=True)
class View:
    """A text, and for each of its bytes the piece of the original that it stands for."""

    text: bytes
    starts: tuple[int, ...]
    stops: tuple[int, ...]

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Where ``text[start:stop]`` stands in the original."""
        return self.starts[start], self.stops[stop - 1]


def unescaped(text: bytes) -> View | None:
    """The text with its escapes decoded once; None if it has none."""
    return _view(text, ((*found.span(), _meant(found)) for found in ESCAPE.finditer(text)))


def without_separators(text: bytes) -> View | None:
    """The text without what may stand between the characters of a secret; None if nothing does."""
    return _view(text, ((*found.span(), b"") for found in SEPARATOR.finditer(text)))


def from_base64(text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Pieces that could be base64 (RFC 4648), with what they would mean, at whatever character they begin."""
    for found in NESTED.finditer(text):
        piece = found.group().translate(bytes.maketrans(b"-_", b"+/"))
        if UUID.fullmatch(found.group()):
            continue
        for offset in range(4):
            whole = piece[offset : offset + (len(piece) - offset) // 4 * 4]
            rest = piece[offset + len(whole) :]
            padded = whole + (rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b"")
            try:
                yield found.start(), found.end(), base64.b64decode(padded)
            except binascii.Error:
                continue


def _view(text: bytes, changes: Iterator[tuple[int, int, bytes]]) -> View | None:
    pieces: list[bytes] = []
    starts: list[int] = []
    stops: list[int] = []
    end = 0

    def kept(until: int) -> None:
        pieces.append(text[end:until])
        starts.extend(range(end, until))
        stops.extend(range(end + 1, until + 1))

    for start, stop, meant in changes:
        kept(start)
        pieces.append(meant)
        starts.extend([start] * len(meant))
        stops.extend([stop] * len(meant))
        end = stop
    if not end:
        return None
    kept(len(text))
    return View(b"".join(pieces), tuple(starts), tuple(stops))


def _meant(found: re.Match[bytes]) -> bytes:
    kind, said = found.lastgroup, found.group(found.lastgroup or 0)
    match kind:
        case "named":
            return html.unescape(said.decode()).encode()
        case "plain":
            return said
        case "percent" | "byte":
            return bytes([int(said, 16)])
        case _:
            number = int(said, 10 if kind == "decimal" else 16)
            return chr(number).encode("utf-8", "surrogatepass") if number <= 0x10FFFF else b"?"

"""Prepares recorded bodies for reading: JSON indented, text as it is, anything else as a hex dump.

It shows what was kept and says what was not; it never guesses a character set.
"""

import base64
import binascii
import codecs
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DUMPED_BYTES = 512
ROW = 8
"""Narrow enough to stand beside the other side of an exchange."""


@dataclass(frozen=True, slots=True)
class ShownBody:
    """A body as a reader sees it. ``kind`` is JSON, text or hex; ``size`` is that on the wire, in bytes."""

    kind: str
    text: str
    size: int
    shown: int

    @property
    def label(self) -> str:
        """What it is, in one line."""
        cut = f", the first {self.shown:,} shown" if self.shown < self.size else ""
        return f"{self.kind}, {self.size:,} {'byte' if self.size == 1 else 'bytes'}{cut}"


def shown(document: Mapping[str, Any]) -> ShownBody | None:
    """The body that :func:`conformance.evidence.body_as_json` described; None when there was none."""
    size, kept = document["bytes"], document["kept"]
    if not size:
        return None
    text = document.get("text")
    if text is None:
        raw = _decoded(document.get("base64", ""))
        text = _beginning(raw) if kept < size else None
    else:
        raw = text.encode("utf-8", "surrogatepass")
    if text is None or "\0" in text:
        return ShownBody("hex", "\n".join(_dump(raw[:DUMPED_BYTES])), size, min(len(raw), DUMPED_BYTES))
    if kept == size and (indented := _indented(text)) is not None:
        return ShownBody("JSON", indented, size, kept)
    return ShownBody("text", text, size, kept)


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded)
    except binascii.Error:
        return b""


def _beginning(raw: bytes) -> str | None:
    """Text that was cut within its last character; None when it is none."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(raw) or None
    except UnicodeDecodeError:
        return None


def _indented(text: str) -> str | None:
    try:
        value = json.loads(text, object_pairs_hook=_members)
        return json.dumps(value, indent=2, ensure_ascii=False) if isinstance(value, dict | list) else None
    except (ValueError, RecursionError):
        return None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a repeated member would be lost by indenting")
    return members


def _dump(raw: bytes) -> Iterator[str]:
    for start in range(0, len(raw), ROW):
        row = raw[start : start + ROW]
        printable = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in row)
        yield f"{start:04x}  {row.hex(' '):<{3 * ROW - 1}}  {printable}"

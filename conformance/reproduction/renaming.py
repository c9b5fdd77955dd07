"""What a request of a saved run is called here: endpoints, servers, addresses and literals, however they were spelt."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from conformance.errors import ProvisioningError
from conformance.evidence import EXPANSION, VARIABLES
from conformance.target import is_uuid

SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda one: quote(one, safe=""),
    lambda one: one[:8],
    lambda one: one[:-1],
)
"""How a request may spell an ID or a literal: each spelling of the old one becomes the same of the new one.

A UUID is known in any case, with any of its characters percent-encoded, and without its hyphens.
"""

LONGEST_PERIOD = 64
LONGEST_BODY_BYTES = 16 * 1024 * 1024
"""A document that was tampered with unpacks to no more than this."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """Old name -> new name, applied in one pass so that no new name is taken for an old one.

    Attributes:
        segments: whole path segments that are another spelling of a name, and the same of its new one.
    """

    names: Mapping[str, str]
    bases: Mapping[str, str]
    tokens: Mapping[str, str]
    segments: Mapping[str, str] = field(default_factory=dict)

    def text(self, old: str) -> str:
        """The text with everything called by its new name."""
        spelt = {key: value for key, value in self._spelt() if key}
        if not spelt:
            return old
        whole = {one: new for one, new in self.names.items() if is_uuid(one) and is_uuid(new)}
        news = list(whole.values())

        def renamed(met: re.Match[str]) -> str:
            return _spelt_alike(met.group(), news[met.lastindex - 1]) if met.lastindex else spelt[met.group()]

        known = [f"({_in_any_spelling(one)})" for one in whole]
        known += [re.escape(one) for one in sorted(spelt, key=len, reverse=True)]
        return re.sub("|".join(known), renamed, old)

    def url(self, old: str) -> str:
        """The URL below the endpoint of this target; its tokens are still shell expressions."""
        base = next((one for one in sorted(self.bases, key=len, reverse=True) if old.startswith(f"{one}/")), "")
        path, mark, query = old.removeprefix(base).partition("?")
        renamed = "/".join(self.segments.get(one) or self.text(one) for one in path.split("/"))
        return f"{self.bases.get(base, base)}{renamed}{mark}{self.text(query)}"

    def filled(self, shown: str) -> str:
        """The text with the tokens that its shell expressions stand for."""
        return EXPANSION.sub(lambda met: self._token(met.group()), shown)

    def _spelt(self) -> Iterator[tuple[str, str]]:
        for old, new in self.names.items():
            yield from ((spell(old), spell(new)) for spell in reversed(SPELLINGS))

    def _token(self, shown: str) -> str:
        name, part = re.fullmatch(r"\$\{?([A-Z_]+)(.*?)\}?", shown).groups()  # type: ignore[union-attr]
        credential = next(known for known, variable in VARIABLES.items() if variable == name)
        if credential not in self.tokens:
            raise ProvisioningError(f"it takes the {credential} credential, which was not given", f"set {name}")
        value = self.tokens[credential]
        cut = re.fullmatch(r":0:(\d+)", part)
        return (
            value[: int(cut[1])]
            if cut
            else {"%?": value[:-1], "#?": value[1:], "~~": value.swapcase()}.get(part, value)
        )


def _in_any_spelling(identifier: str) -> str:
    """A pattern without groups of its own."""
    characters = (
        f"(?:{one.lower()}|{one.upper()}|%(?i:{ord(one.lower()):02x}|{ord(one.upper()):02x}))"
        for one in identifier.replace("-", "")
    )
    return "(?:-|%2[Dd])?".join(characters)


def _spelt_alike(old: str, new: str) -> str:
    """The new ID with the hyphens of the old one, in its case, percent-encoded where that was.

    A digit has the case of what is before it.
    """
    parts = [(part, unquote(part)) for part in re.findall(r"%..|.", old)]
    characters = iter(new.replace("-", ""))
    upper = next((one.isupper() for _, one in parts if one.isalpha()), False)
    spelt = []
    for part, one in parts:
        upper = one.isupper() if one.isalpha() else upper
        character = "-" if one == "-" else next(characters)
        spelt.append(_encoded_alike(part, character.upper() if upper else character))
    return "".join(spelt)


def _encoded_alike(part: str, character: str) -> str:
    if not part.startswith("%"):
        return character
    encoded = f"%{ord(character):02x}"
    return encoded.upper() if part.isupper() else encoded


def body_of(document: Mapping[str, Any]) -> bytes:
    """The body that a run document tells, whole.

    Raises:
        ProvisioningError: the document holds only its beginning.
    """
    if "zlib" in document:
        return zlib.decompressobj().decompress(base64.b64decode(document["zlib"]), LONGEST_BODY_BYTES)
    kept = document["text"].encode() if "text" in document else base64.b64decode(document["base64"])
    missing = int(document["bytes"]) - len(kept)
    if missing <= 0:
        return kept
    for period in range(1, LONGEST_PERIOD):
        if kept[period:] == kept[:-period]:
            return (kept[:period] * (int(document["bytes"]) // period + 1))[: int(document["bytes"])]
    raise ProvisioningError(f"the run document holds only the first {len(kept)} of {document['bytes']} bytes of a body")

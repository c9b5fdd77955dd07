"""What could stand in place of an address's ID: spellings of the address itself, spellings of the UUID, and no UUID."""

from __future__ import annotations

import ipaddress
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from conformance.generate.cases import addressable

if TYPE_CHECKING:
    from hypothesis import strategies as st

FULL_WIDTH = {digit: chr(ord(digit) + 0xFEE0) for digit in "0123456789abcdef"}
ARABIC = {str(value): chr(0x0660 + value) for value in range(10)}
CYRILLIC = {"a": "\u0430", "c": "\u0441", "e": "\u0435"}
"""Characters that a careless parser or a normalisation takes for hex digits: other widths, other scripts."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A path segment, percent-encoded, and what it is."""

    words: str
    encoded: str

    def __str__(self) -> str:
        return f"{self.words}: {self.encoded!r}"


def _segment(words: str, text: str) -> Segment:
    return Segment(words, quote(text, safe=""))


def address_spellings(literal: str) -> list[Segment]:
    """The address itself instead of its ID, in every spelling that an address parser may take.

    A prefix length cannot be written without a slash, which would address another resource
    (spec/README.md, decision 7), so it is spelt with what remains: nothing.
    """
    address = ipaddress.ip_address(literal)
    return _v4_spellings(address) if isinstance(address, ipaddress.IPv4Address) else _v6_spellings(address)


def _v4_spellings(address: ipaddress.IPv4Address) -> list[Segment]:
    number = int(address)
    first, *rest = str(address).split(".")
    return [
        _segment("the address", str(address)),
        _segment("the address with a port", f"{address}:80"),
        _segment("the address in brackets", f"[{address}]"),
        _segment("the address as a number", str(number)),
        _segment("the address in hex", hex(number)),
        _segment("the address with an octal part", ".".join([f"0{int(first):o}", *rest])),
        _segment("the address mapped to IPv6", f"::ffff:{address}"),
        _segment("the address as a host name", f"{address}."),
        Segment("the address with its dots encoded", str(address).replace(".", "%2E")),
    ]


def _v6_spellings(address: ipaddress.IPv6Address) -> list[Segment]:
    return [
        _segment("the address", address.compressed),
        Segment("the address with its colons as they are", address.compressed),
        _segment("the address in upper case", address.compressed.upper()),
        _segment("the address written out", address.exploded),
        _segment("the address in brackets", f"[{address.compressed}]"),
        _segment("the address with a port", f"[{address.compressed}]:80"),
        _segment("the address with a zone", f"{address.compressed}%eth0"),
        _segment("the address as a number", str(int(address))),
        _segment("the address without colons", f"{int(address):032x}"),
    ]


def uuid_spellings(identifier: str) -> list[Segment]:
    """Other spellings of the same UUID than RFC 9562 writes it (section 4), upper case aside."""
    bare = identifier.replace("-", "")
    return [
        _segment("the ID in braces", f"{{{identifier}}}"),
        _segment("the ID without hyphens", bare),
        _segment("the ID as a URN", f"urn:uuid:{identifier}"),
        _segment("the ID after a blank", f" {identifier}"),
        _segment("the ID before a blank", f"{identifier} "),
        _segment("the ID with its hyphens elsewhere", "-".join([bare[:4], bare[4:12], bare[12:20], bare[20:]])),
    ]


def no_uuids(identifier: str) -> list[Segment]:
    """Near misses of an existing ID, and what is far from any."""
    near = {
        "the ID without its last digit": identifier[:-1],
        "the ID with a digit more": f"{identifier}0",
        "the beginning of the ID": identifier[:8],
        "the ID with a wildcard": f"{identifier[:-1]}*",
        "the beginning of the ID with a wildcard": f"{identifier[:8]}%",
        "the ID with a letter that is no hex digit": f"{identifier[:-1]}g",
        "the ID with a full-width digit": _with_a(FULL_WIDTH, identifier),
        "the ID with an Arabic digit": _with_a(ARABIC, identifier),
        "the ID with a Cyrillic letter": _with_a(CYRILLIC, identifier),
        "the ID twice": f"{identifier},{identifier}",
        "the ID with a suffix": f"{identifier}.json",
        "the ID with a matrix parameter": f"{identifier};v=1",
    }
    far = {"a wildcard": "*", "a percent sign": "%", "zero": "0", "a number": "-1", "a word": "all", "null": "null"}
    return [_segment(words, text) for words, text in {**near, **far}.items() if text != identifier]


def _with_a(lookalikes: dict[str, str], identifier: str) -> str:
    """The ID with its first character that has a look-alike replaced by it."""
    found = next((one for one in identifier if one in lookalikes), None)
    return identifier.replace(found, lookalikes[found], 1) if found else identifier


def other_uuids() -> list[Segment]:
    """UUIDs that are nobody's: well formed, so their refusal is not asked for, but nothing may be removed."""
    return [
        _segment("the nil UUID", "00000000-0000-0000-0000-000000000000"),
        _segment("the max UUID", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        _segment("a UUID of version 1", "c232ab00-9414-11ec-b3c8-9e6bdeced846"),
        _segment("a UUID of version 7", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"),
    ]


def generated_no_uuids(identifier: str) -> st.SearchStrategy[Segment]:
    """The ID with a few edits that leave no UUID in any spelling, and short words."""
    from hypothesis import strategies as st  # noqa: PLC0415  # only when something is generated

    edits = st.tuples(st.integers(0, len(identifier) - 1), st.sampled_from([*"gzG!*._~$", "", "-", "\u0661"]))
    edited = st.lists(edits, min_size=1, max_size=3).map(lambda chosen: _edit(identifier, chosen))
    words = st.text(string.ascii_letters + string.digits + "-_.~*", min_size=1, max_size=12)
    return (edited | words).filter(is_no_uuid).map(lambda text: _segment("no UUID", text))


def _edit(identifier: str, edits: list[tuple[int, str]]) -> str:
    characters = list(identifier)
    for place, replacement in edits:
        characters[place] = replacement
    return "".join(characters)


def is_no_uuid(text: str) -> bool:
    """No reader, however lenient, finds 32 hex digits in it, and it addresses the operation."""
    lenient = text.lower().removeprefix("urn:uuid:").strip("{} ").replace("-", "")
    return not (len(lenient) == 32 and set(lenient) <= set("0123456789abcdef")) and addressable(quote(text, safe=""))

"""Which identifiers may stand in a path, and how one is named that may not (spec/README.md, decision 22).

A target chooses the IDs that it hands out, and a path made of ``..`` or half a character may be read as another path
by whatever stands in front of the service.
"""

from __future__ import annotations

import re
import unicodedata

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_LONGEST_SERVER_ID = 255
_LONGEST_SHOWN = 80


def is_uuid(identifier: object) -> bool:
    """An address ID that may stand in a path: a UUID in its canonical spelling, of either case."""
    return isinstance(identifier, str) and _UUID.fullmatch(identifier) is not None


def is_server(identifier: object) -> bool:
    """A server ID that may stand in a path: opaque, but one segment and nothing that acts."""
    if not isinstance(identifier, str) or identifier in {"", ".", ".."} or len(identifier) > _LONGEST_SERVER_ID:
        return False
    return not any(one in "/\\" or unicodedata.category(one) in {"Cc", "Cs"} for one in identifier)


def in_words(identifier: object) -> str:
    """The identifier as a sentence can hold it; one that may not stand in a path is written out in ASCII."""
    if is_uuid(identifier):
        return str(identifier)
    spelt = ascii(identifier)
    return spelt if len(spelt) <= _LONGEST_SHOWN else f"{spelt[:_LONGEST_SHOWN]}..."

"""How what was said of one association is said of another: each spelling of the one beside the same of the other."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from itertools import groupby

from conformance.generate.space import addresses, literals, servers
from conformance.generate.space.value import Subject, Value
from conformance.target import is_uuid


def respelt(old: Subject, new: Subject) -> Mapping[str, str]:
    """Every path segment that the space derives from the one -> what it derives likewise from the other.

    A literal is spelt anew only as one of its own IP version. What is no UUID, or no literal, as a document that was
    tampered with may say, has no such spellings.
    """
    pair = (old, new)
    dimensions = [servers.every] if all(one.server for one in pair) else []
    dimensions += [addresses.spellings] if all(is_uuid(one.address) for one in pair) else []
    dimensions += [literals.every] if all(_is_literal(one.literal) for one in pair) else []
    found: dict[str, str] = {}
    for every in dimensions:
        there = _segments(every(new))
        for kind, segments in _segments(every(old)).items():
            found |= zip(segments, there.get(kind, ()), strict=False)  # a kind may hold one more for some IDs
    return found


def _is_literal(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _segments(values: Iterable[Value]) -> dict[str, list[str]]:
    """The segments of each kind, in the order in which its forms are derived."""
    kinds = groupby(values, key=lambda one: one.kind)
    return {kind: [str(one.variation.get("segment", one.variation.get("address"))) for one in of] for kind, of in kinds}

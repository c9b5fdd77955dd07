"""The classes of the request space that a request has: what it wears, what it meets, and what came right before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.driver.met import Class
from conformance.driver.probed import ABSENT, Asked
from conformance.generate import space
from conformance.generate.settings import Between
from conformance.judge import ObservedState, Pair

STATE, VERSION, BEFORE = "what stands", "IP version", "right before"
DEALLOCATION, ASSOCIATIONS = "de-allocation", "associations of its address"
OVERLAP = "overlap"
ALONE, SEVERAL, NOTHING = "the only one of its address", "one of several of its address", "nothing is associated there"
UNDISTURBED = "nothing in particular"
COUNTS = ("none", "one", "several")

KNOWN: Mapping[str, tuple[str, ...]] = {
    STATE: (ALONE, SEVERAL, NOTHING),
    VERSION: ("IPv4", "IPv6"),
    BEFORE: (UNDISTURBED, *map(str, Between)),
    ASSOCIATIONS: COUNTS,
}
"""Dimension -> its classes, of those that are no part of the request itself."""


def known() -> dict[str, tuple[str, ...]]:
    """Dimension -> its classes, as far as they are known before anything is sent."""
    return {**space.kinds(), **KNOWN}


def of_a_removal(asked: Asked, before: ObservedState) -> Iterator[Class]:
    """The classes of a request to the operation."""
    for value in (asked.value, *asked.dress):
        yield value.dimension, value.kind.removesuffix(ABSENT)
    yield STATE, _state(asked.pair, before)
    yield from ((BEFORE, str(one)) for one in asked.after or (UNDISTURBED,))


def _state(pair: Pair, before: ObservedState) -> str:
    if not before.listed.get(pair):
        return NOTHING
    others = [one for one, stands in before.listed.items() if stands and one.address == pair.address and one != pair]
    return SEVERAL if others else ALONE


def of_a_deallocation(kind: str, standing: int) -> Iterator[Class]:
    """The classes of a request that may de-allocate an address with so many associations."""
    yield DEALLOCATION, kind
    yield ASSOCIATIONS, COUNTS[min(standing, 2)]

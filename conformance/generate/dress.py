"""What a request wears besides what it is sent for: harmless fields, as real clients put them together (decision 17).

None of them may make a difference, so that whatever a request is judged by is the same with them. A service may look
at several of them together, or at one of them beside something else: therefore a removal that is granted wears some
now and then, and so does one that is refused.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from conformance.generate.space import Expected, Value

HOW_OFTEN = 0.5
"""The share of requests that wear something besides."""

EACH = 0.5
"""How often a request that wears something wears a field of a certain name."""

FIRST = 0.5
"""How often that field has its plainest value."""


def is_harmless(value: Value) -> bool:
    """It is a field that means nothing here, and nothing else."""
    return value.expected is Expected.GRANTED and value.variation.keys() == {"headers"}


def is_doubtful(value: Value) -> bool:
    """It is a field or a query, and nothing else, that a target may heed or not, and refuse or not."""
    return value.expected is Expected.EITHER and value.variation.keys() in ({"headers"}, {"query"})


def may_wear(value: Value, other: Value) -> bool:
    """Both can be put on one request, and neither takes the place of the other."""
    if "query" in other.variation:
        return "query" not in value.variation
    names = _names(other)
    return not names & _names(value) and not (_has_content(value) and _speaks_of_content(names))


CANDIDATES = 6
"""Of so many combinations the one is worn that brings most together that never was."""

Together = set[frozenset[str]]
"""Any three things that one request wore: kinds of harmless fields, and the clause that it was sent for."""


@dataclass(slots=True)
class Wardrobe:
    """What the requests of a run wear besides.

    Attributes:
        together: what came together so far; what is chosen next adds to it.
        aside: kinds that were seen to make a difference, which is a finding of its own: they are worn no more besides.
    """

    together: Together = field(default_factory=set)
    aside: set[str] = field(default_factory=set)

    def dress(self, value: Value, harmless: Sequence[Value], draw: random.Random) -> tuple[Value, ...]:
        """What of the harmless fields the request with this value wears besides; those of its own it keeps."""
        left = [one for one in harmless if one.kind not in self.aside]
        drawn = [_drawn(value, left, draw) for _ in range(CANDIDATES)]
        chosen = max(drawn, key=lambda one: len(_together(value, one) - self.together))
        self.together |= _together(value, chosen)
        return chosen


def _together(value: Value, dress: tuple[Value, ...]) -> Together:
    what = value.kind if is_harmless(value) else value.clause
    return {frozenset(three) for three in combinations([what, *(one.kind for one in dress)], 3)}


def _drawn(value: Value, harmless: Sequence[Value], draw: random.Random) -> tuple[Value, ...]:
    taken = _names(value)
    worn: list[Value] = []
    for names, choices in _by_names(harmless).items():
        if draw.random() < EACH and not names & taken and may_wear(value, choices[0]):
            worn.append(choices[0] if draw.random() < FIRST else draw.choice(choices))
            taken |= names
    return tuple(worn)


def _names(value: Value) -> frozenset[str]:
    return frozenset(name.lower() for name in value.variation.get("headers") or {})


def _by_names(harmless: Sequence[Value]) -> dict[frozenset[str], list[Value]]:
    found: dict[frozenset[str], list[Value]] = {}
    for value in harmless:
        found.setdefault(_names(value), []).append(value)
    return found


def _has_content(value: Value) -> bool:
    return value.dimension == "content" or value.variation.get("body") is not None


def _speaks_of_content(names: frozenset[str]) -> bool:
    return any(name.startswith("content-") for name in names)

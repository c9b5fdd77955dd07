"""Which classes a violation has: the narrowest ones that most of those who break a clause in one way have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from conformance.driver.probed import Judged
from conformance.generate.space import Value

MOST_OF_THEM = 2 / 3
"""The share of kinds from which on it is their group that makes the difference."""

PLAIN_ENOUGH = 4
"""Families of kinds that show that it is the dimension."""

Way = tuple[str, str]
"""A clause that was broken, and the rule by which."""


@dataclass(slots=True)
class _Met:
    """What was tried of a dimension, and what of it broke a clause in one way: families with their kinds."""

    tried: dict[str, set[str]] = field(default_factory=dict)
    broke: dict[Way, dict[str, set[str]]] = field(default_factory=dict)

    def common(self, way: Way, family: str) -> str | None:
        """What stands for the class of a member of the family: the dimension (""), the family, or None for itself."""
        broke = self.broke[way]
        if len(broke) > 1 and _many(broke) >= MOST_OF_THEM * _many(self.tried):
            return ""
        mine = broke[family]
        return family if 1 < len(mine) >= MOST_OF_THEM * len(self.tried[family]) else None

    def clear(self, way: Way) -> bool:
        """So many families broke it, and so few did not, that further ones would not change the class."""
        broke = self.broke[way]
        return len(broke) >= PLAIN_ENOUGH and _many(broke) >= MOST_OF_THEM * _many(self.tried)


def folded(judged: Sequence[Judged]) -> list[Judged]:
    """The same, with a group for a class where most of its kinds that were tried broke a clause in one way.

    So findings are told apart by the smallest set of classes without which they do not occur: where nearly all content
    is accepted it is content that makes the difference, and what refused the rest of it is something else.
    """
    met = _met(judged)
    return [replace(one, folded=dict(_groups(one, met[one.answered.asked.value.dimension]))) for one in judged]


def unclear(judged: Sequence[Judged]) -> set[tuple[str, str]]:
    """Dimension and clause, where a clause is broken and too little of the dimension was tried to tell the class.

    Only where nothing may change: what is granted breaks a clause plainly, or as the kind that it is.
    """
    met = _met(judged)
    return {
        (value.dimension, value.clause)
        for one in judged
        for value in [one.answered.asked.value]
        for way in _ways(one)
        if one.answered.asked.stays and not met[value.dimension].clear(way)
    }


def _met(judged: Sequence[Judged]) -> dict[str, _Met]:
    met: dict[str, _Met] = {}
    for one in judged:
        value = one.answered.asked.value
        of = met.setdefault(value.dimension, _Met())
        of.tried.setdefault(_family(value), set()).add(value.kind)
        for way in _ways(one):
            of.broke.setdefault(way, {}).setdefault(_family(value), set()).add(value.kind)
    return met


def _groups(one: Judged, met: _Met) -> Iterator[tuple[Way, str]]:
    value = one.answered.asked.value
    for way in _ways(one):
        group = met.common(way, _family(value))
        if group is not None:
            yield way, f"{value.dimension}: {group}" if group else value.dimension


def _ways(one: Judged) -> Iterator[Way]:
    for ruling in one.rulings:
        if ruling and ruling.violation:
            yield ruling.clause, ruling.violation.rule


def _family(value: Value) -> str:
    """What kinds have in common that differ after a comma."""
    return value.kind.partition(", ")[0]


def _many(kinds: dict[str, set[str]]) -> int:
    return sum(map(len, kinds.values()))

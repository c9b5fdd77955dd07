"""Counts the classes of the request space that judged requests had, and which of them one request had together.

What the classes are is said in :mod:`conformance.driver.request_classes`; nothing here knows them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

from conformance.verdict import PairsMet, SpaceMet

Class = tuple[str, str]
"""A dimension, and a class of it."""


@dataclass(slots=True)
class MetClasses:
    """What the requests of one process had, or of several."""

    times: Counter[Class] = field(default_factory=Counter)
    together: set[frozenset[Class]] = field(default_factory=set)

    def note(self, classes: Iterable[Class]) -> None:
        """A request with these was judged."""
        had = list(dict.fromkeys(classes))
        self.times.update(had)
        self.together.update(frozenset(two) for two in combinations(had, 2) if two[0][0] != two[1][0])

    def to_json(self) -> dict[str, Any]:
        """In plain types; pairs are told by places in the list of classes."""
        place = {one: number for number, one in enumerate(self.times)}
        return {
            "times": [[*one, count] for one, count in self.times.items()],
            "together": [sorted(place[one] for one in two) for two in self.together],
        }

    def add(self, said: Mapping[str, Any]) -> None:
        """What :meth:`to_json` of another process told."""
        classes: list[Class] = [(dimension, name) for dimension, name, _ in said["times"]]
        self.times.update({one: count for one, (*_, count) in zip(classes, said["times"], strict=True)})
        self.together.update(frozenset((classes[one], classes[other])) for one, other in said["together"])

    def space(self, known: Mapping[str, Iterable[str]]) -> SpaceMet:
        """What was met of the ``known`` classes of each dimension, and of what else there is."""
        classes: dict[str, dict[str, int]] = {}
        for (dimension, name), count in sorted(self.times.items()):
            classes.setdefault(dimension, {})[name] = count
        missed = {
            dimension: left
            for dimension, names in known.items()
            if (left := sorted(set(names) - classes.get(dimension, {}).keys()))
        }
        return SpaceMet(classes, missed, tuple(self._pairs(classes)))

    def _pairs(self, classes: Mapping[str, Mapping[str, int]]) -> Iterator[PairsMet]:
        for one, other in combinations(classes, 2):
            every = [frozenset(two) for two in product(_of(one, classes), _of(other, classes))]
            met = sum(two in self.together for two in every)
            if met:
                yield PairsMet((one, other), met, len(every))


def _of(dimension: str, classes: Mapping[str, Mapping[str, int]]) -> list[Class]:
    return [(dimension, name) for name in classes[dimension]]

"""Which classes of the request space a run met, and which together: a verdict says nothing beyond them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Self

from conformance.verdict.terms import type_of_json


@dataclass(frozen=True, slots=True)
class PairsMet:
    """Of two dimensions, how many pairs of classes one request had.

    Attributes:
        of: how many there are of the classes that were met.
    """

    dimensions: tuple[str, str]
    met: int
    of: int


@dataclass(frozen=True, slots=True)
class SpaceMet:
    """What was met by requests whose answer was judged.

    Attributes:
        classes: dimension -> class -> how many requests had it.
        missed: dimension -> classes that the space has and no judged request had.
    """

    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    missed: dict[str, list[str]] = field(default_factory=dict)
    pairs: tuple[PairsMet, ...] = ()

    def to_json(self) -> type_of_json:
        """As the run document holds it."""
        return {**asdict(self), "pairs": [{**asdict(one), "dimensions": list(one.dimensions)} for one in self.pairs]}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """What :meth:`to_json` told."""
        told = (PairsMet(tuple(one["dimensions"]), one["met"], one["of"]) for one in document["pairs"])
        return cls(document["classes"], document["missed"], tuple(told))

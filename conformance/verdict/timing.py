"""Where the time of a run went."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Self

from conformance.verdict.terms import Verdict, type_of_json


@dataclass(frozen=True, slots=True)
class Spent:
    """Where the time of tests went, seconds, added up over the processes that ran them.

    Attributes:
        target: answers were awaited.
        settling: effects were given their time to show.
        pacing: the next request had to wait for its turn.
        leases: addresses were awaited that other tests had.
        pausing: the target had asked for patience, or callers were awaited.
        own: the suite computed.
    """

    target: float = 0.0
    settling: float = 0.0
    pacing: float = 0.0
    leases: float = 0.0
    pausing: float = 0.0
    own: float = 0.0

    def __add__(self, other: Self) -> Self:
        return type(self)(**{name: round(getattr(self, name) + getattr(other, name), 3) for name in asdict(self)})

    @property
    def total(self) -> float:
        """All of it."""
        return float(sum(asdict(self).values()))


@dataclass(frozen=True, slots=True)
class Phases:
    """How long each part of a run took, seconds on the wall.

    Attributes:
        preparing: the first look at the target, and taking back what dead runs left.
        starting: collecting the tests and starting the workers.
        testing: from the first test to the end of the last.
        cleaning: taking back what the run created.
    """

    preparing: float = 0.0
    starting: float = 0.0
    testing: float = 0.0
    cleaning: float = 0.0


@dataclass(frozen=True, slots=True)
class Time:
    """Where the time of a run went; ``workers`` is how many processes ran tests."""

    workers: int = 1
    phases: Phases = field(default_factory=Phases)
    spent: Spent = field(default_factory=Spent)

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The times that ``asdict`` described."""
        return cls(document.get("workers", 1), Phases(**document.get("phases", {})), Spent(**document.get("spent", {})))


@dataclass(frozen=True, slots=True)
class Span:
    """When a test of the suite ran, where, and what came of it.

    Attributes:
        worker: the process; ``main`` for the only one.
        clauses: the clauses that the test judges.
        at: wall clock at its start, seconds since the epoch.
    """

    test: str
    worker: str
    clauses: tuple[str, ...]
    at: float
    seconds: float
    verdict: Verdict
    requests: int = 0

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The span as the run document holds it."""
        return cls(**document | {"clauses": tuple(document["clauses"]), "verdict": Verdict(document["verdict"])})

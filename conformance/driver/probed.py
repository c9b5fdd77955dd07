"""A request of the space on its way: asked for, answered, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.evidence import Exchange
from conformance.generate.space import Value
from conformance.judge import Attempt, Pair
from conformance.judge.oracle import MUST_STAY, Rule
from conformance.verdict import Ruling


@dataclass(frozen=True, slots=True)
class Asked:
    """A value, worn by a removal of an association of the scene."""

    pair: Pair
    value: Value
    granted: frozenset[int] = frozenset()

    @property
    def rule(self) -> Rule:
        """By what it is judged."""
        value = self.value
        return Rule(value.clause, value.expected, self.granted, value.dimension == "content")

    @property
    def words(self) -> str:
        """What is sent, for a reader."""
        return f"a removal with {self.value.words}"

    @property
    def stays(self) -> bool:
        """Whatever is answered, nothing may change."""
        return self.value.expected in MUST_STAY and not self.granted


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it; ``persisted`` holds all tries where a fault turned out to be the answer."""

    asked: Asked
    exchange: Exchange
    persisted: tuple[Exchange, ...] = ()

    @property
    def removes(self) -> bool:
        """It says that the association was removed."""
        asked = self.asked.value
        return self.exchange.status == 204 and asked.names and self.exchange.request.method == "DELETE"


@dataclass(frozen=True, slots=True)
class Judged:
    """What followed from an answer, its own clause's ruling first.

    Attributes:
        folded: clause and rule that most kinds of a group broke alike -> the group.
    """

    answered: Answered
    attempt: Attempt
    rulings: tuple[Ruling | None, ...]
    left_open: bool
    folded: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def breaks_its_own(self) -> bool:
        """It broke the clause that it was sent for."""
        own = self.rulings[0]
        return own is not None and own.violation is not None

    def kind(self, ruling: Ruling | None) -> tuple[str, ...]:
        """The class that tells a finding of the ruling apart."""
        value = self.answered.asked.value
        if value.plain:
            return ()
        violation = ruling.violation if ruling else None
        own = f"{value.dimension}: {value.kind}"
        return (self.folded.get((violation.clause, violation.rule), own) if violation else own,)

"""A request of the space on its way: asked for, answered, judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.evidence import Exchange
from conformance.generate.settings import Between
from conformance.generate.space import Value
from conformance.judge import Attempt, Pair
from conformance.judge.oracle import MUST_STAY, Expected, Rule
from conformance.verdict import Ruling

PLAIN = Value(
    dimension="field",
    kind="none",
    words="nothing besides",
    source="CONTRACT, section 1",
    clause="codes.success",
    expected=Expected.GRANTED,
    variation={},
    mistake=False,
)
"""A removal as the page has it."""

ABSENT = " of what does not stand"
"""The end of a class whose requests name an association that does not stand."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A value, worn by a removal of an association of the scene.

    Attributes:
        granted: codes that are lawful besides.
        dress: fields and queries that it wears as well: harmless, or such as may be a second mistake.
        after: what comes right before it.
    """

    pair: Pair
    value: Value
    granted: frozenset[int] = frozenset()
    dress: tuple[Value, ...] = ()
    after: tuple[Between, ...] = ()

    @property
    def rule(self) -> Rule:
        """By what it is judged."""
        value = self.value
        return Rule(value.clause, value.expected, self.granted, value.dimension == "content")

    @property
    def words(self) -> str:
        """What is sent, for a reader."""
        besides = " and ".join([self.value.words, *(one.words for one in self.dress)])
        return f"a removal with {besides}{self._right_after}"

    @property
    def kind(self) -> str:
        """Its class: the value's, with what it cannot be without."""
        worn = [one.kind for one in self.dress]
        kinds = sorted([self.value.kind, *worn]) if self._all_harmless else [self.value.kind, *sorted(worn)]
        return f"{' with '.join(kinds)}{self._right_after}"

    @property
    def _all_harmless(self) -> bool:
        return self.value.expected is Expected.GRANTED

    @property
    def _right_after(self) -> str:
        return f" right after {' and '.join(self.after)}" if self.after else ""

    @property
    def variation(self) -> Mapping[str, Any]:
        """What it goes out with."""
        own = self.value.variation
        besides = [one.variation for one in self.dress]
        worn = {name: said for one in besides for name, said in one.get("headers", {}).items()}
        queries = [{"query": one["query"]} for one in besides if "query" in one][:1]
        dressed = {"headers": {**worn, **(own.get("headers") or {})}} if worn else {}
        return {**(queries[0] if queries else {}), **own, **dressed}

    @property
    def stays(self) -> bool:
        """Whatever is answered, nothing may change."""
        return self.value.expected in MUST_STAY and not self.granted

    @property
    def standing(self) -> bool:
        """It is asked of an association that stands."""
        return self.value.expected not in {Expected.REPEATED, Expected.ABSENT}

    def repeated(self) -> Asked:
        """The same removal, where the association does not stand."""
        return self._elsewhere(clause="effect.repeat", expected=Expected.REPEATED)

    def of_the_absent(self) -> Asked:
        """The same request that has to be refused, where the association does not stand."""
        return self._elsewhere(expected=Expected.ABSENT, kind=f"{self.value.kind}{ABSENT}")

    def _elsewhere(self, **otherwise: Any) -> Asked:
        words = f"{self.value.words}, of what does not stand,"
        return replace(self, value=replace(self.value, words=words, mistake=False, **otherwise))

    @property
    def alone(self) -> Asked:
        """The value by itself."""
        return replace(self, dress=(), after=())

    @property
    def lesser(self) -> Iterator[Asked]:
        """The same without one of its parts; where all is harmless that it wears, the value is such a part, too."""
        for place in range(len(self.after)):
            yield replace(self, after=(*self.after[:place], *self.after[place + 1 :]))
        for place in range(len(self.dress)):
            yield replace(self, dress=(*self.dress[:place], *self.dress[place + 1 :]))
        if self._all_harmless and self.dress:
            first, *rest = self.dress
            yield replace(self, value=first, dress=tuple(rest))


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it.

    Attributes:
        persisted: all tries, where a fault turned out to be the answer.
    """

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
        asked = self.answered.asked
        if asked.value.plain and asked.alone == asked:
            return ()
        violation = ruling.violation if ruling else None
        own = f"{asked.value.dimension}: {asked.kind}"
        return (self.folded.get((violation.clause, violation.rule), own) if violation else own,)

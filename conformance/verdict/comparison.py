"""A run beside an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from conformance.verdict.terms import Verdict, type_of_json


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """A clause and its verdicts in two runs; None in a run that does not know the clause."""

    clause: str
    before: Verdict | None
    after: Verdict | None

    @property
    def in_words(self) -> str:
        """From what to what."""
        return f"{self.before or 'unknown'} -> {self.after or 'unknown'}"

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The change as the run document holds it."""
        before, after = (Verdict(one) if one else None for one in (document["before"], document["after"]))
        return cls(document["clause"], before, after)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding of one of two runs, in a line."""

    clause: str
    rule: str
    summary: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What an old and a new run say differently.

    Attributes:
        better: clauses that hold now and did not before.
        worse: clauses that are broken now and were not before.
        unsure: clauses that were judged before and are not now.
        new: findings that the old run has not.
        gone: findings of the old run that the new one has not, although it judged their clauses.
    """

    better: tuple[ClauseChange, ...] = ()
    worse: tuple[ClauseChange, ...] = ()
    unsure: tuple[ClauseChange, ...] = ()
    new: tuple[Sighting, ...] = ()
    gone: tuple[Sighting, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Both say the same."""
        return not (self.is_worse or self.better or self.gone)

    @property
    def is_worse(self) -> bool:
        """Something is wrong or unknown that was not."""
        return bool(self.worse or self.unsure or self.new)

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The difference as the run document holds it."""
        better, worse, unsure = (
            tuple(map(ClauseChange.from_json, document[name])) for name in ("better", "worse", "unsure")
        )
        new, gone = (tuple(Sighting(**one) for one in document[name]) for name in ("new", "gone"))
        return cls(better, worse, unsure, new, gone)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The run beside an earlier one; it informs and decides nothing.

    Attributes:
        target, started, verdict, suite_version: those of the earlier run.
    """

    target: str
    started: str
    verdict: Verdict
    suite_version: str
    difference: Difference

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The comparison as the run document holds it."""
        judged = {"verdict": Verdict(document["verdict"]), "difference": Difference.from_json(document["difference"])}
        return cls(**document | judged)

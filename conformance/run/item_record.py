"""What one test has to say at its end, and what follows from it alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.verdict import Absence, Finding, Span, Spent, Verdict, worst

AT_THE_END = "the look at the end"
"""What stands for a test's name where something was seen after the last one."""

VACUOUS = "it held only where nothing was there that could have broken it, or nothing could be read"

COUNTED = ("cases", "unjudged", "vacuous")
PLAIN = ("test", "item", "reason", "requests", "worker", "at", "seconds", "reasons", "untried")
"""Members of a record: clause -> how many, and those that travel as they are."""


@dataclass(slots=True)
class ItemRecord:
    """What one test has to say, from whichever process; ``item`` tells it from its namesakes with other parameters."""

    test: str
    item: str
    clauses: tuple[str, ...]
    verdict: Verdict
    reason: str
    absence: Absence | None
    requests: int
    worker: str
    at: float
    seconds: float
    cases: Counter[str]
    unjudged: Counter[str]
    vacuous: Counter[str]
    reasons: dict[str, str]
    untried: dict[str, list[str]]
    findings: tuple[Finding, ...]
    spent: Spent

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> ItemRecord:
        """The record that a test's last report carries, as :meth:`to_json` told it."""
        return cls(
            **{
                **said,
                "clauses": tuple(said["clauses"]),
                "verdict": Verdict(said["verdict"]),
                "absence": Absence(said["absence"]) if said["absence"] else None,
                **{name: Counter(said[name]) for name in COUNTED},
                "findings": tuple(map(Finding.from_json, said["findings"])),
                "spent": Spent(**said["spent"]),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """In the plain types that a worker's pipe carries."""
        return {
            **{name: getattr(self, name) for name in PLAIN},
            "clauses": list(self.clauses),
            "verdict": self.verdict.value,
            "absence": self.absence.value if self.absence else None,
            **{name: dict(getattr(self, name)) for name in COUNTED},
            "findings": [finding.to_json() for finding in self.findings],
            "spent": asdict(self.spent),
        }

    def span(self) -> Span:
        """When the test ran, and the worst that it concludes."""
        verdict = worst([self.conclusion(clause)[0] for clause in self.clauses])
        at, seconds = round(self.at, 3), round(self.seconds, 3)
        return Span(self.test, self.worker, self.clauses, at, seconds, verdict, self.requests)

    def conclusion(self, clause: str) -> tuple[Verdict, str, Absence | None]:
        """What this test alone concludes about a clause that it is marked with."""
        if self.verdict is Verdict.ERROR:
            return self.verdict, self.reason, None
        if any(finding.clause == clause for finding in self.findings):
            return Verdict.FAIL, "", None
        if self.verdict is Verdict.INCONCLUSIVE:
            return self.verdict, self.reason, None
        if self.verdict is Verdict.UNTESTED:
            return Verdict.UNTESTED, self.reason, self.absence
        if not self.cases[clause]:
            usual = VACUOUS if self.vacuous[clause] else "no case could be judged"
            return Verdict.INCONCLUSIVE, self.reasons.get(clause, usual), None
        return Verdict.PASS, "", None

    def left_out(self, clause: str) -> list[str]:
        """What it did not try of a clause that it is marked with: single cases, and the rest if it did not end."""
        early = self.verdict in {Verdict.ERROR, Verdict.INCONCLUSIVE}
        return [*self.untried.get(clause, ()), *([f"the rest of {self.test}: {self.reason}"] if early else [])]


@dataclass(frozen=True, slots=True)
class SetAside:
    """What is left once findings are explained.

    Attributes:
        records: without what is explained, its cases not counted.
        saying: clause -> the clauses that explain what was found against it.
        doubted: the same where it may be otherwise: such a clause does not hold for certain.
    """

    records: list[ItemRecord]
    saying: dict[str, set[str]] = field(default_factory=dict)
    doubted: dict[str, set[str]] = field(default_factory=dict)

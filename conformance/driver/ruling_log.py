"""What one test has judged: cases, cases it could not judge, and findings, each fault once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from conformance.evidence import Recorder, curl, reproducer
from conformance.verdict import Finding, Ruling, Violation, smaller


class ClauseBroken(Exception):  # the target's failure, not an error of ours
    """A clause of the running test is broken; raising it lets Hypothesis look for a smaller case."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(
            f"{violation.clause}: {violation.summary}\n"
            f"  expected: {violation.expected}\n"
            f"  observed: {violation.observed}" + (f"\n  case: {violation.case}" if violation.case else "")
        )
        self.violation = violation


@dataclass(slots=True)
class Docket:
    """The rulings of one test.

    Rulings on the test's own clauses raise when they are violations, so that the search for a smaller case begins.
    Violations of other clauses are noted and blamed on those clauses: the test goes on with its own question.
    """

    own: frozenset[str]
    recorder: Recorder
    cases: Counter[str] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def judge(self, *rulings: Ruling | None, case: str = "", unjudged: str = "") -> None:
        """Enter rulings; None is a case that could not be judged, for the reason that ``unjudged`` gives.

        Raises:
            ClauseBroken: one of the test's own clauses is broken.
        """
        entered = [ruling for ruling in rulings if ruling is not None]
        self._leave_open(entered, unjudged)
        violations = [self._enter(ruling, case) for ruling in entered]
        for violation in violations:
            if violation and violation.clause in self.own:
                raise ClauseBroken(violation)

    def note(self, ruling: Ruling | None, exchange: str = "") -> None:
        """Enter a ruling that every exchange gives occasion for, once an exchange; never raises."""
        if ruling is None or (ruling.clause, exchange) in self._seen:
            return
        if exchange:
            self._seen.add((ruling.clause, exchange))
        self._enter(ruling, "")

    def leave_open(self, reason: str) -> None:
        """A case of the test's own clauses could not be judged."""
        self._leave_open([], reason)

    def _leave_open(self, entered: Iterable[Ruling], reason: str) -> None:
        if reason:
            for clause in self.own - {ruling.clause for ruling in entered}:
                self.unjudged[clause] += 1
                self.reasons.setdefault(clause, reason)

    def _enter(self, ruling: Ruling, case: str) -> Violation | None:
        self.cases[ruling.clause] += 1
        if ruling.violation is None:
            return None
        violation = ruling.violation
        finding = self._finding(violation, case)
        key = (violation.clause, violation.rule)
        known = self.findings.get(key)
        self.findings[key] = smaller(known, finding) if known else finding
        return violation

    def _finding(self, violation: Violation, case: str) -> Finding:
        held = self.recorder.exchanges
        cited = [held[one] for one in violation.exchanges if one in held]
        return Finding(
            clause=violation.clause,
            rule=violation.rule,
            summary=violation.summary,
            expected=violation.expected,
            observed=violation.observed,
            case=case or violation.case,
            exchanges=tuple(exchange.to_json() for exchange in cited),
            reproduce=tuple(curl(exchange) for exchange in cited),
            program=reproducer.repeating(violation, cited, self.recorder.origins),
            details=violation.details,
        )

    def to_json(self) -> dict[str, Any]:
        """What a worker sends to the controller."""
        return {
            "cases": dict(self.cases),
            "unjudged": dict(self.unjudged),
            "reasons": dict(self.reasons),
            "findings": [finding.to_json() for finding in self.findings.values()],
        }

"""Many tests' rulings and outcomes into one result for each clause, and one run (spec/README.md, decision 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from conformance.catalogue import Catalogue, Clause
from conformance.driver.lasting import CLAUSES
from conformance.run import suite
from conformance.verdict import Absence, ClauseResult, Finding, Span, Spent, Verdict, told_apart, worst

AT_THE_END = "the look at the end"
"""What stands for a test's name where something was seen after the last one."""

VACUOUS = "it held only where nothing was there that could have broken it, or nothing could be read"

OF_WHAT_IS_GRANTED = frozenset({"codes.success", "response.no-content", "effect.removed", "effect.nothing-else"})
"""The clauses that a removal breaks which is granted, as the page has it or in whatever it wears besides."""

LAWFUL_GAPS = frozenset({Absence.CREDENTIAL, Absence.OPTION, Absence.OCCASION})


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
        """The record that a test's last report carries."""
        outcome, rulings = said["outcome"], said["rulings"]
        return cls(
            test=said["test"],
            item=said.get("item", f"{said['test']} of {said['worker']}"),
            clauses=tuple(said["clauses"]),
            verdict=Verdict(outcome["verdict"]),
            reason=outcome["reason"],
            absence=Absence(outcome["absence"]) if outcome["absence"] else None,
            requests=said["requests"],
            worker=said["worker"],
            at=said["at"],
            seconds=said["seconds"],
            cases=Counter(rulings["cases"]),
            unjudged=Counter(rulings["unjudged"]),
            vacuous=Counter(rulings["vacuous"]),
            reasons=rulings["reasons"],
            untried=rulings["untried"],
            findings=tuple(map(Finding.from_json, rulings["findings"])),
            spent=Spent(**said["spent"]),
        )

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


@dataclass(slots=True)
class Collector:
    """Gathers records while the tests run.

    Attributes:
        collected: the tests that were chosen, with their parameters.
        crashed: such a test -> how the process died that ran it.
        unlooked: why a process that ran tests did not take its look at the end; empty if each did.
    """

    heard: dict[str, ItemRecord] = field(default_factory=dict)
    collected: set[str] = field(default_factory=set)
    crashed: dict[str, str] = field(default_factory=dict)
    unlooked: str = ""
    stopped: str = ""
    """Why no test ran, or why the run ended early; empty when it came to its end."""

    @property
    def records(self) -> Collection[ItemRecord]:
        """What the tests had to say."""
        return self.heard.values()

    def add(self, said: dict[str, Any]) -> bool:
        """Take a test's record, and say whether it is the first: a test that ran again is heard once, the last time."""
        record = ItemRecord.from_json(said)
        first = record.item not in self.heard
        self.heard[record.item] = record
        return first

    def spans(self) -> tuple[Span, ...]:
        """When each test ran, by worker and in the order of their beginnings."""
        return tuple(sorted((record.span() for record in self.records), key=lambda span: (span.worker, span.at)))

    @property
    def partial(self) -> bool:
        """Some of the suite's tests were not chosen."""
        return not suite.tests() <= {suite.name(item) for item in self.collected}

    @property
    def unheard(self) -> dict[str, str]:
        """The tests that were chosen and did not reach their end -> why."""
        why = self.stopped or "it did not run"
        return {item: self.crashed.get(item, why) for item in sorted(self.collected - self.heard.keys())}

    @property
    def incomplete(self) -> bool:
        """Something that was chosen did not reach its end."""
        return bool(self.unheard) or any(map(self.missing, CLAUSES))

    def missing(self, clause: str) -> dict[str, str]:
        """What should have judged a clause and did not reach its end -> why."""
        tests = suite.judges().get(clause, frozenset())
        early = {item: why for item, why in self.unheard.items() if suite.name(item) in tests}
        chosen = tests & {suite.name(item) for item in self.collected}
        late = {AT_THE_END: self.stopped or self.unlooked} if self.unlooked and clause in CLAUSES and chosen else {}
        return early | late

    def results(self, catalogue: Catalogue) -> tuple[ClauseResult, ...]:
        """One result for each clause of the catalogue, in its order."""
        return tuple(self._result(clause) for clause in catalogue.clauses)

    def _result(self, clause: Clause) -> ClauseResult:
        own = [record for record in self.records if clause.id in record.clauses]
        findings = self._findings(clause.id)
        cases = sum(record.cases[clause.id] for record in self.records)
        verdict, reason, absence = self._conclude(clause.id, own, findings, cases)
        return ClauseResult(
            id=clause.id,
            family=clause.family,
            level=clause.level,
            statement=clause.statement,
            source=clause.source,
            verdict=verdict,
            reason=reason,
            cases=cases,
            unjudged=sum(record.unjudged[clause.id] + record.vacuous[clause.id] for record in own),
            requests=sum(record.requests for record in own),
            spent=sum((record.spent for record in own), Spent()),
            absence=absence,
            findings=findings,
            untried=self._left_out(clause.id, own),
        )

    def _left_out(self, clause: str, own: list[ItemRecord]) -> tuple[str, ...]:
        """What was not tried of a clause that was chosen, case by case."""
        said = [left for record in own for left in record.left_out(clause)]
        return (*said, *(f"{item}: {why}" for item, why in self.missing(clause).items()))

    def _findings(self, clause: str) -> tuple[Finding, ...]:
        every = (one for record in self.records for one in record.findings if one.clause == clause)
        found = told_apart(every, plainly=clause in OF_WHAT_IS_GRANTED)
        return tuple(sorted(found, key=lambda finding: (-finding.seen, finding.rule, finding.classes)))

    def _conclude(
        self, clause: str, own: list[ItemRecord], findings: tuple[Finding, ...], cases: int
    ) -> tuple[Verdict, str, Absence | None]:
        missing = self.missing(clause)
        if not own and not any(item in self.crashed for item in missing):
            return (Verdict.FAIL, findings[0].summary, None) if findings else self._unjudged(clause)
        said = [record.conclusion(clause) for record in own]
        said += [
            (Verdict.ERROR if item in self.crashed else Verdict.INCONCLUSIVE, why, None)
            for item, why in missing.items()
        ]
        if findings and not any(verdict is Verdict.ERROR for verdict, _, _ in said):
            return Verdict.FAIL, findings[0].summary, None
        if cases and all(absence in LAWFUL_GAPS for _, _, absence in said):
            return Verdict.PASS, f"holds in {_counted(cases)} that other tests gave occasion for", None
        decided = worst([verdict for verdict, _, _ in said])
        reason, absence = next((reason, absence) for verdict, reason, absence in said if verdict is decided)
        if decided is Verdict.PASS:
            reason = f"holds in {_counted(cases)}"
        return decided, reason, absence

    def _unjudged(self, clause: str) -> tuple[Verdict, str, Absence | None]:
        """No test of the clause reported."""
        tests = suite.judges().get(clause, frozenset())
        if not tests:
            return Verdict.UNTESTED, "no test of this suite judges it yet", Absence.DESELECTED
        if self.stopped:
            return Verdict.INCONCLUSIVE, self.stopped, None
        if not tests & {suite.name(item) for item in self.collected}:
            return Verdict.UNTESTED, "its tests were not selected", Absence.DESELECTED
        return Verdict.UNTESTED, "its tests did not run", Absence.UNEXERCISED


def _counted(cases: int) -> str:
    return f"{cases} case" if cases == 1 else f"{cases} cases"

"""Many tests' rulings and outcomes into one result for each clause, and one run (spec/README.md, decision 4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from conformance.catalogue import Catalogue, Clause
from conformance.contract import REMOVAL, Contract
from conformance.judge.lasting import CLAUSES
from conformance.run import suite
from conformance.run.item_record import AT_THE_END, ItemRecord, SetAside
from conformance.verdict import Absence, ClauseResult, Finding, Span, Spent, Verdict, told_apart, worst

PLAINLY_BROKEN = frozenset(
    {
        *("codes.success", "response.no-content", "effect.removed", "effect.nothing-else"),
        *("effect.refusal-is-inert", "deallocation.delete-refused", "deallocation.put-refused"),
    }
)
"""The clauses that a request of the page may break: what breaks them alike in whatever it wears is no other fault."""

LAWFUL_GAPS = frozenset({Absence.CREDENTIAL, Absence.OPTION, Absence.OCCASION})


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
    contracts: tuple[Contract, ...] = (REMOVAL,)
    """What is judged."""

    stopped: str = ""
    """Why no test ran, or why the run ended early; empty when it came to its end."""

    @property
    def _folders(self) -> tuple[Path, ...]:
        return tuple(one.tests for one in self.contracts)

    @property
    def records(self) -> Collection[ItemRecord]:
        """What the tests had to say."""
        return self.heard.values()

    def add(self, record: ItemRecord) -> bool:
        """Take a test's record, and say whether it is the first: a test that ran again is heard once, the last time."""
        first = record.item not in self.heard
        self.heard[record.item] = record
        return first

    def spans(self) -> tuple[Span, ...]:
        """When each test ran, by worker and in the order of their beginnings."""
        return tuple(sorted((record.span() for record in self.records), key=lambda span: (span.worker, span.at)))

    @property
    def partial(self) -> bool:
        """Some of the suite's tests were not chosen."""
        return not suite.tests(self._folders) <= {suite.name(item) for item in self.collected}

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
        tests = suite.judges(self._folders).get(clause, frozenset())
        early = {item: why for item, why in self.unheard.items() if suite.name(item) in tests}
        chosen = tests & {suite.name(item) for item in self.collected}
        late = {AT_THE_END: self.stopped or self.unlooked} if self.unlooked and clause in CLAUSES and chosen else {}
        return early | late

    def results(self, catalogue: Catalogue) -> tuple[ClauseResult, ...]:
        """One result for each clause of the catalogue, in its order."""
        left = self._explained()
        return tuple(self._result(clause, left) for clause in catalogue.clauses)

    def _explained(self) -> SetAside:
        if not self.records:
            return SetAside([])
        from conformance.run import explained  # noqa: PLC0415  # and the model, which nothing before the end needs

        return explained.set_aside(self.records)

    def _result(self, clause: Clause, left: SetAside) -> ClauseResult:
        records, saying, doubted = left.records, left.saying.get(clause.id), left.doubted.get(clause.id)
        own = [record for record in records if clause.id in record.clauses]
        findings = _findings(records, clause.id)
        cases = sum(record.cases[clause.id] for record in records)
        verdict, reason, absence = self._conclude(clause.id, own, findings, cases)
        if saying and verdict is not Verdict.FAIL:
            reason += f"; where the target deviates, {' and '.join(sorted(saying))} says so"
        if doubted and verdict is Verdict.PASS:
            said = " and ".join(sorted(doubted))
            verdict, reason = Verdict.INCONCLUSIVE, f"what was seen may be what {said} says, and may be more than that"
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
        tests = suite.judges(self._folders).get(clause, frozenset())
        if not tests:
            return Verdict.UNTESTED, "no test of this suite judges it yet", Absence.DESELECTED
        if self.stopped:
            return Verdict.INCONCLUSIVE, self.stopped, None
        if not tests & {suite.name(item) for item in self.collected}:
            return Verdict.UNTESTED, "its tests were not selected", Absence.DESELECTED
        return Verdict.UNTESTED, "its tests did not run", Absence.UNEXERCISED


def _findings(records: Iterable[ItemRecord], clause: str) -> tuple[Finding, ...]:
    every = (one for record in records for one in record.findings if one.clause == clause)
    found = told_apart(every, plainly=clause in PLAINLY_BROKEN)
    return tuple(sorted(found, key=lambda finding: (-finding.seen, finding.rule, finding.classes)))


def _counted(cases: int) -> str:
    return f"{cases} case" if cases == 1 else f"{cases} cases"

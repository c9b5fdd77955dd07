"""What one test has ruled: every ruling once, by clause and exchange, and each fault it shows as one finding.

Nothing is raised here: a violation is entered, and the test goes on with what is left of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from conformance.evidence import Recorder, curl, reproducer, setting, shell
from conformance.judge import oracle
from conformance.verdict import Classes, Finding, Ruling, Violation, smaller

FindingKey = tuple[str, str, Classes]
"""Clause, rule and the classes of the request: what tells findings apart."""


@dataclass(slots=True)
class RulingLog:
    """The rulings of one test, on its own clauses and on those that it gave occasion for.

    An exchange is one case of a clause, however often it is ruled on: a later look may break what held, never the
    other way round, and it is not counted again. A ruling that is about no one exchange is a case of its own.

    Attributes:
        own: the clauses that the test is marked with; a case that could not be judged is theirs.
        findings: by what tells them apart, the smallest counterexample of each.
        earlier: what the same test found when it ran before: what was seen stays seen, and is not counted again.
        violated: what each violation of the test's own clauses was, in the order in which they were entered.
        vacuous: clause -> in how many cases it held, though nothing was there that could have broken it.
        untried: clause -> what was left out, a case an entry, with the reason.
    """

    own: frozenset[str]
    recorder: Recorder
    findings: dict[FindingKey, Finding] = field(default_factory=dict)
    earlier: Mapping[FindingKey, Finding] = field(default_factory=dict)
    violated: list[FindingKey] = field(default_factory=list)
    untried: dict[str, list[str]] = field(default_factory=dict)
    unjudged: Counter[str] = field(default_factory=Counter)
    vacuous: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    _classes: dict[tuple[str, str], Classes] = field(default_factory=dict)
    _entered: set[tuple[FindingKey, str]] = field(default_factory=set)
    _numbers: count[int] = field(default_factory=count)

    @property
    def cases(self) -> Counter[str]:
        """Clause -> how many cases were judged against it."""
        return Counter(clause for clause, _ in self._classes)

    @property
    def broken(self) -> list[Finding]:
        """What was found against the test's own clauses."""
        return [finding for finding in self.found.values() if finding.clause in self.own]

    @property
    def found(self) -> dict[FindingKey, Finding]:
        """What this and earlier runs of the test found."""
        return {**self.earlier, **self.findings}

    def breaks(self, clause: str) -> bool:
        """Whether the clause was seen to be broken."""
        return any(found == clause for found, _, _ in self.findings)

    def judge(
        self, *rulings: Ruling | None, case: str = "", unjudged: str = "", exchange: str = "", kind: Iterable[str] = ()
    ) -> None:
        """Enter the rulings of one case.

        Args:
            rulings: None is one that could not be made, for the reason that ``unjudged`` gives.
            case: the example in words.
            exchange: ID of the exchange that is judged; empty for a case of several.
            kind: the classes of the request, which tell findings of one rule apart: no ID, seed, size or order.
        """
        entered = [ruling for ruling in rulings if ruling is not None and (ruling.reached or ruling.violation)]
        unreached = {ruling.clause for ruling in rulings if ruling is not None} - {one.clause for one in entered}
        for clause in unreached & self.own:
            self.vacuous[clause] += 1
        if unjudged:
            for clause in self.own - {ruling.clause for ruling in entered}:
                self.unjudged[clause] += 1
                self.reasons.setdefault(clause, unjudged)
        for ruling in entered:
            self._enter(ruling, case, exchange, tuple(sorted(set(kind))))

    def note(self, ruling: Ruling | None, exchange: str = "", kind: Iterable[str] = ()) -> None:
        """Enter a ruling that an exchange gave occasion for, whatever its test is about."""
        self.judge(ruling, exchange=exchange, kind=kind)

    def leave_out(self, case: str, reason: str) -> None:
        """A case of the test's own clauses is not tried."""
        for clause in self.own:
            self.untried.setdefault(clause, []).append(f"{case}: {reason}")

    def _enter(self, ruling: Ruling, case: str, exchange: str, kind: Classes) -> None:
        subject = exchange or f"#{next(self._numbers)}"
        known = self._classes.get((ruling.clause, subject), ())
        kind = self._classes[ruling.clause, subject] = kind or known
        if ruling.violation is None:
            return
        key = (ruling.clause, ruling.violation.rule, kind)
        if (key, subject) in self._entered:
            return
        self._entered.add((key, subject))
        if ruling.clause in self.own:
            self.violated.append(key)
        finding = self._finding(ruling.violation, case, kind)
        self.findings[key] = smaller(self.findings[key], finding) if key in self.findings else finding

    def _finding(self, violation: Violation, case: str, kind: Classes) -> Finding:
        held = self.recorder.exchanges
        cited = [held[one] for one in violation.exchanges if one in held]
        told = tuple(exchange.to_json() for exchange in cited)
        needed = setting.derived(
            told,
            (one.to_json() for one in held.values()),
            details=violation.details,
            decisive=violation.decisive,
            words=f"{violation.expected} {violation.observed}",
            origins={address: one.to_json() for address, one in self.recorder.origins.items()},
        )
        persists = violation.rule.startswith(oracle.PERSISTS)
        plan = reproducer.planned(violation, cited, needed, self.recorder.origins, persists=persists)
        return Finding(
            clause=violation.clause,
            rule=violation.rule,
            classes=kind,
            summary=violation.summary,
            expected=violation.expected,
            observed=violation.observed,
            case=case or violation.case,
            exchanges=told,
            reproduce=tuple(curl(exchange) for exchange in cited),
            program=reproducer.program(plan) if plan else "",
            script=shell.script(plan) if plan else "",
            details=violation.details,
            setting=needed.to_json(),
        )

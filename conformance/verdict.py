"""What a run concludes: rulings, findings, clause results and the run itself, frozen and convertible to JSON.

Pure data and the two orders that turn many results into one (spec/README.md, decision 4). Nothing here knows how a
request is sent, how a clause is judged or how a report looks.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

FORMAT = "ip-association-conformance/1"

type_of_json = dict[str, Any]


class Level(StrEnum):
    """How much a clause weighs: a *must* gates a release, a *should* warns."""

    MUST = "must"
    SHOULD = "should"


class Verdict(StrEnum):
    """What is concluded about a clause; the overall verdict uses four of them."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    UNTESTED = "untested"
    WAIVED = "waived"
    ERROR = "error"


WORST_FIRST = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.WAIVED,
    Verdict.INCONCLUSIVE,
    Verdict.UNTESTED,
    Verdict.PASS,
)


class Absence(StrEnum):
    """Why a clause is *untested*: the first four are lawful gaps, the last is a gap that must not pass."""

    CREDENTIAL = "credential"
    OPTION = "option"
    OCCASION = "occasion"
    DESELECTED = "deselected"
    UNEXERCISED = "unexercised"


@dataclass(frozen=True, slots=True)
class Violation:
    """A clause that the target broke in one case.

    ``rule`` names the check within the clause, so that one fault yields one finding however often it is met.
    ``exchanges`` are the identifiers of the recorded exchanges that show it, in order.
    ``details`` is what a report may draw: a history, a sequence of steps.
    """

    clause: str
    rule: str
    summary: str
    expected: str
    observed: str
    exchanges: tuple[str, ...]
    case: str = ""
    details: type_of_json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruling:
    """One case judged against one clause: kept, or broken by ``violation``."""

    clause: str
    violation: Violation | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation as it is reported: with its evidence and a way to reproduce it.

    Attributes:
        case: the smallest counterexample, as text.
        first_case: the counterexample as it was first met, before shrinking; empty when it is the same.
        exchanges: the recorded exchanges as JSON objects, in the order in which they were sent.
        reproduce: curl commands, in order, with credentials as environment variables.
        seen: how many judged cases showed it.
        details: pictures' data that a report may draw (a history, a sequence of steps).
    """

    clause: str
    rule: str
    summary: str
    expected: str
    observed: str
    case: str = ""
    first_case: str = ""
    exchanges: tuple[type_of_json, ...] = ()
    reproduce: tuple[str, ...] = ()
    seen: int = 1
    details: type_of_json = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same for the same kind of violation in every run: clause, rule and nothing that a run chooses."""
        return hashlib.sha256(f"{self.clause}\n{self.rule}".encode()).hexdigest()[:16]

    def to_json(self) -> type_of_json:
        """The finding as the run document holds it."""
        return {**asdict(self), "fingerprint": self.fingerprint}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The finding that :meth:`to_json` described."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        known["exchanges"] = tuple(known.get("exchanges", ()))
        known["reproduce"] = tuple(known.get("reproduce", ()))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """What a run concludes about one clause.

    Attributes:
        reason: one sentence that explains the verdict.
        cases: how many examples were judged against the clause.
        unjudged: how many examples were tried and could not be judged.
        requests: how many requests the clause's own tests sent.
        absence: why it is untested; None unless it is.
    """

    id: str
    family: str
    level: Level
    statement: str
    source: str
    verdict: Verdict
    reason: str
    cases: int = 0
    unjudged: int = 0
    requests: int = 0
    absence: Absence | None = None
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> type_of_json:
        """The result as the run document holds it."""
        flat = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**flat, "findings": [finding.to_json() for finding in self.findings]}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The result that :meth:`to_json` described."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        absence = known.get("absence")
        return cls(
            **known
            | {
                "level": Level(known["level"]),
                "verdict": Verdict(known["verdict"]),
                "absence": Absence(absence) if absence else None,
                "findings": tuple(Finding.from_json(one) for one in known.get("findings", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class Requests:
    """The run's price on the target: requests sent, by answered code (``lost`` for none) and by operation."""

    total: int = 0
    by_code: dict[str, int] = field(default_factory=dict)
    by_operation: dict[str, int] = field(default_factory=dict)
    removals_by_code: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Generated:
    """What the generated requests reached: ``reached`` addressed an association that existed at that moment."""

    total: int = 0
    reached: int = 0
    by_code: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One judgement of one target: the document from which every report is rendered.

    Attributes:
        reason: the rule that decided the verdict (spec/README.md, decision 4), in one sentence.
        partial: a selection of the clauses was run.
        interrupted: the run was stopped before its end.
        target: name, compute and network URL, and which credentials were given; never a secret.
        started, finished: ISO 8601, UTC.
        notes: what the operator should know (leftovers, a smaller pool, lag seen ...), a sentence each.
    """

    verdict: Verdict
    reason: str
    target: type_of_json
    started: str
    finished: str
    seed: int
    depth: str
    suite_version: str
    spec_digest: str
    clauses: tuple[ClauseResult, ...]
    partial: bool = False
    interrupted: bool = False
    requests: Requests = field(default_factory=Requests)
    generated: Generated = field(default_factory=Generated)
    notes: tuple[str, ...] = ()
    format: str = FORMAT

    def to_json(self) -> type_of_json:
        """The run document (``spec/run.schema.json``)."""
        flat = {name: getattr(self, name) for name in ("format", *self.__dataclass_fields__)}
        return {
            **flat,
            "requests": asdict(self.requests),
            "generated": asdict(self.generated),
            "notes": list(self.notes),
            "clauses": [clause.to_json() for clause in self.clauses],
        }

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The run that :meth:`to_json` described."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(
            **known
            | {
                "verdict": Verdict(known["verdict"]),
                "requests": Requests(**known.get("requests", {})),
                "generated": Generated(**known.get("generated", {})),
                "notes": tuple(known.get("notes", ())),
                "clauses": tuple(ClauseResult.from_json(one) for one in known["clauses"]),
            }
        )


def worst(verdicts: list[Verdict]) -> Verdict:
    """The one that decides when several tests judged the same clause; untested when there is none."""
    return min(verdicts, key=WORST_FIRST.index, default=Verdict.UNTESTED)


def overall(clauses: tuple[ClauseResult, ...]) -> tuple[Verdict, str]:
    """The verdict of a run and the rule that decided it (spec/README.md, decision 4; the first that holds)."""
    must = [clause for clause in clauses if clause.level is Level.MUST]
    rules = (
        (Verdict.ERROR, [c for c in clauses if c.verdict is Verdict.ERROR], "the suite broke while judging"),
        (Verdict.FAIL, [c for c in must if c.verdict is Verdict.FAIL], "the target breaks"),
        (Verdict.INCONCLUSIVE, [c for c in must if _left_open(c)], "it could not be judged whether it keeps"),
    )
    for verdict, deciding, words in rules:
        if deciding:
            return verdict, f"{words} {_names(deciding)}"
    if not any(clause.verdict is Verdict.PASS for clause in clauses):
        return Verdict.INCONCLUSIVE, "nothing passed: no clause was exercised"
    return Verdict.PASS, "every must-clause that could be exercised holds"


def _left_open(clause: ClauseResult) -> bool:
    return clause.verdict is Verdict.INCONCLUSIVE or clause.absence is Absence.UNEXERCISED


def _names(clauses: list[ClauseResult]) -> str:
    shown = ", ".join(clause.id for clause in clauses[:4])
    return shown if len(clauses) <= 4 else f"{shown} and {len(clauses) - 4} more"


def smaller(one: Finding, other: Finding) -> Finding:
    """Both show the same: the one that is easier to read, counting both, keeping how it was first met."""
    key = lambda finding: (len(finding.exchanges), len(finding.case), finding.case)  # noqa: E731
    kept = min(one, other, key=key)
    first = one.first_case or one.case
    return replace(kept, seen=one.seen + other.seen, first_case="" if first == kept.case else first)

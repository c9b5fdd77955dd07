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

EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 1, Verdict.ERROR: 3}
"""What a command exits with that ends with this verdict; 3 is pytest's own code for an internal error."""


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
class Waiver:
    """A dated promise to live with a finding for a while (``spec/waivers.schema.json``).

    Attributes:
        match: which findings of the clause; empty: all of them.
        expires: the last day on which it holds, YYYY-MM-DD.
    """

    clause: str
    reason: str
    owner: str
    ticket: str
    expires: str
    match: str = ""

    def in_words(self) -> str:
        """Who promised what until when."""
        return f"waived until {self.expires} by {self.owner} ({self.ticket}): {self.reason}"


class Standing(StrEnum):
    """What became of a waiver in a run: the first and the last are in order, the others fail the gate."""

    APPLIED = "applied"
    EXPIRED = "expired"
    UNMATCHED = "unmatched"
    OBSOLETE = "obsolete"
    UNDECIDED = "undecided"


STALE = {
    Standing.EXPIRED: "has expired",
    Standing.UNMATCHED: "matches no finding",
    Standing.OBSOLETE: "is not needed any more, since the clause passes",
}
"""Standings that fail the gate, in words."""


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """A waiver and what became of it; ``findings`` are the fingerprints of those that it waived."""

    waiver: Waiver
    standing: Standing
    findings: tuple[str, ...] = ()

    def to_json(self) -> type_of_json:
        """The waiver as the run document holds it."""
        return {"waiver": asdict(self.waiver), "standing": self.standing.value, "findings": list(self.findings)}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The use that :meth:`to_json` described."""
        findings = tuple(document.get("findings", ()))
        return cls(Waiver(**document["waiver"]), Standing(document["standing"]), findings)

    def in_words(self) -> str:
        """The clause, the pattern if there is one, and what became of the waiver."""
        narrowed = f" for findings like {self.waiver.match!r}" if self.waiver.match else ""
        became = STALE.get(self.standing, "was applied" if self.findings else "waits: its clause was not judged")
        if self.standing is Standing.EXPIRED:
            became += f" on {self.waiver.expires}"
        return f"the waiver of {self.waiver.clause}{narrowed} ({self.waiver.ticket}) {became}"


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier run whose findings are known and therefore do not gate again.

    Attributes:
        target: what was judged then.
        started: when that run began.
        findings: fingerprints of its findings, but those that were waived: a promise that ended is no news, but a debt.
    """

    target: str
    started: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What gates a run besides broken must-clauses.

    Attributes:
        strict: should-clauses gate like must-clauses.
        require_all: a clause that is untested gates, whatever its reason.
        baseline: only findings that are not among its own gate; what was left open always does.
    """

    strict: bool = False
    require_all: bool = False
    baseline: Baseline | None = None

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The policy as the run document holds it."""
        known = dict(document)
        if earlier := known.get("baseline"):
            known["baseline"] = Baseline(**earlier | {"findings": tuple(earlier.get("findings", ()))})
        return cls(**known)


DEFAULT_POLICY = GatePolicy()


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation as it is reported: with its evidence and a way to reproduce it.

    Attributes:
        case: the smallest counterexample, as text.
        first_case: the counterexample as it was first met, before shrinking; empty when it is the same.
        exchanges: the recorded exchanges as JSON objects, in the order in which they were sent.
        reproduce: curl commands, in order, with credentials as environment variables.
        program: a Python program that does the same, with addresses of its own; empty if there is none.
        seen: how many judged cases showed it.
        details: pictures' data that a report may draw (a history, a sequence of steps).
        waiver: the promise to live with it; None unless it is waived.
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
    program: str = ""
    seen: int = 1
    details: type_of_json = field(default_factory=dict)
    waiver: Waiver | None = None

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
        known["waiver"] = Waiver(**known["waiver"]) if known.get("waiver") else None
        return cls(**known)


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
class ClauseResult:
    """What a run concludes about one clause.

    Attributes:
        reason: one sentence that explains the verdict.
        cases: how many examples were judged against the clause.
        unjudged: how many examples were tried and could not be judged.
        requests: how many requests the clause's own tests sent.
        spent: where the time of the clause's own tests went.
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
    spent: Spent = field(default_factory=Spent)

    def to_json(self) -> type_of_json:
        """The result as the run document holds it."""
        flat = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**flat, "spent": asdict(self.spent), "findings": [finding.to_json() for finding in self.findings]}

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
                "spent": Spent(**known.get("spent", {})),
            }
        )


@dataclass(frozen=True, slots=True)
class Times:
    """How many answers fell into each bucket of :data:`conformance.tally.BOUNDS`, and the slowest one, seconds."""

    counts: tuple[int, ...]
    slowest: float


@dataclass(frozen=True, slots=True)
class Requests:
    """The run's price on the target: requests sent, by answered code (``lost`` for none) and by operation.

    Attributes:
        removals_by_kind: requests to the operation under test, by kind of request and code.
        times: how long answers took, by operation.
    """

    total: int = 0
    by_code: dict[str, int] = field(default_factory=dict)
    by_operation: dict[str, int] = field(default_factory=dict)
    removals_by_code: dict[str, int] = field(default_factory=dict)
    removals_by_kind: dict[str, dict[str, int]] = field(default_factory=dict)
    times: dict[str, Times] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The counts as the run document holds them."""
        times = {name: Times(tuple(one["counts"]), one["slowest"]) for name, one in document.get("times", {}).items()}
        return cls(**document | {"times": times})


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


@dataclass(frozen=True, slots=True)
class Change:
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

    better: tuple[Change, ...] = ()
    worse: tuple[Change, ...] = ()
    unsure: tuple[Change, ...] = ()
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
        better, worse, unsure = (tuple(map(Change.from_json, document[name])) for name in ("better", "worse", "unsure"))
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
        policy: what gated besides broken must-clauses.
        waivers: the waivers that were given, and what became of each.
        time: where the time went; None if the document does not say.
        tests: when each test of the suite ran, by worker.
        comparison: what is different since an earlier run; None unless one was named.
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
    policy: GatePolicy = DEFAULT_POLICY
    waivers: tuple[WaiverUse, ...] = ()
    time: Time | None = None
    tests: tuple[Span, ...] = ()
    comparison: Comparison | None = None
    format: str = FORMAT

    def to_json(self) -> type_of_json:
        """The run document (``spec/run.schema.json``)."""
        flat = {name: getattr(self, name) for name in ("format", *self.__dataclass_fields__)}
        return {
            **flat,
            "requests": asdict(self.requests),
            "generated": asdict(self.generated),
            "notes": list(self.notes),
            "policy": asdict(self.policy),
            "waivers": [use.to_json() for use in self.waivers],
            "tests": [asdict(span) for span in self.tests],
            "comparison": asdict(self.comparison) if self.comparison else None,
            "clauses": [clause.to_json() for clause in self.clauses],
            "time": asdict(self.time) if self.time else None,
        }

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The run that :meth:`to_json` described."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(
            **known
            | {
                "verdict": Verdict(known["verdict"]),
                "requests": Requests.from_json(known.get("requests", {})),
                "generated": Generated(**known.get("generated", {})),
                "notes": tuple(known.get("notes", ())),
                "policy": GatePolicy.from_json(known.get("policy", {})),
                "waivers": tuple(WaiverUse.from_json(one) for one in known.get("waivers", ())),
                "tests": tuple(map(Span.from_json, known.get("tests", ()))),
                "comparison": Comparison.from_json(known["comparison"]) if known.get("comparison") else None,
                "clauses": tuple(ClauseResult.from_json(one) for one in known["clauses"]),
                "time": Time.from_json(known["time"]) if known.get("time") else None,
            }
        )


def worst(verdicts: list[Verdict]) -> Verdict:
    """The one that decides when several tests judged the same clause; untested when there is none."""
    return min(verdicts, key=WORST_FIRST.index, default=Verdict.UNTESTED)


def overall(
    clauses: tuple[ClauseResult, ...], policy: GatePolicy = DEFAULT_POLICY, waivers: tuple[WaiverUse, ...] = ()
) -> tuple[Verdict, str]:
    """The verdict of a run and the rule that decided it (spec/README.md, decision 4; the first that holds)."""
    gating = [clause for clause in clauses if gates(clause, policy)]
    broken = [clause for clause in gating if clause.verdict is Verdict.FAIL]
    left_open = [clause for clause in gating if _left_open(clause)]
    passed = any(clause.verdict is Verdict.PASS for clause in clauses)
    unsure = "it could not be judged whether it keeps"
    rules = (
        (Verdict.ERROR, _said("the suite broke while judging", [c for c in gating if c.verdict is Verdict.ERROR])),
        (Verdict.FAIL, _said("the target breaks", _musts(broken))),
        (Verdict.FAIL, _said("--strict: the target breaks", broken if policy.strict else [])),
        (Verdict.FAIL, "; ".join(use.in_words() for use in waivers if use.standing in STALE)),
        (Verdict.INCONCLUSIVE, _said(unsure, _musts(left_open))),
        (Verdict.INCONCLUSIVE, _said(f"--strict: {unsure}", left_open if policy.strict else [])),
        (Verdict.INCONCLUSIVE, _said("--require-all: untested", gating)),
        (Verdict.INCONCLUSIVE, "" if passed else "nothing passed: no clause was exercised"),
        (Verdict.PASS, _why_it_passes(clauses, policy)),
    )
    return next((verdict, reason) for verdict, reason in rules if reason)


def gates(clause: ClauseResult, policy: GatePolicy = DEFAULT_POLICY) -> bool:
    """Whether the clause alone keeps a run from passing."""
    if clause.verdict is Verdict.ERROR:
        return True
    if policy.require_all and clause.verdict is Verdict.UNTESTED:
        return True
    if clause.level is Level.SHOULD and not policy.strict:
        return False
    return _left_open(clause) or (clause.verdict is Verdict.FAIL and not known(clause, policy))


def known(clause: ClauseResult, policy: GatePolicy) -> bool:
    """Whether the clause is broken by nothing but what the baseline knows or a waiver covers."""
    earlier = policy.baseline.findings if policy.baseline else ()
    return bool(clause.findings) and all(one.waiver or one.fingerprint in earlier for one in clause.findings)


def baseline_of(run: Run) -> Baseline:
    """What a later run may take as known of this one."""
    findings = {one.fingerprint for clause in run.clauses for one in clause.findings if one.waiver is None}
    return Baseline(str(run.target.get("name", "")), run.started, tuple(sorted(findings)))


def _musts(clauses: list[ClauseResult]) -> list[ClauseResult]:
    return [clause for clause in clauses if clause.level is Level.MUST]


def _left_open(clause: ClauseResult) -> bool:
    return clause.verdict is Verdict.INCONCLUSIVE or clause.absence is Absence.UNEXERCISED


def _why_it_passes(clauses: tuple[ClauseResult, ...], policy: GatePolicy) -> str:
    which = "clause" if policy.strict else "must-clause"
    reach = "" if policy.require_all else " that could be exercised"
    weighed = clauses if policy.strict else _musts(list(clauses))
    excuses = (
        _said("waived:", [clause for clause in weighed if clause.verdict is Verdict.WAIVED]),
        _said("known since the baseline:", [clause for clause in weighed if clause.verdict is Verdict.FAIL]),
    )
    excused = "; ".join(filter(None, excuses))
    return f"every {which}{reach} holds or is excused ({excused})" if excused else f"every {which}{reach} holds"


def _said(words: str, clauses: list[ClauseResult]) -> str:
    return f"{words} {_names(clauses)}" if clauses else ""


def _names(clauses: list[ClauseResult]) -> str:
    shown = ", ".join(clause.id for clause in clauses[:4])
    return shown if len(clauses) <= 4 else f"{shown} and {len(clauses) - 4} more"


def smaller(one: Finding, other: Finding) -> Finding:
    """Both show the same: the one that is easier to read, counting both, keeping how it was first met."""
    key = lambda finding: (len(finding.exchanges), len(finding.case), finding.case)  # noqa: E731
    kept = min(one, other, key=key)
    first = one.first_case or one.case
    return replace(kept, seen=one.seen + other.seen, first_case="" if first == kept.case else first)

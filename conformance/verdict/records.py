"""What a run concludes: rulings, findings, clause results and the run itself, frozen and convertible to JSON.

Pure data. Nothing here knows how a request is sent, how a clause is judged or how a report looks.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Self

from conformance.verdict.artifact import Artifact
from conformance.verdict.comparison import Comparison
from conformance.verdict.policy import DEFAULT_POLICY, GatePolicy
from conformance.verdict.space import SpaceMet
from conformance.verdict.terms import WORST_FIRST, Absence, Level, Verdict, type_of_json
from conformance.verdict.timing import Span, Spent, Time
from conformance.verdict.waiver import Waiver, WaiverUse

FORMAT = "ip-association-conformance/1"

Classes = tuple[str, ...]
"""Classes of a request, sorted; they tell findings of one rule apart: none names an ID, a seed, a size or an order."""

FINGERPRINTS = 2
"""The rule by which a document tells its findings apart: 1 by clause and rule, 2 by the classes of the request too."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A clause that the target broke in one case.

    ``rule`` names the check within the clause, so that one fault yields one finding however often it is met.
    ``exchanges`` are the identifiers of the recorded exchanges that show it, in order.
    ``details`` is what a report may draw: a history, a sequence of steps. ``decisive`` is the exchange that breaks the
    clause; empty for the last that is no read.
    """

    clause: str
    rule: str
    summary: str
    expected: str
    observed: str
    exchanges: tuple[str, ...]
    case: str = ""
    details: type_of_json = field(default_factory=dict)
    decisive: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """One case judged against one clause: kept, or broken by ``violation``.

    Attributes:
        reached: there was something that a target which breaks the clause could have changed, and it was looked at.
    """

    clause: str
    violation: Violation | None = None
    reached: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """A violation as it is reported: with its evidence and a way to reproduce it.

    Attributes:
        classes: the classes of the request without which it does not occur.
        case: the smallest counterexample, as text.
        first_case: the counterexample as it was first met, before shrinking; empty when it is the same.
        exchanges: the recorded exchanges as JSON objects, in the order in which they were sent.
        reproduce: curl commands, in order, with credentials as environment variables.
        program: a Python program that tries it again, with addresses of its own; empty if there is none.
        script: the same for bash and curl; empty where codes and IDs alone do not tell it.
        seen: how many judged cases showed it.
        details: pictures' data that a report may draw (a history, a sequence of steps).
        waiver: the promise to live with it; None unless it is waived.
        setting: what must stand before it can be seen again, and which exchange breaks the clause
            (:class:`conformance.evidence.setting.FindingSetup` as JSON); empty in documents that do not tell it.
    """

    clause: str
    rule: str
    summary: str
    expected: str
    observed: str
    classes: Classes = ()
    case: str = ""
    first_case: str = ""
    exchanges: tuple[type_of_json, ...] = ()
    reproduce: tuple[str, ...] = ()
    program: str = ""
    script: str = ""
    seen: int = 1
    details: type_of_json = field(default_factory=dict)
    waiver: Waiver | None = None
    setting: type_of_json = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same for the same kind of violation in every run: clause, rule, classes, no choice of the run."""
        return self.marked(FINGERPRINTS)

    def marked(self, version: int) -> str:
        """The fingerprint by the rule of a version (:data:`FINGERPRINTS`); those before 2 do not know classes."""
        told = (self.clause, self.rule, *(self.classes if version > 1 else ()))
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]

    def to_json(self) -> type_of_json:
        """The finding as the run document holds it."""
        told = {**asdict(self), "fingerprint": self.fingerprint}
        return told if self.setting else {name: one for name, one in told.items() if name != "setting"}

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The finding that :meth:`to_json` described."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        known["exchanges"] = tuple(known.get("exchanges", ()))
        known["classes"] = tuple(known.get("classes", ()))
        known["reproduce"] = tuple(known.get("reproduce", ()))
        known["waiver"] = Waiver(**known["waiver"]) if known.get("waiver") else None
        return cls(**known)


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """What a run concludes about one clause.

    Attributes:
        reason: one sentence that explains the verdict.
        cases: how many examples were judged against the clause.
        unjudged: how many examples were tried and could not be judged.
        untried: what was not tried of what a run tries, case by case, with the reason.
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
    untried: tuple[str, ...] = ()

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
                "untried": tuple(known.get("untried", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Answers by bucket of :data:`conformance.evidence.statistics.BOUNDS`, and the slowest one, seconds."""

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
    times: dict[str, ResponseTimes] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: type_of_json) -> Self:
        """The counts as the run document holds them."""
        times = {
            name: ResponseTimes(tuple(one["counts"]), one["slowest"]) for name, one in document.get("times", {}).items()
        }
        return cls(**document | {"times": times})


@dataclass(frozen=True, slots=True)
class GeneratedReach:
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
        space: which classes of the request space were met; None if the document does not say.
        notes: what the operator should know (leftovers, a smaller pool, lag seen ...), a sentence each.
        policy: what gated besides broken must-clauses.
        waivers: the waivers that were given, and what became of each.
        time: where the time went; None if the document does not say.
        tests: when each test of the suite ran, by worker.
        comparison: what is different since an earlier run; None unless one was named.
        fingerprints: the rule of the fingerprints (:data:`FINGERPRINTS`); documents that do not say are of the first.
        description: where the target description lies in a checkout; None if it was a URL or lies in none.
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
    generated: GeneratedReach = field(default_factory=GeneratedReach)
    space: SpaceMet | None = None
    notes: tuple[str, ...] = ()
    policy: GatePolicy = DEFAULT_POLICY
    waivers: tuple[WaiverUse, ...] = ()
    time: Time | None = None
    tests: tuple[Span, ...] = ()
    comparison: Comparison | None = None
    fingerprints: int = FINGERPRINTS
    description: Artifact | None = None
    format: str = FORMAT

    def to_json(self) -> type_of_json:
        """The run document (``spec/run.schema.json``)."""
        flat = {name: getattr(self, name) for name in ("format", *self.__dataclass_fields__)}
        described = flat.pop("description")
        return {
            **flat,
            **({"description": described.to_json()} if described else {}),
            "requests": asdict(self.requests),
            "generated": asdict(self.generated),
            "space": self.space.to_json() if self.space else None,
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
                "fingerprints": known.get("fingerprints", 1),
                "requests": Requests.from_json(known.get("requests", {})),
                "generated": GeneratedReach(**known.get("generated", {})),
                "space": SpaceMet.from_json(known["space"]) if known.get("space") else None,
                "notes": tuple(known.get("notes", ())),
                "policy": GatePolicy.from_json(known.get("policy", {})),
                "waivers": tuple(WaiverUse.from_json(one) for one in known.get("waivers", ())),
                "tests": tuple(map(Span.from_json, known.get("tests", ()))),
                "comparison": Comparison.from_json(known["comparison"]) if known.get("comparison") else None,
                "clauses": tuple(ClauseResult.from_json(one) for one in known["clauses"]),
                "time": Time.from_json(known["time"]) if known.get("time") else None,
                "description": Artifact.from_json(known["description"]) if known.get("description") else None,
            }
        )


def worst(verdicts: list[Verdict]) -> Verdict:
    """The one that decides when several tests judged the same clause; untested when there is none."""
    return min(verdicts, key=WORST_FIRST.index, default=Verdict.UNTESTED)

"""What every view says alike: the headline, the order of clauses, which of them gate, the codes met.

Pure questions to a run. How the answers look is each format's own business.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from conformance import contract
from conformance.verdict import WORST_FIRST, Absence, ClauseResult, Run, Spent, Verdict, gates, known

DOCUMENTED: Mapping[str, str] = {
    "204": "Success",
    "400": "Error (general)",
    "401": "Unauthorized",
    "403": "Forbidden",
    "405": "Bad Method",
    "413": "Over Limit",
    "500": "Compute fault",
    "503": "Service Unavailable",
}
"""The codes of the page and what it calls them (its section on response codes)."""

LOST = "lost"
"""The key under which requests without an answer are counted."""

SUITE = "ip-association-conformance"
"""By which other programs know who reports."""

__all__ = [
    "ABSENCES",
    "DOCUMENTED",
    "LOST",
    "NOT_JUDGED",
    "SUITE",
    "CodeSeen",
    "TimeSpent",
    "by_contract",
    "codes",
    "counted",
    "counts",
    "duration",
    "families",
    "gate",
    "gates",
    "headline",
    "in_words",
    "known",
    "lasted",
    "longest",
    "not_judged",
    "phases",
    "seconds",
    "spent",
    "target_name",
    "wrong",
]

ABSENCES: Mapping[Absence, str] = {
    Absence.CREDENTIAL: "needs a credential that was not given",
    Absence.OPTION: "needs an option that was not given",
    Absence.OCCASION: "had no occasion to be judged",
    Absence.DESELECTED: "was deselected",
    Absence.UNEXERCISED: "was not exercised, and nothing excuses it",
}

NOT_JUDGED = (Verdict.INCONCLUSIVE, Verdict.UNTESTED, Verdict.WAIVED)


SPENT_ON: Mapping[str, str] = {
    "target": "waiting for the target",
    "settling": "letting effects settle",
    "pacing": "keeping to the rate limit",
    "leases": "waiting for addresses that other tests had",
    "pausing": "being patient, as the target asked",
    "own": "computing",
}
"""What the suite does with its time, in words."""

MOST_LONGEST = 5


@dataclass(frozen=True, slots=True)
class TimeSpent:
    """A part of the tests' time; ``share`` is of all of it, 0 to 1."""

    words: str
    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class CodeSeen:
    """How often the operation under test answered a code: to all requests, and to the generated ones."""

    code: str
    meaning: str
    documented: bool
    removals: int
    generated: int


def headline(run: Run) -> str:
    """The verdict in capitals, and in the same breath whether the run was partial or interrupted."""
    marks = [word for word, holds in (("PARTIAL", run.partial), ("INTERRUPTED", run.interrupted)) if holds]
    return ", ".join([run.verdict.value.upper(), *marks])


def target_name(run: Run) -> str:
    """What the target is called."""
    return str(run.target.get("name") or "unnamed")


def seconds(run: Run) -> float | None:
    """How long the run took; None when its times say nothing."""
    try:
        taken = datetime.fromisoformat(run.finished) - datetime.fromisoformat(run.started)
    except (ValueError, TypeError):
        return None
    return max(taken.total_seconds(), 0.0)


def duration(run: Run) -> str:
    """How long the run took, for a reader."""
    taken = seconds(run)
    return "an unknown time" if taken is None else lasted(taken)


def lasted(seconds: float) -> str:
    """A time for a reader."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


def phases(run: Run) -> dict[str, float]:
    """The parts of the run in words -> how long each took on the wall, seconds."""
    if run.time is None:
        return {}
    workers = f"{run.time.workers} workers" if run.time.workers > 1 else "the tests"
    words = {
        "preparing": "looking at the target",
        "starting": f"starting {workers}",
        "testing": "testing",
        "cleaning": "cleaning up",
    }
    return {words[name]: taken for name, taken in asdict(run.time.phases).items()}


def spent(of: Spent) -> list[TimeSpent]:
    """Where time of tests went, the most first; what took none is left out."""
    taken = asdict(of)
    total = of.total or 1.0
    parts = [TimeSpent(words, taken[name], taken[name] / total) for name, words in SPENT_ON.items() if taken[name]]
    return sorted(parts, key=lambda part: -part.seconds)


def longest(run: Run) -> list[ClauseResult]:
    """The clauses whose tests took longest, these first; none that took no time."""
    timed = [clause for clause in run.clauses if clause.spent.total]
    return sorted(timed, key=lambda clause: -clause.spent.total)[:MOST_LONGEST]


def gate(run: Run) -> str:
    """What gated the run: the levels, whether all was required, what was excused beforehand."""
    policy, earlier = run.policy, run.policy.baseline
    parts = (
        "must- and should-clauses" if policy.strict else "must-clauses",
        "every clause required" if policy.require_all else "",
        f"findings since {earlier.target}, {earlier.started}" if earlier else "",
        f"waivers: {len(run.waivers)}" if run.waivers else "",
    )
    return "; ".join(filter(None, parts))


def wrong(run: Run) -> list[ClauseResult]:
    """Clauses that the target broke or that broke the suite: what gates first, else in the run's order."""
    broken = [clause for clause in run.clauses if clause.verdict in {Verdict.FAIL, Verdict.ERROR}]
    return sorted(broken, key=lambda clause: (not gates(clause, run.policy), clause.verdict is Verdict.ERROR))


def not_judged(run: Run) -> list[ClauseResult]:
    """Clauses without a judgement of their own, ordered by :data:`NOT_JUDGED`; what gates comes first."""
    left = [clause for clause in run.clauses if clause.verdict in NOT_JUDGED]
    return sorted(left, key=lambda clause: (not gates(clause, run.policy), NOT_JUDGED.index(clause.verdict)))


def left_open(run: Run) -> list[ClauseResult]:
    """Clauses that are neither kept nor broken, what gates first; a waived one is broken."""
    return [clause for clause in not_judged(run) if clause.verdict is not Verdict.WAIVED or not clause.findings]


def troubled(run: Run) -> list[ClauseResult]:
    """Clauses that failed without a finding to show, or on which the suite broke."""
    return [clause for clause in wrong(run) if not clause.findings]


def nothing_judged(run: Run) -> bool:
    """Whether no clause was kept or broken although some were there to be judged."""
    return bool(run.clauses) and all(one.verdict in {Verdict.INCONCLUSIVE, Verdict.UNTESTED} for one in run.clauses)


def reasons(clauses: list[ClauseResult]) -> list[tuple[str, int]]:
    """Why they were not judged, and of how many each is so: what more than a lack of credentials says first."""
    tried = [one for one in clauses if one.verdict is Verdict.INCONCLUSIVE] or clauses
    return Counter(in_words(one) for one in tried).most_common()


def anchor(clause: ClauseResult) -> str:
    """Where the page tells of the clause."""
    if clause.verdict in {Verdict.FAIL, Verdict.ERROR} or (clause.verdict is Verdict.WAIVED and clause.findings):
        return f"finding-{clause.id}"
    return f"{'open' if clause.verdict in NOT_JUDGED else 'clause'}-{clause.id}"


def section(verdict: Verdict) -> str:
    """Where the page tells of clauses that ended so."""
    if verdict in {Verdict.FAIL, Verdict.ERROR}:
        return "wrong"
    return {Verdict.PASS: "clauses", Verdict.WAIVED: "waived"}.get(verdict, "not-judged")


def counts(run: Run) -> dict[Verdict, int]:
    """How many clauses ended with each verdict that occurs, the worst first."""
    counted = Counter(clause.verdict for clause in run.clauses)
    return {verdict: counted[verdict] for verdict in WORST_FIRST if counted[verdict]}


def families(run: Run) -> dict[str, list[ClauseResult]]:
    """The clauses by family, in the run's order."""
    grouped: dict[str, list[ClauseResult]] = {}
    for clause in run.clauses:
        grouped.setdefault(clause.family, []).append(clause)
    return grouped


def by_contract(run: Run) -> dict[str, dict[str, list[ClauseResult]]]:
    """The clauses by contract and family; the removal, which is always judged, is the one without a name."""
    grouped: dict[str, dict[str, list[ClauseResult]]] = {"": {}}
    for family, clauses in families(run).items():
        judged_by = contract.stating(clauses[0].id)
        grouped.setdefault("" if judged_by is contract.REMOVAL else judged_by.name, {})[family] = clauses
    return grouped


def codes(run: Run) -> list[CodeSeen]:
    """The documented codes, met or not, then every other one that was met, then lost answers."""
    removals, generated = run.requests.removals_by_code, run.generated.by_code
    others = sorted({*removals, *generated} - {*DOCUMENTED, LOST})
    lost = [LOST] if LOST in {*removals, *generated} else []
    return [
        CodeSeen(
            code=code,
            meaning=DOCUMENTED.get(code, "no answer" if code == LOST else "not documented"),
            documented=code in DOCUMENTED,
            removals=removals.get(code, 0),
            generated=generated.get(code, 0),
        )
        for code in (*DOCUMENTED, *others, *lost)
    ]


def counted(number: int, what: str, many: str = "") -> str:
    """So many of something, in the number that grammar asks for."""
    return f"{number:,} {what if number == 1 else many or what + 's'}"


def in_words(clause: ClauseResult) -> str:
    """Why the clause ended as it did; for an untested one, what it lacks."""
    lack = f"the clause {ABSENCES[clause.absence]}" if clause.absence else ""
    return clause.reason or lack or (clause.findings[0].summary if clause.findings else "no reason was given")

"""Many clause results into one verdict (spec/README.md, decision 4)."""

from __future__ import annotations

from conformance.verdict.policy import DEFAULT_POLICY, Baseline, GatePolicy
from conformance.verdict.records import FINGERPRINTS, ClauseResult, Finding, Run
from conformance.verdict.terms import Absence, Level, Verdict
from conformance.verdict.waiver import STALE, WaiverUse


def overall(
    clauses: tuple[ClauseResult, ...], policy: GatePolicy = DEFAULT_POLICY, waivers: tuple[WaiverUse, ...] = ()
) -> tuple[Verdict, str]:
    """The verdict of a run and the rule that decided it (spec/README.md, decision 4; the first that holds)."""
    gating = [clause for clause in clauses if gates(clause, policy)]
    broken = [clause for clause in gating if clause.verdict is Verdict.FAIL and not known(clause, policy)]
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
    return bool(clause.findings) and all(one.waiver or is_known(one, policy) for one in clause.findings)


def is_known(finding: Finding, policy: GatePolicy) -> bool:
    """Whether the baseline has the finding, by the rule by which the baseline tells findings apart."""
    earlier = policy.baseline
    return earlier is not None and finding.marked(earlier.fingerprints) in earlier.findings


def notes_on(policy: GatePolicy) -> list[str]:
    """What the operator should know of the baseline: that it tells findings apart less closely than this run does."""
    earlier = policy.baseline
    if earlier is None or earlier.fingerprints >= FINGERPRINTS:
        return []
    told = "its findings are matched by clause and rule alone, whatever the kind of request"
    return [f"the baseline of {earlier.started} is from an earlier version: {told}; make it anew to tell them apart"]


def baseline_of(run: Run) -> Baseline:
    """What a later run may take as known of this one."""
    found = (one for clause in run.clauses for one in clause.findings if one.waiver is None)
    findings = {one.marked(run.fingerprints) for one in found}
    return Baseline(str(run.target.get("name", "")), run.started, tuple(sorted(findings)), run.fingerprints)


def _musts(clauses: list[ClauseResult]) -> list[ClauseResult]:
    return [clause for clause in clauses if clause.level is Level.MUST]


def _left_open(clause: ClauseResult) -> bool:
    """It could not be judged, or it is excused for what was found while the rest of its cases was not tried."""
    excused = clause.verdict in {Verdict.FAIL, Verdict.WAIVED}
    unsure = clause.verdict is Verdict.INCONCLUSIVE or clause.absence is Absence.UNEXERCISED
    return unsure or (excused and bool(clause.untried))


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

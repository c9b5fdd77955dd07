"""How a test ended, in the suite's own terms: judged, open, untested, or broken by the suite itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from conformance.client import halting
from conformance.errors import Unjudgeable, Untested
from conformance.verdict import WORST_FIRST, Absence, Finding, Verdict


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """``verdict`` is pass when the test came to its end: what it judged stands in its ruling log."""

    verdict: Verdict = Verdict.PASS
    reason: str = ""
    absence: Absence | None = None


def of(error: BaseException) -> ItemOutcome:
    """What an exception that ended a test says."""
    match error:
        case Unjudgeable():
            return ItemOutcome(Verdict.INCONCLUSIVE, str(error))
        case Untested():
            return ItemOutcome(Verdict.UNTESTED, str(error), Absence(error.absence))
        case pytest.skip.Exception():
            return ItemOutcome(Verdict.UNTESTED, str(error), Absence.DESELECTED)
        case halting.Stopped():
            return ItemOutcome(Verdict.INCONCLUSIVE, str(error))
        case KeyboardInterrupt() | pytest.exit.Exception():
            return ItemOutcome(Verdict.INCONCLUSIVE, "the run was interrupted")
        case _:
            return ItemOutcome(Verdict.ERROR, f"{type(error).__name__}: {error}".splitlines()[0][:300])


def left_open(reason: str) -> ItemOutcome:
    """What could not be looked at, for that reason; nothing was left open without one."""
    return ItemOutcome(Verdict.INCONCLUSIVE, reason) if reason else ItemOutcome()


def worse(one: ItemOutcome | None, other: ItemOutcome) -> ItemOutcome:
    """The one that decides when both set-up or call and teardown went wrong."""
    return min((one or other, other), key=lambda outcome: WORST_FIRST.index(outcome.verdict))


STATUS = {
    Verdict.INCONCLUSIVE: ("inconclusive", "?", ("INCONCLUSIVE", {"yellow": True})),
    Verdict.UNTESTED: ("untested", "-", ("UNTESTED", {"yellow": True})),
}


def fail(report: pytest.TestReport, broken: Iterable[Finding]) -> None:
    """A test that found its clause broken has failed, in the words of what it found."""
    report.outcome = "failed"
    report.longrepr = "\n".join(map(_told, broken))


def _told(finding: Finding) -> str:
    lines = [f"{finding.clause}: {finding.summary}", f"  expected: {finding.expected}"]
    case = [f"  case: {finding.case}"] if finding.case else []
    return "\n".join([*lines, f"  observed: {finding.observed}", *case])


def shorten(report: pytest.TestReport, item: pytest.Item, ended: ItemOutcome) -> None:
    """An open case needs its words, not the traceback through the suite."""
    if ended.verdict in STATUS:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, ended.reason)
        report.conformance_status = STATUS[ended.verdict]  # type: ignore[attr-defined]  # read by our teststatus hook

"""A run as test cases, for the views of CI servers: a case for each clause.

Such views know green, red and skipped, and stop a pipeline on red. So red is exactly what gates the run, and green is
exactly ``pass``:

* a broken must-clause has *failed*;
* a must-clause that was left open has *erred*, of the kind ``inconclusive``, ``untested`` or ``unexercised``, and so
  has a clause on which the suite broke, of the kind ``error``, so that neither looks green;
* everything else that did not pass is *skipped* with its reason: untested, waived, known since the baseline, and
  should-clauses that are broken or left open, which warn and gate nothing unless the run was strict.

When no clause says why the run may not pass (nothing passed, the run was interrupted), a case ``run.verdict`` says it;
without it the file would be green. The time of a case is what the tests of its clause took, added up over the
processes that ran them, so all together may be more than the run lasted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from conformance.report.outline import headline, in_words, target_name
from conformance.report.visible import command, one_line, visible
from conformance.verdict import Absence, ClauseResult, Finding, GatePolicy, Run, Verdict, gates, known


class Ending(StrEnum):
    """What a viewer makes of a case: green, red for a target that broke it, red for what is open, neither."""

    PASSED = "passed"
    FAILED = "failed"
    ERRED = "erred"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TestCase:
    """A case; all texts are harmless on a screen.

    Attributes:
        family: the clause's, or ``run``.
        kind: of a red one.
        message: why it is not green, in a line.
        text: what was judged and found.
        clause: what it is about; None for the run as a whole.
    """

    __test__ = False  # pytest takes what is called so for tests

    family: str
    name: str
    ending: Ending
    kind: str = ""
    message: str = ""
    text: str = ""
    seconds: float = 0.0
    clause: ClauseResult | None = None


def cases(run: Run) -> Iterator[TestCase]:
    """The cases in the order of the run."""
    yield from (_case(clause, run.policy) for clause in run.clauses)
    spoken = any(gates(clause, run.policy) for clause in run.clauses)
    if not spoken and (run.verdict is not Verdict.PASS or run.interrupted):
        ending = Ending.FAILED if run.verdict is Verdict.FAIL else Ending.ERRED
        kind = "interrupted" if run.interrupted else run.verdict.value
        yield TestCase("run", "run.verdict", ending, kind, one_line(f"{headline(run)}: {run.reason}"))


def suite(run: Run, family: str) -> str:
    """The suite of a family: two targets have no suite in common, wherever their files are put together."""
    return one_line(f"{target_name(run)}.{family}")


def _case(clause: ClauseResult, policy: GatePolicy) -> TestCase:
    ending, kind = _ending(clause, policy)
    message = "" if ending is Ending.PASSED else _message(clause, policy)
    names = one_line(clause.family), one_line(clause.id)
    return TestCase(*names, ending, kind, message, _text(clause), clause.spent.total, clause)


def _ending(clause: ClauseResult, policy: GatePolicy) -> tuple[Ending, str]:
    if clause.verdict is Verdict.PASS:
        return Ending.PASSED, ""
    if not gates(clause, policy):
        return Ending.SKIPPED, ""
    if clause.verdict is Verdict.FAIL:
        return Ending.FAILED, one_line(clause.findings[0].rule if clause.findings else "fail")
    if clause.absence is Absence.UNEXERCISED:
        return Ending.ERRED, Absence.UNEXERCISED.value
    return Ending.ERRED, clause.verdict.value


def _message(clause: ClauseResult, policy: GatePolicy) -> str:
    words = clause.findings[0].summary if clause.findings else in_words(clause)
    if len(clause.findings) > 1:
        words += f" (and {len(clause.findings) - 1} more)"
    if clause.verdict is Verdict.FAIL:
        return one_line(words if gates(clause, policy) else f"{_excuse(clause, policy)}, gates nothing: {words}")
    return one_line(f"{clause.verdict}: {in_words(clause)}")


def _excuse(clause: ClauseResult, policy: GatePolicy) -> str:
    return "known since the baseline" if known(clause, policy) else "warning"


def _text(clause: ClauseResult) -> str:
    head = f"{clause.id} ({clause.level}): {clause.statement}\nSource: {clause.source}\n{in_words(clause)}"
    return "\n\n".join([visible(head), *map(_finding, clause.findings)])


def _finding(finding: Finding) -> str:
    parts = (
        ("Finding", finding.summary),
        ("Expected", finding.expected),
        ("Observed", finding.observed),
        ("Smallest case", finding.case),
        ("Reproduce", "\n".join(map(command, finding.reproduce))),
        ("Waiver", finding.waiver.in_words() if finding.waiver else ""),
    )
    return "\n".join(f"{name}: {visible(text)}" for name, text in parts if text)

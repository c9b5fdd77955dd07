"""Workflow commands of GitHub Actions: a step that prints them puts the verdict and the findings on the job's page.

A command is a line, so nothing that a target said may end one: what a line or a property cannot hold is encoded
as the toolkit of the service does it (``%``, line ends, and in properties ``:`` and ``,``). The service shows the
first ten of a severity in a step; the verdict and what gates come first.
"""

from collections.abc import Iterator

from conformance.report.outline import headline, in_words, not_judged, target_name, wrong
from conformance.report.visible import one_line
from conformance.verdict import ClauseResult, Finding, Run, Verdict, gates

LONGEST = 800


def render(run: Run) -> str:
    """The run as workflow commands, one a line."""
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    whole = run.verdict is Verdict.PASS and not (run.partial or run.interrupted)
    yield _command("notice" if whole else "error", f"{target_name(run)}: {headline(run)}", run.reason)
    for clause in wrong(run):
        weight = "error" if gates(clause, run.policy) else "warning"
        told = [_finding(finding) for finding in clause.findings] or [in_words(clause)]
        yield from (_command(weight, _title(run, clause), words) for words in told)
    for clause in not_judged(run):
        weight = "error" if gates(clause, run.policy) else "notice"
        yield _command(weight, _title(run, clause), f"{clause.verdict}: {in_words(clause)}")


def _title(run: Run, clause: ClauseResult) -> str:
    return f"{target_name(run)}: {clause.id}"


def _finding(finding: Finding) -> str:
    return f"{finding.summary}. Expected: {finding.expected}. Observed: {finding.observed}"


def _command(weight: str, title: str, words: str) -> str:
    return f"::{weight} title={_property(title)}::{_data(words)}"


def _data(text: str) -> str:
    return one_line(text)[:LONGEST].replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

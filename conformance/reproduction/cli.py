"""The command ``conformance reproduce``: a finding of a saved run, tried again.

Exit codes: 0 not reproduced, 1 reproduced (or something is left), 3 it could not be tried, 4 wrong usage. Of several
findings the highest decides.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from conformance import report, target
from conformance.errors import ConformanceError, UsageError
from conformance.evidence import setting
from conformance.report.cli import USAGE_ERROR, Command
from conformance.report.visible import one_line
from conformance.reproduction.outcome import EXIT_CODES, ReproductionAnswer, ReproductionOutcome
from conformance.reproduction.trying import reproducer
from conformance.target import Target
from conformance.verdict import Finding, Run


@click.command(cls=Command)
@click.argument("saved", type=click.Path(path_type=Path), metavar="RUN.json")
@click.argument("fingerprint", required=False)
@click.option("--target", "given", metavar="FILE|URL", help="Target description or URL.  [default: the run's own URL]")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Where the ledgers are kept.")
def reproduce(saved: Path, fingerprint: str | None, given: str | None, state_dir: Path | None) -> None:
    """Send a finding's requests again on an address of its own, judge them by the clause, take everything back.

    FINGERPRINT (or its beginning) chooses a finding; without it all are tried, a line each. Ends with REPRODUCED (exit
    1), NOT REPRODUCED (exit 0) or COULD NOT BE TRIED (exit 3).
    """
    try:
        run = report.read(saved)
        findings = _chosen(run, fingerprint)
        chosen = target.load(given or str(run.target.get("compute", "")))
    except UsageError as error:
        click.echo(f"ERROR: {error}", err=True)
        sys.exit(USAGE_ERROR)
    sys.exit(_all_tried(run, findings, chosen, state_dir, at_length=fingerprint is not None))


def _chosen(run: Run, fingerprint: str | None) -> list[Finding]:
    found = [one for clause in run.clauses for one in clause.findings]
    if fingerprint is None:
        return found
    chosen = [one for one in found if one.fingerprint.startswith(fingerprint.lower())]
    if len(chosen) != 1:
        known = ", ".join(one.fingerprint for one in found) or "none"
        raise UsageError(f"{one_line(fingerprint)} names {len(chosen)} findings of the run; it has {known}")
    return chosen


def _all_tried(run: Run, findings: Sequence[Finding], chosen: Target, root: Path | None, *, at_length: bool) -> int:
    codes, left = [0], []
    if not findings:
        click.echo(f"{ReproductionAnswer.NOT_REPRODUCED}: the run has no findings")
        return EXIT_CODES[ReproductionAnswer.NOT_REPRODUCED]
    try:
        with reproducer(run, chosen, root) as tries:
            for finding in findings:
                outcome = tries.reproduce(finding)
                codes.append(EXIT_CODES[outcome.answer])
                click.echo(_at_length(finding, outcome) if at_length else _in_a_line(finding, outcome))
            left = tries.left
    except ConformanceError as error:
        click.echo(f"{ReproductionAnswer.NOT_TRIED}: {one_line(str(error))}")
        return EXIT_CODES[ReproductionAnswer.NOT_TRIED]
    for sentence in left:
        click.echo(f"left: {one_line(sentence)}")
    return max([*codes, 1 if left else 0])


def _in_a_line(finding: Finding, outcome: ReproductionOutcome) -> str:
    return one_line(f"{outcome.answer}: {finding.clause} {finding.fingerprint}: {outcome.seen}")


def _at_length(finding: Finding, outcome: ReproductionOutcome) -> str:
    words = setting.of(finding.to_json())
    lines = [
        f"{finding.clause}: {words.in_words(finding.summary)}",
        f"  expected: {words.in_words(finding.expected)}",
        f"  in the run: {words.in_words(finding.observed)}",
        *(f"  sent: {line}" for line in outcome.sent),
        f"  now: {outcome.seen}",
        outcome.answer,
    ]
    return "\n".join(lines[:1] + [f"  {one_line(line.strip())}" for line in lines[1:-1]] + lines[-1:])

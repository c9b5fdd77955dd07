"""What got better, worse and new between two saved runs.

It compares what the runs say of the target. So a waiver changes nothing (a waived clause is a broken one), and losing
sight of a clause is no improvement: that it was judged and is not any more is said apart.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.report.markdown import code, table
from conformance.report.outline import headline, target_name
from conformance.report.visible import one_line
from conformance.verdict import Finding, Run, Verdict

HOLDS = frozenset({Verdict.PASS})
BROKEN = frozenset({Verdict.FAIL, Verdict.WAIVED})


@dataclass(frozen=True, slots=True)
class Change:
    """A clause and its verdicts; None in a run that does not know the clause."""

    clause: str
    before: Verdict | None
    after: Verdict | None

    @property
    def in_words(self) -> str:
        """From what to what."""
        return f"{self.before or 'unknown'} -> {self.after or 'unknown'}"


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

    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    unsure: tuple[Change, ...]
    new: tuple[Finding, ...]
    gone: tuple[Finding, ...]

    @property
    def is_worse(self) -> bool:
        """Something is wrong or unknown that was not."""
        return bool(self.worse or self.unsure or self.new)


def between(old: Run, new: Run) -> Difference:
    """What the run ``new`` says differently from ``old``."""
    before, after = ({clause.id: clause.verdict for clause in run.clauses} for run in (old, new))
    changes = [Change(one, before.get(one), after.get(one)) for one in dict.fromkeys([*after, *before])]
    judged = {change.clause for change in changes if change.after in HOLDS | BROKEN}
    then, now = ({one.fingerprint: one for one in _findings(run)} for run in (old, new))
    return Difference(
        better=tuple(one for one in changes if one.after in HOLDS and one.before not in HOLDS),
        worse=tuple(one for one in changes if one.after in BROKEN and one.before not in BROKEN),
        unsure=tuple(one for one in changes if one.clause not in judged and one.before in HOLDS | BROKEN),
        new=tuple(finding for mark, finding in now.items() if mark not in then),
        gone=tuple(one for mark, one in then.items() if mark not in now and one.clause in judged),
    )


def as_text(old: Run, new: Run) -> str:
    """The difference for a terminal, a line each."""
    difference = between(old, new)
    lines = [f"old: {_about(old)}", f"new: {_about(new)}"]
    for heading, rows in _sections(difference):
        lines += ["", f"{heading}: {len(rows)}", *(f"  {one_line(name)}  {one_line(what)}" for name, what in rows)]
    return "\n".join(lines) + "\n"


def as_markdown(old: Run, new: Run) -> str:
    """The difference for a comment."""
    difference = between(old, new)
    lines = [
        "## Conformance, compared",
        "",
        *table(("", "run"), [("old", code(_about(old))), ("new", code(_about(new)))]),
    ]
    for heading, rows in _sections(difference):
        lines += ["", f"### {heading}: {len(rows)}"]
        if rows:
            lines += ["", *table(("clause", "what"), [(code(name), code(what)) for name, what in rows])]
    return "\n".join(lines) + "\n"


def _sections(difference: Difference) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "Worse", _changes(difference.worse)
    yield "New findings", _summaries(difference.new)
    yield "Not judged any more", _changes(difference.unsure)
    yield "Better", _changes(difference.better)
    yield "Findings that are gone", _summaries(difference.gone)


def _changes(changes: Iterable[Change]) -> list[tuple[str, str]]:
    return [(change.clause, change.in_words) for change in changes]


def _summaries(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.clause, finding.summary) for finding in findings]


def _findings(run: Run) -> Iterator[Finding]:
    return (finding for clause in run.clauses for finding in clause.findings)


def _about(run: Run) -> str:
    return one_line(f"{headline(run)}, {target_name(run)}, {run.started}, suite {run.suite_version}")

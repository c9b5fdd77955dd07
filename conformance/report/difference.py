"""What got better, worse and new between two saved runs.

It compares what the runs say of the target. So a waiver changes nothing (a waived clause is a broken one), and losing
sight of a clause is no improvement: that it was judged and is not any more is said apart.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from conformance.report.markdown import code, table
from conformance.report.outline import headline, target_name
from conformance.report.visible import one_line
from conformance.verdict import ClauseChange, Comparison, Difference, Finding, Run, Sighting, Verdict

HOLDS = frozenset({Verdict.PASS})
BROKEN = frozenset({Verdict.FAIL, Verdict.WAIVED})


def between(old: Run, new: Run) -> Difference:
    """What the run ``new`` says differently from ``old``."""
    before, after = ({clause.id: clause.verdict for clause in run.clauses} for run in (old, new))
    changes = [ClauseChange(one, before.get(one), after.get(one)) for one in dict.fromkeys([*after, *before])]
    judged = {change.clause for change in changes if change.after in HOLDS | BROKEN}
    version = min(old.fingerprints, new.fingerprints)
    then, now = ({one.marked(version): one for one in _findings(run)} for run in (old, new))
    return Difference(
        better=tuple(one for one in changes if one.after in HOLDS and one.before not in HOLDS),
        worse=tuple(one for one in changes if one.after in BROKEN and one.before not in BROKEN),
        unsure=tuple(one for one in changes if one.clause not in judged and one.before in HOLDS | BROKEN),
        new=tuple(_sighting(one) for mark, one in now.items() if mark not in then),
        gone=tuple(_sighting(one) for mark, one in then.items() if mark not in now and one.clause in judged),
    )


def compared(run: Run, old: Run) -> Run:
    """The run with what is different since the run ``old``, for every view to show."""
    told = Comparison(target_name(old), old.started, old.verdict, old.suite_version, between(old, run))
    return replace(run, comparison=told)


def as_text(old: Run, new: Run) -> str:
    """The difference for a terminal, a line each."""
    difference = between(old, new)
    lines = [f"old: {_about(old)}", f"new: {_about(new)}"]
    for heading, rows in sections(difference):
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
    for heading, rows in sections(difference):
        lines += ["", f"### {heading}: {len(rows)}"]
        if rows:
            lines += ["", *table(("clause", "what"), [(code(name), code(what)) for name, what in rows])]
    return "\n".join(lines) + "\n"


def sections(difference: Difference) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Heading and rows of clause and words, what is worse first."""
    yield "Worse", _changes(difference.worse)
    yield "New findings", _summaries(difference.new)
    yield "Not judged any more", _changes(difference.unsure)
    yield "Better", _changes(difference.better)
    yield "Findings that are gone", _summaries(difference.gone)


def _changes(changes: Iterable[ClauseChange]) -> list[tuple[str, str]]:
    return [(change.clause, change.in_words) for change in changes]


def _summaries(sightings: Iterable[Sighting]) -> list[tuple[str, str]]:
    return [(one.clause, one.summary) for one in sightings]


def _sighting(finding: Finding) -> Sighting:
    return Sighting(finding.clause, finding.rule, finding.summary)


def _findings(run: Run) -> Iterator[Finding]:
    return (finding for clause in run.clauses for finding in clause.findings)


def _about(run: Run) -> str:
    return one_line(f"{headline(run)}, {target_name(run)}, {run.started}, suite {run.suite_version}")

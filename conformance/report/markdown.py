"""Markdown for a job's summary page and for comments on merge requests: the verdict, what is wrong, what is open.

Short on purpose: a comment that is cut loses its end, so texts, tables and lists are bounded, and what was left out
is counted. What a target said stands in code spans and code blocks only, where no renderer knows markup, links or
mentions; a span is fenced by more backticks than it holds.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from conformance import input_file
from conformance.errors import UsageError
from conformance.report import SUMMARY_PAGE
from conformance.report.outline import (
    counts,
    duration,
    gate,
    gates,
    headline,
    in_words,
    not_judged,
    target_name,
    wrong,
)
from conformance.report.visible import command, one_line
from conformance.verdict import ClauseResult, Finding, GatePolicy, Run, Verdict, is_known

MARKER = "<!-- ip-association-conformance -->"
"""Lets a job find its comment of the last time and replace it."""

SIGNS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.ERROR: "💥", Verdict.INCONCLUSIVE: "❔"}

LONGEST_TEXT = 200
LONGEST_COMMANDS = 4_000
MOST_COMMANDS = 16_000
"""Commands that are cut are worth nothing: those of a finding stand there whole, or in the report only."""

MOST_FINDINGS = 25
MOST_NOTES = 10


def render(run: Run) -> str:
    """The run as a Markdown document of at most about 60,000 characters."""
    return (
        "\n".join([MARKER, *_head(run), *_since(run), *_findings(run), *_open(run), *_waivers(run), *_notes(run)])
        + "\n"
    )


def append(text: str, path: Path) -> None:
    """Add Markdown to the end of the file ``path``, which other steps of a job write to as well.

    Raises:
        UsageError: it cannot be written to.
    """
    try:
        with open(path, "a", encoding="utf-8", opener=input_file.without_waiting) as file:
            file.write(f"\n{text}\n")
    except OSError as error:
        raise UsageError(f"{SUMMARY_PAGE}: {path} cannot be written to ({error.strerror})") from error


def code(text: str, longest: int = LONGEST_TEXT) -> str:
    """``text`` as a code span for a line or a cell of a table; nothing for an empty one."""
    shown = _cut(one_line(text).strip(), longest)
    if not shown:
        return ""
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    edge = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A table; the cells are Markdown. A bar in them is written out, since renderers differ on how to escape it."""
    lines = [names, ("---",) * len(names), *([cell.replace("|", r"\x7c") for cell in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _head(run: Run) -> Iterator[str]:
    yield f"## {SIGNS.get(run.verdict, '❔')} Conformance: {headline(run)}, {code(target_name(run), 80)}"
    yield ""
    yield code(run.reason, 2 * LONGEST_TEXT)
    yield ""
    counted = ", ".join(f"{number} {verdict}" for verdict, number in counts(run).items())
    yield f"- Clauses: {counted or 'none'}"
    yield f"- Gate: {code(gate(run))}"
    yield f"- Price: {run.requests.total:,} requests, {duration(run)}"
    yield f"- Run: depth {code(run.depth, 20)}, seed {run.seed}, suite {code(run.suite_version, 20)}"


def _since(run: Run) -> Iterator[str]:
    if not run.comparison:
        return
    told, found = run.comparison, run.comparison.difference
    about = code(f"{told.target}, {told.started}: {told.verdict}")
    yield from ("", f"### Since {about}", "")
    counted = (
        (found.worse, "worse"),
        (found.new, "new findings"),
        (found.unsure, "not judged any more"),
        (found.better, "better"),
        (found.gone, "findings gone"),
    )
    yield ", ".join(f"{len(rows)} {words}" for rows, words in counted)
    rows = [
        (code(one.clause), "worse" if one in found.worse else "not judged any more", code(one.in_words))
        for one in (*found.worse, *found.unsure)
    ]
    rows += [(code(one.clause), "new finding", code(one.summary)) for one in found.new]
    if rows:
        yield ""
        yield from table(("clause", "", "what"), rows[:MOST_FINDINGS])
        yield from _left_out(rows, MOST_FINDINGS, "differences")


def _findings(run: Run) -> Iterator[str]:
    met = [(clause, finding) for clause in wrong(run) for finding in clause.findings]
    if not wrong(run):
        return
    yield from ("", "### What is wrong", "")
    rows = [_row(clause, finding, run.policy) for clause, finding in met[:MOST_FINDINGS]]
    rows += [_bare(clause, run.policy) for clause in wrong(run) if not clause.findings]
    yield from table(("clause", "level", "", "finding", "expected", "observed"), rows)
    yield from _left_out(met, MOST_FINDINGS, "findings")
    room = MOST_COMMANDS
    for clause, finding in met[:MOST_FINDINGS]:
        told = list(_reproduction(clause, finding))
        room -= sum(map(len, told))
        if room > 0:
            yield from told


def _row(clause: ClauseResult, finding: Finding, policy: GatePolicy) -> tuple[str, ...]:
    says = (code(text) for text in (finding.summary, finding.expected, finding.observed))
    return (code(clause.id), clause.level.value, _weight(clause, finding, policy), *says)


def _bare(clause: ClauseResult, policy: GatePolicy) -> tuple[str, ...]:
    weight = "gates" if gates(clause, policy) else "warns"
    return (code(clause.id), clause.level.value, weight, code(in_words(clause)), "", "")


def _weight(clause: ClauseResult, finding: Finding, policy: GatePolicy) -> str:
    if finding.waiver:
        return "waived"
    if is_known(finding, policy):
        return "known"
    return "gates" if gates(clause, policy) else "warns"


def _reproduction(clause: ClauseResult, finding: Finding) -> Iterator[str]:
    commands = "\n".join(map(command, finding.reproduce))
    if not commands or len(commands) > LONGEST_COMMANDS:
        return
    fence = "`" * max(3, *(len(met) + 1 for met in re.findall("`+", commands)), 0)
    yield from ("", f"<details><summary>Reproduce {_plain(clause.id)}, {_plain(finding.rule)}</summary>", "")
    yield from (f"{fence}sh", commands, fence, "", "</details>")


def _plain(text: str) -> str:
    """A name without anything that Markdown or HTML knows."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text)[:60]


def _open(run: Run) -> Iterator[str]:
    left = not_judged(run)
    if not left:
        return
    yield from ("", "### What was not judged, and what is waived", "")
    rows = [
        (
            code(one.id),
            one.level.value,
            f"{one.verdict}{', gates' if gates(one, run.policy) else ''}",
            code(in_words(one)),
        )
        for one in left
    ]
    yield from table(("clause", "level", "verdict", "why"), rows)


def _waivers(run: Run) -> Iterator[str]:
    if not run.waivers:
        return
    yield from ("", "### Waivers", "")
    rows = [
        (
            code(use.waiver.clause),
            code(use.waiver.ticket, 60),
            code(use.waiver.owner, 60),
            code(use.waiver.expires, 20),
            use.standing,
        )
        for use in run.waivers[:MOST_FINDINGS]
    ]
    yield from table(("clause", "ticket", "owner", "until", "standing"), rows)
    yield from _left_out(run.waivers, MOST_FINDINGS, "waivers")


def _notes(run: Run) -> Iterator[str]:
    if not run.notes:
        return
    yield from ("", "### Notes", "")
    yield from (f"- {code(note)}" for note in run.notes[:MOST_NOTES] if note.strip())
    yield from _left_out(run.notes, MOST_NOTES, "notes")


def _left_out(listed: Sequence[object], most: int, what: str) -> Iterator[str]:
    if len(listed) > most:
        yield from ("", f"{len(listed) - most} more {what} are in the report.")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 4]} ..."

"""The summary at the end of a run: clauses, findings in short, notes, and the verdict as the last line.

Pure: run, width and colour in, text out. Nothing that a target said can break a line or reach the terminal as
a control: it passes through :mod:`conformance.report.visible` and is never read as markup.
"""

import re
from collections.abc import Iterator, Mapping
from io import StringIO

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.report import timeline
from conformance.report.difference import sections
from conformance.report.outline import duration, headline, in_words, lasted, longest, phases, spent, target_name, wrong
from conformance.report.visible import command, one_line, visible
from conformance.verdict import ClauseResult, Comparison, Finding, GatePolicy, Run, Spent, Verdict, gates

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.UNTESTED: "yellow",
    Verdict.WAIVED: "cyan",
}

SHOWN_CASE_LINES = 6
LEAST_SHOWN_SHARE = 0.01
SHOWN_STEPS = 14
SHOWN_CHANGES = 10
SHOWN_CURL = 1000
"""A longer command would fill the screen; a command that is cut is worth nothing."""
LAST_COMMAND = re.compile(r": (conformance cleanup --adopt \S+)$")
"""What a note ends with, to be copied: a line of its own, since it would break between its words."""


def summary(run: Run, *, width: int = 100, color: bool = False, after: Mapping[str, str] | None = None) -> str:
    """The whole summary, ending with :func:`verdict_line`. Commands and the last line exceed ``width``.

    Args:
        after: where to read on and what to do next, by names of few letters.
    """
    screen = StringIO()
    console = Console(
        file=screen,
        width=max(width, 40),
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    for part in _parts(run, after or {}):
        console.print(part, soft_wrap=isinstance(part, Text))
    return "\n".join(line.rstrip() for line in screen.getvalue().splitlines()) + "\n"


def verdict_line(run: Run) -> str:
    """Verdict, deciding rule, target and price in one line, whatever they hold."""
    price = f"{run.requests.total} requests, {duration(run)}"
    return one_line(f"conformance: {headline(run)} ({run.reason}) - target {target_name(run)}, {price}")


def _parts(run: Run, after: Mapping[str, str]) -> Iterator[RenderableType]:
    if run.clauses:
        yield _table(run)
        yield Text()
    for clause in wrong(run):
        for finding in clause.findings:
            yield from _finding(clause, finding, run.policy)
            yield Text()
    if run.comparison:
        yield from _since(run.comparison)
        yield Text()
    if run.notes:
        for note in run.notes:
            yield _indented("note", LAST_COMMAND.sub(r":\n\1", note), 0)
        yield Text()
    if run.time and run.time.spent.total:
        yield from _time(run, run.time.spent)
        yield Text()
    for name, words in after.items():
        yield Text(f"{name:<8}  {words}")
    yield Text(verdict_line(run), style=STYLES[run.verdict])


def _table(run: Run) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for name in ("clause", "level", "verdict"):
        table.add_column(name, no_wrap=True, overflow="fold")
    table.add_column("cases", justify="right", no_wrap=True)
    table.add_column("reason", ratio=1, overflow="fold")
    for clause in run.clauses:
        table.add_row(
            Text(one_line(clause.id)),
            Text(clause.level),
            Text(clause.verdict, style=STYLES[clause.verdict]),
            Text(str(clause.cases)),
            Text(one_line(_reason(clause))),
        )
    return table


def _time(run: Run, of: Spent) -> Iterator[RenderableType]:
    """Where it went: on the wall, over all tests, and which of them took longest."""
    parts = [f"{part.share:.0%} {part.words}" for part in spent(of) if part.share >= LEAST_SHOWN_SHARE]
    yield _indented("time", ", ".join(f"{words} {lasted(taken)}" for words, taken in phases(run).items()))
    yield _indented("tests", f"{lasted(of.total)}: {', '.join(parts)}")
    slow = ", ".join(f"{clause.id} {lasted(clause.spent.total)}" for clause in longest(run))
    yield _indented("longest", slow)


def _reason(clause: ClauseResult) -> str:
    if clause.verdict is Verdict.PASS:
        return f"{clause.unjudged} more could not be judged" if clause.unjudged else ""
    if clause.verdict is Verdict.FAIL and clause.findings:
        return clause.findings[0].summary
    return in_words(clause)


def _finding(clause: ClauseResult, finding: Finding, policy: GatePolicy) -> Iterator[RenderableType]:
    verdict = Text(clause.verdict.upper(), style=STYLES[clause.verdict])
    warns = "" if gates(clause, policy) else ", warns only"
    yield Padding(
        Text.assemble(verdict, f" {one_line(clause.id)} ({clause.level}{warns}): {one_line(finding.summary)}"),
        0,
    )
    yield _indented("expected", finding.expected)
    yield _indented("observed", finding.observed)
    if finding.waiver:
        yield _indented("waiver", finding.waiver.in_words())
    told = timeline.lines(finding.details)
    if told:
        yield _indented("case", _ends(told))
    elif finding.case:
        yield _indented("case", _beginning(finding.case))
    if finding.reproduce:
        yield Text(f"  curl      {_first_curl(finding)}")


def _since(comparison: Comparison) -> Iterator[RenderableType]:
    """What is different since an earlier run, a line each."""
    yield _indented("since", f"{comparison.target}, {comparison.started}: {comparison.verdict}", 0)
    for heading, rows in sections(comparison.difference):
        told = [f"{name}  {one_line(what)}" for name, what in rows[:SHOWN_CHANGES]]
        more = [f"... {len(rows) - len(told)} more"] if len(rows) > len(told) else []
        yield _indented("", "\n".join([f"{heading}: {len(rows)}", *(f"  {line}" for line in [*told, *more])]))


def _first_curl(finding: Finding) -> str:
    first, more = command(finding.reproduce[0]), len(finding.reproduce) - 1
    if len(first) > SHOWN_CURL or "\n" in first:
        return "(too long for a line: see the report)"
    return f"{first}  # and {more} more: see the report" if more else first


def _beginning(case: str) -> str:
    lines = case.splitlines()
    kept = lines[:SHOWN_CASE_LINES]
    return "\n".join(kept if len(lines) == len(kept) else [*kept, f"... {len(lines) - len(kept)} more lines"])


def _ends(told: list[str]) -> str:
    """The counterexample's beginning and its end, where it goes wrong."""
    if len(told) <= SHOWN_STEPS:
        return "\n".join(told)
    half = SHOWN_STEPS // 2
    return "\n".join([*told[:half], f"... {len(told) - 2 * half} more lines", *told[-half:]])


def _indented(name: str, text: str, indent: int = 2) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, width=8 if indent else None)
    grid.add_column(ratio=1, overflow="fold")
    grid.add_row(Text(name, style="dim"), Text(visible(text, keep="\n")))
    return Padding(grid, (0, 0, 0, indent))

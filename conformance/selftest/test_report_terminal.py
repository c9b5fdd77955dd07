"""The terminal summary: every clause, every finding in short, the verdict last, and no line of the target's making."""

import re
from dataclasses import replace

import pytest
from report_runs import (
    EMPTY,
    FAILING,
    HOSTILE_RUN,
    INTERRUPTED,
    PARTIAL,
    PASSING,
    RUNS,
    STALE,
    STRICT,
    TIMED,
    UNTRIED,
    WAIVED,
)

from conformance.report import outline
from conformance.report.terminal import summary, verdict_line
from conformance.verdict import ClauseResult, Run, Verdict


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("width", [20, 60, 100, 250])
def test_the_verdict_is_the_last_line(run: Run, width: int) -> None:
    """Unbroken, whatever the width and whatever the target is called."""
    assert summary(run, width=width).splitlines()[-1] == verdict_line(run)


def test_the_last_line_says_verdict_rule_target_and_price() -> None:
    """A log is read from its end."""
    assert verdict_line(PASSING) == (
        "conformance: PASS (every must-clause that could be exercised holds) - target staging-dfw, 412 requests, 12.3 s"
    )


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (PARTIAL, "conformance: PASS, PARTIAL ("),
        (INTERRUPTED, "conformance: PASS, INTERRUPTED ("),
        (replace(PARTIAL, interrupted=True), "conformance: PASS, PARTIAL, INTERRUPTED ("),
        (EMPTY, "conformance: INCONCLUSIVE (nothing passed"),
        (FAILING, "conformance: FAIL (the target breaks body.refused)"),
    ],
)
def test_partial_and_interrupted_are_said_with_the_verdict(run: Run, words: str) -> None:
    """No bare pass for a run that was none."""
    assert verdict_line(run).startswith(words)


@pytest.mark.parametrize("clause", FAILING.clauses, ids=lambda clause: clause.id)
def test_each_clause_has_a_line(clause: ClauseResult) -> None:
    """With level, verdict, cases and, unless it passed, the reason or the first finding."""
    (line,) = re.findall(rf"^{clause.id} .*$", summary(FAILING, width=140), re.MULTILINE)
    assert line.split()[:4] == [clause.id, clause.level.value, clause.verdict.value, str(clause.cases)]
    said = {Verdict.PASS: "", Verdict.FAIL: f"summary of {clause.id}"}.get(clause.verdict, clause.reason)
    assert line.endswith(said)


def test_a_finding_is_told_in_short() -> None:
    """Expected, observed, case and the first command, whole and on one line."""
    lines = [line.strip() for line in summary(FAILING, width=60).splitlines()]
    assert "FAIL body.refused (must): summary of body.refused" in lines
    assert "expected  expected by body.refused" in lines
    assert "observed  observed at body.refused" in lines
    assert "case      case of body.refused" in lines
    first = FAILING.clauses[1].findings[0].reproduce[0]
    assert f"curl      {first}  # and 1 more: see the report" in lines


def test_a_long_case_and_a_long_command_are_cut() -> None:
    """The report has them; a terminal is for reading."""
    broken = FAILING.clauses[1]
    long = replace(broken.findings[0], case="\n".join(map(str, range(100))), reproduce=("curl " + "x" * 5000,))
    text = summary(replace(FAILING, clauses=(replace(broken, findings=(long,)),)))
    assert "... 94 more lines" in text
    assert "(too long for a line: see the report)" in text
    assert "xxxx" not in text


def test_notes_are_told() -> None:
    """What the operator should know stands before the verdict."""
    assert "note  a note for the operator" in summary(PASSING)


def test_the_command_of_a_note_is_not_broken() -> None:
    """Whoever copies it from a terminal of eighty columns has it whole."""
    command = "conformance cleanup --adopt 3f0c9a1e-7b52-4d8a-9c4e-a1b2c3d4e5f6"
    note = (
        f"address A may be left by the suite or be someone else's, and was not removed. If it is the suite's: {command}"
    )
    lines = [line.strip() for line in summary(replace(PASSING, notes=(note,)), width=80).splitlines()]
    assert command in lines


@pytest.mark.parametrize("color", [False, True])
def test_nothing_of_the_target_reaches_the_terminal_as_a_control(color: bool) -> None:  # noqa: FBT001
    """Only the suite's own colours do, and they carry no more than a style."""
    text = summary(HOSTILE_RUN, color=color)
    own = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert all(one == "\n" or one.isprintable() for one in own)
    assert r"\x1b[31mred" in own
    assert (text != own) == color


def test_a_target_adds_no_line_to_the_table() -> None:
    """A break in a reason is written out, so that no row can be forged."""
    forged = replace(PASSING.clauses[0], verdict=Verdict.INCONCLUSIVE, reason="x\nforged.clause must pass 9")
    text = summary(replace(PASSING, clauses=(forged,)), width=200)
    assert not re.search(r"^forged", text, re.MULTILINE)


def test_the_width_is_kept_but_for_commands_and_the_last_line() -> None:
    """A table that wraps at the caller's width stays a table."""
    *lines, last = summary(FAILING, width=60).splitlines()
    assert last
    assert [line for line in lines if len(line) > 60 and not line.startswith("  curl")] == []


@pytest.mark.parametrize(
    ("finished", "words"),
    [
        ("2026-11-23T14:30:05+00:00", "0.0 s"),
        ("2026-11-23T14:34:17Z", "4 min 12 s"),
        ("2026-11-23T14:00:00+00:00", "0.0 s"),
        ("yesterday", "an unknown time"),
        ("2026-11-23T14:30:05", "an unknown time"),
    ],
)
def test_how_long_is_told_for_a_reader(finished: str, words: str) -> None:
    """Seconds, then minutes; never a wrong figure."""
    assert outline.duration(replace(PASSING, finished=finished)) == words


@pytest.mark.parametrize(
    ("run", "words"), [(STRICT, "FAIL method.allow (should): "), (FAILING, "(should, warns only): ")]
)
def test_a_should_clause_warns_unless_the_run_is_strict(run: Run, words: str) -> None:
    """The summary says of each finding whether it decides."""
    assert words in summary(run)


def test_a_waived_clause_says_until_when() -> None:
    """And one that is out of date decides in the last line."""
    assert STALE.reason in summary(STALE).splitlines()[-1]
    assert "waived" in summary(WAIVED)


def test_the_summary_says_where_the_time_went() -> None:
    """On the wall, what it was spent on as shares, and the clauses that took longest."""
    lines = [line.strip() for line in summary(TIMED, width=140).splitlines()]
    said = "looking at the target 0.4 s, starting 2 workers 3.0 s, testing 2 min 10 s, cleaning up 1.5 s"
    assert f"time      {said}" in lines
    assert "tests     30.0 s: 95% waiting for the target, 5% letting effects settle" in lines
    assert "longest   method.allow 19.5 s, effect.removed 10.0 s, codes.success 0.5 s" in lines


@pytest.mark.parametrize("run", [PASSING, UNTRIED], ids=["an older document", "no test was run"])
def test_the_summary_is_silent_where_no_time_was_taken(run: Run) -> None:
    """No line of zeros."""
    assert not [line for line in summary(run).splitlines() if line.strip().startswith(("time ", "tests ", "longest "))]

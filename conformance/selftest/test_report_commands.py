"""``conformance report`` and ``conformance diff``: saved runs in, views out, one message for what is wrong."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from report_runs import (
    EMPTY,
    FAILING,
    HOSTILE_RUN,
    HOSTILE_WAIVED,
    PASSING,
    RUNS,
    WAIVED,
    broken,
    clause,
    finding,
    run,
    waived,
)

from conformance import report
from conformance.cli.commands import group
from conformance.report import difference
from conformance.verdict import Absence, Difference, Run, Verdict

pytestmark = pytest.mark.once

UNTESTED = clause("body.refused", Verdict.UNTESTED, absence=Absence.DESELECTED)
PASSED = clause("body.refused")
BROKEN = broken("body.refused")


def invoke(*arguments: object) -> Result:
    """What the console script answers."""
    return CliRunner().invoke(group, [str(one) for one in arguments])


def saved(folder: Path, run: Run) -> Path:
    """The run as a file."""
    (path,) = report.write(run, folder, ["json"])
    return path


# conformance report


@pytest.mark.parametrize("name", ["failing", "hostile"])
def test_a_saved_run_is_rendered_in_every_format(name: str, tmp_path: Path) -> None:
    """The same bytes as from the run itself, into the directory that was named."""
    result = invoke("report", saved(tmp_path / "old", RUNS[name]), "--report-dir", tmp_path / "new")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [str(tmp_path / "new" / file) for file in report.FILES.values()]
    for each, file in report.FILES.items():
        assert (tmp_path / "new" / file).read_text() == report.RENDERERS[each](RUNS[name])


def test_only_the_formats_that_were_named_are_written(tmp_path: Path) -> None:
    """Blanks between the names do no harm."""
    result = invoke("report", saved(tmp_path, FAILING), "--format", "sarif, badge", "--report-dir", tmp_path / "new")
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"report.sarif", "badge.svg"}


def test_a_saved_run_is_compared_with_an_earlier_one(tmp_path: Path) -> None:
    """Every format is rendered with the difference, and the new document holds it."""
    old, new = saved(tmp_path / "old", PASSING), saved(tmp_path / "new", FAILING)
    assert invoke("report", new, "--compare", old, "--report-dir", tmp_path / "both").exit_code == 0
    read = report.read(tmp_path / "both" / "report.json")
    assert read.comparison is not None
    assert read.comparison.difference == difference.between(PASSING, FAILING)
    assert (read.comparison.verdict, read.comparison.started) == (PASSING.verdict, PASSING.started)
    assert replace(read, comparison=None) == FAILING
    for file in ("index.html", "summary.md"):
        assert "Since" in (tmp_path / "both" / file).read_text()
    again = invoke("report", new, "--compare", new, "--format", "html", "--report-dir", tmp_path / "same")
    assert again.exit_code == 0
    assert "Nothing is different." in (tmp_path / "same" / "index.html").read_text()


WRONG: dict[str, tuple[list[str], str]] = {
    "unknown format": (
        ["report", "{run}", "--format", "html,xlsx"],
        "unknown report format xlsx: expected one of json",
    ),
    "no format": (["report", "{run}", "--format", ""], "--format: expected a value, not an empty one"),
    "no file": (["report", "absent.json"], "absent.json: cannot be read"),
    "no run": (["report", "{other}"], "other.json: format: expected"),
    "no argument": (["report"], "Missing argument"),
    "unknown option": (["report", "{run}", "--colour"], "No such option"),
    "a file for a directory": (["report", "{run}", "--report-dir", "{other}"], "cannot be written there"),
    "no earlier run": (["report", "{run}", "--compare", "absent.json"], "absent.json: cannot be read"),
    "one run": (["diff", "{run}"], "Missing argument"),
    "no old run": (["diff", "absent.json", "{run}"], "absent.json: cannot be read"),
    "no new run": (["diff", "{run}", "{other}"], "other.json: format: expected"),
    "unknown view": (["diff", "{run}", "{run}", "--format", "html"], "'html' is not one of"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_once_with_exit_code_4(arguments: list[str], words: str, tmp_path: Path) -> None:
    """The message names what was given; nothing is written."""
    other = tmp_path / "other.json"
    other.write_text("{}")
    given = {"run": saved(tmp_path / "saved", PASSING), "other": other}
    before = sorted(tmp_path.rglob("*"))
    result = invoke(*(one.format(**given) for one in arguments))
    assert (result.exit_code, result.stdout) == (4, ""), result.output
    assert result.stderr.count("rror: ") + result.stderr.count("ERROR: ") == 1
    assert words in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


# conformance diff

CHANGES = {
    "repaired": (BROKEN, PASSED, "better", "fail -> pass"),
    "judged again": (UNTESTED, PASSED, "better", "untested -> pass"),
    "broken": (PASSED, BROKEN, "worse", "pass -> fail"),
    "found": (UNTESTED, BROKEN, "worse", "untested -> fail"),
    "out of sight": (PASSED, UNTESTED, "unsure", "pass -> untested"),
    "broken and out of sight": (BROKEN, UNTESTED, "unsure", "fail -> untested"),
}


@pytest.mark.parametrize(("old", "new", "what", "words"), CHANGES.values(), ids=CHANGES)
def test_a_changed_verdict_is_better_worse_or_lost(old: object, new: object, what: str, words: str) -> None:
    """Losing sight of a clause is no improvement."""
    found = difference.between(run(old), run(new))  # type: ignore[arg-type]  # a table of results
    told = {name: getattr(found, name) for name in ("better", "worse", "unsure")}
    assert [name for name, changes in told.items() if changes] == [what]
    assert [change.in_words for change in told[what]] == [words]


@pytest.mark.parametrize("one", RUNS.values(), ids=RUNS)
def test_a_run_differs_not_from_itself(one: Run) -> None:
    """Nothing is better, worse, lost, new or gone."""
    assert difference.between(one, one) == Difference()


def test_a_waiver_changes_nothing_about_the_target() -> None:
    """A broken clause that is waived since is still broken."""
    assert difference.between(run(BROKEN), run(waived("body.refused"))) == Difference()


def test_findings_are_new_or_gone_by_their_fingerprint() -> None:
    """Other words for the same rule are no news; a finding is gone only if its clause was judged."""
    reworded = replace(BROKEN, findings=(finding("body.refused", text="otherwise"),))
    assert not difference.between(run(BROKEN), run(reworded)).new
    another = replace(BROKEN, findings=(finding("body.refused", rule="another"),))
    found = difference.between(run(BROKEN), run(another))
    assert [one.rule for one in found.new] == ["another"]
    assert [one.rule for one in found.gone] == ["rule"]
    assert found.is_worse
    assert not difference.between(run(BROKEN), run(UNTESTED)).gone


def test_a_clause_that_the_old_run_has_not_is_told() -> None:
    """A suite that learnt something is no worse for a target that keeps it."""
    found = difference.between(EMPTY, PASSING)
    assert [change.in_words for change in found.better] == ["unknown -> pass"] * 3
    assert not found.is_worse


def test_a_clause_that_the_new_run_has_not_is_lost() -> None:
    """What was judged once and is not even known any more is told."""
    found = difference.between(PASSING, EMPTY)
    assert [change.in_words for change in found.unsure] == ["pass -> unknown"] * 3
    assert found.is_worse


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (FAILING, FAILING, 0),
        (run(BROKEN), run(PASSED), 0),
        (run(PASSED), run(BROKEN), 1),
        (run(PASSED), run(UNTESTED), 1),
    ],
)
def test_the_exit_code_says_whether_something_got_worse(old: Run, new: Run, code: int, tmp_path: Path) -> None:
    """For scripts, as that of every comparison."""
    assert invoke("diff", saved(tmp_path / "old", old), saved(tmp_path / "new", new)).exit_code == code


def test_the_difference_is_told_as_text_and_as_markdown(tmp_path: Path) -> None:
    """Both count alike and name the clause."""
    old, new = saved(tmp_path / "old", WAIVED), saved(tmp_path / "new", FAILING)
    text, comment = (invoke("diff", old, new, "--format", view).output for view in ("text", "markdown"))
    assert "\nNew findings: 4\n  body.refused  summary of body.refused\n" in text
    assert "\n### New findings: 4\n" in comment
    assert "\n| `body.refused` | `summary of body.refused` |\n" in comment
    headings = ("Worse", "New findings", "Not judged any more", "Better", "Findings that are gone")
    for heading in headings:
        (in_text,) = [line for line in text.splitlines() if line.startswith(f"{heading}: ")]
        assert f"### {in_text}" in comment.splitlines()


@pytest.mark.parametrize("view", [difference.as_text, difference.as_markdown])
@pytest.mark.parametrize("one", [HOSTILE_RUN, HOSTILE_WAIVED])
def test_nothing_of_a_target_acts_in_a_difference(view: object, one: Run) -> None:
    """As in every other view."""
    for old, new in ((one, EMPTY), (EMPTY, one)):
        text = view(old, new)  # type: ignore[operator]  # a table of functions
        assert all(each == "\n" or each.isprintable() for each in text)


def test_a_crafted_document_with_an_odd_verdict_is_rendered(tmp_path: Path) -> None:
    """No format relies on a run's verdict being one of the four."""
    document = json.loads(json.dumps(PASSING.to_json())) | {"verdict": "waived"}
    (tmp_path / "odd.json").write_text(json.dumps(document))
    assert invoke("report", tmp_path / "odd.json", "--report-dir", tmp_path / "out").exit_code == 0

"""Saved runs of one target over time: the command, its page, and the strip in a report beside which they lie."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from report_pages import Page
from report_runs import HOSTILE_RUN, broken, clause, finding, run, waived

from conformance import report
from conformance.cli.commands import group
from conformance.report import history, html
from conformance.report.history import ClauseState, Entry
from conformance.verdict import Absence, ClauseResult, Run, Verdict

pytestmark = pytest.mark.once

PASSED, BROKEN, WAIVED = clause("body.refused"), broken("body.refused"), waived("body.refused")
UNTESTED = clause("body.refused", Verdict.UNTESTED, absence=Absence.DESELECTED)
TEN = (PASSED, PASSED, BROKEN, BROKEN, WAIVED, WAIVED, UNTESTED, WAIVED, PASSED, PASSED)
"""A clause that broke, was waived, was once not judged, and was mended."""


def at(day: int, *clauses: ClauseResult, name: str = "staging-dfw") -> Run:
    """A run of that day."""
    judged = run(*clauses, clause("codes.documented"), name=name)
    return replace(judged, started=f"2026-11-{day:02}T10:00:00+00:00", finished=f"2026-11-{day:02}T10:01:00+00:00")


def saved(folder: Path, judged: Run, *formats: str) -> Path:
    """The run as a file."""
    return report.write(judged, folder, ["json", *formats])[0]


def ten(folder: Path, *formats: str) -> list[Path]:
    """Ten runs, a directory each."""
    return [saved(folder / f"{day:02}", at(day, one), *formats) for day, one in enumerate(TEN, 1)]


def invoke(*arguments: object) -> Result:
    """What the console script answers."""
    return CliRunner().invoke(group, [str(one) for one in arguments])


def shown(folder: Path) -> Page:
    """The page that was written there."""
    return Page((folder / "history.html").read_text())


def test_ten_runs_tell_when_a_clause_broke_was_waived_and_was_mended(tmp_path: Path) -> None:
    """A directory is searched, whatever the order of its files; what a run did not judge is no turn."""
    ten(tmp_path / "runs", "html")
    result = invoke("history", tmp_path / "runs", "--report-dir", tmp_path / "out")
    assert result.exit_code == 0, result.output
    told = result.output.splitlines()
    assert told[0] == str(tmp_path / "out" / "history.html")
    assert [line[:10] for line in told[1:11]] == [f"2026-11-{day:02}" for day in range(1, 11)]
    turns = [line[18:] for line in told[11:14]]
    assert turns[0].startswith("body.refused broke: content is not refused")
    assert turns[1].startswith("body.refused was waived: until ")
    assert turns[2] == "body.refused was mended"
    assert [line[:10] for line in told[11:14]] == ["2026-11-03", "2026-11-05", "2026-11-09"]
    assert told[14] == "staging-dfw: PASS since 2026-11-05 10:00, in 6 runs; FAIL before"
    page = shown(tmp_path / "out")
    assert "was mended 2026-11-09 10:00 2026-11-08 10:00" in page.said("turns")
    assert page.said("turns").index("was mended") < page.said("turns").index("broke")
    assert "1 clause was kept in every run codes.documented" in page.said("clauses")
    links = [a["href"] for tag, a in page.elements if tag == "a" and a.get("href", "").startswith("./")]
    assert "./../runs/03/index.html#finding-body.refused" in links
    assert all((tmp_path / "out" / link.partition("#")[0]).is_file() for link in links)


def test_a_link_leads_only_to_a_page_that_is_there(tmp_path: Path) -> None:
    """Documents that were kept alone, under any name, are shown all the same."""
    paths = [path.rename(tmp_path / f"{number}.json") for number, path in enumerate(ten(tmp_path))]
    assert invoke("history", *reversed(paths), "--report-dir", tmp_path / "out").exit_code == 0
    page = shown(tmp_path / "out")
    assert not [a for tag, a in page.elements if tag == "a" and a.get("href", "").startswith("./")]
    assert page.said().count("2026-11-03 10:00: FAIL") == 1


def test_a_copy_of_a_run_is_that_run(tmp_path: Path) -> None:
    """However often it lies there."""
    paths = [saved(tmp_path / name, at(1, PASSED)) for name in "ab"]
    assert len(history.of(Entry(report.read(path), path) for path in paths).entries) == 1


@pytest.mark.parametrize(
    ("names", "options", "code", "words"),
    [
        (["a", "b"], [], 4, "expected runs of one target, found those of a, b"),
        (["a", "b"], ["--name", "b"], 0, "b: PASS since"),
        (["a", "b"], ["--name", "c"], 4, "expected saved runs of one target, found none"),
        ([], [], 4, "expected saved runs of one target, found none"),
    ],
)
def test_a_history_is_that_of_one_target(
    names: list[str], options: list[str], code: int, words: str, tmp_path: Path
) -> None:
    """Another one is left out if that is asked for, and refused else."""
    (tmp_path / "runs").mkdir()
    for name in names:
        saved(tmp_path / "runs" / name, at(1, PASSED, name=name))
    (tmp_path / "runs" / "proof.json").write_text('{"format": "another"}')
    result = invoke("history", tmp_path / "runs", *options, "--report-dir", tmp_path / "out")
    assert result.exit_code == code
    assert words in result.output


@pytest.mark.parametrize(
    ("states", "whats"),
    [
        ([BROKEN, PASSED], ["was broken when it was first judged", "was mended"]),
        ([PASSED, WAIVED, BROKEN], ["broke, and was waived", "is waived no longer"]),
        ([UNTESTED, PASSED, UNTESTED, PASSED], []),
        ([PASSED, UNTESTED, BROKEN], ["broke"]),
    ],
)
def test_only_what_was_judged_is_a_turn(states: list[ClauseResult], whats: list[str]) -> None:
    """And the last run that saw it otherwise is named."""
    told = history.of(Entry(at(day, one)) for day, one in enumerate(states, 1))
    assert [turn.what for turn in reversed(told.turns)] == whats
    for turn in told.turns:
        assert turn.before is None or turn.before.state(turn.clause) is turn.was is not ClauseState(turn.now)


def test_another_suite_is_named_where_it_came() -> None:
    """What changed there may be its doing."""
    runs = [at(1, PASSED), replace(at(2, BROKEN), suite_version="9.9"), replace(at(3, BROKEN), suite_version="9.9")]
    ((entry, words),) = history.of(map(Entry, runs)).suites
    assert entry.run is runs[1]
    assert words.endswith("to 9.9")


# The strip in a report


def test_a_report_shows_the_runs_beside_it(tmp_path: Path) -> None:
    """Those of the same target that are older, with links; a finding says since when it is there."""
    ten(tmp_path, "html")
    saved(tmp_path / "other", at(4, PASSED, name="another"))
    saved(tmp_path / "later", at(12, PASSED))
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "report.json").write_text('{"format": "ip-association-conformance-run/1"')
    page = Page((tmp_path / "04" / "index.html").read_text())
    strips = [a for tag, a in page.elements if a.get("class", "").startswith("tile ") and "title" in a]
    days = [a["title"][:10] for a in strips if a["title"].startswith("2026")]
    assert days == [f"2026-11-{day:02}" for day in range(1, 5)]
    links = [a["href"] for a in strips if a.get("href", "").startswith("./")]
    assert links == [f"./../{day:02}/index.html" for day in range(1, 4)]
    assert "2026-11-03" in page.said("wrong")


def test_a_run_without_others_has_no_strip(tmp_path: Path) -> None:
    """Nor has one that was rendered into another place."""
    (path,) = report.write(at(1, BROKEN), tmp_path / "one", ["html"])
    assert path.read_text() == html.render(at(1, BROKEN))
    assert 'class="strip"' not in path.read_text()


def test_a_finding_is_as_old_as_the_runs_that_had_it() -> None:
    """A run that did not judge its clause does not end it; one that found the clause kept does."""
    one = finding("body.refused")
    judged = [
        clause("body.refused", Verdict.FAIL, one),
        PASSED,
        clause("body.refused", Verdict.FAIL, one),
        UNTESTED,
        clause("body.refused", Verdict.FAIL, one),
    ]
    told = history.of(Entry(at(day, each)) for day, each in enumerate(judged, 1))
    first = told.since(one)
    assert first is not None
    assert first.when == "2026-11-03 10:00"
    assert told.since(replace(one, rule="another")) is None


def test_words_of_a_target_stay_words(tmp_path: Path) -> None:
    """Neither name nor reason acts on page or terminal."""
    hostile = replace(HOSTILE_RUN, started="2026-11-01T10:00:00+00:00")
    later = replace(hostile, started="not a time")
    paths = [saved(tmp_path / str(number), one) for number, one in enumerate((hostile, later))]
    result = invoke("history", *paths, "--report-dir", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    page = shown(tmp_path / "out")
    assert "script" not in page.raw
    assert not [tag for tag, _ in page.elements if tag in {"script", "img"}]

"""The overview of several targets: the worst decides, each has its place, and every link leads somewhere."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from click.testing import CliRunner, Result
from report_pages import Page
from report_runs import (
    ERRING,
    FAILING,
    HOSTILE_RUN,
    HOSTILE_WAIVED,
    INCONCLUSIVE,
    INTERRUPTED,
    PARTIAL,
    PASSING,
    WAIVED,
)

from conformance import report
from conformance.cli.commands import group
from conformance.report import overview
from conformance.report.overview import TargetSummary
from conformance.verdict import Run, Verdict

pytestmark = pytest.mark.once

FOUR = {"a pass": PASSING, "a fail": FAILING, "open": INCONCLUSIVE, "waived": WAIVED}


def named(name: str, run: Run) -> Run:
    """The same run of a target of this name."""
    return replace(run, target=run.target | {"name": name})


def parts(folder: Path, runs: dict[str, Run]) -> list[TargetSummary]:
    """The places of these runs, whose reports are written below ``folder``."""
    for name, run in runs.items():
        report.write(named(name, run), folder / name)
    return [TargetSummary.of(named(name, run), folder / name) for name, run in runs.items()]


def shown(folder: Path, some: list[TargetSummary]) -> Page:
    """The page as it is written."""
    return Page(report.write_overview(some, folder).read_text(encoding="utf-8"))


LOST = TargetSummary("gone", Path("gone"), None, "its run left no report and ended with code -9")
LATER = TargetSummary("later", Path("later"), None, "it was not its turn yet", Verdict.INCONCLUSIVE)

WORST = [
    ([PASSING, WAIVED], "PASS", "Yes.", "every target passes"),
    ([PASSING, INCONCLUSIVE], "INCONCLUSIVE", "Not yet", "could not be judged: 1; passed: 0"),
    ([FAILING, INCONCLUSIVE, PASSING], "FAIL", "No.", "broken: 0; could not be judged: 1; passed: 2"),
    ([FAILING, ERRING], "ERROR", "Not yet", "the suite broke on 1; broken: 0"),
    ([PARTIAL, PASSING], "PASS, PARTIAL", "Not on this run alone.", "every target passes"),
    ([INTERRUPTED, PASSING], "PASS, INTERRUPTED", "Not on this run alone.", "every target passes"),
    ([FAILING], "FAIL", "No.", "broken: 0"),
]


@pytest.mark.parametrize(("runs", "headline", "answer", "reason"), WORST)
def test_the_worst_decides(runs: list[Run], headline: str, answer: str, reason: str, tmp_path: Path) -> None:
    """In the banner, on the terminal and in the summary of the job alike."""
    some = parts(tmp_path, {str(number): run for number, run in enumerate(runs)})
    said = shown(tmp_path, some).said()
    assert f"May we release to all of them? {answer}" in said
    assert f" {headline} " in said
    assert overview.lines(some)[-1].startswith(f"conformance: {headline} ({reason}) - ")
    assert overview.markdown(some).splitlines()[0].endswith(f": {headline}")
    assert f"`{reason}`" in overview.markdown(some)


@pytest.mark.parametrize(
    ("runs", "headline", "reason"),
    [
        ([PASSING, WAIVED], "INCONCLUSIVE, INTERRUPTED", "the run was interrupted"),
        ([FAILING, PASSING], "FAIL, INTERRUPTED", "broken: 0; passed: 1"),
    ],
)
def test_a_signal_after_the_last_verdict_leaves_no_pass(
    runs: list[Run], headline: str, reason: str, tmp_path: Path
) -> None:
    """The round is interrupted, whatever each of its runs came to; each keeps its verdict."""
    some = parts(tmp_path, {str(number): run for number, run in enumerate(runs)})
    written = report.write_overview(some, tmp_path / "all", interrupted=True)
    assert f" {headline} " in Page(written.read_text(encoding="utf-8")).said()
    lines = overview.lines(some, interrupted=True)
    assert lines[-1].startswith(f"conformance: {headline} ({reason}) - ")
    assert lines[:-1] == overview.lines(some)[:-1]
    page = overview.markdown(some, interrupted=True)
    assert page.splitlines()[0].endswith(f": {headline}")
    assert f"`{reason}`" in page


def test_a_target_without_a_report_is_an_error_with_its_reason(tmp_path: Path) -> None:
    """Nothing is told of it but that, and the others' places are as ever."""
    some = [*parts(tmp_path, {"fine": PASSING}), replace(LOST, folder=tmp_path / "gone")]
    page = shown(tmp_path, some)
    assert LOST.trouble[1:] in page.said()
    assert overview.verdict(some) is Verdict.ERROR
    assert not [a for _, a in page.elements if "gone/" in a.get("href", "")]
    assert overview.verdict([some[0], LATER]) is Verdict.INCONCLUSIVE
    assert overview.headline([some[0], LATER]) == "INCONCLUSIVE, INTERRUPTED"


def test_the_matrix_holds_each_clause_at_each_target(tmp_path: Path) -> None:
    """With the verdict as a word, for whoever sees neither sign nor colour, and a link to where the report tells it."""
    some = parts(tmp_path, FOUR)
    page = shown(tmp_path, some)
    links = {unquote(a["href"]): a.get("class") for tag, a in page.elements if tag == "a"}
    for part in some:
        assert part.run
        for clause in part.run.clauses:
            assert f"{clause.verdict}: {clause.id} at {part.name}" in page.said()
            (led,) = [a for link, a in links.items() if f"/{part.name}/" in link and link.endswith(f"-{clause.id}")]
            assert led == clause.verdict
    assert "no report: effect.removed at waived" in page.said()


def test_every_link_leads_to_a_place_in_a_report(tmp_path: Path) -> None:
    """From the overview's directory, whatever the targets are called."""
    odd = {"a: b#c?d%20é": FAILING, "..dots": WAIVED, **FOUR}
    page = shown(tmp_path / "overview", parts(tmp_path / "runs", odd))
    links = {a["href"] for tag, a in page.elements if tag == "a" and not a["href"].startswith("#")}
    assert len(links) > sum(len(run.clauses) for run in odd.values())
    anchors: dict[Path, set[str]] = {}
    for link in links:
        path, _, fragment = link.partition("#")
        target = tmp_path / "overview" / unquote(path)
        if target not in anchors:
            anchors[target] = {a["id"] for _, a in Page(target.read_text(encoding="utf-8")).elements if "id" in a}
        assert not fragment or unquote(fragment) in anchors[target]


@pytest.mark.parametrize("run", [HOSTILE_RUN, HOSTILE_WAIVED])
def test_nothing_of_a_target_acts_in_an_overview(run: Run, tmp_path: Path) -> None:
    """No script, no handler, nothing that is loaded, no acting character; the same in its other views."""
    report.write(run, tmp_path / "run")
    some = [TargetSummary.of(run, tmp_path / "run"), replace(LOST, trouble=str(run.target["name"]))]
    page = shown(tmp_path, some)
    assert page.raw.keys() == {"style"}
    (policy,) = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    names = {name for _, attributes in page.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "action"}]
    assert not {"img", "script", "link", "iframe"} & {tag for tag, _ in page.elements}
    for text in (page.said(), overview.markdown(some).replace("\n", " "), *overview.lines(some)):
        assert all(each.isprintable() for each in text)


def test_headings_descend_without_a_gap(tmp_path: Path) -> None:
    """And tables have heads for rows and columns, regions that scroll are reachable by keyboard."""
    page = shown(tmp_path, parts(tmp_path, FOUR))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(a.get("scope") for tag, a in page.elements if tag == "th")
    assert all(a.get("tabindex") == "0" for _, a in page.elements if a.get("class") == "scroll")


# conformance overview


def invoke(*arguments: object) -> Result:
    """What the console script answers."""
    return CliRunner().invoke(group, ["overview", *(str(one) for one in arguments)])


@pytest.mark.parametrize(("run", "code"), [(PASSING, 0), (FAILING, 1), (INCONCLUSIVE, 1), (ERRING, 3)])
def test_saved_runs_are_shown_together(run: Run, code: int, tmp_path: Path) -> None:
    """As after a run of all of them, with its exit code."""
    some = parts(tmp_path, {"fine": PASSING, "other": run})
    paths = [part.folder / "report.json" for part in some]
    result = invoke(*paths, "--report-dir", tmp_path / "all")
    assert result.exit_code == code, result.output
    assert result.output.splitlines() == [str(tmp_path / "all" / "index.html"), *overview.lines(some)]
    assert (tmp_path / "all" / "index.html").read_text(encoding="utf-8") == overview.page(some, tmp_path / "all")


WRONG = {
    "no run": (["{one}", "absent.json"], "absent.json: cannot be read"),
    "no argument": ([], "Missing argument"),
    "the same twice": (["{one}", "{one}"], "the same target stands in more than one run: one"),
    "a run's own page": (["{one}", "--report-dir", "{folder}"], "--report-dir: the overview would replace the page of"),
}


@pytest.mark.parametrize(("arguments", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_once(arguments: list[str], words: str, tmp_path: Path) -> None:
    """With exit code 4, and nothing is written."""
    (part,) = parts(tmp_path, {"one": PASSING})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    given = {"one": part.folder / "report.json", "folder": part.folder}
    result = invoke(*(one.format(**given) for one in arguments))
    assert (result.exit_code, result.stdout) == (4, "")
    assert words in result.stderr
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before

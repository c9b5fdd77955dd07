"""The sample under ``reports/sample``: what today's suite would write, or else it is stale."""

import hashlib
import json
from pathlib import Path

import jsonschema_rs
import pytest
from run_processes import CHECKOUT, TOKENS
from sample_report import FAULTS, FOLDER, NAME, PICTURE, WAIVERS, judge, label

from conformance import SPEC, __version__, catalogue, report
from conformance.reference.faults import catalogue as faults
from conformance.report import html
from conformance.verdict import Run, Verdict

PAGE = "reports/sample/index.html is stale: python3 -m tox -e sample -- --page"
ALL = "reports/sample/report.json is stale: python3 -m tox -e sample"
BLAMED = [{*fault.breaks, *fault.also} for fault in faults() if fault.name in FAULTS]
WAIVED = {entry["clause"] for entry in WAIVERS["waivers"]}


@pytest.fixture(scope="module")
def kept() -> Run:
    """The saved run."""
    return report.read(FOLDER / "report.json")


def test_the_page_is_what_is_rendered_today(kept: Run) -> None:
    """Byte for byte."""
    assert html.render(kept) == (FOLDER / "index.html").read_text(encoding="utf-8"), PAGE


def test_the_picture_shows_this_page() -> None:
    """And the README shows the picture, which is small enough to be fetched with it."""
    picture = (FOLDER / PICTURE).read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert label(picture) == hashlib.sha256((FOLDER / "index.html").read_bytes()).hexdigest(), PAGE
    assert len(picture) < 200_000
    assert f"](reports/sample/{PICTURE})" in (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_the_document_is_what_is_written_today(kept: Run) -> None:
    """By the schema, with every member that a document has, by this version."""
    document = json.loads((FOLDER / "report.json").read_text())
    schema = json.loads((SPEC / "run.schema.json").read_text())
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(document)
    assert json.loads(json.dumps(kept.to_json())) == document, ALL
    assert kept.suite_version == __version__, ALL
    assert kept.target["name"] == NAME


def test_its_clauses_are_those_of_the_specification(kept: Run) -> None:
    """The same, in the same order, with the same words."""
    found = [(one.id, one.family, one.level, one.statement) for one in kept.clauses]
    assert found == [(one.id, one.family, one.level, one.statement) for one in catalogue.load()], ALL


def _is_telling(run: Run) -> None:
    """Broken, waived and untested clauses all occur, and the faults are blamed."""
    broken = {one.id for one in run.clauses if one.verdict is Verdict.FAIL}
    assert run.verdict is Verdict.FAIL
    assert all((broken | WAIVED) & blamed for blamed in BLAMED)
    assert {one.id for one in run.clauses if one.verdict is Verdict.WAIVED} == WAIVED
    assert "access.foreign" in {one.id for one in run.clauses if one.verdict is Verdict.UNTESTED}


def test_it_shows_what_a_report_can_show(kept: Run) -> None:
    """A counterexample to the life cycle and one to an order, besides."""
    _is_telling(kept)
    assert {one.id for one in kept.clauses if one.findings} >= {"lifecycle.model", "concurrency.linearizable"}


def test_it_holds_no_token() -> None:
    """The one that it was made with is in none of its files."""
    for path in FOLDER.iterdir():
        assert not [token for token in TOKENS.values() if token.encode() in path.read_bytes()], path


@pytest.mark.slow
def test_the_command_makes_it_again(kept: Run, tmp_path: Path) -> None:
    """The same deployment is judged alike, even at a quick look: the faults are found, the same is passed over."""
    judge(tmp_path, "quick")
    again = report.read(tmp_path / "report.json")
    _is_telling(again)
    assert again.target == kept.target
    assert (again.seed, again.policy) == (kept.seed, kept.policy)

"""The gate as reports/README.md works through it, with its commands as written, and each option on a run of its own."""

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from run_processes import CHECKOUT, Ran, Served, ended, run, serve

from conformance import SPEC, report
from conformance.report import sarif

pytestmark = pytest.mark.slow

SECTION = (
    (CHECKOUT / "reports" / "README.md")
    .read_text(encoding="utf-8")
    .partition("\n## The gate\n")[2]
    .partition("\n## ")[0]
)
WORKED_THROUGH = SECTION.partition("\n### From the first run to green\n")[2].partition("\n### ")[0]
COMMANDS = [
    line
    for block in re.findall(r"```console\n(.*?)```", WORKED_THROUGH, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("conformance ")
]
SERVE, FIRST, RELEASE, RENDER, DIFF, SINCE = COMMANDS
"""The six commands of the section, in its order."""

TWO_TESTS = "test_removing_an_existing or test_a_removal_with_a_body"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reader's working directory, with the README's waiver file and the command on the path."""
    folder = tmp_path_factory.mktemp("gate")
    (written,) = re.findall(r"```yaml\n(.*?)```", WORKED_THROUGH, re.DOTALL)
    a_month_on = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    (folder / "waivers.yaml").write_text(re.sub(r"expires: \S+", f"expires: {a_month_on}", written))
    (folder / "bin").mkdir()
    script = folder / "bin" / "conformance"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m conformance "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """The deployment that the README's first command starts."""
    arguments = shlex.split(SERVE)[2:]
    at = arguments.index("--write-target")
    assert arguments[at + 1] == "target.yaml"
    with serve(folder, *arguments[:at]) as served:
        yield served


@pytest.fixture(scope="module")
def typed(folder: Path, served: Served) -> dict[str, Ran]:
    """What the commands from the first run to green answered."""
    assert served.description == folder / "target.yaml"
    summary = folder / "summary"
    return {
        command: _typed(command, folder, GITHUB_STEP_SUMMARY=str(summary)) for command in (FIRST, RELEASE, RENDER, DIFF)
    }


def _typed(command: str, folder: Path, **variables: str) -> Ran:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return ended(command, folder, PATH=path, CONFORMANCE_STATE_DIR=str(folder / "state"), **variables)


def test_the_first_run_fails_as_the_readme_says(typed: dict[str, Ran]) -> None:
    """Exit code and last line, and the line is quoted in the README."""
    ran = typed[FIRST]
    assert ran.code == 1, ran.output
    words = "conformance: FAIL (the target breaks body.refused)"
    assert ran.last_line.startswith(words)
    assert words in SECTION


def test_the_waiver_turns_the_gate_green(typed: dict[str, Ran]) -> None:
    """With every clause required, the last line says what is excused."""
    ran = typed[RELEASE]
    assert ran.code == 0, ran.output
    words = "conformance: PASS (every clause holds or is excused (waived: body.refused))"
    assert ran.last_line.startswith(words)
    assert words in SECTION
    assert {clause for clause, verdict in ran.verdicts.items() if verdict != "pass"} == {"body.refused"}


def test_the_report_says_what_decided(typed: dict[str, Ran]) -> None:
    """Options, waivers and their use, by the schema of the document."""
    document = typed[RELEASE].report
    schema = json.loads((SPEC / "run.schema.json").read_text())
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(document)
    assert document["policy"] == {"strict": True, "require_all": True, "baseline": None}
    assert [use["standing"] for use in document["waivers"]] == ["applied"]
    (waived,) = [clause for clause in document["clauses"] if clause["verdict"] == "waived"]
    assert len(waived["findings"]) == len(document["waivers"][0]["findings"]) == 1
    assert document["reason"] in typed[RELEASE].last_line


def test_the_saved_run_is_rendered(typed: dict[str, Ran]) -> None:
    """The files are where the README's table says."""
    assert typed[RENDER].code == 0, typed[RENDER].output
    for line in typed[RENDER].output.splitlines():
        assert (typed[RENDER].folder / line).is_file()
        assert f"`{Path(line).name}`" in SECTION


def test_the_difference_is_none_of_the_target(typed: dict[str, Ran]) -> None:
    """The waiver changed nothing about it; whether the first run met the limit is a matter of its pace."""
    told = typed[DIFF].output
    assert "\nWorse: 0\n" in told
    assert "\nNew findings: 0\n" in told
    assert "\nNot judged any more: 0\n" in told


def test_fingerprints_are_those_of_the_last_time(typed: dict[str, Ran]) -> None:
    """So that a code-scanning view knows its findings again, though IDs, times and words are others."""
    folder = typed[RELEASE].folder
    both = [json.loads(sarif.render(report.read(folder / name / "report.json"))) for name in ("first", "reports")]
    first, again = ([one["partialFingerprints"] for one in log["runs"][0]["results"]] for log in both)
    assert len(first) == 1
    assert first == again


def test_both_runs_stand_on_the_page_of_the_job(typed: dict[str, Ran]) -> None:
    """In the order in which they ended."""
    text = (typed[FIRST].folder / "summary").read_text()
    assert re.findall(r"^## \S+ Conformance: (\w+)", text, re.MULTILINE) == ["FAIL", "PASS"]


@pytest.fixture(scope="module")
def few(folder: Path, served: Served, typed: dict[str, Ran]) -> dict[str, Ran]:
    """Runs of two tests, each with another gate."""
    assert typed
    stale = folder / "stale.yaml"
    stale.write_text(
        "waivers:\n"
        "  - {clause: body.refused, reason: r, owner: o, ticket: T-1, expires: 2026-01-31}\n"
        "  - {clause: codes.success, reason: r, owner: o, ticket: T-2, expires: 2999-01-31}\n"
    )
    options = {
        "baseline": ("--baseline", shlex.split(SINCE)[-1], "--compare", shlex.split(SINCE)[-1]),
        "stale": ("--waivers", stale, "--baseline", shlex.split(SINCE)[-1]),
        "all": ("--require-all", "--baseline", shlex.split(SINCE)[-1]),
    }
    runs = {}
    for name, given in options.items():
        absolute = [folder / one if one == shlex.split(SINCE)[-1] else one for one in given]
        runs[name] = run(folder / name, "--target", served.description, "-k", TWO_TESTS, *absolute)
    return runs


def test_what_the_baseline_knows_does_not_gate(few: dict[str, Ran]) -> None:
    """The clause is as broken as before, and the run passes and says why."""
    ran = few["baseline"]
    assert ran.code == 0, ran.output
    assert "excused (known since the baseline: body.refused)" in ran.last_line
    assert ran.verdicts["body.refused"] == "fail"
    assert len(ran.report["policy"]["baseline"]["findings"]) == 1


def test_the_comparison_informs_and_decides_nothing(few: dict[str, Ran]) -> None:
    """What a selection did not judge is lost from sight, here and in every view; the run passes all the same."""
    ran = few["baseline"]
    difference = ran.report["comparison"]["difference"]
    assert (difference["worse"], difference["new"]) == ([], [])
    assert "effect.removed" in {change["clause"] for change in difference["unsure"]}
    assert f"Not judged any more: {len(difference['unsure'])}" in ran.output
    assert 'id="since"' in (ran.reports / "index.html").read_text()


def test_a_waiver_that_is_out_of_date_fails_the_run(few: dict[str, Ran]) -> None:
    """Each is named, in the reason and as a note."""
    ran = few["stale"]
    assert ran.code == 1, ran.output
    expected = [
        "the waiver of body.refused (T-1) has expired on 2026-01-31",
        "the waiver of codes.success (T-2) is not needed any more, since the clause passes",
    ]
    assert ran.report["reason"] == "; ".join(expected)
    assert set(expected) <= set(ran.report["notes"])


def test_a_selection_does_not_pass_when_all_is_required(few: dict[str, Ran]) -> None:
    """What was deselected is untested as well."""
    ran = few["all"]
    assert (ran.code, ran.report["verdict"]) == (1, "inconclusive"), ran.output
    assert ran.report["reason"].startswith("--require-all: untested ")


def test_a_target_that_is_not_there_is_the_news(folder: Path, few: dict[str, Ran], tmp_path: Path) -> None:
    """An old waiver is told beside it, and hides it not."""
    assert few
    ran = run(tmp_path, "--target", "http://127.0.0.1:9", "--waivers", folder / "stale.yaml")
    assert (ran.code, ran.report["verdict"]) == (1, "inconclusive"), ran.output
    assert "waiver" not in ran.last_line
    assert any("has expired" in note for note in ran.report["notes"])


WRONG = {
    "no waiver file": (("--waivers", "absent.yaml"), "absent.yaml: cannot be read"),
    "wrong waiver file": (
        ("--waivers", "wrong.yaml"),
        "wrong.yaml: waivers[0].clause: there is no clause body.refuesd",
    ),
    "no earlier run": (("--compare", "absent.json"), "absent.json: cannot be read"),
    "no baseline": (("--baseline", "absent.json"), "absent.json: cannot be read"),
    "wrong baseline": (("--baseline", "wrong.yaml"), "wrong.yaml: expected a JSON document"),
}


@pytest.mark.parametrize(("options", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_before_anything_is_sent(options: tuple[str, ...], words: str, tmp_path: Path) -> None:
    """One message and exit code 4, no report."""
    entry = "{clause: body.refuesd, reason: r, owner: o, ticket: T-1, expires: 2999-01-31}"
    (tmp_path / "wrong.yaml").write_text(f"waivers:\n  - {entry}\n")
    ran = run(tmp_path, *options)
    assert ran.code == 4, ran.output
    assert ran.output.count("ERROR: ") == 1
    assert words in ran.output
    assert not list(ran.reports.glob("*"))

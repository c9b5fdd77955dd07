"""The suite as users run it, on a deployment that keeps every clause."""

import base64
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
import yaml
from run_processes import FILES, TOKENS, Ran, Served, interrupted, run, serve

from conformance import SPEC
from conformance.preflight.cost import COSTS, TOLERANCE
from conformance.run import cost, suite
from conformance.run.item_record import AT_THE_END

pytestmark = pytest.mark.slow

SEED = "7"
JUDGED = sorted(clause for clause in suite.judges() if not clause.startswith("limits."))
"""The clauses that a conforming deployment has to be judged by; a limit needs an occasion."""

WAYS = {
    "conformance run": ("conformance", ()),
    "pytest": ("pytest", ()),
    "two workers": ("conformance", ("-n", "2")),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory outside of any checkout."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    """A conforming deployment that lends two addresses."""
    with serve(folder, "--quota", "2") as served:
        yield served


@pytest.fixture(scope="module")
def before(served: Served) -> set[str]:
    """The addresses that stood before the first run."""
    return served.addresses()


@pytest.fixture(scope="module")
def runs(folder: Path, served: Served, before: set[str]) -> dict[str, Ran]:
    """A run in each way, one after the other on the same deployment."""
    assert before is not None
    return {
        name: run(folder / name, "--target", served.description, "--seed", SEED, *arguments, by=by)
        for name, (by, arguments) in WAYS.items()
    }


@pytest.fixture(params=WAYS)
def ran(request: pytest.FixtureRequest, runs: dict[str, Ran]) -> Ran:
    """Each of the runs."""
    return runs[request.param]


def test_a_conforming_deployment_passes(ran: Ran) -> None:
    """Verdict, exit code and last line agree, with a quota of two and with several workers too."""
    assert (ran.code, ran.report["verdict"]) == (0, "pass"), ran.output
    assert ran.last_line.startswith("conformance: PASS (")
    assert not ran.report["partial"]


def test_a_quick_run_costs_what_the_doctor_says(ran: Ran) -> None:
    """With two addresses to lend and however it is started; the other depths are compared in the proof."""
    assert ran.report["requests"]["total"] == pytest.approx(COSTS["quick"].requests, rel=TOLERANCE)


def test_every_judged_clause_was_exercised(ran: Ran) -> None:
    """Nothing that has a test passes without a case."""
    cases = {clause["id"]: clause["cases"] for clause in ran.report["clauses"]}
    assert {clause: ran.verdicts[clause] for clause in JUDGED} == dict.fromkeys(JUDGED, "pass")
    assert [clause for clause in JUDGED if not cases[clause]] == []


def test_only_what_needs_an_option_is_untested(ran: Ran) -> None:
    """With all three credentials only the limits stay open, and their reason names the option."""
    limits = [
        clause for clause in ran.report["clauses"] if clause["id"] not in JUDGED and clause["id"] in suite.judges()
    ]
    assert {clause["verdict"] for clause in limits} == {"untested"}
    assert all("--probe-limits" in clause["reason"] for clause in limits)


def test_the_report_satisfies_its_schema(ran: Ran) -> None:
    """report.json is a public format."""
    schema = yaml.safe_load((SPEC / "run.schema.json").read_text())
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(ran.report)


def test_what_is_drawn_is_counted_in_every_process(ran: Ran) -> None:
    """Kinds add up to the removals, times to the answers, spans to the tests of the suite, on every worker."""
    requests = ran.report["requests"]
    kinds: Counter[str] = Counter()
    for counted in requests["removals_by_kind"].values():
        kinds.update(counted)
    assert kinds == Counter(requests["removals_by_code"])
    assert {"standing", "absent", "malformed", "body", "unauthenticated", "restricted", "foreign"} == set(
        requests["removals_by_kind"]
    )
    assert "401" in requests["removals_by_kind"]["unauthenticated"]
    assert set(requests["removals_by_kind"]["restricted"]) == {"403"}
    assert set(requests["times"]) == set(requests["by_operation"])
    answered = sum(sum(times["counts"]) for times in requests["times"].values())
    assert answered == requests["total"] - requests["by_code"].get("lost", 0)
    assert {span["test"] for span in ran.report["tests"]} == suite.tests() | {AT_THE_END}
    assert {span["verdict"] for span in ran.report["tests"]} == {"pass", "untested"}
    for worker in {span["worker"] for span in ran.report["tests"]}:
        spans = [span for span in ran.report["tests"] if span["worker"] == worker]
        for one, following in itertools.pairwise(spans):
            assert one["at"] + one["seconds"] <= following["at"] + 0.01


def test_all_files_are_written_and_no_other(ran: Ran) -> None:
    """The reports are there, whole; the working directory holds nothing else, and no ledger is left."""
    assert sorted(path.name for path in ran.reports.iterdir()) == sorted(FILES)
    assert ET.parse(ran.reports / "junit.xml").getroot().tag == "testsuites"
    assert {path.name for path in ran.folder.iterdir()} == {"reports", "state"}
    assert list(ran.state.rglob("*.jsonl")) == []


def test_no_token_is_shown_anywhere(ran: Ran) -> None:
    """Neither a token nor its half or an encoding of it stands in a file or on the terminal."""
    shown = [ran.output.encode(), *(path.read_bytes() for path in ran.folder.rglob("*") if path.is_file())]
    for token in TOKENS.values():
        for spelling in (token, token[: len(token) // 2], base64.b64encode(token.encode()).decode()):
            assert not any(spelling.encode() in text for text in shown)


def test_the_same_seed_gives_the_same_cases(runs: dict[str, Ran]) -> None:
    """Whoever starts the run: what was generated and how often each clause was judged is the same.

    Not so where requests overlap: in which order they arrive is nobody's choice, and decides what can be judged.
    """
    one, other = runs["conformance run"].report, runs["pytest"].report
    assert one["seed"] == int(SEED)
    assert one["generated"] == other["generated"]
    assert _cases(one) == _cases(other)


def _cases(report: dict[str, object]) -> dict[str, int]:
    clauses: list[dict[str, object]] = report["clauses"]  # type: ignore[assignment]
    overlapping = {"concurrency.linearizable", "codes.documented", "response.no-content"}
    return {str(clause["id"]): int(str(clause["cases"])) for clause in clauses if clause["id"] not in overlapping}


def test_the_known_efforts_add_up_to_what_a_run_sends(runs: dict[str, Ran]) -> None:
    """Estimates of the time left rest on them; tests with parameters count as often as they have some."""
    tests = [*suite.tests(), "test_body.py::test_a_removal_with_a_body_is_refused"]
    known = sum(cost.of(test, "quick").requests for test in tests)
    assert runs["conformance run"].report["requests"]["total"] == pytest.approx(known, rel=0.2)


def test_the_generated_requests_reach_existing_associations(ran: Ran) -> None:
    """A run whose requests never get hold of an association would show nothing."""
    assert ran.report["generated"]["reached"] > 0


@pytest.mark.usefixtures("runs")
def test_nothing_of_a_run_remains(served: Served, before: set[str]) -> None:
    """After all these runs the tenant has the addresses that it had."""
    assert served.addresses() == before


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_an_interrupted_run_cleans_up_and_says_so(
    workers: tuple[str, ...], tmp_path: Path, served: Served, before: set[str]
) -> None:
    """Ctrl-C: pytest's exit code, all files, marked; nothing of the run remains."""
    ran = interrupted(tmp_path / "run", "--target", served.description, *workers)
    assert ran.code == 2, ran.output
    assert ran.written() == list(FILES)
    assert ran.report["interrupted"]
    assert ran.last_line.startswith("conformance: INCONCLUSIVE")
    assert "interrupted" in ran.last_line.lower()
    assert served.addresses() == before
    assert list(ran.state.rglob("*.jsonl")) == []


def test_a_selection_is_marked_partial(tmp_path: Path, served: Served) -> None:
    """A partial pass says so wherever the verdict stands; what was left out has a reason."""
    ran = run(tmp_path / "run", "--target", served.description, "-k", "test_a_204_carries_no_content")
    assert (ran.code, ran.report["verdict"], ran.report["partial"]) == (0, "pass", True)
    assert ran.last_line.startswith("conformance: PASS, PARTIAL (")
    left_out = next(clause for clause in ran.report["clauses"] if clause["id"] == "body.refused")
    assert (left_out["verdict"], left_out["absence"]) == ("untested", "deselected")


def test_a_selection_of_nothing_is_wrong_usage(tmp_path: Path, served: Served) -> None:
    """Nothing that was not exercised passes; it ends before any request, and no report is touched."""
    ran = run(tmp_path / "run", "--target", served.description, "-k", "no_such_test")
    assert (ran.code, ran.reports.exists()) == (4, False)
    assert "no test is left to run" in ran.output


def test_without_a_target_the_embedded_deployment_is_judged(tmp_path: Path) -> None:
    """From an empty directory, with no variable set: a pass, and nothing but the reports is left of it."""
    ran = run(tmp_path / "run", "-k", "test_removing_an_existing", **dict.fromkeys(TOKENS, ""))
    assert (ran.code, ran.report["target"]["name"]) == (0, "embedded reference deployment"), ran.output
    assert {path.name for path in ran.folder.iterdir()} == {"reports", "state"}
    assert list(ran.state.iterdir()) == []


def test_a_url_is_a_target(tmp_path: Path, served: Served) -> None:
    """The servers are found among the tenant's ports, and the report says which, and what is odd about the rest."""
    odd = {"CONFORMANCE_FOREIGN_TOKEN": TOKENS["CONFORMANCE_RESTRICTED_TOKEN"], "CONFORMANCE_RESTRICTED_TOKEN": ""}
    ran = run(tmp_path / "run", "--target", served.url, "-k", "test_removing_an_existing", **odd)
    assert ran.code == 0, ran.output
    assert any(note.startswith("foreign: auth.foreign_token is answered 200 OK") for note in ran.report["notes"])
    assert any("servers were taken from the tenant's ports" in note for note in ran.report["notes"])

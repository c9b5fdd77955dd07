"""Two faults of one clause are two findings: excusing one hides not the other, and the same fault is known again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from run_processes import CHECKOUT, Ran, ended, run, serve

pytestmark = pytest.mark.slow

PAIRS = {
    "access.authenticated": (
        ("unauthenticated-is-403", "truncated-token-works"),
        "code 403",
        ("--depth", "standard", "-k", "test_a_caller_without_a_valid_token"),
    ),
    "identifier.uuid": (
        ("what-follows-is-ignored", "wildcard-removes-all"),
        "more after it",
        ("--depth", "standard", "-k", "test_what_is_no_uuid"),
    ),
    "method.override": (
        ("override-header-on-get", "override-in-the-query"),
        "X-HTTP-Method-Override",
        ("--depth", "standard", "-k", "test_no_override"),
    ),
    "body.refused": (
        ("body-with-a-length-is-ignored", "body-that-is-no-json-is-415"),
        "not refused",
        ("--seed", "1", "-k", "test_a_removal_with_a_body"),
    ),
}
"""Clause -> a fault and another one, what the findings of the first say, and the run that shows both."""


def waived(folder: Path, clause: str, match: str) -> Path:
    """A waiver file for the findings of a clause that say so."""
    path = folder / "waivers.yaml"
    path.write_text(
        f"waivers:\n  - {{clause: {clause}, match: {json.dumps(match)}, reason: r, owner: o, ticket: T-1, "
        "expires: 2999-01-31}\n"
    )
    return path


def fingerprints(ran: Ran, clause: str = "") -> set[str]:
    """Of what was found, of one clause or of all."""
    return {
        finding["fingerprint"]
        for one in ran.report["clauses"]
        if clause in {"", one["id"]}
        for finding in one["findings"]
    }


def served_run(folder: Path, faults: tuple[str, ...], *arguments: object) -> Ran:
    """A run on a deployment with these faults."""
    folder.mkdir(exist_ok=True)
    given = [word for fault in faults for word in ("--fault", fault)]
    with serve(folder, *given) as served:
        return run(folder, "--target", served.description, *arguments)


@pytest.mark.parametrize("clause", PAIRS)
def test_a_waiver_or_a_baseline_for_one_fault_excuses_no_other(clause: str, tmp_path: Path) -> None:
    """The run with both fails, by what neither covers; what is excused stands beside it."""
    both, match, chosen = PAIRS[clause]
    first = served_run(tmp_path / "first", both[:1], *chosen)
    baseline = first.reports / "report.json"
    waivers = waived(tmp_path, clause, match)

    ran = served_run(tmp_path / "both", both, *chosen, "--waivers", waivers, "--compare", baseline)
    assert (ran.code, ran.report["verdict"]) == (1, "fail"), ran.output
    (result,) = [one for one in ran.report["clauses"] if one["id"] == clause]
    excused = {finding["fingerprint"] for finding in result["findings"] if finding["waiver"]}
    assert excused
    assert excused <= fingerprints(first, clause) < fingerprints(ran, clause)
    assert ran.report["comparison"]["difference"]["new"]

    again = served_run(tmp_path / "again", both, *chosen, "--baseline", baseline)
    assert (again.code, again.report["verdict"]) == (1, "fail"), again.output
    assert fingerprints(again, clause) == fingerprints(ran, clause)


def test_the_same_faults_are_the_same_findings(tmp_path: Path) -> None:
    """Whatever the seed, the depth and the number of workers: a comparison has nothing new to tell, either way."""
    faults = ("unauthenticated-is-403", "what-follows-is-ignored", "body-is-ignored")
    chosen = ("-k", "test_a_caller_without_a_valid or test_what_is_no_uuid or test_a_removal_with_a_body")
    ways = (
        ("--seed", "1", "-n", "0"),
        ("--seed", "2", "-n", "2"),
        ("--seed", "3", "-n", "0", "--depth", "standard"),
    )
    given = [word for fault in faults for word in ("--fault", fault)]
    with serve(tmp_path, *given) as served:
        runs = [run(tmp_path / f"{n}", "--target", served.description, *chosen, *way) for n, way in enumerate(ways)]
    assert fingerprints(runs[0])
    assert fingerprints(runs[0]) == fingerprints(runs[1]) == fingerprints(runs[2])
    files = [str(one.reports / "report.json") for one in (runs[2], runs[0])]
    assert "\nNew findings: 0\n" in ended(f"{sys.executable} -m conformance diff {' '.join(files)}", CHECKOUT).output

"""A supporting contract: its folder brings clauses, tests, operation and faults; it is judged where asked for."""

import json
from pathlib import Path

import pytest
from run_processes import run, serve

from conformance import catalogue, contract
from conformance.driver.operation import REMOVAL
from conformance.reference.faults import supporting
from conformance.run import suite

pytestmark = pytest.mark.once

ASSOCIATE = contract.SUPPORTING["associate"]
IMPATIENT = {"settle_seconds": 0.5}
SOON = {"associating-does-nothing", "once-more-toggles-it", "nobody-may-associate"}
FAULTS = [
    pytest.param(fault, id=fault.name, marks=() if fault.name in SOON else pytest.mark.slow) for fault in supporting()
]


def test_a_contract_is_judged_where_it_is_asked_for() -> None:
    """Its families come after those of the removal, which is always judged."""
    both = catalogue.load(chosen=contract.chosen(["associate"]))
    alone = catalogue.load()
    assert both.families[: len(alone.families)] == alone.families
    assert [family.name for family in both.families[len(alone.families) :]] == ["associate"]
    assert contract.chosen() == (contract.REMOVAL,)


def test_each_of_its_clauses_is_judged_and_broken_by_two_deployments() -> None:
    """As those of the removal are."""
    clauses = {clause.id for clause in catalogue.load(chosen=(contract.REMOVAL, ASSOCIATE)).families[-1].clauses}
    assert suite.judges((ASSOCIATE.tests,)).keys() == clauses
    broken = [clause for fault in supporting() for clause in fault.breaks]
    assert {clause: broken.count(clause) for clause in clauses if broken.count(clause) < 2} == {}


def test_a_test_is_given_the_operation_of_its_contract() -> None:
    """By the folder that it stands in."""
    assert contract.of(ASSOCIATE.tests / "test_associate.py").operation is ASSOCIATE.operation
    assert contract.of(suite.CLAUSES / "test_codes.py").operation is REMOVAL


def judged(folder: Path, *served: str) -> dict[str, str]:
    """Clause of the contract -> its verdict, on a deployment that is served so."""
    with serve(folder, *served) as deployment:
        described = deployment.described("target", policy=IMPATIENT)
        asked = ("--contract", "associate", "--depth", "standard", "test_associate.py")
        ran = run(folder, "--target", described, *asked)
    document = json.loads((folder / "reports" / "report.json").read_text(encoding="utf-8"))
    verdicts = {one["id"]: one["verdict"] for one in document["clauses"]}
    assert verdicts["body.refused"] == "untested", ran.output
    return {clause: verdict for clause, verdict in verdicts.items() if clause.startswith("associate.")}


def test_a_conforming_deployment_keeps_it(tmp_path: Path) -> None:
    """Every clause was tried."""
    assert set(judged(tmp_path).values()) == {"pass"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_breaks_its_own_clauses(tmp_path: Path, fault) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """And no other one."""
    verdicts = judged(tmp_path, "--fault", fault.name)
    assert {clause for clause, verdict in verdicts.items() if verdict == "fail"} == set(fault.breaks)

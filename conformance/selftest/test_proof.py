"""The proof in small: at the quick depth plain faults of each family are found, and no lawful deployment is blamed.

The whole proof, at the standard depth, has an environment of its own.
"""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import catalogue
from conformance.errors import UsageError
from conformance.proof import document
from conformance.proof.document import Proof
from conformance.proof.trial import Repetition, TrialResult, TrialSubject
from conformance.reference.cli import describe_faults

LONGEST_PROOF_SECONDS = 900

QUICK_FAULTS = (
    "unknown-association-is-404",
    "newline-after-204",
    "all-of-the-address-go",
    "literal-is-taken",
    "body-chooses-the-address",
    "any-token-works",
    "foreign-may-deallocate",
    "post-removes",
    "delete-takes-the-associations-too",
    "put-does-nothing",
    "over-limit-removes",
    "body-is-500",
    "all-is-503",
)
"""Plain faults, about one a family: a quick look is enough for them."""

LAWFUL = (
    "repetition-is-204",
    "sporadic-503",
    "http-10",
    "no-ports-api",
    "bodies-are-ignored",
)


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The document of a quick proof over a selection."""
    folder = tmp_path_factory.mktemp("proof")
    chosen = [word for name in (*QUICK_FAULTS, *LAWFUL) for word in ("--only", name)]
    command = [sys.executable, "-m", "conformance", "prove", "--depth", "quick", "--report-dir", str(folder), *chosen]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_PROOF_SECONDS, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-2000:]
    first, *_, where, last = ended.stdout.splitlines()
    faulty, lawful = len(QUICK_FAULTS), len(LAWFUL)
    assert first.startswith(f"judging {faulty} faulty deployments and {lawful} lawful ones, ")
    assert where == f"report    {folder / 'proof.html'}"
    assert last.startswith(f"proof holds: {faulty} faults, 0 survivors, ")
    assert "The proof holds" in (folder / "proof.html").read_text()
    document_read: dict[str, Any] = json.loads((folder / "proof.json").read_text())
    return document_read


@pytest.mark.slow
def test_a_quick_look_finds_plain_faults_and_blames_no_lawful_deployment(proof: dict[str, Any]) -> None:
    """Each fault breaks a clause of its entry, and each variant passes."""
    assert proof["holds"]
    assert not proof["survivors"]
    assert not proof["false_alarms"]


@pytest.mark.slow
def test_a_fault_is_blamed_on_the_clauses_that_it_breaks(proof: dict[str, Any]) -> None:
    """No clause fails that the fault's entry does not name."""
    blamed = {trial["subject"]["name"]: trial["misblamed"] for trial in proof["trials"] if trial["misblamed"]}
    assert blamed == {}


@pytest.mark.slow
def test_one_fault_is_few_findings(proof: dict[str, Any]) -> None:
    """A clause that a fault breaks has a finding or two, however many examples show it."""
    many = {
        (trial["subject"]["name"], clause): findings
        for trial in proof["trials"]
        for clause, findings in trial["found"].items()
        if findings > 3
    }
    assert many == {}


def test_every_clause_is_broken_by_two_faults() -> None:
    """The catalogue of faults leaves no clause without proof."""
    named = [clause for subject in document.subjects() if subject.kind == "fault" for clause in subject.breaks]
    assert {clause.id for clause in catalogue.load().clauses if named.count(clause.id) < 2} == set()


FAULT = TrialSubject("fault", "a-fault", "breaks a clause", "fail", ("body.refused",), ("body.inert",))
FOUND = TrialResult(FAULT, "fail", "", 1.0, 10, {"body.refused": 1})


def test_a_fault_survives_when_no_clause_of_its_entry_finds_it() -> None:
    """What another clause finds does not count."""
    assert not FOUND.survived
    assert replace(FOUND, found={"body.inert": 1}).survived
    assert replace(FOUND, found={}, verdict="pass").survived
    assert not replace(FOUND, found={}, verdict="error", error="KeyError: it broke").survived


def test_a_vacuous_deployment_survives_unless_it_is_inconclusive() -> None:
    """A target that shows nothing must not pass, nor be at fault."""
    vacuous = replace(FAULT, verdict="inconclusive")
    assert replace(FOUND, subject=vacuous, verdict="pass").survived
    assert not replace(FOUND, subject=vacuous, verdict="inconclusive", found={}).survived


def test_a_clause_that_the_entry_does_not_name_is_misblamed() -> None:
    """Clauses that may notice it, too, are not."""
    assert replace(FOUND, found={"body.refused": 1, "body.inert": 1}).misblamed == ()
    assert replace(FOUND, found={"codes.success": 1}).misblamed == ("codes.success",)


@pytest.mark.parametrize("found", [{"faults.client-input": 1}, {}], ids=["blamed", "not passed"])
def test_a_lawful_deployment_that_is_blamed_is_a_false_alarm(found: dict[str, int]) -> None:
    """Also for a should-clause, and also when it just did not pass."""
    lawful = TrialSubject("variant", "a-variant", "is free to", "pass")
    assert TrialResult(lawful, "pass" if found else "inconclusive", "", 1.0, 10, found).false_alarm
    assert not TrialResult(lawful, "pass", "", 1.0, 10).false_alarm


@pytest.mark.parametrize("broken", [{"verdict": "pass", "found": {}}, {"error": "it broke"}])
def test_a_proof_with_a_survivor_or_an_error_does_not_hold(broken: dict[str, Any]) -> None:
    """One is enough."""
    assert Proof("quick", 0, 1.0, (FOUND,)).holds
    assert not Proof("quick", 0, 1.0, (FOUND, replace(FOUND, **broken))).holds


def test_a_proof_that_blames_an_innocent_clause_does_not_hold() -> None:
    """Neither in its words nor in its document, though the fault was found."""
    wrong = Proof("quick", 0, 1.0, (replace(FOUND, found={"body.refused": 1, "codes.success": 1}),))
    assert not wrong.survivors
    assert not wrong.holds
    assert wrong.to_json()["misblamed"] == ["a-fault"]
    assert "misblamed: a-fault" in document.summary(wrong)
    assert "proof FAILS: 1 fault, 0 survivors, 1 misblamed" in document.summary(wrong).splitlines()[-1]


@pytest.mark.parametrize(
    ("here", "lawful", "fleeting", "holds"),
    [
        ("REPRODUCED", "NOT REPRODUCED", "", True),
        ("NOT REPRODUCED", "NOT REPRODUCED", "", False),
        ("COULD NOT BE TRIED", "NOT REPRODUCED", "", False),
        ("NOT REPRODUCED", "NOT REPRODUCED", "who wins is chance", True),
        ("REPRODUCED", "REPRODUCED", "who wins is chance", False),
    ],
)
def test_a_finding_has_to_show_again_where_it_was_made_and_nowhere_else(
    here: str, lawful: str, fleeting: str, *, holds: bool
) -> None:
    """But for what a fresh address cannot show, for the reason that the entry gives."""
    told = Repetition("body.refused", here, lawful, "204 No Content")
    proof = Proof("quick", 0, 1.0, (replace(FOUND, subject=replace(FAULT, fleeting=fleeting), repetitions=(told,)),))
    assert proof.holds is holds
    assert bool(proof.to_json()["unrepeated"]) is not holds
    assert ("not repeated: a-fault" in document.summary(proof)) is not holds


@pytest.mark.slow
def test_the_findings_of_a_proof_are_tried_again(proof: dict[str, Any]) -> None:
    """Those of every fault that is found for certain, on a fresh address of the same deployment and of a lawful one."""
    told = {trial["subject"]["name"]: trial["repetitions"] for trial in proof["trials"]}
    assert [name for name in QUICK_FAULTS if not told[name] and name != "all-is-503"] == []
    assert not [name for name in LAWFUL if told[name]]
    assert {one["lawful"] for each in told.values() for one in each} == {"NOT REPRODUCED"}


def test_the_list_of_faults_says_what_each_may_show_besides() -> None:
    """With the reason: the entry's own, or what the clause's tests do."""
    listed = describe_faults()
    assert "may show faults.client-input (the caller's mistake is answered as a fault of the service)" in listed
    assert "body.inert (content that names another association meets it)" in listed


def test_an_unknown_name_is_answered_with_those_that_come_near() -> None:
    """Nothing is proven by a typing mistake."""
    with pytest.raises(UsageError, match="body-is-ignored"):
        document.subjects(["body-is-ignore"])


def test_the_page_escapes_what_a_trial_says(tmp_path: Path) -> None:
    """A deployment's words are text."""
    hostile = replace(FOUND, subject=replace(FAULT, description="<script>alert(1)</script>"))
    document.write(Proof("quick", 0, 1.0, (hostile,)), tmp_path)
    assert "<script" not in (tmp_path / "proof.html").read_text()

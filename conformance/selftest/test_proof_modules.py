"""What each module of clause tests is worth: without it some fault is found no more, or the catalogue says why not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import catalogue, contract

pytestmark = pytest.mark.proof

SOLE_FINDERS = {
    "access": "any-token-works",
    "body": "body-above-64-kib-is-ignored",
    "concurrency": "association-race-10-ms",
    "deallocation": "delete-is-204-without-effect",
    "effect": "every-second-list-is-stale",
    "identifier": "literal-in-any-spelling-is-taken",
    "lifecycle": "again-associated-does-not-hold",
    "method": "post-removes",
}
"""Family -> a fault that only its tests find."""

COVERED = {
    "codes": "every-eighth-removal-is-429",
    "response": "newline-after-204",
    "limits": "over-limit-without-retry-after",
    "faults": "body-is-500",
}
"""Family -> a fault of one of its clauses that other families' tests find too, since any answer is an occasion."""


def survivors(folder: Path, family: str, fault: str) -> list[str]:
    """The faults that a proof without one module of clause tests does not find."""
    module = f"test_{family}.py"
    proof = [sys.executable, "-m", "conformance", "prove", "--only", fault, "--report-dir", str(folder)]
    ended = subprocess.run(
        [*proof, "--", "-k", f"not {module}"], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode in {0, 1}, ended.stdout + ended.stderr
    found: list[str] = json.loads((folder / "proof.json").read_text())["survivors"]
    return found


def test_every_module_is_here() -> None:
    """Each family is a sole finder of something, or covered by others."""
    assert {*SOLE_FINDERS, *COVERED} == set(contract.REMOVAL.families)


@pytest.mark.parametrize(("family", "fault"), SOLE_FINDERS.items())
def test_without_a_module_a_fault_survives(tmp_path: Path, family: str, fault: str) -> None:
    """No other module finds it."""
    assert survivors(tmp_path, family, fault) == [fault]


@pytest.mark.parametrize(("family", "fault"), COVERED.items())
def test_what_any_answer_shows_is_found_without_its_module(tmp_path: Path, family: str, fault: str) -> None:
    """And the catalogue says at which answers."""
    assert survivors(tmp_path, family, fault) == []
    assert any(clause.judged_at for clause in catalogue.load() if clause.family == family)

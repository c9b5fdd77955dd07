"""An implementation in another language and on another stack is judged rightly: the suite is not fitted to its own."""

import shutil
from pathlib import Path

import pytest
from foreign_services import NODE, explains, judged

node = shutil.which("node") or ""
pytestmark = pytest.mark.skipif(not node, reason="no Node.js")

NARROW = {"effect.nothing-else": "more than what the path names is removed"}
WIDE = {
    "effect.repeat": "another association than the one that is repeated goes",
    "codes.success": "what is to be removed next has gone already",
    "deallocation.until-the-last": "the associations that should hold the address have gone already",
    "deallocation.delete-after": "as above",
    "deallocation.put-after": "as above",
    "lifecycle.model": "no sequence with two associations is explained",
    "concurrency.linearizable": "no order with two associations is explained",
}
LOST = {
    "effect.removed": "an older state written back has the removed association",
    "effect.nothing-else": "an older state written back lacks other associations",
    "lifecycle.model": "a read after overlapping changes is not explained",
}

FAULTS = {
    "changes-without-a-queue": ("concurrency.linearizable", LOST, ["-k", "concurrency"]),
    "content-over-path": (
        "body.inert",
        {**NARROW, "body.refused": "it is read"},
        ["-k", "body", "--depth", "standard"],
    ),
    "id-with-an-open-end": ("identifier.uuid", NARROW, ["-k", "identifier or effect"]),
    "removes-by-address": ("effect.nothing-else", WIDE, []),
    "falls-through": ("method.refused", {"codes.documented": "404"}, ["-k", "method or codes"]),
}


@pytest.mark.slow
def test_a_conforming_service_of_another_stack_passes(tmp_path: Path) -> None:
    """Node's own http and a file: other codes where the contract leaves a choice, other words, no finding."""
    ran = judged(tmp_path, [node, str(NODE), str(tmp_path / "state.json")])
    assert ran.code == 0, ran.output
    assert "PASS" in ran.last_line


@pytest.mark.slow
@pytest.mark.node
@pytest.mark.parametrize("fault", FAULTS)
def test_its_faults_are_found_and_blamed_on_their_clause(fault: str, tmp_path: Path) -> None:
    """Each is one that its stack makes easy."""
    blamed, also, options = FAULTS[fault]
    ran = judged(tmp_path, [node, str(NODE), str(tmp_path / "state.json"), fault], *options)
    explains(ran, blamed, also)

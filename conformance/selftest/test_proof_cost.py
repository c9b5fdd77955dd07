"""What runs cost is what the doctor says; a quick one is compared where it runs anyway."""

from pathlib import Path

import pytest
from run_processes import run

from conformance.preflight.cost import COSTS, TOLERANCE

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("depth", sorted(COSTS.keys() - {"quick"}))
def test_a_run_costs_what_the_doctor_says(depth: str, tmp_path: Path) -> None:
    """The requests are those that an operator plans with."""
    ran = run(tmp_path / "run", "--depth", depth)
    assert ran.report["requests"]["total"] == pytest.approx(COSTS[depth].requests, rel=TOLERANCE)

"""What a run tells its reader to do next."""

from dataclasses import replace
from pathlib import Path

import pytest
import report_runs

from conformance.run import next_steps
from conformance.run.options import Options

OURS = "1 address could not be removed. Run conformance cleanup when the target answers again"
DOUBTFUL = "If it is the suite's: conformance cleanup --adopt 3f0c9a1e-7b52-4d8a-9c4e-a1b2c3d4e5f6"


def asked(folder: Path) -> Options:
    """A run against a target that somebody described."""
    return Options(
        target="staging one.yaml",
        depth="quick",
        seed=7,
        report_dir=folder / "reports",
        formats=(),
        state_dir=None,
        probe_limits=False,
        strict=False,
        require_all=False,
        waivers=None,
        baseline=None,
        compare=None,
    )


@pytest.mark.parametrize(
    ("notes", "due"),
    [
        ((), ""),
        ((OURS,), "conformance cleanup --target 'staging one.yaml'"),
        ((OURS, DOUBTFUL), "conformance cleanup --target 'staging one.yaml' [--adopt ID]"),
    ],
)
def test_what_is_left_is_taken_back_by_a_command_that_can_be_copied(
    tmp_path: Path, notes: tuple[str, ...], due: str
) -> None:
    """Which of what may be somebody else's is the suite's is not said for the operator."""
    told = next_steps.after(replace(report_runs.run(), notes=notes, clauses=()), asked(tmp_path)).get("next", "")
    assert told.rpartition("; ")[2] == due or (not due and "cleanup" not in told)

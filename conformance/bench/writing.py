"""How long it takes to write each report of a run that has findings."""

from __future__ import annotations

import time

from conformance import report
from conformance.bench import runs
from conformance.bench.plan import BenchPlan
from conformance.bench.processes import measured, served
from conformance.bench.records import Figure, gathered
from conformance.verdict import Run

FAULTS = ("body-is-ignored", "newline-after-204")
FEW_TESTS = ("-k", "test_response")


def figures(plan: BenchPlan) -> list[Figure]:
    """The processor time for each format, after it was written once: that imports what it needs."""
    run = _run(plan)
    return [gathered(f"report, {name}: CPU", "ms", _times(plan, run, name), factor=1000) for name in report.FILES]


def _run(plan: BenchPlan) -> Run:
    """A quick run with findings, as it was saved."""
    folder = plan.folder / "findings"
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    with served(plan.folder, *faults, policy={"settle_seconds": 0.5}) as deployment:
        command = runs.suite_command(deployment, folder, "quick", *(FEW_TESTS if plan.short else ()))
        measured(command, plan.folder, deployment.tokens, codes=(1,))
    return report.read(folder / report.FILES["json"])


def _times(plan: BenchPlan, run: Run, name: str) -> list[float]:
    report.write(run, plan.folder / "written", [name])
    return [_written(plan, run, name) for _ in range(plan.repetitions)]


def _written(plan: BenchPlan, run: Run, name: str) -> float:
    began = time.process_time()
    report.write(run, plan.folder / "written", [name])
    return time.process_time() - began

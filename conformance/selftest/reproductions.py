"""Runs of faulty deployments and their findings tried again: on the same deployment, and on a lawful one."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import in_process

from conformance.driver.context import Process
from conformance.reference import Reference
from conformance.reproduction import Reproducer, ReproductionOutcome
from conformance.verdict import Finding, Run, Verdict

NEVER = "1970-01-01T00:00:00Z"


def of_a_run(process: Process) -> Run:
    """A run against that deployment as far as reproducing asks for it."""
    return Run(Verdict.FAIL, "", process.target.public(), NEVER, NEVER, 1, "quick", "0", "", ())


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying findings, and what was left behind."""

    outcomes: tuple[ReproductionOutcome, ...]
    left: tuple[str, ...]
    kept: int


@contextlib.contextmanager
def deployed(*faults: str) -> Iterator[tuple[Reference, Process]]:
    """A deployment and a process that speaks to it."""
    with in_process.served(*faults) as reference, in_process.process(reference) as process:
        yield reference, process


def tried(run: Run, findings: tuple[Finding, ...], fault: str = "") -> Tried:
    """The findings tried on a fresh deployment."""
    with deployed(fault) as (reference, process), tempfile.TemporaryDirectory() as folder:
        shared = Path(folder, "shared")
        shared.mkdir()
        tries = Reproducer(process.client, run, Path(folder), shared)
        outcomes = tuple(map(tries.reproduce, findings))
        state = reference.store.state
        kept = len(state.addresses) + len(state.associations) + len(list(Path(folder).glob("*.jsonl")))
        return Tried(outcomes, tuple(tries.left), kept)

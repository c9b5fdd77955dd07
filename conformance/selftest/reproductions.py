"""Runs of faulty deployments and their findings tried again: on the same deployment, and on a lawful one."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import in_process

from conformance.driver.api import TargetApi
from conformance.driver.context import Process
from conformance.driver.ruling_log import RulingLog
from conformance.judge import Attempt, codes, effect, refusal
from conformance.reference import Reference
from conformance.reproduction import Reproducer, ReproductionOutcome
from conformance.verdict import Finding, Ruling, Run, Verdict

NEVER = "1970-01-01T00:00:00Z"

Judge = Callable[[Attempt], Ruling | None]


def of_a_run(process: Process) -> Run:
    """A run against that deployment as far as reproducing asks for it."""
    return Run(Verdict.FAIL, "", process.target.public(), NEVER, NEVER, 1, "quick", "0", "", ())


def found(
    process: Process, judge: Judge, *, repeated: bool = False, deallocated: bool = False, **variation: Any
) -> Finding:
    """The one finding of a removal that is judged so; maybe of a repeated one, or after the address has gone."""
    ruling_log = RulingLog(frozenset(), process.recorder)
    api = TargetApi(process, ruling_log)
    pair = api.leases.association()
    api.establish(pair)
    if repeated or deallocated:
        api.attempt(pair, mistake=False)
    if deallocated:
        assert process.client.deallocate_address(pair.address).status == 204
    ruling_log.findings.clear()
    trial = api.attempt(pair, mistake=False, standing=not (repeated or deallocated), full=True, **variation)
    ruling_log.findings.clear()
    ruling_log.note(judge(trial))
    api.close()
    (finding,) = ruling_log.findings.values()
    return finding


CASES: dict[str, tuple[Judge, dict[str, Any]]] = {
    "list-is-stale-for-ever": (effect.removed, {}),
    "removal-answers-200": (codes.success, {}),
    "body-is-ignored": (lambda one: refusal.refused("body.refused", one), {"body": b"x" * 9000, "framing": "chunked"}),
    "restricted-may-remove": (
        lambda one: refusal.refused("access.forbidden", one, codes=frozenset({403})),
        {"credential": "restricted"},
    ),
    "unknown-association-is-404": (lambda one: codes.documented(one.exchange), {"repeated": True}),
    "a-gone-address-is-410": (lambda one: codes.documented(one.exchange), {"deallocated": True}),
}


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

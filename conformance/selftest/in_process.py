"""A reference deployment in this process, over real sockets, and addresses on it for sequences and for overlap."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from conformance import target
from conformance.client import Client, Pacer
from conformance.driver.context import Process
from conformance.driver.named import Topology
from conformance.evidence import VARIABLES, Recorder
from conformance.provision import Ledger, Provisioner
from conformance.reference import Reference, Settings, Tokens

TOKENS = Tokens("ab12" * 8, "cd34" * 8, "ef56" * 8)
SETTLE_SECONDS = 1.0


@contextlib.contextmanager
def served(*faults: str, variant: str | None = None) -> Iterator[Reference]:
    """A deployment with these faults, or a lawful variant of it."""
    with Reference(Settings(tokens=TOKENS), faults=tuple(filter(None, faults)), variant=variant) as reference:
        yield reference


@contextlib.contextmanager
def process(
    reference: Reference, *, depth: str = "standard", seed: int = 0, per_second: float | None = None
) -> Iterator[Process]:
    """What the tests of one run share, for a run against that deployment."""
    described = reference.target()
    described["policy"] = {**described["policy"], "settle_seconds": SETTLE_SECONDS}
    if per_second:
        described["limits"] = {**described["limits"], "requests_per_second": per_second}
    environment = {VARIABLES[name]: getattr(TOKENS, name) for name in ("full", "restricted", "foreign")}
    chosen = target.from_document(described, "the reference", environment)
    with tempfile.TemporaryDirectory(prefix="conformance-in-process-") as folder:
        recorder = Recorder()
        client = Client(chosen, recorder, Pacer(Path(folder) / "pace", chosen.limits.requests_per_second))
        ledger = Ledger(Path(folder) / "run.ledger.jsonl")
        provisioner = Provisioner(client, ledger, Path(folder))
        yield Process(chosen, client, recorder, ledger, provisioner, depth=depth, seed=seed)
        ledger.close()


@contextlib.contextmanager
def topology(shared: Process, *, renewals: int = 8) -> Iterator[Topology]:
    """Addresses and servers that are given back at the end."""
    made = Topology(shared, renewals=renewals)
    try:
        yield made
    finally:
        made.close()

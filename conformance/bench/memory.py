"""What the recorder holds: the memory of a process against the exchanges that it was told of.

``python -m conformance.bench.memory COUNT EACH`` is that process: it records ``COUNT`` exchanges, of tests of ``EACH``.
"""

from __future__ import annotations

import contextlib
import json
import re
import resource
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from conformance.bench.plan import BenchPlan
from conformance.bench.processes import measured
from conformance.bench.records import Figure, Line, Plot, gathered
from conformance.evidence import Exchange, Recorder, Request, Response

EXCHANGES, FEW = (1_000, 10_000, 100_000), (1_000,)
OF_A_TEST = 100
ALLOCATION_EVERY = 20
"""One exchange in so many allocates an address, about as in a run."""

HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
ROOT = "http://127.0.0.1:8774"
TOKEN = ("X-Auth-Token", "$CONFORMANCE_TOKEN")


def figures(plan: BenchPlan) -> list[Figure]:
    """The peak after each number of exchanges, for one test that has them all and for tests of a hundred."""
    counts = FEW if plan.short else EXCHANGES
    return [_peak(plan, count, each) for count in counts for each in (count, OF_A_TEST)]


def _peak(plan: BenchPlan, count: int, each: int) -> Figure:
    command = [sys.executable, "-m", "conformance.bench.memory", str(count), str(each)]
    told = [float(measured(command, plan.folder).output) for _ in range(plan.repetitions)]
    return gathered(_called(count, each), "MiB", told, factor=2.0**-20)


def _called(count: int, each: int) -> str:
    return f"memory, {count:,} exchanges{' of one test' if each == count else f', {each} a test'}"


def plots(held: Sequence[Figure]) -> list[Plot]:
    """Memory against exchanges, if there is more than one number of them."""
    peaks = {figure.name: figure.median for figure in held}
    if _called(EXCHANGES[-1], OF_A_TEST) not in peaks:
        return []
    whole = Line("of one test", tuple((count, peaks[_called(count, count)]) for count in EXCHANGES))
    cut = Line(f"{OF_A_TEST} a test", tuple((count, peaks[_called(count, OF_A_TEST)]) for count in EXCHANGES))
    return [Plot("Memory at its peak", "exchanges", "MiB", (whole, cut))]


def record(count: int, each: int) -> Recorder:
    """Tell a recorder of so many exchanges, forgetting those of a test after ``each``."""
    recorder = Recorder()
    for number in range(count):
        exchange = _exchange(recorder.next_id(), number)
        recorder.record(exchange, removal=exchange.operation == "removeAssociation")
        if (number + 1) % each == 0 and number + 1 < count:
            recorder.forget()
    return recorder


def _exchange(identifier: str, number: int) -> Exchange:
    address, now = str(uuid.uuid4()), time.monotonic()
    if number % ALLOCATION_EVERY:
        url = f"{ROOT}/v2/servers/{uuid.UUID(int=number % 4)}/ip_associations/{address}"
        sent, answer = Request("DELETE", url, (TOKEN,)), Response(204)
        return Exchange(identifier, "removeAssociation", "full", sent, now, now + 0.001, time.time(), answer)
    granted = {"ip_address": {"id": address, "address": f"198.18.{number % 256}.1", "port_ids": [address] * 4}}
    body = json.dumps(granted).encode()
    sent = Request("POST", f"{ROOT}/v2.0/ip_addresses", (TOKEN,), body, "content-length")
    answer = Response(201, headers=(("Content-Type", "application/json"),), body=body)
    return Exchange(identifier, "allocateAddress", "full", sent, now, now + 0.001, time.time(), answer)


def peak() -> float:
    """The most memory that this process has had, bytes.

    What getrusage(2) tells begins, after a fork, with the memory of the process that forked; proc(5) knows better.
    """
    with contextlib.suppress(OSError):
        met = HIGH_WATER.search(Path("/proc/self/status").read_text(encoding="ascii", errors="replace"))
        if met:
            return float(met[1]) * 2**10
    unit = 1 if sys.platform == "darwin" else 2**10
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def main() -> None:
    """Record what the command line says, and write the peak."""
    record(*map(int, sys.argv[1:]))
    sys.stdout.write(f"{peak()}\n")


if __name__ == "__main__":
    main()

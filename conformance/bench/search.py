"""What the search for an order costs, against length and overlap of a history.

Every value is by the process's clock, so other work on the machine hardly counts, of the search alone; each repetition
has a history of its own. Wrong histories have one answer changed near the end, so that all before it is searched;
"different writes" is the worst there is: all configurations are entered.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from conformance.bench.histories import Register, SimulatedDeployment, Writer, other_status, other_value, overlapping
from conformance.bench.plan import BenchPlan
from conformance.bench.records import Figure, Line, Plot, gathered
from conformance.model.history import Completion, Operation
from conformance.model.linearize import Model, check
from conformance.model.register import REGISTER
from conformance.model.sequential import Choices, address_model

SERIES = ("address", "address, wrong", "register", "register, wrong")
WORST = "different writes, wrong"
LENGTHS, CALLERS = (50, 100, 200, 400, 800), (2, 4, 6, 8, 10, 12)
WORST_CALLERS = (2, 4, 6, 8, 10)
USUAL_LENGTH, USUAL_CALLERS = 200, 8
LONG, MANY_ADDRESSES = 1000, 20


@dataclass(frozen=True, slots=True)
class HistoryKind:
    """Histories that are alike: what of, how long, how many callers at once, on how many addresses."""

    series: str
    operations: int
    callers: int
    addresses: int = 1

    @property
    def name(self) -> str:
        """What a figure of it is called."""
        on = f", {self.addresses} addresses" if self.addresses > 1 else ""
        return f"search, {self.series}, {self.operations} operations, {self.callers} callers{on}"


def measured(plan: BenchPlan) -> dict[HistoryKind, Figure]:
    """Search histories of every kind."""
    return {
        kind: gathered(f"{kind.name}: CPU", "ms", [_time(kind, seed) for seed in range(plan.repetitions)], factor=1000)
        for kind in dict.fromkeys(kinds(short=plan.short))
    }


def kinds(*, short: bool) -> list[HistoryKind]:
    """What is searched: longer and longer, and with more and more callers."""
    long = [HistoryKind(series, LONG, USUAL_CALLERS, MANY_ADDRESSES) for series in SERIES[:2]]
    if short:
        return [*long, HistoryKind(SERIES[0], LENGTHS[0], USUAL_CALLERS)]
    by_length = [HistoryKind(series, length, USUAL_CALLERS) for series in SERIES for length in LENGTHS]
    by_overlap = [HistoryKind(series, USUAL_LENGTH, callers) for series in SERIES for callers in CALLERS]
    return [*long, *by_length, *by_overlap, *(HistoryKind(WORST, USUAL_LENGTH, callers) for callers in WORST_CALLERS)]


def figures(found: dict[HistoryKind, Figure]) -> list[Figure]:
    """The long histories, and of each series the usual length and overlap; the rest is in the plots."""
    return [
        figure
        for kind, figure in found.items()
        if kind.addresses > 1 or (kind.operations, kind.callers) == (USUAL_LENGTH, USUAL_CALLERS)
    ]


def plots(found: dict[HistoryKind, Figure]) -> list[Plot]:
    """The greatest value of each kind against length and against overlap, as far as there is any."""
    by_length = _lines(found, SERIES, [(length, length, USUAL_CALLERS) for length in LENGTHS])
    by_overlap = _lines(found, (*SERIES, WORST), [(callers, USUAL_LENGTH, callers) for callers in CALLERS])
    made = [
        Plot(f"Slowest search, {USUAL_CALLERS} callers on one address", "operations", "ms", by_length),
        Plot(f"Slowest search, {USUAL_LENGTH} operations on one address", "callers", "ms", by_overlap),
    ]
    return [plot for plot in made if plot.lines]


def _lines(
    found: dict[HistoryKind, Figure], series: Sequence[str], places: Sequence[tuple[int, int, int]]
) -> tuple[Line, ...]:
    lines = []
    for name in series:
        kinds_at = [(at, HistoryKind(name, operations, callers)) for at, operations, callers in places]
        points = tuple((float(at), found[kind].maximum) for at, kind in kinds_at if kind in found)
        if points:
            lines.append(Line(name, points))
    return tuple(lines)


def _time(kind: HistoryKind, seed: int) -> float:
    model, history = _history(kind, Random(seed))
    began = time.process_time()
    check(model, history)
    return time.process_time() - began


def _history(kind: HistoryKind, random: Random) -> tuple[Model, list[Operation]]:
    operations, callers = kind.operations, kind.callers
    if kind.series == WORST:
        history = overlapping(Writer(), random, operations=operations, callers=callers)
        unwritten = Operation(0, {"f": "read"}, -1, Completion.OK, 10**9, 10**9 + 1)
        return REGISTER, [*history, unwritten]
    if kind.series.startswith("register"):
        subject: Register | SimulatedDeployment = Register()
        model, redo = REGISTER, other_value(random)
    else:
        # De-allocation is rare, or the rest of the history would be refusals.
        subject = SimulatedDeployment(ids=kind.addresses, repeats=404, life=0.2 * kind.addresses / operations)
        model, redo = address_model(Choices("refused")), other_status(random)
    history = overlapping(subject, random, operations=operations, callers=callers)
    if kind.series.endswith("wrong"):
        late = [number for number, operation in enumerate(history) if not operation.pending][-callers:]
        history[late[0]] = redo(history[late[0]])
    return model, history

"""What a request costs: the suite against a bare loop of as many requests and against Schemathesis."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.bench import runs
from conformance.bench.plan import BenchPlan
from conformance.bench.processes import served
from conformance.bench.records import Figure, Part, Ratio, gathered
from conformance.bench.runs import Traffic

TITLE = "Requests"
ABOUT = (
    "The processor time of whole commands, their start included, by the requests that they sent to a fresh deployment "
    "in a process of its own; the bare loop is requests.Session without a start, with as many requests as the suite's "
    "longest run. A further request is what the standard depth costs beyond the quick one: no start is in it."
)
LOOP, TOOL, FURTHER = "bare loop", "schemathesis", "suite, a further request"
COST = "CPU per request"
SHORT_WAIT = {"settle_seconds": 0.5}


def part(plan: BenchPlan) -> Part:
    """Measure all in turn, once for each repetition."""
    depths = ("quick",) if plan.short else ("quick", "standard")
    rounds = [_round(plan, depths) for _ in range(plan.repetitions)]
    costs = {name: _cost(name, [one[name] for one in rounds]) for name in rounds[0]}
    if not plan.short:
        costs[FURTHER] = _further(rounds)
    figures = [
        *costs.values(),
        *(figure for name in rounds[0] for figure in _amounts(name, [one[name] for one in rounds])),
    ]
    return Part("requests", TITLE, ABOUT, tuple(figures), tuple(_ratios(costs, _names(depths))))


def _round(plan: BenchPlan, depths: Sequence[str]) -> dict[str, Traffic]:
    folder, sent = plan.folder, dict[str, Traffic]()
    for name, depth in zip(_names(depths), depths, strict=True):
        with served(folder, policy=SHORT_WAIT if plan.short else None) as deployment:
            sent[name] = runs.suite(deployment, folder, depth)
    with served(folder) as deployment:
        sent[TOOL], _ = runs.schemathesis(deployment, folder, *(("--phases", "coverage") if plan.short else ()))
    with served(folder) as deployment:
        sent[LOOP] = runs.bare(deployment, folder, max(one.requests for one in sent.values()))
    return sent


def _names(depths: Sequence[str]) -> list[str]:
    """What the suite's runs are called."""
    return [f"suite, {depth}" for depth in depths]


def _cost(name: str, rounds: Sequence[Traffic]) -> Figure:
    return gathered(f"{name}: {COST}", "ms", [one.cpu / one.requests for one in rounds], factor=1000)


def _amounts(name: str, rounds: Sequence[Traffic]) -> tuple[Figure, ...]:
    return (
        gathered(f"{name}: requests", "requests", [one.requests for one in rounds]),
        gathered(f"{name}: wall time", "s", [one.wall for one in rounds]),
        gathered(f"{name}: requests per second", "1/s", [one.requests / one.wall for one in rounds]),
    )


def _further(rounds: Sequence[dict[str, Traffic]]) -> Figure:
    quick, standard = _names(("quick", "standard"))
    pairs = [(one[quick], one[standard]) for one in rounds]
    values = [(more.cpu - less.cpu) / (more.requests - less.requests) for less, more in pairs]
    return gathered(f"{FURTHER}: {COST}", "ms", values, factor=1000)


def _ratios(costs: dict[str, Figure], suites: Sequence[str]) -> list[Ratio]:
    to_loop = [name for name in costs if name != LOOP]
    return [
        *(Ratio(f"{name} to {LOOP}, {COST}", costs[name], costs[LOOP]) for name in to_loop),
        *(Ratio(f"{TOOL} to {name}, {COST}", costs[TOOL], costs[name]) for name in suites),
    ]

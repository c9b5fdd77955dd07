"""How far a run hides that its target takes its time: wall time against latency and connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from conformance.bench import runs
from conformance.bench.plan import BenchPlan
from conformance.bench.processes import served
from conformance.bench.records import Figure, Line, Part, Plot, Ratio, gathered
from conformance.bench.runs import Traffic

TITLE = "Latency and connections"
ABOUT = (
    "Quick runs in one process on a deployment that waits before each answer. The limit is latency x requests / "
    "connections: no run with so many connections is faster. The effects of removals are given one second to show, "
    "which no connection shortens."
)
CONNECTIONS = (1, 2, 4, 8)
SETTLE_SECONDS = 1.0
MOSTLY_WAITING_SECONDS = 0.05
"""From this latency on, runs leave the processors idle most of the time, and are measured beside each other."""

Key = tuple[float, int]
Grid = dict[Key, list[Traffic]]


def part(plan: BenchPlan) -> Part:
    """Measure every latency with every number of connections."""
    grid: Grid = {(latency, most): [] for latency in plan.latencies for most in CONNECTIONS}
    for _ in range(plan.of_latencies):
        for latency in plan.latencies:
            for most, sent in zip(CONNECTIONS, _runs(plan, latency), strict=True):
                grid[latency, most].append(sent)
    return told(grid)


def told(grid: Grid) -> Part:
    """Say what was measured: by (seconds of latency, connections) the runs with them."""
    walls = {key: _walls(key, sent) for key, sent in grid.items()}
    limits = {key: _limit(key, sent) for key, sent in grid.items() if key[0]}
    requests = [gathered(f"{_called(key)}: requests", "requests", [one.requests for one in grid[key]]) for key in grid]
    to_limit = [Ratio(f"{_called(key)}: times the limit", walls[key], limits[key]) for key in limits]
    figures = (*walls.values(), *limits.values(), *requests)
    return Part("latency", TITLE, ABOUT, figures, (*_speed_ups(walls), *to_limit), _plots(walls, limits))


def _runs(plan: BenchPlan, latency: float) -> list[Traffic]:
    """A run with each number of connections."""
    with ThreadPoolExecutor(len(CONNECTIONS) if latency >= MOSTLY_WAITING_SECONDS else 1) as beside:
        return list(beside.map(partial(_run, plan, latency), CONNECTIONS))


def _run(plan: BenchPlan, latency: float, most: int) -> Traffic:
    patience = {"settle_seconds": SETTLE_SECONDS}
    with served(plan.folder, "--latency", str(latency), limits={"connections": most}, policy=patience) as deployment:
        return runs.suite(deployment, plan.folder, "quick")


def _called(key: Key) -> str:
    latency, most = key
    return f"{latency * 1000:g} ms, {most} connection{'s' * (most > 1)}"


def _walls(key: Key, sent: list[Traffic]) -> Figure:
    return gathered(f"{_called(key)}: wall time", "s", [one.wall for one in sent])


def _limit(key: Key, sent: list[Traffic]) -> Figure:
    latency, most = key
    return gathered(f"{_called(key)}: limit", "s", [latency * one.requests / most for one in sent])


def _speed_ups(walls: dict[Key, Figure]) -> list[Ratio]:
    return [Ratio(f"{_called(key)}: speed-up", walls[key[0], 1], wall) for key, wall in walls.items() if key[1] > 1]


def _plots(walls: dict[Key, Figure], limits: dict[Key, Figure]) -> tuple[Plot, ...]:
    latencies = dict.fromkeys(latency for latency, _ in walls)
    lines = [
        *(_line(f"{latency * 1000:g} ms", latency, walls) for latency in latencies),
        *(_line(f"limit at {latency * 1000:g} ms", latency, limits, limit=True) for latency in latencies if latency),
    ]
    return (Plot("Wall time of a quick run", "connections", "s", tuple(lines)),)


def _line(name: str, latency: float, figures: dict[Key, Figure], *, limit: bool = False) -> Line:
    return Line(name, tuple((most, figures[latency, most].median) for most in CONNECTIONS), limit)

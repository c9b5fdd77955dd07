"""What is to be waited for beside the requests: the start, memory, the reports, and the search for an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.bench import memory, runs, search, writing
from conformance.bench.plan import BenchPlan
from conformance.bench.processes import SUITE, Served, Usage, measured, served, until_connected
from conformance.bench.records import Figure, Part, Ratio, gathered

TITLE = "Start, memory, reports, search"
ABOUT = (
    "Commands until they end, and runs until they first connect to their target. The memory of a process whose "
    "recorder got so many exchanges, all of one test or of tests of a hundred; the processor time for the report of a "
    "run in each format, and for finding an order of overlapping operations, or that there is none."
)
COMMANDS: dict[str, tuple[str, ...]] = {
    "--version": ("--version",),
    "--help": ("--help",),
    "run --help": ("run", "--help"),
    "collection": ("run", "--collect-only", "-q"),
}
FIRST, TOOLS_FIRST = "first request of a run", "first request of schemathesis"


def part(plan: BenchPlan) -> Part:
    """Measure all of it."""
    commands = {name: _commands(plan, arguments) for name, arguments in COMMANDS.items()}
    with served(plan.folder) as deployment:
        commands[FIRST] = _first(plan, deployment, lambda url: _run(plan, deployment, url))
        commands[TOOLS_FIRST] = _first(plan, deployment, runs.schemathesis_command)
    starts = {name: _figures(name, used) for name, used in commands.items()}
    ratios = [Ratio(f"{FIRST} to that of schemathesis, CPU", starts[FIRST][0], starts[TOOLS_FIRST][0])]
    held, searched = memory.figures(plan), search.measured(plan)
    figures = [*(figure for pair in starts.values() for figure in pair), *held, *writing.figures(plan)]
    plots = [*memory.plots(held), *search.plots(searched)]
    return Part("start", TITLE, ABOUT, (*figures, *search.figures(searched)), tuple(ratios), tuple(plots))


def _commands(plan: BenchPlan, arguments: Sequence[str]) -> list[Usage]:
    return [measured((*SUITE, *arguments), plan.folder) for _ in range(plan.repetitions)]


def _first(plan: BenchPlan, deployment: Served, command: Callable[[str], Sequence[str]]) -> list[Usage]:
    variables = runs.variables(deployment)
    return [until_connected(command, plan.folder, variables) for _ in range(plan.repetitions)]


def _run(plan: BenchPlan, deployment: Served, url: str) -> list[str]:
    """A run on a description of another place."""
    elsewhere = deployment.description.with_name("elsewhere.yaml")
    text = deployment.description.read_text(encoding="utf-8").replace(deployment.url, url)
    elsewhere.write_text(text, encoding="utf-8")
    kept = ("--report-dir", str(plan.folder / "first"), "--state-dir", str(plan.folder / "state"))
    return [*SUITE, "run", "--target", str(elsewhere), *kept]


def _figures(name: str, used: Sequence[Usage]) -> tuple[Figure, Figure]:
    return (
        gathered(f"{name}: CPU", "s", [one.cpu for one in used]),
        gathered(f"{name}: wall time", "s", [one.wall for one in used]),
    )

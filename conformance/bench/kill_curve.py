"""How soon faults are found: the suite by a saved proof, Schemathesis on faults of the catalogue.

The curve is the share of the faults that were found after so many requests to each; the area under it, by that of a
tool that finds every fault with its first request, is the figure of merit. All curves of a plot end at the same place.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance import input_file
from conformance.bench import runs
from conformance.bench.plan import BenchPlan
from conformance.bench.processes import served
from conformance.bench.records import Figure, Line, Part, Plot, Ratio
from conformance.errors import UsageError
from conformance.reference.faults import catalogue

TITLE = "Kill curve"
ABOUT = (
    "Of how many faults it is known after so many requests, or so many seconds, that something is wrong. The suite's "
    "figures are those of a saved proof: the moment of the last exchange of the first finding. Those of Schemathesis "
    "are its requests until its first failure, with this project's document, its configuration and all checks."
)
PROOF = "ip-association-conformance-proof/1"
SUITE, TOOL = "suite", "schemathesis"


@dataclass(frozen=True, slots=True)
class Kill:
    """When a fault was found: after so many requests and seconds of its run; None if it never was."""

    fault: str
    requests: float | None
    seconds: float | None


def part(plan: BenchPlan) -> Part:
    """Read the proof, try Schemathesis, and compare what both were tried on.

    Raises:
        UsageError: the proof cannot be read, or holds no fault.
    """
    kills = {SUITE: proven(plan.proof)} if plan.proof else {}
    if plan.faults:
        kills[TOOL] = [_tried(plan, fault) for fault in chosen(plan.faults)]
    figures = [figure for tool, found in kills.items() for figure in _figures(tool, found, kills.values())]
    ratios: list[Ratio] = []
    if len(kills) > 1:
        compared, ratios = _compared(*kills.values())
        figures += compared
    return Part("kill-curve", TITLE, ABOUT, tuple(figures), tuple(ratios), tuple(_plots(kills)))


def proven(path: Path) -> list[Kill]:
    """The faults of a saved proof that have to be found, and when they were.

    A proof of an earlier version does not say when; its runs found them at their ends at the latest.

    Raises:
        UsageError: the file is no proof document, or has no such fault.
    """
    try:
        document = json.loads(input_file.content(path))
        told = document["format"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: cannot be read as a proof: {error}", "conformance prove writes one") from error
    if told != PROOF:
        raise UsageError(f"{path}: format: expected {PROOF!r}, found {told!r}", "conformance prove writes one")
    trials = [one for one in document.get("trials", ()) if one["subject"]["kind"] == "fault"]
    kills = [_killed(one) for one in trials if one["subject"]["verdict"] == "fail" and one["subject"]["certain"]]
    if not kills:
        raise UsageError(f"{path}: no fault was tried in it")
    return kills


def _killed(trial: Mapping[str, Any]) -> Kill:
    name = trial["subject"]["name"]
    if trial["survived"] or not trial["found"]:
        return Kill(name, None, None)
    first = (trial.get("first_requests"), trial.get("first_seconds"))
    return Kill(name, *(first if first[0] else (trial["requests"], trial["seconds"])))


def chosen(count: int) -> list[str]:
    """So many faults of the catalogue that have to be found, spread evenly over it: the same ones each time."""
    known = [fault.name for fault in catalogue() if fault.verdict == "fail" and fault.certain]
    return [known[number * len(known) // min(count, len(known))] for number in range(min(count, len(known)))]


def _tried(plan: BenchPlan, fault: str) -> Kill:
    with served(plan.folder, "--fault", fault) as deployment:
        traffic, found = runs.schemathesis(deployment, plan.folder, "--max-failures", "1")
    return Kill(fault, traffic.requests, traffic.wall) if found else Kill(fault, None, None)


def _figures(tool: str, kills: Sequence[Kill], of_all: Iterable[Sequence[Kill]]) -> list[Figure]:
    ends = _ends(of_all)
    found = [one for one in kills if one.requests is not None]
    figures = [
        Figure(f"{tool}: faults", "faults", (len(kills),)),
        Figure(f"{tool}: faults found", "faults", (len(found),)),
    ]
    for unit in ends:
        times = _times(kills, unit)
        figures.append(Figure(f"{tool}: area by {unit}", "share", (area(times, len(kills), ends[unit]),)))
        if times:
            figures.append(Figure(f"{tool}: {unit} to a finding, median", _unit(unit), (statistics.median(times),)))
    return figures


def area(times: Sequence[float], faults: int, end: float) -> float:
    """The area under the curve up to ``end``, by that of a curve that is full from the beginning."""
    return sum(end - one for one in times) / (faults * end) if end else 0.0


def _compared(suite: Sequence[Kill], tool: Sequence[Kill]) -> tuple[list[Figure], list[Ratio]]:
    """Fault by fault, of those that both found: the requests of each."""
    ours = {one.fault: one.requests for one in suite if one.requests}
    both = [(ours[one.fault], one.requests) for one in tool if one.requests and one.fault in ours]
    if not both:
        return [], []
    mine, theirs = (tuple(map(float, column)) for column in zip(*both, strict=True))
    figures = [
        Figure(f"{SUITE}: requests to a finding, where both find it", "requests", mine),
        Figure(f"{TOOL}: requests to a finding, where both find it", "requests", theirs),
    ]
    return figures, [Ratio(f"{SUITE} to {TOOL}, requests to a finding", *figures)]


def _ends(of_all: Iterable[Sequence[Kill]]) -> dict[str, float]:
    """Where the curves end, by unit: at the last fault that any of them finds."""
    every = [one for kills in of_all for one in kills]
    return {unit: max(_times(every, unit), default=0.0) for unit in ("requests", "seconds")}


def _times(kills: Iterable[Kill], unit: str) -> list[float]:
    return sorted(at for one in kills if (at := getattr(one, unit)) is not None)


def _unit(unit: str) -> str:
    return {"requests": "requests", "seconds": "s"}[unit]


def _plots(kills: Mapping[str, Sequence[Kill]]) -> Iterable[Plot]:
    for unit, end in _ends(kills.values()).items():
        lines = tuple(Line(tool, curve(_times(found, unit), len(found), end)) for tool, found in kills.items())
        yield Plot(f"Faults found against {unit}", _unit(unit), "share of the faults", lines)


def curve(times: Sequence[float], faults: int, end: float) -> tuple[tuple[float, float], ...]:
    """The corners of the steps, from nothing found to the end of the plot."""
    points = [(0.0, 0.0)]
    for number, at in enumerate(times, 1):
        points += [(at, points[-1][1]), (at, number / faults)]
    return (*points, (end, points[-1][1]))

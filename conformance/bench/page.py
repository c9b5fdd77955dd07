"""The bench as a page that looks like a report; its plots are drawn in it, and nothing is loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from conformance.bench.records import Bench, Plot
from conformance.report import html
from conformance.report.content_policy import policy

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 300, 64, 40, 12, 12
"""Pixels: the drawing, and the room around its axes."""

TICKS = 5
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class PlotLine:
    """A line as it is drawn: its points for a polyline, and the ordinal that tells its dashes."""

    name: str
    points: str
    ordinal: int
    limit: bool


@dataclass(frozen=True, slots=True)
class DrawnPlot:
    """A plot in pixels: ticks as (place, text)."""

    plot: Plot
    lines: tuple[PlotLine, ...]
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    floor: int = HEIGHT - BOTTOM


def render(bench: Bench) -> str:
    """The page."""
    engine = html.environment("conformance.bench")
    style = "".join(engine.get_template(name).render() for name in ("report.css.j2", "overview.css.j2", "bench.css.j2"))
    return engine.get_template("bench.html.j2").render(
        bench=bench,
        drawn=drawn,
        number=number,
        style=Markup(style),  # noqa: S704  # the suite's own file; its hash stands in the policy
        policy=policy(style),
    )


def number(value: float) -> str:
    """A number for a reader: three digits that count, all of a large one."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def drawn(plot: Plot) -> DrawnPlot:
    """The plot in pixels, both axes from zero."""
    right = max((x for line in plot.lines for x, _ in line.points), default=1.0) or 1.0
    top = max((y for line in plot.lines for _, y in line.points), default=1.0) or 1.0
    return DrawnPlot(
        plot,
        tuple(
            PlotLine(line.name, _places(line.points, right, top), ordinal, line.limit)
            for ordinal, line in enumerate(plot.lines)
        ),
        tuple((round(_x(at, right), 1), number(at)) for at in ticks(right)),
        tuple((round(_y(at, top), 1), number(at)) for at in ticks(top)),
    )


def ticks(end: float) -> list[float]:
    """Round numbers from zero to the end of an axis."""
    magnitude = 10.0 ** math.floor(math.log10(end / TICKS))
    step = next(magnitude * one for one in STEPS if magnitude * one * TICKS >= end)
    return [step * place for place in range(int(end / step + 1e-9) + 1)]


def _places(points: Sequence[tuple[float, float]], right: float, top: float) -> str:
    """The points, less those on a line between their neighbours: a curve of many steps has half as many corners."""
    return " ".join(f"{_x(x, right):.1f},{_y(y, top):.1f}" for x, y in _corners(points))


def _corners(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    yield from points[:1]
    for here, after in pairwise(points[1:]):
        if here != after:
            yield here
    yield from points[1:][-1:]


def _x(at: float, right: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * at / right


def _y(at: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * at / top

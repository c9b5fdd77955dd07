"""What was measured, as records that the document, the page and the table are made of.

Pure: values in, their minimum, median and maximum out.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from conformance import __version__

FORMAT = "ip-association-conformance-bench/1"
DIGITS = 6
"""Significant digits that the document keeps."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Something that was measured: a value for each repetition, in the order of measuring.

    Attributes:
        unit: ``ms``, ``s``, ``1/s``, ``MiB``, ``requests``, ``faults``, ``share``; of a ratio ``x``.
    """

    name: str
    unit: str
    values: tuple[float, ...]

    @property
    def minimum(self) -> float:
        """The least value."""
        return min(self.values)

    @property
    def median(self) -> float:
        """The median value."""
        return statistics.median(self.values)

    @property
    def maximum(self) -> float:
        """The greatest value."""
        return max(self.values)

    def to_json(self) -> dict[str, Any]:
        """The figure as the document holds it."""
        spread = {name: _rounded(getattr(self, name)) for name in ("minimum", "median", "maximum")}
        return {"name": self.name, "unit": self.unit, **spread, "values": [_rounded(one) for one in self.values]}


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure by another, repetition by repetition, so that what slows the machine for a while slows both."""

    name: str
    of: Figure
    to: Figure

    @property
    def figure(self) -> Figure:
        """The ratio of each repetition."""
        values = (one / other for one, other in zip(self.of.values, self.to.values, strict=True))
        return Figure(self.name, "x", tuple(values))

    def to_json(self) -> dict[str, Any]:
        """The ratio as the document holds it; ``of`` and ``to`` are names of figures of the same part."""
        return {**self.figure.to_json(), "of": self.of.name, "to": self.to.name}


@dataclass(frozen=True, slots=True)
class Line:
    """The points of one line of a plot, from left to right; a limit is drawn apart from what was measured."""

    name: str
    points: tuple[tuple[float, float], ...]
    limit: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over the same axes, each named with its unit."""

    title: str
    across: str
    up: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bench: what it measures, in a sentence or two, and what came of it."""

    name: str
    title: str
    about: str
    figures: tuple[Figure, ...]
    ratios: tuple[Ratio, ...] = ()
    plots: tuple[Plot, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The part as the document holds it."""
        return {
            "name": self.name,
            "title": self.title,
            "about": self.about,
            "figures": [one.to_json() for one in self.figures],
            "ratios": [one.to_json() for one in self.ratios],
            "plots": [asdict(one) for one in self.plots],
        }

    def rows(self) -> Iterator[Figure]:
        """All that has a spread: the figures, then the ratios."""
        yield from self.figures
        yield from (ratio.figure for ratio in self.ratios)


@dataclass(frozen=True, slots=True)
class Bench:
    """All parts of one run of the bench.

    Attributes:
        machine: Python, processors and such, by name.
        seconds: that it took in all.
    """

    started: str
    seconds: float
    machine: dict[str, str]
    repetitions: int
    short: bool
    parts: tuple[Part, ...]

    def to_json(self) -> dict[str, Any]:
        """The document that ``spec/bench.schema.json`` describes."""
        return {
            "format": FORMAT,
            "suite_version": __version__,
            "started": self.started,
            "seconds": round(self.seconds, 1),
            "machine": self.machine,
            "repetitions": self.repetitions,
            "short": self.short,
            "parts": [part.to_json() for part in self.parts],
        }


def gathered(name: str, unit: str, values: Sequence[float], *, factor: float = 1.0) -> Figure:
    """A figure of values that were measured in another unit, such as seconds for milliseconds."""
    return Figure(name, unit, tuple(value * factor for value in values))


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")

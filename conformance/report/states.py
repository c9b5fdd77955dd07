"""A sequence that broke, drawn as the states that the model went through and the step that led out of them.

Pure: a finding's ``details`` in, figures for a view out. A step that changes nothing stays at its state; a state that
was met before has its old number. Details without states, or of another shape, are not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.report import timeline

LINE, GAP, PADDING = 20, 54, 10
"""Pixels: a line of text, the room for a step, the room within a state."""

LEFT, LETTER = 34, 7.9
"""Pixels: where states begin, the width of a letter as far as it can be told."""

NOWHERE = "✗ no state of the model explains this answer"


@dataclass(frozen=True, slots=True)
class Node:
    """A state. ``again`` says that it was met before; the last one of a broken sequence is ``nowhere``."""

    number: int
    lines: tuple[str, ...]
    y: int
    height: int
    again: bool = False
    nowhere: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A step, from ``y`` down for :data:`GAP`; ``stays`` says that the state remains."""

    number: int
    asked: str
    answered: str
    y: int
    stays: bool
    breaks: bool


@dataclass(frozen=True, slots=True)
class Diagram:
    """States and steps from above to below."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: int
    height: int
    box: int

    @property
    def in_words(self) -> str:
        """The diagram for those who do not see it."""
        steps = "; ".join(f"{edge.number}. {edge.asked}: {edge.answered}" for edge in self.edges)
        return (
            f"{len({node.number for node in self.nodes if not node.nowhere})} states, {len(self.edges)} steps. {steps}."
        )


def diagram(details: Mapping[str, Any]) -> Diagram | None:
    """The diagram of a sequence; None if the details do not tell its states."""
    steps = timeline.steps(details)
    try:
        told = [details["initial"], *(one["states"] for one in details["steps"])] if steps else []
        met = {name for name, _ in timeline.names(details)}
        states = [tuple(tuple(_lines(one, met)) for one in alternatives) for alternatives in told]
    except (KeyError, TypeError, AttributeError):
        return None
    return _drawn(steps, states) if steps and all(states) else None


def _lines(state: Mapping[str, Any], met: set[str]) -> list[str]:
    return [
        f"{name}: {'de-allocated' if servers is None else ', '.join(map(str, servers)) or 'no association'}"
        for name, servers in sorted(state.items())
        if name in met
    ]


def _drawn(steps: tuple[timeline.DrawnStep, ...], states: list[tuple[tuple[str, ...], ...]]) -> Diagram:
    numbers: dict[tuple[tuple[str, ...], ...], int] = {}
    nodes: list[Node] = [_node(states[0], numbers, 4)]
    edges: list[Edge] = []
    for step, before, after in zip(steps, states, states[1:], strict=False):
        y = edges[-1].y + GAP if edges and edges[-1].stays else nodes[-1].y + nodes[-1].height
        stays = step.agrees and after == before
        edges.append(Edge(step.number, step.asked, step.answered, y, stays, not step.agrees))
        if not step.agrees:
            nodes.append(Node(0, (NOWHERE,), y + GAP, LINE + 2 * PADDING, nowhere=True))
        elif not stays:
            nodes.append(_node(after, numbers, y + GAP))
    bottom = max(nodes[-1].y + nodes[-1].height, edges[-1].y + GAP)
    box = max(_width(line) for node in nodes for line in node.lines) + 52
    words = max(max(_width(f"{edge.number}. {edge.asked}"), _width(edge.answered)) for edge in edges)
    return Diagram(tuple(nodes), tuple(edges), LEFT + max(box, words + 60) + 4, bottom + 4, box)


def _node(state: tuple[tuple[str, ...], ...], numbers: dict[tuple[tuple[str, ...], ...], int], y: int) -> Node:
    again = state in numbers
    number = numbers.setdefault(state, len(numbers) + 1)
    alternatives = [line for one in state for line in ("or", *one)][1:]
    lines = tuple(alternatives) if any(state) else ("nothing was asked for yet",)
    return Node(number, lines, y, LINE * len(lines) + 2 * PADDING, again=again)


def _width(text: str) -> int:
    return round(len(text) * LETTER)

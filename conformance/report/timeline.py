"""Counterexamples of several operations, drawn from a finding's details: in sequence, or under overlap.

Pure: a finding's ``details`` in, figures for a view out. ``kind`` says which: ``steps`` (a sequence, with what the
model allowed at each step and what the target did) or ``timeline`` (a history, one lane a caller, with the longest
order that was found and the operation that has no place in it). Details of another kind, or of another shape than the
suite writes, are not drawn: the view shows them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COLUMN, WIDEST, LANE, BAR = 64, 150, 50, 26
"""Pixels: between two events at least and at most, between two lanes, the height of a bar."""

MARGIN_LEFT, MARGIN, TOP, ROOM = 108, 10, 22, 1030
"""Pixels: around the lanes, above the first, where its words stand, and the room that a drawing may fill."""

LETTER = 6.6
"""Pixels: the width of a letter above a bar, as far as it can be told."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One operation in the drawing.

    Attributes:
        label: its number in the list below the drawing.
        x, y, width: where it stands, pixels.
        place: its place in the longest order, from 1; None if it has none there.
        stuck: it has no place in any order.
        pending: its outcome is unknown, so that it may take effect at any later time or never.
        lane: who asked.
        asked, answered: in words.
    """

    label: int
    x: int
    y: int
    width: int
    place: int | None
    stuck: bool
    pending: bool
    lane: str
    asked: str
    answered: str

    @property
    def middle(self) -> int:
        """The middle of the bar, pixels."""
        return self.x + self.width // 2

    @property
    def caption(self) -> str:
        """What was asked, if it fits above the bar."""
        return self.asked if len(self.asked) * LETTER <= self.width else ""

    @property
    def standing(self) -> str:
        """What the order says of it, in words."""
        if self.stuck:
            return "has no place in any order"
        if self.place is None:
            return "not in that order" if not self.pending else "outcome unknown, not needed"
        return f"placed {self.place}."


@dataclass(frozen=True, slots=True)
class Drawing:
    """A history: lanes with their names and heights, the bars by start, the way of the longest order."""

    width: int
    height: int
    lanes: tuple[tuple[str, int], ...]
    bars: tuple[Bar, ...]
    left_out: int

    @property
    def way(self) -> str:
        """The points of the longest order, as SVG wants them."""
        placed = sorted((bar for bar in self.bars if bar.place is not None), key=lambda bar: bar.place or 0)
        return " ".join(f"{bar.middle},{bar.y + BAR // 2}" for bar in placed)

    @property
    def in_words(self) -> str:
        """The drawing for those who do not see it."""
        order = sorted((bar for bar in self.bars if bar.place is not None), key=lambda bar: bar.place or 0)
        stuck = ", ".join(str(bar.label) for bar in self.bars if bar.stuck) or "none"
        placed = ", ".join(str(bar.label) for bar in order) or "none"
        return f"Timeline of {len(self.bars)} operations. Longest order found: {placed}. Without a place: {stuck}."


@dataclass(frozen=True, slots=True)
class DrawnStep:
    """One step of a sequence: what was asked, what the model allowed there, what the target answered."""

    number: int
    asked: str
    allowed: tuple[str, ...]
    answered: str
    agrees: bool


def steps(details: Mapping[str, Any]) -> tuple[DrawnStep, ...]:
    """The steps of a sequence; none if the details hold no sequence."""
    if details.get("kind") != "steps":
        return ()
    try:
        return tuple(
            DrawnStep(
                number, str(one["asked"]), tuple(map(str, one["allowed"])), str(one["answered"]), bool(one["agrees"])
            )
            for number, one in enumerate(details["steps"], 1)
        )
    except (KeyError, TypeError):
        return ()


def drawing(details: Mapping[str, Any]) -> Drawing | None:
    """The drawing of a history; None if the details hold none."""
    if details.get("kind") != "timeline":
        return None
    try:
        return _drawn(details)
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def names(details: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the names in the words stand for: those that a reader meets there."""
    known = details.get("names")
    if not isinstance(known, Mapping):
        return ()
    told = " ".join([*(bar.asked for bar in _bars(details)), *(one.asked for one in steps(details))]).split()
    return tuple((str(name), str(one)) for name, one in known.items() if str(name) in told)


def lines(details: Mapping[str, Any]) -> list[str]:
    """The counterexample as text, a line each: the sequence, or the history with the order that was found."""
    before = details.get("earlier")
    made = [f"(the addresses had been through {before} operations before)"] if before and steps(details) else []
    made += [
        line
        for one in steps(details)
        for line in (
            f"{one.number}. {one.asked}: {one.answered}",
            *([] if one.agrees else [f"   the model allows: {' or '.join(one.allowed)}"]),
        )
    ]
    made += [f"{bar.label}. {bar.lane}: {bar.asked}: {bar.answered} ({bar.standing})" for bar in _bars(details)]
    return made


def _bars(details: Mapping[str, Any]) -> tuple[Bar, ...]:
    found = drawing(details)
    return found.bars if found else ()


def _drawn(details: Mapping[str, Any]) -> Drawing:
    told = details["timeline"]
    lanes, columns = told["lanes"], int(told["width"])
    column = max(COLUMN, min(WIDEST, (ROOM - MARGIN_LEFT - MARGIN) // max(columns, 1)))
    right = MARGIN_LEFT + columns * column
    starts = sorted((int(bar["start"]), int(bar["number"])) for lane in lanes for bar in lane["bars"])
    labels = {number: label for label, (_, number) in enumerate(starts, 1)}
    bars = [
        _bar(bar, str(lane["process"]), (labels[int(bar["number"])], TOP + row * LANE, column, right), details)
        for row, lane in enumerate(lanes)
        for bar in lane["bars"]
    ]
    named = tuple((str(lane["process"]), TOP + row * LANE + BAR // 2) for row, lane in enumerate(lanes))
    height = TOP + max(0, len(lanes) - 1) * LANE + BAR + MARGIN
    ordered = tuple(sorted(bars, key=lambda bar: bar.label))
    return Drawing(right + MARGIN, height, named, ordered, int(told["left_out"]))


def _bar(bar: Mapping[str, Any], lane: str, place: tuple[int, int, int, int], details: Mapping[str, Any]) -> Bar:
    """``place``: its label, the top of its lane, the width of a column, and where the lanes end."""
    label, y, column, right = place
    number, start, end = int(bar["number"]), int(bar["start"]), bar["end"]
    x = MARGIN_LEFT + start * column
    until = right if end is None else MARGIN_LEFT + int(end) * column + column // 2
    placed = bar["place"]
    return Bar(
        label=label,
        x=x,
        y=y,
        width=until - x,
        place=None if placed is None else int(placed) + 1,
        stuck=bool(bar["stuck"]),
        pending=end is None,
        lane=lane,
        asked=str(details["words"][number]),
        answered=str(details["answers"][number]),
    )

"""How far a run is, in one line: for a terminal, where it is rewritten, and for a log, where it stays.

Pure: numbers in, text out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

NAMED_CLAUSES = 3
A_STEP = 0.1
"""In a log a line is due when so much more of the run is done,"""

A_WHILE_SECONDS = 15.0
"""or when so much time has passed;"""

AT_LEAST_SECONDS = 2.0
"""but lines are at least so far apart."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run is.

    Attributes:
        tests, done: how many there are, and how many have ended.
        share: how much of the work is done, 0 to 1.
        clauses: those that are being judged.
        left: seconds until the last test will have ended, about; None while nobody can know.
    """

    tests: int
    done: int
    share: float
    clauses: Sequence[str]
    cases: int
    requests: int
    seconds: float
    left: float | None = None


def line(position: Position, width: int | None = None) -> str:
    """The position in one line, cut to ``width`` columns: what changes fastest and matters least stands last."""
    parts = (
        f"{position.share:4.0%}",
        f"{position.done}/{position.tests} tests",
        f"{position.cases} cases",
        f"{position.requests} requests",
        _left(position.left),
        _named(position.clauses),
    )
    said = ", ".join(part for part in parts if part)
    return said if width is None or len(said) <= width else f"{said[: max(0, width - 3)]}..."


def due(now: Position, last: Position | None) -> bool:
    """A log, whose last line said ``last``, needs another one."""
    passed = now.seconds - (last.seconds if last else 0.0)
    further = now.share - (last.share if last else 0.0)
    return passed >= A_WHILE_SECONDS or (passed >= AT_LEAST_SECONDS and further >= A_STEP)


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {round(seconds / 60)} min left"


def _named(clauses: Sequence[str]) -> str:
    more = len(clauses) - NAMED_CLAUSES
    shown = " ".join(clauses[:NAMED_CLAUSES])
    return f"{shown} and {more} more" if more > 0 else shown

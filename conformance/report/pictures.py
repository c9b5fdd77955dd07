"""What people would rather look at than read: codes by kind of request, answer times, the course of the run.

Pure: a run in, figures for a view out, in pixels where they are places. A run of an older document, which lacks the
numbers, has no picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from conformance.evidence.statistics import BOUNDS, RemovalKind, kind_of
from conformance.report import causes
from conformance.report.causes import CauseMember
from conformance.report.outline import CodeSeen, codes
from conformance.verdict import ResponseTimes, Run, Span

KINDS: dict[RemovalKind, tuple[str, str]] = {
    RemovalKind.STANDING: ("Stands", "an association that stood, as far as the run's own answers tell"),
    RemovalKind.ABSENT: ("Absent", "an association that was removed before, or never was"),
    RemovalKind.MALFORMED: (
        "Malformed",
        "what is no UUID in its usual spelling: a literal address, another spelling, anything else",
    ),
    RemovalKind.BODY: ("With a body", "content was sent along"),
    RemovalKind.UNAUTHENTICATED: ("No valid token", "no token, or a made-up one"),
    RemovalKind.RESTRICTED: ("May not delete", "a caller of the tenant without the right to delete"),
    RemovalKind.FOREIGN: ("Other tenant", "a caller of another tenant"),
}
"""Kind -> heading, explanation; in the order of the columns."""

LARGEST_DOT, SMALLEST_DOT = 11.0, 3.0
"""Pixels: radii of the dots in the matrix."""

BUCKET, BARS = 20, 34
"""Pixels: width of a bucket, height of the highest bar."""

NAMES, LANE, RULE = 76, 34, 24
"""Pixels: the column of workers' names, the height of a lane, that of the time axis."""

RIGHT = (RemovalKind.STANDING, "204")
"""Where this broke a clause, it was not by its answer."""

COURSE = 1000
"""Pixels: the width of the lanes."""

LONGEST_SECONDS = 30 * 86400.0
"""A document that tells of a longer run was made by hand."""

MOST_TICKS = 10
STEPS_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Column:
    """A kind of request: its heading, what it is, and how many were sent."""

    name: str
    about: str
    sent: int


@dataclass(frozen=True, slots=True)
class Cell:
    """How often a code came, the radius of the dot for it, and the finding that says that it must not."""

    count: int
    radius: float
    blamed: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Codes by kind of request; without columns when the run did not tell kinds apart."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[CodeSeen, tuple[Cell, ...]], ...]


def matrix(run: Run) -> Matrix:
    """Which codes came to which kind of request; what never came is there as well."""
    told = run.requests.removals_by_kind
    kinds = list(KINDS) if told else []
    blamed = _blamed(run)
    most = max((number for counted in told.values() for number in counted.values()), default=1)
    return Matrix(
        tuple(Column(*KINDS[kind], sum(told.get(kind, {}).values())) for kind in kinds),
        tuple(
            (
                seen,
                tuple(
                    _cell(told.get(kind, {}).get(seen.code, 0), most, blamed.get((kind, seen.code))) for kind in kinds
                ),
            )
            for seen in codes(run)
        ),
    )


def _cell(told: int, most: int, blamed: str | None) -> Cell:
    count = max(told, 0)
    share = math.log1p(count) / math.log1p(most) if count else 0.0
    radius = round(SMALLEST_DOT + share * (LARGEST_DOT - SMALLEST_DOT), 1) if count else 0.0
    return Cell(count, radius, blamed or "")


def _blamed(run: Run) -> dict[tuple[RemovalKind, str], str]:
    """Kind and code -> the finding to begin with, where an answer with that code broke a clause."""
    found: dict[tuple[RemovalKind, str], str] = {}
    for cause in (*causes.causes(run), *causes.causes(run, waived=True)):
        for one in cause.members:
            place = _place(one)
            if place and place != RIGHT:
                found.setdefault(place, cause.first.finding.fingerprint)
    return found


def _place(member: CauseMember) -> tuple[RemovalKind, str] | None:
    """Kind and code of what decided; None if it was no answer to the operation under test."""
    decided = member.decisive
    if decided is None or decided["operation"] != "removeAssociation" or not decided["response"]:
        return None
    path = decided["request"]["url"].partition("?")[0]
    stands = any(path.endswith(f"/servers/{server}/ip_associations/{one}") for server, one in member.setting.standing)
    kind = kind_of(path, decided["credential"], decided["request"]["framing"], stands=stands)
    return kind, str(decided["response"]["status"])


@dataclass(frozen=True, slots=True)
class Row:
    """An operation: requests sent, answers told in words, and its bars as (x, y, height, in words)."""

    operation: str
    sent: int
    median: str
    most: str
    slowest: str
    bars: tuple[tuple[int, float, float, str], ...]

    @property
    def in_words(self) -> str:
        """The bars for those who do not see them."""
        return "; ".join(words for _, _, _, words in self.bars) or "no answer"


def operations(run: Run) -> tuple[Row, ...]:
    """Requests and answer times by operation, the most frequent first."""
    ordered = sorted(run.requests.by_operation.items(), key=lambda item: (-item[1], item[0]))
    return tuple(_row(name, sent, run.requests.times.get(name)) for name, sent in ordered)


def _row(name: str, sent: int, times: ResponseTimes | None) -> Row:
    if times is None or not sum(times.counts):
        return Row(name, sent, "", "", "", ())
    highest = max(times.counts)
    bars = tuple(
        (bucket * BUCKET, round(BARS - height, 1), height, f"{count:,} {within(bucket)}")
        for bucket, count in enumerate(times.counts)
        if count and (height := round(max(BARS * count / highest, 2.0), 1))
    )
    return Row(name, sent, _quantile(times, 0.5), _quantile(times, 0.95), duration(times.slowest), bars)


def _quantile(times: ResponseTimes, share: float) -> str:
    wanted = share * sum(times.counts)
    return within(next(bucket for bucket, reached in enumerate(accumulate(times.counts)) if reached >= wanted))


def within(bucket: int) -> str:
    """The bucket in words."""
    return f"≤ {duration(BOUNDS[bucket])}" if bucket < len(BOUNDS) else f"> {duration(BOUNDS[-1])}"


def duration(seconds: float) -> str:
    """A time of any size with its unit."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"


def marks() -> tuple[tuple[int, str], ...]:
    """The axis of the bars: place and time of every power of ten."""
    return tuple(((place + 1) * BUCKET, duration(bound)) for place, bound in enumerate(BOUNDS) if _is_power(bound))


def _is_power(bound: float) -> bool:
    return math.isclose(math.log10(bound) % 1, 0, abs_tol=1e-9) or math.isclose(math.log10(bound) % 1, 1, abs_tol=1e-9)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A test in the course of the run: its place in the lane, pixels, and what it was."""

    x: float
    width: float
    span: Span
    after: str
    took: str
    family: str


@dataclass(frozen=True, slots=True)
class Course:
    """The run as lanes, one for each worker: (name, stretches), and the axis: (x, time since the start)."""

    lanes: tuple[tuple[str, tuple[Stretch, ...]], ...]
    ticks: tuple[tuple[float, str], ...]

    @property
    def width(self) -> int:
        """Of the whole drawing, pixels."""
        return NAMES + COURSE + 12

    @property
    def height(self) -> int:
        """Of the whole drawing, pixels."""
        return len(self.lanes) * LANE + RULE

    @property
    def in_words(self) -> str:
        """The drawing for those who do not see it."""
        told = (f"{name}: {len(stretches)} tests" for name, stretches in self.lanes)
        return f"Lanes of {len(self.lanes)} workers. {'; '.join(told)}. The table below has every test."


def course(run: Run) -> Course | None:
    """When each test ran, and in which worker; None if the run does not say."""
    if not run.tests:
        return None
    begin = min([*_moment(run.started), *(span.at for span in run.tests)])
    end = max([*_moment(run.finished), *(span.at + span.seconds for span in run.tests)])
    if not end - begin <= LONGEST_SECONDS:
        return None
    scale = COURSE / max(end - begin, 0.001)
    workers: dict[str, list[Span]] = {}
    for span in sorted(run.tests, key=lambda one: (len(one.worker), one.worker, one.at)):
        workers.setdefault(span.worker, []).append(span)
    lanes = tuple((name, tuple(_stretch(span, begin, scale) for span in spans)) for name, spans in workers.items())
    return Course(lanes, _ticks(end - begin, scale))


def _stretch(span: Span, begin: float, scale: float) -> Stretch:
    x = NAMES + (span.at - begin) * scale
    family = span.clauses[0].partition(".")[0] if span.clauses else ""
    after = duration(round(max(span.at - begin, 0), 1))
    return Stretch(round(x, 1), round(max(span.seconds * scale, 2.0), 1), span, after, duration(span.seconds), family)


def _ticks(length: float, scale: float) -> tuple[tuple[float, str], ...]:
    step = next((one for one in STEPS_SECONDS if length / one <= MOST_TICKS), length / MOST_TICKS or 1.0)
    return tuple(
        (round(NAMES + k * step * scale, 1), duration(k * step) if k else "0") for k in range(int(length / step) + 1)
    )


def _moment(text: str) -> list[float]:
    try:
        return [datetime.fromisoformat(text).timestamp()]
    except (ValueError, OverflowError):
        return []

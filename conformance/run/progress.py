"""How far the run is, while it runs: every process notes where it is, and the controller adds up and shows it.

The notes are files in the run's shared directory, since what a worker sends to its controller arrives between tests
only, and the longest test takes a fifth of a run. What is shown stands on a terminal in one line that is rewritten, and
elsewhere in plain lines, a few a minute; pytest's dots stay away meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

from conformance.report import live
from conformance.run import cost
from conformance.run.cost import Effort

NOTES = "*.progress.json"
NOTED_SECONDS = 0.3
DRAWN_SECONDS = 0.25
CLEAR = "\r\x1b[K"
PREFIX = "conformance: "
FIRST_ESTIMATE = 0.05
"""Before so much of a run is done, nobody can know how long the rest will take."""


class Counted(Protocol):
    """What a ruling log counts."""

    @property
    def cases(self) -> Counter[str]:
        """Clause -> cases that were judged against it."""


class Shown(Protocol):
    """What shows a display."""

    @property
    def verbosity(self) -> int:
        """0 unless somebody wants more words, or fewer."""

    def descriptor(self) -> int:
        """A descriptor to write to, which the caller closes."""

    def hush(self) -> None:
        """Show nothing else meanwhile."""


@dataclass(slots=True)
class Beat:
    """Where one process is; :meth:`note` writes it down now and then."""

    path: Path
    requests: Callable[[], int]
    test: str = ""
    clauses: tuple[str, ...] = ()
    judged: int = 0
    _begun_at: int = 0
    _rulings: Counted | None = None
    _noted: float = 0.0

    @classmethod
    def of(cls, shared: Path, process: str, requests: Callable[[], int]) -> Beat:
        """The one of a process of the run that has its files in ``shared``."""
        return cls(shared / f"{process}.progress.json", requests)

    def begin(self, test: str, clauses: tuple[str, ...], rulings: Counted) -> None:
        """A test begins."""
        self.test, self.clauses, self._rulings, self._begun_at = test, clauses, rulings, self.requests()
        self._write()

    def note(self) -> None:
        """Something was sent."""
        if time.monotonic() - self._noted >= NOTED_SECONDS:
            self._write()

    def end(self) -> None:
        """The test has ended."""
        self.judged, self._rulings = self.judged + self._cases(), None
        self.test, self.clauses = "", ()
        self._write()

    def _cases(self) -> int:
        return self._rulings.cases.total() if self._rulings else 0

    def _write(self) -> None:
        self._noted = time.monotonic()
        sent = self.requests()
        said = {
            "test": self.test,
            "clauses": self.clauses,
            "cases": self.judged + self._cases(),
            "requests": sent,
            "in_test": sent - self._begun_at if self.test else 0,
        }
        aside = self.path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk ends the run where it matters, in the ledger
            aside.write_text(json.dumps(said))
            aside.replace(self.path)


@dataclass(slots=True)
class RunTally:
    """What is known of the whole run.

    Attributes:
        collected: the tests, as often as they have parameters.
        ended: those that have ended.
        began: reading of the monotonic clock at the first test; None before.
        own: requests of the controller.
    """

    shared: Path
    depth: str
    settle: float
    workers: int
    own: Callable[[], int] = lambda: 0
    collected: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    created: float = field(default_factory=time.monotonic)
    began: float | None = None

    def position(self) -> live.Position:
        """Where the run is now."""
        notes = list(_read(self.shared))
        running = [note for note in notes if note["test"]]
        done = _sum(cost.of(test, self.depth) for test in self.ended)
        total = _sum(cost.of(test, self.depth) for test in self.collected)
        begun = sum(min(note["in_test"], cost.of(note["test"], self.depth).requests) for note in running)
        remaining = list((Counter(self.collected) - Counter(self.ended)).elements())
        sent = Effort(done.requests + begun, done.waits)
        return live.Position(
            tests=len(self.collected),
            done=len(self.ended),
            share=_share(sent, total) if remaining else 1.0,
            clauses=tuple(dict.fromkeys(clause for note in running for clause in note["clauses"])),
            cases=sum(note["cases"] for note in notes),
            requests=self.own() + sum(note["requests"] for note in notes),
            seconds=time.monotonic() - self.created,
            left=self._left(sent, total, remaining, running) if remaining else None,
        )

    def _left(self, sent: Effort, total: Effort, remaining: list[str], running: list[dict[str, Any]]) -> float | None:
        if self.began is None or _share(sent, total) < FIRST_ESTIMATE:
            return None
        under_way = {note["test"]: note["in_test"] for note in running}
        efforts = [_rest(cost.of(test, self.depth), under_way.get(test, 0)) for test in remaining]
        longest = max(efforts, key=lambda one: one.weight, default=Effort(0, 0))
        elapsed = time.monotonic() - self.began
        return cost.left_seconds(
            sent, _sum(efforts), longest, elapsed=elapsed, workers=self.workers, settle=self.settle
        )


def _share(sent: Effort, total: Effort) -> float:
    """The efforts are estimates: not all is done before the last test has ended."""
    return min(0.99, sent.requests / total.requests) if total.requests else 0.0


def _rest(whole: Effort, sent: int) -> Effort:
    return Effort(max(0, whole.requests - sent), whole.waits)


def _sum(efforts: Iterable[Effort]) -> Effort:
    known = list(efforts)
    return Effort(sum(one.requests for one in known), sum(one.waits for one in known))


def _read(shared: Path) -> Iterable[dict[str, Any]]:
    for path in sorted(shared.glob(NOTES)):
        with contextlib.suppress(OSError, ValueError):
            yield json.loads(path.read_text())


class Display:
    """Shows a tally until it is stopped."""

    def __init__(self, tally: RunTally, stream: TextIO) -> None:
        self.tally = tally
        self._stream = stream
        self._rewrites = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._last: live.Position | None = None
        self._drawn = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    @property
    def running(self) -> bool:
        """It shows something, so pytest's dots need not."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the terminal as it was."""
        if self._stopped.is_set() or not self._thread.ident:
            return
        self._stopped.set()
        self._thread.join()
        with contextlib.suppress(OSError, ValueError):
            self._write(CLEAR if self._rewrites else "")
            self._stream.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody looks any more
            while not self._stopped.wait(DRAWN_SECONDS):
                if self.tally.began is not None:  # until then, pytest and xdist have the line
                    self._show(self.tally.position())

    def _show(self, position: live.Position) -> None:
        if self._rewrites:
            width = os.get_terminal_size(self._stream.fileno()).columns or 80
            line = live.line(position, width - 1)
            if line != self._drawn:
                self._drawn = line
                self._write(CLEAR + line)
        elif live.due(position, self._last):
            self._last = position
            self._write(f"{PREFIX}{live.line(position)}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def display(tally: RunTally, screen: Shown | None) -> Display | None:
    """A display on a screen, in the place of pytest's dots; None if somebody wants more or fewer words."""
    if screen is None or screen.verbosity != 0:
        return None
    try:
        descriptor = screen.descriptor()
    except (AttributeError, OSError, ValueError):
        return None
    screen.hush()
    shown = Display(tally, os.fdopen(descriptor, "w", encoding="utf-8", errors="replace"))
    shown.start()
    return shown

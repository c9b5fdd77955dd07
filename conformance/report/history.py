"""Saved runs of one target in the order of time: which clause broke, was waived, was mended, and when.

What a run did not judge says nothing, so it neither breaks nor mends. Pure but for :func:`beside` and :func:`within`,
which look for saved runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from conformance.errors import UsageError
from conformance.report import document, outline, plain
from conformance.verdict import FORMAT, ClauseResult, Finding, Run, Verdict

MOST_BESIDE = 60
"""So many saved runs are read for the strip of a report at most, the latest files first."""

HEAD = 200
"""Bytes at the beginning of a file in which a run document says what it is."""

NO_TIME = datetime.max.replace(tzinfo=UTC)


class ClauseState(StrEnum):
    """What a run says of a clause, as far as it says anything."""

    KEPT = "kept"
    BROKEN = "broken"
    WAIVED = "waived"


WORDS: Mapping[tuple[ClauseState | None, ClauseState], str] = {
    (None, ClauseState.BROKEN): "was broken when it was first judged",
    (None, ClauseState.WAIVED): "was broken and waived when it was first judged",
    (ClauseState.KEPT, ClauseState.BROKEN): "broke",
    (ClauseState.KEPT, ClauseState.WAIVED): "broke, and was waived",
    (ClauseState.BROKEN, ClauseState.WAIVED): "was waived",
    (ClauseState.WAIVED, ClauseState.BROKEN): "is waived no longer",
    (ClauseState.BROKEN, ClauseState.KEPT): "was mended",
    (ClauseState.WAIVED, ClauseState.KEPT): "was mended",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A run in its place: ``path`` is the file in which it was saved, None for one that is just being reported."""

    run: Run
    path: Path | None = None

    @property
    def began(self) -> datetime:
        """When it began; a time that says nothing is after all others."""
        try:
            began = datetime.fromisoformat(self.run.started)
        except ValueError:
            return NO_TIME
        return began.astimezone(UTC) if began.tzinfo else began.replace(tzinfo=UTC)

    @property
    def when(self) -> str:
        """The same for a reader, to the minute, UTC."""
        return self.run.started[:16] if self.began is NO_TIME else self.began.strftime("%Y-%m-%d %H:%M")

    @property
    def page(self) -> Path | None:
        """Its own page, if it lies beside the document."""
        page = self.path.with_name("index.html") if self.path and self.path.name == "report.json" else None
        return page if page and page.is_file() else None

    def link(self, directory: Path, clause: ClauseResult | None = None) -> str:
        """Where, from ``directory``, its own page tells of the clause, or begins; nothing if it has none."""
        if self.page is None:
            return ""
        place = Path(os.path.relpath(self.page, directory)).as_posix()
        return f"./{quote(place)}{'#' + quote(outline.anchor(clause)) if clause else ''}"

    def clause(self, name: str) -> ClauseResult | None:
        """What it concluded of a clause."""
        return next((one for one in self.run.clauses if one.id == name), None)

    def state(self, name: str) -> ClauseState | None:
        """What it says of a clause; None if it could not tell."""
        met = self.clause(name)
        if met is None:
            return None
        waived = ClauseState.WAIVED if met.findings else None
        return {Verdict.PASS: ClauseState.KEPT, Verdict.FAIL: ClauseState.BROKEN, Verdict.WAIVED: waived}.get(
            met.verdict
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """A clause that is seen in another state than before: ``before`` is the last run that judged it, if any did."""

    clause: str
    before: Entry | None
    after: Entry
    was: ClauseState | None
    now: ClauseState

    @property
    def what(self) -> str:
        """What happened."""
        return WORDS[self.was, self.now]

    @property
    def detail(self) -> str:
        """How it was broken, or who waived it."""
        met = self.after.clause(self.clause)
        if met is None or not met.findings:
            return ""
        waiver = next((one.waiver for one in met.findings if one.waiver), None)
        return (
            waiver.in_words().removeprefix("waived ")
            if self.now is ClauseState.WAIVED and waiver
            else plain.sentence(met.findings[0])
        )


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The runs, the earliest first."""

    entries: tuple[Entry, ...]

    @property
    def last(self) -> Entry:
        """The latest."""
        return self.entries[-1]

    @property
    def clauses(self) -> list[ClauseResult]:
        """Each clause once, as the latest run that knows it words it; what is new to a run comes after its own."""
        known = {one.id: one for entry in self.entries for one in entry.run.clauses}
        order = dict.fromkeys(one.id for entry in reversed(self.entries) for one in entry.run.clauses)
        return [known[name] for name in order]

    @property
    def turns(self) -> list[Turn]:
        """What broke, was waived or was mended, the latest first."""
        met = [turn for one in self.clauses for turn in self._of(one.id)]
        return sorted(met, key=lambda turn: self.entries.index(turn.after), reverse=True)

    @property
    def suites(self) -> list[tuple[Entry, str]]:
        """The runs that another suite or specification judged than the run before, with what was changed."""
        changed = []
        for one, other in pairwise(self.entries):
            if one.run.suite_version != other.run.suite_version:
                changed.append((other, f"the suite went from {one.run.suite_version} to {other.run.suite_version}"))
            elif one.run.spec_digest != other.run.spec_digest:
                changed.append((other, "the specification was changed"))
        return changed

    @property
    def standing(self) -> str:
        """Since when the verdict is what it is."""
        verdict = self.last.run.verdict
        same = list(self._back(lambda entry: entry.run.verdict is verdict))
        since = f"{verdict.value.upper()} since {same[-1].when}, in {outline.counted(len(same), 'run')}"
        before = self.entries[: -len(same)]
        return f"{since}; {before[-1].run.verdict.value.upper()} before" if before else since

    def always_kept(self, name: str) -> bool:
        """Whether every run found the clause kept."""
        return all(entry.state(name) is ClauseState.KEPT for entry in self.entries)

    def since(self, finding: Finding) -> Entry | None:
        """The earliest of the runs, back from the latest, that had the finding; one that did not judge it is passed."""
        first = None
        for entry in reversed(self.entries):
            if has(entry.run, finding):
                first = entry
            elif entry.state(finding.clause) is not None:
                break
        return first

    def _of(self, name: str) -> Iterator[Turn]:
        before: Entry | None = None
        was: ClauseState | None = None
        for entry in self.entries:
            now = entry.state(name)
            if now is None:
                continue
            if (was, now) in WORDS:
                yield Turn(name, before, entry, was, now)
            before, was = entry, now

    def _back(self, holds: Callable[[Entry], bool]) -> Iterator[Entry]:
        for entry in reversed(self.entries):
            if not holds(entry):
                return
            yield entry


def has(run: Run, finding: Finding) -> bool:
    """Whether the run met the same kind of violation."""
    mark = finding.marked(run.fingerprints)
    return any(one.marked(run.fingerprints) == mark for clause in run.clauses for one in clause.findings)


def of(entries: Iterable[Entry]) -> RunHistory:
    """The history that these make up, each run once, however many copies of it there are.

    Raises:
        UsageError: there is none, or they are of several targets.
    """
    once = {(outline.target_name(one.run), one.run.started, one.run.finished, one.run.seed): one for one in entries}
    names = sorted({outline.target_name(one.run) for one in once.values()})
    if not names:
        raise UsageError("expected saved runs of one target, found none", document.HINT)
    if len(names) > 1:
        raise UsageError(f"expected runs of one target, found those of {', '.join(names)}", "name one with --name")
    return RunHistory(tuple(sorted(once.values(), key=lambda one: one.began)))


def within(folder: Path) -> list[Path]:
    """The run documents in a directory and all below it."""
    return [path for path in sorted(folder.rglob("*.json")) if _is_a_run(path)]


def beside(run: Run, directory: Path) -> tuple[Entry, ...]:
    """Earlier runs of the same target in ``directory``, or as ``report.json`` in one next to it; others are passed."""
    places = [*directory.glob("*.json"), *directory.absolute().parent.glob("*/report.json")]
    found = sorted(filter(_is_a_run, dict.fromkeys(path.absolute() for path in places)), key=_age)[:MOST_BESIDE]
    entries = [Entry(run), *(entry for path in found if (entry := _read(path)))]
    mine = [one for one in entries if outline.target_name(one.run) == outline.target_name(run)]
    known = of(reversed(mine)).entries
    return tuple(one for one in known if one.began < Entry(run).began)


def _read(path: Path) -> Entry | None:
    try:
        return Entry(document.read(path), path)
    except UsageError:
        return None


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _is_a_run(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return f'"format": "{FORMAT}"'.encode() in file.read(HEAD)
    except OSError:
        return False

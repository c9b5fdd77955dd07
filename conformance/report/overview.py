"""Several targets side by side: may each be released, and which clause is kept where.

Made from the saved runs of the targets, as every other view. A target without a run has its place too, with the
reason: what was not judged stands as clearly as what failed.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote

from markupsafe import Markup

from conformance.report import html, outline
from conformance.report.content_policy import policy
from conformance.report.markdown import SIGNS, code, table
from conformance.report.visible import one_line
from conformance.verdict import WORST_FIRST, ClauseResult, Run, Verdict, worst

PAGE = "index.html"
MOST_NAMES = 6
STOPPED = "the run was interrupted"
"""Said of a round that a signal ended, even one that came after the last target's verdict."""

WORDS: Mapping[Verdict, str] = {
    Verdict.ERROR: "the suite broke on",
    Verdict.FAIL: "broken:",
    Verdict.INCONCLUSIVE: "could not be judged:",
    Verdict.PASS: "passed:",
}


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """One target of several.

    Attributes:
        folder: where its report is.
        run: how it was judged; None if there is no report.
        trouble: why there is none.
        lost: what that means: an error unless it was simply not its turn.
    """

    name: str
    folder: Path
    run: Run | None = None
    trouble: str = ""
    lost: Verdict = Verdict.ERROR

    @classmethod
    def of(cls, run: Run, folder: Path) -> Self:
        """The place of a target whose run was saved in ``folder``."""
        return cls(outline.target_name(run), folder, run)

    @property
    def verdict(self) -> Verdict:
        """The verdict of its run."""
        return self.run.verdict if self.run else self.lost

    @property
    def reason(self) -> str:
        """The rule that decided it, or why there is no run."""
        return self.run.reason if self.run else self.trouble

    @property
    def headline(self) -> str:
        """The verdict in capitals, with what lessens it."""
        return outline.headline(self.run) if self.run else self.lost.value.upper()

    def clause(self, clause_id: str) -> ClauseResult | None:
        """What its run concluded about a clause."""
        met = (clause for clause in self.run.clauses if clause.id == clause_id) if self.run else iter(())
        return next(met, None)


def twice(parts: Sequence[TargetSummary]) -> list[str]:
    """The names that more than one of them has."""
    return [name for name, number in Counter(part.name for part in parts).items() if number > 1]


def verdict(parts: Sequence[TargetSummary], *, interrupted: bool = False) -> Verdict:
    """The worst of them: a release to several targets waits for the last; what was interrupted is no pass."""
    return worst([*(part.verdict for part in parts), *([Verdict.INCONCLUSIVE] if interrupted else [])])


def headline(parts: Sequence[TargetSummary], *, interrupted: bool = False) -> str:
    """The verdict in capitals, and whether a part of it is partial or was interrupted; so was what had no turn."""
    runs = [part.run for part in parts if part.run]
    early = interrupted or any(part.run is None and part.lost is Verdict.INCONCLUSIVE for part in parts)
    marks = {"PARTIAL": any(run.partial for run in runs), "INTERRUPTED": early or any(run.interrupted for run in runs)}
    return ", ".join(
        [verdict(parts, interrupted=interrupted).value.upper(), *(word for word, holds in marks.items() if holds)]
    )


def counted(parts: Sequence[TargetSummary]) -> str:
    """How many there are, in words for a title."""
    return "1 target" if len(parts) == 1 else f"{len(parts)} targets"


def reason(parts: Sequence[TargetSummary], *, interrupted: bool = False) -> str:
    """The targets by verdict, the worst first; of a pass that was interrupted, that it was."""
    if interrupted and verdict(parts) is Verdict.PASS:
        return STOPPED
    grouped = {each: [part.name for part in parts if part.verdict is each] for each in WORST_FIRST}
    said = [f"{WORDS.get(each, each)} {_names(names)}" for each, names in grouped.items() if names]
    return "; ".join(said) if len(said) > 1 or verdict(parts) is not Verdict.PASS else "every target passes"


def answer(parts: Sequence[TargetSummary], *, interrupted: bool = False) -> str:
    """May we release to all of them?"""
    whole = not any(part.run and (part.run.partial or part.run.interrupted) for part in parts)
    worst_one = verdict(parts, interrupted=interrupted)
    if worst_one is Verdict.PASS:
        return html.ANSWERS[Verdict.PASS] if whole else html.INCOMPLETE
    return html.ANSWERS.get(worst_one, html.ANSWERS[Verdict.INCONCLUSIVE])


def lines(parts: Sequence[TargetSummary], *, interrupted: bool = False) -> list[str]:
    """A line for each target and one for all, which decides; for a terminal."""
    width = max(len(part.headline) for part in parts)
    rows = [f"{part.headline:{width}}  {part.name}: {part.reason}" for part in parts]
    total = sum(part.run.requests.total for part in parts if part.run)
    decided = f"{headline(parts, interrupted=interrupted)} ({reason(parts, interrupted=interrupted)})"
    last = f"conformance: {decided} - {counted(parts)}, {total} requests"
    return [one_line(row) for row in (*rows, last)]


def markdown(parts: Sequence[TargetSummary], *, interrupted: bool = False) -> str:
    """A section for the summary page of a CI job."""
    rows = [(code(part.name, 80), SIGNS.get(part.verdict, ""), part.headline, code(part.reason)) for part in parts]
    sign, decided = SIGNS.get(verdict(parts, interrupted=interrupted), ""), headline(parts, interrupted=interrupted)
    title = f"## {sign} Conformance of {counted(parts)}: {decided}"
    why = code(reason(parts, interrupted=interrupted), 400)
    return "\n".join([title, "", why, "", *table(("target", "", "verdict", "why"), rows), ""])


def page(parts: Sequence[TargetSummary], directory: Path, *, interrupted: bool = False) -> str:
    """The overview as a page that stands in ``directory`` and links to the targets' own."""
    engine = html.environment()
    style = "".join(engine.get_template(name).render() for name in ("report.css.j2", "overview.css.j2"))
    return engine.get_template("overview.html.j2").render(
        parts=parts,
        counted=counted(parts),
        headline=headline(parts, interrupted=interrupted),
        answer=answer(parts, interrupted=interrupted),
        verdict=verdict(parts, interrupted=interrupted),
        reason=reason(parts, interrupted=interrupted),
        families=_families(parts),
        outline=outline,
        link=lambda part, clause=None: _link(part, directory, clause),
        style=Markup(style),  # noqa: S704  # the suite's own file; its hash stands in the policy
        policy=policy(style),
    )


def _families(parts: Sequence[TargetSummary]) -> dict[str, dict[str, ClauseResult]]:
    """Family -> clause -> one result of it, in the order of the runs; a clause that only one of them has as well."""
    grouped: dict[str, dict[str, ClauseResult]] = {}
    for part in parts:
        for clause in part.run.clauses if part.run else ():
            grouped.setdefault(clause.family, {}).setdefault(clause.id, clause)
    return grouped


def _link(part: TargetSummary, directory: Path, clause: ClauseResult | None) -> str:
    """Where a target's own report tells of the clause, or begins; nothing if it has none."""
    if part.run is None:
        return ""
    place = Path(os.path.relpath(part.folder / PAGE, directory)).as_posix()
    return f"./{quote(place)}{'#' + quote(outline.anchor(clause)) if clause else ''}"


def _names(names: Sequence[str]) -> str:
    left_out = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return ", ".join([*names[:MOST_NAMES], *left_out])

"""A history as a page and as lines for a terminal."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from conformance.report import html, outline
from conformance.report.content_policy import policy
from conformance.report.history import RunHistory
from conformance.report.visible import one_line
from conformance.verdict import ClauseResult

PAGE = "history.html"


def page(history: RunHistory, directory: Path) -> str:
    """The page that stands in ``directory`` and links to the runs' own."""
    engine = html.environment()
    style = "".join(engine.get_template(name).render() for name in ("report.css.j2", "overview.css.j2"))
    changing = [one for one in history.clauses if not history.always_kept(one.id)]
    return engine.get_template("history.html.j2").render(
        history=history,
        run=history.last.run,
        answer=html.answer(history.last.run),
        outline=outline,
        changing=_families(changing),
        kept=[one for one in history.clauses if one not in changing],
        link=lambda entry, clause=None: entry.link(directory, clause),
        style=Markup(style),  # noqa: S704  # the suite's own file; its hash stands in the policy
        policy=policy(style),
    )


def lines(history: RunHistory) -> list[str]:
    """A line for each run and for each turn, and one for where it stands."""
    width = max(len(outline.headline(entry.run)) for entry in history.entries)
    runs = [f"{one.when}  {outline.headline(one.run):{width}}  {one.run.reason}" for one in history.entries]
    turns = [
        f"{turn.after.when}  {turn.clause} {turn.what}{': ' if turn.detail else ''}{turn.detail}"
        for turn in reversed(history.turns)
    ]
    last = f"{outline.target_name(history.last.run)}: {history.standing}"
    return [one_line(line) for line in (*runs, *turns, last)]


def _families(clauses: Sequence[ClauseResult]) -> dict[str, list[ClauseResult]]:
    grouped: dict[str, list[ClauseResult]] = {}
    for one in clauses:
        grouped.setdefault(one.family, []).append(one)
    return grouped

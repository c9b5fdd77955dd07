"""One self-contained page: may we release, what is wrong, how sure are we, how is it reproduced.

The page works from a file, loads nothing and runs one script of its own, admitted by its hash. What is
printed is escaped by Jinja and passes through :mod:`conformance.report.visible`; nothing of the target reaches
an attribute that a browser would follow or run.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from conformance.evidence import statistics
from conformance.evidence.setting import FindingSetup
from conformance.report import (
    body,
    causes,
    changes,
    difference,
    issue,
    outline,
    pictures,
    plain,
    sources,
    states,
    timeline,
    visible,
)
from conformance.report.causes import Cause, CauseMember
from conformance.report.content_policy import policy
from conformance.report.history import Entry, RunHistory
from conformance.verdict import Finding, Level, Run, Verdict, gate

if TYPE_CHECKING:
    from jinja2 import Environment

ANSWERS: Mapping[Verdict, str] = {
    Verdict.PASS: "Yes",
    Verdict.FAIL: "No",
    Verdict.INCONCLUSIVE: "Not yet: this run cannot tell",
    Verdict.ERROR: "Not yet: the suite itself broke",
}
INCOMPLETE = "Not on this run alone"

SIGNS: Mapping[Verdict, str] = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.ERROR: "!",
    Verdict.INCONCLUSIVE: "?",
    Verdict.UNTESTED: "○",
    Verdict.WAIVED: "~",
}
"""Verdicts differ by sign and word too, not by colour alone (WCAG 2.2, 1.4.1)."""

SHOWN_COMMANDS = 50
"""So many commands of a long sequence are on the page, half of them from its end."""

CREDENTIALS: Mapping[str, str] = {
    "full": "with the valid token",
    "none": "without a token",
    "made up": "with a made-up token",
    "restricted": "as a caller who may not delete",
    "foreign": "as a caller of another tenant",
}
"""Who asked, in words."""

SHORTEST_ID = 8
"""What is shorter may stand in a URL by chance."""

MOST_EARLIER = 12
"""So many earlier runs are in the strip: what fits on the first screen."""

SHOWN_ENDS = 50
"""So many exchanges from either end of a sequence are on the page at most; the document holds them all."""

SHOWN_EXCHANGES = 600
"""About so many are on the page in all, shared by the findings, so that it opens at once whatever the run was."""


def render(run: Run, earlier: Sequence[Entry] = (), directory: Path = Path()) -> str:
    """The run as an HTML page, with a strip of earlier runs; ``directory`` is where it will lie."""
    engine = environment()
    engine.globals["bases"] = [str(run.target.get(name, "")).rstrip("/") for name in ("compute", "network")]
    style, script = (engine.get_template(name).render() for name in ("report.css.j2", "report.js.j2"))
    found, excused = causes.causes(run), causes.causes(run, waived=True)
    return engine.get_template("index.html.j2").render(
        run=run,
        answer=answer(run),
        outline=outline,
        found=found,
        excused=excused,
        troubled=outline.troubled(run),
        nothing_judged=outline.nothing_judged(run),
        anchors=_anchors([*found, *excused]),
        since=lambda finding: _since(run, finding, earlier),
        strip=(*earlier[-MOST_EARLIER:], Entry(run)) if earlier else (),
        link=lambda entry: entry.link(directory),
        facts=_facts(run),
        setting=_setting(run),
        sections=difference.sections,
        sources=sources.known(),
        headings=sources.headings(),
        shown_ends=_shown_ends([*found, *excused]),
        style=Markup(style),  # noqa: S704  # the suite's own file; its hash stands in the policy
        script=Markup(script),  # noqa: S704  # the same
        policy=policy(style, script),
        gap=not run.generated.reached and run.generated.total > 0,
    )


def answer(run: Run) -> str:
    """May we release? With the worst that is wrong, or what is promised; never a bare yes to a part of a run."""
    if run.verdict is Verdict.PASS and (run.partial or run.interrupted):
        return INCOMPLETE
    bare = ANSWERS.get(run.verdict, ANSWERS[Verdict.INCONCLUSIVE])
    more = {Verdict.PASS: _promised, Verdict.FAIL: _worst}.get(run.verdict)
    return f"{bare}{more(run)}" if more else bare


def _worst(run: Run) -> str:
    gating = [
        cause for cause in causes.causes(run) if any(gate.gates(part.first.clause, run.policy) for part in cause.parts)
    ]
    return f": {causes.headline(gating)}" if gating else ""


def _promised(run: Run) -> str:
    used = [use.waiver for use in run.waivers if use.findings]
    told = "; ".join(f"{one.owner}, {one.ticket}, until {one.expires}" for one in used)
    return f", with {outline.counted(len(used), 'waiver')}: {told}" if used else ""


def _anchors(found: Sequence[Cause]) -> dict[str, str]:
    """Clause -> the fingerprint of the finding at which a link to the clause leads: the first that is shown."""
    anchors: dict[str, str] = {}
    for part in (part for cause in found for part in cause.parts):
        anchors.setdefault(part.first.clause.id, part.first.finding.fingerprint)
    return anchors


def _since(run: Run, finding: Finding, earlier: Sequence[Entry]) -> str:
    """Since when it is known, as far as this run and those before it can tell."""
    first = RunHistory((*earlier, Entry(run))).since(finding)
    if first and first.run is not run:
        return f"{first.when[:10]}{' or before' if first is earlier[0] else ''}"
    baseline, compared = run.policy.baseline, run.comparison
    if baseline and gate.is_known(finding, run.policy):
        return f"{baseline.started[:10]} or before"
    if compared is None:
        return "this run"
    new = {(one.clause, one.rule, one.summary) for one in compared.difference.new}
    is_new = (finding.clause, finding.rule, finding.summary) in new
    return f"new since {compared.started[:10]}" if is_new else f"{compared.started[:10]} or before"


def environment(*packages: str) -> "Environment":
    """The engine of every page, with the templates of these packages, too: escaping, and no undefined name."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # a page alone needs it

    engine = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in ("conformance.report", *packages)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    engine.filters |= {
        "below": _below,
        "around": _around,
        "body": body.shown,
        "called": _called,
        "capital": issue.capital,
        "clock": _clock,
        "command": visible.command,
        "commands": _commands,
        "credential": lambda name: CREDENTIALS.get(name, name),
        "header_lines": _header_lines,
        "json_lines": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
        "marked": _marked,
        "moment": _moment,
        "pieces": sources.pieces,
        "milliseconds": lambda taken: f"{taken * 1000:,.0f} ms",
        "sentence": lambda text: text if text.endswith((".", "!", "?")) else f"{text}.",
    }
    engine.globals |= {
        "signs": SIGNS,
        "HARMS": plain.HARMS,
        "changes": changes,
        "counted": outline.counted,
        "issue": issue.text,
        "member": CauseMember,
        "outline": outline,
        "reproduction": issue.reproduction,
        "timeline": timeline,
        "pictures": pictures,
        "states": states,
        "timing": statistics,
        "Level": Level,
        "Verdict": Verdict,
    }
    return engine


def _finalize(value: Any) -> Any:
    return visible.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _marked(text: str) -> Markup:
    """Text with what had to be written out set apart from what was there literally."""
    mark = Markup('<span class="written-out">{}</span>')
    return Markup().join(mark.format(part) if acts else escape(part) for part, acts in visible.pieces(text))


def _facts(run: Run) -> list[tuple[str, str]]:
    return [
        ("Started", _moment(run.started)),
        ("Took", outline.duration(run)),
        ("Requests", f"{run.requests.total:,}"),
        ("Seed", str(run.seed)),
        ("Depth", run.depth),
        ("Gate", outline.gate(run)),
        ("Suite", run.suite_version),
    ]


def _setting(run: Run) -> list[tuple[str, str]]:
    target = [(name.replace("_", " "), _in_line(value)) for name, value in run.target.items() if name != "name"]
    return [
        *((name.capitalize(), value) for name, value in target if value),
        ("Finished", _moment(run.finished)),
        ("Specification", run.spec_digest),
    ]


def _shown_ends(found: Sequence[Cause]) -> int:
    shown = sum(len(cause.parts) for cause in found)
    each = SHOWN_EXCHANGES // max(shown, 1)
    return max(1, min(SHOWN_ENDS, (each - 1) // 4))  # two ends before the one that decides, two ends after it


def _in_line(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _moment(moment: str) -> str:
    try:
        return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError):
        return moment


def _clock(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        return "unknown time"


def _around(exchanges: Sequence[Any], decisive: str, most: int) -> list[tuple[str, int, list[tuple[int, Any]]]]:
    """What came before the decisive exchange, itself, and what came after, with their number; else all of them."""
    numbered = list(enumerate(exchanges, 1))
    at = next((place for place, one in numbered if str(one["id"]) == decisive), 0)
    if not at:
        return [("in all", len(numbered), _ends(numbered, most))]
    groups = [("before", numbered[: at - 1]), ("it", numbered[at - 1 : at]), ("after", numbered[at:])]
    return [(place, len(group), _ends(group, most)) for place, group in groups if group]


def _ends(numbered: list[tuple[int, Any]], most: int) -> list[tuple[int, Any]]:
    """The beginning and the end of a long sequence, each exchange with its number."""
    return numbered if len(numbered) <= 2 * most else numbered[:most] + numbered[-most:]


def _commands(commands: Sequence[str]) -> list[str]:
    """Commands for a reader: a sequence that nobody would paste is cut, and says so as a comment."""
    if len(commands) <= SHOWN_COMMANDS:
        return list(commands)
    half = SHOWN_COMMANDS // 2
    left = f"# {len(commands) - 2 * half:,} more commands are in report.json"
    return [*commands[:half], left, *commands[-half:]]


def _below(url: str, bases: Sequence[str]) -> str:
    """The URL without the endpoint that it is below: that stands once, in the banner."""
    return next((url[len(base) :] for base in bases if base and url.startswith(f"{base}/")), url)


def _called(url: str, needed: FindingSetup) -> str:
    """The URL with what it names in words, in braces."""
    for identifier, name in needed.names().items():
        url = url.replace(identifier, f"{{{name}}}") if len(identifier) > SHORTEST_ID else url
    return url


def _header_lines(pairs: list[list[str]]) -> str:
    return "\n".join(": ".join(pair) for pair in pairs)

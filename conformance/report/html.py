"""One self-contained page: may we release, what is wrong, how sure are we, how is it reproduced.

The page works from a file, loads nothing and runs one script of its own, admitted by its hash. What is
printed is escaped by Jinja and passes through :mod:`conformance.report.visible`; nothing of the target reaches
an attribute that a browser would follow or run.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from conformance.evidence import statistics
from conformance.report import body, difference, outline, pictures, sources, states, timeline, visible
from conformance.verdict import Level, Run, Verdict

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

OPEN_EXCHANGES = 6
"""Longer sequences are folded except their end, which is where the clause broke."""

SHOWN_ENDS = 50
"""So many exchanges from either end of a sequence are on the page at most; the document holds them all."""

SHOWN_EXCHANGES = 600
"""About so many are on the page in all, shared by the findings, so that it opens at once whatever the run was."""

FEWEST_ENDS = 2


def render(run: Run) -> str:
    """The run as an HTML page."""
    engine = environment()
    engine.globals["bases"] = [str(run.target.get(name, "")).rstrip("/") for name in ("compute", "network")]
    style, script = (engine.get_template(name).render() for name in ("report.css.j2", "report.js.j2"))
    return engine.get_template("index.html.j2").render(
        run=run,
        answer=answer(run),
        outline=outline,
        facts=_facts(run),
        setting=_setting(run),
        sections=difference.sections,
        sources=sources.known(),
        shown_ends=_shown_ends(run),
        style=Markup(style),  # noqa: S704  # the suite's own file; its hash stands in the policy
        script=Markup(script),  # noqa: S704  # the same
        policy=policy(style, script),
        gap=not run.generated.reached and run.generated.total > 0,
    )


def answer(run: Run) -> str:
    """May we release? A run that was partial or interrupted never answers with a bare yes."""
    if run.verdict is Verdict.PASS and (run.partial or run.interrupted):
        return INCOMPLETE
    return ANSWERS.get(run.verdict, ANSWERS[Verdict.INCONCLUSIVE])


def environment() -> Environment:
    """The engine of every page: escaping, and no undefined name without a word."""
    engine = Environment(
        loader=PackageLoader("conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    engine.filters |= {
        "below": _below,
        "body": body.shown,
        "clock": _clock,
        "command": visible.command,
        "commands": _commands,
        "ends": _ends,
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
        "open_exchanges": OPEN_EXCHANGES,
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


def policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy of a page that has this style, this script and nothing else."""
    scripts = f"script-src {_source(script)}; " if script else ""
    return f"default-src 'none'; style-src {_source(style)}; {scripts}base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


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


def _shown_ends(run: Run) -> int:
    findings = sum(len(clause.findings) for clause in run.clauses)
    return max(FEWEST_ENDS, min(SHOWN_ENDS, SHOWN_EXCHANGES // (2 * max(findings, 1))))


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


def _ends(exchanges: Sequence[Any], most: int) -> list[tuple[int, Any]]:
    """The beginning and the end of a long sequence, each exchange with its number."""
    numbered = list(enumerate(exchanges, 1))
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


def _header_lines(pairs: list[list[str]]) -> str:
    return "\n".join(": ".join(pair) for pair in pairs)

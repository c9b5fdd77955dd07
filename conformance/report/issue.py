"""A cause as the text of an issue, in Markdown, for the tracker of those who mend it."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.evidence import setting
from conformance.report import outline
from conformance.report.causes import Cause, CauseMember
from conformance.report.markdown import code
from conformance.report.visible import command, visible
from conformance.verdict import Run

MOST_FORMS = 20


def reproduction(finding_fingerprint: str) -> str:
    """The command that tries the finding again."""
    return f"conformance reproduce report.json {finding_fingerprint} --target target.yaml"


def text(run: Run, cause: Cause) -> str:
    """What is wrong, what was expected and seen, how it is tried again, what else it breaks."""
    return visible("\n".join(_lines(run, cause)) + "\n")


def _lines(run: Run, cause: Cause) -> Iterator[str]:
    first = cause.first
    words = first.setting.in_words
    yield f"# {capital(first.sentence)}"
    yield ""
    yield f"- clause: `{first.clause.id}` ({first.clause.level}): {first.clause.statement}"
    yield f"- found at {code(outline.target_name(run))}, {run.started}, suite {run.suite_version}, seed {run.seed}"
    yield f"- seen in {outline.counted(cause.seen, 'case')}"
    yield f"- expected: {code(words(first.finding.expected), 400)}"
    yield f"- seen: {code(words(first.finding.observed), 400)}"
    if cause.also:
        yield f"- also breaks: {', '.join(f'`{clause.id}`' for clause in cause.also)}"
    if forms := cause.parts[0].forms:
        more = f" and {len(forms) - MOST_FORMS} more" if len(forms) > MOST_FORMS else ""
        yield f"- forms: {'; '.join(map(code, forms[:MOST_FORMS]))}{more}"
    yield from _again(first)


def _again(member: CauseMember) -> Iterator[str]:
    standing = ", ".join(before(member.setting)) or "nothing"
    yield from ("", "## To see it again", "", f"Standing before: {standing}.", "", "```sh")
    yield reproduction(member.finding.fingerprint)
    yield "```"
    ids = [str(one["id"]) for one in member.finding.exchanges]
    if member.setting.decisive in ids and len(ids) == len(member.finding.reproduce):
        line = member.finding.reproduce[ids.index(member.setting.decisive)]
        yield from ("", "The request that decides it:", "", "```sh", command(line)[:2000], "```")


def before(needed: setting.FindingSetup) -> list[str]:
    """What must stand, in words."""
    names = needed.names()
    return [f"{names.get(address, address)} on {names.get(server, server)}" for server, address in needed.standing]


def capital(words: str) -> str:
    """The words as a sentence begins."""
    return words[:1].upper() + words[1:]

"""Waivers: dated promises to live with a finding, read from a file and held against the results of a run.

A waiver excuses a finding, never a clause: the case still runs and is still reported, and a clause is *waived* only if
all its findings are. A promise that is out of date is as bad as a broken clause, so that the file tells the truth
for good. Nothing here knows what day it is; the caller says it.
"""

from __future__ import annotations

import difflib
import fnmatch
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs

from conformance import SPEC, yaml_input
from conformance.errors import UsageError
from conformance.verdict import STALE, ClauseResult, Finding, Verdict, Waiver, WaiverStatus, WaiverUse

SCHEMA = "waivers.schema.json"
WORDLESS = frozenset({"required", "additionalProperties"})
"""Keywords whose message names the key, which the place of the mistake does not."""


def load(path: Path, clauses: Sequence[str]) -> tuple[Waiver, ...]:
    """The waivers of the file ``path``; ``clauses`` are the IDs that there are.

    Raises:
        UsageError: it cannot be read or is wrong; one line for each mistake, with file, place and what is expected.
    """
    document = yaml_input.read(path, "a waiver file")
    mistakes = sorted(set(_mistakes(document)))
    places = {mistake.partition(": ")[0] for mistake in mistakes}
    further = _contradictions(_entries(document), clauses)
    mistakes += [mistake for mistake in further if mistake.partition(": ")[0] not in places]
    if mistakes:
        raise UsageError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return tuple(Waiver(**entry) for entry in document["waivers"])


def matches(waiver: Waiver, finding: Finding) -> bool:
    """Whether the waiver is about the finding: the same clause, and ``match`` fits rule, summary or observation.

    ``match`` is looked for within these texts as it stands; ``pattern`` is a shell pattern (:mod:`fnmatch`) for the
    whole of one of them. Case counts.
    """
    if waiver.clause != finding.clause:
        return False
    texts = (finding.rule, finding.summary, finding.observed)
    if waiver.pattern:
        return any(fnmatch.fnmatchcase(text, waiver.pattern) for text in texts)
    return any(waiver.match in text for text in texts)


def apply(
    results: tuple[ClauseResult, ...], waivers: tuple[Waiver, ...], today: date
) -> tuple[tuple[ClauseResult, ...], tuple[WaiverUse, ...]]:
    """The results with their findings waived, and what became of each waiver on the day ``today`` (UTC)."""
    in_force = tuple(waiver for waiver in waivers if not _expired(waiver, today))
    by_id = {result.id: result for result in results}
    uses = tuple(_use(waiver, by_id.get(waiver.clause), today) for waiver in waivers)
    return tuple(_waived(result, in_force) for result in results), uses


def notes(uses: tuple[WaiverUse, ...]) -> list[str]:
    """What the operator should know of the waivers: those that did nothing, and why."""
    return [use.in_words() for use in uses if use.standing in {*STALE, WaiverStatus.UNDECIDED}]


def _expired(waiver: Waiver, today: date) -> bool:
    return date.fromisoformat(waiver.expires) < today


def _waived(result: ClauseResult, in_force: tuple[Waiver, ...]) -> ClauseResult:
    findings = tuple(
        replace(finding, waiver=next((waiver for waiver in in_force if matches(waiver, finding)), None))
        for finding in result.findings
    )
    promises = [finding.waiver.in_words() for finding in findings if finding.waiver]
    if result.verdict is Verdict.FAIL and promises and len(promises) == len(findings):
        return replace(result, findings=findings, verdict=Verdict.WAIVED, reason="; ".join(dict.fromkeys(promises)))
    return replace(result, findings=findings)


def _use(waiver: Waiver, result: ClauseResult | None, today: date) -> WaiverUse:
    met = tuple(finding.fingerprint for finding in result.findings if matches(waiver, finding)) if result else ()
    if _expired(waiver, today):
        return WaiverUse(waiver, WaiverStatus.EXPIRED)
    if met:
        return WaiverUse(waiver, WaiverStatus.APPLIED, met)
    if result and result.verdict is Verdict.PASS:
        return WaiverUse(waiver, WaiverStatus.OBSOLETE)
    judged = result is not None and result.verdict is Verdict.FAIL
    return WaiverUse(waiver, WaiverStatus.UNMATCHED if judged else WaiverStatus.UNDECIDED)


def _mistakes(document: Any) -> Iterator[str]:
    schema = json.loads((SPEC / SCHEMA).read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    try:
        errors = list(validator.iter_errors(document))
    except ValueError:
        yield "expected text, lists and mappings with text as keys, and nothing else that YAML knows"
        return
    unknown = yaml_input.unknown_keys(schema, errors)
    for one in unknown:
        yield f"{_place(one.place)}: {one.in_words()}"
    for error in errors:
        if yaml_input.told(error, unknown):
            continue
        expected = yaml_input.expectation(schema, error.schema_path)
        detail = f"{error.message}; " if error.schema_path[-1] in WORDLESS else ""
        yield f"{_place(error.instance_path)}: {detail}expected {expected}"


def _place(path: Sequence[str | int]) -> str:
    """``waivers[2].expires``; the entries are counted from 0."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.lstrip(".") or "the file"


def _entries(document: Any) -> list[Any]:
    """What may be waivers, whatever else is wrong."""
    entries = document.get("waivers") if isinstance(document, dict) else None
    return entries if isinstance(entries, list) else []


def _contradictions(entries: list[Any], clauses: Sequence[str]) -> Iterator[str]:
    """What no schema can say: clauses that are in no clause file, and the same promise twice."""
    first: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("clause"), str):
            continue
        place, clause = f"waivers[{number}]", entry["clause"]
        if clause not in clauses:
            near = difflib.get_close_matches(clause, clauses)
            expected = f"did you mean {' or '.join(near)}?" if near else f"expected one of {', '.join(clauses)}"
            yield f"{place}.clause: there is no clause {clause}; {expected}"
        earlier = first.setdefault((clause, str(entry.get("pattern", entry.get("match", "")))), number)
        if earlier != number:
            yield f"{place}: the same clause and match as waivers[{earlier}]; expected one waiver for them"

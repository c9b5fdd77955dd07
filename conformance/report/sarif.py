"""SARIF 2.1.0 for code-scanning views: the clauses are rules, the findings are results at the line of their clause.

A finding is about a deployment and has no line of its own; its clause has one, in ``spec/clauses``. Clauses that were
left open are notifications of the invocation, not results: nothing was found. Texts are plain: what would be an
embedded link or a placeholder (SARIF 2.1.0, 3.11.5 and 3.11.6) is taken apart by a blank.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from conformance import catalogue
from conformance.catalogue import Clause
from conformance.report.outline import gate, gates, headline, in_words, not_judged, target_name
from conformance.report.visible import command, one_line, visible
from conformance.verdict import ClauseResult, Finding, Level, Run, Verdict, is_known

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
NAME = "ip-association-conformance"
ROOT = "%SRCROOT%"
"""The name by which code-scanning views know the root of the checkout."""

SEVERITIES = {Level.MUST: "error", Level.SHOULD: "warning"}


def render(run: Run) -> str:
    """The run as a SARIF log, in ASCII."""
    known = {clause.id: clause for clause in catalogue.load()}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(run, known)]}
    return json.dumps(log, indent=1) + "\n"


def _run(run: Run, known: Mapping[str, Clause]) -> dict[str, Any]:
    driver = {
        "name": NAME,
        "semanticVersion": one_line(run.suite_version),
        "rules": [_rule(clause, known.get(clause.id)) for clause in run.clauses],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{NAME}/{quote(one_line(target_name(run)), safe='')}/"},
        "originalUriBaseIds": {ROOT: {"description": _message("the root of the suite's repository")}},
        "invocations": [_invocation(run)],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(run, clause, number, finding, known.get(clause.id))
            for number, clause in enumerate(run.clauses)
            for finding in clause.findings
        ],
        "properties": {
            "verdict": run.verdict.value,
            "headline": headline(run),
            "reason": one_line(run.reason),
            "gate": one_line(gate(run)),
        },
    }


def _rule(clause: ClauseResult, entry: Clause | None) -> dict[str, Any]:
    rationale = f"\n\n{entry.rationale}" if entry and entry.rationale else ""
    words = f"{clause.statement}{rationale}\n\nSource: {clause.source}"
    return {
        "id": one_line(clause.id),
        "name": _pascal(clause.id),
        "shortDescription": _message(clause.statement),
        "fullDescription": _message(f"{clause.statement}{rationale}"),
        "help": _message(words),
        "defaultConfiguration": {"level": SEVERITIES[clause.level]},
        "properties": {
            "tags": ["conformance", one_line(clause.family), clause.level.value],
            "precision": "very-high",
            "problem.severity": SEVERITIES[clause.level],
            "verdict": clause.verdict.value,
        },
    }


def _pascal(clause_id: str) -> str:
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", clause_id)) or "Unnamed"


def _result(run: Run, clause: ClauseResult, number: int, finding: Finding, entry: Clause | None) -> dict[str, Any]:
    words = f"{finding.summary}\nExpected: {finding.expected}\nObserved: {finding.observed}"
    result = {
        "ruleId": one_line(clause.id),
        "ruleIndex": number,
        "kind": "fail",
        "level": SEVERITIES[clause.level],
        "message": _message(words),
        "locations": [_location(clause, entry)],
        # The second is what code scanning would else compute from the line, which findings of a clause share.
        "partialFingerprints": {"finding/v1": finding.fingerprint, "primaryLocationLineHash": finding.fingerprint},
        "occurrenceCount": max(finding.seen, 1),
        "properties": {
            "rule": one_line(finding.rule),
            "case": visible(finding.case),
            "reproduce": [command(line) for line in finding.reproduce],
        },
    }
    return result | _baseline(run, finding) | _suppression(finding)


def _baseline(run: Run, finding: Finding) -> dict[str, Any]:
    if run.policy.baseline is None:
        return {}
    return {"baselineState": "unchanged" if is_known(finding, run.policy) else "new"}


def _suppression(finding: Finding) -> dict[str, Any]:
    if finding.waiver is None:
        return {}
    justification = _disarmed(finding.waiver.in_words())
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": justification}]}


def _location(clause: ClauseResult, entry: Clause | None) -> dict[str, Any]:
    path = entry.path if entry else f"clauses/{clause.family}.yaml"
    place = {"artifactLocation": {"uri": quote(f"spec/{one_line(path)}"), "uriBaseId": ROOT}}
    return {"physicalLocation": place | {"region": {"startLine": entry.line if entry else 1}}}


def _invocation(run: Run) -> dict[str, Any]:
    erred = [clause for clause in run.clauses if clause.verdict is Verdict.ERROR]
    left = [clause for clause in not_judged(run) if clause.verdict is not Verdict.WAIVED]
    return {
        "executionSuccessful": run.verdict is not Verdict.ERROR and not run.interrupted,
        "toolExecutionNotifications": [_notification(run, clause) for clause in [*erred, *left]],
    }


def _notification(run: Run, clause: ClauseResult) -> dict[str, Any]:
    return {
        "level": "error" if clause.verdict is Verdict.ERROR else "warning" if gates(clause, run.policy) else "note",
        "message": _message(f"{clause.id} is {clause.verdict}: {in_words(clause)}"),
        "associatedRule": {"id": one_line(clause.id)},
    }


def _message(text: str) -> dict[str, str]:
    return {"text": _disarmed(text) or "-"}


def _disarmed(text: str) -> str:
    return re.sub(r"\{(\d+)\}", r"{ \1 }", visible(text)).replace("](", "] (")

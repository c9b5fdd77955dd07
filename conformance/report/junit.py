"""JUnit XML for CI servers: a test suite for each family at a target, a test case for each clause.

What is red, green and skipped is said in :mod:`conformance.report.cases`; what is red because it is open is an
``error``. Text of a case that is not red stands in ``system-out``.

Servers put the files of several targets together and tell cases apart by class and name, so the class is the suite:
target and family. Level, source and verdict of each clause are properties of its suite, named after it: the schema that
Jenkins checks (``junit-10.xsd`` of its xUnit plugin) knows none of a test case, and refuses the file for them.
"""

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from conformance.report.cases import Ending, TestCase, cases, suite
from conformance.report.outline import gate, headline, seconds, target_name
from conformance.report.visible import one_line
from conformance.verdict import ClauseResult, Run

ELEMENTS = {Ending.FAILED: "failure", Ending.ERRED: "error", Ending.SKIPPED: "skipped"}


def render(run: Run) -> str:
    """The run as a ``testsuites`` document."""
    grouped: dict[str, list[TestCase]] = {}
    for case in cases(run):
        grouped.setdefault(case.family, []).append(case)
    suites = [_suite(run, suite(run, family), of) for family, of in grouped.items()]
    root = ET.Element("testsuites", name=one_line(f"conformance of {target_name(run)}: {headline(run)}"))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", f"{seconds(run) or 0:.3f}")
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(run: Run, name: str, of: Sequence[TestCase]) -> ET.Element:
    element = ET.Element("testsuite", name=name, timestamp=one_line(run.started))
    element.set("time", f"{sum(case.seconds for case in of):.3f}")
    element.append(_properties(_facts(run) | _told(case.clause for case in of)))
    element.extend(_case(name, case) for case in of)
    element.set("tests", str(len(of)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(plural, str(len(element.findall(f"testcase/{tag}"))))
    return element


def _facts(run: Run) -> dict[str, str]:
    return {
        "target": target_name(run),
        "verdict": headline(run),
        "reason": run.reason,
        "gate": gate(run),
        "seed": str(run.seed),
        "depth": run.depth,
        "suite_version": run.suite_version,
        "spec_digest": run.spec_digest,
    }


def _told(clauses: Iterable[ClauseResult | None]) -> dict[str, str]:
    return {
        f"{clause.id}.{name}": value
        for clause in clauses
        if clause
        for name, value in (("level", clause.level), ("source", clause.source), ("verdict", clause.verdict))
    }


def _case(suite: str, case: TestCase) -> ET.Element:
    element = ET.Element("testcase", classname=suite, name=case.name, time=f"{case.seconds:.3f}")
    place = element
    if tag := ELEMENTS.get(case.ending):
        place = ET.SubElement(element, tag, {"message": case.message} | ({"type": case.kind} if case.kind else {}))
    if case.ending in {Ending.PASSED, Ending.SKIPPED}:
        place = ET.SubElement(element, "system-out")
    place.text = case.text or None
    return element


def _properties(facts: dict[str, str]) -> ET.Element:
    properties = ET.Element("properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=one_line(value))
    return properties

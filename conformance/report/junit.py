"""JUnit XML for CI servers: a test suite per family, a test case per clause.

JUnit knows green, red and skipped, and its viewers stop a pipeline on red. So red is exactly what gates the
run, and green is exactly ``pass``:

* a broken must-clause is a ``failure``;
* a must-clause that was left open is an ``error`` of type ``inconclusive``, ``untested`` or ``unexercised``,
  and a clause on which the suite broke is one of type ``error``, so that neither looks green;
* everything else that did not pass is ``skipped`` with its reason: untested, waived, known since the baseline,
  and should-clauses that are broken or left open, which warn and gate nothing unless the run was strict.
  Their findings stand in ``system-out``.

Level, source and verdict of each clause are properties of its suite, named after it: the schema that Jenkins checks
(``junit-10.xsd`` of its xUnit plugin) knows none of a test case, and refuses the file for them.

When no clause says why the run may not pass (nothing passed, the run was interrupted), a test case
``run.verdict`` says it; without it the file would be green. Times of single clauses are not measured and are
given as 0.
"""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from conformance.report.outline import families, gate, headline, in_words, seconds, target_name
from conformance.report.visible import command, one_line, visible
from conformance.verdict import Absence, ClauseResult, Finding, GatePolicy, Run, Verdict, gates, known


def render(run: Run) -> str:
    """The run as a ``testsuites`` document."""
    suites = [
        _suite(run, family, [_case(clause, run.policy) for clause in clauses], _told(clauses))
        for family, clauses in families(run).items()
    ]
    if _silent(run):
        suites.append(_suite(run, "run", [_run_case(run)], {}))
    root = ET.Element("testsuites", name=one_line(f"conformance of {target_name(run)}: {headline(run)}"))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", f"{seconds(run) or 0:.3f}")
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(run: Run, name: str, cases: Iterable[ET.Element], told: dict[str, str]) -> ET.Element:
    suite = ET.Element("testsuite", name=one_line(name), timestamp=one_line(run.started), time="0")
    suite.append(_properties(_facts(run) | told))
    suite.extend(cases)
    suite.set("tests", str(len(suite.findall("testcase"))))
    for plural, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(plural, str(len(suite.findall(f"testcase/{element}"))))
    return suite


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


def _told(clauses: Iterable[ClauseResult]) -> dict[str, str]:
    return {
        f"{clause.id}.{name}": value
        for clause in clauses
        for name, value in (("level", clause.level), ("source", clause.source), ("verdict", clause.verdict))
    }


def _case(clause: ClauseResult, policy: GatePolicy) -> ET.Element:
    case = ET.Element("testcase", classname=one_line(clause.family), name=one_line(clause.id), time="0")
    if clause.verdict is Verdict.PASS:
        ET.SubElement(case, "system-out").text = _text(clause)
        return case
    name, kind = _outcome(clause, policy)
    attributes = {"message": _message(clause, policy)} | ({"type": kind} if name != "skipped" else {})
    outcome = ET.SubElement(case, name, attributes)
    if name != "skipped":
        outcome.text = _text(clause)
    else:
        ET.SubElement(case, "system-out").text = _text(clause)
    return case


def _outcome(clause: ClauseResult, policy: GatePolicy) -> tuple[str, str]:
    if not gates(clause, policy):
        return "skipped", ""
    if clause.verdict is Verdict.FAIL:
        return "failure", one_line(clause.findings[0].rule if clause.findings else "fail")
    if clause.absence is Absence.UNEXERCISED:
        return "error", Absence.UNEXERCISED.value
    return "error", clause.verdict.value


def _message(clause: ClauseResult, policy: GatePolicy) -> str:
    words = clause.findings[0].summary if clause.findings else in_words(clause)
    if len(clause.findings) > 1:
        words += f" (and {len(clause.findings) - 1} more)"
    if clause.verdict is Verdict.FAIL:
        return one_line(words if gates(clause, policy) else f"{_excuse(clause, policy)}, gates nothing: {words}")
    return one_line(f"{clause.verdict}: {in_words(clause)}")


def _excuse(clause: ClauseResult, policy: GatePolicy) -> str:
    return "known since the baseline" if known(clause, policy) else "warning"


def _text(clause: ClauseResult) -> str:
    head = f"{clause.id} ({clause.level}): {clause.statement}\nSource: {clause.source}\n{in_words(clause)}"
    return "\n\n".join([visible(head), *map(_finding, clause.findings)])


def _finding(finding: Finding) -> str:
    parts = (
        ("Finding", finding.summary),
        ("Expected", finding.expected),
        ("Observed", finding.observed),
        ("Smallest case", finding.case),
        ("Reproduce", "\n".join(map(command, finding.reproduce))),
        ("Waiver", finding.waiver.in_words() if finding.waiver else ""),
    )
    return "\n".join(f"{name}: {visible(text)}" for name, text in parts if text)


def _silent(run: Run) -> bool:
    spoken = any(gates(clause, run.policy) for clause in run.clauses)
    return not spoken and (run.verdict is not Verdict.PASS or run.interrupted)


def _run_case(run: Run) -> ET.Element:
    case = ET.Element("testcase", classname="run", name="run.verdict", time="0")
    kind = "interrupted" if run.interrupted else run.verdict.value
    name = "failure" if run.verdict is Verdict.FAIL else "error"
    ET.SubElement(case, name, message=one_line(f"{headline(run)}: {run.reason}"), type=kind)
    return case


def _properties(facts: dict[str, str]) -> ET.Element:
    properties = ET.Element("properties")
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=one_line(value))
    return properties

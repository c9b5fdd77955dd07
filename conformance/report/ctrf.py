"""CTRF (Common Test Report Format, ctrf.io): a JSON document of test cases that many CI views take, whatever ran them.

What is red and green is said in :mod:`conformance.report.cases`. CTRF has one red, ``failed``, so what is open and
gates is failed, too; ``rawStatus`` is the clause's own verdict. What was not tried is ``skipped``, what was tried and
gates nothing (waived, known, a warning) is ``other``.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from conformance.report.cases import Ending, TestCase, cases
from conformance.report.outline import SUITE, gate, headline, target_name
from conformance.report.visible import one_line
from conformance.verdict import Run, Verdict

VERSION = "0.0.0"
"""Of the format; its schema is still the first."""

RED = {Ending.FAILED, Ending.ERRED}
STATUSES = ("passed", "failed", "skipped", "pending", "other")


def render(run: Run) -> str:
    """The run as a CTRF document, in ASCII."""
    tests = [_test(run, case) for case in cases(run)]
    start, stop = _milliseconds(run.started), _milliseconds(run.finished)
    document = {
        "reportFormat": "CTRF",
        "specVersion": VERSION,
        "generatedBy": SUITE,
        "results": {
            "tool": {"name": SUITE, "version": one_line(run.suite_version)},
            "summary": {
                **_counts(tests),
                "suites": len({tuple(test["suite"]) for test in tests}),
                "start": start,
                "stop": max(start, stop),
                "duration": max(0, stop - start),
            },
            "tests": tests,
            "environment": {"testEnvironment": one_line(target_name(run)), "healthy": run.verdict is Verdict.PASS},
            "extra": {
                "verdict": headline(run),
                "reason": one_line(run.reason),
                "gate": one_line(gate(run)),
                "seed": run.seed,
                "depth": one_line(run.depth),
                "specDigest": one_line(run.spec_digest),
            },
        },
    }
    return json.dumps(document, indent=1) + "\n"


def _counts(tests: Iterable[dict[str, Any]]) -> dict[str, int]:
    seen = Counter(test["status"] for test in tests)
    return {"tests": seen.total(), **{status: seen[status] for status in STATUSES}}


def _test(run: Run, case: TestCase) -> dict[str, Any]:
    target = one_line(target_name(run))
    told = {"message": case.message, "trace": case.text} if case.ending in RED else {"message": case.message}
    return {
        "testId": f"{target}/{case.name}",
        "name": case.name,
        "suite": [target, case.family],
        "status": _status(case),
        "rawStatus": case.clause.verdict.value if case.clause else headline(run),
        "duration": round(case.seconds * 1000),
        **{name: text for name, text in told.items() if text},
        **({} if case.ending in RED else {"stdout": case.text.splitlines()}),
        "type": "conformance",
        "tags": [case.clause.level.value] if case.clause else [],
    }


def _status(case: TestCase) -> str:
    if case.ending is Ending.PASSED:
        return "passed"
    if case.ending in RED:
        return "failed"
    return "skipped" if case.clause and case.clause.verdict is Verdict.UNTESTED else "other"


def _milliseconds(moment: str) -> int:
    try:
        return round(datetime.fromisoformat(moment).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return 0

"""An in-toto Statement with the test-result predicate, so that a release pipeline can demand a signed verdict.

Subjects are what was judged and by what: the target's public description and the specification. It is unsigned;
signing is the pipeline's. ``PASSED`` and ``WARNED`` are said of a whole run that passed, never of a partial or an
interrupted one. (in-toto attestation framework: Statement v1, Test Result predicate v0.1.)
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from conformance.report import document
from conformance.report.outline import gates, target_name
from conformance.report.visible import one_line
from conformance.verdict import ClauseResult, Run, Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


def render(run: Run) -> str:
    """The statement as JSON in ASCII."""
    statement = {
        "_type": STATEMENT,
        "subject": [
            _resource(f"target {target_name(run)}", digest_of(run.target)),
            _resource("specification", run.spec_digest.removeprefix("sha256:")),
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "result": _result(run),
            "configuration": _configuration(run),
            "passedTests": _ids(run, lambda clause: clause.verdict is Verdict.PASS),
            "warnedTests": _ids(run, lambda clause: _warns(clause, run)),
            "failedTests": _ids(run, lambda clause: gates(clause, run.policy)),
        },
    }
    return json.dumps(statement, indent=1) + "\n"


def digest_of(value: Any) -> str:
    """SHA-256 over the JSON of a value: keys sorted, no blanks, ASCII."""
    return _sha256(json.dumps(value, sort_keys=True, separators=(",", ":")))


def _configuration(run: Run) -> list[dict[str, Any]]:
    options = {"seed": run.seed, "depth": run.depth, "suite_version": run.suite_version, "policy": asdict(run.policy)}
    return [_resource("options", digest_of(options)), _resource("report.json", _sha256(document.render(run)))]


def _result(run: Run) -> str:
    if run.verdict is not Verdict.PASS or run.partial or run.interrupted:
        return "FAILED"
    return "WARNED" if any(_warns(clause, run) for clause in run.clauses) else "PASSED"


def _warns(clause: ClauseResult, run: Run) -> bool:
    clear = clause.verdict in {Verdict.PASS, Verdict.UNTESTED}
    return not clear and not gates(clause, run.policy)


def _ids(run: Run, chosen: Callable[[ClauseResult], bool]) -> list[str]:
    return [one_line(clause.id) for clause in run.clauses if chosen(clause)]


def _resource(name: str, sha256: str) -> dict[str, Any]:
    return {"name": one_line(name), "digest": {"sha256": sha256}}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()

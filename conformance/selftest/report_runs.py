"""Runs built by hand, one for each way in which a run can end; nothing here needs a target."""

from dataclasses import replace
from typing import Any

from conformance.evidence import Exchange, Request, Response, curl
from conformance.verdict import (
    DEFAULT_POLICY,
    Absence,
    Baseline,
    ClauseChange,
    ClauseResult,
    Comparison,
    Difference,
    Finding,
    GatePolicy,
    GeneratedReach,
    Level,
    Phases,
    Requests,
    ResponseTimes,
    Run,
    Sighting,
    Span,
    Spent,
    Time,
    Verdict,
    Waiver,
    WaiverStatus,
    WaiverUse,
    overall,
)

HOSTILE = (
    "<script>alert('x')</script><img src=x onerror=alert(1)>\" onload=\"a() ]]> --> {{ 7 * 7 }} &lt; "
    "\x1b[31mred\x1b]0;title\x07 \x00\r\nsecond line \u202eevil\u2066 \u200b \x9b31m \udc80 \ufffe \u2028 end"
)


def exchange(number: int, status: int | None = 404, body: bytes = b"", sent: bytes = b"", text: str = "") -> Exchange:
    """An exchange with ``text`` in every place that a target controls; lost when ``status`` is None."""
    headers = (("Content-Type", f"application/json{text}"), (f"X-Echo{text}", "1"))
    return Exchange(
        id=f"w0-{number}",
        operation="removeIpAssociation",
        credential="full",
        request=Request(
            "DELETE",
            f"https://compute.example/v2/servers/s-1/ip_associations/{number}{text}",
            (("X-Auth-Token", "$CONFORMANCE_TOKEN"), ("Accept", "application/json")),
            sent,
            "content-length" if sent else "none",
        ),
        started=5.0,
        finished=5.25,
        at=1_795_444_205.125,
        response=None if status is None else Response(status, f"Reason{text}", headers, body),
        failure=f"connection reset{text}" if status is None else "",
    )


def finding(clause_id: str, *exchanges: Exchange, rule: str = "rule", text: str = "") -> Finding:
    """A finding with ``text`` in every place that a target controls."""
    return Finding(
        clause_id,
        rule,
        summary=f"summary of {clause_id}{text}",
        expected=f"expected by {clause_id}{text}",
        observed=f"observed at {clause_id}{text}",
        case=f"case of {clause_id}{text}",
        first_case=f"first case of {clause_id}{text}",
        exchanges=tuple(one.to_json() for one in exchanges),
        reproduce=tuple(curl(one) for one in exchanges),
        seen=3,
        details={"history": [f"step{text}"]},
    )


def clause(
    clause_id: str,
    verdict: Verdict = Verdict.PASS,
    *findings: Finding,
    level: Level = Level.MUST,
    absence: Absence | None = None,
    text: str = "",
) -> ClauseResult:
    """A result whose texts name its clause."""
    judged = verdict in {Verdict.PASS, Verdict.FAIL}
    return ClauseResult(
        id=clause_id,
        family=clause_id.partition(".")[0],
        level=level,
        statement=f"statement of {clause_id}",
        source=f"source of {clause_id}",
        verdict=verdict,
        reason=f"reason of {clause_id}{text}",
        cases=7 if judged else 0,
        unjudged=0 if judged else 2,
        requests=11,
        absence=absence,
        findings=findings,
    )


def run(
    *clauses: ClauseResult,
    name: str = "staging-dfw",
    policy: GatePolicy = DEFAULT_POLICY,
    waivers: tuple[WaiverUse, ...] = (),
) -> Run:
    """A finished run of these clauses, concluded as the suite concludes."""
    verdict, reason = overall(clauses, policy, waivers)
    return Run(
        verdict=verdict,
        reason=reason,
        target={
            "name": name,
            "compute": "https://compute.example/v2",
            "network": "https://network.example",
            "credentials": ["full"],
        },
        started="2026-11-23T14:30:05+00:00",
        finished="2026-11-23T14:30:17.300000+00:00",
        seed=7,
        depth="standard",
        suite_version="0.1.0",
        spec_digest=f"sha256:{'ab' * 32}",
        clauses=clauses,
        requests=Requests(412, {"204": 300}, {"removeIpAssociation": 412}, {"204": 30, "404": 2, "lost": 1}),
        generated=GeneratedReach(64, 16, {"204": 12, "400": 50, "404": 2}),
        notes=("a note for the operator",),
        policy=policy,
        waivers=waivers,
    )


def waiver(clause_id: str = "body.refused", match: str = "", expires: str = "2099-12-31", text: str = "") -> Waiver:
    """A waiver with ``text`` in every place that its author fills."""
    return Waiver(clause_id, f"a reason{text}", f"an owner{text}", f"T-1{text}", expires, match)


def broken(clause_id: str, level: Level = Level.MUST, verdict: Verdict = Verdict.FAIL) -> ClauseResult:
    """A clause with one finding."""
    return clause(clause_id, verdict, finding(clause_id, exchange(1)), level=level)


def waived(clause_id: str, text: str = "") -> ClauseResult:
    """A clause whose only finding is waived."""
    excused = replace(finding(clause_id, exchange(1), text=text), waiver=waiver(clause_id, text=text))
    return clause(clause_id, Verdict.WAIVED, excused)


PASSING = run(clause("codes.success"), clause("effect.removed"), clause("method.allow", level=Level.SHOULD))

FAILING = run(
    clause("codes.success"),
    clause(
        "body.refused",
        Verdict.FAIL,
        finding("body.refused", exchange(1, 201), exchange(2, 204, sent=b"\x00\xff"), rule="granted"),
        finding("body.refused", exchange(3, None), rule="lost"),
    ),
    clause(
        "method.allow",
        Verdict.FAIL,
        finding("method.allow", exchange(4, 405, b'{"error":{"code":405}}')),
        level=Level.SHOULD,
    ),
    clause("effect.repeat", Verdict.INCONCLUSIVE),
    clause("faults.client-input", Verdict.INCONCLUSIVE, level=Level.SHOULD),
    clause("effect.removed", Verdict.UNTESTED, absence=Absence.UNEXERCISED),
    clause("access.foreign", Verdict.UNTESTED, absence=Absence.CREDENTIAL),
    clause("limits.over-limit", Verdict.UNTESTED, absence=Absence.OCCASION),
    clause("codes.documented", Verdict.WAIVED, finding("codes.documented", exchange(5))),
)

HOSTILE_RUN = replace(
    run(
        clause(
            "body.refused",
            Verdict.FAIL,
            finding(
                "body.refused",
                exchange(1, 204, HOSTILE.encode("utf-8", "surrogatepass"), text=HOSTILE),
                exchange(2, 400, b"\xff\xfe<script>", b"\x1b\x00", text=HOSTILE),
                exchange(3, 400, b'{"a": "<script>\\u001b[31m\\u202e"}', b"\x1b[31m", text=HOSTILE),
                exchange(4, None, text=HOSTILE),
                text=HOSTILE,
            ),
            text=HOSTILE,
        ),
        clause("effect.repeat", Verdict.INCONCLUSIVE, text=HOSTILE),
        clause("body.inert", Verdict.WAIVED, finding("body.inert", exchange(9), text=HOSTILE), text=HOSTILE),
        name=f"staging{HOSTILE}",
    ),
    notes=(HOSTILE,),
    requests=Requests(1, {HOSTILE: 1}, {HOSTILE: 1}, {HOSTILE: 1}),
)


def sequence(text: str = "") -> dict[str, Any]:
    """Details of a sequence of four steps, the last of which breaks the model, with ``text`` in every word."""
    steps = [
        ("associate", "associate A with s1", "201 Created", [{"A": ["s1"]}]),
        ("list", "list the associations of s1", "200 OK", [{"A": ["s1"]}]),
        ("remove", "remove s1 from A", "204 No Content", [{"A": []}]),
        ("show", "show the association of A with s1", "200 OK", [{"A": []}]),
    ]
    return {
        "kind": "steps",
        "initial": [{"A": []}],
        "names": {"A": f"id-of-a{text}", "s1": f"id-of-s1{text}"},
        "earlier": 3,
        "steps": [
            {
                "f": f,
                "asked": f"{asked}{text}",
                "allowed": [f"allowed after {f}{text}"],
                "answered": f"{answered}{text}",
                "agrees": f != "show",
                "exchange": str(number),
                "states": states,
            }
            for number, (f, asked, answered, states) in enumerate(steps)
        ],
    }


def pictured(whole: Run, text: str = "") -> Run:
    """The run with everything that is drawn: counts, times, spans, a comparison; ``text`` in what a target names."""
    drawn = replace(
        finding("lifecycle.model", exchange(8, 200, text=text), text=text),
        details=sequence(text),
        program="print('a program')\n",
    )
    counts = [0, 5, 9, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    began = 1_795_444_205.0
    return replace(
        whole,
        clauses=(*whole.clauses, clause("lifecycle.model", Verdict.FAIL, drawn)),
        requests=Requests(
            24,
            {"204": 20, "404": 2, "lost": 2},
            {"removeAssociation": 21, f"{text} on the association": 3},
            {"204": 20, "404": 2, "lost": 2},
            {"unauthenticated": {"204": 1}, "standing": {"204": 18, "lost": 2}, "absent": {"204": 1, "404": 2}},
            {"removeAssociation": ResponseTimes(tuple(counts), 0.4)},
        ),
        tests=tuple(
            Span(f"test_{verdict}{text}", f"gw{number % 2}{text}", ids, began + number, 1.5, verdict, 11)
            for number, (verdict, ids) in enumerate((one, ("body.refused", f"unknown.clause{text}")) for one in Verdict)
        ),
        comparison=Comparison(
            f"staging{text}",
            f"2026-11-01T00:00:00Z{text}",
            Verdict.PASS,
            f"0.0.9{text}",
            Difference(
                better=(ClauseChange("codes.success", Verdict.UNTESTED, Verdict.PASS),),
                worse=(ClauseChange("body.refused", Verdict.PASS, Verdict.FAIL),),
                unsure=(ClauseChange(f"gone.clause{text}", Verdict.PASS, None),),
                new=(Sighting("lifecycle.model", "rule", f"a new finding{text}"),),
                gone=(Sighting("codes.success", "rule", f"an old finding{text}"),),
            ),
        ),
    )


INCONCLUSIVE = run(clause("codes.success", Verdict.INCONCLUSIVE), clause("effect.removed"))
ERRING = run(clause("codes.success", Verdict.ERROR), clause("effect.removed"))
PARTIAL = replace(PASSING, partial=True)
INTERRUPTED = replace(PASSING, interrupted=True)
EMPTY = replace(run(), requests=Requests(), generated=GeneratedReach(), notes=())

WAIVED = run(
    clause("codes.success"),
    waived("body.refused"),
    waivers=(WaiverUse(waiver(), WaiverStatus.APPLIED, (finding("body.refused").fingerprint,)),),
)
STALE = run(
    clause("codes.success"),
    clause("body.refused"),
    waivers=(
        WaiverUse(waiver(), WaiverStatus.OBSOLETE),
        WaiverUse(waiver("codes.success", "x"), WaiverStatus.UNDECIDED),
    ),
)
STRICT = run(clause("codes.success"), broken("method.allow", Level.SHOULD), policy=GatePolicy(strict=True))
WHOLE = run(
    clause("codes.success"),
    clause("access.foreign", Verdict.UNTESTED, absence=Absence.CREDENTIAL),
    policy=GatePolicy(require_all=True),
)
KNOWN = run(
    clause("codes.success"),
    broken("body.refused"),
    policy=GatePolicy(baseline=Baseline("staging-dfw", "2026-11-01", (finding("body.refused").fingerprint,))),
)
HOSTILE_WAIVED = run(
    clause("codes.success"),
    waived("body.refused", HOSTILE),
    policy=GatePolicy(baseline=Baseline(HOSTILE, HOSTILE)),
    waivers=(WaiverUse(waiver(match=HOSTILE, text=HOSTILE), WaiverStatus.UNMATCHED),),
)

TIMED = replace(
    PASSING,
    clauses=tuple(
        replace(clause, spent=Spent(target=9.5 * number, settling=0.5, own=0.001))
        for number, clause in enumerate(PASSING.clauses)
    ),
    time=Time(2, Phases(0.4, 3.0, 130.25, 1.5), Spent(target=28.5, settling=1.5, own=0.001)),
)
UNTRIED = replace(EMPTY, time=Time(1, Phases(0.4), Spent()))

RUNS = {
    "timed": TIMED,
    "stopped before the first test": UNTRIED,
    "passing": PASSING,
    "failing": FAILING,
    "hostile": HOSTILE_RUN,
    "inconclusive": INCONCLUSIVE,
    "erring": ERRING,
    "partial": PARTIAL,
    "interrupted": INTERRUPTED,
    "empty": EMPTY,
    "waived": WAIVED,
    "stale waivers": STALE,
    "strict": STRICT,
    "all required": WHOLE,
    "known": KNOWN,
    "hostile waivers": HOSTILE_WAIVED,
    "pictured": pictured(FAILING),
    "hostile pictures": pictured(HOSTILE_RUN, HOSTILE),
}

"""What a run concludes, as frozen data, and the rules that turn many results into one verdict.

It refuses to know how a request is sent, how a clause is judged or how a report looks.
"""

from conformance.verdict.artifact import Artifact
from conformance.verdict.comparison import ClauseChange, Comparison, Difference, Sighting
from conformance.verdict.findings import KINDS, ONCE, SCOPE, smaller, told_apart
from conformance.verdict.gate import baseline_of, gates, is_known, known, notes_on, overall
from conformance.verdict.policy import DEFAULT_POLICY, Baseline, GatePolicy
from conformance.verdict.records import (
    FINGERPRINTS,
    FORMAT,
    Classes,
    ClauseResult,
    Finding,
    GeneratedReach,
    Requests,
    ResponseTimes,
    Ruling,
    Run,
    Violation,
    worst,
)
from conformance.verdict.space import PairsMet, SpaceMet
from conformance.verdict.terms import EXIT_CODES, WORST_FIRST, Absence, Level, Verdict, type_of_json
from conformance.verdict.timing import Phases, Span, Spent, Time
from conformance.verdict.waiver import STALE, Waiver, WaiverStatus, WaiverUse

__all__ = [
    "DEFAULT_POLICY",
    "EXIT_CODES",
    "FINGERPRINTS",
    "FORMAT",
    "KINDS",
    "ONCE",
    "SCOPE",
    "STALE",
    "WORST_FIRST",
    "Absence",
    "Artifact",
    "Baseline",
    "Classes",
    "ClauseChange",
    "ClauseResult",
    "Comparison",
    "Difference",
    "Finding",
    "GatePolicy",
    "GeneratedReach",
    "Level",
    "PairsMet",
    "Phases",
    "Requests",
    "ResponseTimes",
    "Ruling",
    "Run",
    "Sighting",
    "SpaceMet",
    "Span",
    "Spent",
    "Time",
    "Verdict",
    "Violation",
    "Waiver",
    "WaiverStatus",
    "WaiverUse",
    "baseline_of",
    "gates",
    "is_known",
    "known",
    "notes_on",
    "overall",
    "smaller",
    "told_apart",
    "type_of_json",
    "worst",
]

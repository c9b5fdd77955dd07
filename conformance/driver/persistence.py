"""When a fault is the answer: how often it has to be seen, and what is held against it (CONTRACT, decision 13)."""

from __future__ import annotations

import math

from conformance.evidence.recorder import Recorder

FEWEST_TRIES, MOST_TRIES = 3, 8
SECONDS = 2.0
"""Over which the tries are spread at least."""

IMPROBABLE = 0.001
"""A run of faults is an answer when chance makes one less often than this in a run."""

CASES = 1000
"""Cases of a run, for that bound."""

RULE_OF_THREE = 3.0
"""Of a kind that was never seen in n cases the share is below 3 / n (95 %)."""


def fault_share(recorder: Recorder) -> float:
    """An upper bound of the share of faults among plain requests."""
    counted = recorder.by_code
    faults = sum(counted[code] for code in ("500", "502", "503", "504", "lost"))
    return (faults + RULE_OF_THREE) / max(recorder.total, 10)


def fewest_tries(share: float) -> int:
    """So many in a row are no chance, where ``share`` of plain requests are answered with a fault."""
    needed = math.ceil(math.log(IMPROBABLE / CASES) / math.log(min(share, 0.9)))
    return max(FEWEST_TRIES, min(MOST_TRIES, needed))

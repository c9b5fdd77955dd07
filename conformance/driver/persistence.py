"""When a fault or a plea is the answer: how often it has to be seen, what is held against it (decisions 13 and 18)."""

from __future__ import annotations

import math

from conformance.client import passing
from conformance.evidence import Exchange
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


def is_plea(exchange: Exchange, *, content_is_turned_away: bool) -> bool:
    """The answer was lost or asks for patience; one that speaks of the content does not, and is final (decision 18)."""
    if not speaks_of_content(exchange):
        return passing(exchange)
    assert exchange.response is not None
    return exchange.response.header("Retry-After") is not None and not content_is_turned_away


def speaks_of_content(exchange: Exchange) -> bool:
    """A 413 to a request with content, which may be no limit of the rate at all."""
    return exchange.status == 413 and exchange.request.framing != "none"


def fewest_tries(share: float) -> int:
    """So many in a row are no chance, where ``share`` of plain requests are answered with a fault."""
    needed = math.ceil(math.log(IMPROBABLE / CASES) / math.log(min(share, 0.9)))
    return max(FEWEST_TRIES, min(MOST_TRIES, needed))

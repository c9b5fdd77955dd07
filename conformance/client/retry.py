"""When an answer says "not now": how long to wait, and how often to try again.

Only requests whose repetition changes nothing are retried here (reads, idempotent set-up). A removal under test is
never repeated behind the judge's back: each attempt is an exchange of its own.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable

from conformance.client import halting
from conformance.evidence import Exchange

PASSING = frozenset({413, 429, 500, 502, 503, 504})
"""Codes that say nothing about the request but that it is not to be had now. 429, 502 and 504 are undocumented; they
are waited out in set-up and reads all the same, where no clause judges them."""

ATTEMPTS = 6
LONGEST_WAIT_SECONDS = 20.0
FIRST_WAIT_SECONDS = 0.1


def passing(exchange: Exchange) -> bool:
    """The answer was lost, or asks for patience."""
    return exchange.response is None or exchange.response.status in PASSING


def again_after(exchange: Exchange, attempt: int) -> float:
    """Seconds to wait before attempt number ``attempt + 1``: what Retry-After asks for (RFC 9110, 10.2.3), bounded."""
    asked = exchange.response.header("Retry-After") if exchange.response else None
    patience = FIRST_WAIT_SECONDS * 2.0**attempt
    return min(LONGEST_WAIT_SECONDS, max(patience, _seconds(asked)))


def _seconds(retry_after: str | None) -> float:
    """Seconds or a date (RFC 9110, 10.2.3); nothing that a target can write there is more than an unheeded wish."""
    readers: tuple[Callable[[str], float], ...] = (float, _until)
    for read in readers:
        try:
            return max(0.0, read(retry_after or ""))
        except (ValueError, TypeError, OverflowError):
            continue
    return 0.0


def _until(date: str) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp() - time.time()


def retried(send: Callable[[], Exchange], attempts: int = ATTEMPTS) -> Exchange:
    """The first answer of ``send`` that is more than a plea for patience, or the last of ``attempts``.

    A target that does not answer at all is asked twice: each attempt may take the whole timeout.
    """
    exchange = send()
    for attempt in range(attempts - 1):
        if not passing(exchange) or (exchange.failure.startswith("timed out") and attempt):
            break
        halting.pause(again_after(exchange, attempt))
        exchange = send()
    return exchange

"""When an answer says "not now": how long to wait, and how often to try again.

Only requests whose repetition changes nothing are retried here (reads, idempotent set-up). A removal under test is
never repeated behind the judge's back: each attempt is an exchange of its own.
"""

from __future__ import annotations

import contextlib
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
LONGEST_PLEA_SECONDS = 60.0
"""A target that asks for more patience than that is not waited for."""

FIRST_WAIT_SECONDS = 0.1


def passing(exchange: Exchange) -> bool:
    """The answer was lost, or asks for patience."""
    return exchange.response is None or exchange.response.status in PASSING


def again_after(exchange: Exchange, attempt: int) -> float:
    """Seconds to wait before attempt number ``attempt + 1``: what Retry-After asks for (RFC 9110, 10.2.3), bounded.

    A time that is longer than anybody here would wait is not waited for at all.
    """
    asked = _asked(exchange)
    return 0.0 if hopeless(exchange) else min(LONGEST_WAIT_SECONDS, max(FIRST_WAIT_SECONDS * 2.0**attempt, asked))


def hopeless(exchange: Exchange) -> bool:
    """Retry-After asks for more than the rest of the time that there is."""
    return _asked(exchange) > min(LONGEST_PLEA_SECONDS, halting.left())


def _asked(exchange: Exchange) -> float:
    """Seconds or a date (RFC 9110, 10.2.3); nothing that a target can write there is more than an unheeded wish."""
    asked = (exchange.response.header("Retry-After") if exchange.response else None) or ""
    with contextlib.suppress(ValueError):
        return max(0.0, float(asked))
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, _moment(asked) - _now(exchange))
    return 0.0


def _now(exchange: Exchange) -> float:
    """The target's own clock, if it says what that shows."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return _moment((exchange.response.header("Date") if exchange.response else None) or "")
    return time.time()


def _moment(date: str) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp()


def retried(send: Callable[[], Exchange], attempts: int = ATTEMPTS) -> Exchange:
    """The first answer of ``send`` that is more than a plea for patience, or the last of ``attempts``.

    A target that does not answer at all is asked twice: each attempt may take the whole timeout.
    """
    exchange = send()
    for attempt in range(attempts - 1):
        if not passing(exchange) or hopeless(exchange) or (exchange.failure.startswith("timed out") and attempt):
            break
        halting.pause(again_after(exchange, attempt))
        exchange = send()
    return exchange

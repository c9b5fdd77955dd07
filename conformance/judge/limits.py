"""``limits.*``: what a 413 does and says."""

from __future__ import annotations

from conformance.evidence import Exchange
from conformance.judge.attempt import Attempt
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling


def over_limit(attempt: Attempt) -> Ruling | None:
    """``limits.over-limit``: a 413 did nothing; None when it was none, or there was nothing to remove."""
    if attempt.status != 413 or not attempt.reached:
        return None
    if not attempt.changes:
        return kept("limits.over-limit", reached=attempt.exposed)
    return broken(
        "limits.over-limit",
        "effect",
        summary="a request over the limit is carried out",
        expected="nothing changed",
        observed=f"{attempt.exchange.outcome}, yet {'; '.join(attempt.changes)}",
        exchanges=attempt.evidence,
    )


def retry_after(exchange: Exchange) -> Ruling | None:
    """``limits.retry-after``: a 413 says when to come back; None when it was none, or may speak of the body's size."""
    if exchange.response is None or exchange.response.status != 413 or exchange.request.framing != "none":
        return None
    if exchange.response.header("Retry-After") is not None:
        return kept("limits.retry-after")
    return broken(
        "limits.retry-after",
        "no Retry-After",
        summary="a 413 carries no Retry-After",
        expected="a Retry-After header (RFC 9110, 10.2.3)",
        observed=f"{exchange.outcome} without Retry-After",
        exchanges=[exchange],
    )

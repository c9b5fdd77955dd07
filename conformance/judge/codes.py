"""``codes.*``: which codes the operation may answer, and which one says that an association was removed."""

from __future__ import annotations

from conformance import openapi
from conformance.evidence import Exchange
from conformance.judge.attempt import Attempt
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling


def documented_codes() -> str:
    """The codes of the page, as a finding names them."""
    return ", ".join(str(code) for code in sorted(openapi.documented()))


def documented(exchange: Exchange) -> Ruling | None:
    """``codes.documented``: the answer carries a code of the page; None when the answer was lost."""
    if exchange.status is None:
        return None
    if exchange.status in openapi.documented():
        return kept("codes.documented")
    return broken(
        "codes.documented",
        f"code {exchange.status}",
        summary=f"the operation answers {exchange.status}, which is not documented",
        expected=f"one of {documented_codes()}",
        observed=exchange.outcome,
        exchanges=[exchange],
    )


def success(attempt: Attempt) -> Ruling | None:
    """``codes.success``: an existing association is removed with 204; None when that could not be seen."""
    if not attempt.reached or attempt.outcome_unknown or attempt.status == 413:
        return None
    if attempt.status == 204:
        return kept("codes.success", reached=attempt.reached)
    return broken(
        "codes.success",
        f"code {attempt.status}",
        summary=f"removing an existing association answers {attempt.status} ({attempt.words})",
        expected="204",
        observed=attempt.exchange.outcome,
        exchanges=[attempt.exchange],
    )

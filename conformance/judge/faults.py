"""``faults.*``: whose mistake an answer says it was."""

from __future__ import annotations

from conformance.evidence import Exchange
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling

CLAUSE = "faults.client-input"


def client_input(words: str, answers: list[Exchange], *, confirmed: bool) -> Ruling | None:
    """``faults.client-input``: a client's mistake is not answered with 500 or 503.

    Args:
        words: the mistake.
        answers: every answer to it, in order.
        confirmed: requests without the mistake, sent in between, were answered without a server fault.
    """
    last = answers[-1]
    if last.status is None or (last.status >= 500 and not confirmed):
        return None
    if last.status < 500:
        return kept(CLAUSE)
    return broken(
        CLAUSE,
        f"code {last.status}",
        summary=f"{words} is answered {last.status}: a client's mistake taken for a server fault",
        expected="a 4xx",
        observed=f"{last.outcome}, {len(answers)} times in a row, while requests without the mistake succeed",
        exchanges=answers[-1:],
    )

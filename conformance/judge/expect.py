"""The only place where a violation is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conformance.evidence import Exchange
from conformance.verdict import Ruling, Violation

Exchanges = Iterable[Exchange | str]


def kept(clause: str, *, reached: bool = True) -> Ruling:
    """The clause holds in the case; if its precondition was not ``reached``, that says nothing of the target."""
    return Ruling(clause, reached=reached)


def broken(
    clause: str,
    rule: str,
    *,
    summary: str,
    expected: str,
    observed: str,
    exchanges: Exchanges,
    details: Mapping[str, Any] | None = None,
    decisive: str = "",
) -> Ruling:
    """The case was judged and the clause is broken in it.

    Args:
        rule: the check within the clause; cases that break the same rule are one finding.
        exchanges: the exchanges that show it (or their identifiers), in order.
        details: what a report may draw.
        decisive: the exchange that breaks the clause, where it is not the last one but reads.
    """
    cited = tuple(dict.fromkeys(one if isinstance(one, str) else one.id for one in exchanges))
    drawn = dict(details or {})
    return Ruling(clause, Violation(clause, rule, summary, expected, observed, cited, details=drawn, decisive=decisive))

"""Refusals: a 4xx that changed nothing (spec/README.md, decision 2), whatever the family that asks for one."""

from __future__ import annotations

from conformance.judge.attempt import Attempt
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling

THROTTLED = 429
"""Undocumented, and no answer to what was asked: ``codes.documented`` speaks of it, not who asks for another code."""


def refused(
    clause: str, attempt: Attempt, *, codes: frozenset[int] | None = None, rule: str = "refusal"
) -> Ruling | None:
    """The request was answered with a 4xx (one of ``codes``, if given) and removed nothing.

    None when it says nothing: the answer was lost, a server fault or one that throttles, or no association existed
    that a lost check could have removed and the answer is a refusal (no vacuous pass).
    """
    if attempt.outcome_unknown or (codes and attempt.status == THROTTLED and not attempt.changes):
        return None
    if not attempt.refused:
        return _accepted(clause, attempt, codes, rule)
    if not attempt.reached:
        return None
    if codes is not None and attempt.status not in codes:
        return _wrong_code(clause, attempt, codes, rule)
    if attempt.changes:
        return _changed(clause, attempt, rule)
    return kept(clause, reached=attempt.exposed)


def refused_or(
    clause: str, attempt: Attempt, *, codes: frozenset[int] | None, granted: set[int], rule: str = "refusal"
) -> Ruling | None:
    """As :func:`refused`, but codes that the target's policy grants are kept, too (spec/README.md, decision 5)."""
    if attempt.status in granted and attempt.reached:
        return kept(clause, reached=attempt.exposed)
    return refused(clause, attempt, codes=codes, rule=rule)


def once(clause: str, words: str, changes: tuple[str, ...], evidence: tuple[str, ...]) -> Ruling:
    """``clause`` asks of every request of a batch that it change nothing; one did, and none does it again."""
    return broken(
        clause,
        "refusal: effect, once",
        summary=f"{words}, changes something",
        expected="refusals that change nothing",
        observed="; ".join(changes),
        exchanges=evidence,
    )


def _names(codes: frozenset[int] | None) -> str:
    return " or ".join(str(code) for code in sorted(codes)) if codes else "a 4xx"


def _accepted(clause: str, attempt: Attempt, codes: frozenset[int] | None, rule: str) -> Ruling:
    effect = "; ".join(attempt.changes) or "and nothing seen to change"
    return broken(
        clause,
        rule,
        summary=f"{attempt.words} is not refused",
        expected=f"{_names(codes)}, and nothing removed",
        observed=f"{attempt.exchange.outcome}, {effect}",
        exchanges=attempt.evidence,
    )


def _wrong_code(clause: str, attempt: Attempt, codes: frozenset[int], rule: str) -> Ruling:
    return broken(
        clause,
        f"{rule}: code {attempt.status}",
        summary=f"{attempt.words} is refused with {attempt.status}",
        expected=_names(codes),
        observed=attempt.exchange.outcome,
        exchanges=[attempt.exchange],
    )


def _changed(clause: str, attempt: Attempt, rule: str) -> Ruling:
    return broken(
        clause,
        f"{rule}: effect",
        summary=f"{attempt.words} is refused, but carried out",
        expected="a refusal that changes nothing",
        observed=f"{attempt.exchange.outcome}, yet {'; '.join(attempt.changes)}",
        exchanges=attempt.evidence,
    )

"""Which findings are one: the smallest counterexample stands for all that show the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from conformance.verdict.records import Finding

SCOPE = "scope"
"""Among a finding's details: what was changed, as it is seen from what the request named."""

KINDS = "kinds"
"""Among a finding's details: what became of what, whichever it was."""


ONCE = "once"
"""Among a finding's details: no request was seen to do it again."""


def smaller(one: Finding, other: Finding) -> Finding:
    """Both show the same: the one that is easier to read, counting both, keeping how it was first met."""
    kept = min(one, other, key=lambda finding: (len(finding.exchanges), len(finding.case), finding.case))
    first = one.first_case or one.case
    extents = {name: sorted({*one.details.get(name, ()), *other.details.get(name, ())}) for name in (SCOPE, KINDS)}
    details = {**kept.details, **{name: changed for name, changed in extents.items() if changed}}
    if not (ONCE in one.details and ONCE in other.details):
        details.pop(ONCE, None)
    return replace(kept, seen=one.seen + other.seen, first_case="" if first == kept.case else first, details=details)


def told_apart(findings: Iterable[Finding], *, plainly: bool = False) -> list[Finding]:
    """One finding for each kind of violation of a clause.

    A kind has the smallest set of classes without which it does not occur. So what a plain request shows as well, by
    the same rule and with as wide an effect, is none of the classes of those that wear more.

    Args:
        plainly: the clause is about requests that are granted, of which one without classes is the plainest.
    """
    found: dict[str, Finding] = {}
    for one in findings:
        found[one.fingerprint] = smaller(found[one.fingerprint], one) if one.fingerprint in found else one
    plain = {(one.clause, one.rule): one.fingerprint for one in found.values() if plainly and not one.classes}
    for one in [one for one in found.values() if one.classes]:
        known = plain.get((one.clause, one.rule))
        if known and _is_within(one, found[known]):
            found[known] = replace(found[known], seen=found[known].seen + one.seen)
            del found[one.fingerprint]
    return list(found.values())


def _is_within(one: Finding, plain: Finding) -> bool:
    """Its effect is none that the plain one has not; where it is not told, it is compared with none that is."""
    return (SCOPE in one.details) == (SCOPE in plain.details) and _scope(one) <= _scope(plain)


def _scope(finding: Finding) -> frozenset[str]:
    return frozenset(finding.details.get(SCOPE, ()))

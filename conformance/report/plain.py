"""What a broken clause means, in a sentence that somebody says who has never read the contract.

Each clause has two: what follows if it was seen to have an effect that it must not have, and what is so if only the
answer was wrong. A clause that has none here is told by its finding's own summary.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from conformance.verdict import ClauseResult, Finding, Level


class Harm(IntEnum):
    """How bad it is, the worst first."""

    ACCESS = 0
    LOSS = 1
    ANSWER = 2
    ADVICE = 3


HARMS: Mapping[Harm, str] = {
    Harm.ACCESS: "access",
    Harm.LOSS: "data",
    Harm.ANSWER: "answers",
    Harm.ADVICE: "advice",
}
"""What is at stake, in a word."""

PLAIN: Mapping[str, tuple[str, str]] = {
    "access.authenticated": (
        "anyone can remove associations without a valid token",
        "a caller without a valid token is not answered 401",
    ),
    "access.forbidden": (
        "a caller who may not delete can remove associations",
        "a caller who may not delete is not answered 403",
    ),
    "access.foreign": (
        "another tenant can remove what is not theirs",
        "another tenant's request is not refused as documented",
    ),
    "body.inert": ("the content of a request chooses what is removed", "the content of a request changes the outcome"),
    "body.refused": ("a removal that carries content is carried out", "content is not refused as documented"),
    "codes.documented": ("the service answers with undocumented codes",) * 2,
    "codes.success": ("removing an association does not answer 204",) * 2,
    "concurrency.linearizable": (
        "requests at the same time end in a state that no order explains",
        "requests at the same time are answered as no order explains",
    ),
    "deallocation.delete-after": (
        "an address cannot be given back by DELETE although nothing uses it",
        "giving back an unused address by DELETE is answered wrongly",
    ),
    "deallocation.delete-refused": (
        "an address that is in use can be deleted",
        "deleting an address that is in use is not refused",
    ),
    "deallocation.put-after": (
        "an address cannot be given back by PUT although nothing uses it",
        "giving back an unused address by PUT is answered wrongly",
    ),
    "deallocation.put-refused": (
        "an address that is in use can be given back by PUT",
        "giving back an address that is in use is not refused",
    ),
    "deallocation.until-the-last": (
        "an address can be given back before its last association is removed",
        "giving back an address before its last association is removed is not refused",
    ),
    "effect.nothing-else": ("a removal changes more than it was asked to",) * 2,
    "effect.refusal-is-inert": ("requests that are refused change something all the same",) * 2,
    "effect.removed": ("removed associations stay or come back",) * 2,
    "effect.repeat": (
        "repeating a removal changes something",
        "repeating a removal is answered with an undocumented code",
    ),
    "faults.client-input": (
        "a client's mistake makes the service fail",
        "a client's mistake is reported as a fault of the service",
    ),
    "identifier.canonical": (
        "other spellings of an address's ID are taken",
        "spellings of an address's ID are not treated as they should be",
    ),
    "identifier.not-the-address": (
        "the IP address itself is taken for its ID",
        "the IP address in place of its ID is not refused",
    ),
    "identifier.uuid": ("malformed IDs remove something", "malformed IDs are not refused"),
    "lifecycle.model": (
        "a plain sequence of requests ends in a wrong state",
        "a plain sequence of requests is answered wrongly",
    ),
    "limits.over-limit": ("a request over the limit is carried out",) * 2,
    "limits.retry-after": ("callers over the limit are not told when to try again",) * 2,
    "method.allow": ("a 405 does not name the methods that are allowed",) * 2,
    "method.override": ("a header or a query turns another method into a removal",) * 2,
    "method.refused": (
        "undocumented methods remove associations",
        "undocumented methods are not answered 405",
    ),
    "response.no-content": ("a 204 carries content",) * 2,
}
"""Clause -> what it means that it is broken: with an effect, and by the answer alone."""

MEANT_OF_STATE = frozenset({"effect", "lifecycle", "concurrency"})
"""Families whose clauses are about what stands: they are never broken by an answer alone, but for a code."""


def has_effect(finding: Finding) -> bool:
    """Whether something was changed, or left, that must not be; else only the answer was wrong."""
    rule = finding.rule
    if rule.startswith("code ") or ": code " in rule or "not refused" in rule:
        return False
    seen = finding.observed
    told = any(word in seen for word in ("shows", "does not show", "is gone", "still exists", "yet "))
    return told or finding.clause.partition(".")[0] in MEANT_OF_STATE


def harm(clause: ClauseResult, finding: Finding) -> Harm:
    """What is at stake."""
    if clause.level is Level.SHOULD:
        return Harm.ADVICE
    if not has_effect(finding):
        return Harm.ANSWER
    return Harm.ACCESS if clause.family == "access" else Harm.LOSS


def sentence(finding: Finding) -> str:
    """The finding in a sentence without ID, code or case."""
    told = PLAIN.get(finding.clause)
    return told[0 if has_effect(finding) else 1] if told else finding.summary

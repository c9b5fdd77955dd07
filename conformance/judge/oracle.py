"""One oracle for every request of the space: what was asked, what stood before and what stands after, into rulings.

A request is judged by what is lawful for it, wherever it came from and whichever clause it was sent for, and what it
broke is blamed on the narrowest clause that speaks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from conformance import openapi
from conformance.evidence import Exchange
from conformance.judge import codes, effect, methods, refusal
from conformance.judge.attempt import Attempt
from conformance.judge.expect import broken, kept
from conformance.verdict import Ruling


class Expected(StrEnum):
    """What is lawful for a request that wears a value and is otherwise a plain removal of a standing association."""

    GRANTED = "granted"
    """204, and the association is gone (decision 17)."""

    REFUSED = "refused"
    """A documented 4xx, and nothing changes."""

    TURNED_DOWN = "turned down"
    """Two things are wrong with it: some 4xx, whichever of them speaks, and nothing changes."""

    UNAUTHORISED = "unauthorised"
    """401, and nothing changes."""

    FORBIDDEN = "forbidden"
    """403, and nothing changes."""

    NOT_ALLOWED = "not allowed"
    """405, and nothing changes."""

    EITHER = "either"
    """A documented code: granted, and then exactly that association is gone, or refused, and nothing changes."""

    REPEATED = "repeated"
    """The association does not stand: 204 or a documented 4xx, and nothing changes."""

    ABSENT = "absent"
    """The association does not stand: whatever is answered, nothing changes, and nothing appears."""

    INERT = "inert"
    """Whatever is answered, nothing changes."""


MUST_STAY = frozenset(Expected) - {Expected.GRANTED, Expected.EITHER}
"""What goes out in batches: nothing of it may change anything."""


@dataclass(frozen=True, slots=True)
class Rule:
    """By what a request is judged.

    Attributes:
        clause: the narrowest clause that speaks of it.
        granted: codes that the target's policy grants besides (decision 5).
        content: the request carries content, which chooses nothing whatever becomes of it (``body.inert``).
    """

    clause: str
    expected: Expected
    granted: frozenset[int] = frozenset()
    content: bool = False

    @property
    def optional(self) -> bool:
        """An answer may lawfully give no occasion to judge its clause."""
        return self.expected in {Expected.EITHER, Expected.REPEATED, Expected.ABSENT}


def rulings(rule: Rule, attempt: Attempt) -> Iterator[Ruling | None]:
    """What follows from an attempt, the rule's own clause first; None where its clause could not be judged."""
    yield from OWN[rule.expected](rule, attempt)
    yield effect.inert(attempt)
    if rule.content:
        yield effect.body_inert(attempt)
    judged_apart = rule.expected is Expected.INERT or _is_all_of_it(rule, attempt)
    if attempt.status == 204 and not judged_apart and attempt.exchange.request.method == "DELETE":
        yield effect.nothing_else(attempt)


def _is_all_of_it(rule: Rule, attempt: Attempt) -> bool:
    """What was taken for the ID removed what the ID names and nothing else: the clause that refuses it says so."""
    refused = rule.expected in {Expected.REFUSED, Expected.TURNED_DOWN}
    return rule.clause.startswith("identifier.") and refused and attempt.removed


def _granted(_rule: Rule, attempt: Attempt) -> Iterator[Ruling | None]:
    yield codes.success(attempt)
    yield effect.removed(attempt)


DOCUMENTED_ONLY = frozenset({"body.refused", "access.foreign"})
"""Clauses that ask for a documented 4xx; elsewhere any 4xx refuses, and ``codes.documented`` speaks of its code."""


def _turned_down(rule: Rule, attempt: Attempt) -> Iterator[Ruling | None]:
    yield refusal.refused_or(rule.clause, attempt, codes=None, granted=set(rule.granted))


def _refused(*codes_allowed: int) -> Callable[[Rule, Attempt], Iterator[Ruling | None]]:
    def judged(rule: Rule, attempt: Attempt) -> Iterator[Ruling | None]:
        documented = openapi.refusals() if rule.clause in DOCUMENTED_ONLY else None
        allowed = frozenset(codes_allowed) or documented
        yield refusal.refused_or(rule.clause, attempt, codes=allowed, granted=set(rule.granted))

    return judged


def _either(rule: Rule, attempt: Attempt) -> Iterator[Ruling | None]:
    if attempt.names:
        yield effect.removed(attempt)
    if rule.clause == "codes.documented":
        yield codes.documented(attempt.exchange)


def _repeated(_rule: Rule, attempt: Attempt) -> Iterator[Ruling | None]:
    yield effect.repeated(attempt)


def _inert(rule: Rule, attempt: Attempt) -> Iterator[Ruling | None]:
    """What a refusal changes is for ``effect.refusal-is-inert`` to say: nothing else goes with a 204."""
    not_its_own = rule.clause == "effect.nothing-else" and attempt.refused and attempt.changes
    yield None if not_its_own else methods.without_effect(rule.clause, attempt)


OWN: Mapping[Expected, Callable[[Rule, Attempt], Iterator[Ruling | None]]] = {
    Expected.GRANTED: _granted,
    Expected.REFUSED: _refused(),
    Expected.TURNED_DOWN: _turned_down,
    Expected.UNAUTHORISED: _refused(401),
    Expected.FORBIDDEN: _refused(403),
    Expected.NOT_ALLOWED: _refused(405),
    Expected.EITHER: _either,
    Expected.INERT: _inert,
    Expected.REPEATED: _repeated,
    Expected.ABSENT: _inert,
}


PERSISTS = "persists"
"""How the rule begins by which a fault that persists breaks a clause."""

OPEN = frozenset({Expected.EITHER, Expected.INERT, Expected.REPEATED, Expected.ABSENT})
"""What demands no particular answer."""


def persistent(rule: Rule, attempt: Attempt, tries: tuple[Exchange, ...]) -> Iterator[Ruling | None]:
    """What follows from a fault that persists, so that it is the answer (decision 13).

    Args:
        tries: every try of the request, alone; between any two a plain removal succeeded.
    """
    last = tries[-1]
    if rule.clause.startswith("identifier.") or rule.expected in OPEN:
        yield _with_a_fault(rule, attempt, tries)
    else:
        yield broken(
            rule.clause,
            f"{PERSISTS}: {last.status or 'no answer'}",
            summary=f"{attempt.words} is never answered but with {last.outcome}",
            expected=DEMANDED.get(rule.expected, "a 4xx, and nothing removed"),
            observed=f"{last.outcome}, {len(tries)} times, while plain removals in between succeed",
            exchanges=tries,
        )


def _with_a_fault(rule: Rule, attempt: Attempt, tries: tuple[Exchange, ...]) -> Ruling | None:
    """A clause that admits a server fault, of a request that must change nothing however it is answered."""
    if not attempt.changes:
        return kept(rule.clause, reached=attempt.exposed)
    if rule.expected not in MUST_STAY or rule.granted:
        return None
    return broken(
        rule.clause,
        "fault: effect",
        summary=f"{attempt.words} is carried out, whatever it is answered",
        expected="nothing removed",
        observed=f"{attempt.exchange.outcome}, {len(tries)} times, and {'; '.join(attempt.changes)}",
        exchanges=(*tries, *attempt.evidence),
    )


DEMANDED = {
    Expected.GRANTED: "204",
    Expected.UNAUTHORISED: "401",
    Expected.FORBIDDEN: "403",
    Expected.NOT_ALLOWED: "405",
}

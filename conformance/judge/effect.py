"""``effect.*`` and ``body.inert``: what a removal changes, and what a refusal leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.evidence import Exchange
from conformance.judge.attempt import Attempt, Deallocation
from conformance.judge.codes import documented, documented_codes
from conformance.judge.expect import broken, kept
from conformance.judge.state import ObservedState, Pair
from conformance.verdict import KINDS, ONCE, SCOPE, Ruling

INERT = "effect.refusal-is-inert"

LATE = "late"
"""The rule of what was noticed when time had passed, and which no request is known to have done."""


def removed(attempt: Attempt) -> Ruling | None:
    """``effect.removed``: after a 204 no view shows the association; None when there was no 204 to judge."""
    if not (attempt.reached and attempt.names) or attempt.status != 204:
        return None
    return absent(attempt.pair, attempt.after, after_removal=attempt.exchange.id)


def absent(pair: Pair, seen: ObservedState, after_removal: str, *, rule: str = "still shown") -> Ruling | None:
    """``effect.removed`` at any later moment; None when no view could be read."""
    views = {"the list": seen.listed.get(pair), "the single read": seen.shown.get(pair)}
    showing = [name for name, shows in views.items() if shows]
    if showing:
        return broken(
            "effect.removed",
            f"{rule} by {' and '.join(showing)}",
            summary=f"a removed association is {rule} by {' and '.join(showing)}",
            expected="neither the list nor the single read shows it after a 204, from then on",
            observed=f"{' and '.join(showing)} shows {pair}",
            exchanges=(after_removal, *seen.exchanges),
        )
    return kept("effect.removed") if any(shows is False for shows in views.values()) else None


def nothing_else(attempt: Attempt) -> Ruling | None:
    """``effect.nothing-else``: a 204 removed that association only; None when there was no 204 to judge."""
    if not attempt.reached or attempt.status != 204 or attempt.exchange.request.method != "DELETE":
        return None
    changes = _beyond(attempt)
    if not changes:
        return kept("effect.nothing-else", reached=attempt.exposed)
    return broken(
        "effect.nothing-else",
        "more than asked for",
        summary="a removal changes more than the association that it names",
        expected=f"only {attempt.pair} removed" if attempt.names else "nothing changed: nothing of ours was named",
        observed="; ".join(changes),
        exchanges=attempt.evidence,
        details=_extent(attempt),
    )


NOT_AGAIN: Mapping[str, Any] = {ONCE: True}
"""Details of what no request was seen to do again, so that another one, and late, may have."""

SHOWN_AGAIN = "shown again"
"""The rule of what a 204 removed, and no view showed, and some view shows later."""


def still_absent(removal: Attempt, seen: ObservedState) -> Ruling | None:
    """``effect.removed``, "from then on": what a 204 removed is not shown again; None when there was no 204."""
    if not removal.reached or removal.status != 204:
        return None
    return absent(removal.pair, seen, removal.exchange.id, rule=SHOWN_AGAIN)


def taken_along(
    changes: tuple[str, ...], removal: str, seen: ObservedState, details: Mapping[str, Any] = NOT_AGAIN
) -> Ruling:
    """``effect.nothing-else``, noticed later: an earlier removal, it seems, changed what it did not name."""
    return broken(
        "effect.nothing-else",
        "more than asked for",
        summary="a removal changes more than the association that it names",
        expected="only the named association removed",
        observed="; ".join(changes),
        exchanges=(*filter(None, [removal]), *seen.exchanges),
        details=details,
    )


def _beyond(attempt: Attempt) -> tuple[str, ...]:
    """Changes beside the named association, which ``effect.removed`` judges."""
    return _beside(attempt).differences(attempt.after)


def _extent(attempt: Attempt) -> dict[str, list[str]]:
    """What changed beside the named association, as it looks from there and by itself."""
    before = _beside(attempt)
    return {SCOPE: sorted(before.scope(attempt.after, attempt.pair)), KINDS: sorted(before.kinds(attempt.after))}


def _beside(attempt: Attempt) -> ObservedState:
    """What stood before, less the association that the request names."""
    if not attempt.names:
        return attempt.before
    return ObservedState(
        {pair: shows for pair, shows in attempt.before.listed.items() if pair != attempt.pair},
        {pair: shows for pair, shows in attempt.before.shown.items() if pair != attempt.pair},
        attempt.before.ports,
        attempt.before.tabled,
        literals={entry: literal for entry, literal in attempt.before.literals.items() if entry[1] != attempt.pair},
    )


def inert_deallocation(trial: Deallocation) -> Ruling | None:
    """``effect.refusal-is-inert`` for the rule around the operation: a refused de-allocation changed nothing."""
    if not trial.refused or not trial.changes:
        return None
    return broken(
        INERT,
        "refused de-allocation",
        summary=f"{trial.words} is answered {trial.exchange.code}, yet it changed something",
        expected="everything as it was",
        observed=f"{trial.exchange.outcome}, yet {'; '.join(trial.changes)}",
        exchanges=trial.evidence,
    )


HALFWAY = "halfway"
"""The rule by which a removal breaks a clause that is carried out in one view only."""


def halfway(pair: Pair, exchange: Exchange, seen: ObservedState, words: str) -> Ruling | None:
    """``effect.refusal-is-inert``: after an answer that leaves it open a removal was made, or was not, in every view.

    None unless both views tell.
    """
    told = {view: there[pair] for view, there in (("list", seen.listed), ("single read", seen.shown)) if pair in there}
    if len(told) < 2 or len(set(told.values())) == 1:
        return None
    (showing,) = (view for view, there in told.items() if there)
    return broken(
        INERT,
        HALFWAY,
        summary=f"{words} is answered {exchange.code}, and is carried out halfway",
        expected="the association as it was, or gone from every view",
        observed=f"{exchange.outcome}, and only the {showing} shows the association",
        exchanges=(exchange.id, *seen.exchanges),
    )


def inert(attempt: Attempt) -> Ruling | None:
    """``effect.refusal-is-inert``: a 4xx changed nothing; of an unknown outcome either state is explained.

    None when the answer was no refusal, or nothing existed that a refusal could have changed.
    """
    stood = any(attempt.before.listed.values())
    if not stood or not (attempt.refused or attempt.outcome_unknown):
        return None
    changes = attempt.changes if attempt.refused else _beyond(attempt)
    if not changes:
        return kept(INERT, reached=attempt.told) if attempt.refused else None
    return broken(
        INERT,
        "refused" if attempt.refused else "unknown outcome",
        summary=f"{attempt.words} is answered {attempt.exchange.code}, yet it changed something",
        expected="everything as it was" if attempt.refused else f"everything as it was, or only {attempt.pair} removed",
        observed=f"{attempt.exchange.outcome}, yet {'; '.join(changes)}",
        exchanges=attempt.evidence,
    )


def taken_later(expected: ObservedState, seen: ObservedState, removal: str) -> Ruling | None:
    """``effect.nothing-else`` while nothing was sent after a removal: it has no effect that shows late."""
    changes = expected.differences(seen)
    if not changes:
        return kept("effect.nothing-else", reached=expected.comparable(seen))
    return taken_along(changes, removal, seen, {KINDS: sorted(expected.kinds(seen))})


def stayed(
    expected: ObservedState, seen: ObservedState, earlier: tuple[str, ...] = (), *, once: bool = False
) -> Ruling | None:
    """``effect.refusal-is-inert`` when time has passed: refusals, the ``earlier``, have no effect that shows late.

    Args:
        once: none of them was seen to do it again.
    """
    changes = expected.differences(seen)
    if not changes:
        return kept(INERT, reached=expected.comparable(seen))
    return broken(
        INERT,
        LATE,
        summary="something changed after nothing but refusals",
        expected="everything as it was after the last refusal",
        observed="; ".join(changes),
        exchanges=(*earlier, *seen.exchanges),
        details={KINDS: sorted(expected.kinds(seen)), **(NOT_AGAIN if once else {})},
    )


def repeated(attempt: Attempt) -> Ruling | None:
    """``effect.repeat``: a second removal changed nothing more; its code is judged as every code is.

    None where the first one was not made, so that this is none, or the answer leaves the outcome open.
    """
    if attempt.outcome_unknown or attempt.status == 413 or attempt.reached:
        return None
    code = documented(attempt.exchange)
    if code and code.violation:
        return broken(
            "effect.repeat",
            f"code {attempt.status}",
            summary=f"repeating a removal answers {attempt.status}, which is not documented",
            expected=f"one of {documented_codes()}",
            observed=attempt.exchange.outcome,
            exchanges=[attempt.exchange],
        )
    if not attempt.changes:
        return kept("effect.repeat", reached=attempt.told)
    return broken(
        "effect.repeat",
        "effect",
        summary="repeating a removal changes something",
        expected="the state that the first removal left",
        observed=f"{attempt.exchange.outcome}, and {'; '.join(attempt.changes)}",
        exchanges=attempt.evidence,
    )


def same_in_upper_case(attempt: Attempt, control: Attempt | None, again: Attempt | None) -> Ruling | None:
    """``identifier.canonical``: the ID in upper case names the same association, so it is removed.

    After a removal in upper case that had no effect, ``control`` is a plain one, and ``again`` one in upper case
    once more: only if the plain one alone has an effect, the spelling is to blame.
    """
    if not attempt.reached or attempt.outcome_unknown or attempt.status == 413:
        return None
    if attempt.removed:
        return kept("identifier.canonical", reached=attempt.exposed)
    if control is None or again is None or not control.removed or again.removed or again.outcome_unknown:
        return None
    return broken(
        "identifier.canonical",
        "upper case",
        summary="the ID in upper case is not taken for the same",
        expected="204, and the association removed",
        observed=f"{attempt.exchange.outcome}, and the association stands, while a plain removal removes it",
        exchanges=(*attempt.evidence, control.exchange.id),
        decisive=attempt.exchange.id,
    )


def body_inert(attempt: Attempt) -> Ruling | None:
    """``body.inert``: whatever the body says, at most the association that the path names is removed."""
    if not attempt.reached:
        return None
    changes = _beyond(attempt)
    if not changes:
        return kept("body.inert", reached=attempt.exposed)
    return broken(
        "body.inert",
        "effect",
        summary="a body changes what is removed",
        expected=f"at most {attempt.pair} removed",
        observed=f"{attempt.exchange.outcome}, and {'; '.join(changes)}",
        exchanges=attempt.evidence,
        details=_extent(attempt),
    )

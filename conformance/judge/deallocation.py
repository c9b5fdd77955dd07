"""``deallocation.*``: an address with an association stays, and one without goes."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.judge.attempt import Deallocation
from conformance.judge.effect import INERT
from conformance.judge.expect import broken, kept
from conformance.judge.state import ObservedState
from conformance.verdict import KINDS, ONCE, Ruling

SUCCESS = {"DELETE": frozenset({204}), "PUT": frozenset({200, 201, 202, 204})}
"""DELETE answers 204 by name; of PUT the clause asks for success, whichever its code."""

PAGES = {"deallocation.delete-refused": "DELETE", "deallocation.put-refused": "PUT of an empty list"}
"""Clause -> the page's own wording, of which every other one is a variation."""

EFFECT = ": effect"
"""How the rule ends by which a de-allocation breaks a clause that changed something."""


def after(method: str) -> str:
    """The clause that says what a de-allocation by this method is to come to, once nothing is associated."""
    return "deallocation.delete-after" if method == "DELETE" else "deallocation.put-after"


def refuses(method: str) -> str:
    """The clause that says that a de-allocation by this method is refused while something is associated."""
    return "deallocation.delete-refused" if method == "DELETE" else "deallocation.put-refused"


def associations(count: int) -> str:
    """So many, in words."""
    return f"{count} association{'s' if count > 1 else ''}"


def refused(clause: str, trial: Deallocation) -> Ruling | None:
    """An address with associations is not de-allocated: a 4xx, and address, ports and associations stay.

    None when the answer was lost, a server fault or a 413, and nothing changed, unless that is what it always answers.
    """
    if not trial.standing:
        return kept(clause, reached=False)  # nothing protects it any more
    subject = f"{trial.how} of an address with {associations(len(trial.standing))}"
    if trial.losses:
        return broken(
            clause,
            f"{trial.how}{EFFECT}",
            summary=f"{subject} changes something",
            expected="a 4xx, and address, ports and associations stay",
            observed=f"{trial.exchange.outcome}, and {'; '.join(trial.losses)}",
            exchanges=trial.evidence,
        )
    if trial.persisted:
        return _persists(clause, trial, subject)
    if trial.outcome_unknown or trial.status == 413:
        return None
    if not trial.refused:
        return broken(
            clause,
            f"{trial.how}: not refused",
            summary=f"{subject} is not refused",
            expected="a 4xx",
            observed=trial.exchange.outcome,
            exchanges=trial.evidence,
        )
    return kept(clause, reached=trial.exposed)


def _persists(clause: str, trial: Deallocation, subject: str) -> Ruling:
    last = trial.persisted[-1]
    return broken(
        clause,
        f"{trial.how}: persists: {last.status or 'no answer'}",
        summary=f"{subject} is never answered but with {last.outcome}",
        expected="a 4xx, and address, ports and associations stay",
        observed=f"{last.outcome}, {len(trial.persisted)} times, while an address without associations goes in between",
        exchanges=trial.persisted,
    )


def protected(clause: str, trial: Deallocation) -> Ruling:
    """Whatever another wording than the page's is answered: address, ports and associations stay (decision 20)."""
    if not trial.losses:
        return kept(clause, reached=trial.exposed)
    return broken(
        clause,
        f"{PAGES[clause]}{EFFECT}",
        summary=f"{trial.words} changes something",
        expected="address, ports and associations stay, whatever is answered",
        observed=f"{trial.exchange.outcome}, and {'; '.join(trial.losses)}",
        exchanges=trial.evidence,
    )


def together(
    clause: str, words: str, before: ObservedState, after: ObservedState, exchanges: tuple[str, ...]
) -> Iterator[Ruling]:
    """What several requests brought about and none of them alone, or a single one did that does it once only.

    What stood and does not any more is the clause's; an association that was removed and is back, of what must have
    been refused, is ``effect.refusal-is-inert``'s.
    """
    losses = before.standing.differences(after)
    returned = [one for one in before.differences(after) if one not in losses]
    for blamed, changes in ((clause, losses), (INERT, returned)):
        if changes:
            yield broken(
                blamed,
                "one of several",
                summary=f"{words} changes something, but does not when it is sent again alone",
                expected="address, ports and associations stay, whatever is answered",
                observed="; ".join(changes),
                exchanges=exchanges,
                details={ONCE: True, KINDS: sorted(before.kinds(after))},
            )


def granted(clause: str, trial: Deallocation) -> Ruling | None:
    """An address whose associations are all removed is de-allocated, and gone afterwards.

    None as above, when an association stands that could not be removed, and when it is refused while a removed one
    still shows: other clauses are to blame for that.
    """
    if trial.outcome_unknown or trial.status == 413 or trial.standing or (trial.refused and trial.lingers):
        return None
    expected = "204" if trial.method == "DELETE" else "success (200)"
    if trial.status not in SUCCESS[trial.method]:
        return broken(
            clause,
            "refused" if trial.refused else f"code {trial.status}",
            summary=f"{trial.how} of an address without associations answers {trial.status}",
            expected=f"{expected}, and the address gone",
            observed=trial.exchange.outcome,
            exchanges=trial.evidence,
        )
    views = {"the single read": trial.after.ports, "the list of addresses": trial.after.tabled}
    told = {view: said[trial.address] for view, said in views.items() if trial.address in said}
    showing = " and ".join(view for view, held in told.items() if held is not None)
    if not told:
        return None
    if not showing:
        return kept(clause)
    return broken(
        clause,
        "still there",
        summary=f"after {trial.how} the address is still there",
        expected=f"{expected}, and the address gone",
        observed=f"{trial.exchange.outcome}, and {showing} shows the address",
        exchanges=trial.evidence,
    )


def not_theirs(clause: str, trial: Deallocation) -> Ruling | None:
    """Another tenant's caller is refused, and the address stays."""
    if trial.changes:
        return broken(
            clause,
            f"{trial.how} of the address",
            summary=f"{trial.how} of the address by another tenant changes something",
            expected="a 4xx, and the address stays",
            observed=f"{trial.exchange.outcome}, and {'; '.join(trial.changes)}",
            exchanges=trial.evidence,
        )
    if trial.outcome_unknown or trial.status == 413:
        return None
    if trial.refused:
        return kept(clause, reached=trial.told)
    return broken(
        clause,
        f"{trial.how} of the address",
        summary=f"{trial.how} of the address by another tenant is not refused",
        expected="a 4xx, and the address stays",
        observed=trial.exchange.outcome,
        exchanges=trial.evidence,
    )

"""By which rule of the judge a repeated request is judged, clause by clause."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from conformance import contract
from conformance.judge import (
    Attempt,
    Deallocation,
    codes,
    content,
    deallocation,
    effect,
    faults,
    limits,
    methods,
    refusal,
)
from conformance.openapi import documented
from conformance.verdict import Ruling

DOCUMENTED_REFUSALS = frozenset(code for code in documented() if 400 <= code < 500)

OF_REMOVALS: Mapping[str, Callable[[Attempt], Ruling | None]] = {
    "codes.documented": lambda trial: codes.documented(trial.exchange),
    "codes.success": codes.success,
    "response.no-content": lambda trial: content.no_content(trial.exchange),
    "effect.removed": effect.removed,
    "effect.nothing-else": effect.nothing_else,
    "effect.refusal-is-inert": effect.inert,
    "effect.repeat": effect.repeated,
    "identifier.not-the-address": lambda trial: refusal.refused("identifier.not-the-address", trial),
    "identifier.uuid": lambda trial: refusal.refused("identifier.uuid", trial),
    "body.refused": lambda trial: refusal.refused("body.refused", trial, codes=DOCUMENTED_REFUSALS),
    "body.inert": effect.body_inert,
    "access.authenticated": lambda trial: refusal.refused("access.authenticated", trial, codes=frozenset({401})),
    "access.forbidden": lambda trial: refusal.refused("access.forbidden", trial, codes=frozenset({403})),
    "access.foreign": lambda trial: refusal.refused("access.foreign", trial, codes=DOCUMENTED_REFUSALS),
    "method.refused": lambda trial: refusal.refused("method.refused", trial, codes=frozenset({405})),
    "method.allow": lambda trial: methods.allow(trial.exchange),
    "method.override": methods.override,
    "limits.over-limit": limits.over_limit,
    "limits.retry-after": lambda trial: limits.retry_after(trial.exchange),
    "faults.client-input": lambda trial: faults.client_input("the request", [trial.exchange], confirmed=True),
}
"""Clauses about a request to the operation; a clause that is not here is judged by seeing again what the run saw."""


def of_deallocation(clause: str, trial: Deallocation, *, effect_alone: bool) -> Ruling | None:
    """A de-allocation judged by the clause; None if the clause says nothing of it.

    Args:
        effect_alone: it is in another wording than the page's, which need not be refused (decision 20).
    """
    if clause == "effect.refusal-is-inert":
        return effect.inert_deallocation(trial)
    if clause == "access.foreign":
        return deallocation.not_theirs(clause, trial)
    if clause.endswith("-after"):
        return deallocation.granted(clause, trial)
    if not trial.standing:
        return None  # nothing holds the address, so nothing demands a refusal
    if clause in deallocation.PAGES and effect_alone:
        return deallocation.protected(clause, trial)
    return deallocation.refused(clause, trial) if clause.startswith("deallocation.") else None


def of_request(clause: str, rule: str, trial: Attempt) -> Ruling | None:
    """A request to the operation judged by the clause; None if it gave no occasion."""
    if clause == "identifier.canonical":
        if "upper" in rule:
            return effect.same_in_upper_case(trial, _plainly(trial), trial)
        return refusal.refused(clause, trial)
    if rule == effect.HALFWAY:
        return effect.halfway(trial.pair, trial.exchange, trial.after, trial.words) if trial.outcome_unknown else None
    known = contract.stating(clause).rules
    return known[clause](trial) if clause in known else None


def _plainly(trial: Attempt) -> Attempt:
    """A plain removal, as it stands for one: the set-up saw to it that what is removed plainly is gone."""
    return Attempt(
        pair=trial.pair,
        exchange=trial.exchange,
        before=trial.before,
        after=trial.before.without(trial.pair),
        reached=True,
    )

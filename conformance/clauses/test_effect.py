"""``effect.*``: a removal removes one association for good, and a refusal nothing."""

from __future__ import annotations

import random

import pytest

from conformance import judge


@pytest.mark.clause("effect.removed", "effect.nothing-else")
def test_a_removal_removes_one_association_and_nothing_else(api, neighbourhood):
    """One after the other, in any order, until none is left: each 204 takes its association only."""
    order = random.Random(api.seed).sample(neighbourhood, len(neighbourhood))
    api.establish(*order)
    for pair in order[: 1 if api.depth == "quick" else None]:
        trial = api.attempt(pair, standing=False, mistake=False, full=True)
        api.judge(judge.effect.removed(trial), judge.effect.nothing_else(trial), trial=trial)


@pytest.mark.clause("effect.nothing-else")
def test_a_removal_leaves_the_servers_other_addresses(api, two_addresses):
    """Two addresses associated with one server: a 204 for one of them leaves the other one's association."""
    there = [pair for pair in two_addresses if pair.server == two_addresses[0].server]
    for pair in there[: 1 if api.depth == "quick" else None]:
        api.establish(*there)
        trial = api.attempt(pair, standing=False, mistake=False)
        api.judge(judge.effect.nothing_else(trial), trial=trial)


@pytest.mark.clause("effect.removed")
def test_a_removed_association_stays_removed(api, neighbourhood):
    """Later writes on the same address and the same server do not bring it back."""
    removed, *others = neighbourhood
    for other in api.some(others):
        api.establish(other)
        api.attempt(other, standing=False, mistake=False)
        trial = api.attempt(removed, mistake=False)
        api.establish(other)
        api.judge(judge.effect.still_absent(trial, api.look(removed)), trial=trial, case=f"then {other} associated")


@pytest.mark.clause("effect.repeat")
def test_repeating_a_removal_changes_nothing_more(api, neighbourhood):
    """The second and third removal of the same association leave the neighbours as they are."""
    api.establish(*neighbourhood)
    pair, *others = neighbourhood
    api.attempt(pair, standing=False, mistake=False, full=True)
    for _ in api.some(range(2)):
        trial = api.attempt(pair, "a repeated removal", standing=False, full=True)
        api.judge(judge.effect.repeated(trial), trial=trial)
    if api.depth == "quick":
        return
    for last in [other for other in others if other.address == pair.address]:
        api.attempt(last, standing=False, mistake=False, full=True)
    trial = api.attempt(pair, "a repeated removal from a bare address", standing=False, full=True)
    api.judge(judge.effect.repeated(trial), trial=trial)


@pytest.mark.clause("effect.refusal-is-inert", "effect.nothing-else", "codes.documented")
def test_at_most_what_is_named_goes(api):
    """Made-up servers and IDs, other things of ours, and fields and queries that may be heeded or not."""
    api.probe(lambda value: value.clause in {"effect.refusal-is-inert", "effect.nothing-else", "codes.documented"})

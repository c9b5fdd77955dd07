"""``effect.*``: a removal removes one association for good, and a refusal nothing."""

from __future__ import annotations

import random

import pytest

from conformance import judge
from conformance.generate import identifiers


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
    """Later writes on the same address and the same server do not bring it back, nor does time."""
    removed, *others = neighbourhood
    for other in api.some(others):
        api.establish(other)
        api.attempt(other, standing=False, mistake=False)
        trial = api.attempt(removed, mistake=False)
        api.establish(other)
        api.judge(judge.effect.still_absent(trial, api.look(removed)), trial=trial, case=f"then {other} associated")
    api.judge(judge.effect.still_absent(trial, api.look(removed, later=True)), trial=trial, case="after a while")


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


SOMEONE_ELSES = {
    f"a removal of {segment.words}": {"raw": True, "address": segment.encoded} for segment in identifiers.other_uuids()
}
"""Well-formed IDs of nobody: they may be answered 204 as well, but nothing may go."""

REFUSED = {
    "a removal without a token": {"credential": None},
    "a removal of an unknown address": {"address": "3b1f9c1e-6a52-4d0c-9b7e-0a1d5f6c2e84"},
    "a removal from an unknown server": {"server": "6f0d2a34-1c8b-4e57-8a90-7b3c4d5e6f01"},
    "a removal of an address that is no UUID": {"address": "not-a-uuid"},
    "a removal with a body": {"body": b"{}", "framing": "content-length"},
    "a POST": {"method": "POST"},
    **SOMEONE_ELSES,
}


@pytest.mark.clause("effect.refusal-is-inert")
def test_a_refusal_changes_nothing(api, neighbourhood):
    """Whatever a request is refused for: every association, the addresses and their ports stay, also in a while."""
    for words, variation in api.some(REFUSED.items()):
        api.establish(*neighbourhood)
        trial = api.attempt(neighbourhood[0], words, full=True, **variation)
        api.note(judge.effect.nothing_else(trial))
        api.judge(judge.effect.inert(trial), trial=trial, case=words, optional=not trial.refused)
    if api.depth != "quick":
        api.judge(api.stayed(), case="after all of them")

"""``deallocation.*``: an address goes when its last association is removed, and not before."""

from __future__ import annotations

import random

import pytest

from conformance import judge
from conformance.generate import deallocations

DELETE, PUT = (one for one in deallocations.wordings() if one.judged)
GRANTED = {"DELETE": "deallocation.delete-after", "PUT": "deallocation.put-after"}


@pytest.mark.clause("deallocation.delete-refused")
def test_delete_of_an_associated_address_is_refused(api, scene):
    """With one association and with all, of either IP version, however it is worded: everything stays."""
    _withstands(api, scene, "deallocation.delete-refused")


@pytest.mark.clause("deallocation.put-refused")
def test_put_without_ports_of_an_associated_address_is_refused(api, scene):
    """The same for the other way to de-allocate."""
    _withstands(api, scene, "deallocation.put-refused")


def _withstands(api, scene, clause):
    wordings = api.some([one for one in deallocations.wordings() if one.clause == clause])
    addresses = range(len(api.by_address(scene)))
    judged = [api.withstand(api.by_address(api.scene())[place], wordings) for place in addresses]
    for pairs in api.by_address(api.scene())[:2]:
        for last in api.some(range(1, len(pairs))):
            api.remove(*pairs[last:])
            judged.append(api.withstand(pairs[:last], wordings[:1]))
    api.demand(judged=any(judged), reason=f"{wordings[0].kind} of a held address, as the page has it, was never judged")


@pytest.mark.clause("deallocation.delete-refused")
def test_the_refusal_holds_however_an_association_was_made(api, associations):
    """A guard that counts what one wording of PUT makes has to count what the others make."""
    for kind, variation in api.some(deallocations.associating().items()):
        if api.associate_as(associations[0], **variation):
            trial = api.deallocate(associations[0].address, DELETE)
            api.judge(judge.deallocation.refused(DELETE.clause, trial), trial=trial, case=kind)
            api.remove(associations[0])
    pair = api.associated_without_a_port()
    if pair:  # a target may refuse it: nothing says that it has to be made
        trial = api.deallocate(pair.address, DELETE)
        api.judge(judge.deallocation.refused(DELETE.clause, trial), trial=trial, case="a server without a port on it")


@pytest.mark.clause("deallocation.until-the-last")
def test_the_refusal_holds_until_the_last_association_is_removed(api):
    """With any number of associations, in whatever order they go, the last one still protects the address."""
    for order, plan in api.some(PLANS.items()):
        made, removed = plan(api.bare(), random.Random(api.seed))
        api.establish(*made)
        for step, pair in enumerate(removed):
            trial = api.deallocate(pair.address, (DELETE, PUT)[(len(made) + step) % 2])
            case = f"{len(made)} associations, {step} removed, {order}"
            api.judge(judge.deallocation.refused("deallocation.until-the-last", trial), trial=trial, case=case)
            if trial.changes:
                break  # what is left of the plan has lost its subject
            for _ in range(2 if order == "each twice" else 1):
                api.attempt(pair, standing=False, mistake=False)


PLANS = {
    "last first": lambda pairs, _: (pairs, pairs[::-1]),
    "each twice": lambda pairs, _: (pairs, pairs),
    "the only one": lambda pairs, _: (pairs[:1], pairs[:1]),
    "middle first": lambda pairs, _: (pairs[:3], (*pairs[1:3], *pairs[:1])),
    "as associated": lambda pairs, _: (pairs, pairs),
    "shuffled": lambda pairs, dice: (pairs, dice.sample(pairs, len(pairs))),
}
"""Which associations are made, and in which order they go; the first plan alone is a fair test."""


@pytest.mark.clause("deallocation.delete-after")
def test_delete_of_an_address_without_associations_answers_204(api):
    """Once all are removed (one, or as many as there are servers), the address goes and is gone."""
    _granted(DELETE, api)


@pytest.mark.clause("deallocation.put-after")
def test_put_without_ports_of_an_address_without_associations_succeeds(api):
    """The same for the other way to de-allocate."""
    _granted(PUT, api)


def _granted(wording, api):
    """With as many associations as there are servers, and, on an address of the other IP version, with one."""
    counts = api.some([None, 1])
    api.leases.lease(len(counts))
    for place, count in enumerate(counts):
        pairs = api.bare(place)[:count]
        api.establish(*pairs)
        for pair in pairs:
            api.attempt(pair, standing=False, mistake=False)
        trial = api.deallocate(pairs[0].address, wording)
        api.judge(judge.deallocation.granted(GRANTED[wording.method], trial), trial=trial, case=f"{len(pairs)} removed")

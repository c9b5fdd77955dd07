"""``deallocation.*``: an address goes when its last association is removed, and not before."""

from __future__ import annotations

import random

import pytest

from conformance import judge

HOWS = ("DELETE", "PUT")
REFUSED = {"DELETE": "deallocation.delete-refused", "PUT": "deallocation.put-refused"}
GRANTED = {"DELETE": "deallocation.delete-after", "PUT": "deallocation.put-after"}


@pytest.mark.clause("deallocation.delete-refused")
def test_delete_of_an_associated_address_is_refused(api, associations):
    """With one association and with several: a 4xx, and address, ports and associations stay."""
    _refused("DELETE", api, associations)


@pytest.mark.clause("deallocation.put-refused")
def test_put_without_ports_of_an_associated_address_is_refused(api, associations):
    """The same for the other way to de-allocate."""
    _refused("PUT", api, associations)


def _refused(how, api, associations):
    for count in range(1, len(associations) + 1):
        api.establish(associations[count - 1])
        trial = api.deallocate(associations[0].address, how)
        api.judge(judge.deallocation.refused(REFUSED[how], trial), trial=trial, case=f"{count} associations")


@pytest.mark.clause("deallocation.until-the-last")
@pytest.mark.parametrize("order", ["as associated", "last first", "shuffled"])
def test_the_refusal_holds_until_the_last_association_is_removed(api, associations, order):
    """With one association more each time: in whatever order they go, the last one still protects the address."""
    for count in range(1, len(associations) + 1):
        chosen = list(associations[:count])
        api.establish(*chosen)
        for step, pair in enumerate(_in(order, chosen, api.seed)):
            trial = api.deallocate(pair.address, HOWS[(count + step) % 2])
            case = f"{count} associations, {step} removed, {order}"
            api.judge(judge.deallocation.refused("deallocation.until-the-last", trial), trial=trial, case=case)
            api.attempt(pair, standing=False, mistake=False)


def _in(order, pairs, seed):
    if order == "last first":
        return pairs[::-1]
    return random.Random(seed).sample(pairs, len(pairs)) if order == "shuffled" else pairs


@pytest.mark.clause("deallocation.delete-after")
@pytest.mark.parametrize("most", [1, None])
def test_delete_of_an_address_without_associations_answers_204(api, associations, most):
    """Once all are removed (one, or as many as there are servers), the address goes and is gone."""
    _granted("DELETE", api, associations[:most])


@pytest.mark.clause("deallocation.put-after")
@pytest.mark.parametrize("most", [1, None])
def test_put_without_ports_of_an_address_without_associations_succeeds(api, associations, most):
    """The same for the other way to de-allocate."""
    _granted("PUT", api, associations[:most])


def _granted(how, api, associations):
    api.establish(*associations)
    for pair in associations:
        api.attempt(pair, standing=False, mistake=False)
    trial = api.deallocate(associations[0].address, how)
    api.judge(judge.deallocation.granted(GRANTED[how], trial), trial=trial)

"""``body.*``: the operation accepts no request body."""

from __future__ import annotations

import json

import pytest

from conformance import generate, judge, openapi
from conformance.generate import Body

FRAMINGS = ("content-length", "chunked")


@pytest.mark.clause("body.refused")
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_removal_with_a_body_is_refused(api, association, framing):
    """A body of any size, media type and framing is refused with a documented 4xx, and nothing is removed."""

    def judge_one(body: Body) -> None:
        trial = api.attempt(association, f"a removal with {body}", **body.variation())
        ruling = judge.refusal.refused_or(
            "body.refused", trial, codes=openapi.refusals(), granted=_granted(api), rule=f"refusal, {framing}"
        )
        api.judge(ruling, trial=trial)

    generate.for_all(judge_one, api, api.some(generate.body_rows(framing)), body=generate.bodies(framing), share=0.4)


@pytest.mark.clause("body.inert")
def test_a_body_does_not_choose_what_is_removed(api, neighbourhood):
    """Bodies that name everything, another server or the whole address change nothing beside the path's."""
    named = neighbourhood[0]
    elsewhere = [pair.server for pair in neighbourhood if pair.server != named.server]
    _inert(api, neighbourhood, _choices(named.address, elsewhere))


@pytest.mark.clause("body.inert")
def test_a_body_does_not_choose_another_address(api, two_addresses):
    """Neither do bodies that name another address of the same server, whatever their shape and framing."""
    _inert(api, two_addresses, _other_choices(two_addresses[-1], two_addresses[1:]))


def _inert(api, standing, choices):
    for framing, document in api.some(choices):
        body = Body(json.dumps(document).encode(), 1, "application/json", framing)
        api.establish(*standing)
        trial = api.attempt(standing[0], f"a removal with {body}", full=True, **body.variation())
        refused = judge.refusal.refused_or("body.refused", trial, codes=openapi.refusals(), granted=_granted(api))
        api.note(refused)
        api.judge(judge.effect.body_inert(trial), trial=trial, case=str(body))


def _granted(api):
    """Codes that are no refusal and lawful all the same (spec/README.md, decision 5)."""
    return {204} if api.target.policy.request_body == "ignore" else set()


def _choices(address, servers):
    """What a body could say to choose something else of the address, and how it is framed."""
    documents = (
        {"all": True, "force": True, "cascade": True},
        *({"serverID": server, "server_id": server} for server in servers[:1]),
        {"ip_address": {"id": address, "port_ids": []}},
    )
    return [("content-length", document) for document in documents]


def _other_choices(other, others):
    """What a body could say to choose another address, and how it is framed."""
    documents = (
        {"ip_association": {"id": other.address}},
        {"id": other.address, "ip_address_id": other.address, "IPAddressID": other.address},
        {"ip_associations": [{"id": pair.address} for pair in others]},
        {"ip_address": {"id": other.address, "port_ids": []}},
    )
    return [*(("content-length", document) for document in documents), ("chunked", documents[0])]

"""``body.*``: the operation accepts no request body."""

from __future__ import annotations

import json

import pytest

from conformance import contract, generate, judge
from conformance.generate import Body

FRAMINGS = ("content-length", "chunked")


@pytest.mark.clause("body.refused")
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_removal_with_a_body_is_refused(api, association, framing):
    """A body of any size, media type and framing is refused with a documented 4xx, and nothing is removed."""

    def judge_one(body: Body) -> None:
        trial = api.attempt(association, f"a removal with {body}", **body.variation())
        ruling = judge.refusal.refused_or(
            "body.refused", trial, codes=contract.refusals(), granted=_granted(api), rule=f"refusal, {framing}"
        )
        api.judge(ruling, trial=trial)

    generate.for_all(judge_one, api, api.some(generate.body_rows(framing)), body=generate.bodies(framing), share=0.4)


@pytest.mark.clause("body.inert")
def test_a_body_does_not_choose_what_is_removed(api, neighbourhood):
    """Bodies that name another address, another server, all of them or none change nothing beside the path's."""
    named, *others = neighbourhood
    for framing, document in api.some(_choices(others)):
        body = Body(json.dumps(document).encode(), 1, "application/json", framing)
        api.establish(*neighbourhood)
        trial = api.attempt(named, f"a removal with {body}", full=True, **body.variation())
        refused = judge.refusal.refused_or("body.refused", trial, codes=contract.refusals(), granted=_granted(api))
        api.note(refused)
        api.judge(judge.effect.body_inert(trial), trial=trial, case=str(body))


def _granted(api):
    """Codes that are no refusal and lawful all the same (spec/README.md, decision 5)."""
    return {204} if api.target.policy.request_body == "ignore" else set()


def _choices(others):
    """What a body could say to choose something else, and how it is framed."""
    address, server = others[-1].address, others[0].server
    documents = (
        {"ip_association": {"id": address}},
        {"id": address, "ip_address_id": address, "IPAddressID": address},
        {"ip_associations": [{"id": pair.address} for pair in others]},
        {"serverID": server, "server_id": server},
        {"ip_address": {"id": address, "port_ids": []}},
        {"all": True, "force": True, "cascade": True},
    )
    return [*(("content-length", document) for document in documents), ("chunked", documents[0])]

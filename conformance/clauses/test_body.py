"""``body.*``: the operation accepts no request body."""

from __future__ import annotations

import pytest

from conformance import generate, judge, openapi
from conformance.generate import Body

FRAMINGS = ("content-length", "chunked")


@pytest.mark.clause("body.refused", "body.inert")
def test_a_removal_with_a_body_is_refused(api):
    """Content of any size, media type, coding and framing, whatever it names: a documented 4xx, and nothing goes."""
    api.probe(lambda value: value.clause == "body.refused")


@pytest.mark.clause("body.refused")
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_removal_with_a_generated_body_is_refused(api, association, framing):
    """The same for bodies that nobody thought of."""

    def judge_one(body: Body) -> None:
        trial = api.attempt(association, f"a removal with {body}", **body.variation())
        ruling = judge.refusal.refused_or("body.refused", trial, codes=openapi.refusals(), granted=_granted(api))
        api.judge(ruling, trial=trial, kind=["content"])

    generate.for_all(judge_one, api, body=generate.bodies(framing), share=0.2)


def _granted(api):
    """Codes that are no refusal and lawful all the same (spec/README.md, decision 5)."""
    return {204} if api.target.policy.request_body == "ignore" else set()

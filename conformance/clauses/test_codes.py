"""``codes.*``: every answer carries a documented code, and a removal that succeeds says 204."""

from __future__ import annotations

import pytest

from conformance import generate, judge
from conformance.generate import GeneratedRequest

FEWEST_REACHED = 3
"""Fewer generated requests than this reaching an association are no evidence (no vacuous pass)."""


@pytest.mark.clause("codes.documented")
def test_generated_requests_are_answered_with_documented_codes(api, association):
    """Whatever the OpenAPI document generates, valid or not, the answer's code is one of the page's."""

    def judge_one(request: GeneratedRequest) -> None:
        trial = api.attempt_generated(association, request)
        api.judge(judge.codes.documented(trial.exchange), trial=trial)

    for _ in range(FEWEST_REACHED):
        judge_one(GeneratedRequest(server=None, address=None))
    generate.for_all(judge_one, api, request=generate.requests(), share=0.5)
    api.require_reached(FEWEST_REACHED)


@pytest.mark.clause("codes.success")
def test_a_removal_may_wear_what_clients_send(api):
    """Fields that real clients send mean nothing here: 204, and the association is gone (decision 17)."""
    api.probe(lambda value: value.clause == "codes.success")


@pytest.mark.clause("codes.success")
def test_removing_an_existing_association_answers_204(api, association):
    """An association that stands is removed with 204, the first time and every time."""
    for _ in api.some(range(3)):
        trial = api.attempt(association, mistake=False)
        api.judge(judge.codes.success(trial), trial=trial)

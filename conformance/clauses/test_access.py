"""``access.*``: who may remove an association, and who may not."""

from __future__ import annotations

import pytest

from conformance import judge, openapi
from conformance.generate import credentials


@pytest.mark.clause("access.authenticated")
def test_a_caller_without_a_valid_token_is_answered_401(api, token, association):
    """No token, a wrong one, a part of the right one, or the right one in the wrong place: 401, nothing removed."""
    for credential in api.some(credentials.unauthenticated(token())):
        trial = api.attempt(association, f"a removal with {credential.words}", **credential.variation(token()))
        ruling = judge.refusal.refused("access.authenticated", trial, codes=frozenset({401}))
        api.judge(ruling, trial=trial, case=credential.words)


@pytest.mark.clause("access.forbidden")
def test_a_caller_without_the_right_to_delete_is_answered_403(api, restricted, association):
    """A credential of the tenant that may not delete: 403, nothing removed."""
    trial = api.attempt(association, "a removal by a caller without the right", credential=restricted)
    api.judge(judge.refusal.refused("access.forbidden", trial, codes=frozenset({403})), trial=trial)


@pytest.mark.clause("access.foreign")
def test_a_caller_of_another_tenant_is_refused(api, foreign, association):
    """A credential of another tenant: a documented 4xx, nothing removed."""
    trial = api.attempt(association, "a removal by a caller of another tenant", credential=foreign)
    api.judge(judge.refusal.refused("access.foreign", trial, codes=openapi.refusals()), trial=trial)


@pytest.mark.clause("access.foreign")
def test_another_tenant_does_not_deallocate_the_address(api, foreign, association):
    """With its association removed nothing but the tenant's border protects the address: it stays."""
    api.attempt(association, mistake=False)
    for how in api.some(["DELETE", "PUT"]):
        trial = api.deallocate(association.address, how, credential=foreign)
        api.judge(judge.deallocation.not_theirs("access.foreign", trial), trial=trial, case=f"{how} by another tenant")

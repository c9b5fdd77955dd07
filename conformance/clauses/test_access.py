"""``access.*``: who may remove an association, and who may not."""

from __future__ import annotations

import pytest

from conformance import judge
from conformance.generate import deallocations


@pytest.mark.clause("access.authenticated")
def test_a_caller_without_a_valid_token_is_answered_401(api):
    """No token, a wrong one, a part of the right one, or the right one in the wrong place: 401, nothing removed."""
    api.probe(lambda value: value.clause == "access.authenticated")


@pytest.mark.clause("access.forbidden")
def test_a_caller_without_the_right_to_delete_is_answered_403(api, restricted):
    """A credential of the tenant that may not delete: 403, wherever, however often and however worded."""
    api.probe_as(restricted, "access.forbidden")


@pytest.mark.clause("access.foreign")
def test_a_caller_of_another_tenant_is_refused(api, foreign):
    """A credential of another tenant: a documented 4xx, wherever, however often and however worded."""
    api.probe_as(foreign, "access.foreign")


@pytest.mark.clause("access.foreign")
def test_another_tenant_does_not_deallocate_the_address(api, foreign, associations):
    """Without any association nothing but the tenant's border protects the address: it stays."""
    for wording in api.some([one for one in deallocations.wordings() if one.judged]):
        trial = api.deallocate(associations[0].address, wording, credential=foreign)
        case = f"{wording.kind} by another tenant"
        api.judge(judge.deallocation.not_theirs("access.foreign", trial), trial=trial, case=case)

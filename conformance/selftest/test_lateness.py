"""Waiting for what may be under way: only where something changed that the answer does not explain."""

import in_process
import pytest

from conformance.contracts.associate.operation import OPERATION
from conformance.driver.api import TargetApi
from conformance.driver.lateness import MOST_IN_VAIN, MOST_RESTS, Lateness
from conformance.driver.operation import REMOVAL, JudgedOperation
from conformance.driver.ruling_log import RulingLog

pytestmark = pytest.mark.once


@pytest.mark.parametrize("operation", [REMOVAL, OPERATION])
def test_what_an_operation_is_for_is_waited_for_by_nobody(operation: JudgedOperation) -> None:
    """Neither what it does when it is granted, nor its refusal: a lawful deployment costs no rest."""
    with in_process.served() as reference, in_process.process(reference) as process:
        api = TargetApi(process, RulingLog(frozenset(), process.recorder), operation)
        pair = api.leases.association()
        assert api.attempt(pair, mistake=False).changes
        assert api.attempt(pair, "a body", body=b"{}").refused or operation is OPERATION
        api.close()
        assert process.lateness == Lateness()


def test_what_a_removal_takes_along_is_waited_for() -> None:
    """It could be another request's doing."""
    with in_process.served("all-of-the-address-go") as reference, in_process.process(reference) as process:
        api = TargetApi(process, RulingLog(frozenset(), process.recorder))
        pair, *_ = api.bare()
        api.establish(*(one for one in api.bare()))
        assert api.attempt(pair, mistake=False, full=True).changes
        api.close()
        assert process.lateness != Lateness()


def test_rests_are_few() -> None:
    """In vain some, and where effects come late some more; then whose they are is not to be told."""
    vain, late = Lateness(), Lateness()
    for _ in range(MOST_IN_VAIN):
        assert vain.is_worth_a_rest
        vain.rested(in_vain=True)
    assert not vain.is_worth_a_rest
    assert not vain.is_beyond_telling
    for _ in range(MOST_RESTS):
        assert late.is_worth_a_rest
        late.rested(in_vain=False)
    assert not late.is_worth_a_rest
    assert late.is_beyond_telling

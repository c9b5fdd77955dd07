"""``associate.*``: making an association, on a target that is asked for it (``--contract associate``)."""

from __future__ import annotations

import pytest

from conformance.contracts.associate import classes, judging


@pytest.mark.clause("associate.success", "associate.nothing-else", "associate.codes")
def test_an_address_is_associated_with_each_server(api, neighbourhood):
    """Where nothing stands and beside what stands: 201 or 200, both views show it, and nothing else changes."""
    for pair in api.some(neighbourhood):
        trial = api.attempt(pair, mistake=False, full=True)
        rulings = judging.success(trial), judging.nothing_else(trial), judging.documented(trial)
        api.judge(*rulings, trial=trial)


@pytest.mark.clause("associate.repeat", "associate.nothing-else")
def test_associating_once_more_changes_nothing(api, neighbourhood):
    """It succeeds as often as it is asked for."""
    for pair in api.some(neighbourhood):
        api.attempt(pair, mistake=False, full=True)
        trial = api.attempt(pair, "an association once more", standing=False, mistake=False, full=True)
        api.judge(judging.repeated(trial), judging.nothing_else(trial), trial=trial)


@pytest.mark.clause("associate.authenticated")
def test_nobody_associates_without_a_valid_token(api, neighbourhood):
    """401, and nothing is associated."""
    for words, variation in classes.UNAUTHENTICATED.items():
        trial = api.attempt(neighbourhood[0], f"an association with {words}", mistake=False, full=True, **variation)
        api.judge(judging.refused("associate.authenticated", trial, judging.UNAUTHORIZED), trial=trial, kind=[words])


@pytest.mark.clause("associate.unknown")
def test_what_is_not_there_is_not_associated(api, neighbourhood):
    """No address of the caller's, or no server: a 4xx, and nothing is associated."""
    for words, variation in classes.NOTHING.items():
        trial = api.attempt(neighbourhood[0], f"an association with {words}", mistake=False, full=True, **variation)
        api.judge(judging.refused("associate.unknown", trial), trial=trial, kind=[words])

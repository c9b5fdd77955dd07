"""``response.*``: a 204 ends with its header section."""

from __future__ import annotations

import pytest

from conformance import judge


@pytest.mark.clause("response.no-content")
@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_a_204_carries_no_content(api, association, connection):
    """Neither on a connection that is kept nor on one that is closed, where content could end with it."""
    for _ in api.some(range(3)):
        trial = api.attempt(association, mistake=False, headers={"Connection": connection})
        api.judge(judge.content.no_content(trial.exchange), trial=trial)

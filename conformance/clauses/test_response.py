"""``response.*``: a 204 ends with its header section."""

from __future__ import annotations

import pytest

from conformance import judge


@pytest.mark.clause("response.no-content")
def test_a_204_carries_no_content(api, association):
    """Neither on a connection that is closed, where content could end with it, nor on one that is kept."""
    for connection in ("close", "keep-alive"):
        trial = api.attempt(association, mistake=False, headers={"Connection": connection})
        api.judge(judge.content.no_content(trial.exchange), trial=trial, case=f"Connection: {connection}")

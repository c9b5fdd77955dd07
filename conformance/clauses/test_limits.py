"""``limits.*``: a request over the limit does nothing and says when to come back.

Every 413 that any test meets is judged. Only with ``--probe-limits`` is one provoked.
"""

from __future__ import annotations

import pytest

from conformance import judge


@pytest.mark.clause("limits.over-limit", "limits.retry-after")
def test_a_request_over_the_limit_does_nothing(api, association):
    """A bounded burst of reads, and then a removal while the limit holds."""
    trial = api.attempt_over_the_limit(association)
    api.judge(judge.limits.over_limit(trial), judge.limits.retry_after(trial.exchange), trial=trial)

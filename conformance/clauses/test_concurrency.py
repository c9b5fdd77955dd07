"""``concurrency.linearizable``: what overlapping operations come to is what some order of them comes to."""

from __future__ import annotations

import pytest

from conformance import judge


@pytest.mark.clause("concurrency.linearizable")
def test_some_order_explains_overlapping_operations(ruling_log, callers):
    """Associations, removals and de-allocations of one address by several callers at once."""
    for met in callers.rounds():
        ruling_log.note(judge.order.in_sequence(met))
        unjudged = f"{met.open} ({callers.tally})" if met.open else ""
        ruling_log.judge(judge.order.linearizable(met), case="\n".join(met.story), unjudged=unjudged)
    if callers.left_out:
        ruling_log.leave_out("further rounds", callers.left_out)

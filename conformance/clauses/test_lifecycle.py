"""``lifecycle.model``: whole lives of addresses, beside a model that knows no more than the page."""

from __future__ import annotations

import pytest

from conformance import judge


@pytest.mark.clause("lifecycle.model")
def test_any_sequence_agrees_with_the_model(ruling_log, walker):
    """Allocating, associating, removing, reading and de-allocating in any order; a failure is shortened first."""
    for walk in walker.walks():
        unjudged = walk.open or "nothing in the sequence took effect"
        case = str(walk) if walk.broken else ""
        ruling_log.judge(judge.lifecycle.unguarded(walk), case=case)
        ruling_log.judge(judge.lifecycle.agrees(walk), case=case, unjudged=unjudged)
    if walker.left_out:
        ruling_log.leave_out("further sequences", walker.left_out)

"""``method.*``: methods that the path does not have, and requests that ask for another one."""

from __future__ import annotations

import pytest


@pytest.mark.clause("method.refused", "method.allow")
def test_an_undocumented_method_is_answered_405(api):
    """Registered methods and invented ones: 405 with Allow, and the association stays."""
    api.probe(lambda value: value.clause == "method.refused")


@pytest.mark.clause("method.override")
def test_no_override_makes_another_method_remove(api):
    """Neither a field nor the query nor the content turns another method into a removal."""
    api.probe(lambda value: value.clause == "method.override")

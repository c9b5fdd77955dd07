"""``method.*``: methods that the path does not have, and requests that ask for another one."""

from __future__ import annotations

from typing import Any

import pytest

from conformance import judge

UNDOCUMENTED = ("POST", "PATCH", "FROBNICATE", "DELETED")

OVERRIDDEN = ("POST", "GET", "PUT")

OVERRIDES: dict[str, dict[str, Any]] = {
    "X-HTTP-Method-Override": {"headers": {"X-HTTP-Method-Override": "DELETE"}},
    "X-HTTP-Method": {"headers": {"X-HTTP-Method": "DELETE"}},
    "X-Method-Override": {"headers": {"X-Method-Override": "DELETE"}},
    "?_method=DELETE": {"query": "_method=DELETE"},
    "?method=DELETE": {"query": "method=DELETE"},
    "a form field _method": {
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": b"_method=DELETE",
        "framing": "content-length",
    },
}


@pytest.mark.clause("method.refused", "method.allow")
def test_an_undocumented_method_is_answered_405(api, association):
    """POST, PATCH and invented methods: 405 with Allow, and the association stays."""
    trials = [
        api.attempt(association, f"{method} on the association", method=method) for method in api.some(UNDOCUMENTED)
    ]
    for trial in trials:
        refused = judge.refusal.refused("method.refused", trial, codes=frozenset({405}))
        api.judge(refused, judge.methods.allow(trial.exchange), trial=trial, case=trial.words)


@pytest.mark.clause("method.refused")
def test_methods_are_case_sensitive(api, association):
    """``delete`` is not DELETE (RFC 9110, 9.1): whichever part of the target answers it, nothing is removed."""
    trial = api.attempt(association, "the method in lower case", method="delete")
    api.judge(judge.methods.without_effect("method.refused", trial), trial=trial, case="delete")


@pytest.mark.clause("method.override")
def test_no_override_makes_another_method_remove(api, association):
    """Neither a header nor the query nor a form field turns another method into a removal."""
    for method, name in api.some([(method, name) for name in OVERRIDES for method in OVERRIDDEN]):
        variation = OVERRIDES[name]
        if method == "POST" or "body" not in variation:
            trial = api.attempt(association, f"{method} with {name}", method=method, **variation)
            control = api.attempt(association, method, method=method) if trial.changes else None
            api.judge(judge.methods.override(trial, control), trial=trial, case=trial.words)

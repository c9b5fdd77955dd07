from typing import Any

import pytest

from conformance.model.history import UNKNOWN, UNSAID, Completion, Operation, Refused
from conformance.model.register import complaint, observes, step

READ = {"f": "read"}


def write(value: Any) -> dict[str, Any]:
    """A write request."""
    return {"f": "write", "value": value}


def cas(old: Any, new: Any) -> dict[str, Any]:
    """A compare-and-set request."""
    return {"f": "cas", "value": [old, new]}


@pytest.mark.parametrize(
    ("state", "asked", "output", "following"),
    [
        (None, READ, None, (None,)),
        (3, READ, 3, (3,)),
        (3, READ, {"value": 3}, (3,)),
        (3, READ, None, ()),
        (3, READ, 4, ()),
        (3, READ, UNSAID, (3,)),
        (3, READ, UNKNOWN, (3,)),
        (3, READ, Refused("timed out"), (3,)),
        (3, write(4), UNSAID, (4,)),
        (3, write(4), UNKNOWN, (4,)),
        (3, write(4), Refused(), (3,)),
        (3, cas(3, 4), UNSAID, (4,)),
        (3, cas(2, 4), UNSAID, ()),
        (3, cas(3, 4), Refused(), ()),
        (3, cas(2, 4), Refused(), (3,)),
        (3, cas(3, 4), UNKNOWN, (4,)),
        (3, cas(2, 4), UNKNOWN, (3,)),
        (None, cas(None, 4), UNSAID, (4,)),
        (1, READ, True, ()),
    ],
)
def test_a_step(state: Any, asked: Any, output: Any, following: tuple[Any, ...]) -> None:
    """A step."""
    assert step(state, asked, output) == following


def test_values_may_be_any_json() -> None:
    """Values may be any JSON."""
    (state,) = step(None, write({"b": [1], "a": True}), UNSAID)
    assert step(state, READ, {"a": True, "b": [1]}) == (state,)
    assert step(state, READ, {"a": 1, "b": [1]}) == ()


def test_what_observes_changes_nothing() -> None:
    """What observes changes nothing."""
    for asked in (READ, write(1), cas(1, 2), cas(2, 1)):
        for output in (UNSAID, UNKNOWN, Refused(), 1):
            if observes(asked, output):
                assert all(set(step(state, asked, output)) <= {state} for state in (None, 1, 2))


@pytest.mark.parametrize("asked", [None, "read", {"f": "pop"}, {"f": "write"}, {"f": "cas", "value": [1]}])
def test_other_inputs_are_named(asked: Any) -> None:
    """Other inputs are named."""
    assert "cas" in complaint(Operation(0, asked, None, Completion.OK, 0, 1))
    assert complaint(Operation(0, cas(1, 2), None, Completion.OK, 0, 1)) == ""

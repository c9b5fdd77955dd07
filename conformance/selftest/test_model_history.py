import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.bench.histories import Register, overlapping
from conformance.model.history import (
    UNKNOWN,
    UNSAID,
    Completion,
    HistoryError,
    Operation,
    Refused,
    dump,
    load,
    parse,
    timed,
)


def lines(*documents: Any) -> str:
    """JSON lines."""
    return "".join(json.dumps(document) + "\n" for document in documents)


def invoke(process: Any = 0, **members: Any) -> dict[str, Any]:
    """An invocation."""
    return {"process": process, "type": "invoke", "input": {"f": "read"}} | members


def done(kind: str = "ok", process: int = 0, **members: Any) -> dict[str, Any]:
    """A completion."""
    return {"process": process, "type": kind} | members


def test_an_invocation_and_its_completion_are_one_operation() -> None:
    """An invocation and its completion are one operation."""
    (made,) = parse(lines(invoke(), done(output=3)))
    assert made == Operation(0, {"f": "read"}, 3, Completion.OK, 0, 1)
    assert made.line == 1


def test_what_the_model_is_given_tells_the_outcomes_apart() -> None:
    """What the model is given tells the outcomes apart."""
    text = lines(invoke(), done(output=None), invoke(), done(), invoke(), done("fail", output="no"), invoke())
    assert [made.answer for made in parse(text)] == [None, UNSAID, Refused("no"), UNKNOWN]


@pytest.mark.parametrize("kind", ["unknown", "info"])
def test_an_unknown_completion_leaves_the_operation_pending_and_frees_the_process(kind: str) -> None:
    """An unknown completion leaves the operation pending and frees the process."""
    first, second = parse(lines(invoke(), done(kind, output={"status": 503}), invoke(), done(output=1)))
    assert first.pending
    assert (first.returned, first.output) == (None, {"status": 503})
    assert not second.pending


def test_times_order_the_events_and_the_file_orders_equal_times() -> None:
    """Times order the events and the file orders equal times."""
    text = lines(
        invoke(1, time=5), done(process=1, output=0, time=9), invoke(2, time=1), done(process=2, output=0, time=5)
    )
    second, first = sorted(parse(text), key=lambda made: str(made.process))
    assert (first.process, first.invoked, first.returned) == (2, 0, 2)
    assert (second.invoked, second.invoked_at, second.returned_at) == (1, 5, 9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{\n", "line 1: no JSON document; expected one JSON object a line"),
        ("[]\n", "line 1: a JSON list"),
        (lines(invoke(process=True)), "line 1: process is true; expected a whole number or a string"),
        (lines(invoke(type="start")), 'line 1: type is "start"; expected one of invoke, ok, fail, unknown, info'),
        (lines(invoke(type=["ok"])), "line 1: type is"),
        (lines({"process": 0, "type": "invoke"}), "line 1: an invocation without input"),
        (lines(invoke(output=3)), "line 1: an invocation with output"),
        (lines(invoke(value=3)), "line 1: unknown member 'value'"),
        (lines(invoke(time="now")), 'line 1: time is "now"; expected a finite number'),
        ('{"process": 0, "type": "invoke", "input": 1, "time": NaN}', "line 1: time is NaN"),
        (lines(invoke(time=1), done()), "line 2: no time; expected a time in all lines or in none"),
        (lines(done()), "line 1: process 0 completes nothing"),
        (lines(invoke(), done(), done()), "line 3: process 0 completes nothing"),
        (lines(invoke(), invoke()), "line 2: process 0 invokes while its operation of line 1 is open"),
        (lines(invoke(), done(input={"f": "write"})), "line 2: another input than its invocation"),
    ],
)
def test_a_malformed_line_is_named_with_what_is_expected(text: str, message: str) -> None:
    """A malformed line is named with what is expected."""
    with pytest.raises(HistoryError) as caught:
        parse(text)
    assert str(caught.value).startswith(message)
    assert "; expected " in str(caught.value)


def test_blank_lines_are_skipped_and_counted() -> None:
    """Blank lines are skipped and counted."""
    with pytest.raises(HistoryError, match="line 3"):
        parse("\n" + lines(invoke()) + "x")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """Bytes that are no text are refused."""
    (tmp_path / "history").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(HistoryError, match="no UTF-8"):
        load(tmp_path / "history")


@given(st.integers(0, 2**32))
def test_what_is_written_is_read_back(seed: int) -> None:
    """Positions apart, which are counted anew."""
    history = overlapping(Register(), Random(seed), operations=12, callers=4, lost=0.3)
    # A caller asks again after a lost answer, which the file says with an unknown completion.
    again = parse(dump(history))
    assert [(m.process, m.input, m.output, m.outcome) for m in again] == [
        (m.process, m.input, m.output, m.outcome) for m in history
    ]
    assert [[a.returned is not None and a.returned < b.invoked for a in again] for b in again] == [
        [a.returned is not None and a.returned < b.invoked for a in history] for b in history
    ]
    assert parse(dump(again)) == again


def test_an_unknown_answer_at_the_end_is_written_too() -> None:
    """An unknown answer at the end is written too."""
    text = lines(
        invoke(time=1), invoke(1, time=2), done("unknown", output={"status": 500}, time=3), done("fail", 1, time=4)
    )
    assert [m.output for m in parse(dump(parse(text)))] == [{"status": 500}, UNSAID]


def test_clock_readings_become_positions_and_equal_readings_overlap() -> None:
    """Clock readings become positions and equal readings overlap."""
    early = Operation(0, "a", 1, Completion.OK, 10.5, 11.5)
    late = Operation(1, "b", 1, Completion.OK, 11.5, 12.0)
    first, second = timed([late, early])
    assert (first.input, first.invoked, first.returned, first.returned_at) == ("a", 0, 1, 11.5)
    assert second.invoked == 1
    reread = parse(dump([first, second]))
    assert reread[0].returned is not None
    assert reread[0].returned > reread[1].invoked

import json
from dataclasses import replace
from random import Random

import pytest
from model_brute import explained_part

from conformance.bench.histories import Register, SimulatedDeployment, disturbed, other_status, other_value, overlapping
from conformance.model.explain import Counterexample, Timeline, explain, timeline, timeline_of
from conformance.model.history import UNSAID, Completion, Operation
from conformance.model.linearize import Model, PartResult, SearchResult, check, check_part
from conformance.model.register import REGISTER
from conformance.model.sequential import Choices, address_model

pytestmark = pytest.mark.once


def write(value: int, invoked: float, returned: float) -> Operation:
    """A completed write."""
    return Operation(0, {"f": "write", "value": value}, UNSAID, Completion.OK, invoked, returned)


def read(value: int, invoked: float, returned: float) -> Operation:
    """A completed read."""
    return Operation(1, {"f": "read"}, value, Completion.OK, invoked, returned)


def explained_by(model: Model, history: list[Operation]) -> tuple[PartResult, Counterexample]:
    """What was found illegal, and why."""
    culprit = check(model, history).culprit
    assert culprit is not None
    return culprit, explain(model, culprit)


def wrong_histories() -> list[tuple[Model, list[Operation]]]:
    """Some hundred histories of 20 operations that no order explains, of both models."""
    made: list[tuple[Model, list[Operation]]] = []
    for seed in range(150):
        random = Random(seed)
        lost = random.choice((0.0, 0.2))
        register = overlapping(Register(), random, operations=20, callers=4, lost=lost)
        made.append((REGISTER, disturbed(register, random, other_value(random))))
        deployment = overlapping(SimulatedDeployment(repeats=404), random, operations=20, callers=4, lost=lost)
        made.append((address_model(Choices("refused")), disturbed(deployment, random, other_status(random))))
    return [(model, history) for model, history in made if check(model, history).verdict == SearchResult.ILLEGAL]


WRONG = wrong_histories()


def test_a_stale_read_is_explained_by_both_writes_and_the_read() -> None:
    """A stale read is explained by both writes and the read."""
    noise = [write(n, 2.0 * n, 2.0 * n + 1) for n in range(20)]
    fresh = [write(30, 100, 101), read(30, 102, 103), write(31, 104, 105), read(31, 106, 107)]
    _, found = explained_by(REGISTER, [*noise, *fresh, read(30, 108, 109), read(5, 110, 111)])
    assert [asked.input.get("value", asked.output) for asked in found.operations] == [30, 31, 30]
    assert (found.stuck, found.order, found.left_out) == (2, (0, 1), 23)


def test_a_write_that_is_read_is_not_left_out() -> None:
    """Without it the read would be strange for a reason that never was."""
    history = [write(7, 0, 1), read(7, 2, 3), read(8, 4, 5)]
    _, found = explained_by(REGISTER, history)
    assert [asked.output for asked in found.operations] == [8]


def test_two_winners_are_shown_with_what_they_won() -> None:
    """Two winners are shown with the association that they won, and its address."""
    pair = {"server": "s1", "address": "a"}
    history = [
        Operation(0, {"f": "allocate", "ports": []}, {"status": 201, "address": "a"}, Completion.OK, -2, -1),
        Operation(0, {"f": "associate", **pair}, {"status": 201}, Completion.OK, 0, 1),
        Operation(0, {"f": "show", **pair}, {"status": 200}, Completion.OK, 2, 3),
        Operation(0, {"f": "remove", **pair}, {"status": 204}, Completion.OK, 4, 6),
        Operation(1, {"f": "remove", **pair}, {"status": 204}, Completion.OK, 5, 7),
        Operation(0, {"f": "show", **pair}, {"status": 404}, Completion.FAIL, 8, 9),
    ]
    _, found = explained_by(address_model(Choices("refused")), history)
    assert [asked.input["f"] for asked in found.operations] == ["allocate", "associate", "remove", "remove"]
    assert {asked.outcome for asked in found.operations} == {Completion.OK}, "each with its own answer"


def test_a_counterexample_is_not_linearizable_and_holds_only_what_was_seen() -> None:
    """A counterexample is not linearizable and holds only what was seen."""
    assert len(WRONG) > 100
    for model, history in WRONG:
        culprit, found = explained_by(model, history)
        part = replace(culprit.part, operations=found.operations)
        assert check_part(model, part, 100_000).verdict == SearchResult.ILLEGAL
        assert found.left_out == len(culprit.part.operations) - len(found.operations)
        seen = {(asked.process, asked.invoked) for asked in culprit.part.operations}
        assert {(asked.process, asked.invoked) for asked in found.operations} <= seen


def test_nothing_that_was_left_out_is_to_blame() -> None:
    """No order explains it even if all that was left out may have happened at any time."""
    for model, history in WRONG:
        culprit, found = explained_by(model, history)
        shown = {(asked.process, asked.invoked) for asked in found.operations}
        haunted = [
            replace(asked, outcome=Completion.UNKNOWN, returned=None)
            for asked in culprit.part.operations
            if (asked.process, asked.invoked) not in shown and not model.changes_nothing(asked)
        ]
        part = replace(culprit.part, operations=(*found.operations, *haunted))
        assert check_part(model, part, 100_000).verdict == SearchResult.ILLEGAL


def test_trying_every_order_finds_no_explanation_either() -> None:
    """Trying every order finds no explanation either."""
    for model, history in WRONG:
        culprit, found = explained_by(model, history)
        if len(found.operations) <= 7:
            part = replace(culprit.part, operations=found.operations)
            assert not explained_part(model, part)


def test_counterexamples_are_small() -> None:
    """Counterexamples are small."""
    sizes = [len(explained_by(model, history)[1].operations) for model, history in WRONG]
    assert max(sizes) <= 12
    assert sorted(sizes)[len(sizes) // 2] <= 4


def test_a_budget_too_small_to_weaken_anything_still_leaves_an_answer() -> None:
    """A budget too small to weaken anything still leaves an answer."""
    model, history = WRONG[0]
    culprit = check(model, history).culprit
    assert culprit is not None
    found = explain(model, culprit, budget=1)
    assert found.operations[found.stuck].returned is not None


def test_what_was_not_found_illegal_has_nothing_to_explain() -> None:
    """What was not found illegal has nothing to explain."""
    (part,) = check(REGISTER, [write(1, 0, 1)]).parts
    with pytest.raises(ValueError, match="linearizable"):
        explain(REGISTER, part)


def test_a_timeline_survives_json() -> None:
    """A timeline survives JSON."""
    for model, history in WRONG[:20]:
        culprit, found = explained_by(model, history)
        for drawing in (timeline(found), timeline_of(culprit)):
            assert Timeline.from_json(json.loads(json.dumps(drawing.to_json()))) == drawing


def test_bars_of_a_lane_do_not_overlap_and_all_operations_have_one() -> None:
    """Bars of a lane do not overlap and all operations have one."""
    for model, history in WRONG[:50]:
        culprit, _ = explained_by(model, history)
        drawing = timeline_of(culprit)
        for lane in drawing.lanes:
            for before, after in zip(lane.bars, lane.bars[1:], strict=False):
                assert before.end is not None
                assert before.end <= after.start
        bars = [bar for lane in drawing.lanes for bar in lane.bars]
        assert sorted(bar.number for bar in bars) == list(range(len(culprit.part.operations)))
        assert [bar.number for bar in bars if bar.stuck] == [culprit.stuck]
        assert [
            b.number for b in sorted(bars, key=lambda b: -1 if b.place is None else b.place) if b.place is not None
        ] == list(culprit.order)

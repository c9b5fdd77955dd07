from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_brute import explained

from conformance.bench.histories import Register, SimulatedDeployment, disturbed, other_status, other_value, overlapping
from conformance.model.history import UNSAID, Completion, Operation
from conformance.model.linearize import Model, SearchResult, check
from conformance.model.register import REGISTER
from conformance.model.sequential import Choices, address_model, whole_model

pytestmark = pytest.mark.once

SEEDS = 20_000


def operation(
    process: int,
    asked: Any,
    output: Any,
    invoked: float,
    returned: float | None,
    *,
    outcome: Completion = Completion.OK,
) -> Operation:
    """A completed operation, or one of another outcome."""
    return Operation(process, asked, output, outcome, invoked, returned)


def write(process: int, value: Any, invoked: float, returned: float | None) -> Operation:
    """A write, of unknown outcome if it never returned."""
    outcome = Completion.UNKNOWN if returned is None else Completion.OK
    return operation(process, {"f": "write", "value": value}, UNSAID, invoked, returned, outcome=outcome)


def read(process: int, value: Any, invoked: float, returned: float) -> Operation:
    """A read that returned a value."""
    return operation(process, {"f": "read"}, value, invoked, returned)


def verdict(history: Sequence[Operation], budget: int = 100_000) -> SearchResult:
    """What the register model says."""
    return check(REGISTER, history, budget).verdict


def test_a_read_that_overlaps_a_write_may_return_either_value() -> None:
    """A read that overlaps a write may return either value."""
    for value in (None, 1):
        assert verdict([write(0, 1, 0, 3), read(1, value, 1, 2)]) == SearchResult.LINEARIZABLE


def test_a_read_after_a_write_returns_its_value() -> None:
    """A read after a write returns its value."""
    assert verdict([write(0, 1, 0, 1), read(1, None, 2, 3)]) == SearchResult.ILLEGAL


def test_a_value_once_read_is_not_unread() -> None:
    """A value once read is not unread."""
    assert verdict([write(0, 1, 0, 9), read(1, 1, 1, 2), read(1, None, 3, 4)]) == SearchResult.ILLEGAL


def test_equal_points_are_overlap() -> None:
    """Equal points are overlap."""
    assert verdict([write(0, 1, 0, 5), read(1, None, 5, 6)]) == SearchResult.LINEARIZABLE


def test_an_unknown_write_takes_effect_at_any_later_time_or_never() -> None:
    """An unknown write takes effect at any later time or never."""
    lost = write(0, 1, 0, None)
    for values in ((None, None), (None, 1), (1, 1)):
        history = [lost, read(1, values[0], 10, 11), read(1, values[1], 20, 21)]
        assert verdict(history) == SearchResult.LINEARIZABLE
    assert verdict([lost, read(1, 1, 10, 11), read(1, None, 20, 21)]) == SearchResult.ILLEGAL


def test_an_unknown_write_has_no_effect_before_its_invocation() -> None:
    """An unknown write has no effect before its invocation."""
    assert verdict([read(1, 1, 0, 1), write(0, 1, 2, None)]) == SearchResult.ILLEGAL


def test_an_unknown_write_takes_effect_at_most_once() -> None:
    """An unknown write takes effect at most once."""
    history = [write(0, 1, 0, None), read(1, 1, 1, 2), write(1, 2, 3, 4), read(1, 2, 5, 6), read(1, 1, 7, 8)]
    assert verdict(history) == SearchResult.ILLEGAL
    assert verdict([*history, write(2, 1, 6, None)]) == SearchResult.LINEARIZABLE


def test_an_order_that_spends_less_of_the_unknown_is_found_after_one_that_spends_more() -> None:
    """The lost write of 7 is needed at the end, so the first 7 must come from the write that was answered."""
    lost = [
        write(0, 7, 0, None),
        operation(1, {"f": "cas", "value": [7, 1]}, UNSAID, 0, None, outcome=Completion.UNKNOWN),
    ]
    answered = [write(2, 7, 0, 1), write(3, 9, 0, 1.5), read(4, 1, 2, 3), write(4, 5, 4, 5), read(4, 7, 6, 7)]
    assert verdict([*lost, *answered]) == SearchResult.LINEARIZABLE
    assert verdict([lost[1], *answered]) == SearchResult.ILLEGAL


def test_no_operations_and_only_unknown_ones_are_linearizable() -> None:
    """No operations and only unknown ones are linearizable."""
    assert verdict([]) == SearchResult.LINEARIZABLE
    assert verdict([write(0, 1, 0, None)]) == SearchResult.LINEARIZABLE


def test_the_order_of_a_linearizable_history_explains_it() -> None:
    """The order of a linearizable history explains it."""
    history = overlapping(Register(), Random(3), operations=60, callers=5, lost=0.2)
    (part,) = check(REGISTER, history).parts
    states = {REGISTER.initial}
    for number in part.order:
        asked = part.part.operations[number]
        states = {after for state in states for after in REGISTER.step(state, asked.input, asked.answer)}
        assert states
    answered = {number for number, asked in enumerate(history) if not asked.pending}
    assert answered <= set(part.order)


def test_the_operation_that_sticks_is_the_first_return_that_cannot_be_explained() -> None:
    """The operation that sticks is the first return that cannot be explained."""
    history = [write(0, 1, 0, 1), read(1, 1, 2, 3), read(1, 7, 4, 5), read(1, 8, 6, 7)]
    culprit = check(REGISTER, history).culprit
    assert culprit is not None
    assert (culprit.stuck, culprit.order) == (2, (0, 1))
    assert verdict(history[:2]) == SearchResult.LINEARIZABLE


@pytest.mark.parametrize("budget", [0, 1, 5])
def test_a_spent_budget_is_unknown_and_never_a_pass(budget: int) -> None:
    """A spent budget is unknown and never a pass."""
    history = overlapping(Register(), Random(1), operations=50, callers=4)
    result = check(REGISTER, history, budget)
    assert result.verdict == SearchResult.UNKNOWN
    assert result.explored <= max(budget, 1)


def test_a_spent_budget_in_one_part_does_not_hide_a_smaller_part_that_is_illegal() -> None:
    """A spent budget in one part does not hide a smaller part that is illegal."""
    model = address_model()
    history = overlapping(SimulatedDeployment(), Random(1), operations=50, callers=4)
    history.append(operation(9, {"f": "show_address", "address": "other"}, {"status": 200}, 1, 2))
    history.append(operation(9, {"f": "show", "server": "s1", "address": "other"}, {"status": 200}, 3, 4))
    assert check(model, history, 5).verdict == SearchResult.ILLEGAL


def test_a_deadline_that_passed_is_unknown() -> None:
    """A deadline that passed is unknown."""
    history = [write(number, number, 0, 100) for number in range(12)] + [read(99, -1, 200, 201)]
    result = check(REGISTER, history, seconds=-1.0)
    assert result.verdict == SearchResult.UNKNOWN


def test_the_same_budget_gives_the_same_answer() -> None:
    """The same budget gives the same answer."""
    history = overlapping(Register(), Random(5), operations=80, callers=8, lost=0.1)
    assert len({check(REGISTER, history, 60).explored for _ in range(3)}) == 1


def test_every_state_that_a_step_may_lead_to_is_followed() -> None:
    """Every state that a step may lead to is followed."""
    model = Model(
        "coin",
        "unset",
        lambda state, asked, said: ("heads", "tails") if asked == "toss" else (state,) * (said == state),
    )
    for value in ("heads", "tails"):
        history = [operation(0, "toss", UNSAID, 0, 1), operation(0, "look", value, 2, 3)]
        assert check(model, history).verdict == SearchResult.LINEARIZABLE
        assert check(model, [*history, operation(0, "look", "edge", 4, 5)]).verdict == SearchResult.ILLEGAL


def registers(seed: int) -> tuple[Model, list[Operation]]:
    """A small history of a register; with an odd seed one answer is changed."""
    random = Random(seed)
    history = overlapping(
        Register(), random, operations=random.randint(1, 6), callers=random.randint(1, 4), lost=random.choice((0, 0.3))
    )
    return REGISTER, disturbed(history, random, other_value(random)) if seed % 2 else history


def addresses(seed: int) -> tuple[Model, list[Operation]]:
    """A small history of one address; with an odd seed one answer is changed."""
    random = Random(seed)
    repeats = random.choice((204, 404))
    subject = SimulatedDeployment(repeats=repeats, life=0.2)
    history = overlapping(
        subject, random, operations=random.randint(1, 6), callers=random.randint(1, 4), lost=random.choice((0, 0.3))
    )
    model = address_model(Choices("204" if repeats == 204 else "refused"))
    return model, disturbed(history, random, other_status(random)) if seed % 2 else history


@pytest.mark.parametrize("made", [registers, addresses])
def test_the_checker_agrees_with_trying_every_order(made: Callable[[int], tuple[Model, list[Operation]]]) -> None:
    """On 20,000 small histories, of which thousands are linearizable and thousands are not."""
    seen: Counter[SearchResult] = Counter()
    for seed in range(SEEDS // 2):
        model, history = made(seed)
        found = check(model, history).verdict
        assert found == (SearchResult.LINEARIZABLE if explained(model, history) else SearchResult.ILLEGAL), (
            seed,
            history,
        )
        seen[found] += 1
        if seed % 2 == 0:
            assert found == SearchResult.LINEARIZABLE, "a correct object is linearizable by construction"
    assert min(seen.values()) > SEEDS // 16
    assert len(seen) == 2


VALUES = st.sampled_from([None, 0, 1])
REQUESTS = st.one_of(
    st.just({"f": "read"}),
    st.builds(lambda value: {"f": "write", "value": value}, st.sampled_from([0, 1])),
    st.builds(lambda old, new: {"f": "cas", "value": [old, new]}, VALUES, st.sampled_from([0, 1])),
)


@st.composite
def intervals(draw: st.DrawFn) -> Operation:
    """Any request, any answer, at any time."""
    invoked = draw(st.integers(0, 12))
    outcome = draw(st.sampled_from(list(Completion)))
    returned = None if outcome == Completion.UNKNOWN else invoked + draw(st.integers(0, 6))
    return Operation(0, draw(REQUESTS), draw(VALUES), outcome, invoked, returned)


@given(history=st.lists(intervals(), max_size=6))
@settings(max_examples=300, deadline=None, database=None)
def test_any_intervals_are_judged_as_by_trying_every_order(history: list[Operation]) -> None:
    """Any intervals are judged as by trying every order."""
    expected = SearchResult.LINEARIZABLE if explained(REGISTER, history) else SearchResult.ILLEGAL
    assert check(REGISTER, history).verdict == expected


def test_the_promise_to_change_nothing_alters_no_verdict() -> None:
    """The promise to change nothing alters no verdict."""
    bare = Model("bare", REGISTER.initial, REGISTER.step)
    for seed in range(500):
        model, history = registers(seed)
        assert check(bare, history).verdict == check(model, history).verdict


def test_splitting_by_address_gives_the_verdict_of_the_whole() -> None:
    """On histories without lists, for which the split claims no less."""
    seen: Counter[SearchResult] = Counter()
    for seed in range(600):
        random = Random(seed)
        history = overlapping(SimulatedDeployment(ids=2, life=0.2), random, operations=8, callers=3, lost=0.1)
        history = [asked for asked in history if asked.input["f"] != "list"]
        history = disturbed(history, random, other_status(random)) if seed % 2 else history
        whole = check(whole_model(history), history).verdict
        assert check(address_model(), history).verdict == whole
        seen[whole] += 1
    assert min(seen.values()) > 50
    assert len(seen) == 2


def test_a_split_list_never_accuses_where_the_whole_does_not() -> None:
    """A split list never accuses where the whole does not."""
    for seed in range(600):
        random = Random(seed)
        history = overlapping(SimulatedDeployment(ids=2, life=0.1), random, operations=8, callers=3, lost=0.1)
        history = disturbed(history, random, other_status(random)) if seed % 2 else history
        if check(whole_model(history), history).verdict == SearchResult.LINEARIZABLE:
            assert check(address_model(), history).verdict == SearchResult.LINEARIZABLE


def test_a_list_need_not_show_two_addresses_at_one_moment() -> None:
    """It misses the first association and shows a later one: two points in time."""
    listed = {"status": 200, "addresses": ["b"]}
    history = [
        operation(0, {"f": "list", "server": "s"}, listed, 0, 9),
        operation(1, {"f": "associate", "server": "s", "address": "a"}, {"status": 201}, 1, 2),
        operation(1, {"f": "associate", "server": "s", "address": "b"}, {"status": 201}, 3, 4),
    ]
    assert check(whole_model(history), history).verdict == SearchResult.ILLEGAL
    assert check(address_model(), history).verdict == SearchResult.LINEARIZABLE

from random import Random

import pytest

from conformance.bench.histories import SimulatedDeployment, overlapping
from conformance.model.history import UNKNOWN, Completion, Operation
from conformance.model.linearize import SearchResult, check
from conformance.model.sequential import (
    AddressState,
    Choices,
    Stage,
    State,
    address_model,
    allowed,
    by_address,
    complaint,
    outcome,
    possible,
)

LIVE = AddressState(Stage.LIVE, frozenset({"p1", "p2"}))
FREE = State((("a", LIVE),))
HELD = State((("a", AddressState(Stage.LIVE, LIVE.ports, frozenset({"s"}))),))
GONE = State((("a", AddressState(Stage.GONE)),))
NONE = State()


def status(code: int, **body: object) -> dict[str, object]:
    """An answer."""
    return {"status": code} | body


def asked(f: str, **members: object) -> dict[str, object]:
    """A request about address a and server s."""
    server = {"server": "s"} if f in {"associate", "remove", "list", "show"} else {}
    address = {"address": "a"} if f not in {"allocate", "list"} else {}
    by = {"by": "DELETE"} if f == "deallocate" else {}
    return {"f": f} | server | address | by | members


@pytest.mark.parametrize(
    ("before", "request_", "answer", "after"),
    [
        (NONE, asked("allocate", ports=["p1", "p2"]), status(201, address="a", ports=["p1", "p2"]), {FREE}),
        (NONE, asked("allocate", ports=["p1", "p2"]), status(400), {NONE}),
        (FREE, asked("allocate", ports=["p1", "p2"]), status(201, address="a"), set()),
        (GONE, asked("allocate", ports=["p1", "p2"]), status(201, address="a"), set()),
        (NONE, asked("allocate", ports=["p1", "p2"]), UNKNOWN, {NONE}),
        (FREE, asked("associate"), status(201), {HELD}),
        (HELD, asked("associate"), status(200), {HELD}),
        (HELD, asked("associate"), status(409), {HELD}),
        (FREE, asked("associate"), status(400), {FREE}),
        (FREE, asked("associate"), status(503), {FREE, HELD}),
        (GONE, asked("associate"), status(201), set()),
        (GONE, asked("associate"), status(404), {GONE}),
        (GONE, asked("associate"), status(500), {GONE}),
        (HELD, asked("remove"), status(204), {FREE}),
        (HELD, asked("remove"), status(404), set()),
        (HELD, asked("remove"), status(413), {HELD}),
        (HELD, asked("remove"), status(500), {FREE, HELD}),
        (HELD, asked("remove"), UNKNOWN, {FREE, HELD}),
        (FREE, asked("remove"), status(204), {FREE}),
        (FREE, asked("remove"), status(404), {FREE}),
        (GONE, asked("remove"), status(400), {GONE}),
        (HELD, asked("list"), status(200, addresses=["a", "foreign"]), {HELD}),
        (HELD, asked("list"), status(200, addresses=["foreign"]), set()),
        (FREE, asked("list"), status(200, addresses=["a"]), set()),
        (FREE, asked("list"), status(404), {FREE}),
        (HELD, asked("show"), status(200), {HELD}),
        (HELD, asked("show"), status(404), set()),
        (FREE, asked("show"), status(200), set()),
        (FREE, asked("show"), status(404), {FREE}),
        (FREE, asked("show_address"), status(200, ports=["p2", "p1"]), {FREE}),
        (FREE, asked("show_address"), status(200), {FREE}),
        (FREE, asked("show_address"), status(200, ports=["p1"]), set()),
        (FREE, asked("show_address"), status(404), set()),
        (GONE, asked("show_address"), status(200), set()),
        (GONE, asked("show_address"), status(404), {GONE}),
        (FREE, asked("deallocate"), status(204), {GONE}),
        (FREE, asked("deallocate", by="PUT"), status(200), {GONE}),
        (FREE, asked("deallocate"), status(409), set()),
        (FREE, asked("deallocate"), status(503), {FREE, GONE}),
        (HELD, asked("deallocate"), status(204), set()),
        (HELD, asked("deallocate", by="PUT"), status(200), set()),
        (HELD, asked("deallocate"), status(409), {HELD}),
        (HELD, asked("deallocate"), status(503), {HELD}),
        (GONE, asked("deallocate"), status(204), set()),
        (GONE, asked("deallocate"), status(404), {GONE}),
        (FREE, asked("replace_ports", ports=["p1"]), status(403), {FREE}),
        (GONE, asked("replace_ports", ports=["p1"]), status(200), set()),
    ],
)
def test_what_may_follow_an_answer(
    before: State, request_: dict[str, object], answer: object, after: set[State]
) -> None:
    """What may follow an answer."""
    assert possible({before}, request_, answer) == after


@pytest.mark.parametrize(("f", "before"), [("allocate", NONE), ("replace_ports", FREE)])
def test_the_ports_are_those_shown_not_those_asked_for(f: str, before: State) -> None:
    """A cloud may add a port of its own; where an answer shows none, they are not known."""
    (after,) = possible({before}, asked(f, ports=["p9"]), status(200, address="a", ports=["p9", "own"]))
    assert after.address("a").ports == frozenset({"p9", "own"})
    (after,) = possible({before}, asked(f, ports=["p9"]), status(200, address="a"))
    assert after.address("a").ports is None


def test_an_unknown_outcome_is_settled_by_what_is_seen_later() -> None:
    """An unknown outcome is settled by what is seen later."""
    either = possible({HELD}, asked("remove"), UNKNOWN)
    assert possible(either, asked("show"), status(404)) == {FREE}
    assert possible(either, asked("deallocate"), status(409)) == {HELD}


@pytest.mark.parametrize(("choice", "lawful"), [("204", {204}), ("refused", {404}), ("either", {204, 404})])
def test_the_choice_made_in_sequence_binds_a_repeated_removal(choice: str, lawful: set[int]) -> None:
    """The choice made in sequence binds a repeated removal."""
    choices = Choices(choice)  # type: ignore[arg-type]
    removed = possible({HELD}, asked("remove"), status(204), choices)
    assert {code for code in (204, 404) if possible(removed, asked("remove"), status(code), choices)} == lawful


@pytest.mark.parametrize("choice", ["204", "refused"])
def test_a_choice_binds_no_first_removal(choice: str) -> None:
    """What was never associated, or is associated again, is not a repetition."""
    choices = Choices(choice)  # type: ignore[arg-type]
    for answer in (204, 404):
        assert possible({FREE}, asked("remove"), status(answer), choices)
    states = possible({HELD}, asked("remove"), status(204), choices)
    states = possible(states, asked("associate"), status(201), choices)
    assert possible(states, asked("remove"), status(204), choices)
    assert not possible(states, asked("remove"), status(404), choices)


def test_two_winners_are_a_violation_only_where_the_target_refuses_repetition() -> None:
    """Two winners are a violation only where the target refuses repetition."""
    history = [
        Operation(0, asked("associate"), status(201), Completion.OK, 0, 1),
        Operation(0, asked("remove"), status(204), Completion.OK, 2, 4),
        Operation(1, asked("remove"), status(204), Completion.OK, 3, 5),
    ]
    assert check(address_model(), history).verdict == SearchResult.LINEARIZABLE
    assert check(address_model(Choices("204")), history).verdict == SearchResult.LINEARIZABLE
    assert check(address_model(Choices("refused")), history).verdict == SearchResult.ILLEGAL


def test_a_server_error_stays_pending_under_whatever_type_it_was_recorded() -> None:
    """It takes effect long after it was answered."""
    for kind in Completion:
        history = [
            Operation(0, asked("associate"), status(503), kind, 0, None if kind == Completion.UNKNOWN else 1),
            Operation(1, asked("show"), status(404), Completion.FAIL, 2, 3),
            Operation(1, asked("show"), status(200), Completion.OK, 4, 5),
        ]
        assert check(address_model(), history).verdict == SearchResult.LINEARIZABLE


def test_an_address_that_is_never_allocated_exists_from_the_start() -> None:
    """An address that is never allocated exists from the start."""
    show = Operation(0, asked("show_address"), status(200), Completion.OK, 0, 1)
    allocate = Operation(0, asked("allocate", ports=[]), status(201, address="a"), Completion.OK, 2, 3)
    assert check(address_model(), [show]).verdict == SearchResult.LINEARIZABLE
    assert check(address_model(), [show, allocate]).verdict == SearchResult.ILLEGAL


def test_a_list_is_one_read_of_each_address() -> None:
    """A list is one read of each address."""
    history = [
        Operation(0, asked("associate", address=id_), status(201), Completion.OK, at, at + 1)
        for id_, at in (("a", 0), ("b", 2))
    ]
    history.append(Operation(0, asked("list"), status(200, addresses=["b"]), Completion.OK, 4, 5))
    parts = by_address(history)
    assert [(part.key, part.operations[-1].output["listed"]) for part in parts] == [("a", False), ("b", True)]
    culprit = check(address_model(), history).culprit
    assert culprit is not None
    assert culprit.part.key == "a"


def test_the_unknown_covers_every_answer_that_takes_effect() -> None:
    """Minimising rests on it: an operation that is made pending may still do all that it did."""
    for seed in range(200):
        history = overlapping(SimulatedDeployment(ids=2, life=0.2), Random(seed), operations=20, callers=1)
        states = {State((("a0", LIVE), ("a1", LIVE)))}
        for operation in history:
            done = possible(states, operation.input, operation.output)
            assert done
            assert done <= possible(states, operation.input, UNKNOWN)
            states = set(done)


@pytest.mark.parametrize(
    ("states", "request_", "words"),
    [
        ({HELD}, asked("remove"), ["204, the association then being gone"]),
        ({HELD}, asked("deallocate"), ["4xx that changes nothing"]),
        ({FREE}, asked("deallocate"), ["2xx, the address then being gone"]),
        ({HELD}, asked("show"), ["2xx"]),
        ({FREE}, asked("show"), ["4xx"]),
        ({FREE}, asked("show_address"), ["2xx with the ports p1, p2"]),
        ({HELD}, asked("list"), ["2xx listing a of the known addresses", "4xx"]),
        ({FREE}, asked("list"), ["2xx listing none of the known addresses", "4xx"]),
        ({NONE}, asked("allocate", ports=[]), ["2xx with an ID never seen before", "4xx that allocates nothing"]),
        ({FREE, HELD}, asked("show"), ["4xx", "2xx"]),
    ],
)
def test_what_is_allowed_is_said_in_words(states: set[State], request_: dict[str, object], words: list[str]) -> None:
    """What is allowed is said in words."""
    said = allowed(states, request_)
    assert sorted(said[:-2]) == sorted(words)
    assert said[-2:] == ("401 or 413 that changes nothing", "500 or 503, the outcome then being unknown")


def test_the_status_decides_the_type_in_a_history() -> None:
    """The status decides the type in a history."""
    assert [outcome(code) for code in (204, 404, 503, 302, None)] == ["ok", "fail"] + ["unknown"] * 3


@pytest.mark.parametrize(
    ("request_", "answer", "words"),
    [
        (None, None, '"f" is one of allocate'),
        ({"f": "listed"}, None, '"f" is one of allocate'),
        ({"f": "show", "server": 1, "address": "a"}, None, '"server" of show to be a string'),
        (asked("deallocate", by="POST"), None, '"by" of deallocate to be "DELETE" or "PUT"'),
        (asked("allocate", ports="p"), None, '"ports" of allocate to be a list of strings'),
        (asked("allocate", ports=[]), status(201), '"address", the ID given'),
        (asked("list"), status(200), '"addresses", the IDs listed'),
        (asked("show"), 200, '{"status": 204}'),
        (asked("show"), {"status": "200"}, '{"status": 204}'),
        (asked("show"), status(200), ""),
        (asked("list"), status(503), ""),
    ],
)
def test_operations_that_the_model_does_not_know_are_named(request_: object, answer: object, words: str) -> None:
    """Operations that the model does not know are named."""
    said = complaint(Operation(0, request_, answer, Completion.OK, 0, 1))
    assert words in said
    assert bool(said) is bool(words)

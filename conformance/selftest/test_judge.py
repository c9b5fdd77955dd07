"""Every function of judge/: what breaks, what holds, what says nothing, and what holds without having been tried."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from types import ModuleType
from typing import Any

import pytest

from conformance import judge, openapi
from conformance.evidence import Exchange, Request, Response
from conformance.judge import (
    Attempt,
    Deallocation,
    Held,
    ObservedState,
    Pair,
    codes,
    content,
    deallocation,
    effect,
    faults,
    lasting,
    lifecycle,
    limits,
    methods,
    oracle,
    order,
    refusal,
)
from conformance.judge.lifecycle import PlayedSequence, Taken
from conformance.judge.oracle import Expected, Rule
from conformance.judge.order import Round
from conformance.verdict import Ruling

CLAUSE = "body.refused"
OWN, OTHER = Pair("a", "s1"), Pair("a", "s2")
HELD = Held.of(["p1", "p2"], "192.0.2.1")
STANDING = ObservedState(dict.fromkeys((OWN, OTHER), True), dict.fromkeys((OWN, OTHER), True), {"a": HELD}, {"a": HELD})
NOTHING = STANDING.without(OWN, OTHER)
UNREAD = ObservedState()
REMOVED, BOTH_GONE = STANDING.without(OWN), NOTHING
DEALLOCATED = replace(STANDING, ports={"a": None}, tabled={"a": None})
NONE, HOLDS, VACUOUS = "says nothing", "holds", "holds, and was not tried"
STANDS = ({"A": ["s1"]},)
MADE = Taken("associate", "", (), "201", True, "1", changed=True, states=STANDS, address="A")
LET_GO = Taken("deallocate", "", (), "204", False, "2", changed=True, states=STANDS, address="A", by="DELETE")


def exchange(status: int | None, method: str = "DELETE", *fields: tuple[str, str], body: bytes = b"") -> Exchange:
    """A request that was answered so; None is no answer."""
    response = None if status is None else Response(status, "", fields, body)
    request = Request(method, "http://127.0.0.1/v2/servers/s1/ip_associations/a")
    return Exchange("1", "removeAssociation", "full", request, 0.0, 0.1, 0.0, response, "" if response else "lost")


def answered_twice(framing: str) -> Exchange:
    """A 204, and the answer to what the target took for another request."""
    once = exchange(204, body=b"HTTP/1.1 400 Bad Request\r\n\r\n")
    return replace(once, request=replace(once.request, framing=framing))


def tried(
    status: int | None,
    after: ObservedState = STANDING,
    before: ObservedState = STANDING,
    method: str = "DELETE",
    **changes: Any,
) -> Attempt:
    """A request that might remove an association; it stood unless stated."""
    made: dict[str, Any] = {"pair": OWN, "reached": bool(before.listed.get(OWN)), "words": "it"} | changes
    return Attempt(exchange=exchange(status, method), before=before, after=after, **made)


def freed(
    status: int | None, after: ObservedState = STANDING, *, standing: tuple[Pair, ...] = (OWN,), **more: Any
) -> Deallocation:
    """A de-allocation."""
    made: dict[str, Any] = {
        "address": "a",
        "how": "DELETE",
        "method": "DELETE",
        "standing": standing,
        "before": STANDING,
    }
    made |= more
    return Deallocation(exchange=exchange(status), after=after, **made)


def outcome(ruling: Ruling | None) -> str:
    """The rule that is broken, or in which sense none is."""
    if ruling is None:
        return NONE
    if ruling.violation:
        return ruling.violation.rule
    return HOLDS if ruling.reached else VACUOUS


@pytest.mark.parametrize(
    ("listed", "shown", "expected"),
    [
        ({OWN: True}, {OWN: True}, NONE),
        ({OWN: False}, {OWN: False}, NONE),
        ({OWN: False}, {OWN: True}, "halfway"),
        ({OWN: True}, {OWN: False}, "halfway"),
        ({OWN: True}, {}, NONE),
    ],
)
def test_a_removal_is_made_or_not_in_every_view(
    listed: dict[Pair, bool], shown: dict[Pair, bool], expected: str
) -> None:
    """Where its answer leaves it open."""
    seen = ObservedState(listed=listed, shown=shown)
    assert outcome(effect.halfway(OWN, exchange(500), seen, "it")) == expected


@pytest.mark.parametrize(("status", "due"), [(200, HOLDS), (400, "PUT of an empty list: effect")])
def test_ports_that_are_named_may_be_the_address_s_from_then_on(status: int, due: str) -> None:
    """If that is granted (decision 9); what is refused changes nothing, and the address has to stay all the same."""
    moved = replace(STANDING, ports={"a": HELD._replace(ports=frozenset({"other"}))})
    clause, effects = "deallocation.put-refused", "PUT of an empty list: effect"
    assert outcome(deallocation.protected(clause, freed(status, moved, replaces=True))) == due
    assert outcome(deallocation.protected(clause, freed(status, moved))) == effects
    assert outcome(deallocation.protected(clause, freed(status, DEALLOCATED, replaces=True))) == effects


def test_what_is_back_after_refusals_is_told_from_what_was_lost() -> None:
    """A refused de-allocation that brings back what was removed leaves address and associations as they have to be."""
    before = ObservedState(listed={OWN: True, OTHER: False})
    back, lost = ObservedState(listed={OWN: True, OTHER: True}), ObservedState(listed={OWN: False, OTHER: True})
    told = [
        [ruling.clause for ruling in deallocation.together(CLAUSE, "some", before, after, ("1",))]
        for after in (before, back, lost)
    ]
    assert told == [[], ["effect.refusal-is-inert"], [CLAUSE, "effect.refusal-is-inert"]]
    trial = freed(409, back, before=before)
    assert outcome(deallocation.refused(CLAUSE, trial)) == HOLDS
    assert outcome(effect.inert_deallocation(trial)) == "refused de-allocation"


def by_clause(rulings: Iterator[Ruling | None]) -> list[str]:
    """Clause and outcome of each."""
    return [f"{ruling.clause if ruling else '-'}: {outcome(ruling)}" for ruling in rulings]


LOST, FAULT = tried(None), tried(503)
REFUSALS = openapi.refusals()
REFUSED: list[tuple[Attempt, str]] = [
    (tried(400), HOLDS),
    (tried(499), HOLDS),
    (tried(400, REMOVED), "refusal: effect"),
    (tried(400, BOTH_GONE), "refusal: effect"),
    (tried(204, REMOVED), "refusal"),
    (tried(204), "refusal"),
    (tried(204, NOTHING, NOTHING), "refusal"),
    (tried(301), "refusal"),
    (tried(501), "refusal"),
    (LOST, NONE),
    (FAULT, NONE),
    (tried(500, REMOVED), NONE),
    (tried(400, NOTHING, NOTHING), NONE),
    (tried(400, UNREAD), VACUOUS),
]
TABLE: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    *((refusal.refused, (CLAUSE, attempt), {}, expected) for attempt, expected in REFUSED),
    (refusal.refused, (CLAUSE, tried(401)), {"codes": frozenset({401})}, HOLDS),
    (refusal.refused, (CLAUSE, tried(403)), {"codes": frozenset({401})}, "refusal: code 403"),
    (refusal.refused, (CLAUSE, tried(429)), {"codes": frozenset({401})}, NONE),
    (refusal.refused, (CLAUSE, tried(429)), {}, HOLDS),
    (refusal.refused, (CLAUSE, tried(404, NOTHING, NOTHING)), {"codes": frozenset({401})}, NONE),
    (refusal.refused, (CLAUSE, tried(404)), {"codes": REFUSALS, "rule": "r"}, "r: code 404"),
    (refusal.refused_or, (CLAUSE, tried(204, REMOVED)), {"codes": REFUSALS, "granted": {204}}, HOLDS),
    (refusal.refused_or, (CLAUSE, tried(204, UNREAD)), {"codes": REFUSALS, "granted": {204}}, VACUOUS),
    (refusal.refused_or, (CLAUSE, tried(204, NOTHING, NOTHING)), {"codes": REFUSALS, "granted": {204}}, "refusal"),
    (refusal.refused_or, (CLAUSE, tried(204, REMOVED)), {"codes": REFUSALS, "granted": set()}, "refusal"),
    (refusal.refused_or, (CLAUSE, tried(400)), {"codes": REFUSALS, "granted": {204}}, HOLDS),
    # -- codes, response, limits, method, faults
    *((codes.documented, (exchange(code),), {}, HOLDS) for code in (204, 400, 401, 403, 405, 413, 500, 503)),
    *((codes.documented, (exchange(code),), {}, f"code {code}") for code in (200, 202, 301, 404, 409, 415, 501, 502)),
    (codes.documented, (exchange(None),), {}, NONE),
    (codes.success, (tried(204, REMOVED),), {}, HOLDS),
    (codes.success, (tried(200, REMOVED),), {}, "code 200"),
    (codes.success, (tried(400),), {}, "code 400"),
    *((codes.success, (tried(code),), {}, NONE) for code in (None, 413, 500, 503)),
    (codes.success, (tried(400, NOTHING, NOTHING),), {}, NONE),
    (content.no_content, (exchange(204),), {}, HOLDS),
    (content.no_content, (exchange(204, "DELETE", ("Content-Length", "0")),), {}, HOLDS),
    (content.no_content, (exchange(204, "DELETE", ("Content-Length", "2")),), {}, "content"),
    (content.no_content, (exchange(204, "DELETE", ("Transfer-Encoding", "chunked")),), {}, "content"),
    (content.no_content, (exchange(204, body=b"x"),), {}, "content"),
    (content.no_content, (answered_twice("none"),), {}, "content"),
    (content.no_content, (answered_twice("chunked"),), {}, NONE),
    (content.no_content, (exchange(200, body=b"x"),), {}, NONE),
    (content.no_content, (exchange(None),), {}, NONE),
    (limits.over_limit, (tried(413),), {}, HOLDS),
    (limits.over_limit, (tried(413, REMOVED),), {}, "effect"),
    (limits.over_limit, (tried(413, UNREAD),), {}, VACUOUS),
    (limits.over_limit, (tried(413, NOTHING, NOTHING),), {}, NONE),
    (limits.over_limit, (tried(400, REMOVED),), {}, NONE),
    (limits.retry_after, (exchange(413, "DELETE", ("Retry-After", "1")),), {}, HOLDS),
    (limits.retry_after, (exchange(413),), {}, "no Retry-After"),
    (limits.retry_after, (exchange(400),), {}, NONE),
    (limits.retry_after, (exchange(None),), {}, NONE),
    *(
        (
            limits.retry_after,
            (replace(exchange(413), request=Request("DELETE", "http://x/", (), b"", framing)),),
            {},
            NONE,
        )
        for framing in ("content-length", "chunked")
    ),
    (methods.allow, (exchange(405, "POST", ("Allow", "GET, PUT, DELETE")),), {}, HOLDS),
    (methods.allow, (exchange(405, "POST", ("Allow", "GET, PUT")),), {}, "methods missing"),
    (methods.allow, (exchange(405, "POST"),), {}, "no Allow"),
    (methods.allow, (exchange(400, "POST"),), {}, NONE),
    (methods.allow, (exchange(None, "POST"),), {}, NONE),
    *(
        (judged, arguments, {}, expected)
        for attempt, expected in [
            (tried(204), HOLDS),
            (tried(400), HOLDS),
            (tried(None), HOLDS),
            (tried(400, REMOVED), "effect"),
            (tried(None, REMOVED), "effect"),
            (tried(400, UNREAD), VACUOUS),
            (tried(400, NOTHING, NOTHING), NONE),
        ]
        for judged, arguments in ((methods.without_effect, (CLAUSE, attempt)), (methods.override, (attempt,)))
    ),
    (methods.override, (tried(204, REMOVED), tried(204, REMOVED)), {}, NONE),
    (methods.override, (tried(204, REMOVED), tried(204)), {}, "effect"),
    (faults.client_input, ("it", [exchange(400)]), {"confirmed": False}, HOLDS),
    (faults.client_input, ("it", [exchange(500), exchange(400)]), {"confirmed": True}, HOLDS),
    (faults.client_input, ("it", [exchange(500)]), {"confirmed": True}, "code 500"),
    (faults.client_input, ("it", [exchange(500)]), {"confirmed": False}, NONE),
    (faults.client_input, ("it", [exchange(None)]), {"confirmed": True}, NONE),
    # -- effect, body
    (effect.removed, (tried(204, REMOVED),), {}, HOLDS),
    (effect.removed, (tried(204),), {}, "still shown by the list and the single read"),
    (effect.removed, (tried(204, replace(REMOVED, shown=STANDING.shown)),), {}, "still shown by the single read"),
    (effect.removed, (tried(204, replace(REMOVED, listed=STANDING.listed)),), {}, "still shown by the list"),
    (effect.removed, (tried(204, UNREAD),), {}, NONE),
    (effect.removed, (tried(400),), {}, NONE),
    (effect.removed, (tried(204, NOTHING, NOTHING),), {}, NONE),
    (effect.removed, (tried(204, names=False),), {}, NONE),
    (effect.absent, (OWN, REMOVED, "1"), {}, HOLDS),
    (effect.absent, (OWN, STANDING, "1"), {"rule": "back"}, "back by the list and the single read"),
    (effect.absent, (OWN, UNREAD, "1"), {}, NONE),
    (effect.taken_later, (REMOVED, REMOVED, "#1"), {}, HOLDS),
    (effect.taken_later, (STANDING, REMOVED, "#1"), {}, "more than asked for"),
    (effect.still_absent, (tried(204, REMOVED), REMOVED), {}, HOLDS),
    (effect.still_absent, (tried(204, REMOVED), STANDING), {}, "shown again by the list and the single read"),
    (effect.still_absent, (tried(400), STANDING), {}, NONE),
    (effect.still_absent, (tried(204, NOTHING, NOTHING), STANDING), {}, NONE),
    (effect.nothing_else, (tried(204, REMOVED),), {}, HOLDS),
    (effect.nothing_else, (tried(204, BOTH_GONE),), {}, "more than asked for"),
    (effect.nothing_else, (tried(204, REMOVED, names=False),), {}, "more than asked for"),
    (effect.nothing_else, (tried(204, names=False),), {}, HOLDS),
    (effect.nothing_else, (tried(204, DEALLOCATED),), {}, "more than asked for"),
    (effect.nothing_else, (tried(204, UNREAD),), {}, VACUOUS),
    (effect.nothing_else, (tried(400, BOTH_GONE),), {}, NONE),
    (effect.nothing_else, (tried(204, BOTH_GONE, method="POST"),), {}, NONE),
    (effect.nothing_else, (tried(204, NOTHING, NOTHING),), {}, NONE),
    (effect.taken_along, (("gone",), "1", STANDING), {}, "more than asked for"),
    (refusal.once, (CLAUSE, "one of two", ("gone",), ("1",)), {}, "refusal: effect, once"),
    (effect.inert_deallocation, (freed(400, REMOVED),), {}, "refused de-allocation"),
    (effect.inert_deallocation, (freed(400),), {}, NONE),
    (effect.inert_deallocation, (freed(204, REMOVED),), {}, NONE),
    (effect.inert, (tried(400),), {}, HOLDS),
    (effect.inert, (tried(400, REMOVED),), {}, "refused"),
    (effect.inert, (tried(400, UNREAD),), {}, VACUOUS),
    (effect.inert, (tried(503, REMOVED),), {}, NONE),
    (effect.inert, (tried(None, BOTH_GONE),), {}, "unknown outcome"),
    (effect.inert, (tried(503),), {}, NONE),
    (effect.inert, (tried(204, BOTH_GONE),), {}, NONE),
    (effect.inert, (tried(400, NOTHING, NOTHING),), {}, NONE),
    (effect.stayed, (STANDING, STANDING), {}, HOLDS),
    (effect.stayed, (STANDING, REMOVED), {}, "late"),
    (effect.stayed, (STANDING, UNREAD), {}, VACUOUS),
    (effect.stayed, (UNREAD, STANDING), {}, VACUOUS),
    (effect.repeated, (tried(204, NOTHING, NOTHING),), {}, HOLDS),
    (effect.repeated, (tried(400, NOTHING, NOTHING),), {}, HOLDS),
    (effect.repeated, (tried(404, NOTHING, NOTHING),), {}, "code 404"),
    (effect.repeated, (tried(204, NOTHING, REMOVED),), {}, "effect"),
    (effect.repeated, (tried(204, UNREAD, NOTHING),), {}, VACUOUS),
    (effect.repeated, (tried(204, REMOVED),), {}, NONE),
    *((effect.repeated, (tried(code, NOTHING, REMOVED),), {}, NONE) for code in (None, 413, 503)),
    (effect.same_in_upper_case, (tried(204, REMOVED), None, None), {}, HOLDS),
    (effect.same_in_upper_case, (tried(204, UNREAD), None, None), {}, VACUOUS),
    (effect.same_in_upper_case, (tried(400), tried(204, REMOVED), tried(400)), {}, "upper case"),
    (effect.same_in_upper_case, (tried(400), tried(400), tried(400)), {}, NONE),
    (effect.same_in_upper_case, (tried(400), tried(204, REMOVED), tried(204, REMOVED)), {}, NONE),
    (effect.same_in_upper_case, (tried(400), tried(204, REMOVED), tried(503)), {}, NONE),
    (effect.same_in_upper_case, (tried(400), None, None), {}, NONE),
    *((effect.same_in_upper_case, (tried(code), None, None), {}, NONE) for code in (None, 413, 503)),
    (effect.same_in_upper_case, (tried(204, NOTHING, NOTHING), None, None), {}, NONE),
    (effect.body_inert, (tried(204, REMOVED),), {}, HOLDS),
    (effect.body_inert, (tried(400),), {}, HOLDS),
    (effect.body_inert, (tried(400, BOTH_GONE),), {}, "effect"),
    (effect.body_inert, (tried(400, UNREAD),), {}, VACUOUS),
    (effect.body_inert, (tried(400, NOTHING, NOTHING),), {}, NONE),
    # -- deallocation, the looks at the end
    (deallocation.refused, (CLAUSE, freed(400)), {}, HOLDS),
    (deallocation.refused, (CLAUSE, freed(400, standing=())), {}, VACUOUS),
    (deallocation.refused, (CLAUSE, freed(400, UNREAD)), {}, VACUOUS),
    (deallocation.refused, (CLAUSE, freed(204, DEALLOCATED)), {}, "DELETE: effect"),
    (deallocation.refused, (CLAUSE, freed(400, REMOVED)), {}, "DELETE: effect"),
    (deallocation.refused, (CLAUSE, freed(None, DEALLOCATED)), {}, "DELETE: effect"),
    (deallocation.refused, (CLAUSE, freed(204)), {}, "DELETE: not refused"),
    *((deallocation.refused, (CLAUSE, freed(code)), {}, NONE) for code in (None, 413, 503)),
    (deallocation.refused, (CLAUSE, freed(503, persisted=(exchange(503),) * 3)), {}, "DELETE: persists: 503"),
    (effect.halfway, (OWN, exchange(500), ObservedState({OWN: False}, {OWN: True}), "it"), {}, "halfway"),
    (deallocation.protected, (CLAUSE, freed(200)), {}, HOLDS),
    (deallocation.protected, (CLAUSE, freed(200, standing=())), {}, VACUOUS),
    (deallocation.protected, (CLAUSE, freed(200, UNREAD)), {}, VACUOUS),
    (deallocation.protected, ("deallocation.put-refused", freed(400, DEALLOCATED)), {}, "PUT of an empty list: effect"),
    (deallocation.granted, (CLAUSE, freed(204, DEALLOCATED, standing=())), {}, HOLDS),
    (deallocation.granted, (CLAUSE, freed(200, DEALLOCATED, standing=())), {}, "code 200"),
    (deallocation.granted, (CLAUSE, freed(200, DEALLOCATED, standing=(), how="PUT", method="PUT")), {}, HOLDS),
    (deallocation.granted, (CLAUSE, freed(400, standing=())), {}, "refused"),
    (deallocation.granted, (CLAUSE, freed(400, standing=(), lingers=True)), {}, NONE),
    (deallocation.granted, (CLAUSE, freed(204, standing=(), lingers=True)), {}, "still there"),
    (deallocation.granted, (CLAUSE, freed(204, standing=())), {}, "still there"),
    (
        deallocation.granted,
        (CLAUSE, freed(204, replace(DEALLOCATED, tabled={"a": HELD}), standing=())),
        {},
        "still there",
    ),
    (deallocation.granted, (CLAUSE, freed(204, UNREAD, standing=())), {}, NONE),
    (deallocation.granted, (CLAUSE, freed(400)), {}, NONE),
    *((deallocation.granted, (CLAUSE, freed(code, standing=())), {}, NONE) for code in (None, 413, 503)),
    (deallocation.not_theirs, (CLAUSE, freed(400)), {}, HOLDS),
    (deallocation.not_theirs, (CLAUSE, freed(400, UNREAD)), {}, VACUOUS),
    (deallocation.not_theirs, (CLAUSE, freed(400, DEALLOCATED)), {}, "DELETE of the address"),
    (deallocation.not_theirs, (CLAUSE, freed(204)), {}, "DELETE of the address"),
    *((deallocation.not_theirs, (CLAUSE, freed(code)), {}, NONE) for code in (None, 413, 503)),
    (lasting.stayed, (CLAUSE, STANDING, STANDING), {}, HOLDS),
    (lasting.stayed, (CLAUSE, STANDING, REMOVED), {}, "late"),
    (lasting.stayed, (CLAUSE, STANDING, UNREAD), {}, VACUOUS),
    (lasting.deallocated, (CLAUSE, "a", "1", DEALLOCATED), {}, HOLDS),
    (lasting.deallocated, (CLAUSE, "a", "1", STANDING), {}, "shown again"),
    (lasting.deallocated, (CLAUSE, "a", "1", UNREAD), {}, NONE),
    # -- sequences and rounds
    (
        lifecycle.agrees,
        (PlayedSequence((Taken("remove", "remove", ("204",), "204", True, "1", changed=True),), 1),),
        {},
        HOLDS,
    ),
    (lifecycle.agrees, (PlayedSequence((Taken("remove", "remove", ("204",), "400", True, "1"),), 1),), {}, NONE),
    (
        lifecycle.agrees,
        (PlayedSequence((Taken("remove", "remove", ("204",), "404, x", False, "1"),), 1),),
        {},
        "remove, 404",
    ),
    (lifecycle.agrees, (PlayedSequence((), 0),), {}, NONE),
    (lifecycle.unguarded, (PlayedSequence((MADE, LET_GO), 2),), {}, "DELETE: effect"),
    (lifecycle.unguarded, (PlayedSequence((MADE, replace(LET_GO, by="PUT")), 2),), {}, "PUT of an empty list: effect"),
    (lifecycle.unguarded, (PlayedSequence((MADE, replace(MADE, f="remove"), LET_GO), 3),), {}, NONE),
    (lifecycle.unguarded, (PlayedSequence((MADE, replace(LET_GO, changed=False)), 2),), {}, NONE),
    (lifecycle.unguarded, (PlayedSequence((MADE,), 1),), {}, NONE),
    (
        lifecycle.agrees,
        (PlayedSequence((Taken("remove", "remove", ("204",), "204", True, "1", changed=True),), 1, open="lost"),),
        {},
        NONE,
    ),
    (order.linearizable, (Round("w", explained=True, overlapped=True),), {}, HOLDS),
    (order.linearizable, (Round("w", explained=True, overlapped=False),), {}, NONE),
    (order.linearizable, (Round("w", explained=None, overlapped=True),), {}, NONE),
    (order.linearizable, (Round("w", explained=False, overlapped=True),), {}, "w"),
    (order.linearizable, (Round("w", explained=False, overlapped=True, in_sequence=True),), {}, NONE),
    (order.in_sequence, (Round("w", explained=False, overlapped=True, in_sequence=True),), {}, "w"),
    (order.in_sequence, (Round("w", explained=False, overlapped=True),), {}, NONE),
    (order.in_sequence, (Round("w", explained=None, overlapped=True, in_sequence=True),), {}, NONE),
    (order.in_sequence, (Round("w", explained=True, overlapped=True, in_sequence=True),), {}, NONE),
]
MANY = {lasting.removed, oracle.rulings, oracle.persistent, deallocation.together}
"""Those that make several rulings; they have tests of their own below."""


@pytest.mark.parametrize(("judged", "arguments", "named", "expected"), TABLE)
def test_what_follows(
    judged: Callable[..., Ruling | None], arguments: tuple[Any, ...], named: dict[str, Any], expected: str
) -> None:
    """From an answer and what it changed."""
    assert outcome(judged(*arguments, **named)) == expected


def functions(module: ModuleType) -> list[Callable[..., Any]]:
    """Those of a module that make rulings, for others to call."""
    found = inspect.getmembers(module, inspect.isfunction)
    own = [one for name, one in found if one.__module__ == module.__name__ and not name.startswith("_")]
    return [one for one in own if "Ruling" in str(inspect.signature(one).return_annotation)]


def test_every_function_that_makes_rulings_is_in_the_table() -> None:
    """With a case that breaks and, if it can hold, one that holds."""
    modules = [one for name in judge.__all__ if inspect.ismodule(one := getattr(judge, name))]
    every = {function for module in modules for function in functions(module)}
    assert len(modules) > 10
    listed: dict[Any, set[str]] = {}
    for judged, _, _, expected in TABLE:
        listed.setdefault(judged, set()).add(expected)
    assert every == listed.keys() | MANY
    assert [one.__name__ for one, seen in listed.items() if not seen - {NONE, HOLDS, VACUOUS}] == []


def of_a_trial(judged: Callable[..., Any]) -> bool:
    """It judges a request by what was seen before and after it."""
    taken = {str(one.annotation) for one in inspect.signature(judged).parameters.values()}
    return bool({"Attempt", "Deallocation"} & taken)


@pytest.mark.parametrize("judged", [one for one in dict.fromkeys(row[0] for row in TABLE) if of_a_trial(one)])
def test_nothing_holds_where_nothing_stood_or_nothing_was_read(judged: Callable[..., Ruling | None]) -> None:
    """Whatever is answered: a clause that a look is needed for does not hold without one, nor without a subject."""
    taken = inspect.signature(judged).parameters
    rest = {name: value for name, value in VALUES.items() if name in taken}
    for status, seen in product((204, 200, 400, 401, 405, 413, 500, None), (UNREAD, STANDING)):
        attempt = tried(status, seen, before=UNREAD)
        subjects = {
            "attempt": attempt,
            "removal": attempt,
            "trial": freed(status, seen, before=UNREAD, standing=()),
        }
        given = {name: subject for name, subject in subjects.items() if name in taken}
        assert outcome(judged(**given, **rest)) != HOLDS


VALUES: dict[str, Any] = {
    "clause": CLAUSE,
    "codes": None,
    "granted": {204},
    "control": None,
    "again": None,
    "seen": UNREAD,
}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (NOTHING, ["effect.removed: holds"] * 2),
        (REMOVED, ["effect.removed: holds", "effect.removed: shown again by the list and the single read"]),
        (UNREAD, ["-: says nothing"] * 2),
    ],
)
def test_each_removal_is_looked_at_again(seen: ObservedState, expected: list[str]) -> None:
    """One ruling for each."""
    assert by_clause(lasting.removed({OWN: "1", OTHER: "2"}, seen)) == expected


@pytest.mark.parametrize(
    ("rule", "attempt", "expected"),
    [
        (Rule(CLAUSE, Expected.REFUSED), tried(400), ["body.refused: holds", "effect.refusal-is-inert: holds"]),
        (Rule(CLAUSE, Expected.REFUSED), tried(400, NOTHING, NOTHING), ["-: says nothing", "-: says nothing"]),
        (
            Rule(CLAUSE, Expected.REFUSED, content=True),
            tried(204, BOTH_GONE),
            [
                "body.refused: refusal",
                "-: says nothing",
                "body.inert: effect",
                "effect.nothing-else: more than asked for",
            ],
        ),
        (
            Rule("codes.documented", Expected.EITHER),
            tried(204, REMOVED),
            ["effect.removed: holds", "codes.documented: holds", "-: says nothing", "effect.nothing-else: holds"],
        ),
        (Rule(CLAUSE, Expected.INERT), tried(204, REMOVED), ["body.refused: effect", "-: says nothing"]),
    ],
)
def test_one_oracle_makes_all_rulings_of_a_request(rule: Rule, attempt: Attempt, expected: list[str]) -> None:
    """The rule's own clause first."""
    assert by_clause(oracle.rulings(rule, attempt)) == expected


@pytest.mark.parametrize(
    ("rule", "attempt", "expected"),
    [
        (Rule(CLAUSE, Expected.REFUSED), tried(500), "persists: 500"),
        (Rule(CLAUSE, Expected.REFUSED), tried(None), "persists: no answer"),
        (Rule("identifier.uuid", Expected.REFUSED), tried(500), HOLDS),
        (Rule("identifier.uuid", Expected.REFUSED), tried(500, REMOVED), "fault: effect"),
        (Rule("identifier.uuid", Expected.REFUSED), tried(500, UNREAD), VACUOUS),
        (Rule(CLAUSE, Expected.INERT), tried(500), HOLDS),
        (Rule(CLAUSE, Expected.INERT), tried(500, REMOVED), "fault: effect"),
        (Rule(CLAUSE, Expected.EITHER), tried(500), HOLDS),
        (Rule(CLAUSE, Expected.EITHER), tried(500, REMOVED), NONE),
    ],
)
def test_a_fault_that_persists_is_the_answer(rule: Rule, attempt: Attempt, expected: str) -> None:
    """Where the clause demands one."""
    tries = (attempt.exchange,) * 3
    assert [outcome(one) for one in oracle.persistent(rule, attempt, tries)] == [expected]


@pytest.mark.parametrize(
    ("before", "after", "phrases"),
    [
        (STANDING, STANDING, ()),
        (STANDING, UNREAD, ()),
        (STANDING, REMOVED, (f"the list does not show {OWN}", f"the single read does not show {OWN}")),
        (NOTHING, REMOVED, (f"the list shows {OTHER}", f"the single read shows {OTHER}")),
        (STANDING, DEALLOCATED, ("address a is gone", "in the list of addresses address a is gone")),
        (DEALLOCATED, STANDING, ("address a still exists", "in the list of addresses address a still exists")),
    ],
)
def test_differences_are_told_view_by_view(
    before: ObservedState, after: ObservedState, phrases: tuple[str, ...]
) -> None:
    """What only one of them holds is not compared."""
    assert before.differences(after) == phrases
    assert before.comparable(after) is (after is not UNREAD)
    assert after.comparable(before) is (after is not UNREAD)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (HELD, ()),
        (Held.of(["P2", "p1"], "192.0.2.1"), ()),
        (Held.of(["p1"], "192.0.2.1"), ("the ports of address {} are p1 instead of p1, p2",)),
        (Held.of([], "192.0.2.1"), ("the ports of address {} are none instead of p1, p2",)),
        (Held.of(["p1", "p2"], ""), ("address {} is shown without its address instead of 192.0.2.1",)),
        (Held.of(["p1", "p2"], "192.0.2.2"), ("address {} is 192.0.2.2 instead of 192.0.2.1",)),
    ],
)
def test_what_belongs_to_an_address_is_compared_in_one_spelling(after: Held, said: tuple[str, ...]) -> None:
    """Ports as a set without case, the literal as an address."""
    assert tuple(HELD.changes(after)) == said


def test_of_many_tries_the_last_is_shown() -> None:
    """It is the one that decides: a fault that persists, and a mistake that is answered with one."""
    tries = tuple(replace(exchange(500 + number % 2), id=f"{number}") for number in range(4))
    (persisted,) = oracle.persistent(Rule(CLAUSE, Expected.REFUSED), tried(500), tries)
    assert outcome(persisted) == "persists: 501"
    blamed = faults.client_input("it", [replace(one, response=exchange(500).response) for one in tries], confirmed=True)
    assert blamed
    assert blamed.violation
    assert blamed.violation.exchanges == ("3",)


ELSEWHERE, FAR = Pair("b", "s1"), Pair("b", "s2")
ALL_OF_IT = dict.fromkeys((OWN, OTHER, ELSEWHERE, FAR), True)


@pytest.mark.parametrize(
    ("before", "after", "scope"),
    [
        (ObservedState(ALL_OF_IT), ObservedState(ALL_OF_IT), set()),
        (ObservedState(ALL_OF_IT), ObservedState({**ALL_OF_IT, OWN: False}), {"itself goes"}),
        (
            ObservedState(ALL_OF_IT),
            ObservedState(shown={OTHER: False}, listed={OTHER: False}),
            {"another of its address goes"},
        ),
        (ObservedState(shown=ALL_OF_IT), ObservedState(shown={ELSEWHERE: False}), {"another of its server goes"}),
        (ObservedState({FAR: False}), ObservedState({FAR: True}), {"another appears"}),
        (
            ObservedState(ALL_OF_IT, literals={("the list", OTHER): "192.0.2.1"}),
            ObservedState(ALL_OF_IT, literals={("the list", OTHER): "192.0.2.2"}),
            {"another of its address changes"},
        ),
        (STANDING, DEALLOCATED, {"its address goes"}),
        (DEALLOCATED, STANDING, {"its address appears"}),
        (
            ObservedState(ports={"b": HELD}),
            ObservedState(ports={"b": HELD._replace(ports=frozenset())}),
            {"another address changes"},
        ),
    ],
)
def test_what_changed_is_told_without_names(before: ObservedState, after: ObservedState, scope: set[str]) -> None:
    """As it looks from the association that a request named, so that two runs tell the same; no view, no number."""
    assert before.scope(after, OWN) == scope


def test_how_far_a_removal_went_tells_findings_apart() -> None:
    """What it named is none of it, for that was asked for; of what named nothing everything is."""
    removal = replace(tried(204), before=STANDING, after=BOTH_GONE)
    for named, scope in (
        (True, ["another of its address goes"]),
        (False, ["another of its address goes", "itself goes"]),
    ):
        ruling = judge.effect.nothing_else(replace(removal, names=named))
        assert ruling
        assert ruling.violation
        assert ruling.violation.details["scope"] == scope

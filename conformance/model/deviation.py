"""What a target may do against the contract, as steps that the sequential model may take besides.

A clause of its own speaks of each of these deviations. So a sequence, or a round of overlapping operations, that the
model accepts once it may deviate in one of these ways shows nothing that the narrower clause does not say already; and
what follows can be judged too, since the model goes on from what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from itertools import combinations, product
from typing import Any, Final

from conformance.model.linearize import Model
from conformance.model.sequential import (
    LISTED,
    AddressState,
    EffectKind,
    ModelAnswer,
    Stage,
    State,
    read_answer,
)
from conformance.model.sequential import possible as lawful

_DEFINITE: Final = frozenset({EffectKind.SUCCESS, EffectKind.REFUSED})
_WITHOUT_EFFECT: Final = frozenset({EffectKind.REFUSED, EffectKind.TURNED_AWAY})


class Deviation(StrEnum):
    """A way in which a target is not what the model says."""

    DELETE_GRANTED = "a DELETE de-allocates an address that has an association"
    PUT_GRANTED = "a PUT without ports de-allocates an address that has an association"
    DELETE_IN_VAIN = "a DELETE does not de-allocate an address without associations"
    PUT_IN_VAIN = "a PUT without ports does not de-allocate an address without associations"
    REMOVAL_REFUSED = "a removal of a standing association is refused"
    REMOVAL_IN_VAIN = "a removed association stays, or is shown"
    REMOVAL_TAKES_MORE = "a removal changes more than what it names"
    REFUSAL_CHANGES = "what is refused changes something"
    REPETITION_CHANGES = "a repeated removal changes something"


def possible(
    states: Iterable[State], asked: Mapping[str, Any], told: Any, deviations: frozenset[Deviation] = frozenset()
) -> frozenset[State]:
    """Every state that a target may be in after an answer, if it may deviate in these ways; none: a violation."""
    before = frozenset(states)
    return lawful(before, asked, told) | {
        after for state in before for after in _deviating(state, asked, read_answer(told), deviations)
    }


def relaxed(model: Model, deviations: frozenset[Deviation]) -> Model:
    """The model of one address, which may deviate in these ways."""

    def step(address: AddressState, asked: Mapping[str, Any], output: Any) -> tuple[Hashable, ...]:
        answer = read_answer(output)
        besides = (after for one in deviations for after in _STEPS[one](address, asked, answer))
        return tuple(dict.fromkeys((*model.step(address, asked, output), *besides)))

    return replace(model, step=step, observes=None) if deviations else model


def explaining(accepted: Callable[[frozenset[Deviation]], bool]) -> tuple[frozenset[Deviation], ...]:
    """The smallest sets of deviations with which something is accepted: each that suffices alone, else one of several.

    Args:
        accepted: whether the model accepts it with these deviations.
    """
    alone = tuple(frozenset({one}) for one in Deviation if accepted(frozenset({one})))
    every = frozenset(Deviation)
    if alone or not accepted(every):
        return alone
    for one in Deviation:
        if accepted(every - {one}):
            every -= {one}
    return (every,)


def _deviating(
    state: State, asked: Mapping[str, Any], answer: ModelAnswer, deviations: frozenset[Deviation]
) -> Iterator[State]:
    if not deviations or asked["f"] == "allocate":
        return
    if asked["f"] == "list":
        yield from _deviating_list(state, asked["server"], answer, deviations)
        return
    id_ = asked["address"]
    for one in deviations:
        for address in _STEPS[one](state.address(id_), asked, answer):
            yield state.having(id_, address)


def _deviating_list(
    state: State, server: str, answer: ModelAnswer, deviations: frozenset[Deviation]
) -> Iterator[State]:
    """A list is a read of each address that the state knows."""
    if answer.kind is not EffectKind.SUCCESS:
        return
    told = frozenset(answer.body["addresses"])
    choices = []
    for id_, address in state.addresses:
        read = {"f": LISTED, "server": server, "address": id_}
        listed = ModelAnswer(EffectKind.SUCCESS, {"listed": id_ in told})
        agrees = (address,) if (id_ in told) == (server in address.servers) else ()
        choices.append({*agrees, *(after for one in deviations for after in _STEPS[one](address, read, listed))})
    names = [id_ for id_, _ in state.addresses]
    for chosen in product(*choices):
        yield State(tuple(zip(names, chosen, strict=True)))


# What a deviation leads to besides, from one state of one address.

_Step = Callable[[AddressState, Mapping[str, Any], ModelAnswer], Iterable[AddressState]]


def _granted(by: str) -> _Step:
    def step(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
        held = address.stage is Stage.LIVE and address.servers
        if _deallocates(asked, by) and held and answer.kind is EffectKind.SUCCESS:
            return (_gone(address), address, replace(address, servers=frozenset(), ports=None))
        return _shown_again(address, asked, answer) if address.stage is Stage.GONE else ()  # orphans

    return step


def _in_vain(by: str) -> _Step:
    def step(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
        free = address.stage is Stage.LIVE and not address.servers
        if _deallocates(asked, by) and free and answer.kind in _DEFINITE:
            return (address, replace(address, ports=None))
        return ()

    return step


def _removal_refused(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
    if _removes_standing(address, asked) and answer.kind is EffectKind.REFUSED:
        return (address, _without(address, asked["server"]))
    return ()


def _removal_in_vain(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
    if _removes_standing(address, asked) and answer.kind is EffectKind.SUCCESS:
        return (address,)
    free = address.stage is Stage.LIVE and not address.servers
    if asked["f"] == "deallocate" and free and answer.kind is EffectKind.REFUSED:
        return (address,)  # what is still there, or there again, holds it
    return _shown_again(address, asked, answer)


def _takes_more(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
    if _removes_standing(address, asked) and answer.kind is EffectKind.SUCCESS:
        return _less(_without(address, asked["server"]))
    return _missing(address, asked, answer)


def _refusal_changes(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
    if asked["f"] in {"remove", "deallocate"} and answer.kind in _WITHOUT_EFFECT and address.stage is Stage.LIVE:
        return _less(address)
    return _missing(address, asked, answer)


def _repetition_changes(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
    repeats = asked["f"] == "remove" and asked["server"] not in address.servers
    if repeats and answer.kind in _DEFINITE and address.stage is Stage.LIVE:
        return (*_less(address), replace(address, servers=address.servers | {asked["server"]}))
    return (*_missing(address, asked, answer), *_shown_again(address, asked, answer))


_STEPS: Final[Mapping[Deviation, _Step]] = {
    Deviation.DELETE_GRANTED: _granted("DELETE"),
    Deviation.PUT_GRANTED: _granted("PUT"),
    Deviation.DELETE_IN_VAIN: _in_vain("DELETE"),
    Deviation.PUT_IN_VAIN: _in_vain("PUT"),
    Deviation.REMOVAL_REFUSED: _removal_refused,
    Deviation.REMOVAL_IN_VAIN: _removal_in_vain,
    Deviation.REMOVAL_TAKES_MORE: _takes_more,
    Deviation.REFUSAL_CHANGES: _refusal_changes,
    Deviation.REPETITION_CHANGES: _repetition_changes,
}


def _missing(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
    """Something is not there that should be: what took it may have named another address."""
    server = asked.get("server", "")
    if address.stage is not Stage.LIVE:
        return ()
    if asked["f"] == "show_address":
        return (_gone(address),) if answer.kind is EffectKind.REFUSED else (_with_ports(address, answer),)
    if asked["f"] == "deallocate" and address.servers and answer.kind is EffectKind.SUCCESS:
        return (_gone(address),)
    refused = asked["f"] in {"show", "remove"} and answer.kind is EffectKind.REFUSED
    if server in address.servers and (refused or (asked["f"] == LISTED and answer.body.get("listed") is False)):
        return (_without(address, server),)
    return ()


def _shown_again(address: AddressState, asked: Mapping[str, Any], answer: ModelAnswer) -> Iterable[AddressState]:
    """A read shows what was removed: it stands, or only that view lies."""
    shown = asked["f"] == "show" and answer.kind is EffectKind.SUCCESS
    shown = shown or (asked["f"] == LISTED and answer.body.get("listed") is True)
    if not shown or asked["server"] in address.servers:
        return ()
    back = replace(address, servers=address.servers | {asked["server"]})
    return (address, back) if address.stage is Stage.LIVE else (address,)


def _less(address: AddressState) -> Iterable[AddressState]:
    """The address with any part of what is there, or none of it."""
    servers = sorted(address.servers)
    kept = [frozenset(chosen) for size in range(len(servers) + 1) for chosen in combinations(servers, size)]
    return (*(replace(address, servers=one, ports=None) for one in kept), _gone(address))


def _deallocates(asked: Mapping[str, Any], by: str) -> bool:
    return bool(asked["f"] == "deallocate" and asked["by"] == by)


def _removes_standing(address: AddressState, asked: Mapping[str, Any]) -> bool:
    return bool(asked["f"] == "remove" and asked["server"] in address.servers)


def _without(address: AddressState, server: str) -> AddressState:
    return replace(address, servers=address.servers - {server})


def _with_ports(address: AddressState, answer: ModelAnswer) -> AddressState:
    told = answer.body.get("ports")
    return replace(address, ports=frozenset(told) if isinstance(told, list) else None)


def _gone(address: AddressState) -> AddressState:
    return AddressState(Stage.GONE, None, frozenset(), address.removed)

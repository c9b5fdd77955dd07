"""The API as a pure step function: addresses, ports, associations, and every answer the contract allows.

Operations are JSON objects; ``f`` says which. Answers carry the HTTP status, and what was read:

========================================================= ==============================================
input                                                     output, apart from ``status``
========================================================= ==============================================
``{"f": "allocate", "ports": [port, ...]}``               2xx: ``address``, the ID given; ``ports``, or left out
``{"f": "associate", "server": s, "address": a}``
``{"f": "remove", "server": s, "address": a}``
``{"f": "list", "server": s}``                            2xx: ``addresses``, all IDs listed
``{"f": "show", "server": s, "address": a}``
``{"f": "show_address", "address": a}``                   2xx: ``ports``, or left out
``{"f": "deallocate", "address": a, "by": "DELETE"}``     or "PUT", with an empty list
``{"f": "replace_ports", "address": a, "ports": [port]}`` 2xx: ``ports``, or left out
========================================================= ==============================================

How an answer is read, whatever the operation: 2xx says that it took effect; 4xx that it was refused and had
none; 401, 413 and 429 that it was turned away before anyone looked at the state, so they say nothing about
it; all else, and no answer, leave the outcome open. In a history file 2xx is ``ok``, 4xx ``fail`` and the
rest ``unknown`` (`outcome`).

Where the contract is silent, all lawful answers are allowed: an association may be refused, or granted again;
a removal of what is not there answers 2xx or 4xx; replacing the ports is granted or refused; a de-allocated
address refuses with any 4xx. The ports that were asked for bind nobody: those that an answer shows are the address's,
and where it shows none they are not known (decision 15 of the contract). :class:`Choices` holds a target to what
it does in sequence (decision 10 of the contract). Codes are judged elsewhere; here only their class counts.

A history is split by address. Each list becomes one read for each address, "is it `listed` for this server",
and each of these may take its own point between the request and its answer. That a list shows all addresses
at one moment is not claimed by the contract, so nothing that it promises is lost: Herlihy and Wing's locality
(1990) says that a history of operations on single objects is linearizable if and only if each object's part
is. For a target that does promise lists at one moment, the split is a weaker check and still raises no false
alarm. An allocation that never told its ID is in no part. An address that is used and never allocated in the
history is taken to exist from the start, ports unknown and without associations.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import partial
from typing import Any, Final, Literal

from conformance.model.history import UNKNOWN, UNSAID, Completion, Operation, Refused
from conformance.model.linearize import Model, Partition

_TURNED_AWAY: Final = frozenset({401, 413, 429})
LISTED: Final = "listed"  # a list's answer for one address; made by the split, never found in a file
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "allocate": ("ports",),
    "associate": ("server", "address"),
    "remove": ("server", "address"),
    "list": ("server",),
    "show": ("server", "address"),
    "show_address": ("address",),
    "deallocate": ("address", "by"),
    "replace_ports": ("address", "ports"),
}
_READS: Final = frozenset({"list", "show", "show_address", LISTED})


@dataclass(frozen=True, slots=True)
class Choices:
    """What a target does where the contract leaves a choice; it then binds the target under overlap too."""

    repeated_removal: Literal["204", "refused", "either"] = "either"
    """The answer to the removal of an association that was removed before, its address still allocated."""


class Stage(StrEnum):
    """The life of an address; it never turns back."""

    ABSENT = "not allocated yet"
    LIVE = "allocated"
    GONE = "de-allocated"


@dataclass(frozen=True, slots=True)
class AddressState:
    """One address: its ports (None: not known), the servers associated, and those removed before."""

    stage: Stage = Stage.ABSENT
    ports: frozenset[str] | None = None
    servers: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class State:
    """All addresses that are or were allocated, by ID."""

    addresses: tuple[tuple[str, AddressState], ...] = ()

    def address(self, id_: str) -> AddressState:
        """The address with that ID; one that was never allocated is absent."""
        return dict(self.addresses).get(id_, AddressState())

    def having(self, id_: str, address: AddressState) -> "State":
        """The state with one address put in or changed."""
        return State(tuple(sorted((dict(self.addresses) | {id_: address}).items(), key=lambda item: item[0])))


class EffectKind(Enum):
    """What an answer says about the effect of its request."""

    SUCCESS = "took effect"
    REFUSED = "refused, no effect"
    TURNED_AWAY = "no effect, and nothing said about the state"
    UNKNOWN = "took effect or not"


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """An output, read."""

    kind: EffectKind
    body: Mapping[str, Any]


def outcome(status: int | None) -> Completion:
    """The type under which an answer goes into a history; None is a lost answer."""
    if status is not None and 200 <= status < 300:
        return Completion.OK
    return Completion.FAIL if status is not None and 400 <= status < 500 else Completion.UNKNOWN


def read_answer(output: Any) -> ModelAnswer:
    """What ``output`` says; a plain object with a status as well as what a history gives to ``step``."""
    if output is UNKNOWN or output is None:
        return ModelAnswer(EffectKind.UNKNOWN, {})
    refused = isinstance(output, Refused)
    content = output.output if refused else output
    body = content if isinstance(content, Mapping) else {}
    if body.get("status") in _TURNED_AWAY:
        return ModelAnswer(EffectKind.TURNED_AWAY, body)
    told = outcome(body["status"]) if "status" in body else Completion.OK
    if told == Completion.UNKNOWN:
        return ModelAnswer(EffectKind.UNKNOWN, body)
    return ModelAnswer(EffectKind.REFUSED if refused or told == Completion.FAIL else EffectKind.SUCCESS, body)


def step(choices: Choices, state: State, input_: Mapping[str, Any], output: Any) -> tuple[State, ...]:
    """The states that may follow; none if the contract does not allow that answer here."""
    answer = read_answer(output)
    if input_["f"] == "allocate":
        return _allocate(state, answer)
    if input_["f"] == "list":
        return (state,) if _lists(state, input_["server"], answer) else ()
    id_ = input_["address"]
    following = _step_address(choices, state.address(id_), input_, answer)
    known = any(id_ == other for other, _ in state.addresses)
    return tuple(state.having(id_, address) if known else state for address in following)


def possible(
    states: Iterable[State], input_: Mapping[str, Any], output: Any, choices: Choices | None = None
) -> frozenset[State]:
    """Every state the target may be in after an answer, given those before it; none: a violation."""
    chosen = choices or Choices()
    return frozenset(after for state in states for after in step(chosen, state, input_, output))


def allowed(states: Iterable[State], input_: Mapping[str, Any], choices: Choices | None = None) -> tuple[str, ...]:
    """In words, the answers that the contract allows where the target may be in any of ``states``."""
    chosen = choices or Choices()
    words: list[str] = []
    for state in sorted(states, key=repr):
        words += _allowed_in(chosen, state, input_)
    words += ["401 or 413 that changes nothing", "500 or 503, the outcome then being unknown"]
    return tuple(dict.fromkeys(words))


def address_model(choices: Choices | None = None) -> Model:
    """The API's model for the checker, split by address."""
    return Model(
        name="address",
        initial=AddressState(),
        step=partial(_step_output, choices or Choices()),
        partition=by_address,
        observes=observes,
        complaint=complaint,
    )


def whole_model(history: Sequence[Operation], choices: Choices | None = None) -> Model:
    """The same without the split, a list being one read of all addresses; slow on many addresses."""
    initial = State()
    for part in by_address(history):
        if part.initial != AddressState():
            assert isinstance(part.initial, AddressState)
            initial = initial.having(part.key, part.initial)
    return Model("whole", initial, partial(step, choices or Choices()), observes=observes, complaint=complaint)


def by_address(history: Sequence[Operation]) -> tuple[Partition, ...]:
    """The operations on each address, lists taken apart; see the head of this module for what that claims."""
    settled = [_open_if_unsettled(operation) for operation in history]
    mine: dict[str, list[Operation]] = {}
    allocated: set[str] = set()
    for operation in settled:
        id_ = _address_of(operation)
        if id_ is not None:
            mine.setdefault(id_, []).append(operation)
        if id_ is not None and operation.input["f"] == "allocate":
            allocated.add(id_)
    lists = [operation for operation in settled if _is_told_list(operation)]
    return tuple(
        Partition(
            key=id_,
            operations=tuple(
                sorted([*own, *(_listed(read, id_) for read in lists)], key=lambda operation: operation.invoked)
            ),
            initial=AddressState() if id_ in allocated else AddressState(Stage.LIVE),
        )
        for id_, own in sorted(mine.items())
    )


def observes(input_: Mapping[str, Any], output: Any) -> bool:
    """Reads, and what was refused, change nothing."""
    return input_["f"] in _READS or read_answer(output).kind in (EffectKind.REFUSED, EffectKind.TURNED_AWAY)


def complaint(operation: Operation) -> str:
    """What is expected, if the model knows no such operation."""
    asked = operation.input
    if not isinstance(asked, dict) or asked.get("f") not in _NEEDS:
        return 'an object whose "f" is one of ' + ", ".join(_NEEDS)
    for member in _NEEDS[asked["f"]]:
        if not _fits(member, asked.get(member)):
            return f'"{member}" of {asked["f"]} to be {_SHAPES[member]}'
    if operation.output not in (None, UNSAID) and not _is_output(operation.output):
        return 'an output like {"status": 204}'
    told = read_answer(operation.answer)
    if told.kind is EffectKind.SUCCESS and asked["f"] == "allocate" and not isinstance(told.body.get("address"), str):
        return '"address", the ID given, in the output of an allocation that succeeded'
    if told.kind is EffectKind.SUCCESS and asked["f"] == "list" and not _fits("addresses", told.body.get("addresses")):
        return '"addresses", the IDs listed, in the output of a list that succeeded'
    return ""


_SHAPES: Final[Mapping[str, str]] = {
    "server": "a string",
    "address": "a string",
    "by": '"DELETE" or "PUT"',
    "ports": "a list of strings",
}


def _fits(member: str, value: Any) -> bool:
    if member == "by":
        return value in ("DELETE", "PUT")
    if member in ("ports", "addresses"):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def _is_output(output: Any) -> bool:
    status = output.get("status", 200) if isinstance(output, dict) else None
    return isinstance(status, int) and not isinstance(status, bool)


def _step_output(
    choices: Choices, address: AddressState, input_: Mapping[str, Any], output: Any
) -> tuple[AddressState, ...]:
    return _step_address(choices, address, input_, read_answer(output))


def _step_address(
    choices: Choices, address: AddressState, input_: Mapping[str, Any], answer: ModelAnswer
) -> tuple[AddressState, ...]:
    """The states of one address that may follow an answer."""
    f = input_["f"]
    if answer.kind is EffectKind.TURNED_AWAY or (answer.kind is EffectKind.UNKNOWN and f in _READS):
        return (address,)
    if answer.kind is EffectKind.REFUSED:
        return (address,) if _REFUSABLE[f](choices, address, input_) else ()
    following = _EFFECTS[f](choices, address, input_, answer.body)
    if answer.kind is EffectKind.UNKNOWN:
        return tuple(dict.fromkeys((address, *following)))
    return following


# Whether a 4xx is lawful, by operation.


def _always(_choices: Choices, _address: AddressState, _input: Mapping[str, Any]) -> bool:
    return True


def _removal_refusable(choices: Choices, address: AddressState, input_: Mapping[str, Any]) -> bool:
    if input_["server"] in address.servers:
        return False
    repeated = address.stage is Stage.LIVE and input_["server"] in address.removed
    return not (repeated and choices.repeated_removal == "204")


def _not_associated(_choices: Choices, address: AddressState, input_: Mapping[str, Any]) -> bool:
    return input_["server"] not in address.servers


def _not_live(_choices: Choices, address: AddressState, _input: Mapping[str, Any]) -> bool:
    return address.stage is not Stage.LIVE


def _not_free(_choices: Choices, address: AddressState, _input: Mapping[str, Any]) -> bool:
    return address.stage is not Stage.LIVE or bool(address.servers)


_REFUSABLE: Final[Mapping[str, Callable[[Choices, AddressState, Mapping[str, Any]], bool]]] = {
    "allocate": _always,
    "associate": _always,
    "remove": _removal_refusable,
    "show": _not_associated,
    LISTED: _always,
    "show_address": _not_live,
    "deallocate": _not_free,
    "replace_ports": _always,
}


# What a 2xx leads to, by operation.


def _allocated(
    _choices: Choices, address: AddressState, _input: Mapping[str, Any], body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    return (_fresh(body),) if address.stage is Stage.ABSENT else ()


def _associated(
    _choices: Choices, address: AddressState, input_: Mapping[str, Any], _body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    if address.stage is not Stage.LIVE:
        return ()
    return (replace(address, servers=address.servers | {input_["server"]}),)


def _removed(
    choices: Choices, address: AddressState, input_: Mapping[str, Any], _body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    server = input_["server"]
    if server not in address.servers:
        repeated = server in address.removed
        return () if repeated and choices.repeated_removal == "refused" else (address,)
    # Who was removed is remembered only where it matters: fewer states to search.
    remembered = address.removed if choices.repeated_removal == "either" else address.removed | {server}
    return (replace(address, servers=address.servers - {server}, removed=remembered),)


def _shown(
    _choices: Choices, address: AddressState, input_: Mapping[str, Any], _body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    return (address,) if input_["server"] in address.servers else ()


def _listing(
    _choices: Choices, address: AddressState, input_: Mapping[str, Any], body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    return (address,) if body["listed"] == (input_["server"] in address.servers) else ()


def _address_shown(
    _choices: Choices, address: AddressState, _input: Mapping[str, Any], body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    told = body.get("ports")
    agrees = told is None or address.ports is None or frozenset(told) == address.ports
    return (address,) if address.stage is Stage.LIVE and agrees else ()


def _deallocated(
    _choices: Choices, address: AddressState, _input: Mapping[str, Any], _body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    if address.stage is not Stage.LIVE or address.servers:
        return ()
    return (AddressState(Stage.GONE, None, frozenset(), address.removed),)


def _ports_replaced(
    _choices: Choices, address: AddressState, _input: Mapping[str, Any], body: Mapping[str, Any]
) -> tuple[AddressState, ...]:
    return (replace(address, ports=_told_ports(body)),) if address.stage is Stage.LIVE else ()


_EFFECTS: Final[
    Mapping[str, Callable[[Choices, AddressState, Mapping[str, Any], Mapping[str, Any]], tuple[AddressState, ...]]]
] = {
    "allocate": _allocated,
    "associate": _associated,
    "remove": _removed,
    "show": _shown,
    LISTED: _listing,
    "show_address": _address_shown,
    "deallocate": _deallocated,
    "replace_ports": _ports_replaced,
}


def _fresh(body: Mapping[str, Any]) -> AddressState:
    return AddressState(Stage.LIVE, _told_ports(body))


def _told_ports(body: Mapping[str, Any]) -> frozenset[str] | None:
    told = body.get("ports")
    return frozenset(told) if isinstance(told, list) else None


def _allocate(state: State, answer: ModelAnswer) -> tuple[State, ...]:
    if answer.kind is not EffectKind.SUCCESS:
        return (state,)  # an address whose ID was lost cannot be asked for
    id_ = answer.body["address"]
    return () if state.address(id_).stage is not Stage.ABSENT else (state.having(id_, _fresh(answer.body)),)


def _lists(state: State, server: str, answer: ModelAnswer) -> bool:
    """Whether a list agrees; IDs that the state does not know belong to somebody else."""
    if answer.kind is not EffectKind.SUCCESS:
        return True
    told = frozenset(answer.body["addresses"])
    return all((id_ in told) == (server in address.servers) for id_, address in state.addresses)


def _open_if_unsettled(operation: Operation) -> Operation:
    """A 5xx is an unknown outcome, under whatever type it was recorded."""
    if operation.pending or read_answer(operation.answer).kind is not EffectKind.UNKNOWN:
        return operation
    return replace(operation, outcome=Completion.UNKNOWN, returned=None)


def _address_of(operation: Operation) -> str | None:
    if operation.input["f"] == "allocate":
        told = read_answer(operation.answer)
        return str(told.body["address"]) if told.kind is EffectKind.SUCCESS else None
    id_ = operation.input.get("address")
    return None if id_ is None else str(id_)


def _is_told_list(operation: Operation) -> bool:
    return operation.input["f"] == "list" and read_answer(operation.answer).kind is EffectKind.SUCCESS


def _listed(read: Operation, id_: str) -> Operation:
    return replace(
        read,
        input={"f": LISTED, "server": read.input["server"], "address": id_},
        output={"status": read.output.get("status", 200), "listed": id_ in read.output["addresses"]},
    )


# In words.


def _allowed_in(choices: Choices, state: State, input_: Mapping[str, Any]) -> list[str]:
    f = input_["f"]
    if f == "allocate":
        return ["2xx with an ID never seen before", "4xx that allocates nothing"]
    if f == "list":
        shown = sorted(id_ for id_, address in state.addresses if input_["server"] in address.servers)
        return [f"2xx listing {', '.join(shown) if shown else 'none'} of the known addresses", "4xx"]
    address = state.address(input_["address"])
    words = []
    if _EFFECTS[f](choices, address, input_, {}):
        words.append(_success_in_words(f, address))
    if _REFUSABLE[f](choices, address, input_):
        words.append("4xx" if f in _READS else "4xx that changes nothing")
    return words


def _success_in_words(f: str, address: AddressState) -> str:
    if f == "show_address" and address.ports is not None:
        return "2xx with the ports " + ", ".join(sorted(address.ports))
    return _SUCCESSES.get(f, "2xx")


_SUCCESSES: Final[Mapping[str, str]] = {
    "associate": "2xx, the association then being there",
    "remove": "204, the association then being gone",
    "deallocate": "2xx, the address then being gone",
    "replace_ports": "2xx, the ports then being those that it shows",
}

"""What can go wrong on an occasion: each breaks the clauses that it names wherever a client can see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conformance.reference.exchange import Answer, Refusal
from conformance.reference.faultspace.occasion import Occasion, Role, neighbours
from conformance.reference.store import Association, DeploymentState

if TYPE_CHECKING:
    from conformance.reference.faultspace.deployment import Composed

Act = Callable[["Composed", Occasion], Answer]
SOON = (0.4, 1.1)  # seconds, within the time in which a deployment may settle
TOO_LATE = 4.0  # seconds, well after it
INERT = "effect.refusal-is-inert"


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """A deed on the occasions of one role.

    Attributes:
        breaks: the clauses that it breaks, of which the suite must find one.
        stable: what it does is lawful once, and breaks a clause only where the same request meets it each time.
    """

    name: str
    role: Role
    family: str
    breaks: tuple[str, ...]
    act: Act
    stable: bool = False


# Deeds.


def without(association: Association) -> Callable[[DeploymentState], DeploymentState]:
    """Give the change that removes an association."""
    return lambda state: state.without_association(association)


def restored(association: Association) -> Callable[[DeploymentState], DeploymentState]:
    """Give the change that brings an association back, while its address is allocated."""
    return lambda state: state.with_association(association) if association.address in state.addresses else state


def answers(code: int) -> Act:
    """Do as is right and answer with another code, be it granted or refused."""

    def act(deployment: Composed, occasion: Occasion) -> Answer:
        try:
            done = deployment.lawful(occasion.request)
        except Refusal as refusal:
            raise Refusal(code, refusal.message) from None
        return replace(done, code=code)

    return act


def refuses(code: int) -> Act:
    """Do nothing and refuse."""

    def act(_deployment: Composed, _occasion: Occasion) -> Answer:
        raise Refusal(code, "this is not possible")

    return act


def pretends(deployment: Composed, occasion: Occasion) -> Answer:
    """Do nothing and answer that it was done."""
    return deployment.removed(occasion.request)


def grants(deployment: Composed, occasion: Occasion) -> Answer:
    """Remove what is named, whoever asks and however."""
    deployment.update(without(occasion.association))
    return deployment.removed(occasion.request)


def lets_go(deployment: Composed, occasion: Occasion) -> Answer:
    """De-allocate an address although it is held."""
    deployment.release(occasion.request, occasion.address)
    return Answer(204) if occasion.request.method == "DELETE" else deployment.emptied(occasion.address)


def pretends_to_let_go(deployment: Composed, occasion: Occasion) -> Answer:
    """Keep an address and answer that it went."""
    return Answer(204) if occasion.request.method == "DELETE" else deployment.emptied(occasion.address)


def does(change: Callable[[Occasion], Callable[[DeploymentState], DeploymentState] | None], after: float = 0.0) -> Act:
    """Do and answer as is right, and change something besides, at once or later."""

    def act(deployment: Composed, occasion: Occasion) -> Answer:
        besides = change(occasion)
        try:
            return deployment.lawful(occasion.request)
        finally:
            if besides:
                deployment.later(after, besides)
                deployment.catch_up()

    return act


def late(deployment: Composed, occasion: Occasion) -> Answer:
    """Grant, and remove when nobody waits any more."""
    deployment.later(TOO_LATE, without(occasion.association))
    return deployment.removed(occasion.request)


def another(deployment: Composed, occasion: Occasion) -> Answer:
    """Remove another association than the one that is named."""
    other = next(neighbours(occasion), None)
    if other is None:
        return deployment.lawful(occasion.request)
    deployment.update(without(other))
    return deployment.removed(occasion.request)


def shows(resources: frozenset[str], change: Callable[[Occasion], Callable[[DeploymentState], DeploymentState]]) -> Act:
    """Do as is right and show some resources otherwise from then on."""

    def act(deployment: Composed, occasion: Occasion) -> Answer:
        answer = deployment.lawful(occasion.request)
        deployment.show(occasion.association, resources, change(occasion))
        return answer

    return act


def speaks(deployment: Composed, occasion: Occasion) -> Answer:
    """Answer 204 with content."""
    return replace(deployment.lawful(occasion.request), content=b'{"removed": true}')


def bare(deployment: Composed, occasion: Occasion) -> Answer:
    """Refuse without the fields that belong to the refusal."""
    try:
        return deployment.lawful(occasion.request)
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.message) from None


# What is changed besides.


def itself(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState]:
    """What the request names is removed."""
    return without(occasion.association)


def same_address(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState] | None:
    """An association of the same address goes."""
    chosen = next((one for one in neighbours(occasion) if one.address == occasion.address.id), None)
    return without(chosen) if chosen else None


def same_server(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState] | None:
    """An association of the same server goes."""
    chosen = next((one for one in neighbours(occasion) if one.server == occasion.server), None)
    return without(chosen) if chosen else None


def somewhere(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState] | None:
    """Any other association of the tenant goes, the newest first."""
    chosen = next(reversed(list(neighbours(occasion))), None)
    return without(chosen) if chosen else None


def back(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState]:
    """What the request names is associated again."""
    return restored(occasion.association)


def a_port(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState] | None:
    """The address loses one of its ports."""
    held = occasion.address
    if len(held.port_ids) < 2:
        return None
    smaller = replace(held, port_ids=held.port_ids[:-1])
    return lambda state: state.with_address(smaller) if held.id in state.addresses else state


def address_back(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState]:
    """The address is allocated again."""
    return lambda state: state.with_address(occasion.address)


def hidden(occasion: Occasion) -> Callable[[DeploymentState], DeploymentState]:
    """The address is not shown."""
    return lambda state: state.without_address(occasion.address.id)


GUARDS = {
    Role.BODIED: ("body", ("body.refused",)),
    Role.MALFORMED: ("identifier", ("identifier.uuid", "identifier.not-the-address", "identifier.canonical")),
    Role.ANONYMOUS: ("access", ("access.authenticated",)),
    Role.RESTRICTED: ("access", ("access.forbidden",)),
    Role.FOREIGN: ("access", ("access.foreign",)),
    Role.METHOD: ("method", ("method.refused",)),
}
"""What refuses a request of a role -> the family and the clauses that are broken where it does not."""

FREED = ("deallocation.delete-after", "deallocation.put-after")
HELD = ("deallocation.delete-refused", "deallocation.put-refused", "deallocation.until-the-last")
REPEATED = ("effect.repeat", INERT)
LISTS, SINGLES = frozenset({"associations"}), frozenset({"association"})
ADDRESSES, ADDRESS = frozenset({"addresses"}), frozenset({"address"})


def removals() -> list[Misbehaviour]:
    """What a removal that is to be granted may suffer."""
    role, removed, more = Role.GRANTED, ("effect.removed",), ("effect.nothing-else",)
    rows: list[tuple[str, tuple[str, ...], Act, bool]] = [
        ("is done and answered 200", ("codes.documented", "codes.success"), answers(200), False),
        ("is done and answered 202", ("codes.documented", "codes.success"), answers(202), False),
        ("is answered 404", ("codes.documented", "codes.success"), refuses(404), False),
        ("is answered 409", ("codes.documented", "codes.success"), refuses(409), False),
        ("is refused with 400", ("codes.success",), refuses(400), False),
        ("is refused with 403", ("codes.success",), refuses(403), False),
        ("is done and answered 400", ("codes.success", INERT), answers(400), False),
        ("is answered 503 each time", ("codes.success",), refuses(503), True),
        ("is answered 204 with content", ("response.no-content",), speaks, False),
        ("is answered 204 and not done", removed, pretends, False),
        ("is answered 204 and done too late", removed, late, False),
        ("removes another association instead", (*removed, *more), another, False),
        *((f"is undone {after} s later", removed, does(back, after), False) for after in SOON),
        ("takes an association of the same address too", more, does(same_address), False),
        ("takes an association of the same server too", more, does(same_server), False),
        ("takes any other association too", more, does(somewhere), False),
        (f"takes an association of the server {SOON[0]} s later", more, does(same_server, SOON[0]), False),
        ("takes a port of the address too", more, does(a_port), False),
        ("stays in the list", removed, shows(LISTS, back), False),
        ("stays in the single read", removed, shows(SINGLES, back), False),
        ("hides the address from the list of addresses", more, shows(ADDRESSES, hidden), False),
        ("hides the address from its single read", more, shows(ADDRESS, hidden), False),
    ]
    return [Misbehaviour(name, role, "removal", breaks, act, stable) for name, breaks, act, stable in rows]


def refusals() -> list[Misbehaviour]:
    """What may happen instead of a refusal, or besides."""
    made = []
    for role, (family, guard) in GUARDS.items():
        rows: list[tuple[str, tuple[str, ...], Act, bool]] = [
            ("is granted", guard, grants, False),
            ("is answered 204 and not done", guard, pretends, False),
            ("is refused and done", (INERT, *guard), does(itself), False),
            (f"is refused and done {SOON[0]} s later", (INERT, *guard), does(itself, SOON[0]), False),
            ("is refused and takes another association of the address", (INERT, *guard), does(same_address), False),
            ("is answered 404", ("codes.documented", *guard), answers(404), False),
            ("is answered 422", ("codes.documented", *guard), answers(422), False),
            ("is answered 500 each time", ("faults.client-input", *guard), refuses(500), True),
        ]
        made += [Misbehaviour(name, role, family, breaks, act, stable) for name, breaks, act, stable in rows]
    allow = Misbehaviour("is refused without Allow", Role.METHOD, "method", ("method.allow",), bare)
    return [*made, allow, Misbehaviour("is answered 400", Role.METHOD, "method", ("method.refused",), answers(400))]


def dressings() -> list[Misbehaviour]:
    """What a removal may suffer that has a query, or a field with a meaning: it may be refused, nothing else."""
    rows: list[tuple[str, tuple[str, ...], Act]] = [
        ("is answered 202", ("codes.documented",), answers(202)),
        ("is answered 404", ("codes.documented",), refuses(404)),
        ("is answered 204 and not done", ("effect.removed",), pretends),
        ("is answered 204 with content", ("response.no-content",), speaks),
        ("is refused and done", (INERT,), answers(400)),
        ("removes another association instead", ("effect.removed", "effect.nothing-else"), another),
        ("takes an association of the same address too", ("effect.nothing-else",), does(same_address)),
    ]
    return [Misbehaviour(name, Role.DRESSED, "query and fields", breaks, act) for name, breaks, act in rows]


def repetitions() -> list[Misbehaviour]:
    """What a repetition may do."""
    rows: list[tuple[str, tuple[str, ...], Act]] = [
        ("takes an association of the same address", REPEATED, does(same_address)),
        ("takes an association of the same server", REPEATED, does(same_server)),
        (f"takes any association {SOON[0]} s later", REPEATED, does(somewhere, SOON[0])),
        ("brings the association back", (*REPEATED, "effect.removed"), does(back)),
        ("takes a port of the address", REPEATED, does(a_port)),
        ("is answered 404", ("codes.documented", "effect.repeat"), answers(404)),
        ("is answered 410", ("codes.documented", "effect.repeat"), answers(410)),
    ]
    return [Misbehaviour(name, Role.REPEATED, "repetition", breaks, act) for name, breaks, act in rows]


def deallocations() -> list[Misbehaviour]:
    """What may happen to a held and to a free address."""
    held: list[tuple[str, Act]] = [
        ("is granted", lets_go),
        ("is refused and done", does(hidden)),
        (f"is refused and done {SOON[0]} s later", does(hidden, SOON[0])),
        ("is refused and takes an association of the address", does(same_address)),
        ("is refused and takes a port", does(a_port)),
        ("is answered as if it were done", pretends_to_let_go),
    ]
    free: list[tuple[str, Act]] = [
        ("is refused", refuses(409)),
        ("is answered as if it were done", pretends_to_let_go),
        ("is undone later", does(address_back, SOON[0])),
        ("leaves the address in the list", shows(ADDRESSES, address_back)),
        ("leaves the address in the single read", shows(ADDRESS, address_back)),
    ]
    return [
        *(Misbehaviour(name, Role.HELD, "guard", HELD, act) for name, act in held),
        *(Misbehaviour(name, Role.FREEING, "de-allocation", FREED, act) for name, act in free),
    ]


def misbehaviours() -> dict[Role, list[Misbehaviour]]:
    """Give all of them, by the role of the request that suffers it."""
    every = [*removals(), *refusals(), *dressings(), *repetitions(), *deallocations()]
    return {role: [one for one in every if one.role is role] for role in dict.fromkeys(one.role for one in every)}

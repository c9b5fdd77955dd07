"""The kinds of triggers: what of a request, of the state that it meets and of the past can matter."""

from __future__ import annotations

from conformance.reference.exchange import ReceivedRequest
from conformance.reference.faultspace.kinds_of_request import ADDRESS_SHARES, DEALLOCATING, GUARDED, REQUEST
from conformance.reference.faultspace.occasion import Occasion, Role, connection_of, neighbours
from conformance.reference.faultspace.triggers import TriggerKind, among, beyond, hashed, one_of, over, remainder

OVERLAPPING = frozenset({Role.GRANTED, Role.REPEATED, Role.HELD, Role.FREEING})
"""The contract speaks of overlapping removals, associations and de-allocations by those who may do them."""
LIVED = frozenset({Role.GRANTED, Role.BODIED, Role.DRESSED, Role.HELD, Role.RESTRICTED, Role.FOREIGN})


def of_address(seen: Occasion) -> int:
    """Count the associations of the address."""
    return len(seen.state.of_address(seen.address.id))


def of_server(seen: Occasion) -> int:
    """Count the associations of the server."""
    return len(seen.state.of_server(seen.server))


def rank(seen: Occasion) -> int:
    """Give the place of the association among those of the address, from 0; -1 if it does not stand."""
    all_of_it = seen.state.of_address(seen.address.id)
    return all_of_it.index(seen.association) if seen.association in all_of_it else -1


def same_request(seen: Occasion) -> bool:
    """Tell whether the request before was of the same method on the same path."""
    last = seen.last
    return last is not None and (last.method, last.address, last.server) == (
        seen.request.method,
        seen.request.path.address,
        seen.server,
    )


def last_words(seen: Occasion, count: int) -> str:
    """Give what the last requests were and how they were answered."""
    recent = list(seen.history.events)[-count:]
    return " ".join(f"{one.method} {one.resource} {one.code}" for one in recent)


def since_last(seen: Occasion) -> float:
    """Give the seconds since the request before ended."""
    return seen.now - seen.last.when if seen.last else 0.0


def since_removal(seen: Occasion) -> float:
    """Give the seconds since an association of the address was removed."""
    gone = [when for pair, when in seen.history.removed.items() if pair.address == seen.address.id]
    return seen.now - max(gone, default=seen.now)


def changing(request: ReceivedRequest) -> bool:
    """Tell whether a request means to change something."""
    return request.method in {"PUT", "DELETE", "POST"}


def also_removing(seen: Occasion) -> list[ReceivedRequest]:
    """Give the removals that overlap."""
    return [one for one in seen.overlapping if one.removal]


STATE = [
    TriggerKind(
        "state", remainder("the associations of the tenant", lambda seen: len(seen.state.associations), 4), own=True
    ),
    TriggerKind("state", remainder("the addresses of the tenant", lambda seen: len(seen.state.addresses), 3), own=True),
    TriggerKind("state", remainder("the associations of the address", of_address, 3), own=True),
    TriggerKind("state", remainder("the associations of the server", of_server, 3), GUARDED, own=True),
    TriggerKind("state", hashed("the set of all associations", lambda seen: repr(seen.state.associations)), own=True),
    TriggerKind(
        "state",
        one_of(
            {
                "it is the only association of the address": lambda seen: of_address(seen) == 1,
                "the address has two associations": lambda seen: of_address(seen) == 2,
                "the address has three or more associations": lambda seen: of_address(seen) > 2,
                "it is the first of the address": lambda seen: rank(seen) == 0,
                "it is not the first of the address": lambda seen: rank(seen) > 0,
                "the server has no other association": lambda seen: of_server(seen) == 1,
                "the server has another association": lambda seen: of_server(seen) > 1,
            }
        ),
        GUARDED - {Role.REPEATED},
    ),
    TriggerKind(
        "state",
        one_of(
            {
                "the address has no association": lambda seen: not of_address(seen),
                "the address has an association": lambda seen: bool(of_address(seen)),
                "the address is de-allocated": lambda seen: seen.address.id not in seen.state.addresses,
                "the server has an association": lambda seen: bool(of_server(seen)),
                "the server has no association": lambda seen: not of_server(seen),
                "there is no association at all": lambda seen: not seen.state.associations,
            }
        ),
        frozenset({Role.REPEATED}),
    ),
    TriggerKind(
        "state",
        one_of(
            {
                "the address has one association": lambda seen: of_address(seen) == 1,
                "the address has two associations": lambda seen: of_address(seen) == 2,
                "the address has three or more associations": lambda seen: of_address(seen) > 2,
                "no other address has an association": lambda seen: (
                    not any(one.address != seen.address.id for one in neighbours(seen))
                ),
            }
        ),
        frozenset({Role.HELD}),
    ),
    TriggerKind(
        "state",
        one_of(
            {
                "another address has an association": lambda seen: bool(seen.state.associations),
                "no other address has an association": lambda seen: not seen.state.associations,
                "it is the only address": lambda seen: len(seen.state.addresses) == 1,
                "there are other addresses": lambda seen: len(seen.state.addresses) > 1,
            }
        ),
        frozenset({Role.FREEING}),
    ),
]

HISTORY = [
    TriggerKind("history", remainder("the number of its kind", lambda seen: seen.number, 25), own=True),
    TriggerKind("history", over("the number of its kind", lambda seen: seen.number, 1, 2, 3, 5, 8, 12), own=True),
    TriggerKind(
        "history",
        remainder(
            "the number of the request on its connection",
            lambda seen: seen.history.connections[connection_of(seen.request)],
            12,
        ),
        own=True,
    ),
    TriggerKind("history", remainder("the requests answered", lambda seen: seen.history.answered, 25), own=True),
    TriggerKind(
        "history",
        remainder("the removals of the address", lambda seen: seen.history.gone[seen.address.id], 3),
        own=True,
    ),
    TriggerKind(
        "history",
        one_of(
            {
                "the pair was made anew": lambda seen: seen.history.made[seen.association] > 1,
                "the pair was made once": lambda seen: seen.history.made[seen.association] == 1,
                "the address lost an association before": lambda seen: seen.history.gone[seen.address.id] > 0,
            }
        ),
        GUARDED - {Role.REPEATED},
    ),
    TriggerKind(
        "history",
        one_of(
            {
                "the pair never was": lambda seen: not seen.history.made[seen.association],
                "the pair was": lambda seen: seen.history.made[seen.association] > 0,
                "the address was never associated": lambda seen: (
                    not any(pair.address == seen.address.id for pair in seen.history.made)
                ),
            }
        ),
        frozenset({Role.REPEATED}),
    ),
    TriggerKind(
        "history",
        one_of(
            {
                "the address was never associated": lambda seen: (
                    not any(pair.address == seen.address.id for pair in seen.history.made)
                ),
                "the address lost an association before": lambda seen: seen.history.gone[seen.address.id] > 0,
                "the address lost several associations before": lambda seen: seen.history.gone[seen.address.id] > 1,
            }
        ),
        DEALLOCATING,
    ),
]

TIME = [
    TriggerKind(
        "time", over("the time since the start", lambda seen: seen.now - seen.history.started, 0.5, 2, 4, 6), own=True
    ),
    TriggerKind("time", hashed("the millisecond", lambda seen: str(int(seen.now * 1000))), own=True),
    TriggerKind("time", remainder("the second", lambda seen: seen.now, 4), own=True),
    TriggerKind(
        "time",
        beyond("the age of the association", lambda seen: seen.age, 0.01, 0.05, 0.3, 1.0),
        LIVED - {Role.HELD},
        own=True,
    ),
    TriggerKind(
        "time", beyond("the age of the address", lambda seen: seen.age_of_address, 0.05, 0.3, 1.0, 3.0), own=True
    ),
    TriggerKind("time", beyond("the pause before it", since_last, 0.002, 0.01), own=True),
    TriggerKind("time", over("the pause before it", since_last, 0.05, 0.2), own=True),
    TriggerKind(
        "time",
        beyond("the time since a removal of the address", since_removal, 0.02, 0.2, 1.0),
        frozenset({Role.REPEATED, Role.HELD}),
        own=True,
    ),
    TriggerKind(
        "time",
        over("the time since a removal of the address", since_removal, 1.6, 2.0),
        frozenset({Role.FREEING}),
        own=True,
    ),
]

ORDER = [
    TriggerKind("order", hashed("what came before", lambda seen: last_words(seen, 1), ADDRESS_SHARES[1:]), own=True),
    TriggerKind(
        "order", hashed("the two that came before", lambda seen: last_words(seen, 2), ADDRESS_SHARES), own=True
    ),
    TriggerKind(
        "order",
        one_of(
            {
                "a read came before": lambda seen: seen.last is not None and seen.last.method == "GET",
                "an association came before": lambda seen: seen.last is not None and seen.last.method == "PUT",
                "a removal came before": lambda seen: seen.last is not None and seen.last.method == "DELETE",
                "a refused request came before": lambda seen: seen.last is not None and 400 <= seen.last.code < 500,
                "a change came before": lambda seen: seen.last is not None and seen.last.code in {201, 204},
                "one of the same address came before": lambda seen: (
                    seen.last is not None and seen.last.address == seen.address.id
                ),
                "one of the same server came before": lambda seen: (
                    seen.last is not None and seen.last.server == seen.server
                ),
                "the same came before": same_request,
                "one of the same kind came before": lambda seen: seen.last is not None and seen.last.role is seen.role,
                "two of the same kind came before": lambda seen: (
                    [one.role for one in seen.history.events][-2:] == [seen.role] * 2
                ),
                "somebody else came before": lambda seen: (
                    seen.last is not None and seen.last.caller != seen.history.callers.get(seen.request.token or "")
                ),
            }
        ),
    ),
]

OVERLAP = [
    TriggerKind(
        "overlap",
        over("the number of overlapping requests", lambda seen: len(seen.overlapping), 0, 1),
        OVERLAPPING,
        own=True,
    ),
    TriggerKind(
        "overlap",
        among(
            lambda seen: bool(seen.overlapping),
            hashed("the path that overlaps first", lambda seen: seen.overlapping[0].raw_path, ADDRESS_SHARES[2:]),
        ),
        OVERLAPPING,
        own=True,
    ),
    TriggerKind(
        "overlap",
        one_of(
            {
                "a change overlaps": lambda seen: any(map(changing, seen.overlapping)),
                "a removal overlaps": lambda seen: bool(also_removing(seen)),
                "an association overlaps": lambda seen: any(
                    one.method == "PUT" and one.path.resource == "association" for one in seen.overlapping
                ),
            }
        ),
        OVERLAPPING,
    ),
    TriggerKind(
        "overlap",
        one_of(
            {
                "a removal of the same server overlaps": lambda seen: any(
                    one.path.server == seen.server and one.path.address != seen.address.id
                    for one in also_removing(seen)
                ),
                "a removal of the same address overlaps": lambda seen: any(
                    one.path.address == seen.address.id and one.path.server != seen.server
                    for one in also_removing(seen)
                ),
            }
        ),
        OVERLAPPING - DEALLOCATING,
    ),
]

KINDS = (*REQUEST, *STATE, *HISTORY, *TIME, *ORDER, *OVERLAP)
FAMILIES = ("request", "state", "history", "time", "order", "overlap")

"""Which checks are made when: a run makes the cheap ones, ``conformance doctor`` all of them.

Nothing is judged: a wrong but living answer is no reason to stop, the clauses will see to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from conformance.client import Client
from conformance.errors import Unreachable
from conformance.preflight import allocation, tenant, way
from conformance.preflight.checklist import Check, Status, notable, ready
from conformance.preflight.ports import with_servers
from conformance.preflight.reads import Reads


def check(client: Client) -> None:
    """One read on each service.

    Raises:
        Unreachable: no connection, no TLS, nothing but server faults, or the token is refused.
    """
    _require(way.services(Reads(client)))


def opening(client: Client) -> list[str]:
    """What a run looks at first: a read on each service, of a second server, and with each further credential.

    Returns:
        what the report should note.

    Raises:
        Unreachable: as :func:`check`, or two credentials are one.
    """
    reads = Reads(client)
    _require(chain(tenant.callers(reads), way.services(reads)))
    found = chain(
        way.encryption(reads),
        tenant.credentials(reads),
        tenant.servers(reads, tenant.ENOUGH_SERVERS),
        tenant.addresses(reads),
        way.clock(reads),
    )
    return [f"{one.name}: {one.sentence}" for one in notable(found)]


def _require(checks: Iterable[Check]) -> None:
    for one in checks:
        if one.status is Status.PROBLEM:
            raise Unreachable(one.words, one.advice)


def examination(client: Client, state: Path, shared: Path, *, allocate: bool) -> Iterator[Check]:
    """All checks; what needs a service that does not answer is not checked. Servers are found if none are named.

    Args:
        state: where the ledgers of this target's runs are kept.
        shared: a directory for the time being.
        allocate: borrow addresses, to see how many are granted.
    """
    if not client.target.servers and ready(way.services(Reads(client))):
        client = Client(with_servers(client.target, client), client.recorder, client.pacer)
    reads = Reads(client)
    reached = list(way.services(reads))
    yield from reached
    yield from way.encryption(reads)
    yield from tenant.callers(reads)
    if ready(reached):
        yield from tenant.credentials(reads)
        yield from tenant.servers(reads)
        yield from tenant.strangers(reads, state)
        yield from tenant.ports(reads)
        yield from tenant.addresses(reads, tried=allocate)
        yield from way.clock(reads)
    else:
        yield Check("the rest", Status.UNCHECKED, "credentials, servers, ports and addresses need both services")
    yield from tenant.leftovers(state)
    trial = allocation.tried(client, state, shared) if ready(reached) and allocate else allocation.AllocationTrial()
    yield from trial.checks
    yield from way.price(reads, trial.writes)

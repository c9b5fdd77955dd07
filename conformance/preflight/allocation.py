"""Whether the target lends addresses, found out by borrowing: the one check that creates something, and only if asked.

The addresses go the way of a run's: written down before they are asked for, taken back at the end, and found again by
the next run or clean-up if this process is killed.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conformance.client import Client, halting, retried
from conformance.errors import ConformanceError
from conformance.evidence import Exchange
from conformance.preflight.checklist import Check, Status
from conformance.preflight.cost import REFUSED
from conformance.preflight.tenant import ENOUGH_ADDRESSES
from conformance.provision import Ledger, Provisioner, Sweep, ledger, sweep_run
from conformance.provision.listing import identifiers, rows
from conformance.provision.provisioner import Address

NAME = "allocation"

POLL_SECONDS = 0.05

NAMES = {"allocateAddress": "an allocation takes", "associate": "an association", "removeAssociation": "a removal"}


@dataclass(frozen=True, slots=True)
class AllocationTrial:
    """What borrowing addresses showed.

    Attributes:
        writes: what a request came to -> seconds, as :class:`conformance.preflight.cost.Durations` has them.
    """

    checks: tuple[Check, ...] = ()
    writes: Mapping[str, float] = field(default_factory=dict)


def tried(client: Client, directory: Path, shared: Path) -> AllocationTrial:
    """Allocate as many addresses as a full verdict takes, associate each once, and remove it all again."""
    path = directory / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}{ledger.SUFFIX}"
    wanted = min(ENOUGH_ADDRESSES, client.target.limits.max_addresses)
    swept = Sweep()
    shows: dict[str, list[float]] = {}
    before = len(client.recorder.exchanges)
    try:
        own = Ledger(path)
        try:
            check = _borrowed(client, Provisioner(client, own, shared), wanted, shows)
        finally:
            sweep_run(client, path, swept)
            own.close()
    except ConformanceError as error:
        check = Check(NAME, Status.PROBLEM, error.message, error.hint or "free addresses, or raise the quota")
    left = [Check(NAME, Status.PROBLEM, one, "conformance cleanup tries again") for one in swept.left]
    sent = list(client.recorder.exchanges.values())[before:]
    writes = _medians(_answered(sent, ("allocateAddress", "deallocateAddress")) | shows)
    return AllocationTrial((check, *left, *_told(writes)), writes)


def _told(writes: Mapping[str, float]) -> list[Check]:
    words = [f"{name} {writes[one] * 1000:.0f} ms" for one, name in NAMES.items() if one in writes]
    return [Check("changes", Status.OK, f"until it shows, {', '.join(words)}")] if words else []


def _medians(taken: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _answered(sent: Iterable[Exchange], operations: Iterable[str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in sent:
        if one.operation in operations and _granted(one):
            found.setdefault(one.operation, []).append(one.finished - one.started)
    return found


def _granted(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300


def _borrowed(client: Client, provisioner: Provisioner, wanted: int, shows: dict[str, list[float]]) -> Check:
    with provisioner.lease(wanted) as held:
        granted = len(held)
        for address in held:
            _watched(client, address, shows)
    if granted < wanted:
        return Check(
            NAME,
            Status.WARNING,
            "; ".join(provisioner.notes),
            f"{wanted} are enough for a full verdict: raise the quota",
        )
    return Check(NAME, Status.OK, f"{granted} allocated for the servers' ports, and removed again")


def _watched(client: Client, address: Address, shows: dict[str, list[float]]) -> None:
    """Associate and remove, see how long each takes until the server's list shows it, and have a removal refused."""
    server = client.target.servers[0]
    changes: tuple[tuple[str, Callable[[str, str], Exchange], bool], ...] = (
        ("associate", client.associate, True),
        ("removeAssociation", client.remove, False),
    )
    for operation, change, stands in changes:
        if _granted(asked := change(server, address.id)):
            shows.setdefault(operation, []).append(_shown(client, server, address, asked.started, stands=stands))
    repeated = client.remove(server, address.id)
    if repeated.response:
        shows.setdefault(REFUSED, []).append(repeated.finished - repeated.started)


def _shown(client: Client, server: str, address: Address, since: float, *, stands: bool) -> float:
    """Seconds since then until a list that shows it was asked for; the settling time is as long as a run would wait."""
    while True:
        asked = time.monotonic()
        listed = identifiers(rows(retried(lambda: client.list_associations(server)), "ip_associations"))
        shown = address.id.lower() in map(str.lower, listed)
        if shown is stands or asked - since >= client.target.policy.settle_seconds:
            return asked - since
        halting.pause(POLL_SECONDS)

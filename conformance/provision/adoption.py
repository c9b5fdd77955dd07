"""Removing an address on the operator's word that it is the suite's (``conformance cleanup --adopt ID``)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from conformance.client import Client, retried
from conformance.provision import ledger as ledgers
from conformance.provision import ownership
from conformance.provision.ledger import allocation_lock
from conformance.provision.listing import look, rows
from conformance.provision.ownership import Look
from conformance.provision.record import LedgerRecord
from conformance.provision.removal import discard
from conformance.provision.sweep import Sweep
from conformance.target import in_words


def adopt(client: Client, directory: Path, addresses: Iterable[str]) -> Sweep:
    """Remove these addresses and their associations with the target's servers, unless something speaks against it.

    A word given in error must do no harm: what a live run may own, and what has none of the suite's ports and stands
    in no ledger, is left.
    """
    done = Sweep()
    directory.mkdir(mode=ledgers.PRIVATE, parents=True, exist_ok=True)
    with allocation_lock(directory):
        exchange = retried(client.list_addresses)
        seen = look(exchange)
        records = ledgers.readable(directory)
    if seen is None:
        done.left.append(f"nothing was adopted: the tenant's addresses cannot be listed: {exchange.outcome}")
        return done
    for address in dict.fromkeys(addresses):
        if why := _objection(client, address, seen, records):
            done.left.append(f"address {in_words(address)} was not adopted: {why}")
            continue
        removal = discard(client, address, client.target.servers)
        if removal.gone:
            done.removed.append(address)
        else:
            done.left.append(removal.complaint)
    return done


def _objection(client: Client, address: str, seen: Look, records: dict[Path, LedgerRecord]) -> str:
    row = seen.row(address)
    if row is None:
        return "the tenant's list does not show it"
    living = {path: record for path, record in records.items() if ledgers.alive(path)}
    if any(address.lower() in record.own for record in living.values()):
        return "it belongs to a run that is at work"
    if address.lower() in ownership.rivals(seen, ledgers.pending(living)):
        return "a run that is at work may have made it"
    if any(address.lower() in record.own | _suspects(record) for record in records.values()):
        return ""
    ports = frozenset(_ports(client))
    return "" if ports and ports <= ownership.ports_of(row) else "it does not have the ports of the target's servers"


def _suspects(record: LedgerRecord) -> frozenset[str]:
    among = (*record.unanswered.values(), *record.unseen.values())
    return frozenset().union(*(one.suspects or () for one in among))


def _ports(client: Client) -> Iterable[str]:
    """The ports of the lent servers that are known, in lower case."""
    for server in client.target.servers:
        if server in client.target.ports:
            yield client.target.ports[server].lower()
        else:
            listed = rows(retried(lambda server=server: client.list_ports(server)), "ports") or []  # type: ignore[misc]
            ours = [one for one in listed if one.get("device_id", server) == server]
            on = [one for one in ours if one.get("network_id") == client.target.network_id]
            yield from (str(one["id"]).lower() for one in (on or ours)[:1])

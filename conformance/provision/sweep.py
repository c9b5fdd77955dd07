"""What dead runs left on a target is taken back, by their ledgers and by nothing else."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from conformance.client import Client, retried
from conformance.evidence import Exchange
from conformance.provision import ledger as ledgers
from conformance.provision.ledger import Intent, Record
from conformance.provision.provisioner import candidates
from conformance.provision.removal import discard

POLL_SECONDS = 0.1


@dataclass(slots=True)
class Sweep:
    """What a sweep did: addresses removed, and sentences about what is left and why."""

    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def sweep_dead_runs(client: Client, directory: Path, patience_seconds: float = 0.0) -> Sweep:
    """Take back what the dead runs of this target left.

    Args:
        patience_seconds: how long to wait for workers of a killed run, which live on for a moment.
    """
    done = Sweep()
    if not directory.is_dir():
        return done
    with FileLock(directory / "sweep.lock"):
        for path in ledgers.ledgers(directory):
            if _dead(path, patience_seconds):
                sweep_run(client, path, done)
            elif patience_seconds:
                done.left.append(f"the run {path.name.removesuffix(ledgers.SUFFIX)} is still alive; it was left alone")
    return done


def _dead(path: Path, patience_seconds: float) -> bool:
    give_up = time.monotonic() + patience_seconds
    while ledgers.alive(path):
        if time.monotonic() >= give_up:
            return False
        time.sleep(POLL_SECONDS)
    return True


def sweep_run(client: Client, path: Path, done: Sweep) -> None:
    """Take back what one run left; its ledger goes with the last of it."""
    record = ledgers.read(path)
    before = len(done.left)
    found = _resolve(client, record, done)
    open_addresses = {**{one: set(client.target.servers) for one in found}, **record.addresses}
    for address, servers in open_addresses.items():
        complaint = discard(client, None, address, sorted(servers))
        done.left += complaint
        done.removed += [] if complaint else [address]
    if len(done.left) == before:
        ledgers.forget(path)


def _resolve(client: Client, record: Record, done: Sweep) -> list[str]:
    """The addresses that unanswered allocations made, where they can be told apart from someone else's."""
    if not record.unanswered:
        return []
    listing = retried(client.list_addresses)
    if listing.status != 200:
        done.left.append(f"the tenant's addresses cannot be listed: {listing.outcome}; run the clean-up again")
        return []
    found: list[str] = []
    for intent in record.unanswered.values():
        found += _resolve_one(listing, intent, record, done)
    return sorted(set(found))


def _resolve_one(listing: Exchange, intent: Intent, record: Record, done: Sweep) -> list[str]:
    fitting = [str(one["id"]) for one in candidates(listing, intent.before, intent.ports)]
    unknown = [one for one in fitting if one not in record.ever]
    rivals = sum(1 for other in record.unanswered.values() if other.ports == intent.ports)
    if len(unknown) > rivals:
        done.left.append(
            f"one of the addresses {', '.join(unknown)} may be left by the suite, which cannot be told from "
            "someone else's; none was removed"
        )
        return []
    return unknown

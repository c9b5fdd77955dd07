"""What dead runs left on a target is taken back, by their ledgers and by nothing else."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from conformance.client import Client, retried
from conformance.errors import LedgerError
from conformance.evidence import Exchange
from conformance.provision import ledger as ledgers
from conformance.provision.ledger import Intent, Record, allocation_lock
from conformance.provision.listing import candidates, identifiers, rows
from conformance.provision.removal import Removal, discard

POLL_SECONDS = 0.25


@dataclass(slots=True)
class Sweep:
    """What a sweep did: addresses removed, and sentences about what is left and why."""

    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def sweep_dead_runs(client: Client, directory: Path, patience_seconds: float = 0.0) -> Sweep:
    """Take back what the dead runs of this target left.

    The newest comes first: what it found when it began was left by the older ones.

    Args:
        patience_seconds: how long to wait for workers of a killed run, which live on for a moment.

    Raises:
        LedgerError: the ledgers cannot be read.
    """
    done = Sweep()
    if not directory.is_dir():
        return done
    try:
        with FileLock(directory / "sweep.lock"):
            for path in reversed(ledgers.ledgers(directory)):
                if _dead(path, patience_seconds):
                    sweep_run(client, path, done)
                elif patience_seconds:
                    run = path.name.removesuffix(ledgers.SUFFIX)
                    done.left.append(f"the run {run} is still alive; it was left alone")
            for shared in ledgers.orphans(directory):
                shutil.rmtree(shared, ignore_errors=True)
    except OSError as error:
        raise LedgerError(f"the ledgers in {directory} cannot be worked with: {error}") from error
    return done


def _dead(path: Path, patience_seconds: float) -> bool:
    give_up = time.monotonic() + patience_seconds
    while ledgers.alive(path):
        if time.monotonic() >= give_up:
            return False
        time.sleep(POLL_SECONDS)
    return True


def sweep_run(client: Client, path: Path, done: Sweep) -> None:
    """Take back what one run left; its ledger goes with the last of it, and stays while anything is in doubt.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    record = ledgers.read(path)
    complaints = _taken_back(client, path, record, done) if record.ever or record.unanswered else []
    done.left += complaints
    if not complaints:
        ledgers.forget(path)


def _taken_back(client: Client, path: Path, record: Record, done: Sweep) -> list[str]:
    """Remove what the record names and what is found of it; the sentences say what could not be."""
    associated = _associated(client, record)
    servers_of = associated or {}
    listing, unanswered = _settled(client, path, record)
    standing = _standing(listing, record, unanswered.made)
    removals = [
        discard(client, address, servers | servers_of.get(address.lower(), set()))
        for address, servers in standing.items()
    ]
    _remove_stranded(client, servers_of, removals)
    done.removed += [one.address for one in removals if one.gone]
    complaints = [one.complaint for one in removals if not one.gone] + unanswered.complaints(listing)
    sure = associated is not None or any(one.granted for one in removals)
    if not sure and (removals or unanswered.missing):
        run = path.name.removesuffix(ledgers.SUFFIX)
        complaints.append(
            f"none of the servers of the run {run} is seen with this token, so what it left cannot be looked for; "
            "is the token of the same tenant?"
        )
    return complaints


def _associated(client: Client, record: Record) -> dict[str, set[str]] | None:
    """Own address, in lower case -> the servers whose lists show it; None when no server shows a list."""
    found: dict[str, set[str]] = {}
    seen = False
    for server in sorted(record.servers):
        listed = rows(retried(lambda server=server: client.list_associations(server)), "ip_associations")  # type: ignore[misc]
        seen = seen or listed is not None
        for identifier in identifiers(listed):
            if identifier.lower() in record.ever:
                found.setdefault(identifier.lower(), set()).add(server)
    return found if seen else None


def _standing(listing: Exchange, record: Record, made: Iterable[str]) -> dict[str, set[str]]:
    """The run's addresses that may be alive, by its ledger or by the tenant's list, and their servers."""
    standing = {address: set(servers) for address, servers in record.addresses.items()}
    known = {address.lower() for address in standing}
    again = [one for one in identifiers(rows(listing, "ip_addresses")) if one.lower() in record.ever - known]
    return standing | {address: set(record.servers) for address in (*made, *again)}


def _remove_stranded(client: Client, associated: Mapping[str, set[str]], removals: Iterable[Removal]) -> None:
    """Remove the associations that outlived their address."""
    handled = {one.address.lower() for one in removals}
    for address in associated.keys() - handled:
        for server in sorted(associated[address]):
            retried(lambda server=server, address=address: client.remove(server, address))  # type: ignore[misc]


@dataclass(slots=True)
class _Unanswered:
    """What came of a run's unanswered allocations.

    Attributes:
        made: addresses that they made.
        unclear: addresses of which it cannot be told whether they made them.
        missing: those that seem to have made nothing.
    """

    made: set[str] = field(default_factory=set)
    unclear: set[str] = field(default_factory=set)
    missing: list[Intent] = field(default_factory=list)

    def complaints(self, listing: Exchange) -> list[str]:
        """What the operator must know."""
        if self.missing and rows(listing, "ip_addresses") is None:
            return [f"the tenant's addresses cannot be listed: {listing.outcome}; run the clean-up again"]
        if not self.unclear:
            return []
        among = ", ".join(sorted(self.unclear))
        return [f"one of the addresses {among} may be left by the suite or be someone else's; none was removed"]


def _settled(client: Client, path: Path, record: Record) -> tuple[Exchange, _Unanswered]:
    """The tenant's addresses, and what unanswered allocations made of them.

    A target may still be at work on an allocation whose client was killed: it gets as long as the client would have
    waited for the answer.
    """
    patience = client.target.limits.timeout_seconds
    give_up = time.monotonic() + patience
    while True:
        with allocation_lock(path.parent):
            listing = retried(client.list_addresses)
            others = {other: ledgers.read(other) for other in ledgers.ledgers(path.parent) if other != path}
        found = _resolved(listing, record, others)
        due = max((intent.at + patience for intent in found.missing), default=0.0)
        if time.time() >= due or time.monotonic() >= give_up:
            return listing, found
        time.sleep(POLL_SECONDS)


def _resolved(listing: Exchange, record: Record, others: Mapping[Path, Record]) -> _Unanswered:
    """Each allocation is compared with the list taken before it; the newest first, since it knew what older ones made.

    Allocations of one user do not overlap, so no more than one address can be new to each.
    """
    found = _Unanswered()
    foreign = record.ever.union(*(other.ever for other in others.values()))
    rivals = [intent for path, other in others.items() if ledgers.alive(path) for intent in other.unanswered.values()]
    for intent in reversed(record.unanswered.values()):
        fitting = {one for one in _new(listing, intent) if one.lower() not in foreign} - found.made
        contested = any(fitting & _new(listing, rival) for rival in rivals)
        if not fitting:
            found.missing.append(intent)
        elif len(fitting) == 1 and not contested:
            found.made |= fitting
        else:
            found.unclear |= fitting
    return found


def _new(listing: Exchange, intent: Intent) -> set[str]:
    return set(identifiers(candidates(listing, intent.before, intent.ports)))

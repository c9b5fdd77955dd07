"""What dead runs left on a target is taken back, by their ledgers and by nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.client import Client, halting, retried
from conformance.errors import LedgerError
from conformance.evidence import Exchange
from conformance.provision import ledger as ledgers
from conformance.provision import ownership
from conformance.provision.ledger import allocation_lock
from conformance.provision.listing import identifiers, look, rows
from conformance.provision.locks import exclusive
from conformance.provision.ownership import AllocationAnswer, Claim, Known, Look
from conformance.provision.record import Intent, LedgerRecord, Made
from conformance.provision.removal import Removal, discard
from conformance.target import in_words, is_server, is_uuid

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
        LedgerError: the directory of the ledgers cannot be worked with.
    """
    done = Sweep()
    if not directory.is_dir():
        return done
    try:
        with exclusive(directory / "sweep.lock"):
            for path in reversed(ledgers.ledgers(directory)):
                if _dead(path, patience_seconds):
                    _swept(client, path, done)
                elif patience_seconds:
                    done.left.append(f"the run {_run(path)} is still alive; it was left alone")
            for shared in ledgers.orphans(directory):
                shutil.rmtree(shared, ignore_errors=True)
            done.left += [_of_one_aside(path) for path in ledgers.put_aside(directory)]
    except OSError as error:
        raise LedgerError(f"the ledgers in {directory} cannot be worked with: {error}") from error
    return done


def _dead(path: Path, patience_seconds: float) -> bool:
    give_up = time.monotonic() + patience_seconds
    while ledgers.alive(path):
        if time.monotonic() >= give_up:
            return False
        halting.pause(POLL_SECONDS)
    return True


def _run(path: Path) -> str:
    return path.name.removesuffix(ledgers.SUFFIX)


def _swept(client: Client, path: Path, done: Sweep) -> None:
    """One ledger's trouble is no other's: one that cannot be read is set aside."""
    try:
        sweep_run(client, path, done)
    except LedgerError as error:
        done.left.append(f"{error.message}; it was set aside")
        ledgers.tidy(path)
        try:
            ledgers.set_aside(path)
        except OSError as failure:
            done.left[-1] = f"{error.message}, nor can it be moved ({failure.strerror}): remove it by hand"


def _of_one_aside(path: Path) -> str:
    return (
        f"a ledger that cannot be read whole is kept as {path}: what its run left is not known. Look through the "
        "tenant's addresses, remove those of the suite with conformance cleanup --adopt ID, then delete it"
    )


def sweep_run(client: Client, path: Path, done: Sweep, remembered: Iterable[Mapping[str, Any]] | None = None) -> None:
    """Take back what one run left; its ledger goes with the last of it, and stays while anything is in doubt.

    Args:
        remembered: what the run's own processes remember, who need no ledger to know what they made.

    Raises:
        LedgerError: the ledger cannot be read, and nobody remembers.
    """
    own = LedgerRecord.of(remembered or ())
    try:
        record = ledgers.read(path)
    except LedgerError:
        if remembered is None:
            raise
        record = own
    if remembered and not os.path.lexists(path):
        record = own
    complaints = _taken_back(client, path, record, own, done) if record.made or not record.settled else []
    done.left += complaints
    if complaints:
        return
    if record.damaged:
        ledgers.tidy(path)
        lines = ", ".join(map(str, record.damaged[:5]))
        done.left.append(f"the ledger {path} is damaged (line {lines}); what can be read of it is taken back")
        ledgers.set_aside(path)
    else:
        ledgers.forget(path)


def _taken_back(client: Client, path: Path, record: LedgerRecord, own: LedgerRecord, done: Sweep) -> list[str]:
    """Remove what is the run's own by the record; the sentences say what could not be, or must not."""
    associated = _associated(client, record)
    exchange, claims = _settled(client, path, record)
    seen = look(exchange)
    standing, complaints = _standing(client, record, own, seen)
    standing |= {claim.ours: set(record.servers) for claim in claims.values() if claim.ours}
    servers_of = associated or {}
    removals = [
        discard(client, address, _servers(servers | servers_of.get(address.lower(), set())))
        for address, servers in standing.items()
    ]
    _remove_stranded(client, servers_of, removals, seen)
    done.removed += [one.address for one in removals if one.gone]
    complaints += [one.complaint for one in removals if not one.gone]
    complaints += _lingering(client, [one.address for one in removals if one.gone])
    complaints += _named(path, record, claims, seen, exchange)
    sure = associated is not None or any(one.granted for one in removals)
    if not sure and (removals or record.unanswered):
        complaints.append(
            f"none of the servers of the run {_run(path)} is seen with this token, so what it left cannot be looked "
            "for; is the token of the same tenant?"
        )
    return complaints


def _servers(among: Iterable[str]) -> list[str]:
    return [server for server in sorted(among) if is_server(server)]


def _associated(client: Client, record: LedgerRecord) -> dict[str, set[str]] | None:
    """Address of the run, in lower case -> the servers whose lists show it; None when no server shows a list."""
    found: dict[str, set[str]] = {}
    seen = False
    for server in _servers(record.servers):
        listed = rows(retried(lambda server=server: client.list_associations(server)), "ip_associations")  # type: ignore[misc]
        seen = seen or listed is not None
        for identifier in identifiers(listed):
            if identifier.lower() in record.made and is_uuid(identifier):
                found.setdefault(identifier.lower(), set()).add(server)
    return found if seen else None


def _standing(
    client: Client, record: LedgerRecord, own: LedgerRecord, seen: Look | None
) -> tuple[dict[str, set[str]], list[str]]:
    """The run's addresses that may be alive, with their servers; and those that are not what the ledger says."""
    standing = {address: set(servers) for address, servers in record.addresses.items()}
    again = seen.ids & record.released if seen else frozenset()
    standing |= {record.made[address].id: set(record.servers) for address in again}
    complaints = {}
    for address in standing:
        if address.lower() not in own.made and (why := _misfit(client, record.made[address.lower()], seen)):
            complaints[address] = why
    return {one: servers for one, servers in standing.items() if one not in complaints}, [
        f"the address {in_words(one)} stands in the ledger, but {why}; it was not touched. {_adopt(one)}"
        for one, why in complaints.items()
    ]


def _misfit(client: Client, made: Made, seen: Look | None) -> str:
    """Why an address must not be touched by its ledger alone; empty if it fits, or is not there."""
    if not is_uuid(made.id):
        return "it is no UUID"
    shown: Mapping[str, Any] | None = seen.row(made.id) if seen else None
    if shown is None:
        exchange = retried(lambda: client.show_address(made.id))
        document = exchange.response.json() if exchange.status == 200 and exchange.response else None
        inner = document.get("ip_address") if isinstance(document, dict) else None
        shown = inner if isinstance(inner, dict) else None
    exclusive = client.target.policy.tenant == "exclusive"
    return ownership.misfit(made, shown, exclusive=exclusive) if shown is not None else ""


def _adopt(address: str) -> str:
    if not is_uuid(address):
        return "It cannot be removed by its ID: see to it by other means"
    return f"If it is the suite's: conformance cleanup --adopt {address}"


def _remove_stranded(
    client: Client, associated: Mapping[str, set[str]], removals: Iterable[Removal], seen: Look | None
) -> None:
    """Remove the associations that outlived their address; one that is listed may be somebody else's by now."""
    handled = {one.address.lower() for one in removals}
    if seen is None or not seen.whole:
        return
    for address in associated.keys() - handled - seen.ids:
        for server in sorted(associated[address]):
            retried(lambda server=server, address=address: client.remove(server, address))  # type: ignore[misc]


def _lingering(client: Client, removed: list[str]) -> list[str]:
    """Addresses that no read shows any more, but the list does, and goes on to."""
    give_up = time.monotonic() + client.target.policy.settle_seconds
    gone = {one.lower() for one in removed}
    while gone:
        seen = look(retried(client.list_addresses))
        there = sorted(gone & seen.ids) if seen else []
        if not there:
            break
        if time.monotonic() >= give_up:
            return [f"address {one} was removed, but the tenant's list still shows it" for one in there]
        halting.pause(POLL_SECONDS)
    return []


def _settled(client: Client, path: Path, record: LedgerRecord) -> tuple[Exchange, dict[str, Claim]]:
    """The tenant's addresses, and what came of the allocations that are open.

    A target may still be at work on an allocation whose client was killed: it gets as long as the client would have
    waited for the answer.
    """
    patience = client.target.limits.timeout_seconds
    give_up = time.monotonic() + patience
    while True:
        exclusive = client.target.policy.tenant == "exclusive"
        try:
            with allocation_lock(path.parent):
                listing, others = retried(client.list_addresses), _others(path)
        except LedgerError:  # what is the run's own is taken back all the same; what may be is somebody else's then
            listing, others, exclusive = retried(client.list_addresses), _others(path), False
        seen = look(listing)
        claims = _claims(record, seen, others, exclusive=exclusive) if seen else {}
        missing = [one for one in record.unanswered.values() if claims.get(one.id, Claim()) == Claim()]
        due = max((intent.at + patience for intent in missing if intent.suspects is None), default=0.0)
        if time.time() >= due or time.monotonic() >= give_up:
            return listing, claims
        halting.pause(POLL_SECONDS)


def _others(path: Path) -> dict[Path, LedgerRecord]:
    return {other: one for other, one in ledgers.readable(path.parent).items() if other != path}


def _claims(
    record: LedgerRecord, seen: Look, others: Mapping[Path, LedgerRecord], *, exclusive: bool
) -> dict[str, Claim]:
    """Each allocation is compared with the list taken before it; the newest first, since it knew what older ones made.

    Allocations of one user do not overlap, so no more than one address can be new to each.
    """
    claims: dict[str, Claim] = {}
    known = record.own.union(*(other.own for other in others.values()))
    rivals = ownership.rivals(seen, ledgers.pending(others))
    for intent in reversed([*record.unseen.values(), *record.unanswered.values()]):
        claims[intent.id] = claim = ownership.found(
            intent, AllocationAnswer.OPEN, seen, Known(known, rivals=rivals, exclusive=exclusive)
        )
        known |= {claim.ours.lower()} if claim.ours else set()
    return claims


def _named(
    path: Path, record: LedgerRecord, claims: Mapping[str, Claim], seen: Look | None, exchange: Exchange
) -> list[str]:
    """What may be left, a sentence each; it is written down, so that what others allocate later is not suspected."""
    open_ones: list[Intent] = [*record.unanswered.values(), *record.unseen.values()]
    if seen is None:
        said = f"the tenant's addresses cannot be listed: {exchange.outcome}; run the clean-up again"
        return [said] if record.unanswered else []
    reported = {one: None for claim in claims.values() for one in claim.reported}
    with contextlib.suppress(OSError):  # it is looked at again the next time
        ledgers.append(path, *[_outcome(one, claims[one.id]) for one in open_ones if seen.whole])
    sentences = [
        f"address {in_words(one)} may be left by the suite or be someone else's, and was not removed. {_adopt(one)}"
        for one in reported
    ]
    again = [record.made[one].id for one in sorted(record.past & seen.ids)]
    sentences += [f"address {one} was de-allocated by the suite, and is shown again. {_adopt(one)}" for one in again]
    if open_ones and not seen.whole:
        sentences.append("the tenant's list of addresses is incomplete: what an allocation left may be in the rest")
    return sentences


def _outcome(intent: Intent, claim: Claim) -> dict[str, Any]:
    if claim.reported:
        return {"do": "suspected", "intent": intent.id, "addresses": [one.lower() for one in claim.reported]}
    return {"do": "refused", "intent": intent.id}

"""Checks of what is there to work with: callers, servers, ports, addresses, and what earlier runs left."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from conformance.client import passing
from conformance.errors import LedgerError
from conformance.evidence import Exchange
from conformance.preflight.checklist import Check, Status
from conformance.preflight.ports import ServerPort
from conformance.preflight.ports import ports as ports_in
from conformance.preflight.reads import Reads, in_words, shows_associations
from conformance.provision import ledger
from conformance.provision.listing import identifiers, rows
from conformance.target import is_server

ENOUGH_SERVERS = ENOUGH_ADDRESSES = 2
"""For a full verdict; more make cases richer and runs faster."""

NEEDS = {
    "restricted": ("auth.restricted_token", "access.forbidden", "a token of the same tenant that may not delete"),
    "foreign": ("auth.foreign_token", "access.foreign", "a token of another tenant"),
}
"""Credential -> the key that gives it, the clause that is untested without it, and what it is."""


def callers(reads: Reads) -> Iterator[Check]:
    """Two credentials of one caller would let the target be blamed for what this caller may do."""
    for name, (key, clause, meaning) in NEEDS.items():
        if _twice(reads, name):
            words = f"{key} leads to a token that is given twice"
            yield Check(name, Status.PROBLEM, words, f"{clause} needs {meaning}")


def _twice(reads: Reads, name: str) -> bool:
    tokens = reads.target.tokens
    return name in tokens and tokens[name] in {token for other, token in tokens.items() if other != name}


def credentials(reads: Reads) -> Iterator[Check]:
    """Are the further credentials what they are said to be?"""
    known = reads.target.servers[:ENOUGH_SERVERS]
    server = next((one for one in known if shows_associations(reads.associations(one))), None)
    for name, (key, clause, meaning) in NEEDS.items():
        if name not in reads.target.tokens:
            yield Check(name, Status.UNCHECKED, f"{key} is not given: {clause} will be untested", f"give {meaning}")
        elif server is None:
            yield Check(name, Status.UNCHECKED, "no server is answered for, which it could see or not")
        elif not _twice(reads, name):
            yield _credential(name, server, reads.associations(server, name))


def _credential(name: str, server: str, exchange: Exchange) -> Check:
    key, clause, meaning = NEEDS[name]
    seen = f"{key} is answered {exchange.outcome} to a read of server {server}"
    sees = exchange.status == 200
    if exchange.status == 401:
        return Check(name, Status.WARNING, seen, f"is it current? {clause} needs {meaning}")
    if passing(exchange):
        return Check(name, Status.WARNING, seen, "whose token it is cannot be told now")
    if name == "restricted" and not sees:
        return Check(name, Status.WARNING, seen, "is it of the same tenant, and may it read?")
    if name == "foreign" and sees:
        return Check(name, Status.WARNING, seen, f"if it is of the same tenant, {clause} blames the target wrongly")
    words = "is of the same tenant: it sees server" if sees else "is of another tenant: it does not see server"
    return Check(name, Status.OK, f"{words} {server}")


def servers(reads: Reads, most: int | None = None) -> Iterator[Check]:
    """Is each server, or each of the first ``most``, answered for?"""
    listed = reads.target.servers[:most]
    if len(listed) < ENOUGH_SERVERS:
        words = f"{len(listed)} found on network {reads.target.network_id}"
        advice = f"{ENOUGH_SERVERS} are needed: create one, or name them in a description (conformance init)"
        yield Check("servers", Status.PROBLEM, words, advice)
    answers = {server: reads.associations(server) for server in listed}
    silent = {server: in_words(one) for server, one in answers.items() if not shows_associations(one)}
    for outcome, of in _grouped(silent).items():
        words = f"{len(of)} of {len(listed)} not answered for ({outcome}): {', '.join(of)}"
        yield Check("servers", Status.PROBLEM, words, "are the IDs right, and the servers of this tenant?")
    if listed and not silent:
        yield Check("servers", Status.OK, f"{len(listed)} are answered for")


def strangers(reads: Reads, directory: Path) -> Iterator[Check]:
    """Are associations of others on the lent servers? A target with a fault may hit them."""
    own = {address for record in ledger.readable(directory).values() for address in record.made}
    for server in filter(is_server, reads.target.servers):
        there = identifiers(rows(reads.associations(server), "ip_associations"))
        others = [one for one in there if one.lower() not in own]
        if others:
            words = f"{_counted(len(others), 'association', 'associations')} of others on server {server}"
            yield Check("others", Status.WARNING, words, "a faulty target may hit them: lend servers that nobody uses")


def _grouped(said: Mapping[str, str]) -> dict[str, list[str]]:
    """What was said -> of which servers."""
    groups: dict[str, list[str]] = {}
    for server, words in said.items():
        groups.setdefault(words, []).append(server)
    return groups


def ports(reads: Reads) -> Iterator[Check]:
    """Has each server a port on the network? An address cannot be allocated without."""
    target = reads.target
    found = {server: _of_server(server, reads.ports(server)) for server in target.servers}
    complaints = [
        *_unlike({server: seen for server, seen in found.items() if seen and server in target.ports}, target.ports),
        *_unknown({server: reads.ports(server) for server in found.keys() - target.ports if not found[server]}),
        *_elsewhere({server: found[server] for server in found.keys() - target.ports}, target.network_id),
    ]
    yield from complaints
    if found and not complaints:
        yield Check("ports", Status.OK, f"each of {len(found)} servers has one")


def _of_server(server: str, listing: Exchange) -> list[ServerPort]:
    return [port for port in ports_in(listing) if port.server == server]


def _unlike(found: Mapping[str, Iterable[ServerPort]], stated: Mapping[str, str]) -> Iterator[Check]:
    unlike = [server for server, seen in found.items() if stated[server] not in {port.id for port in seen}]
    if unlike:
        words = f"resources.ports states others than the target shows of: {', '.join(unlike)}"
        yield Check("ports", Status.WARNING, words, "leave them out, and they are asked for")


def _unknown(listings: Mapping[str, Exchange]) -> Iterator[Check]:
    for outcome, of in _grouped({server: listings[server].outcome for server in sorted(listings)}).items():
        words = f"GET /ports names none ({outcome}) of: {', '.join(of)}"
        yield Check("ports", Status.PROBLEM, words, "no address is to be had without: state them under resources.ports")


def _elsewhere(found: Mapping[str, list[ServerPort]], network: str) -> Iterator[Check]:
    elsewhere = sorted(
        server for server, seen in found.items() if seen and network not in {port.network for port in seen}
    )
    if elsewhere:
        there = ", ".join(sorted({port.network for server in elsewhere for port in found[server]}))
        words = f"on another network than {network}, that is on {there}, are those of: {', '.join(elsewhere)}"
        yield Check("ports", Status.WARNING, words, "is resources.network_id right?")


def addresses(reads: Reads, *, tried: bool = False) -> Iterator[Check]:
    """How many addresses are there, and may there be more? ``tried``: that is found out otherwise."""
    network, most = reads.target.network_id, reads.target.limits.max_addresses
    listed = rows(reads.addresses(), "ip_addresses")
    if listed is None:
        words = f"the tenant's addresses cannot be listed: {in_words(reads.addresses())}"
        yield Check("addresses", Status.PROBLEM, words, "nothing is allocated without: may the token read them?")
    elif not tried:
        there = sum(row.get("network_id", network) == network for row in listed)
        words = f"{there} exist on network {network}; how many more the quota grants is not told"
        yield Check("addresses", Status.UNCHECKED, words, "--allocate tries it, and removes what it was given")
    if most < ENOUGH_ADDRESSES:
        advice = f"{ENOUGH_ADDRESSES} are enough for a full verdict; the report names what is untested without"
        yield Check("addresses", Status.WARNING, f"limits.max_addresses is {most}", advice)


def leftovers(directory: Path) -> Iterator[Check]:
    """What did earlier runs leave, and can a ledger be kept?"""
    if not os.access(_existing(directory), os.W_OK | os.X_OK):
        words = f"{directory} cannot be written to"
        yield Check(
            "ledger", Status.PROBLEM, words, "nothing is created without: choose another place with --state-dir"
        )
    said = [one for path in ledger.ledgers(directory) for one in _left_by(path)]
    for path in ledger.put_aside(directory):
        words = f"what the run of {path} left is not known: its ledger could not be read whole"
        said.append(Check("leftovers", Status.WARNING, words, "conformance cleanup says what to do"))
    yield from said or [Check("leftovers", Status.OK, "earlier runs from here left nothing")]


def _left_by(path: Path) -> Iterator[Check]:
    try:
        record = ledger.read(path)
    except LedgerError as error:
        yield Check("leftovers", Status.PROBLEM, error.message, "conformance cleanup sets it aside")
        return
    if ledger.alive(path) or not record.settled:
        yield _left(path, record)


def _left(path: Path, record: ledger.LedgerRecord) -> Check:
    run = path.name.removesuffix(ledger.SUFFIX)
    if ledger.alive(path):
        words = f"the run {run} is at work on this target now"
        return Check("leftovers", Status.WARNING, words, "both share the quota: wait for its end")
    parts = (
        _counted(len(record.addresses), "address", "addresses"),
        _counted(len(_open(record)), "allocation without an answer", "allocations without an answer"),
    )
    amount = " and ".join(filter(None, parts))
    words = f"the run {run} left {amount}"
    return Check("leftovers", Status.WARNING, words, "the next run removes them first, as conformance cleanup does")


def _open(record: ledger.LedgerRecord) -> set[str]:
    """Allocations of which it is not known what they made."""
    settled = {made.intent.id for one in record.addresses if (made := record.made[one.lower()]).intent}
    return record.unanswered.keys() | (record.unseen.keys() - settled)


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}" if count else ""


def _existing(directory: Path) -> Path:
    return next(path for path in (directory, *directory.parents) if path.exists())

"""A value of one dimension of the request space, and what a target may make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.judge.oracle import Expected


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request of the space is about: the suite's own things, and things lent, by which values are derived.

    Attributes:
        address, literal, server: the association that is addressed: the address's ID, the address itself, the server.
        others: IDs of further addresses of the suite's own.
        servers: the lent servers.
        ports, networks: IDs of lent things that are no address.
        idle: IDs of own addresses that are not associated with ``server``: to name one there names nothing.
        foreign: servers of another tenant that the description lends: to name one there names nothing.
        strangers: lent servers on which ``address`` was never associated.
        tenant: the ID of the owner's tenant, where the target tells it.
        token: the valid token; never shown.
    """

    address: str
    literal: str
    server: str
    others: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    tenant: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """A value of one dimension.

    Attributes:
        dimension: ``method``, ``server``, ``address``, ``credential``, ``field``, ``query``, ``content`` ...
        kind: the class within the dimension; it goes into fingerprints, so it names no ID, size or seed.
        words: what it is, for a reader of a finding.
        source: where the rule that derived it comes from.
        clause: the narrowest clause that speaks of it.
        expected: what is lawful for it.
        variation: the arguments of :meth:`conformance.client.Client.remove` that put it on.
        names: a 204 says that the addressed association was removed; else nothing of ours is named.
        mistake: a client's mistake, which no server fault may answer (``faults.client-input``).
        worn: what it wears besides, that would be granted to the holder of every right.
        also: further clauses that speak of it.
    """

    dimension: str
    kind: str
    words: str
    source: str
    clause: str
    expected: Expected
    variation: Mapping[str, Any] = field(repr=False)
    names: bool = True
    mistake: bool = True
    worn: Mapping[str, Any] | None = field(default=None, repr=False)
    also: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """The removal as the page has it: of no class."""
        return not self.variation

    @property
    def associates(self) -> bool:
        """Its method is the one that the API documents on the path for making the association."""
        return bool(self.variation.get("method") == "PUT")

"""Queries: none is documented, so that any may be refused or ignored, and none may widen a removal (decision 17)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

SWITCHES: dict[str, tuple[str, tuple[str, ...]]] = {
    "force": ("Nova, Cinder, docker", ("true", "1", "yes", "")),
    "cascade": ("Cinder, Octavia", ("true", "1", "all")),
    "recursive": ("object stores, Kubernetes", ("true", "1")),
    "all": ("habits of command lines", ("true", "1", "")),
    "all_tenants": ("Nova, Cinder", ("1", "true")),
    "tenant_id": ("Neutron", ("", "admin", "*")),
    "purge": ("Key Vault, Consul", ("true", "1")),
    "dry_run": ("Kubernetes, Google's APIs", ("true", "All", "1")),
    "soft": ("soft deletion", ("true", "false")),
    "propagationPolicy": ("Kubernetes", ("Foreground", "Background", "Orphan")),
    "gracePeriodSeconds": ("Kubernetes", ("0", "3600")),
    "async": ("habits of APIs", ("true", "false", "1")),
    "wait": ("habits of APIs", ("0", "1", "false")),
    "release": ("deallocation in one step", ("true", "1")),
    "deallocate": ("deallocation in one step", ("true", "1")),
    "version": ("S3 versions; APIs", ("4", "6", "2")),
    "format": ("habits of APIs", ("json", "xml")),
    "fields": ("Neutron", ("id", "")),
    "limit": ("OpenStack pages", ("0", "1", "1000")),
    "marker": ("OpenStack pages", ("", "x")),
    "callback": ("JSONP", ("x",)),
    "confirm": ("habits of APIs", ("true", "false")),
    "_": ("jQuery: no cache", ("1700000000000",)),
    "debug": ("habits of frameworks", ("1", "true")),
}
RAW = ("", "x", "&", "=", "%20", "true", "?", "%", "a=1&a=2", "[]", "force", "id=")
NAMING = {
    "IPAddressID": "the path's parameter",
    "serverID": "the path's parameter",
    "id": "the member's name",
    "ids": "lists of IDs",
    "ids[]": "lists of IDs, PHP and Rails",
    "address_id": "the parameter in snake case",
    "ip_address_id": "the parameter in snake case",
    "ipAddressID": "the parameter as the networking side spells it",
    "server_id": "the parameter in snake case",
    "device_id": "Neutron's ports",
    "port_ids": "the member's name",
}


def every(subject: Subject) -> list[Value]:
    """All values of the dimension."""
    return [*_switches(), *_raw(), *_naming(subject)]


def _value(kind: str, source: str, query: str) -> Value:
    words, lawful = f"the query {query!r}", Expected.EITHER
    return Value("query", kind, words, source, "effect.nothing-else", lawful, {"query": query}, mistake=False)


def _switches() -> Iterator[Value]:
    for name, (source, told) in SWITCHES.items():
        yield from (_value(f"query {name}", source, urlencode({name: one})) for one in told)


def _raw() -> Iterator[Value]:
    return (_value("query of no parameter", "RFC 3986, 3.4", query) for query in RAW if query)


def _naming(subject: Subject) -> Iterator[Value]:
    """Parameters that name another standing association of the suite's own."""
    servers = [one for one in subject.servers if one != subject.server]
    for name, source in NAMING.items():
        of_server = name in {"serverID", "server_id", "device_id"}
        told = servers if of_server else subject.ports if name == "port_ids" else subject.others
        for one in told:
            yield _value(f"query {name} of another of ours", source, urlencode({name: one}))

"""Header fields: the dresses of real clients, which mean nothing here, and fields with a meaning (decision 17)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

PAGE = "decision 17; the page's example"
HARMLESS: dict[str, tuple[str, tuple[Mapping[str, Any], ...]]] = {
    "Content-Length: 0": ("decision 17; OpenStack's Python clients", ({"Content-Length": "0"},)),
    "Content-Type without content": (PAGE, ({"Content-Type": "application/json"},)),
    "Content-Type with a charset": ("axios, jQuery", ({"Content-Type": "application/json; charset=utf-8"},)),
    "Content-Type and Content-Length: 0": (PAGE, ({"Content-Type": "application/json", "Content-Length": "0"},)),
    "Accept: */*": ("curl, python-requests", ({"Accept": "*/*"},)),
    "no Accept": ("RFC 9110, 12.5.1", ({"Accept": None},)),
    "Accept of libraries": (
        "axios; Java's URLConnection; browsers",
        (
            {"Accept": "application/json, text/plain, */*"},
            {"Accept": "text/html, image/gif, image/jpeg, */*; q=0.2"},
            {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
            {"Accept": "application/json;q=0.9, */*;q=0.1"},
        ),
    ),
    "Accept-Encoding: gzip": ("Go's net/http", ({"Accept-Encoding": "gzip"},)),
    "other Accept-Encoding": (
        "python-requests; browsers",
        ({"Accept-Encoding": "gzip, deflate"}, {"Accept-Encoding": "gzip, deflate, br, zstd"}),
    ),
    "no Accept-Encoding": ("curl", ({"Accept-Encoding": None},)),
    "no User-Agent": ("decision 17", ({"User-Agent": None},)),
    "User-Agent of OpenStack": (
        "python-novaclient; keystoneauth; openstacksdk",
        (
            {"User-Agent": "python-novaclient"},
            {"User-Agent": "openstacksdk/4.0.0 keystoneauth1/5.8.0 python-requests/2.32.3 CPython/3.11.7"},
            {"User-Agent": "rackspace-novaclient"},
        ),
    ),
    "User-Agent of tools": (
        "curl; Wget; Postman; HTTPie",
        tuple({"User-Agent": one} for one in ("curl/8.5.0", "Wget/1.21.4", "PostmanRuntime/7.43.0", "HTTPie/3.2.4")),
    ),
    "User-Agent of libraries": (
        "Go; Java; Ruby; fog; gophercloud",
        tuple(
            {"User-Agent": one}
            for one in ("Go-http-client/1.1", "Java/17.0.9", "Ruby", "fog/2.3.0", "gophercloud/v2.0.0", "okhttp/4.12.0")
        ),
    ),
    "User-Agent of browsers": (
        "Firefox; Chrome",
        (
            {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
            {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"},
        ),
    ),
    "Connection: close": ("RFC 9112, 9.6", ({"Connection": "close"},)),
    "request ID": (
        "OpenStack; gateways; W3C Trace Context",
        (
            {"X-Openstack-Request-Id": "req-6d0e9d2c-5b1f-4c47-9a53-1f6e3b7a2c11"},
            {"X-Request-Id": "6d0e9d2c5b1f4c479a531f6e3b7a2c11"},
            {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
        ),
    ),
    "Accept-Language": ("browsers", ({"Accept-Language": "en-US,en;q=0.5"}, {"Accept-Language": "de"})),
    "Cache-Control": ("browsers, reloading", ({"Cache-Control": "no-cache", "Pragma": "no-cache"},)),
    "a whole python-requests client": (
        "python-requests behind OpenStack's clients",
        (
            {
                "User-Agent": "python-novaclient",
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
                "Content-Length": "0",
            },
        ),
    ),
}
PAST, FUTURE = "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 2049 23:59:59 GMT"
NO_CONTENT = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
"""The digest of no bytes."""

REGISTERED = {
    "A-IM": "gzip",
    "Accept-Datetime": PAST,
    "Accept-Features": "x",
    "Alt-Used": "example.org",
    "Apply-To-Redirect-Ref": "T",
    "Content-Language": "en",
    "DPoP": "x",
    "From": "user@example.org",
    "If-Schedule-Tag-Match": '"x"',
    "Label": "x",
    "Link": "</x>; rel=x",
    "Negotiate": "trans",
    "OData-Isolation": "snapshot",
    "OData-Version": "4.0",
    "Position": "first",
    "Schedule-Reply": "F",
    "Sec-GPC": "1",
    "Sec-Purpose": "prefetch",
    "SLUG": "x",
    "SOAPAction": '""',
    "Topic": "x",
    "TTL": "0",
    "Urgency": "very-low",
}
"""Of the registered request fields those that have no kind of their own, and that decision 17 lets vary."""

PREFERENCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "respond-async": ("RFC 7240, 4.1", ("respond-async", "respond-async, wait=1")),
    "return=representation": ("RFC 7240, 4.2", ("return=representation",)),
    "return=minimal": ("RFC 7240, 4.2", ("return=minimal",)),
    "wait": ("RFC 7240, 4.3", ("wait=1", "wait=0", "wait=10")),
    "handling=strict": ("RFC 7240, 4.4", ("handling=strict",)),
    "handling=lenient": ("RFC 7240, 4.4", ("handling=lenient",)),
    "safe": ("RFC 8674", ("safe",)),
    "depth-noroot": ("RFC 8144", ("depth-noroot",)),
}
"""IANA HTTP Preferences Registry, less what is about content that is sent or shown."""

MEANING: dict[str, tuple[str, tuple[Mapping[str, Any], ...]]] = {
    "If-Match of anything": ("RFC 9110, 13.1.1", ({"If-Match": "*"},)),
    "If-Match of another": ("RFC 9110, 13.1.1", ({"If-Match": '"x"'}, {"If-Match": 'W/"x"'})),
    "If-None-Match of anything": ("RFC 9110, 13.1.2", ({"If-None-Match": "*"},)),
    "If-None-Match of another": ("RFC 9110, 13.1.2", ({"If-None-Match": '"x"'},)),
    "If-Modified-Since": ("RFC 9110, 13.1.3", ({"If-Modified-Since": FUTURE}, {"If-Modified-Since": PAST})),
    "If-Unmodified-Since the past": ("RFC 9110, 13.1.4", ({"If-Unmodified-Since": PAST},)),
    "If-Unmodified-Since the future": ("RFC 9110, 13.1.4", ({"If-Unmodified-Since": FUTURE},)),
    "If": ("RFC 4918, 10.4", ({"If": '(["x"])'}, {"If": "(<urn:uuid:0>)"})),
    "Range": ("RFC 9110, 14.2", ({"Range": "bytes=0-0"}, {"Range": "items=0-1"}, {"If-Range": '"x"'})),
    **{
        f"Prefer: {preference}": (source, tuple({"Prefer": one} for one in values))
        for preference, (source, values) in PREFERENCES.items()
    },
    "Accept of no JSON": (
        "RFC 9110, 12.5.1",
        tuple({"Accept": one} for one in ("image/png", "application/xml", "text/html", "application/json;q=0", "x")),
    ),
    "Accept-Encoding of nothing": ("RFC 9110, 12.5.3", ({"Accept-Encoding": "*;q=0"}, {"Accept-Encoding": "x"})),
    "Accept-Charset": ("RFC 9110, 12.5.2", ({"Accept-Charset": "utf-8"}, {"Accept-Charset": "x"})),
    "Content-Encoding without content": ("RFC 9110, 8.4", ({"Content-Encoding": "gzip"}, {"Content-Encoding": "x"})),
    "other Content-Type without content": (
        "RFC 9110, 8.3",
        tuple({"Content-Type": one} for one in ("text/plain", "application/x-www-form-urlencoded", "x", "")),
    ),
    "Depth": ("RFC 4918, 10.2", tuple({"Depth": one} for one in ("infinity", "0", "1"))),
    "Overwrite": ("RFC 4918, 10.6", ({"Overwrite": "F"}, {"Overwrite": "T"})),
    "Lock-Token": ("RFC 4918, 10.5", ({"Lock-Token": "<urn:uuid:0>"}, {"Timeout": "Second-1"})),
    "API version": (
        "OpenStack: microversions",
        ({"X-OpenStack-Nova-API-Version": "2.1"}, {"OpenStack-API-Version": "compute latest"}, {"Accept-Version": "1"}),
    ),
    "switch for a rehearsal": ("invented", ({"X-Dry-Run": "true"}, {"X-Validate-Only": "true"})),
    "switch for more": ("invented", ({"X-Force": "true"}, {"X-Cascade": "true"}, {"X-All": "true"})),
    "switch for later": ("Swift", ({"X-Delete-After": "1"}, {"X-Delete-At": "1"})),
    "Idempotency-Key": ("IETF httpapi", ({"Idempotency-Key": '"8e03978e"'}, {"Repeatability-Request-ID": "8e03978e"})),
    "Early-Data": ("RFC 8470, 5.1", ({"Early-Data": "1"},)),
    "Priority": ("RFC 9218", ({"Priority": "u=0"}, {"Priority": "u=7, i"})),
    "digest wanted": (
        "RFC 9530; RFC 3230",
        ({"Want-Content-Digest": "sha-256=1"}, {"Want-Repr-Digest": "sha-512=3"}, {"Want-Digest": "sha-256"}),
    ),
    "digest of nothing": ("RFC 9530", ({"Content-Digest": NO_CONTENT}, {"Repr-Digest": NO_CONTENT})),
    "Content-Range without content": ("RFC 9110, 14.4", ({"Content-Range": "bytes 0-0/1"},)),
    "from a cache only": ("RFC 9111, 5.2.1", ({"Cache-Control": "only-if-cached"}, {"Cache-Control": "max-stale"})),
    "signature": ("RFC 9421", ({"Signature-Input": 'sig=("@method")', "Signature": "sig=:AA==:"},)),
    "another method's name": (
        "habits of method overrides",
        tuple({name: "GET"} for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")),
    ),
    "another registered field": ("IANA HTTP Field Name Registry", tuple({name: x} for name, x in REGISTERED.items())),
    "tenant": ("Keystone", ({"X-Tenant-Id": "x"}, {"X-Project-Id": "x"}, {"X-Auth-All-Projects": "true"})),
    "roles": ("keystonemiddleware", ({"X-Roles": "reader"}, {"X-Identity-Status": "Invalid"})),
    "the administrator's role": (
        "keystonemiddleware",
        (
            {"X-Roles": "admin", "X-Role": "admin", "X-Is-Admin-Project": "True"},
            {"X-Identity-Status": "Confirmed", "X-Service-Roles": "service,admin"},
            {"X-Admin": "true", "X-Is-Admin": "1"},
        ),
    ),
    "the administrator's name": (
        "keystonemiddleware; habits of proxies that authenticate",
        ({"X-User-Name": "admin", "X-User-Id": "admin"}, {"X-Remote-User": "admin", "X-Forwarded-User": "admin"}),
    ),
    "forwarded": (
        "RFC 7239; habits of proxies",
        (
            {"X-Forwarded-For": "192.0.2.1"},
            {"Forwarded": "for=192.0.2.1;proto=https;host=example.org"},
            {"X-Forwarded-Proto": "https"},
            {"X-Forwarded-Host": "example.org"},
            {"X-Forwarded-Prefix": "/x"},
        ),
    ),
    "origin": ("browsers", ({"Origin": "https://example.org"}, {"Referer": "https://example.org/"})),
    "cookie": ("RFC 6265", ({"Cookie": "session=x"}, {"Cookie": "X-Auth-Token=x"})),
    "credentials beside the token": ("RFC 9110, 11.6.2", ({"Authorization": "Bearer x"}, {"Authorization": "Basic x"})),
    "scripted": ("jQuery", ({"X-Requested-With": "XMLHttpRequest"},)),
}
IMPERSONATING = frozenset(
    {
        "the administrator's role",
        "the administrator's name",
        "the owner's tenant",
        "tenant",
        "forwarded",
        "cookie",
        "credentials beside the token",
    }
)
"""Kinds that claim to come from somebody or somewhere else: nothing but the token says who asks (decision 19)."""

NAMING = {
    "X-Original-URL": "IIS URL Rewrite; Symfony",
    "X-Rewrite-URL": "IIS ISAPI Rewrite; Zend",
    "X-Forwarded-Uri": "Traefik",
    "X-Forwarded-Path": "habits of gateways",
    "X-Original-URI": "nginx",
    "Destination": "RFC 4918, 10.3",
    "Content-Location": "RFC 9110, 8.7",
}
NAMES = ("IPAddressID", "X-IP-Address-Id", "X-Address-Id", "X-Resource-Id")


def every(subject: Subject) -> list[Value]:
    """All values of the dimension."""
    return [*_harmless(), _in_lower_case(), *_meaning(), *_naming(subject), *_of_the_tenant(subject)]


def _harmless() -> Iterator[Value]:
    for kind, (source, rows) in HARMLESS.items():
        for headers in rows:
            yield Value(
                *("field", kind, _words(headers), source, "codes.success", Expected.GRANTED, {"headers": headers}),
                mistake=False,
            )


def _in_lower_case() -> Value:
    words, source = (
        "the names of its fields in lower case",
        "RFC 9110, 5.1: names have no case; Node.js",
    )
    kind, variation = "names in lower case", {"lower_case": True}
    return Value("field", kind, words, source, "codes.success", Expected.GRANTED, variation, mistake=False)


def _either(kind: str, source: str, headers: Mapping[str, Any]) -> Value:
    words, lawful = _words(headers), Expected.EITHER
    return Value("field", kind, words, source, "effect.nothing-else", lawful, {"headers": headers}, mistake=False)


def _meaning() -> Iterator[Value]:
    for kind, (source, rows) in MEANING.items():
        yield from (_either(kind, source, headers) for headers in rows)


def _naming(subject: Subject) -> Iterator[Value]:
    """Fields that name another standing association of the suite's own."""
    for other in subject.others:
        for name, source in NAMING.items():
            path = f"/v2/servers/{subject.server}/ip_associations/{other}"
            main = name in {"X-Original-URL", "X-Rewrite-URL", "Destination"}
            kind = f"{name} of another association" if main else "another field with another association's path"
            yield _either(kind, source, {name: path})
        for name in NAMES:
            yield _either("field with another address's ID", "parameters as fields", {name: other})


def _of_the_tenant(subject: Subject) -> Iterator[Value]:
    """Fields that claim the owner's tenant."""
    if subject.tenant:
        for name in ("X-Tenant-Id", "X-Project-Id", "X-Tenant"):
            yield _either("the owner's tenant", "Keystone", {name: subject.tenant})


def _words(headers: Mapping[str, Any]) -> str:
    return ", ".join(f"no {name}" if value is None else f"{name}: {value}" for name, value in headers.items())

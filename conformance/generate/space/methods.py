"""Methods that are not documented on the path, and what may pretend that a method is DELETE."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

REGISTRY = "IANA HTTP Method Registry: "
METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "POST": ("RFC 9110", ("POST",)),
    "PATCH": ("RFC 5789", ("PATCH",)),
    "UNLINK": (f"{REGISTRY}RFC 2068", ("UNLINK", "LINK")),
    "UNBIND": (f"{REGISTRY}RFC 5842", ("UNBIND", "BIND", "REBIND")),
    "MOVE": (f"{REGISTRY}RFC 4918", ("MOVE", "COPY")),
    "LOCK": (f"{REGISTRY}RFC 4918", ("UNLOCK", "LOCK")),
    "PROPFIND": (f"{REGISTRY}RFC 4918", ("PROPFIND", "PROPPATCH", "MKCOL")),
    "versioning": (
        f"{REGISTRY}RFC 3253",
        (
            *("BASELINE-CONTROL", "CHECKIN", "CHECKOUT", "LABEL", "MERGE", "MKACTIVITY", "MKWORKSPACE"),
            *("REPORT", "UNCHECKOUT", "UPDATE", "VERSION-CONTROL"),
        ),
    ),
    "other extensions": (
        f"{REGISTRY}RFC 3648, 3744, 4437, 4791, 5323",
        ("ACL", "MKCALENDAR", "MKREDIRECTREF", "ORDERPATCH", "SEARCH", "UPDATEREDIRECTREF", "QUERY"),
    ),
    "PURGE": ("habit of Varnish, Squid and nginx", ("PURGE", "BAN", "REFRESH")),
    "synonym of DELETE": ("invented", ("REMOVE", "DESTROY", "DEL", "ERASE", "CANCEL", "DETACH", "DISASSOCIATE")),
    "near DELETE": ("invented", ("DELETED", "DELET", "XDELETE", "DELETE-ALL", "BDELETE", "_DELETE", "DELETE!", "DE")),
    "invented": ("RFC 9110, 9.1: any token", ("FROBNICATE", "X", "A" * 40, "GETT", "M-SEARCH", "NOTIFY")),
}
OTHER_CASE = {
    "DELETE": (Expected.INERT, ("delete", "Delete", "dELETE")),
    "POST": (Expected.REFUSED, ("post", "Post", "patch")),
}
"""Servers read them as the method that is meant, or refuse them before any service does, with 400: Gunicorn, Cheroot,
Node.js. So what is not documented in either case is refused with whichever 4xx."""

CARRIERS = ("POST", "GET", "PUT", "PATCH")
MAIN_FIELDS = {
    "X-HTTP-Method-Override": "Google's APIs; Express method-override; Rack",
    "X-HTTP-Method": "OData, 8.2.5 of version 2",
    "X-Method-Override": "IBM; Express method-override",
}
OTHER_FIELDS = {
    "X_HTTP_METHOD_OVERRIDE": "CGI names",
    "HTTP-Method-Override": "spelt without X",
    "HTTP-Method": "spelt without X",
    "X-Method": "shortened",
    "X-Original-Method": "nginx ingress: external authentication",
    "X-Forwarded-Method": "Traefik: ForwardAuth",
    "X-Http-Verb": "invented",
    "Method-Override": "shortened",
    "_method": "Rails, Laravel, as a field",
}
MAIN_QUERIES = {"_method": "Rails, Laravel, Symfony, Express", "X-HTTP-Method-Override": "the field as a query"}
OTHER_QUERIES = {
    "method": "spelt without underscore",
    "http_method": "invented",
    "httpMethod": "Google's APIs",
    "$method": "Google's APIs",
    "_HttpMethod": "Salesforce",
    "x-http-method-override": "the field as a query",
    "X-HTTP-Method": "the field as a query",
    "X-Method-Override": "the field as a query",
    "op": "WebHDFS",
    "action": "habit of OpenStack's actions",
    "_action": "invented",
    "cmd": "habit of CGI programs",
    "verb": "OAI-PMH",
}
FORM = "application/x-www-form-urlencoded"
ACTIONS: tuple[dict[str, Any], ...] = (
    {"delete": None},
    {"action": "delete"},
    {"removeFloatingIp": {}},
    {"remove": True},
    {"ip_association": None},
)


def every(_subject: Subject) -> list[Value]:
    """All values of the dimension."""
    return [*_methods(), *_field_overrides(), *_query_overrides(), *_body_overrides()]


def _methods() -> Iterator[Value]:
    for kind, (source, names) in METHODS.items():
        for name in names:
            yield Value(
                *("method", f"method {kind}", f"the method {name}", source, "method.refused"),
                *(Expected.NOT_ALLOWED, {"method": name}),
            )
    for kind, (expected, names) in OTHER_CASE.items():
        for name in names:
            yield Value(
                *("method", f"method {kind} in the other case", f"the method {name}", "RFC 9110, 9.1: case-sensitive"),
                *("method.refused", expected, {"method": name}),
            )


def _override(kind: str, words: str, source: str, variation: dict[str, Any]) -> Value:
    return Value("method", f"override by {kind}", words, source, "method.override", Expected.INERT, variation)


def _field_overrides() -> Iterator[Value]:
    for name, source in MAIN_FIELDS.items():
        for method in CARRIERS:
            for told in ("DELETE", "delete"):
                words = f"{method} with {name}: {told}"
                yield _override(f"{name}, on {method}", words, source, {"method": method, "headers": {name: told}})
    for method in CARRIERS:
        for name, source in OTHER_FIELDS.items():
            kind = f"{name}, on POST" if method == "POST" else f"another field, on {method}"
            yield _override(
                kind, f"{method} with {name}: DELETE", source, {"method": method, "headers": {name: "DELETE"}}
            )


def _query_overrides() -> Iterator[Value]:
    for method in CARRIERS:
        for name, source in MAIN_QUERIES.items():
            for told in ("DELETE", "delete"):
                query = urlencode({name: told})
                yield _override(
                    f"query {name}, on {method}", f"{method} with ?{query}", source, {"method": method, "query": query}
                )
        for name, source in OTHER_QUERIES.items():
            query = urlencode({name: "DELETE" if name not in {"action", "_action", "cmd"} else "delete"})
            yield _override(
                f"another query, on {method}", f"{method} with ?{query}", source, {"method": method, "query": query}
            )


def _body_overrides() -> Iterator[Value]:
    part = b'--x\r\nContent-Disposition: form-data; name="_method"\r\n\r\nDELETE\r\n--x--\r\n'
    rows = [
        ("form", "Rails, Laravel, Symfony", FORM, b"_method=DELETE"),
        ("form", "the field in a form", FORM, b"X-HTTP-Method-Override=DELETE"),
        ("multipart form", "Rails, Laravel, Symfony", "multipart/form-data; boundary=x", part),
        ("JSON", "method override in JSON", "application/json", b'{"_method": "DELETE"}'),
        ("JSON", "method override in JSON", "application/json", b'{"method": "DELETE"}'),
        *(("action", "actions as of OpenStack", "application/json", json.dumps(one).encode()) for one in ACTIONS),
    ]
    for method in ("POST", "PUT"):
        for kind, source, media_type, body in rows:
            sent = {"body": body, "framing": "content-length", "headers": {"Content-Type": media_type}}
            yield _override(f"{kind}, on {method}", f"{method} of {body!r}", source, {"method": method, **sent})

"""The kinds of triggers that look at a request alone, and at what it names."""

from __future__ import annotations

import ipaddress
import re

from conformance.reference.faultspace.occasion import HARMLESS, Occasion, Role, field_names
from conformance.reference.faultspace.triggers import TriggerKind, beyond, hashed, one_of, remainder

ADDRESS_SHARES = (0.05, 0.1, 0.2, 0.35, 0.5)
"""A run allocates forty addresses at most: what holds for fewer is an accident that no run need meet."""
GUARDED = frozenset(Role) - {Role.HELD, Role.FREEING, Role.ASSOCIATING}
DEALLOCATING = frozenset({Role.HELD, Role.FREEING})


def body(seen: Occasion) -> bytes:
    """Give the bytes of the body."""
    return seen.request.body or b""


def shape(seen: Occasion) -> str:
    """Give an identifier with every hexadecimal digit as ``x`` or, in upper case, ``X``: what a check of it sees."""
    return re.sub("[A-F]", "X", re.sub("[0-9a-f]", "x", seen.request.path.address))


def token(seen: Occasion) -> str:
    """Give the token, empty if there is none."""
    return seen.request.token or ""


def parameter_names(seen: Occasion) -> str:
    """Give the names of the query's parameters."""
    return " ".join(sorted(seen.request.parameters))


def meaning_fields(seen: Occasion) -> str:
    """Give the fields that have a meaning, with their values."""
    names = sorted(field_names(seen.request) - HARMLESS)
    return " ".join(f"{name}={seen.request.environ['HTTP_' + name]}" for name in names)


def literal_number(seen: Occasion) -> int:
    """Give the literal as a number."""
    return int(ipaddress.ip_address(seen.address.address))


REQUEST = [
    TriggerKind("request", hashed("the body", lambda seen: repr(body(seen))), frozenset({Role.BODIED}), True, True),
    TriggerKind(
        "request",
        remainder("the size of the body", lambda seen: len(body(seen)), 8),
        frozenset({Role.BODIED}),
        True,
        True,
    ),
    TriggerKind(
        "request",
        remainder("the sum of the body's bytes", lambda seen: sum(body(seen)), 8),
        frozenset({Role.BODIED}),
        True,
        True,
    ),
    TriggerKind(
        "request",
        beyond("the size of the body", lambda seen: len(body(seen)), 1, 2, 15, 100, 1000, 5000, 70000),
        frozenset({Role.BODIED}),
        False,
        True,
    ),
    TriggerKind(
        "request",
        hashed("the media type", lambda seen: seen.request.media_type, ADDRESS_SHARES),
        frozenset({Role.BODIED}),
        True,
        True,
    ),
    TriggerKind(
        "request",
        one_of(
            {
                "the body comes in chunks": lambda seen: seen.request.chunked,
                "the body is blank": lambda seen: not body(seen).strip(),
                "the body is an object": lambda seen: body(seen).lstrip().startswith(b"{"),
                "the body is a list": lambda seen: body(seen).lstrip().startswith(b"["),
                "the body is no text": lambda seen: any(byte > 126 for byte in body(seen)),
                "the body names the address": lambda seen: seen.address.id.encode() in body(seen),
                "the body has no media type": lambda seen: not seen.request.media_type,
                "the body is no JSON by its media type": lambda seen: "json" not in seen.request.media_type,
            }
        ),
        frozenset({Role.BODIED}),
        False,
        True,
    ),
    TriggerKind("request", hashed("the shape of the identifier", shape), frozenset({Role.MALFORMED}), True, True),
    TriggerKind(
        "request",
        remainder("the length of the identifier", lambda seen: len(seen.request.path.address), 8),
        frozenset({Role.MALFORMED}),
        True,
        True,
    ),
    TriggerKind(
        "request",
        one_of(
            {
                "the identifier is longer than an ID": lambda seen: len(seen.request.path.address) > 36,
                "the identifier is the literal": lambda seen: seen.request.path.address == seen.address.address,
                "the identifier has no hyphen": lambda seen: "-" not in seen.request.path.address,
                "the identifier has upper case": lambda seen: shape(seen) != shape(seen).replace("X", "x"),
                "the identifier has a blank": lambda seen: (
                    seen.request.path.address.split() != [seen.request.path.address]
                ),
                "the identifier is not ASCII": lambda seen: not seen.request.path.address.isascii(),
                "the identifier has a bracket": lambda seen: bool(set("[](){}<>") & set(seen.request.path.address)),
                "the identifier begins with the ID": lambda seen: seen.request.path.address.startswith(seen.address.id),
                "the identifier ends with the ID": lambda seen: seen.request.path.address.endswith(seen.address.id),
            }
        ),
        frozenset({Role.MALFORMED}),
        False,
        True,
    ),
    TriggerKind("request", hashed("the token", token), frozenset({Role.ANONYMOUS}), True, True),
    TriggerKind(
        "request",
        remainder("the length of the token", lambda seen: len(token(seen)), 8),
        frozenset({Role.ANONYMOUS}),
        True,
        True,
    ),
    TriggerKind(
        "request",
        one_of(
            {
                "there is no token": lambda seen: seen.request.token is None,
                "there is a token": lambda seen: bool(token(seen)),
                "the token is long": lambda seen: len(token(seen)) > 100,
                "the token is short": lambda seen: 0 < len(token(seen)) < 8,
                "the token is no word": lambda seen: bool(token(seen)) and not token(seen).isalnum(),
                "the token is a number": lambda seen: token(seen).isdigit(),
                "the token is hexadecimal": lambda seen: re.fullmatch("[0-9a-fA-F]{8,}", token(seen)) is not None,
            }
        ),
        frozenset({Role.ANONYMOUS}),
        False,
        True,
    ),
    TriggerKind(
        "request", hashed("the method", lambda seen: seen.request.method), frozenset({Role.METHOD}), True, True
    ),
    TriggerKind(
        "request",
        remainder("the length of the method", lambda seen: len(seen.request.method), 5),
        frozenset({Role.METHOD}),
        True,
        True,
    ),
    TriggerKind(
        "request",
        one_of(
            {
                "the method is POST": lambda seen: seen.request.method == "POST",
                "the method is PATCH": lambda seen: seen.request.method == "PATCH",
                "the method is an invented one": lambda seen: seen.request.method not in {"POST", "PATCH"},
                "the method is a documented one in other case": lambda seen: (
                    seen.request.method.upper() in {"DELETE", "PUT", "GET"}
                ),
            }
        ),
        frozenset({Role.METHOD}),
        False,
        True,
    ),
    TriggerKind("request", hashed("the query", lambda seen: seen.request.query), frozenset({Role.DRESSED}), True, True),
    TriggerKind(
        "request", hashed("the names of the parameters", parameter_names), frozenset({Role.DRESSED}), True, True
    ),
    TriggerKind("request", hashed("the fields", meaning_fields), frozenset({Role.DRESSED}), True, True),
    TriggerKind(
        "request",
        remainder("the length of the query", lambda seen: len(seen.request.query), 8),
        frozenset({Role.DRESSED}),
        True,
        True,
    ),
    TriggerKind(
        "request",
        one_of(
            {
                "there is a query": lambda seen: bool(seen.request.query),
                "there are two parameters": lambda seen: len(seen.request.parameters) > 1,
                "the query has no value": lambda seen: bool(seen.request.query) and "=" not in seen.request.query,
                "the query is true": lambda seen: "true" in seen.request.parameters.values(),
                "there is a precondition": lambda seen: any(
                    name.startswith("IF_") for name in field_names(seen.request)
                ),
                "there is a field of one's own": lambda seen: any(
                    name.startswith("X_") for name in field_names(seen.request) - HARMLESS
                ),
                "another media type is accepted": lambda seen: (
                    seen.request.header("Accept") not in {None, "*/*", "application/json"}
                ),
            }
        ),
        frozenset({Role.DRESSED}),
        False,
        True,
    ),
    TriggerKind("request", hashed("the ID", lambda seen: seen.address.id, ADDRESS_SHARES), own=True, stable=True),
    TriggerKind(
        "request", hashed("the pair", lambda seen: seen.address.id + seen.server, ADDRESS_SHARES), GUARDED, True, True
    ),
    TriggerKind("request", remainder("the literal", literal_number, 10), own=True, stable=True),
    TriggerKind(
        "request",
        one_of(
            {
                "the address is IPv6": lambda seen: seen.address.version == 6,
                "the address is IPv4": lambda seen: seen.address.version == 4,
                "the ID begins with a letter": lambda seen: seen.address.id[0].isalpha(),
                "a length of 0 is declared": lambda seen: seen.request.environ.get("CONTENT_LENGTH") == "0",
                "no user agent is named": lambda seen: seen.request.header("User-Agent") is None,
                "the address has two ports": lambda seen: len(seen.address.port_ids) == 2,
            }
        ),
        frozenset(Role) - {Role.ASSOCIATING},
        False,
        True,
    ),
    TriggerKind(
        "request",
        one_of(
            {
                "it is done by DELETE": lambda seen: seen.request.method == "DELETE",
                "it is done by PUT": lambda seen: seen.request.method == "PUT",
            }
        ),
        DEALLOCATING,
        False,
        True,
    ),
]

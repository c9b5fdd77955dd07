"""Credentials that are none: a credential is what ``X-Auth-Token`` carries, nothing else in a request (decision 19).

401 is due where nothing but the token, or its absence, can be the reason of the refusal (decision 19). A query, a field
with a meaning and an unusual field value may be refused on another account first (decisions 9 and 17).
Evidence shows forms of the real token as shell expressions over the variable that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

HEADER = "X-Auth-Token"
VARIABLE = "CONFORMANCE_TOKEN"
NONE_JWT = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZG1pbiIsInJvbGVzIjpbImFkbWluIl19."

MADE_UP: dict[str, tuple[str, tuple[str, ...]]] = {
    "empty": ("RFC 9110, 5.5: an empty value", ("",)),
    "blank": ("RFC 9110, 5.5: a blank is no value", (" ", "   ")),
    "unknown hex": ("Keystone's UUID tokens", ("0123456789abcdef0123456789abcdef", "f" * 32, "0" * 32)),
    "unknown UUID": ("tokens of other services", ("6d0e9d2c-5b1f-4c47-9a53-1f6e3b7a2c11",)),
    "unknown Fernet": ("Keystone's Fernet tokens", (f"gAAAAABl{'A' * 172}",)),
    "unsigned JWT": ("RFC 7519, 6: alg none", (NONE_JWT, NONE_JWT.rstrip("."))),
    "word for nothing": ("unset variables", ("null", "undefined", "None", "nil", "false", "NaN", "(null)")),
    "word for yes": ("flags", ("true", "1", "0", "yes", "ok")),
    "name of a user": ("habits of installations", ("admin", "ADMIN", "guest", "anonymous", "root", "system", "test")),
    "wildcard": ("globs and SQL LIKE", ("*", "%", "_", ".*", "?")),
    "SQL": ("SQL quoting", ("' OR '1'='1", "'--", '" OR ""="', "1;--")),
    "literal": ("JSON literals", ("{}", "[]", '""', '{"token": null}')),
    "unfilled template": ("unfilled templates", ("<token>", "{token}", "${TOKEN}", "%s", "{{token}}")),
    "malformed": ("RFC 9110, 5.6.2: no token", ("(", ",", ";", "=", "a b", "@:")),
    "beyond ASCII": ("RFC 9110, 5.5: obs-text", ("\u00e9\u00e9",)),
    "long": ("limits of header fields", ("x" * 255, "x" * 511)),
    "longer": ("limits of header fields", ("x" * 2048, "x" * 4096)),
    "short": ("a beginning of anything", ("a", "0")),
}
UNUSUAL = frozenset({"wrong, longer", "wrong, beyond ASCII"})
"""Fields that a parser may refuse before anybody takes them for tokens."""

SCHEMES = (
    *("Concealed", "Digest", "DPoP", "GNAP", "HOBA", "Mutual", "Negotiate", "OAuth", "PrivateToken"),
    *("SCRAM-SHA-1", "SCRAM-SHA-256", "vapid"),
)
"""IANA HTTP Authentication Scheme Registry, Basic and Bearer aside."""

PLACES = {
    "X-Service-Token": "Keystone: service tokens",
    "X-Subject-Token": "Keystone: tokens that are looked at",
    "X-Storage-Token": "Swift: the older name",
    "X-Auth": "shortened",
    "X-Token": "shortened",
    "Auth-Token": "spelt without X",
    "X-Access-Token": "habit of gateways",
    "X-Api-Key": "habit of gateways",
    "X-Auth-Key": "Swift: version 1",
    "X-Amz-Security-Token": "AWS",
    "X-Forwarded-Access-Token": "oauth2-proxy",
}
QUERIES = ("X-Auth-Token", "token", "auth_token", "access_token", "api_key", "x-auth-token")
IDENTITY: dict[str, tuple[str, dict[str, str]]] = {
    "middleware fields": (
        "keystonemiddleware's fields",
        {"X-Identity-Status": "Confirmed", "X-User-Id": "admin", "X-Roles": "admin", "X-Project-Id": "admin"},
    ),
    "remote user": ("web servers' REMOTE_USER", {"Remote-User": "admin", "X-Remote-User": "admin"}),
    "proxy's user": ("oauth2-proxy", {"X-Forwarded-User": "admin", "X-Forwarded-Groups": "admin"}),
    "local caller": ("trust in loopback", {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}),
    "open path": ("paths without authentication", {"X-Original-URL": "/", "X-Rewrite-URL": "/healthcheck"}),
    "internal call": ("habits of gateways", {"X-Internal": "true", "X-Is-Admin": "true", "X-Admin": "1"}),
    "user and key": ("Swift: version 1", {"X-Auth-User": "admin", "X-Auth-Key": "admin"}),
    "password": ("RFC 7617", {"Authorization": "Basic YWRtaW46YWRtaW4="}),
}


def every(subject: Subject) -> list[Value]:
    """All values of the dimension; those made of the token need one."""
    own = [*_parts(subject.token), *_places(subject.token)] if subject.token else []
    return [no_token(), *_made_up(), *own]


def no_token() -> Value:
    """The plainest: nobody asks."""
    return _value("no token", "none", "the page: authentication", {})


def _value(
    words: str, kind: str, source: str, headers: dict[str, str], shown: dict[str, str] | None = None, query: str = ""
) -> Value:
    variation: dict[str, Any] = {"credential": None, "headers": headers, "shown": shown or {}, "query": query}
    plain = not query and headers.keys() <= {HEADER} and kind not in UNUSUAL
    due = Expected.UNAUTHORISED if plain else Expected.REFUSED
    return Value(*("credential", f"token {kind}", words, source, "access.authenticated", due, variation))


def _made_up() -> Iterator[Value]:
    for kind, (source, tokens) in MADE_UP.items():
        for token in tokens:
            yield _value(f"a made-up token, {kind}", f"wrong, {kind}", source, {HEADER: token}, {HEADER: token})
    for kind, (source, headers) in IDENTITY.items():
        yield _value(f"no token, but {kind}", f"none, {kind}", source, headers)


IGNORED = re.compile(r"[^A-Za-z0-9_-]")
"""What decoders of base64url may ignore (RFC 4648, 3.3): Keystone takes a token in quotes for the token."""

END = 4
"""Characters: of base64 without padding the very last one holds bits that nobody reads (RFC 4648, 3.5)."""


def _other(part: str) -> str:
    """A character, in either case, that this part of a token does not begin with."""
    return "A" if part[:1].upper() != "A" else "B"


def _parts(token: str) -> Iterator[Value]:
    half, name, end = len(token) // 2, VARIABLE, _other(token[-END:-1]) * END
    rows = [
        ("with a suffix", f"{token}x", f"${{{name}}}x"),
        ("with a suffix", f"{token}.", f"${{{name}}}."),
        ("with a prefix", f"x{token}", f"x${{{name}}}"),
        ("without its end", token[:-1], f"${{{name}%?}}"),
        ("with another end", f"{token[:-END]}{end}", f"${{{name}:0:{max(0, len(token) - END)}}}{end}"),
        ("with another beginning", _other(token[:1]) + token[1:], f"{_other(token[:1])}${{{name}#?}}"),
        ("cut in half", token[:half], f"${{{name}:0:{half}}}"),
        ("only its beginning", token[:8], f"${{{name}:0:8}}"),
        ("in the other case", token.swapcase(), f"${{{name}~~}}"),
        ("as a list", f"{token}, {token}", f"${name}, ${name}"),
        ("as a list", f"{token},", f"${name},"),
        ("twice", f"{token}{token}", f"${{{name}}}${{{name}}}"),
        ("twice", f"{token} {token}", f"${name} ${name}"),
        ("in quotes", f'"{token}"', f'"${name}"'),
        ("in quotes", f"'{token}'", f"'${name}'"),
        ("in brackets", f"<{token}>", f"<${name}>"),
        ("in brackets", f"{{{token}}}", f"{{${name}}}"),
        ("with a parameter", f"{token};v=1", f"${name};v=1"),
        ("with a scheme", f"Bearer {token}", f"Bearer ${name}"),
        ("with a scheme", f"token={token}", f"token=${name}"),
    ]
    for kind, sent, shown in rows:
        if sent and IGNORED.sub("", sent) != IGNORED.sub("", token):
            yield _value(f"the token {kind}", f"wrong, {kind}", "careless comparisons", {HEADER: sent}, {HEADER: shown})


def _places(token: str) -> Iterator[Value]:
    for scheme in ("Bearer", "Basic", "Token", ""):
        yield _placed(
            f"in Authorization, {scheme or 'no scheme'}", "RFC 6750; RFC 7617", "Authorization", scheme, token
        )
    for scheme in SCHEMES:
        source = "IANA HTTP Authentication Scheme Registry"
        yield _placed("in Authorization, another scheme", source, "Authorization", scheme, token)
    for name, source in PLACES.items():
        main = name in {"X-Service-Token", "X-Subject-Token", "X-Storage-Token"}
        yield _placed(f"in {name}" if main else "in another field", source, name, "", token)
    for name in (HEADER, "token", "auth_token", "session"):
        yield _placed("in a cookie", "cookies of dashboards", "Cookie", f"{name}=", token)
    for name in QUERIES:
        kind = "in the query" if name == HEADER else "in another query"
        yield _value(f"the token {kind}", kind, "RFC 6750, 2.3", {}, query=f"{name}={quote(token, safe='')}")


def _placed(kind: str, source: str, field: str, before: str, token: str) -> Value:
    lead = before if not before or before.endswith("=") else f"{before} "
    return _value(f"the token {kind}", kind, source, {field: f"{lead}{token}"}, {field: f"{lead}${VARIABLE}"})

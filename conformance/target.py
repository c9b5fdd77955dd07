"""The target description: a YAML file, or a URL, turned into a frozen :class:`Target`.

Reads files and the environment, sends nothing. Every mistake of a description is named in one message, with the key
and what is expected there (``spec/target.schema.json``).
"""

from __future__ import annotations

import json
import math
import os
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from conformance import SPEC, documents, identity
from conformance.errors import UsageError
from conformance.identity import Cloud, Tls

PUBLIC_NETWORK = "00000000-0000-0000-0000-000000000000"
TOKENS = {"token": "full", "restricted_token": "restricted", "foreign_token": "foreign"}
"""Keys of ``auth`` that say where a token is -> the name under which the suite speaks of that credential."""

CLOUDS = {"cloud": "full", "from_env": "full", "restricted_cloud": "restricted", "foreign_cloud": "foreign"}
"""Keys of ``auth`` that say how to get a token -> the same."""

VERSIONS = {"compute": "v2", "network": "v2.0"}
"""Service -> the version of its API that the suite speaks."""

URL_CREDENTIALS = {
    "token": "CONFORMANCE_TOKEN",
    "restricted_token": "CONFORMANCE_RESTRICTED_TOKEN",
    "foreign_token": "CONFORMANCE_FOREIGN_TOKEN",
}
"""Keys of ``auth`` -> where the credential is taken from when the target is given as a URL."""

MOST_SERVERS = 4
"""More servers than this make no case richer; the rest of the list is left alone."""


class Secret(str):
    """A token that shows itself to nobody who prints the object that holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the suite may ask of the target: requests a second, addresses alive at once, seconds for an answer."""

    requests_per_second: float | None = None
    max_addresses: int = 2
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What the target's owner declares (spec/README.md, decisions 5 and 6)."""

    request_body: str = "refuse"
    settle_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Target:
    """A deployment to judge.

    Attributes:
        compute, network: root URLs, version included: ``/servers/...`` and ``/ip_addresses`` are appended. Empty when
            a service catalogue has to say it first.
        tokens: credential name (full, restricted, foreign) -> token, as far as they are had already.
        files: credential name -> the file that its token was read from.
        clouds: credential name -> the cloud whose identity service gives its token.
        servers: may be empty for a target given as a URL: then they are found among the tenant's ports.
        ports: server -> port, for the servers whose port was given.
    """

    name: str
    compute: str
    network: str
    tokens: Mapping[str, Secret]
    servers: tuple[str, ...] = ()
    network_id: str = PUBLIC_NETWORK
    ports: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    tls: Tls = field(default_factory=Tls)
    files: Mapping[str, str] = field(default_factory=dict)
    clouds: Mapping[str, Cloud] = field(default_factory=dict)

    @property
    def secrets(self) -> Iterator[str]:
        """Whatever is known already and no output may show."""
        yield from self.tokens.values()
        for cloud in self.clouds.values():
            yield from cloud.secrets

    def public(self) -> dict[str, Any]:
        """What a report may say of the target."""
        return {
            "name": self.name,
            "compute": self.compute or "to be found in the service catalogue",
            "network": self.network or "to be found in the service catalogue",
            "credentials": sorted({*self.tokens, *self.clouds}),
            "servers": list(self.servers),
            "request_body": self.policy.request_body,
            "settle_seconds": self.policy.settle_seconds,
        }


def load(given: str, environment: Mapping[str, str] | None = None) -> Target:
    """The target that ``--target`` names: a URL, or the path of a description.

    Raises:
        UsageError: the description is wrong; the message names the file, the key and what is expected.
    """
    variables = os.environ if environment is None else environment
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", given):
        return _from_url(given, variables)
    path = Path(given)
    return from_document(documents.read(path, "a target description"), str(path), variables)


def from_document(document: Any, source: str, environment: Mapping[str, str]) -> Target:
    """The target that a parsed description states; ``source`` is the file that messages name.

    Raises:
        UsageError: as :func:`load`.
    """
    mistakes = _mistakes(document)
    if not mistakes:
        auth = document["auth"]
        mistakes = [*_bad_urls(document), *_bad_resources(document)]
        tokens = _tokens(auth, environment, mistakes)
        clouds = _clouds(auth, environment, mistakes)
        tls = _tls(document.get("tls", {}), mistakes)
    if mistakes:
        raise UsageError(f"{source}: " + f"\n{source}: ".join(mistakes))
    if full := clouds.get("full"):
        tls = tls.completed_by(full.tls)
    resources = document["resources"]
    compute = document.get("compute", "")
    network = document.get("network", "" if clouds.get("full") else compute)
    return Target(
        name=document["name"],
        compute=service_root(compute, VERSIONS["compute"]) if compute else "",
        network=service_root(network, VERSIONS["network"]) if network else "",
        tokens=tokens,
        servers=tuple(resources["servers"][:MOST_SERVERS]),
        network_id=resources.get("network_id", PUBLIC_NETWORK),
        ports=dict(resources.get("ports", {})),
        limits=_limits(document.get("limits", {})),
        policy=Policy(**document.get("policy", {})),
        tls=tls,
        files={name: auth[key].removeprefix("file:") for key, name in TOKENS.items() if _in_file(auth.get(key, ""))},
        clouds={name: replace(cloud, tls=cloud.tls.completed_by(tls)) for name, cloud in clouds.items()},
    )


def packed(target: Target) -> dict[str, Any]:
    """The target in built-in types, secrets included: for the pipe to a worker, never for a file."""
    plain: dict[str, Any] = _plain(asdict(target))
    return plain


def unpacked(described: Mapping[str, Any]) -> Target:
    """The target that :func:`packed` took apart."""
    return Target(
        **{
            **described,
            "tokens": {name: Secret(token) for name, token in described["tokens"].items()},
            "servers": tuple(described["servers"]),
            "limits": Limits(**described["limits"]),
            "policy": Policy(**described["policy"]),
            "tls": Tls(**described["tls"]),
            "clouds": {
                name: Cloud(**{**cloud, "tls": Tls(**cloud["tls"])}) for name, cloud in described["clouds"].items()
            },
        }
    )


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case str():
            return str(value)  # a secret is a kind of text that the pipe does not know
        case tuple() | list():
            return [_plain(one) for one in value]
        case _:
            return value


def _limits(given: dict[str, Any]) -> Limits:
    whole = {"max_addresses": int(given["max_addresses"])} if "max_addresses" in given else {}  # YAML may say 2.0
    return Limits(**given | whole)


def service_root(url: str, version: str) -> str:
    """``url`` with the API version, which a catalogue's URL already carries, a tenant after it or not.

    The other service's version does not stay: one URL may stand for both.

    >>> service_root("https://cloud.example/compute/", "v2")
    'https://cloud.example/compute/v2'
    >>> service_root("https://cloud.example/v2/123456", "v2")
    'https://cloud.example/v2/123456'
    >>> service_root("https://cloud.example/v2/123456", "v2.0")
    'https://cloud.example/v2.0'
    """
    bare = url.rstrip("/")
    versioned = re.search(r"(?<=[^/]/)(v2|v2\.0)(/[^/]+)?$", bare)
    if versioned and versioned[1] == version:
        return bare
    return f"{bare[: versioned.start()] if versioned else bare + '/'}{version}"


def catalogued_root(url: str, version: str) -> str:
    """The root for ``version`` of a service whose catalogue entry is ``url``.

    An entry of that version is used as it stands, with the project that may follow. One of another version (2.1 of
    compute, say) is cut off before its version.

    >>> catalogued_root("https://cloud.example/compute/v2.1/123456", "v2")
    'https://cloud.example/compute/v2'
    >>> catalogued_root("https://cloud.example/v2/123456", "v2")
    'https://cloud.example/v2/123456'
    """
    bare = url.rstrip("/")
    versioned = re.search(r"(?<=[^/]/)(v\d+(?:\.\d+)?)(/[^/]+)?$", bare)
    other = versioned and versioned[1] != version
    return service_root(bare[: versioned.start()] if versioned and other else bare, version)


def _from_url(url: str, environment: Mapping[str, str]) -> Target:
    mistakes = _bad_url("--target", url)
    others = {key: variable for key, variable in URL_CREDENTIALS.items() if key == "token" or environment.get(variable)}
    auth = {key: f"env:{variable}" for key, variable in others.items()}
    tokens = _tokens(auth, environment, mistakes)
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return Target(
        name=urlsplit(url).netloc,
        compute=service_root(url, VERSIONS["compute"]),
        network=service_root(url, VERSIONS["network"]),
        tokens=tokens,
    )


def _mistakes(document: Any) -> list[str]:
    if document is None:
        return ["is empty; a target description in YAML is expected"]
    if odd := list(_odd(document)):
        return [f"{place}: expected text, a finite number, a list or a mapping with text as keys" for place in odd]
    schema = json.loads((SPEC / "target.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)
    return sorted({_mistake(error, schema) for error in validator.iter_errors(document)})


def _odd(document: Any, place: str = "") -> Iterator[str]:
    """Where YAML says what JSON, and so the schema, has no word for."""
    here = place or "the description"
    match document:
        case dict():
            for key, value in document.items():
                yield from _odd(value, f"{place}.{key}".lstrip(".")) if isinstance(key, str) else [here]
        case list():
            for number, value in enumerate(document):
                yield from _odd(value, f"{here}.{number}")
        case float() if not math.isfinite(document):
            yield here
        case None | str() | int() | float():
            pass
        case _:
            yield here


def _mistake(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in error.instance_path) or "the description"
    expected = documents.expectation(schema, error.schema_path)
    # The value is not repeated: a token that was pasted into the file must not reach the terminal.
    detail = f"{error.message}; " if error.schema_path[-1] in {"required", "additionalProperties"} else ""
    if key.removeprefix("auth.") in TOKENS and error.schema_path[-1] != "not":
        detail = "a literal is refused, so that no secret stands in a file that is shared: "
    return f"{key}: {detail}expected {expected}"


def _bad_urls(document: dict[str, Any]) -> list[str]:
    return [mistake for key in ("compute", "network") if key in document for mistake in _bad_url(key, document[key])]


def _bad_url(key: str, url: str) -> list[str]:
    """What is wrong with a URL, which is not repeated, since it may carry a password."""
    expected = "expected http://HOST/ or https://HOST/, a path prefix allowed, no user name, query or fragment"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return [f"{key}: is no URL; {expected}"]
    if parts.username or parts.password:
        return [f"{key}: carries a user name or password, which belong under auth; {expected}"]
    plain = url.isascii() and url.isprintable() and " " not in url and not parts.query and not parts.fragment
    return [] if usable and plain else [f"{key}: is not the URL of a service; {expected}"]


def _bad_resources(document: dict[str, Any]) -> list[str]:
    resources = document["resources"]
    unknown = sorted(set(resources.get("ports", {})) - set(resources["servers"]))
    return [f"resources.ports.{server}: is not among resources.servers" for server in unknown]


def _tokens(auth: Mapping[str, Any], environment: Mapping[str, str], mistakes: list[str]) -> dict[str, Secret]:
    found = {}
    for key, name in TOKENS.items():
        if key in auth:
            try:
                found[name] = _secret(auth[key], environment)
            except ValueError as error:
                mistakes.append(f"auth.{key}: {error}")
    return found


def _clouds(auth: Mapping[str, Any], environment: Mapping[str, str], mistakes: list[str]) -> dict[str, Cloud]:
    found = {}
    for key, name in CLOUDS.items():
        if key in auth:
            region = auth.get("region") if name == "full" else None
            try:
                given = auth[key]
                cloud = (
                    identity.from_variables(environment, region)
                    if key == "from_env"
                    else identity.named(given, environment, region)
                )
                found[name] = replace(cloud, interface=auth.get("interface", cloud.interface))
            except ValueError as error:
                mistakes.append(f"auth.{key}: {error}")
    return found


def _tls(given: Mapping[str, str], mistakes: list[str]) -> Tls:
    """The files that ``tls`` names, each loaded once as it will be for a connection."""
    files = {key: str(Path(name).expanduser()) for key, name in given.items()}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if "ca" in files:
        load = partial(context.load_verify_locations, files["ca"])
        _tried("ca", load, "certificates of authorities in PEM", mistakes)
    if "client_cert" in files:
        load = partial(context.load_cert_chain, files["client_cert"], files.get("client_key"), _no_passphrase)
        expected = "a certificate and its key without passphrase in PEM, the key here or in client_key"
        _tried("client_cert", load, expected, mistakes)
    return Tls(**files)


def _tried(key: str, load: Callable[[], object], expected: str, mistakes: list[str]) -> None:
    try:
        load()
    except ssl.SSLError:
        mistakes.append(f"tls.{key}: the file that is named there cannot be used; expected {expected}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no usable path"
        mistakes.append(f"tls.{key}: the file that is named there cannot be read ({reason}); expected {expected}")


def _no_passphrase() -> str:
    """Without it, OpenSSL would ask for one on the terminal."""
    return ""


def _in_file(reference: str) -> bool:
    return reference.startswith("file:")


def token_in(path: str) -> Secret:
    """The token in a file, without the blank space around it.

    Raises:
        ValueError: there is none, with what was expected.
    """
    return _secret(f"file:{path}", {})


def _secret(reference: str, environment: Mapping[str, str]) -> Secret:
    """The token; what names its place is repeated only if it cannot be a token itself."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        shown = f"the environment variable {name if name.isupper() else 'that is named there'}"
        value = environment.get(name, "").strip()
    else:
        shown = "the file that is named there"
        try:
            value = Path(name).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ValueError(f"{shown} cannot be read ({reason}); expected the token in it") from None
    if not value:
        raise ValueError(f"{shown} is not set or empty; expected the token in it")
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{shown} holds characters that no header can carry; expected a token of printable ASCII")
    return Secret(value)

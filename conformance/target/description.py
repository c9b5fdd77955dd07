"""Target descriptions, read strictly: every mistake in one message."""

from __future__ import annotations

import json
import math
import os
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs

from conformance import SPEC, identity, yaml_input
from conformance.errors import UsageError
from conformance.identity import Cloud, Tls
from conformance.target.records import CLOUDS, MOST_SERVERS, PUBLIC_NETWORK, Policy, Target, _limits
from conformance.target.secrets import TOKENS, URL_CREDENTIALS, _in_file, _no_passphrase, _tokens, _tried
from conformance.target.urls import VERSIONS, _bad_url, _bad_urls, is_url, service_root


def load(given: str, environment: Mapping[str, str] | None = None) -> Target:
    """The target that ``--target`` names: a URL, or the path of a description.

    Raises:
        UsageError: the description is wrong; the message names the file, the key and what is expected.
    """
    variables = os.environ if environment is None else environment
    if is_url(given):
        return _from_url(given, variables)
    path = Path(given)
    document = yaml_input.read(path, "a target description")
    return from_document(_anchored(document, path.parent), str(path), variables)


def _anchored(document: Any, folder: Path) -> Any:
    """The document with the files that it names found from where it lies, wherever the command is typed."""
    if not isinstance(document, dict):
        return document
    found = dict(document)
    for key, prefix in (("auth", "file:"), ("tls", "")):
        if isinstance(found.get(key), dict):
            found[key] = {name: _from(folder, given, prefix) for name, given in found[key].items()}
    return found


def _from(folder: Path, given: Any, prefix: str) -> Any:
    if not isinstance(given, str) or not given.startswith(prefix):
        return given
    named = os.path.expanduser(given.removeprefix(prefix))  # noqa: PTH111  # it raises nothing
    return f"{prefix}{folder / named}" if named else given


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
        foreign_servers=tuple(resources.get("foreign_servers", ())),
        limits=_limits(document.get("limits", {})),
        policy=Policy(**document.get("policy", {})),
        tls=tls,
        files={name: auth[key].removeprefix("file:") for key, name in TOKENS.items() if _in_file(auth.get(key, ""))},
        clouds={name: replace(cloud, tls=cloud.tls.completed_by(tls)) for name, cloud in clouds.items()},
    )


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


LARGEST = 10**15
"""Numbers beyond it are no number of anything here, and no clock counts them."""


def _mistakes(document: Any) -> list[str]:
    if document is None:
        return ["is empty; a target description in YAML is expected"]
    if odd := list(_odd(document)):
        return [f"{place}: expected text, a finite number, a list or a mapping with text as keys" for place in odd]
    schema = json.loads((SPEC / "target.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.Draft202012Validator(schema)
    errors = list(validator.iter_errors(document))
    unknown = yaml_input.unknown_keys(schema, errors)
    others = {_mistake(error, schema) for error in errors if not yaml_input.told(error, unknown)}
    return sorted({f"{_place(one.place)}: {one.in_words()}" for one in unknown} | others)


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
        case int() if abs(document) > LARGEST:
            yield here
        case None | str() | int() | float():
            pass
        case _:
            yield here


def _mistake(error: jsonschema_rs.ValidationError, schema: dict[str, Any]) -> str:
    key = _place(error.instance_path)
    expected = yaml_input.expectation(schema, error.schema_path)
    # The value is not repeated: a token that was pasted into the file must not reach the terminal.
    detail = f"{error.message}; " if error.schema_path[-1] == "required" else ""
    if key.removeprefix("auth.") in TOKENS and error.schema_path[-1] != "not":
        detail = "a literal is refused, so that no secret stands in a file that is shared: "
    return f"{key}: {detail}expected {expected}"


def _place(path: Iterable[str | int]) -> str:
    return ".".join(map(str, path)) or "the description"


def _bad_resources(document: dict[str, Any]) -> list[str]:
    resources = document["resources"]
    unknown = sorted(set(resources.get("ports", {})) - set(resources["servers"]))
    both = sorted(set(resources.get("foreign_servers", ())) & set(resources["servers"]))
    return [
        *(f"resources.ports.{server}: is not among resources.servers" for server in unknown),
        *(f"resources.foreign_servers: {server} is among resources.servers, too" for server in both),
    ]


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
    files = {key: os.path.expanduser(name) for key, name in given.items()}  # noqa: PTH111  # it raises nothing
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if "ca" in files:
        load = partial(context.load_verify_locations, files["ca"])
        _tried("ca", [files["ca"]], load, "certificates of authorities in PEM", mistakes)
    if "client_cert" in files:
        load = partial(context.load_cert_chain, files["client_cert"], files.get("client_key"), _no_passphrase)
        expected = "a certificate and its key without passphrase in PEM, the key here or in client_key"
        shown = [files[key] for key in ("client_cert", "client_key") if key in files]
        _tried("client_cert", shown, load, expected, mistakes)
    return Tls(**files)

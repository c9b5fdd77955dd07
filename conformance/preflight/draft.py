"""A first target description: every key of the schema with its explanation, and what the cloud shows filled in.

A key that is in force stands as ``key: value``; one that is not stands as ``#key: value``, so that taking away the one
character puts it in force. What a key means is said by the schema and by nothing else.
"""

from __future__ import annotations

import json
import os
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import yaml

from conformance import SPEC, input_file, target
from conformance.client import Client, Pacer, retried
from conformance.errors import UsageError
from conformance.evidence import Recorder
from conformance.preflight.ports import ServerPort, by_server, ports
from conformance.target import MOST_SERVERS, PUBLIC_NETWORK, URL_CREDENTIALS, Limits, Policy, Target

PLACEHOLDER_URL = "https://compute.example/"
PLACEHOLDER_SERVERS = ("SERVER-ID-1", "SERVER-ID-2")
ATTEMPTS = 2
LONGEST_NAME = 100
WIDTH = 110
HEADER = f"""\
# What conformance run, doctor and cleanup take as --target FILE. A key that begins with # is not in force;
# remove that one character to use it. No more than {MOST_SERVERS} of the servers are made use of.
"""


@dataclass(frozen=True, slots=True)
class Given:
    """What the user told of the target."""

    compute: str = PLACEHOLDER_URL
    network: str | None = None
    network_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of a description, and what its author has to know of how it came about."""

    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Lines:
    """What stands in a draft beside or in place of a key's value; keys are dotted.

    Attributes:
        instead: lines that state the value, each with what is to be known of it.
        examples: the value of a key that is not in force.
    """

    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    examples: Mapping[str, Any] = field(default_factory=dict)


def drafted(given: Given, environment: Mapping[str, str] | None = None) -> Draft:
    """A description that loads as it stands, as far as its variables are set.

    With a URL and a token the tenant's ports are asked for; whatever comes of it, there is a description.

    Raises:
        UsageError: a URL, the network's ID or the name is none.
    """
    variables = os.environ if environment is None else environment
    document = _document(given, variables)
    token = URL_CREDENTIALS["token"]
    checked = target.from_document(document, "conformance init", {token: "not set", **_set(variables)})
    found: list[ServerPort] = []
    if given.compute == PLACEHOLDER_URL:
        missing = "" if token in _set(variables) else f" and set {token}"
        note = f"URLs and servers are placeholders: fill them in, or give --compute URL{missing}"
    elif token not in _set(variables):
        note = f"the token is missing: {token} is not set, so nothing was asked, and the servers are placeholders"
    else:
        found, note = _asked(checked)
    network = given.network_id or _likeliest(found)
    servers = by_server(found, network)
    if found and len(servers) < len(PLACEHOLDER_SERVERS):
        note = f"{len(servers)} of the tenant's servers have a port on network {network}, two are needed: fill them in"
    return Draft(_text(document, _lines(given, found, network)), note)


def write(text: str, path: Path, *, force: bool) -> None:
    """Write the description, over an existing file only by ``force``.

    Raises:
        UsageError: there is a file already, or it cannot be written.
    """
    try:
        with open(path, "w" if force else "x", encoding="utf-8", opener=input_file.without_waiting) as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: is there already", "--force overwrites it, - writes to standard output") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error


def _set(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if value.strip()}


def _document(given: Given, variables: Mapping[str, str]) -> dict[str, Any]:
    told = {"network": given.network} if given.network else {}
    present = {key: name for key, name in URL_CREDENTIALS.items() if key == "token" or name in _set(variables)}
    return {
        "name": given.name or urlsplit(given.compute).netloc[:LONGEST_NAME] or "staging",
        "compute": given.compute,
        **told,
        "auth": {key: f"env:{name}" for key, name in present.items()},
        "resources": {"servers": list(PLACEHOLDER_SERVERS), "network_id": given.network_id or PUBLIC_NETWORK},
        "limits": {key: value for key, value in asdict(Limits()).items() if value is not None},
        "policy": asdict(Policy()),
    }


# -- what the cloud shows ----------------------------------------------------------------------------------------------


def _asked(chosen: Target) -> tuple[list[ServerPort], str]:
    """The ports of the tenant's servers, and what came of asking for them."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        client = Client(chosen, Recorder(), Pacer(Path(folder) / "pace"))
        listing = retried(client.list_ports, ATTEMPTS)
    found = [port for port in ports(listing) if all(map(_is_id, (port.id, port.server, port.network)))]
    if not found:
        said = f"{chosen.network}/ports shows no port of a server: {listing.outcome}"
        if listing.status == 401:
            said = f"the token in {URL_CREDENTIALS['token']} is refused at {chosen.network}: {listing.outcome}"
        return [], f"{said}; the servers are placeholders: fill them in"
    servers = {port.server for port in found}
    return found, f"{len(servers)} servers of the tenant were found; which of them to use is your choice"


def _is_id(text: str) -> bool:
    """Fit to stand in a description: a target can answer anything."""
    return bool(jsonschema_rs.is_valid(_schema()["properties"]["resources"]["properties"]["network_id"], text))


def _servers_by_network(found: Iterable[ServerPort]) -> dict[str, set[str]]:
    networks: dict[str, set[str]] = {}
    for port in found:
        networks.setdefault(port.network, set()).add(port.server)
    return networks


def _likeliest(found: Iterable[ServerPort]) -> str:
    """The public network if two servers are on it, else that with the most servers."""
    networks = _servers_by_network(found)
    if len(networks.get(PUBLIC_NETWORK, ())) >= len(PLACEHOLDER_SERVERS) or not networks:
        return PUBLIC_NETWORK
    return max(sorted(networks), key=lambda network: len(networks[network]))


# -- the text ----------------------------------------------------------------------------------------------------------


def _lines(given: Given, found: list[ServerPort], network: str) -> Lines:
    """The choice that was made among what was found, and what else there is to choose."""
    servers = by_server(found, network)
    used = dict(list(servers.items())[:MOST_SERVERS])
    listed = [
        f"{'' if server in used else '#'}  - {_yaml(server)}  # its port there is {_yaml(port)}"
        for server, port in servers.items()
    ]
    missing = [f"  - {_yaml(server)}  # a placeholder" for server in PLACEHOLDER_SERVERS[len(servers) :]]
    others = [
        f"#network_id: {_yaml(other)}  # {len(on_it)} of the tenant's servers have a port there"
        for other, on_it in sorted(_servers_by_network(found).items())
        if other != network
    ]
    return Lines(
        {
            "resources.servers": ("servers:", *listed, *missing),
            "resources.network_id": (f"network_id: {_yaml(network)}", *others),
        },
        {
            "network": given.compute,
            "resources.ports": used or {PLACEHOLDER_SERVERS[0]: "PORT-ID"},
            **{f"auth.{key}": f"env:{name}" for key, name in URL_CREDENTIALS.items()},
        },
    )


def _text(document: Mapping[str, Any], lines: Lines) -> str:
    return "\n".join([HEADER, *_mapping(_schema(), document, lines, "")])


def _mapping(schema: Mapping[str, Any], document: Mapping[str, Any], lines: Lines, path: str) -> Iterator[str]:
    indent = "  " * path.count(".")
    for key, about in schema["properties"].items():
        yield from (f"{indent}# {line}" for line in textwrap.wrap(about.get("description", ""), WIDTH))
        place = f"{path}{key}"
        if place in lines.instead:
            yield from (f"{indent}{line}" for line in lines.instead[place])
        elif key not in document:
            yield from (f"{indent}#{line}" for line in _example(key, about, lines.examples.get(place)))
        elif "properties" in about:
            yield f"{indent}{key}:"
            yield from _mapping(about, document[key], lines, f"{place}.")
        else:
            yield f"{indent}{key}: {_yaml(document[key])}"
        if not path:
            yield ""  # an empty line between two keys, and the end of the last line


def _example(key: str, about: Mapping[str, Any], told: Any) -> Iterator[str]:
    """A key that is not in force, with the value that it could have."""
    if "properties" in about:
        yield f"{key}:"
        for inner, more in about["properties"].items():
            yield from (f"  # {line}" for line in textwrap.wrap(more.get("description", ""), WIDTH))
            yield from (f"  {line}" for line in _example(inner, more, None))
    else:
        value = told if told is not None else about.get("default", next(iter(about.get("examples", ())), None))
        yield f"{key}: {'...' if value is None else _yaml(value)}"


def _yaml(value: Any) -> str:
    """A value on one line of a description, quoted where it must be."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    written: str = yaml.safe_dump(whole, default_flow_style=True, width=float("inf"), sort_keys=False)
    return written.removesuffix("...\n").strip()


def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SPEC / "target.schema.json").read_text(encoding="utf-8"))
    return schema

"""A target as it is described, checked and complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.identity import Cloud, Tls
from conformance.target.secrets import Secret

PUBLIC_NETWORK = "00000000-0000-0000-0000-000000000000"
CLOUDS = {"cloud": "full", "from_env": "full", "restricted_cloud": "restricted", "foreign_cloud": "foreign"}
"""Keys of ``auth`` that say how to get a token -> the same."""

MOST_SERVERS = 4
"""More servers than this make no case richer; the rest of the list is left alone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the suite may ask of the target.

    Attributes:
        connections: requests of one process that may be under way at once, where their order is not what is tried.
    """

    requests_per_second: float | None = None
    max_addresses: int = 2
    connections: int = 8
    timeout_seconds: float = 30.0
    run_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What the target's owner declares (spec/README.md, decisions 5, 6 and 21)."""

    request_body: str = "refuse"
    settle_seconds: float = 5.0
    tenant: str = "shared"


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
        foreign_servers: those of another tenant that a write may name (decision 8).
    """

    name: str
    compute: str
    network: str
    tokens: Mapping[str, Secret]
    servers: tuple[str, ...] = ()
    network_id: str = PUBLIC_NETWORK
    ports: Mapping[str, str] = field(default_factory=dict)
    foreign_servers: tuple[str, ...] = ()
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
            "foreign_servers": tuple(described["foreign_servers"]),
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
    whole = {name: int(given[name]) for name in ("max_addresses", "connections") if name in given}  # YAML may say 2.0
    return Limits(**given | whole)

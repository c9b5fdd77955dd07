"""Getting in: tokens from identity services, and URLs from the service catalogue."""

from __future__ import annotations

from dataclasses import replace

from conformance.identity import Identity
from conformance.target import VERSIONS, Secret, Target, catalogued_root


def signed_in(target: Target) -> Target:
    """The target with a token of each of its clouds, and with the URLs that are left to the service catalogue.

    Raises:
        UsageError: the catalogue has no such endpoint, or several; the message names the key that chooses.
        Unreachable: an identity service cannot be talked to, or gives no token.
    """
    tokens, roots = dict(target.tokens), {"compute": target.compute, "network": target.network}
    for name, cloud in target.clouds.items():
        identity = Identity(cloud, target.limits.timeout_seconds)
        tokens[name] = Secret(identity.login())
        for service in [service for service, root in roots.items() if name == "full" and not root]:
            roots[service] = catalogued_root(identity.endpoint(service), VERSIONS[service])
    return replace(target, tokens=tokens, compute=roots["compute"], network=roots["network"])

"""The identity service of a cloud: tokens, whether one is still good, and the catalogue's endpoints.

keystoneauth does the talking. It follows no redirect here, since a password or a token would go along.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from conformance.errors import Unreachable, UsageError
from conformance.evidence import TOKEN_HEADER, Redactor
from conformance.identity.clouds import Cloud

LONGEST = 300
UNAUTHORISED = frozenset({401, 404})
"""What an identity service answers about a token that is none any more: 401 for the asking token, 404 for the other."""

V3 = re.compile(r"/v3/?$")
NO_KNOWN_SHAPE = (ValueError, LookupError, TypeError, AttributeError, OSError)
"""What the libraries raise on an answer that is none of an identity service."""

# What keystoneauth logs of requests and answers has not passed redaction.
logging.getLogger("keystoneauth").setLevel(logging.CRITICAL + 1)


class Identity:
    """Speaks to the identity service of one cloud. It holds one token at a time and is no matter for two threads."""

    def __init__(self, cloud: Cloud, timeout_seconds: float) -> None:
        from keystoneauth1 import loading, session  # noqa: PLC0415  # an extra of the package

        self._cloud = cloud
        self._plugin: Any = loading.get_plugin_loader(cloud.plugin).load_from_options(**cloud.options)
        self._session = session.Session(
            auth=self._plugin,
            verify=cloud.tls.verify,
            cert=cloud.tls.cert,
            timeout=timeout_seconds,
            redirect=False,
            app_name="ip-association-conformance",
        )

    @property
    def place(self) -> str:
        """Where the service is, without a user name."""
        parts = urlsplit(str(self._cloud.options.get("auth_url", "")))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def login(self) -> str:
        """A new token.

        Raises:
            Unreachable: the service does not answer, refuses, or gives none that a header can carry.
        """
        with self._explained():
            self._plugin.invalidate()
            token = self._plugin.get_token(self._session) or ""
        if not token or not token.isascii() or not token.isprintable():
            raise Unreachable(f"{self._cloud.words} gives no token", f"its way to authenticate is {self._cloud.plugin}")
        return str(token)

    def honours(self, token: str) -> bool | None:
        """Whether the service stands by the token that it gave; None when it does not say.

        A token that is good now was good a moment ago: whoever refused it then was wrong.
        """
        status = self._asked(token)
        if status in UNAUTHORISED:
            return False
        if status == 200:
            return True
        issued: Any = getattr(self._plugin, "auth_ref", None)
        mine = issued is not None and issued.auth_token == token
        return False if mine and issued.will_expire_soon(stale_duration=0) else None

    def _asked(self, token: str) -> int | None:
        """What the service answers when the token asks about itself (Identity API v3, "validate and show")."""
        from keystoneauth1 import exceptions, plugin  # noqa: PLC0415  # an extra of the package

        with contextlib.suppress(exceptions.ClientException, *NO_KNOWN_SHAPE):
            root = self._plugin.get_endpoint(self._session, interface=plugin.AUTH_INTERFACE, version=(3, 0)) or ""
            if V3.search(root):  # v2.0 has no such question
                answer = self._session.get(
                    f"{root.rstrip('/')}/auth/tokens?nocatalog",
                    headers={TOKEN_HEADER: token, "X-Subject-Token": token},
                    authenticated=False,
                    raise_exc=False,
                    log=False,
                )
                return int(answer.status_code)
        return None

    def endpoint(self, service: str) -> str:
        """The URL of a service, as the configuration or else the catalogue of the token states it.

        Raises:
            UsageError: there is none, or several regions have one and none was named; the message names the key.
        """
        if service in self._cloud.endpoints:
            return self._cloud.endpoints[service]
        found = self._catalogued(service)
        regions = ", ".join(sorted({str(region) for region, _ in found}))
        region = self._cloud.region
        urls = {url for place, url in found if region in {None, place}}
        what = f"the catalogue of {self._cloud.words} has"
        expected = f"expected one of {regions}"
        if not found:
            raise UsageError(f"auth.interface: {what} no {self._cloud.interface} endpoint of {service}{OR_STATED}")
        if not urls:
            raise UsageError(f"auth.region: {what} no {service} in the region {region}; {expected}")
        if len(urls) > 1:
            raise UsageError(f"auth.region: {what} several endpoints of {service}; {expected}{OR_STATED}")
        return str(urls.pop())

    def _catalogued(self, service: str) -> list[tuple[str | None, str]]:
        """Region and URL of every endpoint of the service that the interface has."""
        issued = getattr(self._plugin, "auth_ref", None)
        if issued is None or not issued.has_service_catalog():
            return []
        rows = issued.service_catalog.get_endpoints_data(service_type=service, interface=self._cloud.interface)
        return [(data.region_name, data.url) for endpoints in rows.values() for data in endpoints if data.url]

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """What the libraries raise, said so that a reader knows what to do, without a secret."""
        from keystoneauth1 import exceptions  # noqa: PLC0415  # an extra of the package

        who = f"the identity service of {self._cloud.words} at {self.place}"
        try:
            yield
        except (exceptions.Unauthorized, exceptions.Forbidden) as error:
            said = f"{who} refuses the credentials: {self._said(error)}"
            raise Unreachable(said, "are user, password or key, project and domain right?") from None
        except (exceptions.ConnectionError, exceptions.DiscoveryFailure) as error:
            said = f"{who} cannot be reached: {self._said(error)}"
            raise Unreachable(said, "is the URL right, and the service up?") from None
        except exceptions.ClientException as error:
            raise Unreachable(f"{who} gives no token: {self._said(error)}") from None
        except NO_KNOWN_SHAPE as error:
            raise Unreachable(
                f"{who} is not understood: {type(error).__name__}", "is that an identity service?"
            ) from None

    def _said(self, error: Exception) -> str:
        clean = Redactor(self._cloud.secrets).text(str(error))
        line = " ".join("".join(one if one.isprintable() else " " for one in clean).split())
        return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."


OR_STATED = ", or compute and network stated in the description"

"""The API's operations, one method each, named as the OpenAPI document names them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

from conformance.client import paging, proxies
from conformance.client.breaker import Breaker
from conformance.client.callers import Callers
from conformance.client.keyring import Keyring
from conformance.client.outgoing import CHUNK_BYTES, Outgoing
from conformance.client.pace import Pacer
from conformance.client.session import Session
from conformance.client.stopwatch import Stopwatch
from conformance.evidence import TOKEN_HEADER, VARIABLES, Exchange, Recorder, Redactor
from conformance.target import Target

EMPTY_ASSOCIATION: dict[str, Any] = {"ip_association": {}}
ASSOCIATED = frozenset({200, 201})
ASKS_FOR_A_BODY = frozenset({400, 411, 415, 422})
UNAUTHORISED = 401

T = TypeVar("T")

ON_THE_ADDRESS = " on the address"
"""How the name of an operation ends that nobody documents, and that is asked of an address; its method comes before."""


class Client:
    """Speaks to one target with its credentials.

    A method sends one request, or says why it sends another; any sends a second if its token turns out to have ended.
    """

    def __init__(self, target: Target, recorder: Recorder, pacer: Pacer) -> None:
        self.target = target
        self.recorder = recorder
        self.redactor = Redactor([*target.secrets, *proxies.secrets(os.environ)])
        self.keyring = Keyring(target, self.redactor)
        self.pacer = pacer
        self.stopwatch = Stopwatch()
        limits = target.limits
        breaker = Breaker((target.compute, target.network))
        self._session = Session(
            recorder, self.redactor, pacer, self.stopwatch, breaker, limits.timeout_seconds, target.tls
        )
        self._callers = Callers(
            lambda: self._session.latency, limits.requests_per_second, limits.timeout_seconds, limits.connections
        )
        self._association_body: dict[str, Any] | None = None
        self._associates = False
        self.incomplete: set[str] = set()
        """Sentences about lists that could not be read to their end."""
        self.unusable: set[str] = set()
        """Servers, in words, that the target named by an ID which may not stand in a path."""

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """What each call gives, in their order: as many at once as is worth it, of a target that takes its time."""
        return self._callers.each(calls)

    def remove(
        self,
        server: str,
        address: str,
        *,
        method: str = "DELETE",
        operation: str = "",
        credential: str | None = "full",
        headers: Mapping[str, str | None] | None = None,
        shown: Mapping[str, str] | None = None,
        query: str = "",
        body: bytes | None = None,
        framing: str = "none",
        chunk_bytes: int = CHUNK_BYTES,
        raw: bool = False,
        segment: str | None = None,
        lower_case: bool = False,
    ) -> Exchange:
        """The operation under test, or a request that could be taken for it.

        Args:
            server: the server's ID.
            address: what stands for ``{IPAddressID}``.
            method: another method on the same path.
            operation: what evidence calls that, if it is an operation of its own.
            credential: full, restricted, foreign; None sends no token of the target's.
            headers: fields beside the token's; they win over it. None leaves out one that is sent otherwise.
            shown: field name -> what evidence shows instead of its value.
            query: appended after a question mark.
            body: content; ``framing`` says how its length is told.
            framing: none, content-length or chunked.
            chunk_bytes: how large the chunks of a chunked body are at most.
            raw: ``address`` is percent-encoded already.
            segment: what stands for ``{serverID}``, percent-encoded already, in place of ``server``.
            lower_case: the names of the fields go out in lower case.
        """
        last = address if raw else quote(address, safe="")
        first = quote(server, safe="") if segment is None else segment
        path = f"servers/{first}/ip_associations/{last}"
        url = f"{self.target.compute}/{path}{f'?{query}' if query else ''}"
        name = operation or ("removeAssociation" if method == "DELETE" else f"{method} on the association")
        content: dict[str, Any] = {"body": body, "framing": framing, "chunk_bytes": chunk_bytes}
        content |= {"removal": method == "DELETE", "lower_case": lower_case}
        return self._send(name, method, url, credential, headers, shown, **content)

    def again(
        self,
        *,
        operation: str,
        method: str,
        url: str,
        shown_url: str,
        credential: str,
        headers: Mapping[str, str | None],
        fill: Callable[[str], str],
        body: bytes | None,
        framing: str,
    ) -> Exchange:
        """Send a recorded request once more, byte for byte.

        Args:
            headers: as evidence shows them; ``fill`` puts in the secrets that their shell expressions stand for. None
                leaves out one that would be sent otherwise.
            shown_url: as ``url``, with shell expressions in place of secrets.
        """
        sent = {name: value if value is None else fill(value) for name, value in headers.items()}
        return self._session.send(
            Outgoing(
                operation=operation,
                method=method,
                url=url,
                credential=credential,
                headers=sent,
                shown={name: value for name, value in headers.items() if value is not None and value != sent[name]},
                shown_url=shown_url,
                body=body,
                framing=framing,
                removal=operation == "removeAssociation",
            )
        )

    def list_associations(self, server: str, credential: str = "full") -> Exchange:
        """GET the associations of a server."""
        return self._list("listAssociations", self._associations(server), credential, "ip_associations")

    def show_association(self, server: str, address: str, credential: str = "full") -> Exchange:
        """GET one association."""
        return self._send("showAssociation", "GET", self._association(server, address), credential)

    def associate(self, server: str, address: str, credential: str = "full") -> Exchange:
        """PUT an association; idempotent.

        No body is documented, but clients in the field send an empty association. A target that has not associated
        anything yet and refuses the request without a body gets it once more with that one, and from then on so if it
        is content with it.
        """
        exchange = self._associate(server, address, credential, self._association_body)
        if not self._associates and exchange.status in ASKS_FOR_A_BODY:
            again = self._associate(server, address, credential, EMPTY_ASSOCIATION)
            if again.status in ASSOCIATED:
                exchange, self._association_body = again, EMPTY_ASSOCIATION
        self._associates = self._associates or exchange.status in ASSOCIATED
        return exchange

    @property
    def association_content(self) -> dict[str, Any]:
        """What content the target wants for an association, and how it is sent; nothing where it wants none."""
        if self._association_body is None:
            return {}
        body = json.dumps(self._association_body).encode()
        return {"body": body, "framing": "content-length", "headers": {"Content-Type": "application/json"}}

    def _associate(self, server: str, address: str, credential: str, document: dict[str, Any] | None) -> Exchange:
        url = self._association(server, address)
        if document is None:
            return self._send("associate", "PUT", url, credential)
        return self._send_json("associate", "PUT", url, credential, document)

    def associate_as(
        self,
        server: str,
        address: str,
        *,
        upper: bool = False,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Exchange:
        """PUT an association in another wording; ``upper``: with the ID in upper case."""
        url = self._association(server, address.upper() if upper else address)
        framing = "content-length" if body is not None else "none"
        return self._send("associate", "PUT", url, "full", headers, {}, body, framing)

    def list_addresses(self, credential: str = "full") -> Exchange:
        """GET the tenant's addresses."""
        return self._list("listAddresses", f"{self.target.network}/ip_addresses", credential, "ip_addresses")

    def show_address(self, address: str, credential: str = "full") -> Exchange:
        """GET one address."""
        return self._send("showAddress", "GET", self._address(address), credential)

    def allocate_address(self, version: int, ports: tuple[str, ...]) -> Exchange:
        """POST a new address for these ports; two or more make it shared."""
        wanted = {"network_id": self.target.network_id, "version": version, "port_ids": list(ports)}
        url = f"{self.target.network}/ip_addresses"
        return self._send_json("allocateAddress", "POST", url, "full", {"ip_address": wanted})

    def update_address(self, address: str, ports: tuple[str, ...], credential: str = "full") -> Exchange:
        """PUT the ports of an address; none de-allocates it."""
        wanted = {"ip_address": {"port_ids": list(ports)}}
        return self._send_json("updateAddress", "PUT", self._address(address), credential, wanted)

    def deallocate_address(self, address: str, credential: str = "full") -> Exchange:
        """DELETE an address."""
        return self._send("deallocateAddress", "DELETE", self._address(address), credential)

    def change_address(
        self,
        address: str,
        method: str,
        *,
        credential: str = "full",
        suffix: str = "",
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        framing: str = "content-length",
    ) -> Exchange:
        """Another wording of a request that may de-allocate an address.

        Args:
            suffix: appended to the ID in the path.
            query: appended after a question mark.
        """
        operation = {"DELETE": "deallocateAddress", "PUT": "updateAddress"}.get(method, f"{method}{ON_THE_ADDRESS}")
        url = f"{self._address(address)}{suffix}{f'?{query}' if query else ''}"
        framed = framing if body is not None else "none"
        return self._send(operation, method, url, credential, headers, {}, body, framed)

    def list_ports(self, server: str | None = None) -> Exchange:
        """GET the ports of a server, or of the tenant."""
        query = f"?device_id={quote(server, safe='')}" if server is not None else ""
        return self._list("listPorts", f"{self.target.network}/ports{query}", "full", "ports")

    def certificate_ends(self, url: str) -> float | None:
        """When the certificate that this thread was shown at ``url`` ends, seconds since the epoch; None for none."""
        return self._session.certificate_ends(url)

    def _associations(self, server: str) -> str:
        return f"{self.target.compute}/servers/{quote(server, safe='')}/ip_associations"

    def _association(self, server: str, address: str) -> str:
        return f"{self._associations(server)}/{quote(address, safe='')}"

    def _address(self, address: str) -> str:
        return f"{self.target.network}/ip_addresses/{quote(address, safe='')}"

    def _list(self, operation: str, url: str, credential: str, name: str) -> Exchange:
        """A list with all its pages: the exchange of the first one, with the rows of all (:mod:`paging`)."""
        first = self._send(operation, "GET", url, credential)
        exchange = paging.whole(first, url, name, lambda page: self._send(operation, "GET", page, credential))
        if paging.incomplete(exchange, name):
            self.incomplete.add(f"the list {name} has more pages than could be read; what they hold is not known")
        return exchange

    def _without_tokens(self, url: str) -> str:
        """The URL with variables in place of tokens, where the shell would put in just what was sent."""
        for name, token in self.keyring.tokens.items():
            if quote(token, safe="") == token:
                url = url.replace(token, f"${{{VARIABLES[name]}}}")
        return url

    def _send_json(self, operation: str, method: str, url: str, credential: str, document: Any) -> Exchange:
        headers: dict[str, str | None] = {"Content-Type": "application/json"}
        body = json.dumps(document).encode()
        return self._send(operation, method, url, credential, headers, {}, body, "content-length")

    def _send(
        self,
        operation: str,
        method: str,
        url: str,
        credential: str | None,
        headers: Mapping[str, str | None] | None = None,
        shown: Mapping[str, str] | None = None,
        body: bytes | None = None,
        framing: str = "none",
        *,
        chunk_bytes: int = CHUNK_BYTES,
        removal: bool = False,
        lower_case: bool = False,
    ) -> Exchange:
        token = self.keyring.tokens[credential] if credential else None
        own = {TOKEN_HEADER: str(token)} if token else {}
        sent: dict[str, str | None] = {"Accept": "application/json", **own, **(headers or {})}
        intact = bool(token) and sent[TOKEN_HEADER] == token
        variable = {TOKEN_HEADER: f"${VARIABLES[credential]}"} if credential and intact else {}
        spelt = str.lower if lower_case else str
        outgoing = Outgoing(
            operation=operation,
            method=method,
            url=url,
            credential=credential or ("made up" if TOKEN_HEADER in sent else "none"),
            headers={spelt(name): value for name, value in sent.items()},
            shown={spelt(name): value for name, value in {**variable, **(shown or {})}.items() if name in sent},
            shown_url=self._without_tokens(url),
            body=body,
            framing=framing,
            chunk_bytes=chunk_bytes,
            removal=removal,
        )
        exchange = self._session.send(outgoing)
        if exchange.status != UNAUTHORISED or not credential or not token or not intact:
            return exchange
        fresh = self.keyring.renewed(credential, token)
        if not fresh:
            return exchange
        return self._session.send(replace(outgoing, headers={**outgoing.headers, spelt(TOKEN_HEADER): str(fresh)}))

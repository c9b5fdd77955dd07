"""How a de-allocation may be worded: the rule holds for whatever makes a target de-allocate an address (decision 20).

Of the two wordings of the page the answer is judged as well, of the others the effect alone: if address, ports and
associations stay, any answer is lawful. Replacing the ports by others is outside the rule (decision 9): of a wording
that names ports, which a target may drop, only whether the address or an association goes is judged. A path without
the address's ID never goes out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Wording:
    """A request that a target may take for a de-allocation.

    Attributes:
        kind: its class; it goes into fingerprints.
        clause: what is broken if it is granted while an association exists.
        judged: the page names it, so that it has to be refused.
        upper: the ID goes out in upper case.
        variation: further arguments of :meth:`conformance.client.Client.change_address`.
        as_shown: the document repeats all that the address shows, but for its ports.
        replaces: it names ports, by which a target may lawfully replace those of the address (decision 9).
    """

    kind: str
    method: str
    clause: str
    judged: bool = False
    upper: bool = False
    variation: Mapping[str, Any] = field(default_factory=dict)
    as_shown: bool = False
    replaces: bool = False

    def worded(self, shown: Mapping[str, str]) -> Mapping[str, Any]:
        """Its variation for an address that shows these members."""
        if not self.as_shown:
            return self.variation
        return {**self.variation, "body": json.dumps({"ip_address": {**shown, "port_ids": []}}).encode()}

    def spelt(self, address: str) -> str:
        """The ID as it goes out."""
        return address.upper() if self.upper else address


def _delete(kind: str, **settings: Any) -> Wording:
    return Wording(kind, "DELETE", "deallocation.delete-refused", **settings)


def _put(kind: str, document: Any, *, method: str = "PUT", **settings: Any) -> Wording:
    variation = {"headers": JSON, "body": json.dumps(document).encode(), **settings.pop("variation", {})}
    return Wording(kind, method, "deallocation.put-refused", variation=variation, **settings)


def _encoded(kind: str, media_type: str, body: bytes, *, method: str = "PUT") -> Wording:
    """No ports, in another encoding."""
    variation = {"headers": {"Content-Type": media_type}, "body": body}
    return Wording(kind, method, "deallocation.put-refused", variation=variation)


MADE_UP = str(UUID("3f7c1f0e-52a9-4d6b-8c1d-0e9b7a6f5d24"))
"""The ID of no port."""

OVERRIDES = {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE"}
NO_PORTS: dict[str, Any] = {"ip_address": {"port_ids": []}}


def wordings() -> tuple[Wording, ...]:
    """The two of the page first."""
    return (
        _delete("DELETE", judged=True),
        _put("PUT of an empty list", NO_PORTS, judged=True),
        # The field's Python clients (CONTRACT, section 2).
        _put("PUT of an empty address", {"ip_address": {}}),
        _put("PUT of null ports", {"ip_address": {"port_ids": None}}),
        _put("PUT of no address", {}),
        # What drops the ports that it cannot use may be left with none.
        _put("PUT of a port that nobody has", {"ip_address": {"port_ids": [MADE_UP]}}, replaces=True),
        _put("PUT of ports that are none", {"ip_address": {"port_ids": ["", None, "none"]}}, replaces=True),
        _put("PUT of ports as text", {"ip_address": {"port_ids": ""}}),
        _put("PUT of ports as an object", {"ip_address": {"port_ids": {}}}),
        _put("PUT of an address that is null", {"ip_address": None}),
        _put("PUT of ports outside the address", {"port_ids": []}),
        _put("PUT of an empty list with other members", {"ip_address": {"port_ids": [], "version": 4}}),
        _put("PUT of an empty list with all that is shown", NO_PORTS, as_shown=True),
        _put("PUT of an empty list, chunked", NO_PORTS, variation={"framing": "chunked"}),
        _put("PUT of an empty list without a media type", NO_PORTS, variation={"headers": {}}),
        _put("PUT with the ID in upper case", NO_PORTS, upper=True),
        _put("PUT with .json", NO_PORTS, variation={"suffix": ".json"}),
        _put("PUT with a query", NO_PORTS, variation={"query": "force=true"}),
        _encoded("PUT of an empty list as a form", "application/x-www-form-urlencoded", b"port_ids="),
        _put("PATCH of an empty list", NO_PORTS, method="PATCH"),
        _encoded(
            "PATCH of an empty list as a merge",
            "application/merge-patch+json",
            json.dumps(NO_PORTS).encode(),
            method="PATCH",
        ),
        _encoded(
            "PATCH that replaces the ports",
            "application/json-patch+json",
            json.dumps([{"op": "replace", "path": "/ip_address/port_ids", "value": []}]).encode(),
            method="PATCH",
        ),
        _put("POST of an empty list", NO_PORTS, method="POST"),
        _delete("DELETE with the ID in upper case", upper=True),
        _delete("DELETE with .json", variation={"suffix": ".json"}),
        _delete("DELETE with a slash at the end", variation={"suffix": "/"}),
        _delete("DELETE with force in the query", variation={"query": "force=true"}),
        _delete("DELETE with cascade in the query", variation={"query": "cascade=true&purge=1"}),
        _delete("DELETE with a body", variation={"headers": JSON, "body": b'{"force": true}'}),
        _delete("DELETE with Content-Length: 0", variation={"body": b""}),
        _delete("DELETE with a condition", variation={"headers": {"If-Match": "*"}}),
        _delete("DELETE that accepts anything", variation={"headers": {"Accept": "*/*", "Connection": "close"}}),
        *(
            Wording(
                f"{method} with an override",
                method,
                "deallocation.delete-refused",
                variation={"headers": OVERRIDES, "query": "_method=DELETE"},
            )
            for method in ("POST", "GET", "PUT")
        ),
    )


def associating() -> Mapping[str, Mapping[str, Any]]:
    """How an association may be made: kind -> arguments of :meth:`conformance.client.Client.associate_as`."""
    return {
        "PUT": {},
        "PUT of an empty association": {"headers": JSON, "body": b'{"ip_association": {}}'},
        "PUT with Content-Length: 0": {"body": b""},
        "PUT with the ID in upper case": {"upper": True},
    }

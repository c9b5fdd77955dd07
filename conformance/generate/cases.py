"""Requests to the operation as Schemathesis derives them from the OpenAPI document, valid and not.

A generated ID never is that of an association that exists. So a part of the cases gets the server, the address or
both of an existing association in place of what was generated: only those can reach one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_to_bytes

from conformance import openapi

if TYPE_CHECKING:
    import schemathesis
    from hypothesis import strategies as st

LONGEST_SEGMENT_BYTES = 255

FRAMING = frozenset({"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect"})
"""Fields that belong to the connection, not to the request: a generated one would speak to an intermediary."""


@dataclass(frozen=True, slots=True)
class GeneratedRequest:
    """A request to the operation. None in place of the server or address: those of the existing association.

    ``server`` and ``address`` are percent-encoded.
    """

    server: str | None
    address: str | None
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""

    @property
    def reaches(self) -> bool:
        """It addresses the existing association."""
        return self.server is None and self.address is None

    @property
    def plain(self) -> bool:
        """Nothing was added to a bare removal."""
        return self.reaches and not self.headers and not self.query

    def __str__(self) -> str:
        extras = [f"{name}: {value}" for name, value in self.headers] + ([f"?{self.query}"] if self.query else [])
        return (
            f"server {'that exists' if self.server is None else self.server!r}, "
            f"address {'that is associated' if self.address is None else self.address!r}"
            + (f", {', '.join(extras)}" if extras else "")
        )


def requests() -> st.SearchStrategy[GeneratedRequest]:
    """Requests from valid and invalid data; in about half of them an existing association is addressed."""
    import schemathesis  # noqa: PLC0415  # only when something is generated
    from hypothesis import strategies as st  # noqa: PLC0415

    return st.builds(
        _placed,
        st.one_of([_cases(mode) for mode in schemathesis.GenerationMode]),
        st.sampled_from([(True, True), (True, True), (True, False), (False, True), (False, False)]),
    ).filter(lambda request: not request.plain and _addresses_the_operation(request))


@cache
def _operation() -> Any:
    stated = openapi.operation()
    return openapi.schemathesis_schema()[stated.path][stated.method]


def _cases(mode: schemathesis.GenerationMode) -> st.SearchStrategy[schemathesis.Case[Any]]:
    cases: st.SearchStrategy[schemathesis.Case[Any]] = _operation().as_strategy(generation_mode=mode)
    return cases


def _placed(case: schemathesis.Case[Any], existing: tuple[bool, bool]) -> GeneratedRequest:
    server, address = existing
    return GeneratedRequest(
        server=None if server else str(case.path_parameters.get("serverID", "")),
        address=None if address else str(case.path_parameters.get("IPAddressID", "")),
        headers=tuple(sorted((name, value) for name, value in case.headers.items() if _sendable(name, value))),
        query="&".join(f"{quote(str(name))}={quote(str(value))}" for name, value in case.query.items()),
    )


def _sendable(name: str, value: object) -> bool:
    """The field says nothing of the credential, the connection or the body, and any HTTP stack can carry it."""
    ours = name.lower() in FRAMING or name.lower() in {"x-auth-token", "accept", "cookie"}
    legal = name.isascii() and name.replace("-", "").isalnum()
    return legal and not ours and isinstance(value, str) and value.isascii() and value.isprintable()


def _addresses_the_operation(generated: GeneratedRequest) -> bool:
    return all(segment is None or addressable(segment) for segment in (generated.server, generated.address))


def addressable(segment: str) -> bool:
    """A percent-encoded segment leaves the request one to the operation (spec/README.md, decision 7)."""
    raw = unquote_to_bytes(segment)
    if not raw or len(segment) > LONGEST_SEGMENT_BYTES or raw in {b".", b".."}:
        return False
    text = raw.decode("utf-8", "replace")
    return not any(character in "/\\" or not character.isprintable() for character in text)

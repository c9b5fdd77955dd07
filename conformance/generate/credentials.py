"""Tokens that are none: what a caller without a right may send in place of the token.

Forms of the real token are needed, since a careless check accepts just those: its beginning, its other case, the
token in another place. Evidence shows them as shell expressions over the variable that holds the token.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

HEADER = "X-Auth-Token"
VARIABLE = "CONFORMANCE_TOKEN"
LONG = 2048


@dataclass(frozen=True, slots=True)
class Credential:
    """A wrong way to authenticate: the fields and the query to send, and what evidence shows of the fields."""

    words: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    shown: dict[str, str] = field(default_factory=dict)
    query: str = field(default="", repr=False)

    def variation(self) -> dict[str, Any]:
        """The arguments of a removal that authenticates so."""
        return {"credential": None, "headers": self.headers, "shown": self.shown, "query": self.query}


def unauthenticated(token: str) -> list[Credential]:
    """Every way in which a request can come without a valid token, the plainest first."""
    made_up = "0123456789abcdef0123456789abcdef"
    plain = [
        Credential("no token"),
        _in_header("an empty token", "", ""),
        _in_header("a blank token", " ", " "),
        _in_header("an unknown token", made_up, made_up),
        _in_header("a malformed token", "<token>", "<token>"),
        _in_header("a long token", "x" * LONG, "x" * LONG),
        _in_header("the token with a character more", f"{token}x", f"${{{VARIABLE}}}x"),
        _in_header("the token without its last character", token[:-1], f"${{{VARIABLE}%?}}"),
        _in_header("the first half of the token", token[: len(token) // 2], f"${{{VARIABLE}:0:{len(token) // 2}}}"),
        _in_header("the token twice, as a list", f"{token}, {token}", f"${VARIABLE}, ${VARIABLE}"),
        Credential(
            "the token as a bearer", {"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer ${VARIABLE}"}
        ),
        Credential("the token in the query", query=f"{HEADER}={quote(token, safe='')}"),
    ]
    other_case = token.swapcase()
    if other_case != token:
        plain.insert(8, _in_header("the token in the other case", other_case, f"${{{VARIABLE}~~}}"))
    return plain


def _in_header(words: str, value: str, shown: str) -> Credential:
    return Credential(words, {HEADER: value}, {HEADER: shown})

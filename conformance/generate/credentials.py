"""Tokens that are none: what a caller without a right may send in place of the token.

Forms of the real token are needed, since a careless check accepts just those: its beginning, its other case, the
token in another place. Evidence shows them as shell expressions over the variable that holds the token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

HEADER = "X-Auth-Token"
VARIABLE = "CONFORMANCE_TOKEN"
LONG = 2048
Form = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Credential:
    """A wrong way to authenticate.

    It is made from the valid token when it is about to be sent: that may have been renewed since the table was read.

    Attributes:
        form: valid token -> what is sent.
        shown: valid token -> what evidence shows of it.
        place: the field, or ``query``; empty for nothing at all.
    """

    words: str
    form: Form = str
    shown: Form = str
    place: str = HEADER

    def variation(self, token: str) -> dict[str, Any]:
        """The arguments of a removal that authenticates so, while ``token`` is the valid one."""
        named = self.place not in {"", "query"}
        return {
            "credential": None,
            "headers": {self.place: self.form(token)} if named else {},
            "shown": {self.place: self.shown(token)} if named else {},
            "query": f"{HEADER}={quote(self.form(token), safe='')}" if self.place == "query" else "",
        }


def unauthenticated(token: str) -> list[Credential]:
    """Every way in which a request can come without a valid token, the plainest first; ``token`` is a valid one."""
    forms = [
        Credential("no token", place=""),
        _made_up("an empty token", ""),
        _made_up("a blank token", " "),
        _made_up("an unknown token", "0123456789abcdef0123456789abcdef"),
        _made_up("a malformed token", "<token>"),
        _made_up("a long token", "x" * LONG),
        Credential("the token with a character more", lambda real: f"{real}x", lambda _: f"${{{VARIABLE}}}x"),
        Credential("the token without its last character", lambda real: real[:-1], lambda _: f"${{{VARIABLE}%?}}"),
        Credential("the token in the other case", str.swapcase, lambda _: f"${{{VARIABLE}~~}}"),
        Credential(
            "the first half of the token",
            lambda real: real[: len(real) // 2],
            lambda real: f"${{{VARIABLE}:0:{len(real) // 2}}}",
        ),
        Credential("the token twice, as a list", lambda real: f"{real}, {real}", lambda _: f"${VARIABLE}, ${VARIABLE}"),
        Credential(
            "the token as a bearer", lambda real: f"Bearer {real}", lambda _: f"Bearer ${VARIABLE}", "Authorization"
        ),
        Credential("the token in the query", place="query"),
    ]
    return [one for one in forms if one.place != HEADER or one.form(token) != token]


def _made_up(words: str, value: str) -> Credential:
    return Credential(words, lambda _: value, lambda _: value)

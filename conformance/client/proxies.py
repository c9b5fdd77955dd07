"""Credentials of proxies that the environment names: no output may show them, however oddly they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

VARIABLE = re.compile(r"\w+_proxy", re.IGNORECASE)
ENDS_A_NAME = re.compile(r"[/?#@\\\s]")
"""Where whoever reads such a URL may take the user's part for ended."""

SHORTEST = 4
"""A shorter piece of a password could be any word."""


def secrets(environment: Mapping[str, str]) -> Iterator[str]:
    """The passwords, whole and as far as a reader gets, who stops at a character that should have been encoded."""
    for name, value in environment.items():
        said = re.sub(r"^\w+://", "", value.strip()).rpartition("@")[0]
        if VARIABLE.fullmatch(name) and said:
            yield from _of(said)


def _of(said: str) -> Iterator[str]:
    user, _, password = said.partition(":")
    yield said
    if not password:
        return
    yield from {password, unquote(password), f"{user}:{ENDS_A_NAME.split(password)[0]}"}
    pieces = ENDS_A_NAME.split(password)
    if len(pieces) > 1:
        yield from (piece for piece in pieces if len(piece) >= SHORTEST)

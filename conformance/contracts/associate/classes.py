"""Requests that make no association: whose, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

MADE_UP = str(UUID(int=0x6D0E9D2C5B1F4C479A531F6E3B7A2C11))

UNAUTHENTICATED: Mapping[str, Mapping[str, Any]] = {
    "no token": {"credential": None},
    "an empty token": {"credential": None, "headers": {"X-Auth-Token": ""}},
    "a made-up token": {"credential": None, "headers": {"X-Auth-Token": "0123456789abcdef0123456789abcdef"}},
}

NOTHING: Mapping[str, Mapping[str, Any]] = {
    "an address that nobody has": {"address": MADE_UP},
    "no UUID in place of an address": {"address": "no-address"},
    "a server that nobody has": {"segment": MADE_UP},
}

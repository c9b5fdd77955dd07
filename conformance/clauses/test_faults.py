"""``faults.*``: a client's mistake is not the server's fault."""

from __future__ import annotations

import pytest

MISTAKES = {
    "an address that is no UUID": {"address": "no-uuid"},
    "an address ID of another alphabet": {"address": "\u0661\u0662\u0663"},
    "an unknown address": {"address": "3b1f9c1e-6a52-4d0c-9b7e-0a1d5f6c2e84"},
    "an unknown server": {"server": "6f0d2a34-1c8b-4e57-8a90-7b3c4d5e6f01"},
    "a server's name in place of its ID": {"server": "no such server"},
    "a body that is no JSON": {
        "headers": {"Content-Type": "application/json"},
        "body": b'{"unclosed": ',
        "framing": "content-length",
    },
    "a body that is no UTF-8": {
        "headers": {"Content-Type": "application/json"},
        "body": b"\xff\xfe\x00",
        "framing": "content-length",
    },
    "no token": {"credential": None},
    "a media type that does not exist": {"headers": {"Accept": "nonsense/*;q=a"}},
}


@pytest.mark.clause("faults.client-input")
def test_a_mistake_is_not_answered_with_a_server_fault(api, association):
    """500 and 503 are for the server's own faults; a mistake that persists in being answered so is none."""
    for words, variation in api.some(MISTAKES.items()):
        api.attempt(association, f"a removal with {words}", **variation)
    api.attempt(association, mistake=False)
    api.attempt(association, "a repeated removal", standing=False)

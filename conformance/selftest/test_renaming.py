"""What a request of a saved run is called elsewhere: an ID is known however it was spelt, and is spelt so again."""

import base64
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import quote
from uuid import UUID

import pytest

from conformance.generate.space import Subject, respelt
from conformance.reproduction.renaming import Renaming

OLD, NEW = "a2addbb8-7dbb-48ec-8566-cc66371fe6a1", "0b15e8fe-9d1c-4c3a-8d5e-1f2e3d4c5b6a"
OTHER, ITS = "5e1b8c1e-2c1f-4d0e-9c39-0d9a7c6f1b22", "77777777-aaaa-4bbb-8ccc-dddddddddddd"

SPELT: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in upper case": str.upper,
    "partly in upper case": lambda one: one[:24].upper() + one[24:],
    "without hyphens": lambda one: one.replace("-", ""),
    "without hyphens, in upper case": lambda one: one.replace("-", "").upper(),
    "its first character encoded": lambda one: f"%{ord(one[0]):02X}{one[1:]}",
    "a hyphen less": lambda one: one.replace("-", "", 1),
    "a hyphen more": lambda one: f"{one[:4]}-{one[4:]}",
    "its hyphens encoded": lambda one: one.replace("-", "%2D"),
    "all of it encoded": lambda one: "".join(f"%{ord(part):02x}" for part in one),
    "its beginning": lambda one: one[:8],
    "a digit less": lambda one: one[:-1],
    "a digit more": lambda one: f"{one}0",
    "in braces": lambda one: f"{{{one}}}",
}


@pytest.mark.parametrize("spelt", SPELT.values(), ids=list(SPELT))
def test_an_id_is_spelt_again_as_it_was(spelt: Callable[[str], str]) -> None:
    """Another one beside it keeps its own name."""
    renaming = Renaming({OLD: NEW, OTHER: ITS}, {}, {})
    assert renaming.text(f"/v2/servers/{OTHER}/ip_associations/{spelt(OLD)}?x={OTHER}") == (
        f"/v2/servers/{ITS}/ip_associations/{spelt(NEW)}?x={ITS}"
    )


def test_names_change_places_in_one_pass() -> None:
    """No new name is taken for an old one."""
    assert Renaming({OLD: NEW, NEW: OLD}, {}, {}).text(f"{OLD} {NEW.upper()}") == f"{NEW} {OLD.upper()}"


def test_what_is_no_uuid_keeps_its_spellings() -> None:
    """Literals of addresses, and servers whose IDs are opaque."""
    renaming = Renaming({"2001:db8::b": "2001:db8::1a", "Node 1": "Node 2"}, {}, {})
    assert renaming.text("/2001%3Adb8%3A%3Ab/2001:db8::b/Node%201") == "/2001%3Adb8%3A%3A1a/2001:db8::1a/Node%202"


RESPELT: dict[str, Callable[[str], str]] = {
    "in base64": lambda one: base64.urlsafe_b64encode(UUID(one).bytes).decode().rstrip("="),
    "with other hyphens": lambda one: quote(one.replace("-", "\u2010")),
    "with Arabic digits": lambda one: quote(one.translate({48 + digit: 0x660 + digit for digit in range(10)})),
    "as a number": lambda one: str(UUID(one).int),
    "with an escape of JavaScript": lambda one: f"%u00{ord(one[0]):02X}{one[1:]}",
    "encoded twice": lambda one: one.replace("-", "%252D"),
    "its bytes reversed": lambda one: str(UUID(bytes=UUID(one).bytes[::-1])),
    "its end": lambda one: one[-12:],
}


@pytest.mark.parametrize("spelt", RESPELT.values(), ids=list(RESPELT))
def test_an_id_is_spelt_again_as_the_space_of_requests_spells_it(spelt: Callable[[str], str]) -> None:
    """No part of it is the ID itself; what the path holds besides is named as ever, and the query with it."""
    segments = respelt(Subject(OLD, "192.0.2.1", OTHER), Subject(NEW, "198.51.100.7", ITS))
    renaming = Renaming({OLD: NEW, OTHER: ITS}, {"https://old/v2": "https://new/v2"}, {}, segments)
    assert renaming.url(f"https://old/v2/servers/{OTHER}/ip_associations/{spelt(OLD)}?x={OLD}") == (
        f"https://new/v2/servers/{ITS}/ip_associations/{spelt(NEW)}?x={NEW}"
    )


@pytest.mark.parametrize(("old", "new"), [("192.0.2.1", "198.51.100.7"), ("2001:db8::b", "2001:db8::1a")])
def test_a_literal_is_spelt_again_as_it_was(old: str, new: str) -> None:
    """As one number, which no part of it shows."""
    segments = respelt(Subject(OLD, old, OTHER), Subject(NEW, new, ITS))
    assert segments[str(int(ip_address(old)))] == str(int(ip_address(new)))


def test_a_literal_of_the_other_version_is_spelt_as_before() -> None:
    """There is no such spelling of it; the ID beside it has one."""
    segments = respelt(Subject(OLD, "192.0.2.1", OTHER), Subject(NEW, "2001:db8::1a", ITS))
    assert str(int(ip_address("192.0.2.1"))) not in segments
    assert segments[str(UUID(OLD).int)] == str(UUID(NEW).int)


def test_a_server_is_spelt_again_as_it_was() -> None:
    """It need not be a UUID."""
    segments = respelt(Subject(OLD, "", "node-1"), Subject(NEW, "", "node-22"))
    assert segments["%256Eode-1"] == "%256Eode-22"


def test_what_is_no_id_and_no_literal_has_no_spellings() -> None:
    """A saved run may say anything."""
    assert not respelt(Subject("no ID", "no literal", ""), Subject(NEW, "192.0.2.1", ITS))

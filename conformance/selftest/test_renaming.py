"""What a request of a saved run is called elsewhere: an ID is known however it was spelt, and is spelt so again."""

from collections.abc import Callable

import pytest

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

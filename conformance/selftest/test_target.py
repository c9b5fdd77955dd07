import copy
import json
import pickle
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance import target
from conformance.errors import UsageError
from conformance.target import MOST_SERVERS, Target, in_words, is_server, is_uuid, service_root

TOKEN = "gAAAAABliteral-token_0123456789"
ENVIRONMENT = {"CONFORMANCE_TOKEN": TOKEN, "EMPTY": "  ", "ODD": "tok\nen"}
DESCRIPTION: dict[str, Any] = {
    "name": "staging",
    "compute": "https://compute.example/",
    "network": "https://network.example/prefix",
    "auth": {"token": "env:CONFORMANCE_TOKEN"},
    "resources": {"servers": ["one", "two"]},
}


def changed(**changes: Any) -> dict[str, Any]:
    """The description with dotted keys (a double underscore for the dot) set, or left out for None."""
    document = copy.deepcopy(DESCRIPTION)
    for key, value in changes.items():
        *path, last = key.split("__")
        place = document
        for part in path:
            place = place.setdefault(part, {})
        if value is None:
            del place[last]
        else:
            place[last] = value
    return document


def loaded(directory: Path, document: Any) -> Target:
    """What is loaded from a file with the document, or with this text."""
    path = directory / "target.yaml"
    text = document if isinstance(document, (str, bytes)) else yaml.safe_dump(document)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return target.load(str(path), ENVIRONMENT)


def refusal(directory: Path, document: Any) -> str:
    """The message with which the document is refused."""
    with pytest.raises(UsageError) as refused:
        loaded(directory, document)
    return str(refused.value)


def test_a_description_gives_a_target(tmp_path: Path) -> None:
    """Defaults are filled in, and versions appended."""
    found = loaded(tmp_path, DESCRIPTION)
    assert found.compute == "https://compute.example/v2"
    assert found.network == "https://network.example/prefix/v2.0"
    assert found.tokens["full"] == TOKEN
    assert found.network_id == "00000000-0000-0000-0000-000000000000"
    assert (found.limits.max_addresses, found.limits.timeout_seconds, found.limits.requests_per_second) == (2, 30, None)
    assert (found.policy.request_body, found.policy.settle_seconds) == ("refuse", 5)


@pytest.mark.parametrize(
    ("changes", "key", "expected"),
    [
        ({"surprise": 1}, "the description", "'surprise' was unexpected"),
        ({"auth__password": "x"}, "auth", "'password' was unexpected"),
        ({"limits__max_adresses": 3}, "limits", "'max_adresses' was unexpected"),
        ({"name": None}, "the description", '"name" is a required property'),
        ({"auth__token": None}, "auth", "exactly one of token, cloud and from_env"),
        ({"auth__token": TOKEN}, "auth.token", "expected env:NAME or file:PATH"),
        ({"auth__token": f"env:{TOKEN}"}, "auth.token", "expected env:NAME or file:PATH"),
        ({"auth__token": "env:MISSING"}, "auth.token", "the environment variable MISSING is not set or empty"),
        ({"auth__token": "env:EMPTY"}, "auth.token", "the environment variable EMPTY is not set or empty"),
        ({"auth__token": "env:ODD"}, "auth.token", "no header can carry"),
        ({"auth__token": "file:/nowhere/token"}, "auth.token", "cannot be read (No such file or directory)"),
        ({"auth__token": "file:/"}, "auth.token", "cannot be read (Is a directory)"),
        ({"auth__foreign_token": "env:MISSING"}, "auth.foreign_token", "expected the token in it"),
        ({"compute": "compute.example"}, "compute", "an http:// or https:// URL"),
        ({"compute": "ftp://compute.example"}, "compute", "an http:// or https:// URL"),
        ({"compute": "https://me:secret@compute.example"}, "compute", "without user name"),
        ({"compute": "https://compute.example/?a=b"}, "compute", "without user name, query or fragment"),
        ({"compute": "https://compute.example:0/"}, "compute", "expected http://HOST/"),
        ({"compute": "https://compute.example:port/"}, "compute", "expected http://HOST/"),
        ({"compute": "https://compute.example:99999/"}, "compute", "expected http://HOST/"),
        ({"network": "https://[::1/"}, "network", "expected http://HOST/"),
        ({"network": "https://bücher.example/ü"}, "network", "expected http://HOST/"),
        ({"resources__servers": ["one"]}, "resources.servers", "two or more different servers"),
        ({"resources__servers": ["one", "one"]}, "resources.servers", "two or more different servers"),
        ({"resources__servers": "one"}, "resources.servers", "a list of two or more"),
        ({"resources__servers": ["one", 2]}, "resources.servers.1", "quote a number"),
        ({"resources__servers": ["a/b", "c"]}, "resources.servers.0", "without slash"),
        ({"resources__foreign_servers": ["one", "x"]}, "resources.foreign_servers", "one is among resources.servers"),
        ({"resources__foreign_servers": ["a/b"]}, "resources.foreign_servers.0", "without slash"),
        ({"resources__ports": {"three": "p"}}, "resources.ports.three", "is not among resources.servers"),
        ({"limits__requests_per_second": 0}, "limits.requests_per_second", "a number above 0"),
        ({"limits__requests_per_second": float("inf")}, "limits.requests_per_second", "a finite number"),
        ({"limits__timeout_seconds": "long"}, "limits.timeout_seconds", "a number above 0"),
        ({"limits__timeout_seconds": float("nan")}, "limits.timeout_seconds", "a finite number"),
        ({"limits__max_addresses": 1.5}, "limits.max_addresses", "a whole number from 1"),
        ({"limits__connections": 0}, "limits.connections", "a whole number from 1"),
        ({"limits__max_addresses": True}, "limits.max_addresses", "a whole number from 1"),
        ({"policy__request_body": "maybe"}, "policy.request_body", "refuse, or ignore"),
        ({"policy__settle_seconds": -1}, "policy.settle_seconds", "a number from 0"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_expectation(
    tmp_path: Path, changes: dict[str, Any], key: str, expected: str
) -> None:
    """One line says where it is and what belongs there."""
    said = refusal(tmp_path, changed(**changes))
    assert said.startswith(f"{tmp_path / 'target.yaml'}: {key}: ")
    assert expected in said
    assert len(said.splitlines()) == 1


def test_several_mistakes_stand_in_one_message(tmp_path: Path) -> None:
    """Nobody has to find them one run after the other."""
    said = refusal(tmp_path, changed(surprise=1, compute="x", resources__servers=["one"], limits__max_addresses=0))
    assert len(said.splitlines()) == 4
    said = refusal(tmp_path, changed(auth__token="env:MISSING", compute="https://x:0/", resources__ports={"x": "y"}))
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": is empty; a target description in YAML is expected"),
        ("# a comment\n", ": is empty; a target description in YAML is expected"),
        ("just text", ": the description: expected a mapping"),
        ("- a\n- b\n", ": the description: expected a mapping"),
        ("a: b: c", ", line 1: is not a target description in YAML"),
        ("a:\n\tb: c", ", line 2: is not a target description in YAML"),
        ("name: a\nname: b\n", ", line 2: is not a target description in YAML (the key name stands there twice)"),
        ("auth:\n  token: a\n  token: b\n", ", line 3: is not a target description in YAML"),
        ("? [a]\n: b\n", "is not a target description in YAML"),
        ("a: !!python/object:os.system x", "is not a target description in YAML"),
        ("a: !!binary aGVsbG8=", ": a: expected text"),
        ("a: !!set {x, y}", ": a: expected text"),
        ("1: a", ": the description: expected text"),
        ("a: &a [*a]", "is not a target description in YAML"),
        (b"\xff\xfe\x00", ": is not UTF-8 text"),
        (b"name: \x07", "is not a target description in YAML"),
    ],
)
def test_what_is_no_description_is_said_so(tmp_path: Path, text: str | bytes, expected: str) -> None:
    """Whatever the file holds, one message and no traceback."""
    said = refusal(tmp_path, text)
    assert said.startswith(str(tmp_path / "target.yaml"))
    assert expected in said
    assert len(said.splitlines()) == 1


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """It is absent, or a directory."""
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(UsageError, match=re.escape(f"{path}: cannot be read (")):
            target.load(str(path), ENVIRONMENT)


@pytest.mark.parametrize(
    "text",
    [
        f"auth: {{token: {TOKEN}}}",
        f"auth:\n  token: *{TOKEN}\n",
        f"auth:\n  token: !{TOKEN} x\n",
        f"auth:\n  token: [{TOKEN}\n",
        f'auth:\n  token: "{TOKEN}\n',
        f"auth:\n\ttoken: {TOKEN}\n",
        f"auth: {TOKEN}",
        f"{TOKEN}",
        yaml.safe_dump(changed(auth__token=f"file:{TOKEN}")),
        yaml.safe_dump(changed(auth__token=f"file:{TOKEN}/x")),
        yaml.safe_dump(changed(auth__token="env:abcdef0123456789abcdef")),
        yaml.safe_dump(changed(compute=f"https://user:{TOKEN}@x/")),
        yaml.safe_dump(changed(compute=f"https://x:{TOKEN}/")),
    ],
)
def test_a_literal_token_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    """Wherever it was pasted."""
    said = refusal(tmp_path, text)
    assert TOKEN not in said
    assert "abcdef0123456789abcdef" not in said


def test_a_literal_token_is_refused_with_an_explanation(tmp_path: Path) -> None:
    """The message says why, and what to write."""
    said = refusal(tmp_path, changed(auth__token=TOKEN))
    assert "a literal is refused" in said
    assert "env:NAME or file:PATH" in said


def test_a_token_comes_from_a_file(tmp_path: Path) -> None:
    """Blank space around it is none of it."""
    (tmp_path / "token").write_text(f" {TOKEN}\n")
    assert loaded(tmp_path, changed(auth__token=f"file:{tmp_path / 'token'}")).tokens["full"] == TOKEN


def test_a_target_shows_its_tokens_to_nobody(tmp_path: Path) -> None:
    """Neither printed, nor as a dictionary, nor in what reports say of it."""
    found = loaded(tmp_path, DESCRIPTION)
    for shown in (repr(found), str(found), repr(asdict(found)), str(asdict(found)), json.dumps(found.public())):
        assert TOKEN not in shown
    assert pickle.loads(pickle.dumps(found.tokens["full"])) == TOKEN


def test_more_servers_than_are_of_use_are_left_alone(tmp_path: Path) -> None:
    """The first of the list are taken."""
    found = loaded(tmp_path, changed(resources__servers=list("abcdefg")))
    assert found.servers == tuple("abcd")
    assert len(found.servers) == MOST_SERVERS


def test_a_whole_number_may_be_written_as_a_float(tmp_path: Path) -> None:
    """To the schema 3.0 is one."""
    limit = loaded(tmp_path, changed(limits__max_addresses=3.0)).limits.max_addresses
    assert (limit, type(limit)) == (3, int)


def test_a_name_that_yaml_takes_for_a_date_is_text(tmp_path: Path) -> None:
    """A date needs no quotes."""
    assert loaded(tmp_path, yaml.safe_dump(DESCRIPTION).replace("staging", "2026-01-01")).name == "2026-01-01"


@pytest.mark.parametrize(
    ("url", "compute", "network"),
    [
        ("https://x", "https://x/v2", "https://x/v2.0"),
        ("https://x/", "https://x/v2", "https://x/v2.0"),
        ("https://x:8774/compute//", "https://x:8774/compute/v2", "https://x:8774/compute/v2.0"),
        ("https://x/v2", "https://x/v2", "https://x/v2.0"),
        ("https://x/v2/", "https://x/v2", "https://x/v2.0"),
        ("https://x/v2/123456", "https://x/v2/123456", "https://x/v2.0"),
        ("https://x/a/v2/123456/", "https://x/a/v2/123456", "https://x/a/v2.0"),
        ("https://x/v2.0", "https://x/v2", "https://x/v2.0"),
        ("https://x/v2.1", "https://x/v2.1/v2", "https://x/v2.1/v2.0"),
        ("https://v2/", "https://v2/v2", "https://v2/v2.0"),
        ("http://[::1]:80/v2", "http://[::1]:80/v2", "http://[::1]:80/v2.0"),
    ],
)
def test_a_version_is_appended_once(url: str, compute: str, network: str) -> None:
    """A catalogue's URL carries it already, with a tenant behind it or not."""
    assert service_root(url, "v2") == compute
    assert service_root(url, "v2.0") == network
    found = target.load(url, ENVIRONMENT)
    assert (found.compute, found.network, found.servers) == (compute, network, ())


def test_a_url_takes_its_tokens_from_the_environment() -> None:
    """The second and third if they are there."""
    found = target.load("https://x", ENVIRONMENT | {"CONFORMANCE_FOREIGN_TOKEN": "other"})
    assert {name: str(token) for name, token in found.tokens.items()} == {"full": TOKEN, "foreign": "other"}
    with pytest.raises(UsageError, match="CONFORMANCE_TOKEN is not set"):
        target.load("https://x", {})
    with pytest.raises(UsageError, match="no header can carry"):
        target.load("https://x", {"CONFORMANCE_TOKEN": "a\tb"})


@pytest.mark.parametrize(
    "url", ["https://", "http://?x", "https://x/#y", "https://me:pass@x", "https://x/a b", "http://x:0"]
)
def test_a_bad_url_is_refused_before_anything_is_sent(url: str) -> None:
    """And named as what was given."""
    with pytest.raises(UsageError, match=r"--target: .*expected http://HOST/") as refused:
        target.load(url, ENVIRONMENT)
    assert "pass@" not in str(refused.value)


@pytest.mark.parametrize(
    "identifier", ["", ".", "..", "a/b", "a\\b", "a\nb", "a\x7f", "a\x85", "a\ud800", "\udfff", "x" * 256, None, 7]
)
def test_what_may_not_stand_in_a_path_is_told_apart(identifier: object) -> None:
    """Neither as a server nor as an address; it can be written down all the same."""
    assert not is_server(identifier)
    assert not is_uuid(identifier)
    in_words(identifier).encode("ascii")


def test_opaque_servers_and_canonical_uuids_may_stand_in_a_path() -> None:
    """A server's ID is any one segment; an address's is a UUID of either case, and nothing around it."""
    uuid = "0A1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    assert all(is_server(one) for one in (uuid, "7", "...", "server é", "%2e%2e"))
    assert is_uuid(uuid)
    assert in_words(uuid) == uuid
    assert not any(
        is_uuid(one) for one in (f"{uuid}\n", f" {uuid}", f"{{{uuid}}}", uuid.replace("-", ""), f"{uuid}/..")
    )


@pytest.mark.parametrize("named", ["token", "./token", "sub/../token"])
def test_a_file_is_found_from_where_the_description_lies(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command is typed; another file of that name there does not count."""
    (tmp_path / "targets" / "sub").mkdir(parents=True)
    (tmp_path / "targets" / "token").write_text("the-right-one")
    (tmp_path / "token").write_text("the-wrong-one")
    path = tmp_path / "targets" / "target.yaml"
    path.write_text(yaml.safe_dump(DESCRIPTION | {"auth": {"token": f"file:{named}"}}))
    monkeypatch.chdir(tmp_path)
    assert target.load("targets/target.yaml", {}).tokens["full"] == "the-right-one"


def test_a_misspelled_key_is_told_once_with_what_was_meant(tmp_path: Path) -> None:
    """Not a second time as a key that is missing."""
    path = tmp_path / "target.yaml"
    misspelled = {"resouces" if key == "resources" else key: value for key, value in DESCRIPTION.items()}
    path.write_text(yaml.safe_dump(misspelled))
    with pytest.raises(UsageError) as caught:
        target.load(str(path), {"CONFORMANCE_TOKEN": "x"})
    assert str(caught.value) == f"{path}: the description: 'resouces' was unexpected; did you mean resources?"

"""Clouds and their identity services: what is read, what is asked, and what is said when it fails."""

import importlib.util
import json
import os
import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from client_raw import RawServer, once
from identity_service import API_KEY, USERS, IdentityService, clouds

from conformance import target
from conformance.errors import Unreachable, UsageError
from conformance.identity import Identity, named
from conformance.preflight import signed_in
from conformance.target import Target, catalogued_root, packed, unpacked

TWO_REGIONS = {
    ("compute", "public", "north"): "https://north.example/compute/v2.1/project-a",
    ("compute", "internal", "north"): "http://north.internal:8774/v2.1",
    ("network", "public", "north"): "https://north.example:9696/",
    ("network", "internal", "north"): "http://north.internal:9696",
    ("compute", "public", "south"): "https://south.example/v2/project-a",
    ("network", "public", "south"): "https://south.example/v2.0/",
}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's own cloud is none of the tests' business."""
    for variable in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(variable)


@pytest.fixture
def service() -> Iterator[IdentityService]:
    """An identity service whose catalogue has two regions."""
    with IdentityService(dict(TWO_REGIONS)) as service:
        yield service


@pytest.fixture
def variables(service: IdentityService, tmp_path: Path) -> dict[str, str]:
    """What leads to its clouds."""
    return clouds(tmp_path, service.url)


def described(folder: Path, variables: dict[str, str], auth: dict[str, Any], **changes: Any) -> Target:
    """The target of a description with this ``auth``."""
    document = {"name": "cloudy", "auth": auth, "resources": {"servers": ["one", "two"]}, **changes}
    path = folder / "target.yaml"
    path.write_text(yaml.safe_dump(document))
    return target.load(str(path), variables)


def refusal(folder: Path, variables: dict[str, str], auth: dict[str, Any], **changes: Any) -> str:
    """What is said of such a description."""
    with pytest.raises(UsageError) as refused:
        described(folder, variables, auth, **changes)
    said = str(refused.value)
    assert said.startswith(f"{folder / 'target.yaml'}: ")
    assert len(said.splitlines()) == 1
    return said.removeprefix(f"{folder / 'target.yaml'}: ")


# -- what is read -----------------------------------------------------------------------------------------------------


def test_clouds_are_read_without_a_request(service: IdentityService, tmp_path: Path, variables: dict[str, str]) -> None:
    """clouds.yaml and secure.yaml; no URL is known yet, and no secret shown."""
    found = described(tmp_path, variables, {"cloud": "full", "foreign_cloud": "foreign", "region": "south"})
    assert (found.compute, found.network, found.tokens) == ("", "", {})
    assert found.clouds["full"].options["password"] == USERS["full"].password
    assert found.clouds["full"].region == "south"
    assert set(found.secrets) == {USERS["full"].password, USERS["foreign"].password}
    assert found.public()["credentials"] == ["foreign", "full"]
    assert USERS["full"].password not in repr(found) + str(found) + json.dumps(found.public())
    assert service.asked == []


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, service: IdentityService) -> None:
    """Those of an openrc file, in the process's own environment."""
    user = USERS["full"]
    set_ = {"OS_AUTH_URL": service.url, "OS_USERNAME": "full", "OS_PASSWORD": user.password}
    set_ |= {"OS_PROJECT_ID": user.project, "OS_USER_DOMAIN_ID": "default", "OS_REGION_NAME": "north"}
    for name, value in set_.items():
        monkeypatch.setenv(name, value)
    found = signed_in(described(tmp_path, dict(os.environ), {"from_env": True, "interface": "internal"}))
    assert found.compute == "http://north.internal:8774/v2"
    assert found.network == "http://north.internal:9696/v2.0"
    assert found.tokens["full"] == service.given[0]


def test_a_variable_may_name_a_cloud(tmp_path: Path, variables: dict[str, str]) -> None:
    """As for the openstack command."""
    found = described(tmp_path, {**variables, "OS_CLOUD": "restricted", "OS_REGION_NAME": "south"}, {"from_env": True})
    assert (found.clouds["full"].words, found.clouds["full"].region) == ("the cloud restricted", "south")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no such cloud": ({"cloud": "fool"}, "auth.cloud: .*clouds.yaml has no cloud of that name; .* foreign, full, rest"),
    "two ways": ({"cloud": "full", "token": "env:X"}, "auth: expected a mapping with exactly one of token, cloud"),
    "no way": ({"restricted_cloud": "restricted"}, "auth: expected a mapping with exactly one of token, cloud"),
    "two restricted": (
        {"cloud": "full", "restricted_cloud": "restricted", "restricted_token": "env:X"},
        "auth: expected .* at most one of restricted_token",
    ),
    "not from env": ({"from_env": False}, "auth.from_env: expected true: the cloud that the OS_ variables"),
    "no variables": ({"from_env": True}, "auth.from_env: no OS_ variables are set; expected OS_AUTH_URL"),
    "odd interface": ({"cloud": "full", "interface": "pubic"}, "auth.interface: expected public, internal or admin"),
    "no name": ({"cloud": ""}, "auth.cloud: expected the name of a cloud"),
    "other cloud": ({"cloud": "full", "foreign_cloud": "x"}, "auth.foreign_cloud: .* has no cloud of that name"),
}


@pytest.mark.parametrize(("auth", "expected"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_named(tmp_path: Path, variables: dict[str, str], auth: dict[str, Any], expected: str) -> None:
    """File, key and what is expected; nothing is asked of anybody."""
    assert re.match(expected, refusal(tmp_path, variables, auth))


def test_a_region_goes_with_a_catalogue(tmp_path: Path) -> None:
    """Beside a token it would choose from nothing."""
    said = refusal(tmp_path, {"T": "x" * 20}, {"token": "env:T", "region": "north"}, compute="https://c.example/")
    assert said.startswith("auth.region: expected no region beside token")


def test_a_token_needs_a_url(tmp_path: Path) -> None:
    """No catalogue can say it."""
    assert '"compute" is a required property' in refusal(tmp_path, {"T": "x" * 20}, {"token": "env:T"})


UNUSABLE: dict[str, tuple[str, str]] = {
    "no auth_url": ("clouds: {full: {auth: {username: me}}}", "the cloud full lacks .* expected auth_url"),
    "unchecked": (
        "clouds: {full: {verify: false, auth: {auth_url: 'http://x'}}}",
        "the cloud full switches the check of certificates off .* expected its authority's certificates",
    ),
    "no authority": (
        "clouds: {full: {cacert: /no/such.pem, auth: {auth_url: 'http://x'}}}",
        "the cloud full names as its cacert what is no file",
    ),
    "unknown plugin": (
        "clouds: {full: {auth_type: v9horoscope, auth: {auth_url: 'http://x'}}}",
        "the cloud full asks for a way to authenticate that is not installed: .*v9horoscope",
    ),
    "no YAML": ("clouds: [", ".*clouds.yaml cannot be read; expected a mapping in YAML with the key clouds"),
    "a list": ("- clouds", "the configuration of clouds is wrong: .*not a valid mapping"),
    "no clouds": ("cloud: {}", ".*clouds.yaml cannot be read; expected a mapping in YAML with the key clouds"),
    "no mapping": ("clouds: {full: 7}", "the cloud full cannot be used"),
}


@pytest.mark.parametrize(("text", "expected"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_cloud_that_cannot_be_used_is_named(tmp_path: Path, text: str, expected: str) -> None:
    """With what it lacks."""
    (tmp_path / "clouds.yaml").write_text(text)
    said = refusal(tmp_path, {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")}, {"cloud": "full"})
    assert re.match(f"auth.cloud: {expected}", said), said


def test_the_missing_extra_is_named(tmp_path: Path, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    said = refusal(tmp_path, variables, {"cloud": "full"})
    assert said.startswith("auth.cloud: openstacksdk is not installed")
    assert "pip install 'ip-association-conformance[openstack]'" in said


def test_a_target_travels_to_a_worker(tmp_path: Path, variables: dict[str, str]) -> None:
    """In types that the pipe knows, and comes out the same."""
    found = described(
        tmp_path, variables, {"cloud": "full", "restricted_cloud": "restricted"}, compute="https://c.example/"
    )
    carried = packed(found)
    assert pickle.loads(pickle.dumps(carried)) == carried == json.loads(json.dumps(carried))
    assert unpacked(carried) == found


# -- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "compute", "network"),
    [
        ("https://x", "https://x/v2", "https://x/v2.0"),
        ("https://x/", "https://x/v2", "https://x/v2.0"),
        ("https://x/v2.1", "https://x/v2", "https://x/v2.0"),
        ("https://x/v2.1/", "https://x/v2", "https://x/v2.0"),
        ("https://x/compute/v2.1/0123abcd", "https://x/compute/v2", "https://x/compute/v2.0"),
        ("https://x/v2/123456", "https://x/v2/123456", "https://x/v2.0"),
        ("https://x:9696/v2.0", "https://x:9696/v2", "https://x:9696/v2.0"),
        ("https://v2.1/", "https://v2.1/v2", "https://v2.1/v2.0"),
        ("https://x/networking", "https://x/networking/v2", "https://x/networking/v2.0"),
    ],
)
def test_a_catalogue_entry_becomes_a_root(url: str, compute: str, network: str) -> None:
    """Another version is cut off, with the project behind it; the suite's own stays as it is."""
    assert (catalogued_root(url, "v2"), catalogued_root(url, "v2.0")) == (compute, network)


def test_urls_come_from_the_catalogue(service: IdentityService, tmp_path: Path, variables: dict[str, str]) -> None:
    """Of the region that is named; one login for each cloud."""
    auth = {"cloud": "full", "restricted_cloud": "restricted", "foreign_cloud": "foreign", "region": "south"}
    found = signed_in(described(tmp_path, variables, auth))
    assert (found.compute, found.network) == ("https://south.example/v2/project-a", "https://south.example/v2.0")
    assert [service.issued[found.tokens[name]].user for name in ("full", "restricted", "foreign")] == list(USERS)
    assert service.logins() == 3


def test_a_stated_url_wins(service: IdentityService, tmp_path: Path, variables: dict[str, str]) -> None:
    """Of either service; the other is looked up."""
    found = signed_in(
        described(tmp_path, variables, {"cloud": "full", "region": "north"}, network="https://mine.example/")
    )
    assert (found.compute, found.network) == ("https://north.example/compute/v2", "https://mine.example/v2.0")
    service.endpoints.clear()
    both = {"compute": "https://a.example/", "network": "https://b.example/"}
    found = signed_in(described(tmp_path, variables, {"cloud": "full"}, **both))
    assert (found.compute, found.network) == ("https://a.example/v2", "https://b.example/v2.0")


def test_a_cloud_may_state_an_endpoint(service: IdentityService, tmp_path: Path) -> None:
    """In place of its catalogue."""
    variables = clouds(tmp_path, service.url, region_name="north", compute_endpoint_override="https://own.example/v2.1")
    assert signed_in(described(tmp_path, variables, {"cloud": "full"})).compute == "https://own.example/v2"


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (
            {},
            "auth.region: the catalogue of the cloud full has several endpoints of compute; expected one of north, so",
        ),
        ({"region": "west"}, "auth.region: .* has no compute in the region west; expected one of north, south"),
        ({"region": "north", "interface": "admin"}, "auth.interface: .* has no admin endpoint of compute"),
        ({"region": "south", "interface": "internal"}, "auth.region: .* no compute in the region south; .* of north$"),
    ],
)
def test_what_the_catalogue_lacks_is_named(
    tmp_path: Path, variables: dict[str, str], auth: dict[str, str], expected: str
) -> None:
    """With the key that chooses, and what there is."""
    with pytest.raises(UsageError, match=expected):
        signed_in(described(tmp_path, variables, {"cloud": "full", **auth}))


def test_a_refused_password_is_said_without_it(service: IdentityService, tmp_path: Path) -> None:
    """Although the service repeats it."""
    variables = clouds(tmp_path, service.url, {"full": replace(USERS["full"], password="wrong-Xy12Zw34Qr56")})
    with pytest.raises(Unreachable, match=f"the cloud full at {service.url} refuses the credentials: .*401") as refused:
        signed_in(described(tmp_path, variables, {"cloud": "full"}))
    assert "wrong-Xy12Zw34Qr56" not in str(refused.value)


def test_no_identity_service_is_said_so(service: IdentityService, tmp_path: Path) -> None:
    """One that is down, one that is none, one where nobody listens."""
    service.silent = True
    with RawServer(once(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x1b[2J")) as other:
        urls = [service.url, other.url, f"{other.url}/v3"]
        for url in urls:
            variables = clouds(tmp_path, url)
            with pytest.raises(Unreachable, match="the identity service of the cloud full at") as refused:
                signed_in(described(tmp_path, variables, {"cloud": "full"}, limits={"timeout_seconds": 2}))
            assert str(refused.value).isprintable()
    with pytest.raises(Unreachable, match="cannot be reached"):
        signed_in(described(tmp_path, clouds(tmp_path, other.url), {"cloud": "full"}))


def test_a_redirect_takes_no_password_along(service: IdentityService, tmp_path: Path) -> None:
    """Not even to a service that would take it."""
    with IdentityService() as other:
        service.moved = other.url
        with pytest.raises(Unreachable):
            signed_in(described(tmp_path, clouds(tmp_path, f"{service.url}/v3"), {"cloud": "full"}))
        assert other.asked == []


def test_an_api_key_of_rackspace_gives_a_token(service: IdentityService, tmp_path: Path) -> None:
    """Through the Identity API v2.0 and its catalogue."""
    auth = {"auth_url": f"{service.url}/v2.0/", "username": "full", "api_key": API_KEY}
    entry = {"auth_type": "rackspace_apikey", "profile": "rackspace", "region_name": "DFW", "auth": auth}
    (tmp_path / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"rax": entry}}))
    service.endpoints = {
        ("compute", "public", "DFW"): "https://dfw.servers.example/v2/123456",
        ("network", "public", "DFW"): "https://dfw.networks.example/v2.0",
    }
    found = described(tmp_path, {"OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")}, {"cloud": "rax"})
    assert list(found.secrets) == [API_KEY]
    found = signed_in(found)
    assert found.compute == "https://dfw.servers.example/v2/123456"
    assert found.network == "https://dfw.networks.example/v2.0"
    assert found.tokens["full"] == service.given[0]


def test_a_service_says_whether_it_honours_a_token(service: IdentityService, variables: dict[str, str]) -> None:
    """It is asked; what it does not say, the time that the token was given for does."""
    identity = Identity(named("full", variables), 5)
    token = identity.login()
    assert identity.honours(token) is True
    service.revoke_all()
    assert identity.honours(token) is False
    service.silent = True
    assert identity.honours(token) is None
    service.silent, service.lives = False, timedelta(seconds=-1)
    late = identity.login()
    service.silent = True
    assert identity.honours(late) is False

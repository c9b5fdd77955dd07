"""What published clients send is within the request space, and granted: recorded once, replayed everywhere.

``tox -e clients`` lets them send it again; with RECORD_CLIENTS=1 it writes the record anew.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from run_processes import TOKENS, environment

from conformance.generate.deallocations import wordings
from conformance.generate.space import Expected, Subject, values
from conformance.reference.exchange import Answer, ReceivedRequest
from conformance.reference.server import Reference, Settings
from conformance.reference.store import Tokens

HERE = Path(__file__).parent / "clients"
RECORD = HERE / "recorded.json"
TOKEN = TOKENS["CONFORMANCE_TOKEN"]
MADE_UP = "3f0c9a1e-7b52-4d8a-9c4e-a1b2c3d4e5f6"
PLAIN = {"Host", "X-Auth-Token", "Accept", "Content-Length"}
"""Fields that every removal of the suite has, or that speak of the connection."""

installed = importlib.util.find_spec("ip_associations_python_novaclient_ext")


@contextmanager
def remembering() -> Iterator[tuple[Reference, list[dict[str, Any]]]]:
    """A conforming deployment that keeps what it is sent, its own names written as placeholders."""
    heard: list[dict[str, Any]] = []

    def finish(request: ReceivedRequest, answer: Answer) -> Answer:
        fields = {name[5:]: value for name, value in request.environ.items() if name.startswith("HTTP_")}
        fields |= {
            name: request.environ[name] for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if name in request.environ
        }
        headers = {name.replace("_", "-").title(): value for name, value in sorted(fields.items())}
        body = (request.body or b"").decode()
        heard.append({"method": request.method, "path": request.raw_path, "headers": headers, "body": body})
        heard[-1]["code"] = answer.code
        return answer

    with Reference(Settings(tokens=Tokens(*TOKENS.values()))) as reference, pytest.MonkeyPatch.context() as patched:
        patched.setattr(reference.deployment, "finish", finish)
        yield reference, heard


def told(heard: list[dict[str, Any]], reference: Reference) -> list[dict[str, Any]]:
    """What was heard, without what differs from run to run and from release to release."""
    names = dict.fromkeys(reference.servers, "{server}")
    names |= {port: f"{{port {number}}}" for number, port in enumerate(reference.ports.values())}
    names |= dict.fromkeys(reference.store.known, "{address}") | {TOKEN: "{token}"}
    text = json.dumps(heard, indent=1)
    for own, placeholder in names.items():
        text = text.replace(own, placeholder)
    written: list[dict[str, Any]] = json.loads(re.sub(r"127\.0\.0\.1:\d+|(?<=[a-z1]/)\d+(\.\d+)+", "0", text))
    return written


@pytest.mark.clients
@pytest.mark.skipif(installed is None, reason="no published clients; tox -e clients has them")
def test_the_record_is_what_they_send_today() -> None:
    """Their calls succeed, and nothing of what they send is new."""
    with remembering() as (reference, heard):
        ports = list(reference.ports.values())[:2]
        command = [
            sys.executable,
            "-W",
            "ignore",
            str(HERE / "calls.py"),
            reference.url,
            TOKEN,
            reference.servers[0],
            *ports,
        ]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = told(heard, reference)
    if os.environ.get("RECORD_CLIENTS"):
        RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(RECORD.read_text(encoding="utf-8"))


RECORDED: list[dict[str, Any]] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else []
REMOVALS = [one for one in RECORDED if one["method"] == "DELETE" and "/ip_associations/" in one["path"]]


def _name(one: dict[str, Any]) -> str:
    return str(one["headers"]["User-Agent"])


@pytest.mark.parametrize("removal", REMOVALS, ids=_name)
def test_each_removal_of_theirs_is_a_value_of_the_space(removal: dict[str, Any]) -> None:
    """Whatever field it wears, a run tries a removal that wears it and is to be granted (decision 17)."""
    granted = [one for one in values(Subject(MADE_UP, "192.0.2.1", "s"), "deep", 0) if one.expected is Expected.GRANTED]
    worn = {name: value for name, value in removal["headers"].items() if name not in PLAIN}
    kinds = {name for one in granted for name, value in one.variation.get("headers", {}).items() if value is not None}
    assert not set(worn) - kinds - {"Connection"}
    assert removal["body"] == ""


@pytest.mark.parametrize("removal", REMOVALS, ids=_name)
def test_each_removal_of_theirs_is_granted(removal: dict[str, Any]) -> None:
    """By a conforming deployment, as it was recorded."""
    with remembering() as (reference, _):
        server, token = reference.servers[0], {"X-Auth-Token": TOKEN}
        body = {
            "network_id": "00000000-0000-0000-0000-000000000000",
            "version": 4,
            "port_ids": list(reference.ports.values()),
        }
        made = requests.post(f"{reference.url}/v2.0/ip_addresses", json={"ip_address": body}, headers=token, timeout=10)
        path = removal["path"].replace("{server}", server).replace("{address}", made.json()["ip_address"]["id"])
        assert requests.put(reference.url + path, headers=token, timeout=10).status_code == 201
        headers = {name: value for name, value in removal["headers"].items() if name != "Host"} | token
        assert requests.delete(reference.url + path, headers=headers, timeout=10).status_code == 204
        assert not reference.store.state.associations


def test_each_deallocation_of_theirs_is_a_wording_of_the_suite() -> None:
    """A PUT that leaves no port, whatever it looks like (decision 20)."""
    known = {one.variation.get("body", b"").replace(b" ", b"") for one in wordings() if one.method == "PUT"}
    sent = {one["body"] for one in RECORDED if one["method"] == "PUT" and "/v2.0/ip_addresses/" in one["path"]}
    assert {one.replace(" ", "").encode() for one in sent if "{port" not in one} <= known


def test_they_met_nothing_but_success() -> None:
    """The record is of whole lives; a deployment need not know the empty address for a de-allocation."""
    assert REMOVALS
    refused = [one["body"] for one in RECORDED if one["code"] >= 300]
    assert set(refused) <= {'{"ip_address": {}}'}

import http.client
import json
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from conformance.reference import Reference, Settings
from conformance.reference.cli import serve

pytestmark = pytest.mark.once

PUBLIC = "00000000-0000-0000-0000-000000000000"
Reply = tuple[int, dict[str, str], bytes]


class Api:
    """One keep-alive connection to a deployment, and the paths that the tests use."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.connection = http.client.HTTPConnection(reference.url.removeprefix("http://"), timeout=10)

    def send(self, method: str, path: str, body: Any = None, token: str | None = "full", **headers: str) -> Reply:
        """Send a request as the caller ``token`` names; other tokens go as they are, ``None`` sends none."""
        if token is not None:
            headers["X-Auth-Token"] = getattr(self.reference.tokens, token, token)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def send_json(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        """Send a document and give the code and the document of the answer."""
        code, _, content = self.send(method, path, json.dumps(document), Content_Type="application/json")
        return code, json.loads(content or b"null")

    def allocate(self, *servers: str, version: int = 4) -> tuple[int, Any]:
        """Allocate an address to the servers' ports."""
        ports = [self.reference.ports[server] for server in servers]
        wanted = {"network_id": PUBLIC, "version": version, "port_ids": ports}
        return self.send_json("POST", "/v2.0/ip_addresses", {"ip_address": wanted})


@pytest.fixture
def reference() -> Iterator[Reference]:
    """A running reference deployment."""
    with Reference() as running:
        yield running


@pytest.fixture
def api(reference: Reference) -> Iterator[Api]:
    """A connection to it."""
    client = Api(reference)
    yield client
    client.connection.close()


@pytest.fixture
def address(api: Api, reference: Reference) -> dict[str, Any]:
    """An address that is associated with the first two servers."""
    _, document = api.allocate(*reference.servers[:3])
    allocated: dict[str, Any] = document["ip_address"]
    for server in reference.servers[:2]:
        assert api.send("PUT", one(server, allocated["id"]))[0] == 201
    return allocated


def one(server: str, address: str) -> str:
    """Give the path of an association."""
    return f"/v2/servers/{server}/ip_associations/{address}"


def test_a_removal_answers_204_without_content(api: Api, reference: Reference, address: dict[str, Any]) -> None:
    """The answer to a removal has neither content nor headers that announce some."""
    code, headers, content = api.send("DELETE", one(reference.servers[0], address["id"]))
    assert (code, content) == (204, b"")
    assert not {"content-length", "transfer-encoding", "content-type"} & set(headers)


def test_a_removal_removes_that_association_only(api: Api, reference: Reference, address: dict[str, Any]) -> None:
    """The other server keeps its association, and the address its ports."""
    first, second = reference.servers[:2]
    api.send("DELETE", one(first, address["id"]))
    assert [each.server for each in reference.store.state.associations] == [second]
    assert reference.store.state.addresses[address["id"]].port_ids == tuple(address["port_ids"])
    assert api.send("GET", one(first, address["id"]))[0] == 400
    assert api.send("GET", one(second, address["id"]))[0] == 200


def test_an_upper_case_id_is_the_same_address(api: Api, reference: Reference, address: dict[str, Any]) -> None:
    """Hexadecimal digits mean the same in either case."""
    assert api.send("DELETE", one(reference.servers[0], address["id"].upper()))[0] == 204


Refused = tuple[str, str, str, str, dict[str, Any], int]
REFUSED: list[Refused] = [
    ("another spelling", "DELETE", "{server}", "{{{id}}}", {}, 400),
    ("the literal", "DELETE", "{server}", "{literal}", {}, 400),
    ("an encoded slash", "DELETE", "{server}", "{id}%2F", {}, 400),
    ("an unknown server", "DELETE", "nobody", "{id}", {}, 400),
    ("another tenant", "DELETE", "{server}", "{id}", {"token": "foreign"}, 400),
    ("no right to it", "DELETE", "{server}", "{id}", {"token": "restricted"}, 403),
    ("no token", "DELETE", "{server}", "{id}", {"token": None}, 401),
    ("an empty token", "DELETE", "{server}", "{id}", {"token": ""}, 401),
    ("an unknown token", "DELETE", "{server}", "{id}", {"token": "unknown"}, 401),
    ("one byte", "DELETE", "{server}", "{id}", {"body": b"x"}, 400),
    ("a large body", "DELETE", "{server}", "{id}", {"body": b"x" * 300_000}, 400),
    ("a body too large to read", "DELETE", "{server}", "{id}", {"Content_Length": "99999999"}, 400),
    ("an undocumented method", "POST", "{server}", "{id}", {}, 405),
    ("an invented method", "REMOVE", "{server}", "{id}", {}, 405),
    ("a lower-case method", "delete", "{server}", "{id}", {}, 405),
    ("an overridden method", "POST", "{server}", "{id}", {"X_HTTP_Method_Override": "DELETE"}, 405),
]


@pytest.mark.parametrize("row", REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_refused_changes_nothing(row: Refused, api: Api, reference: Reference, address: dict[str, Any]) -> None:
    """A refusal has the documented code and leaves the state as it was."""
    _, method, server, address_id, how, code = row
    before = reference.store.state
    identifier = address_id.format(id=address["id"], literal=address["address"])
    path = one(server.format(server=reference.servers[0]), identifier)
    answered, headers, _ = api.send(method, path, **how)
    assert answered == code
    assert (answered == 405) == ("allow" in headers)
    assert reference.store.state is before


def test_a_chunked_body_is_refused_and_the_connection_goes_on(
    api: Api, reference: Reference, address: dict[str, Any]
) -> None:
    """A refused body in chunks is read to its end, so that the next request is understood."""
    path = one(reference.servers[0], address["id"])
    assert api.send("DELETE", path, iter([b"ab", b"c"]))[0] == 400
    assert api.send("DELETE", path, iter([b"abc"]), token="unknown")[0] == 401
    assert api.send("DELETE", path)[0] == 204


@pytest.mark.parametrize(
    "framing",
    [b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: -1\r\n"],
)
def test_a_broken_framing_is_refused_with_400(framing: bytes, reference: Reference, address: dict[str, Any]) -> None:
    """What the server cannot read is refused with a documented code."""
    path = one(reference.servers[0], address["id"])
    assert on_the_wire(reference, path, framing, b"not hexadecimal\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert len(reference.store.state.associations) == 2


def on_the_wire(reference: Reference, path: str, framing: bytes = b"", body: bytes = b"") -> bytes:
    """Send a removal as bytes and give the bytes that come back until the connection is closed."""
    host, port = reference.url.removeprefix("http://").split(":")
    head = f"DELETE {path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {reference.tokens.full}\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + framing + b"Connection: close\r\n\r\n" + body)
        with connection.makefile("rb") as stream:
            return stream.read()


@pytest.mark.parametrize(
    ("fault", "header", "end"),
    [
        ("chunked-204", b"Transfer-Encoding: chunked", b"\r\n\r\n0\r\n\r\n"),
        ("chunked-content-after-204", b"Transfer-Encoding: chunked", b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        ("length-without-content", b"Content-Length: 17", b"\r\n\r\n"),
        ("newline-after-204", b"Content-Length: 1", b"\r\n\r\n\n"),
    ],
)
def test_a_fault_of_the_content_reaches_the_wire(fault: str, header: bytes, end: bytes) -> None:
    """The HTTP server does not mend what a fault breaks."""
    with Reference(faults=[fault]) as reference:
        client = Api(reference)
        _, document = client.allocate(*reference.servers[:2])
        path = one(reference.servers[0], document["ip_address"]["id"])
        client.send("PUT", path)
        client.connection.close()
        answer = on_the_wire(reference, path)
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert header + b"\r\n" in answer
    assert answer.endswith(end)


def test_http_1_0_refuses_chunks() -> None:
    """A body in chunks, which HTTP/1.0 does not know, is refused and not overlooked."""
    with Reference(variant="http-10") as reference:
        path = one(reference.servers[0], "00000000-0000-4000-8000-000000000000")
        answer = on_the_wire(reference, path, b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert b"no body" in answer


def test_a_port_in_use_is_one_message(reference: Reference) -> None:
    """A port that cannot be had ends the command with a message."""
    result = CliRunner().invoke(serve, ["--port", reference.url.rpartition(":")[2]])
    assert (result.exit_code, "cannot serve" in result.output) == (1, True)


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_an_address_is_held_until_its_last_association_is_removed(
    method: str, api: Api, reference: Reference, address: dict[str, Any]
) -> None:
    """De-allocation is refused with 409 until nothing is associated any more."""
    path = f"/v2.0/ip_addresses/{address['id']}"
    nothing: Any = {"ip_address": {"port_ids": []}} if method == "PUT" else None
    for server in reference.servers[:2]:
        assert api.send_json(method, path, nothing)[0] == 409
        api.send("DELETE", one(server, address["id"]))
    assert api.send_json(method, path, nothing)[0] == {"DELETE": 204, "PUT": 200}[method]
    assert api.send("GET", path)[0] == 404
    assert not reference.store.state.addresses


def test_associating_twice_is_associating_once(api: Api, reference: Reference, address: dict[str, Any]) -> None:
    """PUT is idempotent and accepts the empty association, but no other member."""
    before = reference.store.state
    path = one(reference.servers[0], address["id"])
    assert api.send_json("PUT", path, {"ip_association": {}})[0] == 201
    assert api.send_json("PUT", path, {"something": {}})[0] == 400
    assert reference.store.state == before


def test_an_address_needs_a_port_on_the_server(api: Api, reference: Reference, address: dict[str, Any]) -> None:
    """An address cannot be associated with a server on which it has no port."""
    assert api.send("PUT", one(reference.servers[3], address["id"]))[0] == 400


def test_the_quota_of_shared_addresses_is_kept(api: Api, reference: Reference) -> None:
    """The sixth shared address is refused."""
    codes = [api.allocate(*reference.servers[:2], version=6)[0] for _ in range(6)]
    assert codes == [201] * 5 + [400]


def test_the_quota_of_a_port_is_kept(api: Api, reference: Reference) -> None:
    """The seventh address of a port is refused."""
    codes = [api.allocate(reference.servers[0])[0] for _ in range(7)]
    assert codes == [201] * 6 + [400]


def test_a_released_literal_is_not_handed_out_again(api: Api, reference: Reference) -> None:
    """Each allocation gets a literal of its own."""
    literals = set()
    for _ in range(3):
        _, document = api.allocate(*reference.servers[:2])
        literals.add(document["ip_address"]["address"])
        assert api.send("DELETE", f"/v2.0/ip_addresses/{document['ip_address']['id']}")[0] == 204
    assert len(literals) == 3


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"network_id": "another"}, 404),
        ({"network_id": None}, 400),
        ({"version": 5}, 400),
        ({"port_ids": []}, 400),
        ({"port_ids": "none"}, 400),
        ({"port_ids": ["unknown"]}, 400),
    ],
)
def test_a_wrong_allocation_is_refused(wanted: dict[str, Any], code: int, api: Api, reference: Reference) -> None:
    """An allocation is refused for each of its members."""
    right = {"network_id": PUBLIC, "version": 4, "port_ids": list(reference.ports.values())[:2]}
    assert api.send_json("POST", "/v2.0/ip_addresses", {"ip_address": right | wanted})[0] == code


def test_ports_are_found_by_their_server(api: Api, reference: Reference) -> None:
    """The query selects the ports of one server."""
    server = reference.servers[1]
    _, _, content = api.send("GET", f"/v2.0/ports?device_id={server}")
    assert [(port["id"], port["device_id"]) for port in json.loads(content)["ports"]] == [
        (reference.ports[server], server)
    ]


def test_ports_may_be_replaced_while_nothing_is_associated(api: Api, reference: Reference) -> None:
    """Replacing ports is granted without associations and refused with one."""
    _, document = api.allocate(*reference.servers[:2])
    path = f"/v2.0/ip_addresses/{document['ip_address']['id']}"
    moved = {"ip_address": {"port_ids": list(reference.ports.values())[2:]}}
    assert api.send_json("PUT", path, moved)[1]["ip_address"]["port_ids"] == moved["ip_address"]["port_ids"]
    api.send("PUT", one(reference.servers[2], document["ip_address"]["id"]))
    assert api.send_json("PUT", path, moved)[0] == 409


def test_head_and_options_are_answered(api: Api, reference: Reference, address: dict[str, Any]) -> None:
    """HEAD and OPTIONS have an answer that makes sense."""
    path = one(reference.servers[0], address["id"])
    assert api.send("HEAD", path)[0] == 200
    code, headers, _ = api.send("OPTIONS", path)
    assert (code, "DELETE" in headers["allow"]) == (200, True)


def test_two_removals_have_one_winner(reference: Reference, address: dict[str, Any]) -> None:
    """The deployment itself has no race: of eight overlapping removals one succeeds."""
    path, codes = one(reference.servers[0], address["id"]), list[int]()
    barrier = threading.Barrier(8)

    def remove() -> None:
        client = Api(reference)
        barrier.wait()
        codes.append(client.send("DELETE", path)[0])
        client.connection.close()

    threads = [threading.Thread(target=remove) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [204] + [400] * 7


def test_only_the_loopback_interface_is_served() -> None:
    """Any other interface is refused, by the API and by the command."""
    with pytest.raises(ValueError, match="no loopback address"):
        Reference(Settings(host="0.0.0.0"))
    assert "no loopback address" in CliRunner().invoke(serve, ["--host", "0.0.0.0"]).output


def test_the_command_announces_itself_and_ends_with_its_input(tmp_path: Path) -> None:
    """The first line says where it listens, the file is a target description, and no token is shown."""
    target = tmp_path / "target.yaml"
    command = [sys.executable, "-m", "conformance.reference", "--exit-with-stdin", "--write-target", str(target)]
    tokens = {"CONFORMANCE_TOKEN": "open-sesame", "CONFORMANCE_RESTRICTED_TOKEN": "look-only"}
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, **tokens, "PYTHONPATH": root}
    environment.pop("CONFORMANCE_FOREIGN_TOKEN", None)
    finished = subprocess.run(
        [*command, "--variant", "two-ports", "--quota", "2"],
        input="",
        capture_output=True,
        text=True,
        env=environment,
        timeout=30,
        check=True,
    )
    first, greeting, *exports, judged = finished.stdout.splitlines()
    announced, described = json.loads(first), yaml.safe_load(target.read_text(encoding="utf-8"))
    assert announced["compute"] == described["compute"] != announced["network"] == described["network"]
    assert described["auth"]["token"] == "env:CONFORMANCE_TOKEN"
    assert described["limits"] == announced["limits"] == {"max_addresses": 2}
    assert greeting.startswith(f"# The reference deployment listens at {announced['compute']} ")
    assert [line.partition("=")[0] for line in exports] == ["export CONFORMANCE_FOREIGN_TOKEN"]
    assert judged == f"conformance run --target {target}", "copied with what stands before it, it has its tokens"
    assert "open-sesame" not in finished.stdout + target.read_text(encoding="utf-8") + finished.stderr


def test_on_a_terminal_the_command_greets() -> None:
    """What only a program reads is left out; the lines after the first one can be copied as they stand."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "conformance.reference", "--exit-with-stdin"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=terminal, env=environment, text=True) as process:
        os.close(terminal)
        said = ""
        while "conformance run" not in said:
            said += os.read(controller, 4096).decode()
        process.communicate("", timeout=30)
    os.close(controller)
    greeting, *lines = said.splitlines()
    assert greeting.startswith("# The reference deployment listens at http://127.0.0.1:")
    assert all(line.startswith(("export CONFORMANCE_", "conformance run --target http://")) for line in lines), said


def test_an_unknown_fault_is_a_usage_error_that_names_near_ones() -> None:
    """The command helps with a misspelt name."""
    result = CliRunner().invoke(serve, ["--fault", "removal-does-nothin"])
    assert (result.exit_code, "did you mean removal-does-nothing" in result.output) == (2, True)


@pytest.mark.parametrize(("option", "words"), [("--list-faults", "effect.removed"), ("--list-variants", "two-ports")])
def test_faults_and_variants_are_listed(option: str, words: str) -> None:
    """The catalogue can be read from the command line."""
    assert words in CliRunner().invoke(serve, [option]).output

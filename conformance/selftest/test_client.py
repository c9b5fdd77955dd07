import base64
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from client_raw import ADDRESS, SERVER, TOKEN, Peer, RawServer, client_of

from conformance.client import Client, again_after, passing, retried
from conformance.client.session import READ_CONNECTIONS
from conformance.evidence import Exchange, Recorder, Request, Response

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: session=secret; Path=/\r\n\r\n{}"


class Recording(RawServer):
    """A server that keeps what it was sent: a head and a body for each request."""

    def __init__(self) -> None:
        super().__init__(self._keep)
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.answers: list[bytes] = []

    def _keep(self, peer: Peer) -> None:
        while head := peer.head():
            length = re.search(rb"(?i)content-length: (\d+)", head)
            chunked = b"chunked" in head.lower()
            self.bodies.append(peer.until(b"0\r\n\r\n") if chunked else peer.body(int(length[1])) if length else b"")
            self.heads.append(head)
            peer.send(self.answers.pop(0) if self.answers else ANSWER)


def answered(code: int) -> bytes:
    """An answer without content."""
    return b"HTTP/1.1 %d Reason\r\nContent-Length: 0\r\n\r\n" % code


@pytest.fixture
def server() -> Iterator[Recording]:
    """A recording server."""
    with Recording() as running:
        yield running


@pytest.fixture
def client(server: Recording, tmp_path: Path) -> Client:
    """A client of it."""
    return client_of(server.url, tmp_path)


def test_a_bare_removal_says_nothing_of_a_body(server: Recording, client: Client) -> None:
    """It carries neither a Content-Length nor a Transfer-Encoding, nor a media type."""
    client.remove(SERVER, ADDRESS)
    head = server.heads[0].lower()
    assert head.startswith(f"delete /v2/servers/{SERVER}/ip_associations/{ADDRESS} http/1.1\r\n".encode())
    for name in (b"content-length", b"transfer-encoding", b"content-type", b"cookie", b"authorization"):
        assert name not in head


def test_a_body_is_framed_as_asked(server: Recording, client: Client) -> None:
    """By its length, or in chunks and then without a length."""
    client.remove(SERVER, ADDRESS, body=b"x" * 20_000, framing="content-length")
    client.remove(SERVER, ADDRESS, body=b"x" * 20_000, framing="chunked")
    client.remove(SERVER, ADDRESS, body=b"", framing="chunked")
    client.remove(SERVER, ADDRESS, body=b"", framing="content-length")
    assert b"Content-Length: 20000\r\n" in server.heads[0]
    assert b"Transfer-Encoding" not in server.heads[0]
    assert b"Transfer-Encoding: chunked\r\n" in server.heads[1]
    assert b"Content-Length" not in server.heads[1]
    assert server.bodies[1] == b"4000\r\n" + b"x" * 16384 + b"\r\ne20\r\n" + b"x" * 3616 + b"\r\n0\r\n\r\n"
    assert server.bodies[2] == b"0\r\n\r\n"
    assert b"Content-Length: 0\r\n" in server.heads[3]


@pytest.mark.parametrize(
    "segment", ["%7b%7B", "a%2eb", "%41", "%zz", "100%25", "a;b=c,d", "%C3%BC%ff", "it's!(*)", "a|b"]
)
def test_a_path_goes_out_byte_for_byte(server: Recording, client: Client, segment: str) -> None:
    """Nothing on the way decodes, encodes or changes the case of what was percent-encoded."""
    client.remove(SERVER, segment, raw=True, query="a=%7e&b=%zz")
    line = f"DELETE /v2/servers/{SERVER}/ip_associations/{segment}?a=%7e&b=%zz HTTP/1.1\r\n"
    assert server.heads[0].startswith(line.encode())


@pytest.mark.parametrize("method", ["delete", "Delete", "PURGE", "POST", "HEAD"])
def test_a_method_keeps_its_case(server: Recording, client: Client, method: str) -> None:
    """Methods are case-sensitive (RFC 9110, 9.1)."""
    client.remove(SERVER, ADDRESS, method=method)
    assert server.heads[0].startswith(method.encode() + b" ")


def test_an_association_without_a_body_declares_no_content(server: Recording, client: Client) -> None:
    """RFC 9110, 8.6: PUT anticipates content."""
    client.associate(SERVER, ADDRESS)
    assert b"Content-Length: 0\r\n" in server.heads[0]


def test_a_target_that_wants_a_body_for_an_association_gets_the_empty_one(client: Client, server: Recording) -> None:
    """Once without, once with it, and from then on with it; what was refused on its merits is not asked for again."""
    server.answers = [answered(code) for code in (400, 201, 201, 400)]
    codes = [client.associate(SERVER, ADDRESS).status for _ in range(3)]
    assert codes == [201, 201, 400]
    assert server.bodies == [b"", *[b'{"ip_association": {}}'] * 3]


def test_an_association_that_is_refused_with_and_without_a_body_is_refused(client: Client, server: Recording) -> None:
    """What the target said first counts."""
    server.answers = [answered(code) for code in (400, 409, 201)]
    assert [client.associate(SERVER, ADDRESS).status for _ in range(2)] == [400, 201]
    assert server.bodies == [b"", b'{"ip_association": {}}', b""]


def test_cookies_are_not_sent_back(server: Recording, client: Client) -> None:
    """Each request stands for itself."""
    first, _ = client.remove(SERVER, ADDRESS), client.remove(SERVER, ADDRESS)
    assert b"cookie" not in server.heads[1].lower()
    assert server.connections == 1
    assert ("Set-Cookie", "[redacted]") in (first.response.headers if first.response else ())


def test_a_netrc_is_not_used(
    server: Recording, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only credential is the target's."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client.list_addresses()
    assert b"authorization" not in server.heads[0].lower()


def test_no_credential_sends_no_token(server: Recording, client: Client) -> None:
    """And what stands in its place is sent as it is."""
    client.remove(SERVER, ADDRESS, credential=None)
    client.remove(SERVER, ADDRESS, credential=None, headers={"X-Auth-Token": ""})
    client.remove(SERVER, ADDRESS)
    assert b"x-auth-token" not in server.heads[0].lower()
    assert b"X-Auth-Token: \r\n" in server.heads[1]
    assert f"X-Auth-Token: {TOKEN}\r\n".encode() in server.heads[2]


def test_a_proxy_of_the_environment_is_used_and_its_exceptions_are_kept(
    server: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The absolute form goes to the proxy, byte for byte; a host under NO_PROXY is asked itself."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert client_of("http://cloud.invalid:81", tmp_path).remove(SERVER, "%7b", raw=True).status == 200
    assert server.heads[0].startswith(
        f"DELETE http://cloud.invalid:81/v2/servers/{SERVER}/ip_associations/%7b ".encode()
    )
    client_of(server.url, tmp_path).list_addresses()
    assert server.heads[1].startswith(b"GET /v2.0/ip_addresses ")


def test_a_tunnel_is_asked_of_the_proxy_for_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy learns the host and nothing else; its refusal is named as the proxy's."""
    heads = []

    def refuse(peer: Peer) -> None:
        heads.append(peer.head())
        peer.send(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    with RawServer(refuse) as proxy:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        exchange = client_of("https://cloud.invalid", tmp_path).list_addresses()
    assert heads[0].startswith(b"CONNECT cloud.invalid:443 HTTP/1.")
    assert TOKEN.encode() not in heads[0]
    assert exchange.failure.startswith("the proxy: ")
    assert "407" in exchange.failure


def test_reads_take_turns_on_several_connections(server: Recording, client: Client) -> None:
    """Behind a balancer of connections, a single one would show a single replica."""
    for _ in range(2 * READ_CONNECTIONS):
        client.list_addresses()
    assert server.connections == READ_CONNECTIONS


def test_threads_have_connections_of_their_own(client: Client) -> None:
    """Requests at the same time do not mix, and each exchange has its own ID."""
    threads = [threading.Thread(target=lambda: [client.list_addresses() for _ in range(20)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorded = client.recorder.exchanges
    assert len(recorded) == client.recorder.total == 160
    assert {exchange.status for exchange in recorded.values()} == {200}


def exchange(status: int | None, retry_after: str | None = None, failure: str = "connection refused") -> Exchange:
    """An exchange that was answered so."""
    headers = (("Retry-After", retry_after),) if retry_after is not None else ()
    response = Response(status, headers=headers) if status else None
    return Exchange("1", "x", "full", Request("GET", "http://x/"), 0, 0, 0, response, "" if status else failure)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("-1", 0.1),
        ("nan", 0.1),
        ("inf", 0),
        ("60", 20),
        ("61", 0),
        ("1000000000", 0),
        ("soon", 0.1),
        ("", 0.1),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.1),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 0),
        ("Mon, 01 Jan 0001 00:00:00 -2359", 0.1),
        ("9" * 400, 0),
    ],
)
def test_a_wish_to_wait_is_heeded_within_bounds(asked: str, seconds: float) -> None:
    """Whatever a target writes into Retry-After."""
    assert again_after(exchange(503, asked), 0) == seconds


def test_a_silent_target_is_asked_twice_only() -> None:
    """Each time may take the whole timeout; another passing answer is waited out for longer."""
    silent = [exchange(None, failure="timed out: x") for _ in range(9)]
    assert retried(silent.pop).code == "lost"
    assert len(silent) == 7
    passed = [exchange(200), exchange(503), exchange(413), exchange(None)]
    assert retried(passed.pop).status == 200
    assert passing(exchange(503))
    assert not passing(exchange(409))


def test_a_private_authority_is_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle that does not exist is an error of the set-up that the exchange names."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "absent.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        failure = client_of(f"https://127.0.0.1:{listener.getsockname()[1]}", tmp_path).list_addresses().failure
    assert "absent.pem" in failure


def test_a_token_in_an_error_is_redacted(tmp_path: Path) -> None:
    """An answer that is no HTTP may be an echo."""

    def echo(peer: Peer) -> None:
        peer.send(b"X-Auth-Token was " + base64.b64encode(b"user:" + TOKEN.encode()) + b" " + peer.head() + b"\r\n")

    with RawServer(echo) as server:
        exchange = client_of(server.url, tmp_path).list_addresses()
    assert exchange.failure.startswith("no HTTP answer")
    assert TOKEN not in exchange.failure
    assert base64.b64encode(b"user:" + TOKEN.encode()).decode() not in exchange.failure


def test_a_recorder_counts_what_it_forgets() -> None:
    """Counts are of the process, exchanges of the test."""
    recorder = Recorder(prefix="gw0-")
    seen: list[str] = []
    recorder.listeners.append(lambda one: seen.append(one.code))
    assert recorder.next_id() == "gw0-1"
    recorder.record(exchange(204), removal=True)
    recorder.record(exchange(None), removal=False)
    recorder.forget()
    assert recorder.exchanges == {}
    assert recorder.by_code == {"204": 1, "lost": 1}
    assert recorder.removals_by_code == {"204": 1}
    assert seen == ["204", "lost"]


def test_a_default_field_is_left_out(server: Recording, client: Client) -> None:
    """None in place of a value: neither the suite nor the libraries below it send the field."""
    client.remove(SERVER, ADDRESS, headers={"Accept": None, "User-Agent": None, "Accept-Encoding": None})
    head = server.heads[0].lower()
    assert not [name for name in (b"accept:", b"user-agent:", b"accept-encoding:") if name in head]


def test_chunks_are_as_small_as_asked(server: Recording, client: Client) -> None:
    """One byte each."""
    client.remove(SERVER, ADDRESS, body=b"{}", framing="chunked", chunk_bytes=1)
    assert server.bodies[0] == b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"


def test_the_servers_segment_goes_out_as_it_is(server: Recording, client: Client) -> None:
    """Percent-encoded already, in place of the server's ID."""
    client.remove(SERVER, ADDRESS, segment="%2573%41", headers={"Connection": "close"})
    assert server.heads[0].startswith(f"DELETE /v2/servers/%2573%41/ip_associations/{ADDRESS} ".encode())
    assert b"Connection: close\r\n" in server.heads[0]


def test_names_of_fields_can_go_out_in_lower_case(server: Recording, client: Client) -> None:
    """As Node.js sends them; the token is the token, and evidence shows the names as they were."""
    exchange = client.remove(SERVER, ADDRESS, lower_case=True)
    names = [line.partition(b":")[0] for line in server.heads[0].splitlines()[1:] if line]
    assert {b"accept", b"x-auth-token"} <= set(names)
    assert not {b"Accept", b"X-Auth-Token"} & set(names)
    assert {"accept", "x-auth-token"} <= {name for name, _ in exchange.request.headers}
    assert TOKEN not in str(exchange)

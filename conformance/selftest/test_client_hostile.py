import contextlib
import gzip
import os
import resource
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from client_raw import ADDRESS, SERVER, TIMEOUT_SECONDS, TOKEN, Behaviour, Peer, RawServer, answering, client_of, once

from conformance.client import Client, retried
from conformance.client.content import MOST_BODY_BYTES
from conformance.client.wire import WireAdapter
from conformance.errors import Exhausted
from conformance.evidence import Exchange
from conformance.judge import Pair, state

pytestmark = pytest.mark.once

OK = b"HTTP/1.1 200 OK\r\n"
LARGE_BYTES = 20_000_000
"""More than the buffers on both sides take."""

SLACK_SECONDS = 20.0
"""On top of the timeout, for a machine that is busy with other tests."""


class Serve(Protocol):
    """What the fixture gives."""

    def __call__(self, behaviour: Behaviour) -> Client:
        """A client of a server that behaves so."""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start servers and give clients of them, until the test ends."""
    with contextlib.ExitStack() as running:

        def start(behaviour: Behaviour) -> Client:
            return client_of(running.enter_context(RawServer(behaviour)).url, tmp_path)

        yield start


def removed(client: Client, body: bytes | None = None, framing: str = "content-length") -> Exchange:
    """Remove, and see that it took no longer than the timeout of the target."""
    start = time.monotonic()
    exchange = client.remove(SERVER, ADDRESS, body=body, framing=framing if body is not None else "none")
    assert time.monotonic() - start < TIMEOUT_SECONDS + SLACK_SECONDS
    return exchange


def trickled_head(peer: Peer) -> None:
    """The head comes, a byte at a time."""
    peer.head()
    peer.send(OK)
    peer.endlessly(b"x", 0.05)


def trickled_body(peer: Peer) -> None:
    """The body comes, a byte at a time."""
    peer.head()
    peer.send(OK, b"Content-Length: 100000\r\n\r\n")
    peer.endlessly(b"x", 0.05)


def trickled_chunks(peer: Peer) -> None:
    """Chunks come, a byte in each."""
    peer.head()
    peer.send(OK, b"Transfer-Encoding: chunked\r\n\r\n")
    peer.endlessly(b"1\r\nx\r\n", 0.05)


def endless_interim_answers(peer: Peer) -> None:
    """One interim answer follows another."""
    peer.head()
    peer.endlessly(b"HTTP/1.1 102 Processing\r\n\r\n", 0.01)


def endless_chunk_extension(peer: Peer) -> None:
    """A chunk's size has no end."""
    peer.head()
    peer.send(OK, b"Transfer-Encoding: chunked\r\n\r\n")
    peer.endlessly(b"1" * 4096)


def endless_trailers(peer: Peer) -> None:
    """The last chunk is followed by fields without end."""
    peer.head()
    peer.send(OK, b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    peer.endlessly(b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_header_line(peer: Peer) -> None:
    """A field has no end."""
    peer.head()
    peer.send(OK, b"X: ")
    peer.endlessly(b"x" * 4096)


def endless_headers(peer: Peer) -> None:
    """The header section has no end."""
    peer.head()
    peer.send(OK)
    peer.endlessly(b"X-More: more\r\n" * 100)


def silence(peer: Peer) -> None:
    """Nothing comes."""
    peer.head()
    peer.hang()


def reset_in_the_body(peer: Peer) -> None:
    """The connection breaks in mid-answer."""
    peer.head()
    peer.send(OK, b"Content-Length: 1000\r\n\r\nbegun")
    peer.reset()


def reset_before_the_answer(peer: Peer) -> None:
    """The connection breaks instead of an answer."""
    peer.head()
    peer.reset()


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (silence, "timed out: no complete answer within 1 s"),
        (trickled_head, "timed out"),
        (trickled_body, "timed out"),
        (trickled_chunks, "timed out"),
        (endless_interim_answers, "timed out"),
        (endless_trailers, "timed out"),
        (endless_chunk_extension, "no HTTP answer"),
        (endless_header_line, "no HTTP answer"),
        (endless_headers, "no HTTP answer"),
        (reset_in_the_body, "the connection broke"),
        (reset_before_the_answer, "the connection broke"),
        (once(), "the connection was closed without an answer"),
        (once(b"SSH-2.0-OpenSSH_9.6\r\n"), "no HTTP answer"),
        (once(b"\x16\x03\x01\x00\x05garbage\r\n\r\n"), "no HTTP answer"),
        (once(b"HTTP/1.1 abc OK\r\n\r\n"), "no HTTP answer"),
        (once(b"HTTP/3.9 200 OK\r\n\r\n"), "no HTTP answer"),
        (once(OK, b"Content-Length: 1000\r\n\r\nshort"), "the answer broke off"),
        (once(OK, b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"), "the answer broke off"),
        (once(OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab"), "the answer broke off"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_answer_that_does_not_come_is_lost_for_a_stated_reason(
    serve: Serve, behaviour: Behaviour, failure: str
) -> None:
    """Whatever the target does instead of answering is named, within the timeout as a whole."""
    exchange = removed(serve(behaviour))
    assert exchange.response is None
    assert exchange.failure.startswith(failure)
    assert exchange.code == "lost"


def test_a_refused_connection_is_named(tmp_path: Path) -> None:
    """Nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert removed(client_of(f"http://127.0.0.1:{port}", tmp_path)).failure == "connection refused"


def test_a_connection_that_is_never_accepted_times_out(tmp_path: Path) -> None:
    """A full backlog leaves a caller waiting for no longer than the timeout."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as waiting:
        for _ in range(4):
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        exchange = removed(client_of(f"http://127.0.0.1:{listener.getsockname()[1]}", tmp_path))
    assert exchange.failure.startswith("timed out")


def test_a_host_that_has_no_address_is_named(tmp_path: Path) -> None:
    """The reserved name resolves nowhere (RFC 2606)."""
    failure = client_of("http://nowhere.invalid", tmp_path, timeout=30).list_addresses().failure
    assert failure.startswith(("the host name cannot be resolved", "timed out"))


def test_what_is_no_tls_is_named(serve: Serve, tmp_path: Path) -> None:
    """A plain server behind an https URL is a TLS failure, not a traceback."""

    def answer(peer: Peer) -> None:
        peer.connection.recv(65536)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    plain = serve(answer)
    client = client_of(plain.target.compute.removesuffix("/v2").replace("http:", "https:"), tmp_path)
    assert removed(client).failure.startswith("TLS failed")


def test_a_tls_handshake_that_trickles_times_out(serve: Serve, tmp_path: Path) -> None:
    """Each byte in time makes no handshake in time."""

    def trickle(peer: Peer) -> None:
        peer.connection.recv(1)
        peer.send(b"\x16\x03\x03\x40\x00")
        peer.endlessly(b"\x02", 0.05)

    plain = serve(trickle)
    client = client_of(plain.target.compute.removesuffix("/v2").replace("http:", "https:"), tmp_path)
    assert removed(client).failure.startswith("timed out")


@pytest.mark.parametrize(
    "body",
    [
        OK + b"\r\n",
        OK + b"Content-Length: 400000000\r\n\r\n",
        OK + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n",
    ],
    ids=["to the end of the connection", "400 MB", "one chunk after another"],
)
def test_a_body_without_end_is_cut_at_the_limit(serve: Serve, body: bytes) -> None:
    """So much is kept, and the answer says that there was more."""
    piece = b"x" * 65536 + (b"\r\n10000\r\n" if b"chunked" in body else b"")

    def behave(peer: Peer) -> None:
        peer.head()
        peer.send(body)
        peer.endlessly(piece)

    exchange = removed(serve(behave))
    assert exchange.response is not None
    assert exchange.response.truncated
    assert len(exchange.response.body) == MOST_BODY_BYTES


def test_a_recorded_body_is_cut_to_what_a_report_keeps(serve: Serve) -> None:
    """The judge sees all of it, the recorder does not pile it up, and the report knows the size."""
    client = serve(answering(OK, b"Content-Length: 1000000\r\n\r\n", b"x" * 1_000_000))
    exchange = removed(client)
    assert len(exchange.response.body if exchange.response else b"") == 1_000_000
    kept = client.recorder.exchanges[exchange.id]
    assert len(kept.response.body if kept.response else b"") == 4096
    assert kept.to_json()["response"]["body"]["bytes"] == 1_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compression_bomb_is_cut_at_the_limit(serve: Serve, coding: str) -> None:
    """A quarter of a gigabyte in a quarter of a megabyte costs no more memory than any other long body."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16 if coding == "gzip" else zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(256)) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    head = OK + f"Content-Encoding: {coding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    response = removed(serve(answering(head, bomb))).response
    assert response is not None
    assert response.truncated
    assert len(response.body) <= MOST_BODY_BYTES
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_compression_that_nobody_asked_for_is_undone(serve: Serve) -> None:
    """The document is read all the same; what only pretends to be compressed is left as it is."""
    packed = gzip.compress(b'{"ip_addresses": []}')
    head = OK + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    response = serve(answering(head, packed)).list_addresses().response
    assert response is not None
    assert response.json() == {"ip_addresses": []}
    response = serve(answering(OK, b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")).list_addresses().response
    assert response is not None
    assert response.body == b"{}"


def early_refusal(peer: Peer) -> None:
    """The head is enough to refuse and to close."""
    peer.head()
    peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")


def early_refusal_without_a_close(peer: Peer) -> None:
    """The head is enough to refuse."""
    peer.head()
    peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno")
    peer.hang()


def hang_on_a_body(peer: Peer) -> None:
    """The body is never read."""
    peer.head()
    peer.hang()


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
@pytest.mark.parametrize("behaviour", [early_refusal, early_refusal_without_a_close])
def test_a_refusal_that_comes_before_the_body_is_sent_is_read(serve: Serve, behaviour: Behaviour, framing: str) -> None:
    """The rest of a large body is not sent any more, and the next request has a connection of its own."""
    client = serve(behaviour)
    for _ in range(2):
        exchange = removed(client, b"x" * LARGE_BYTES, framing)
        assert exchange.status == 400, exchange.failure


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_body_that_nobody_reads_times_out(serve: Serve, framing: str) -> None:
    """Waiting to send is part of the time that an answer may take."""
    assert removed(serve(hang_on_a_body), b"x" * LARGE_BYTES, framing).failure.startswith("timed out")


def test_a_redirect_is_an_answer_and_is_not_followed(serve: Serve) -> None:
    """The other host sees no request, so no token."""
    with RawServer(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as other:
        location = f"Location: {other.url}/v2/elsewhere\r\n".encode()
        client = serve(answering(b"HTTP/1.1 307 Moved\r\n" + location + b"Content-Length: 4\r\n\r\nmove"))
        exchange = removed(client)
        assert exchange.status == 307
        assert exchange.response is not None
        assert exchange.response.body == b"move"
        assert other.connections == 0


def test_interim_answers_are_passed_over(serve: Serve) -> None:
    """100, 102 and 103 precede the answer and are none; the connection stays usable."""
    interim = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    )
    client = serve(answering(interim, b"HTTP/1.1 204 No Content\r\n\r\n"))
    assert [removed(client).status for _ in range(3)] == [204, 204, 204]


def test_an_interim_answer_does_not_end_a_body(serve: Serve) -> None:
    """The body is sent to its end although something can be read meanwhile."""

    def behave(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert len(peer.body(5_000_000)) == 5_000_000
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    assert removed(serve(behave), b"x" * 5_000_000).status == 400


def test_control_characters_reach_the_record_as_they_came(serve: Serve) -> None:
    """Neither the reason nor a field breaks the client; showing them is the report's affair."""
    client = serve(answering(b"HTTP/1.1 404 No\x07pe\x1b[31m\r\nX-Odd: a\x00b\x1b]0;\xff\r\nContent-Length: 0\r\n\r\n"))
    response = removed(client).response
    assert response is not None
    assert response.status == 404
    assert "\x1b[31m" in response.reason
    assert response.header("X-Odd") == "a\x00b\x1b]0;\xff"


def test_http_10_is_spoken(serve: Serve) -> None:
    """An answer that ends with its connection is whole."""
    response = serve(once(b"HTTP/1.0 200 OK\r\n\r\n{}")).list_addresses().response
    assert response is not None
    assert response.body == b"{}"


class TestContentOf204:
    """What follows a 204 is seen, and never taken for the next answer."""

    PLAIN = b"HTTP/1.1 204 No Content\r\n\r\n"

    @pytest.mark.parametrize(
        ("pieces", "body"),
        [
            ([b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}"], b"{}"),
            ([b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"{}"], b"{}"),
            ([b"HTTP/1.1 204 No Content\r\nContent-Length: 17\r\n\r\n"], b""),
            ([b"HTTP/1.1 204 No Content\r\n\r\n{}"], b"{}"),
            ([b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], b"0\r\n\r\n"),
            ([b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"], None),
            ([b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"], b""),
        ],
    )
    def test_it_is_seen_and_the_next_answer_is_not_spoilt(
        self, serve: Serve, pieces: list[bytes], body: bytes | None
    ) -> None:
        """In the same segment or in a later one, announced or not."""

        def behave(peer: Peer) -> None:
            peer.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while head := peer.head():
                if head.startswith(b"DELETE"):
                    for piece in pieces:
                        peer.send(piece)
                        peer.stopped.wait(0.01)
                else:
                    peer.send(OK, b"Content-Length: 23\r\n\r\n", b'{"ip_associations": []}')

        client = serve(behave)
        for _ in range(2):
            response = removed(client).response
            assert response is not None
            assert response.status == 204
            assert response.body == (b"2\r\n{}\r\n0\r\n\r\n" if body is None else body)
            assert client.list_associations(SERVER).status == 200

    def test_content_before_the_end_of_the_connection_is_seen(self, serve: Serve) -> None:
        """HTTP/1.0 ends what it sends with the connection."""
        response = removed(serve(once(b"HTTP/1.0 204 No Content\r\n\r\n", b"surprise"))).response
        assert response is not None
        assert response.body == b"surprise"

    def test_a_clean_204_keeps_its_connection(self, tmp_path: Path) -> None:
        """Looking for content costs no new connection."""
        with RawServer(answering(self.PLAIN)) as server:
            client = client_of(server.url, tmp_path)
            assert [removed(client).status for _ in range(5)] == [204] * 5
            assert server.connections == 1


def test_more_than_the_declared_content_does_not_spoil_the_next_answer(tmp_path: Path) -> None:
    """A Content-Length that is too short ends the answer there, and the connection with it."""
    with RawServer(answering(OK, b"Content-Length: 2\r\n\r\n{}HTTP/1.1 500 Smuggled\r\n\r\n")) as server:
        client = client_of(server.url, tmp_path)
        assert [client.list_addresses().status for _ in range(4)] == [200] * 4
        assert server.connections == 4


def test_a_connection_that_was_closed_while_idle_is_replaced(serve: Serve) -> None:
    """The next request does not pay for it, or, if the end crosses it on the way, is repeated."""
    client = serve(once(OK, b"Content-Length: 2\r\n\r\n{}"))
    assert [retried(client.list_addresses).status for _ in range(5)] == [200] * 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>not JSON",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'"text"',
        b"\xff\xfe{",
        b"[" * 100_000,
        b"9" * 100_000,
        b'{"ip_associations": null, "ip_association": [], "ip_address": 3, "ip_addresses": {}, "ports": "x"}',
        b'{"ip_associations": [null, 3, "x", {}, {"id": null}, {"id": {}}, {"id": ""}]}',
        b'{"ip_addresses": [null, {"id": 3}, {"id": "a", "port_ids": 3}, {"id": "a", "port_ids": [null, {}]}]}',
        b'{"ip_association": {"id": [], "address": {}}, "ip_address": {"id": 1, "port_ids": [{}, null, 3]}}',
        b'{"ip_address": {"port_ids": {"a": 1}}}',
    ],
)
def test_a_document_of_another_shape_is_read_as_far_as_it_goes(serve: Serve, body: bytes) -> None:
    """No reader of the state breaks on what a target writes."""
    client = serve(answering(OK, f"Content-Length: {len(body)}\r\n\r\n".encode(), body))
    pair = Pair(ADDRESS, SERVER)
    listed = state.from_list(client.list_associations(SERVER), SERVER, [ADDRESS])
    shown = state.from_show(client.show_association(SERVER, ADDRESS), pair)
    owned = state.from_address(client.show_address(ADDRESS), ADDRESS)
    assert not listed.listed.get(pair)
    assert not shown.shown.get(pair)
    assert ADDRESS not in owned.ports or owned.ports[ADDRESS] is not None


def test_no_header_of_a_broken_section_reaches_a_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    """What the libraries below say of a target's headers has not passed redaction."""
    caplog.set_level("DEBUG")
    client = serve(answering(OK, b"no colon " + TOKEN.encode() + b"\r\nContent-Length: 0\r\n\r\n"))
    client.remove(SERVER, ADDRESS, query=f"X-Auth-Token={TOKEN}")
    assert TOKEN not in caplog.text


@pytest.fixture
def descriptors() -> Iterator[Callable[[int], None]]:
    """Open files until so many are; they are closed, and the limit is as it was, when the test ends."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as opened:

        def use(highest: int) -> None:
            while opened.enter_context(open(os.devnull, "rb")).fileno() < highest:  # noqa: PTH123  # a descriptor
                pass

        yield use
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_more_descriptors_than_select_knows_are_no_silence(serve: Serve, descriptors: Callable[[int], None]) -> None:
    """A run with more than 1,024 open files sends and hears as any other."""
    client = serve(early_refusal)
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    descriptors(1100)
    assert removed(client, b"x").status == 400


def test_a_machine_without_descriptors_is_an_error_of_the_suite(
    serve: Serve, descriptors: Callable[[int], None]
) -> None:
    """And no answer that the target owes: nothing is recorded of it."""
    client = serve(silence)
    spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(2)]
    descriptors(max(spare) + 1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(spare), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with pytest.raises(Exhausted, match="Too many open files"):
        client.remove(SERVER, ADDRESS)
    for one in spare:
        os.close(one)


@pytest.mark.parametrize("mistake", [ValueError, TypeError])
def test_a_mistake_of_the_suite_is_not_the_targets_silence(
    serve: Serve, mistake: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes out, and ends the test that made it."""
    client = serve(silence)

    def broken(*_: object, **__: object) -> None:
        raise mistake("ours")

    monkeypatch.setattr(WireAdapter, "travel", broken)
    with pytest.raises(mistake, match="ours"):
        client.remove(SERVER, ADDRESS)

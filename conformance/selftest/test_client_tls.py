import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from client_raw import ADDRESS, SERVER, Behaviour, Peer, RawServer, client_of

from conformance.client import Client

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make certificates with")

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class SecureServer(RawServer):
    """The same behind TLS."""

    def __init__(self, behaviour: Behaviour, certificate: Path) -> None:
        super().__init__(behaviour)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self.url = f"https://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        try:
            secure = self._context.wrap_socket(connection, server_side=True)
            self._open.append(secure)
            super()._serve(secure)
        except OSError:
            connection.close()


def certificate(directory: Path, name: str, host: str, days: int) -> Path:
    """A key and a certificate that signs itself, in one file."""
    path = directory / f"{name}.pem"
    kind = ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{path}.key", "-out", f"{path}.crt", "-days", str(days)]
    subject = ["-subj", "/CN=test", "-addext", f"subjectAltName={host}"]
    subprocess.run(["openssl", "req", "-x509", *kind, *subject], check=True, capture_output=True)
    path.write_text(Path(f"{path}.key").read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the loopback address."""
    return certificate(tmp_path_factory.mktemp("certificates"), "good", "IP:127.0.0.1", 2)


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch, trusted: Path) -> None:
    """Its authority is known, as an operator makes a private one known."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{trusted}.crt")


@pytest.fixture
def silent(tmp_path: Path, trusted: Path) -> Iterator[Client]:
    """A client of a server that reads a head and then does nothing."""

    def behave(peer: Peer) -> None:
        peer.head()
        peer.hang()

    with SecureServer(behave, trusted) as server:
        yield client_of(server.url, tmp_path)


def answering(peer: Peer) -> None:
    """Answer every request."""
    while peer.head():
        peer.send(NO_CONTENT)


def test_an_unknown_authority_is_refused(tmp_path: Path, trusted: Path) -> None:
    """No request leaves."""
    with SecureServer(answering, trusted) as server:
        failure = client_of(server.url, tmp_path).remove(SERVER, ADDRESS).failure
    assert failure.startswith("TLS failed: ")
    assert "certificate" in failure


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although its authority is known."""
    other = certificate(tmp_path, "other", "DNS:other.invalid", 2)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{other}.crt")
    with SecureServer(answering, other) as server:
        assert client_of(server.url, tmp_path).remove(SERVER, ADDRESS).failure.startswith("TLS failed: ")


@pytest.mark.usefixtures("trust")
def test_a_private_authority_is_accepted_once_it_is_known(tmp_path: Path, trusted: Path) -> None:
    """The connection is kept."""
    with SecureServer(answering, trusted) as server:
        client = client_of(server.url, tmp_path)
        assert [client.remove(SERVER, ADDRESS).status for _ in range(3)] == [204, 204, 204]
        assert server.connections == 1


@pytest.mark.usefixtures("trust")
@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}"],
        [b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", b"{}"],
        [b"HTTP/1.1 204 No Content\r\n\r\n{}"],
    ],
)
def test_content_of_a_204_is_seen(tmp_path: Path, trusted: Path, pieces: list[bytes]) -> None:
    """In the same record or in a later one."""

    def behave(peer: Peer) -> None:
        while peer.head():
            for piece in pieces:
                peer.send(piece)
                peer.stopped.wait(0.01)

    with SecureServer(behave, trusted) as server:
        client = client_of(server.url, tmp_path)
        for _ in range(2):
            response = client.remove(SERVER, ADDRESS).response
            assert response is not None
            assert (response.status, response.body) == (204, b"{}")


@pytest.mark.usefixtures("trust")
def test_silence_is_bounded(silent: Client) -> None:
    """While waiting for an answer, and while a body is not read."""
    assert silent.list_addresses().failure.startswith("timed out")
    assert silent.remove(SERVER, ADDRESS, body=b"x" * 20_000_000, framing="content-length").failure.startswith("timed")


@pytest.mark.usefixtures("trust")
def test_a_body_that_trickles_is_bounded(tmp_path: Path, trusted: Path) -> None:
    """Each byte comes in time, the answer does not."""

    def behave(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        peer.endlessly(b"x", 0.05)

    with SecureServer(behave, trusted) as server:
        assert client_of(server.url, tmp_path).list_addresses().failure.startswith("timed out")

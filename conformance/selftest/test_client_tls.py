import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from client_raw import ADDRESS, SERVER, TOKEN, Behaviour, Peer, RawServer, client_of

from conformance import target
from conformance.client import Client, Pacer
from conformance.client.failure import STRICTER, why
from conformance.errors import UsageError
from conformance.evidence import Recorder
from conformance.target import Target

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make certificates with")

# What RFC 5280 asks of an authority and of every certificate; Python 3.13 insists on it.
AUTHORITY = "basicConstraints=critical,CA:TRUE"
USAGE = ("keyUsage=critical,keyCertSign,cRLSign",)
IDENTIFIERS = ("subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid")
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class SecureServer(RawServer):
    """The same behind TLS; ``callers`` has the authorities whose certificates callers have to show."""

    def __init__(self, behaviour: Behaviour, certificate: Path, callers: Path | None = None) -> None:
        super().__init__(behaviour)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        if callers:
            self._context.load_verify_locations(callers)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self.url = f"https://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        try:
            secure = self._context.wrap_socket(connection, server_side=True)
            self._open.append(secure)
            super()._serve(secure)
        except OSError:
            connection.close()


def certificate(
    directory: Path, name: str, host: str, days: int, authority: Path | None = None, usage: tuple[str, ...] = USAGE
) -> Path:
    """A key and a certificate, in one file; it signs itself unless an authority does."""
    path = directory / f"{name}.pem"
    # Nothing comes from the system's settings; openssl adds the key identifiers where they are asked for.
    (settings := directory / "openssl.cnf").write_text("[req]\ndistinguished_name=name\n[name]\n")
    kind = ["-config", str(settings), "-newkey", "rsa:2048", "-nodes", "-keyout", f"{path}.key", "-subj", f"/CN={name}"]
    signed = ["-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"] if authority else []
    # An end entity, except for authorities: they are named without a host.
    said = [f"subjectAltName={host}", *IDENTIFIERS] if host else [AUTHORITY, *usage, *IDENTIFIERS]
    extensions = [word for one in said for word in ("-addext", one)]
    request = ["openssl", "req", "-x509", *kind, *extensions, "-days", str(days), *signed, "-out", f"{path}.crt"]
    subprocess.run(request, check=True, capture_output=True)
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


@pytest.mark.parametrize(("first", "accepted"), [("", True), ("other", False)])
def test_the_authorities_of_openssl_count_where_no_others_are_named(
    first: str,
    accepted: bool,  # noqa: FBT001
    tmp_path: Path,
    trusted: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """REQUESTS_CA_BUNDLE has precedence over SSL_CERT_FILE."""
    other = certificate(tmp_path, "other", "DNS:other.invalid", 2)
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", f"{trusted}.crt")
    if first:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{other}.crt")
    with SecureServer(answering, trusted) as server:
        assert (client_of(server.url, tmp_path).remove(SERVER, ADDRESS).status == 204) is accepted


@pytest.mark.skipif(sys.version_info < (3, 13), reason="nothing is checked strictly before Python 3.13")
def test_who_is_refused_by_the_stricter_check_alone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An authority that may not sign, as many private ones say of themselves."""
    authority = certificate(tmp_path, "ca", "", 2, usage=())
    certificate(tmp_path, "server", "IP:127.0.0.1", 2, authority)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{authority}.crt")
    with SecureServer(answering, tmp_path / "server.pem") as server:
        failure = client_of(server.url, tmp_path).remove(SERVER, ADDRESS).failure
    assert failure.startswith("TLS failed: ")
    assert "Python 3.13 insists on RFC 5280" in failure


@pytest.mark.parametrize(("code", "hinted"), [(10, False), (18, False), (80, True), (92, True), (94, False)])
def test_the_hint_is_for_what_only_the_stricter_check_finds(code: int, hinted: bool) -> None:  # noqa: FBT001
    """Expired and self-signed are no matter of it."""
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code = code
    assert (STRICTER in why(error, 1)) == hinted


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


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a private authority (ca), what it signed for the server and the client, and a stranger."""
    folder = tmp_path_factory.mktemp("private")
    authority = certificate(folder, "ca", "", 2)
    certificate(folder, "server", "IP:127.0.0.1", 2, authority)
    certificate(folder, "client", "DNS:client.invalid", 2, authority)
    certificate(folder, "stranger", "DNS:client.invalid", 2)
    key = folder / "client.pem.key"
    locked = ["-aes256", "-passout", "pass:s3cret-phrase", "-out", str(folder / "locked.key")]
    subprocess.run(["openssl", "rsa", "-in", str(key), *locked], check=True, capture_output=True)
    return folder


def described(folder: Path, url: str, tls: dict[str, str]) -> Target:
    """The target at ``url`` with these files."""
    document = {"name": "private", "compute": url, "auth": {"token": "env:TOKEN"}, "tls": tls}
    document |= {"resources": {"servers": ["one", "two"]}, "limits": {"timeout_seconds": 5}}
    path = folder / "target.yaml"
    path.write_text(yaml.safe_dump(document))
    return target.load(str(path), {"TOKEN": TOKEN})


def talking(folder: Path, url: str, tls: dict[str, str]) -> Client:
    """A client of that target."""
    return Client(described(folder, url, tls), Recorder(), Pacer(folder / "pace"))


def test_a_private_authority_is_named_by_the_description(
    tmp_path: Path, private: Path, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For both services; it stands in place of what the environment names."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{trusted}.crt")
    with SecureServer(answering, private / "server.pem") as server:
        client = talking(tmp_path, server.url, {"ca": str(private / "ca.pem.crt")})
        assert (client.remove(SERVER, ADDRESS).status, client.list_addresses().status) == (204, 204)
        other = talking(tmp_path, server.url, {"ca": f"{trusted}.crt"})
        assert other.remove(SERVER, ADDRESS).failure.startswith("TLS failed: ")


@pytest.mark.parametrize("keys", [("client.pem", None), ("client.pem.crt", "client.pem.key")], ids=["one", "two files"])
def test_a_client_certificate_is_shown(tmp_path: Path, private: Path, keys: tuple[str, str | None]) -> None:
    """The certificate and its key come from one file, or from two."""
    authority = private / "ca.pem.crt"
    files = {"client_cert": keys[0]} | ({"client_key": keys[1]} if keys[1] else {})
    tls = {"ca": str(authority)} | {key: str(private / name) for key, name in files.items()}
    with SecureServer(answering, private / "server.pem", authority) as server:
        client = talking(tmp_path, server.url, tls)
        assert (client.remove(SERVER, ADDRESS).status, client.list_addresses().status) == (204, 204)


@pytest.mark.parametrize("shown", [None, "stranger.pem"])
def test_a_server_that_wants_another_certificate_is_not_reached(
    tmp_path: Path, private: Path, shown: str | None
) -> None:
    """None, or one of an authority that it does not know."""
    authority = private / "ca.pem.crt"
    tls = {"ca": str(authority)} | ({"client_cert": str(private / shown)} if shown else {})
    with SecureServer(answering, private / "server.pem", authority) as server:
        exchange = talking(tmp_path, server.url, tls).remove(SERVER, ADDRESS)
    assert exchange.response is None
    assert exchange.failure


WRONG_FILES = {
    "no file": (
        {"ca": "absent.pem"},
        "tls.ca: .* cannot be read .No such file or directory.; expected certificates of",
    ),
    "a directory": ({"ca": "."}, r"tls.ca: .*; expected certificates of authorities in PEM"),
    "no certificate": ({"ca": "client.pem.key"}, "tls.ca: .* cannot be used; expected certificates of authorities"),
    "no key": ({"client_cert": "client.pem.crt"}, "tls.client_cert: .* cannot be used; expected a certificate and its"),
    "another's key": (
        {"client_cert": "client.pem.crt", "client_key": "stranger.pem.key"},
        "tls.client_cert: .* cannot be used; expected a certificate and its key",
    ),
    "a locked key": (
        {"client_cert": "client.pem.crt", "client_key": "locked.key"},
        "tls.client_cert: .* cannot be used; expected a certificate and its key without passphrase",
    ),
    "only a key": ({"client_key": "client.pem.key"}, "tls: .*client_cert.*"),
    "unknown": (
        {"cert": "client.pem"},
        "tls: .*'cert' was unexpected.*; expected a mapping with any of ca, client_cert",
    ),
}


@pytest.mark.parametrize(("files", "expected"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_cannot_be_used_is_refused_at_once(
    tmp_path: Path, private: Path, files: dict[str, str], expected: str
) -> None:
    """The message names the key, before anything is sent; nobody is asked for a passphrase."""
    with pytest.raises(UsageError, match=expected) as refused:
        described(tmp_path, "https://127.0.0.1:1/", {key: str(private / name) for key, name in files.items()})
    assert len(str(refused.value).splitlines()) == 1

import base64
import html
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from client_raw import ADDRESS, SERVER, Peer, RawServer, client_of

from conformance.client import Client
from conformance.evidence import EXPANSION, Exchange, Redactor, Request, curl
from conformance.generate.credentials import unauthenticated

TOKENS = (
    "gAAAAABm-tok_enValue01234567890abcdefXYZ-_9",
    "0123456789abcdef0123456789ABCDEF",
    'p+q/r=s "t"&<u>\\v%w?x#yz0123456789',
    "twelve-chars",
    "short",
)
LONG = [token for token in TOKENS if len(token) >= 12]


def encodings(secret: str) -> dict[str, str]:
    """How a target may spell a secret."""
    raw = secret.encode()
    return {
        "plain": secret,
        "upper": secret.upper(),
        "lower": secret.lower(),
        "swapped": secret.swapcase(),
        "quoted": quote(secret, safe=""),
        "plus": quote_plus(secret),
        "quoted in lower case": quote(secret, safe="").lower(),
        "JSON": json.dumps(secret)[1:-1],
        "HTML": html.escape(secret),
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "base64": base64.b64encode(raw).decode(),
        "base64url": base64.urlsafe_b64encode(raw).decode(),
        "basic 1": base64.b64encode(b"u" + raw + b"x").decode(),
        "basic 2": base64.b64encode(b"us" + raw + b"xy").decode(),
        "basic 3": base64.b64encode(b"us:" + raw).decode(),
    }


def remains(secret: str, text: str) -> bool:
    """More than a third of the secret, and more than eleven characters, can be read in the text."""
    size = max(12, len(secret) // 3) if len(secret) >= 12 else len(secret)
    parts = {secret[start : start + size].lower() for start in range(len(secret) - size + 1)}
    return any(part in text.lower() for part in parts)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("name", encodings(""))
def test_no_spelling_of_a_token_remains(token: str, name: str) -> None:
    """In text and in bytes, whatever stands around it."""
    spelt = encodings(token)[name]
    redactor = Redactor(["another-token-0123456789", token])
    for text in (spelt, f"before {spelt} after", f"{spelt}{spelt}", f"ü{spelt}\udcff"):
        assert spelt not in redactor.text(text)
        assert "[redacted]" in redactor.text(text)
    body = b"\xff\0" + spelt.encode() + b"\0\xff"
    assert spelt.encode() not in redactor.bytes(body)
    assert redactor.bytes(body).startswith(b"\xff\0")


@pytest.mark.parametrize("token", LONG)
def test_no_long_part_of_a_token_remains(token: str) -> None:
    """The parts that the suite sends as wrong tokens, and any other."""
    redactor = Redactor([token])
    for part in (token[:-1], token[: len(token) // 2], token[1:], token[3:-3], f"{token}x", token[len(token) // 2 :]):
        assert not remains(token, redactor.text(f"<{part}>"))


@pytest.mark.parametrize("token", LONG)
def test_a_token_that_is_split_over_two_fields_cannot_be_put_together(token: str) -> None:
    """Wherever it is split, the longer part is gone."""
    redactor = Redactor([token])
    for place in range(1, len(token)):
        shown = redactor.headers([("X-One", token[:place]), ("X-Two", token[place:])])
        assert "".join(value for _, value in shown) != token
        assert any("[redacted]" in value for _, value in shown)


def test_ordinary_words_stay() -> None:
    """A short token is looked for as a whole, and nothing that only resembles one is touched."""
    redactor = Redactor(["short", *LONG])
    for text in ("a shorn sheep", "gAAAAAB", "0123456789a", json.dumps({"id": "a3f0c2de-1111-4111-8111-0123456789ad"})):
        assert redactor.text(text) == text
    assert Redactor([]).text("x") == "x"
    body = b"x" * 1000
    assert redactor.bytes(body) is body


def test_a_large_body_is_searched_in_little_time() -> None:
    """Megabytes of what nearly is a token are no reason to wait."""
    redactor = Redactor(LONG)
    assert len(redactor.bytes((LONG[0][:11] + ".").encode() * 300_000)) == 3_600_000
    assert LONG[0].encode() not in redactor.bytes(LONG[0].encode() * 50_000)


class Echo(RawServer):
    """A server that keeps requests as they came, and puts what it was sent into every corner of its answer."""

    def __init__(self) -> None:
        super().__init__(self._echo)
        self.requests: list[tuple[bytes, bytes]] = []

    def _echo(self, peer: Peer) -> None:
        while head := peer.head():
            length = re.search(rb"(?i)\ncontent-length: (\d+)", head)
            chunked = re.search(rb"(?i)\ntransfer-encoding: chunked", head)
            body = dechunked(peer.until(b"\r\n0\r\n\r\n")) if chunked else peer.body(int(length[1])) if length else b""
            self.requests.append((head, body))
            found = re.search(rb"(?i)\nx-auth-token: ([^\r]*)", head)
            token = (found[1] if found else b"none").decode("latin-1")
            spelt = json.dumps(encodings(token)).encode()
            half = len(token) // 2
            peer.send(
                f"HTTP/1.1 403 No {token}\r\nX-Echo: {token}\r\nX-{token[:half]}: {token[half:]}\r\n".encode("latin-1"),
                f"X-First: {token[:half]}\r\nX-Second: {token[half:]}\r\nSet-Cookie: s={token}\r\n".encode("latin-1"),
                f"Location: http://elsewhere.invalid/?t={quote(token)}\r\n".encode("latin-1"),
                f"Content-Length: {len(spelt)}\r\n\r\n".encode(),
                spelt,
            )


def dechunked(content: bytes) -> bytes:
    """The content of chunks."""
    content = content if content.startswith(b"0\r\n") is False else b"\r\n" + content
    body = b""
    while content and not content.startswith((b"0\r\n", b"\r\n0")):
        size, _, content = content.partition(b"\r\n")
        body += content[: int(size, 16)]
        content = content[int(size, 16) + 2 :]
    return body


@pytest.fixture
def echo() -> Iterator[Echo]:
    """An echoing server."""
    with Echo() as running:
        yield running


@pytest.mark.parametrize("token", ["gAAAAABm-tok_enValue01234567890abcdefXYZ-_9", "p+q/r=s&t0123456789ABCDEFghij"])
def test_no_exchange_shows_a_token_that_the_target_echoes(echo: Echo, tmp_path: Path, token: str) -> None:
    """Nor the forms of it that access tests send: in body, header, reason, URL, or split over two headers."""
    client = client_of(echo.url, tmp_path, token=token)
    client.list_addresses()
    client.remove(SERVER, ADDRESS)
    client.remove(SERVER, token)
    for wrong in unauthenticated(token):
        client.remove(SERVER, ADDRESS, **wrong.variation(token))
    for exchange in client.recorder.exchanges.values():
        shown = json.dumps(exchange.to_json()) + repr(exchange) + curl(exchange)
        assert not remains(token, shown), wrong
        for name, spelt in encodings(token).items():
            assert spelt not in shown, name


@pytest.fixture
def client(echo: Echo, tmp_path: Path) -> Client:
    """A client whose token asks for no quoting in a query."""
    return client_of(echo.url, tmp_path, token=TOKENS[0])


def repeated(exchange: Exchange) -> None:
    """Run the exchange's command with the shell that reports ask for."""
    subprocess.run(
        ["bash", "-c", curl(exchange) + " --silent --show-error --max-time 20 --output /dev/null"],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "CONFORMANCE_TOKEN": TOKENS[0]},
        check=True,
        timeout=60,
    )


def comparable(request: tuple[bytes, bytes]) -> tuple[bytes, list[bytes], bytes]:
    """The request line, the fields that the suite means to send, and the body."""
    head, body = request
    line, *fields = head.strip().split(b"\r\n")
    own = (b"accept-encoding:", b"connection:")
    return (
        line,
        sorted(
            one.rstrip().lower() if one.rstrip().endswith(b":") else one
            for one in fields
            if not one.lower().startswith(own)
        ),
        body,
    )


def assert_repeated(echo: Echo, exchange: Exchange) -> None:
    """The command sends what the suite sent."""
    repeated(exchange)
    sent, again = map(comparable, echo.requests[-2:])
    assert again == sent


@pytest.mark.parametrize(
    ("body", "framing"),
    [
        (b"x", "content-length"),
        (b"", "content-length"),
        (b"@/etc/passwd", "content-length"),
        (b'{"it\'s": "quo\\"ted"}', "content-length"),
        (b"two\nlines\r\n", "content-length"),
        (b"$CONFORMANCE_TOKEN `id` $(id)", "content-length"),
        (bytes(range(256)), "content-length"),
        ("ü".encode(), "content-length"),
        (b"\0", "content-length"),
        (b"x" * 66_000, "content-length"),
        (b"\0\xffz" * 7001, "content-length"),
        (b"x" * 1_100_000, "content-length"),
        (bytes(range(256)) * 40 + b"end", "content-length"),
        (b"x", "chunked"),
        (b"\0\n", "chunked"),
        (b"x" * 66_000, "chunked"),
    ],
    ids=lambda value: repr(value[:16]) if isinstance(value, bytes) else value,
)
@pytest.mark.parametrize("media_type", [None, "application/json; charset=utf-8"])
def test_a_command_repeats_a_body(
    echo: Echo, client: Client, body: bytes, framing: str, media_type: str | None
) -> None:
    """Byte for byte, framed as it was, and with no media type that was not sent."""
    headers = {"Content-Type": media_type} if media_type else {}
    assert_repeated(echo, client.remove(SERVER, ADDRESS, body=body, framing=framing, headers=headers))


def test_a_command_repeats_every_wrong_credential(echo: Echo, client: Client) -> None:
    """Also the halves and spellings of the token, which evidence shows as shell expressions."""
    for wrong in unauthenticated(TOKENS[0]):
        exchange = client.remove(SERVER, ADDRESS, **wrong.variation(TOKENS[0]))
        assert TOKENS[0] not in curl(exchange)
        assert_repeated(echo, exchange)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Odd": 'it\'s "quoted" $HOME `id` $(id) \\ !'},
        {"X-Odd": "$CONFORMANCE_TOKENS and ${CONFORMANCE_TOKEN:-x}"},
        {"X-Empty": ""},
        {"X-Blank": " "},
        {"X-HTTP-Method-Override": "GET", "X-Glob": "* ? [a] {b,c} ~"},
        {"Accept": "text/html"},
    ],
)
def test_a_command_repeats_fields(echo: Echo, client: Client, headers: dict[str, str]) -> None:
    """Nothing in a value is for the shell, unless it stands for the credential."""
    assert_repeated(echo, client.remove(SERVER, ADDRESS, headers=headers))


def test_a_command_repeats_every_operation(echo: Echo, client: Client) -> None:
    """With or without content, whatever the path and the method."""
    assert_repeated(echo, client.list_associations(SERVER))
    assert_repeated(echo, client.associate(SERVER, ADDRESS))
    assert_repeated(echo, client.allocate_address(4, ("a", "b")))
    assert_repeated(echo, client.update_address(ADDRESS, ()))
    assert_repeated(echo, client.remove(SERVER, "%7b'%22$x;a&b", raw=True, query="a=[1]&b={x,y}&c=%27"))
    assert_repeated(echo, client.remove(SERVER, ADDRESS, method="PATCH"))
    assert_repeated(echo, client.remove(SERVER, ADDRESS, method="delete"))


def test_a_command_names_the_credential_by_its_variable(client: Client) -> None:
    """So that a report can be shared, and the command still works."""
    assert '-H "X-Auth-Token: $CONFORMANCE_TOKEN"' in curl(client.remove(SERVER, ADDRESS))


def test_only_expressions_over_a_credential_are_left_to_the_shell() -> None:
    """Anything else with a dollar is a literal."""
    ours = ["$CONFORMANCE_TOKEN", "${CONFORMANCE_TOKEN}", "${CONFORMANCE_TOKEN%?}", "${CONFORMANCE_TOKEN:0:16}"]
    ours += ["${CONFORMANCE_TOKEN~~}", "$CONFORMANCE_FOREIGN_TOKEN", "$CONFORMANCE_RESTRICTED_TOKEN"]
    others = [
        "$CONFORMANCE_TOKENx",
        "${CONFORMANCE_TOKEN:-$(id)}",
        "$(CONFORMANCE_TOKEN)",
        "$HOME",
        "CONFORMANCE_TOKEN",
    ]
    assert all(EXPANSION.fullmatch(one) for one in ours)
    assert not any(EXPANSION.search(one) for one in others)


def test_a_lost_answer_has_words() -> None:
    """The outcome says why there is no code."""
    lost = Exchange("1", "x", "full", Request("GET", "http://x/"), 1.0, 2.5, 0.0, None, "connection refused")
    assert (lost.code, lost.status, lost.outcome) == ("lost", None, "no answer (connection refused)")
    assert lost.to_json()["seconds"] == 1.5
    assert lost.kept() is lost

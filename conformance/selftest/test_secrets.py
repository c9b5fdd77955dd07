"""No secret leaves by a way that no exchange takes: a traceback with its variables, a proxy's address, odd escapes."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_processes import CHECKOUT, TOKENS, Served, command, ended, serve

from conformance.client import proxies
from conformance.evidence import Redactor

TOKEN = "gAAAAABm-tok/en+Value=01234567890abcdefXYZ"
BASE64 = base64.b64encode(TOKEN.encode())

ESCAPED = {
    "decimal references": "".join(f"&#{ord(one)};" for one in TOKEN),
    "hexadecimal references": "".join(f"&#x{ord(one):X};" for one in TOKEN),
    "references without an end": "".join(f"&#{ord(one):05}" for one in TOKEN),
    "escapes of JSON": "".join(f"\\u{ord(one):04x}" for one in TOKEN),
    "escapes of bytes": "".join(f"\\x{ord(one):02x}" for one in TOKEN),
    "every character in percent": "".join(f"%{ord(one):02x}" for one in TOKEN),
    "percent of percent": "".join(f"%25{ord(one):02X}" for one in TOKEN),
    "some characters escaped": TOKEN.replace("A", "\\u0041").replace("0", "&#48;"),
    "JSON in JSON": json.dumps(json.dumps(f'"{TOKEN}\\')),
    "base64 of base64": base64.b64encode(b"user:" + BASE64).decode(),
    "three times base64": base64.urlsafe_b64encode(base64.b64encode(BASE64)).decode(),
    "base64 of percent": base64.b64encode("".join(f"%{ord(one):02x}" for one in TOKEN).encode()).decode(),
    "base32": base64.b32encode(TOKEN.encode()).decode(),
    "base32 at an offset": base64.b32encode(b"user:" + TOKEN.encode()).decode(),
    "hyphens": "-".join(TOKEN),
    "groups of four": " ".join(TOKEN[at : at + 4] for at in range(0, len(TOKEN), 4)),
    "hexadecimal with colons": ":".join(f"{ord(one):02X}" for one in TOKEN),
}


@pytest.mark.parametrize("name", ESCAPED)
def test_an_escaped_token_is_taken_out(name: str) -> None:
    """Whatever stands around it stays, and no part of it that could be told from chance."""
    shown = Redactor([TOKEN]).text(f"<before> {ESCAPED[name]} <after>")
    assert shown.startswith("<before> ")
    assert shown.endswith(" <after>")
    assert "[redacted]" in shown
    kept = shown.replace("[redacted]", "")
    assert not [at for at in range(len(ESCAPED[name]) - 11) if ESCAPED[name][at : at + 12] in kept], shown


def test_what_was_no_secret_before_it_was_learnt_is_one_from_then_on() -> None:
    """A token that a cloud gave anew is taken out of what was shown as it stood until then."""
    redactor = Redactor(["another-token-0123456789"])
    assert redactor.text(TOKEN) == TOKEN
    redactor.learn(TOKEN)
    assert TOKEN not in redactor.text(TOKEN)


def test_what_only_looks_escaped_stays() -> None:
    """References, percent and identifiers of others; also what is no number of any character."""
    text = "&amp; &#65; %41 \\u0041 &#9999999; 6f1d2c3b-1111-4111-8111-111111111111 " + BASE64.decode()[::-1]
    assert Redactor([TOKEN]).text(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://user:hunter22@proxy:3128", "hunter22"),
        ("user:hunter22@proxy:3128", "hunter22"),
        ("http://user:pa#ss@proxy:3128", "pa#ss"),
        ("http://user:pa#ss@proxy:3128", "user:pa"),
        ("http://us%65r:p%40ssw%23rd@proxy", "p@ssw#rd"),
        ("http://user:one@two@proxy", "one@two"),
        ("http://user:sla/shed-word@proxy", "shed-word"),
    ],
)
@pytest.mark.parametrize("variable", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_the_password_of_a_proxy_is_taken_out(variable: str, value: str, shown: str) -> None:
    """Whole, decoded, and as far as somebody reads who takes the user's part for ended."""
    redactor = Redactor(proxies.secrets({variable: value, "PATH": "/bin:x@y"}))
    assert shown not in redactor.text(f"cannot reach {shown} there")
    assert redactor.text("user at proxy") == "user at proxy"


def test_a_proxy_without_a_password_is_no_secret() -> None:
    """Its name may be said."""
    assert not list(proxies.secrets({"http_proxy": "http://proxy:3128", "no_proxy": "localhost"}))


BREAKS = """
import pytest

@pytest.fixture(autouse=True)
def breaks(request):
    token = str.__str__(request.getfixturevalue("api")._client.keyring.tokens["full"])
    plain = ("x" + token)[1:]
    print("printed", plain)
    headers = {"X-Auth-Token": plain}
    raise RuntimeError(f"the header {plain} cannot be sent")
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A deployment, until the test ends."""
    with serve(tmp_path) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_no_traceback_shows_a_token(workers: str, served: Served, tmp_path: Path) -> None:
    """With all variables, on the terminal and in every file, from the only process and from workers."""
    (tmp_path / "breaks.py").write_text(BREAKS)
    told = ("-p", "breaks", "--showlocals", "--junitxml=own.xml", "-k", "response")
    line = command("--target", served.description, "-n", workers, *told, by="pytest")
    ran = ended(line, tmp_path, PYTHONPATH=f"{CHECKOUT}:{tmp_path}")
    shown = [ran.output, *(one.read_text(errors="replace") for one in ran.folder.rglob("*") if one.is_file())]
    assert "RuntimeError: the header [redacted] cannot be sent" in ran.output
    assert "headers" in ran.output
    assert not [token for token in TOKENS.values() for text in shown if token in text]

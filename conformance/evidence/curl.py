"""Exchanges as curl commands, with credentials as environment variables."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Mapping
from itertools import chain, zip_longest

from conformance.evidence.exchange import Exchange, Request

GLOB = frozenset("[]{}")
"""In a URL, curl takes these for a pattern."""

LONGEST_ARGUMENT = 4096
"""Bytes of a body that stand in a command line as they are."""

TOKEN_HEADER = "X-Auth-Token"  # noqa: S105  # the header's name


VARIABLES: Mapping[str, str] = {
    "full": "CONFORMANCE_TOKEN",
    "restricted": "CONFORMANCE_RESTRICTED_TOKEN",
    "foreign": "CONFORMANCE_FOREIGN_TOKEN",
}
"""Credential -> the environment variable that stands for it in evidence and in commands to reproduce it."""

EXPANSION = re.compile(
    r"\$(?:CONFORMANCE_(?:\w+_)?TOKEN\b|\{CONFORMANCE_(?:\w+_)?TOKEN(?:%\?|#\?|:0:\d+|~~)?\})", re.ASCII
)
"""The shell expressions that evidence shows in place of a credential or of a part of one."""

NO_NAMES = re.compile(r"(?!)")

CONTENT_EXPECTED = frozenset({"POST", "PUT", "PATCH"})
"""Methods that say Content-Length: 0 when there is no content (RFC 9110, 8.6); ``curl -X`` does not."""


def curl(exchange: Exchange, names: re.Pattern[str] = NO_NAMES) -> str:
    """A command for bash that repeats the exchange, with the credential taken from the environment.

    What curl would add of its own (a media type, a wish to be asked to continue) is taken back. A body that a command
    line cannot hold is read from a pipe that writes the same bytes. ``names`` are further variables, which stand for
    themselves in a body, too.
    """
    request = exchange.request
    variables = re.compile(f"{EXPANSION.pattern}|{names.pattern}", re.ASCII)
    words = ["curl", "-i", "--path-as-is", "-X", quoted(request.method, variables)]
    words += ["--globoff"] if GLOB & set(request.url) else []
    for name, value in request.headers:
        words += ["-H", quoted(f"{name}: {value}" if value.strip() else f"{name};", variables)]
    words += [] if any(name.lower() == "user-agent" for name, _ in request.headers) else ["-H", "'User-Agent:'"]
    source = ""
    if request.framing != "none":
        source, content = _content(request, names)
        words += content
    elif request.method in CONTENT_EXPECTED:
        words += ["-H", "'Content-Length: 0'"]
    return source + " ".join([*words, quoted(request.url, variables)])


def _content(request: Request, names: re.Pattern[str]) -> tuple[str, list[str]]:
    """A pipe that writes the body, or nothing, and curl's arguments to send it."""
    named = {name.lower() for name, _ in request.headers}
    words = [] if "content-type" in named else ["-H", "'Content-Type:'"]
    words += ["-H", "'Expect:'"]
    if request.framing == "chunked":
        words += ["-H", "'Transfer-Encoding: chunked'"]
    body = request.body
    if len(body) <= LONGEST_ARGUMENT and body.isascii() and not body.startswith(b"@") and b"\0" not in body:
        return "", [*words, "--data-binary", quoted(body.decode(), names)]
    return _pipe(body), [*words, "--data-binary", "@-"]


def quoted(word: str, variables: re.Pattern[str]) -> str:
    """A shell word; the variables in it are left to the shell to expand."""
    if not variables.search(word):
        return shlex.quote(word)
    literal = [re.sub(r'([\\"`$])', r"\\\1", part) for part in variables.split(word)]
    return '"' + "".join(chain.from_iterable(zip_longest(literal, variables.findall(word), fillvalue=""))) + '"'


def _pipe(body: bytes) -> str:
    """A command that writes the body; one that repeats itself is not written out."""
    period = (body + body).find(body, 1)
    if period == len(body):
        return f"echo {base64.b64encode(body).decode()} | base64 -d | "
    pattern = base64.b64encode(body[:period] * 3).decode()  # of a length that base64 needs no padding for
    return f"yes {pattern} | tr -d '\\n' | base64 -d | head -c {len(body)} | "

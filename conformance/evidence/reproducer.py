"""Writes a Python program that repeats the exchanges of a finding, with nothing but the standard library.

What a run created is gone when it ends, so the program allocates an address in the place of each that the exchanges
are about, and takes it back. It sends every byte as the run did, requests that overlapped in threads of their own, and
takes credentials from the environment. Whatever a target said stands in it as an ASCII literal or comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from conformance.evidence import Exchange, allocated
from conformance.verdict import Violation

PAUSES_SECONDS = (0.2, 10.0)
"""Shorter and longer pauses between two requests are the suite's own work and are left out."""

MOST_EXCHANGES = 200
"""A longer sequence has no program: nobody would read it, and it would be most of the report."""

LONGEST_COMMENT = 300
LONGEST_PERIOD = 64

ENGINE = r'''
import json, os, re, socket, ssl, sys, threading, time
from urllib.parse import quote, urlsplit

NEW = {}  # what an address was called in the run -> what it is called here
MADE = []  # URLs to remove at the end, the last one first


def token(met):
    """The value of a shell expression such as $NAME, ${NAME%?}, ${NAME:0:8} or ${NAME~~}."""
    name, part = re.fullmatch(r"\$\{?([A-Z_]+)(.*?)\}?", met.group()).groups()
    value = os.environ.get(name) or sys.exit("set " + name)
    cut = re.fullmatch(r":0:(\d+)", part)
    return value[: int(cut[1])] if cut else {"%?": value[:-1], "~~": value.swapcase()}.get(part, value)


def current(text):
    for old in sorted(NEW, key=len, reverse=True):
        text = text.replace(old, NEW[old])
    return text


def secret(text):
    return re.sub(r"\$\{?CONFORMANCE_(?:\w+_)?TOKEN(?:%\?|:0:\d+|~~)?\}?", token, current(text))


def rename(old, new):
    spellings = [str, lambda s: s.replace("-", ""), lambda s: s.replace("-", "%2D"), lambda s: s[:8]]
    spellings += [lambda s: "%%%02X%s" % (ord(s[0]), s[1:]), lambda s: "".join("%%%02x" % ord(one) for one in s)]
    for spell in [*spellings, str.upper, lambda s: s.replace("-", "").upper(), lambda s: s[:18].upper() + s[18:]]:
        NEW[spell(old)] = spell(new)


def send(method, url, headers=(), body=None, chunked=False, after=0.0, makes=None, answered=""):
    """Send one request byte for byte and return all that comes back, until the target closes the connection."""
    time.sleep(after)
    place = urlsplit(url)
    head = [(name, secret(value)) for name, value in headers]
    given = {name.lower() for name, _ in head}
    data = b"" if body is None else current(body.decode("latin-1")).encode("latin-1")
    if chunked:
        head.append(("Transfer-Encoding", "chunked"))
        pieces = [data[at : at + 16384] for at in range(0, len(data), 16384)] + [b""]
        data = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    elif "content-length" not in given and (body is not None or method in ("POST", "PUT", "PATCH")):
        head.append(("Content-Length", str(len(data))))
    target = "/" + secret(url).split("://", 1)[1].partition("/")[2]
    lines = [method + " " + target + " HTTP/1.1", "Host: " + place.netloc, "Connection: close"]
    lines += [name + ": " + value for name, value in head]
    port = place.port or (443 if place.scheme == "https" else 80)
    with socket.create_connection((place.hostname, port), timeout=30) as link:
        if place.scheme == "https":
            trusted = ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE"))
            link = trusted.wrap_socket(link, server_hostname=place.hostname)
        answer = b""
        try:
            link.sendall("\r\n".join([*lines, "", ""]).encode("utf-8") + data)
        except OSError:
            pass  # answered before all was sent
        try:
            while piece := link.recv(65536):
                answer += piece
        except OSError as error:
            answer += b"" if answer else repr(error).encode()
    if method == "PUT" and "/ip_associations/" in url:
        MADE.append(current(url))
    if makes:
        told = [re.search(b'"%s"\\s*:\\s*"([^"]+)"' % name, answer) for name in (b"id", b"address")]
        if None in told:
            sys.exit("no address is to be had: " + ascii(answer[:300]))
        identifier, literal = (met[1].decode() for met in told)
        rename(makes[0], identifier)
        NEW.update({makes[1]: literal, quote(makes[1], safe=""): quote(literal, safe="")} if makes[1] else {})
        MADE.insert(0, url + "/" + identifier)
    return answer


def run(number, step, answers):
    try:
        answers[number] = send(**step)
    except OSError as error:
        answers[number] = repr(error).encode()


try:
    count = 0
    for pause, group in STEPS:
        time.sleep(pause)
        answers = {}
        threads = [threading.Thread(target=run, args=(n, step, answers)) for n, step in enumerate(group)]
        for thread in threads if len(group) > 1 else ():
            thread.start()
        for thread in threads:
            thread.join() if len(group) > 1 else thread.run()
        for n, step in enumerate(group):
            count += 1
            print("%d. %s %s" % (count, step["method"], current(step["url"])))
            print("   in the run:", step["answered"])
            text = answers[n].decode("utf-8", "backslashreplace").replace("\r\n", "\n").strip()
            shown = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
            print("   now:        " + shown.replace("\n", "\n      ") + "\n")
finally:
    for url in reversed(MADE):
        try:
            send("DELETE", url, [("X-Auth-Token", "$CONFORMANCE_TOKEN"), ("Accept", "application/json")])
        except OSError as error:
            print("left:", url, error)
'''


def repeating(violation: Violation, cited: Sequence[Exchange], origins: Mapping[str, Exchange]) -> str:
    """The program: what the violation is as a comment, the requests as data, and what sends them; empty for none.

    Args:
        cited: the exchanges that show it, in order.
        origins: the exchange that allocated an address, by its ID.
    """
    if not 0 < len(cited) <= MOST_EXCHANGES:
        return ""
    steps = _groups([*_foundations(cited, origins), *cited])
    return "\n".join([*_head(violation), "", "STEPS = [", *steps, "]", ENGINE])


def _head(violation: Violation) -> Iterator[str]:
    yield f"# {violation.clause}: {_comment(violation.summary)}"
    yield f"# Expected: {_comment(violation.expected)}"
    yield f"# Observed: {_comment(violation.observed)}"
    yield "#"
    yield "# Save it and run it with Python 3.8 or later; credentials are read from CONFORMANCE_TOKEN and its like."
    yield "# It allocates the addresses that it needs, sends the requests of the run again, and takes them back."


def _comment(text: str) -> str:
    shown = ascii(text)[1:-1]
    return shown if len(shown) <= LONGEST_COMMENT else f"{shown[:LONGEST_COMMENT]} ..."


def _foundations(cited: Sequence[Exchange], origins: Mapping[str, Exchange]) -> list[Exchange]:
    """Allocations of the addresses that the exchanges are about, but those that are among them."""
    here = {one.id for one in cited}
    texts = [f"{one.request.url}\n{one.request.body.decode('latin-1')}".lower() for one in cited]
    needed = {origin.id: origin for known, origin in origins.items() if any(known.lower() in text for text in texts)}
    return [origin for identifier, origin in needed.items() if identifier not in here]


def _groups(exchanges: Iterable[Exchange]) -> Iterator[str]:
    """Requests that overlapped stand together, each with its distance from the first; others follow each other."""
    groups: list[list[Exchange]] = []
    pauses: list[float] = []
    end = None
    for one in exchanges:
        if end is not None and groups and groups[-1][0].started <= one.started < end and _alike(groups[-1][0], one):
            groups[-1].append(one)
            end = max(end, one.finished)
        else:
            pauses.append(_pause(end, one))
            groups.append([one])
            end = one.finished
        if one.operation == "allocateAddress":
            end = None
    for pause, group in zip(pauses, groups, strict=True):
        yield f"    ({pause}, ["
        for one in group:
            yield f"        dict({', '.join(_arguments(one, round(one.started - group[0].started, 4)))}),"
        yield "    ]),"


def _alike(one: Exchange, other: Exchange) -> bool:
    """Both are requests of the question itself: what is allocated has to stand before."""
    return "allocateAddress" not in {one.operation, other.operation}


def _pause(end: float | None, one: Exchange) -> float:
    waited = one.started - end if end is not None else 0.0
    shortest, longest = PAUSES_SECONDS
    return round(waited, 1) if shortest <= waited <= longest else 0.0


def _arguments(exchange: Exchange, after: float) -> Iterator[str]:
    request = exchange.request
    yield f"method={request.method!a}"
    yield f"url={request.url!a}"
    yield f"headers={[tuple(pair) for pair in request.headers]!a}"
    if request.framing != "none":
        yield f"body={_body(request.body)}"
    if request.framing == "chunked":
        yield "chunked=True"
    if after:
        yield f"after={after}"
    if exchange.operation == "allocateAddress" and (identifier := allocated(exchange)):
        yield f"makes={(identifier, _literal(exchange))!a}"
    yield f"answered={exchange.outcome[:LONGEST_COMMENT]!a}"


def _body(body: bytes) -> str:
    """A bytes literal; a body that repeats itself is not written out."""
    for period in range(1, min(LONGEST_PERIOD, len(body) // 2)):
        if body[period:] == body[:-period]:
            return f"({body[:period]!r} * {len(body) // period + 1})[:{len(body)}]"
    return repr(body)


def _literal(exchange: Exchange) -> str:
    document: Any = exchange.response.json() if exchange.response else None
    found = document["ip_address"].get("address") if document else None
    return found if isinstance(found, str) else ""

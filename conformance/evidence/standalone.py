"""Tries one finding again, with nothing but the standard library of Python 3.8 or later.

Run it: it allocates addresses of its own, lets stand on them what stood, sends the requests of the run byte for byte,
looks as the run looked, and takes everything back. Credentials are read from CONFORMANCE_TOKEN and its like. It ends
with REPRODUCED (exit 1), NOT REPRODUCED (0), or COULD NOT BE TRIED (3). It says nothing of any clause but its own.
"""

# The suite writes this file, with a plan below it, into a program of its own: nothing of the suite is imported here.

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote, urlsplit

TIMEOUT_SECONDS = 30.0
LASTS_SECONDS = 5.0
"""So long a look may change: what a target shows late is no finding."""
POLL_SECONDS = 0.2
PIECE_BYTES = 16384
CONTENT_EXPECTED = ("POST", "PUT", "PATCH")
MEMBERS = ("address", "network_id", "port_ids", "subnet_id", "tenant_id", "version", "type")
"""What is documented of an address, beside its ID."""
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
TOKEN = re.compile(r"\$\{?(CONFORMANCE_(?:\w+_)?TOKEN)(%\?|#\?|:0:\d+|~~)?\}?", re.ASCII)


class CouldNotBeTriedError(Exception):
    """There is no saying whether the finding is still so."""


class Reply(NamedTuple):
    """What came back; a status of 0 stands for no answer."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    reason: str = ""

    def field(self, name: str) -> str | None:
        """The value of a field, its lines joined; None when it is absent."""
        values = [value for key, value in self.headers if key.lower() == name]
        return ", ".join(values) if values else None

    def rows(self) -> list[dict[str, Any]]:
        """The addresses or associations that a read shows."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return []
        found = list(document.values()) if isinstance(document, dict) else []
        listed = [row for one in found for row in (one if isinstance(one, list) else [one])]
        return [row for row in listed if isinstance(row, dict) and isinstance(row.get("id"), str)]

    @property
    def granted(self) -> bool:
        """It is a 2xx."""
        return 200 <= self.status < 300

    @property
    def outcome(self) -> str:
        """What a reader calls it."""
        return ascii(f"HTTP {self.status} {self.reason}".strip() if self.status else f"no answer ({self.reason})")[1:-1]


# -- names ---------------------------------------------------------------------------------------------------------


def spellings(name: str) -> list[str]:
    """How a request may spell an ID or a literal, always as many, so that each has its like for another one."""
    try:
        number = uuid.UUID(name)
    except ValueError:
        return [name, name.upper(), quote(name, safe="")]
    bare, characters = name.replace("-", ""), range(10)
    plain = [
        name,
        bare,
        name[:8],
        name[:-1],
        name[-12:],
        name[:18].upper() + name[18:],
        str(number.int),
        name.encode().hex(),
        number.bytes.hex(":"),
        str(uuid.UUID(bytes=number.bytes_le)),
        str(uuid.UUID(bytes=number.bytes[::-1])),
        str(uuid.UUID(hex=bare[::-1])),
        f"%u00{ord(name[0]):02X}{name[1:]}",
        f"%25{ord(name[0]):02X}{name[1:]}",
        "".join(f"%{ord(one):02x}" for one in name),
        f"%{ord(name[0]):02X}{name[1:]}",
    ]
    plain += [name.replace("-", mark) for mark in ("%2D", "%252D", "_", ".", ":", ",", "+", "~", "=", "--", " - ")]
    plain += [name.replace("-", mark) for mark in "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d\u00ad "]
    plain += [name.translate({48 + one: zero + one for one in characters}) for zero in (0x660, 0x966, 0xFF10, 0x1D7CE)]
    packed = [base64.urlsafe_b64encode(number.bytes), base64.b32encode(number.bytes), base64.b85encode(number.bytes)]
    plain += [word.decode().rstrip("=") for word in packed] + [base64.urlsafe_b64encode(name.encode()).decode()]
    return [shown for one in plain for cased in (one, one.upper()) for shown in (cased, quote(cased, safe=""))]


class Names:
    """What the addresses of the run are called here, in every spelling."""

    def __init__(self) -> None:
        self._new: dict[str, str] = {}

    def learn(self, old: str, new: str) -> None:
        """From now on the one is meant where the other is said."""
        if old and new:
            self._new.update({then: now for then, now in zip(spellings(old), spellings(new)) if then})  # noqa: B905

    def current(self, text: str) -> str:
        """The text with everything called by its name here; no new name is taken for an old one."""
        known = sorted(self._new, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, known)), lambda met: self._new[met.group()], text) if known else text


def filled(text: str) -> str:
    """The text with credentials for shell expressions: $NAME, ${NAME%?}, ${NAME#?}, ${NAME:0:8}, ${NAME~~}."""
    return TOKEN.sub(_credential, text)


def _credential(met: Any) -> str:
    name, part = met.group(1), met.group(2) or ""
    value = os.environ.get(name, "")
    if not value:
        raise CouldNotBeTriedError(f"set {name}")
    return (
        value[: int(part[3:])]
        if part.startswith(":0:")
        else {"%?": value[:-1], "#?": value[1:], "~~": value.swapcase()}.get(part, value)
    )


# -- requests ------------------------------------------------------------------------------------------------------


def send(
    method: str, url: str, headers: Sequence[tuple[str, str]] = (), body: bytes | None = None, framing: str = "none"
) -> Reply:
    """Send one request as it stands, credentials filled in, and read all that comes back."""
    head, data = _framed(method, [(name, filled(value)) for name, value in headers], body, framing)
    place = urlsplit(url)
    target = "/" + filled(url).split("://", 1)[1].partition("/")[2]
    lines = [f"{method} {target} HTTP/1.1", f"Host: {place.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in head]
    raw = "\r\n".join([*lines, "", ""]).encode("utf-8") + data
    received = b""
    try:
        with _connected(place.scheme, place.hostname or "", place.port) as link:
            with contextlib.suppress(OSError):  # answered before all was sent
                link.sendall(raw)
            while True:
                piece = link.recv(65536)
                if not piece:
                    break
                received += piece
    except OSError as error:
        if not received:
            return Reply(reason=str(error) or type(error).__name__)
    return parsed(received)


def _framed(
    method: str, headers: list[tuple[str, str]], body: bytes | None, framing: str
) -> tuple[list[tuple[str, str]], bytes]:
    given = {name.lower() for name, _ in headers}
    data = body or b""
    if framing == "chunked":
        pieces = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)] + [b""]
        wire = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        return [*headers, ("Transfer-Encoding", "chunked")], wire
    if "content-length" not in given and (framing != "none" or method in CONTENT_EXPECTED):
        headers = [*headers, ("Content-Length", str(len(data)))]
    return headers, data


def _connected(scheme: str, host: str, port: int | None) -> socket.socket:
    link = socket.create_connection((host, port or (443 if scheme == "https" else 80)), timeout=TIMEOUT_SECONDS)
    if scheme != "https":
        return link
    return ssl.create_default_context(cafile=os.environ.get("REQUESTS_CA_BUNDLE")).wrap_socket(
        link, server_hostname=host
    )


def parsed(raw: bytes) -> Reply:
    """The final answer of a connection."""
    while True:
        head, _, rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        met = re.match(r"HTTP/\d\.\d (\d{3}) ?(.*)", first)
        if met is None:
            return Reply(reason="no HTTP answer")
        if not 100 <= int(met.group(1)) < 200:
            break
        raw = rest
    fields = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    answer = Reply(int(met.group(1)), fields, rest, met.group(2))
    chunked = "chunked" in (answer.field("transfer-encoding") or "").lower()
    return answer._replace(body=_joined(rest)) if chunked else answer


def _joined(raw: bytes) -> bytes:
    """The content of chunks."""
    found = b""
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            break
        found, raw = found + raw[:length], raw[length + 2 :]
    return found


# -- what an answer says -------------------------------------------------------------------------------------------


def facts(method: str, answer: Reply, known: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """What of an answer has to come again: its code, and what it says that does not depend on names.

    Args:
        known: address -> its documented members as they were shown when it was allocated.
    """
    if not answer.status:
        return ["no answer"]
    said: list[Any] = [answer.status]
    if method == "GET":
        ours = {one.lower(): (number, shown) for number, (one, shown) in enumerate(known.items())}
        rows = [(ours[row["id"].lower()], row) for row in answer.rows() if row["id"].lower() in ours]
        said.append(sorted([number, _otherwise(shown, row)] for (number, shown), row in rows))
    elif answer.status == 204:
        length = answer.field("content-length") or "0"
        said.append(bool(answer.body or length.strip("0") or answer.field("transfer-encoding")))
    elif answer.status == 405:
        allowed = answer.field("allow")
        said.append(allowed if allowed is None else sorted({one.strip() for one in allowed.split(",") if one.strip()}))
    elif answer.status == 413:
        said.append(re.sub(r"\d+", "1", re.sub(r"^\w{3}, .* GMT$", "date", answer.field("retry-after") or "none")))
    return said


def _otherwise(shown: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """The members that are not as they were first shown."""
    return [name for name in MEMBERS if name in shown and name in row and _alike(shown[name]) != _alike(row[name])]


def _alike(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else str(value).lower()


# -- one try -------------------------------------------------------------------------------------------------------


class StandaloneTry:
    """The finding, on addresses of its own."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.plan = plan
        self.names = Names()
        self.known: dict[str, dict[str, Any]] = {}
        self._made: list[str] = []
        self.left: list[str] = []

    def ask(self, step: Mapping[str, Any]) -> Reply:
        """Send a step of the plan, about what is had here."""
        body = step.get("body")
        if body is not None:
            body = self.names.current(body.decode("latin-1")).encode("latin-1", "replace")
        headers = [(name, self.names.current(value)) for name, value in step.get("headers", ())]
        url = self.names.current(step["url"])
        if step["method"] == "PUT" and "/ip_associations/" in url:
            self._made.append(url)
        before = send("GET", url, self.plan["headers"]) if "makes" in step else Reply()
        answer = send(step["method"], url, headers, body, step.get("framing", "none"))
        print(f"  {step['method']} {ascii(url)[1:-1]}: {answer.outcome} (in the run: {step.get('answered', '')})")
        if "makes" in step:
            self._allocated(step, answer, before)
        return answer

    def _allocated(self, step: Mapping[str, Any], answer: Reply, before: Reply) -> None:
        """An address is ours if the answer names it by a UUID, and no list showed it before."""
        row = next(iter(answer.rows()), None)
        if not answer.granted or row is None:
            raise CouldNotBeTriedError(f"no address is to be had: {answer.outcome}")
        existed = not before.granted or row["id"].lower().encode() in before.body.lower()
        if existed or not UUID.fullmatch(row["id"]):
            raise CouldNotBeTriedError(f"whose the address {row['id']!a} is cannot be known; it is left")
        url = f"{step['url']}/{row['id']}"
        self._made.insert(0, url)
        old, literal = step["makes"]
        if literal and "address" not in row:
            row = next(iter(send("GET", url, self.plan["headers"]).rows()), row)
        self.names.learn(old, row["id"])
        self.names.learn(literal, str(row.get("address", "")))
        if old in self.plan["members"]:
            self.known[row["id"]] = {name: row[name] for name in self.plan["members"][old] if name in row}

    def set_up(self, number: int) -> None:
        """Let stand what stood: at first of what the finding is about, then of all, in another order each time."""
        alone = number == 0 and not self.plan["persists"]
        meant = set(self.plan["members"]) if alone else None
        for step in self.plan["allocations"]:
            if meant is None or step["makes"][0] in meant:
                self.ask(step)
        removed, standing = (
            [self.names.current(one) for one in self.plan[name] if meant is None or one.rpartition("/")[2] in meant]
            for name in ("removed", "standing")
        )
        orders = [[*removed, *standing], [*removed, *standing], standing, [*standing, *removed]]
        for url in orders[number % len(orders)]:
            self._associate(url)
        for url in removed:
            if url in self._made:
                send("DELETE", url, self.plan["headers"])
        for step in self.plan["allocations"]:
            if step["makes"][0] in self.plan["gone"]:
                self._deallocate(f"{step['url']}/{self.names.current(step['makes'][0])}")

    def _deallocate(self, url: str) -> None:
        if url not in self._made:
            return
        until = time.monotonic() + LASTS_SECONDS
        while not (answer := send("DELETE", url, self.plan["headers"])).granted:
            if time.monotonic() > until:
                raise CouldNotBeTriedError(f"an address could not be de-allocated: {answer.outcome}")
            time.sleep(POLL_SECONDS)

    def _associate(self, url: str) -> None:
        self._made.append(url)
        until = time.monotonic() + LASTS_SECONDS
        while True:
            answer = send("PUT", url, self.plan["headers"])
            if answer.granted:
                return
            if time.monotonic() > until:
                raise CouldNotBeTriedError(f"an association could not be made: {answer.outcome}")
            time.sleep(POLL_SECONDS)

    def differs(self) -> str:
        """What was otherwise than in the run; empty if all that matters came again."""
        for pause, group in self.plan["steps"]:
            time.sleep(pause)
            answers = self._together(group)
            due = [step["facts"] for step in group if "facts" in step]
            met = [facts(step["method"], one, self.known) for step, one in zip(group, answers) if "facts" in step]  # noqa: B905
            if sorted(map(repr, met)) != sorted(map(repr, due)):
                return " / ".join(one.outcome for one in answers)
        return self._lasting()

    def _lasting(self) -> str:
        """What the looks show is shown for as long as effects may take."""
        looks = [step for _, group in self.plan["steps"] for step in group if step.get("lasts")]
        until = time.monotonic() + LASTS_SECONDS
        while looks and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            for step in looks:
                answer = send(step["method"], self.names.current(step["url"]), step["headers"])
                if facts(step["method"], answer, self.known) != step["facts"]:
                    return f"{step['method']} {self.names.current(step['url'])} shows otherwise after a while"
        return ""

    def _together(self, group: Sequence[Mapping[str, Any]]) -> list[Reply]:
        """Requests that overlapped overlap again."""
        answers: dict[int, Reply] = {}

        def run(number: int) -> None:
            time.sleep(group[number].get("after", 0.0))
            answers[number] = self.ask(group[number])

        if len(group) == 1:
            run(0)
        else:
            threads = [threading.Thread(target=run, args=(number,)) for number in range(len(group))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if len(answers) < len(group):
            raise CouldNotBeTriedError("a request could not be sent")
        return [answers[number] for number in range(len(group))]

    def take_back(self) -> None:
        """Remove what was made, associations first; what cannot be removed is named."""
        for url in reversed(dict.fromkeys(self._made)):
            answer = send("DELETE", url, self.plan["headers"])
            if "/ip_associations/" not in url and not answer.granted and answer.status not in (404, 410):
                self.left.append(f"{url} ({answer.outcome})")


def tried(plan: Mapping[str, Any], number: int) -> str:
    """One try; what was otherwise than in the run."""
    print(f"try {number + 1}:")
    trial = StandaloneTry(plan)
    try:
        trial.set_up(number)
        return trial.differs()
    finally:
        trial.take_back()
        for one in trial.left:
            print("left:", ascii(one)[1:-1])


def main(plan: Mapping[str, Any]) -> NoReturn:
    """Try it, and end with the exit code that says what came of it."""
    sys.exit(outcome(plan))


def outcome(plan: Mapping[str, Any]) -> int:
    """Try it until it shows, or often enough; a fault that persists has to show every time. The exit code."""
    said = ""
    try:
        for step in [*plan["allocations"], *(step for _, group in plan["steps"] for step in group)]:
            filled(f"{step['url']} {step['headers']}")  # a credential that is missing is told before anything is sent
        for number in range(plan["tries"]):
            said = tried(plan, number)
            if bool(said) is plan["persists"]:
                break
    except CouldNotBeTriedError as error:
        if not said:
            print(f"COULD NOT BE TRIED: {error}")
            return 3
        print(f"  no further try: {error}")  # alone it was not so, and there is no room for what stood beside it
    print(f"NOT REPRODUCED: {said}" if said else f"REPRODUCED: {plan['observed']}")
    return 0 if said else 1

"""What can stand for ``{serverID}``: an opaque string, so that another one names nothing that stands."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from conformance.generate.space.segments import encoded, segment_values
from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

Forms = Callable[[str], list[str]]
MADE_UP = (str(UUID(int=0)), "6d0e9d2c-5b1f-4c47-9a53-1f6e3b7a2c11", "0", "1", "999999999", "no-such-server")

FORMS: dict[str, tuple[str, Forms]] = {
    "made up": ("nobody's", lambda _: list(MADE_UP)),
    "with a suffix": ("format suffixes", lambda s: [f"{s}.json", f"{s}.xml", f"{s}.", f"{s};v=1"]),
    "with a blank": ("parsers that strip", lambda s: [f"{s} ", f" {s}", f"{s}\u00a0", f"{s}+"]),
    "with a wildcard": ("globs and SQL LIKE", lambda s: [f"{s[:-1]}*", f"{s}*", f"{s[:-1]}%", f"{s[:-1]}_"]),
    "a wildcard": ("globs and SQL LIKE", lambda _: ["*", "%", "_", "-", "~", "?"]),
    "a word": ("words that APIs give a meaning", lambda _: ["all", "any", "self", "detail", "null", "undefined"]),
    "a digit less": ("prefix search", lambda s: [s[:-1], s[:8], s[1:]]),
    "a digit more": ("prefix search", lambda s: [f"{s}0", f"0{s}"]),
    "a list": ("lists in path segments", lambda s: [f"{s},{s}", f"{s}|{s}"]),
    "SQL": ("SQL quoting", lambda s: [f"{s}' OR '1'='1", f"{s}'--"]),
    "in braces": ("text forms of UUIDs", lambda s: [f"{{{s}}}", f"urn:uuid:{s}", f'"{s}"', s.replace("-", "")]),
    "encoded twice": ("RFC 3986, 2.4", lambda s: [encoded(f"%{ord(s[0]):02X}") + encoded(s[1:])]),
}


def every(subject: Subject) -> list[Value]:
    """All values of the dimension."""
    own, lent = subject.server, set(subject.servers) | {subject.server}
    rows = {f"server {kind}": (source, forms(own)) for kind, (source, forms) in FORMS.items()}
    rows["the ID of a port for the server"] = ("decision 8", list(subject.ports))
    rows["the ID of the address for the server"] = ("the segments exchanged", [subject.address])
    rows["another tenant's server"] = ("decision 8: resources.foreign_servers", list(subject.foreign))
    rows["another lent server"] = ("never associated there", list(subject.strangers))
    found: list[Value] = []
    for kind, (source, texts) in rows.items():
        kept = [_segment(kind, text) for text in texts if text not in lent or text in subject.strangers]
        found += segment_values("server", kind, source, "effect.nothing-else", Expected.INERT, kept)
    cased = [encoded(text) for text in (own.upper(), own.swapcase()) if text not in lent]
    opaque = ("server", "server in the other case", "an opaque string, or an RFC 9562 UUID", "effect.nothing-else")
    same = [f"%{ord(own[0]):02X}{encoded(own[1:])}"] if own[0].isascii() else []
    plain = ("server", "server percent-encoded", "RFC 3986, 2.4", "codes.success", Expected.GRANTED)
    return found + segment_values(*opaque, Expected.EITHER, cased) + segment_values(*plain, same)


def _segment(kind: str, text: str) -> str:
    return text if kind == "server encoded twice" else encoded(text)

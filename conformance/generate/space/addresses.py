"""What can stand for ``{IPAddressID}`` beside the address itself: the UUID otherwise spelt, no UUID, other UUIDs."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from uuid import UUID

from conformance.generate.space import literals
from conformance.generate.space.segments import encoded, segment_values
from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

Forms = Callable[[str], Iterable[str]]
FULL_WIDTH = {one: chr(ord(one) + 0xFEE0) for one in "0123456789abcdefABCDEF"}
ARABIC = {str(one): chr(0x0660 + one) for one in range(10)}
DEVANAGARI = {str(one): chr(0x0966 + one) for one in range(10)}
MATHEMATICAL = {str(one): chr(0x1D7CE + one) for one in range(10)}
SUPERSCRIPT = dict(zip("0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", strict=True))
CYRILLIC = {"a": "\u0430", "c": "\u0441", "e": "\u0435", "A": "\u0410", "C": "\u0421", "E": "\u0415"}
HYPHENS = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d\u00ad "
BLANKS = "\u00a0\u2003\u2009\u3000\u200b\ufeff\u2060\u00ad"
ENDINGS = ("xml", "yaml", "html", "txt", "js", "jsonp", "csv", "do", "php", "atom", "hal", "gz", "bak")

GUID = ".NET Guid.Parse, formats N D B P X; Python's uuid.UUID; PostgreSQL's uuid input"
STRIP = "parsers that strip; Unicode White_Space"
DECODE = "RFC 3986, 2.1 and 2.4: decoded once"
NAMES = "words that APIs give a meaning"


def _swapped(text: str, look_alikes: dict[str, str]) -> list[str]:
    """The first, and every, character that has a look-alike replaced by it."""
    first = next((one for one in text if one in look_alikes), None)
    if first is None:
        return []
    return [text.replace(first, look_alikes[first], 1), "".join(look_alikes.get(one, one) for one in text)]


def _bare(text: str) -> str:
    return text.replace("-", "")


def _grouped(text: str, *sizes: int) -> str:
    groups, rest = [], _bare(text)
    for size in sizes:
        groups.append(rest[:size])
        rest = rest[size:]
    return "-".join([*groups, rest])


def _base(text: str) -> list[bytes]:
    raw = UUID(text).bytes
    return [base64.urlsafe_b64encode(raw), base64.b32encode(raw), base64.b32hexencode(raw), base64.b85encode(raw)]


def _unpadded(text: str) -> list[str]:
    return [word.decode().rstrip("=") for word in _base(text)] + [word.decode() for word in _base(text)]


SPELLINGS: dict[str, tuple[str, Forms]] = {
    "in braces": (GUID, lambda i: [f"{{{i}}}", f"{{{_bare(i)}}}"]),
    "more after it, a brace or hyphen": (GUID, lambda i: [f"{i}}}", f"{i}-"]),
    "in parentheses": (GUID, lambda i: [f"({i})"]),
    "in brackets": (GUID, lambda i: [f"[{i}]", f"<{i}>", f"{{{i}"]),
    "in quotes": ("JSON and SQL literals", lambda i: [f'"{i}"', f"'{i}'", f"`{i}`"]),
    "without hyphens": (GUID, lambda i: [_bare(i)]),
    "without hyphens in upper case": (GUID, lambda i: [_bare(i).upper()]),
    "as a URN": ("RFC 9562, 4: urn:uuid", lambda i: [f"urn:uuid:{i}", f"URN:UUID:{i}", f"urn:uuid:{_bare(i)}"]),
    "with a scheme": (GUID, lambda i: [f"uuid:{i}", f"urn:{i}", f"guid:{i}", f"oid:{i}"]),
    "after a blank": (STRIP, lambda i: [f" {i}", f"  {i}"]),
    "more after it, a blank": (STRIP, lambda i: [f"{i} ", f"{i}  "]),
    "between blanks": (STRIP, lambda i: [f" {i} "]),
    "more after it, another blank": (STRIP, lambda i: [f"{i}{one}" for one in BLANKS]),
    "after another blank": (STRIP, lambda i: [f"{one}{i}" for one in BLANKS]),
    "with a blank within": (STRIP, lambda i: [i.replace("-", " - ", 1), f"{i[:4]} {i[4:]}"]),
    "with 0x": (GUID, lambda i: [f"0x{_bare(i)}", f"0X{_bare(i).upper()}"]),
    "as an X GUID": (GUID, lambda i: [_x_guid(i)]),
    "hyphens elsewhere": (GUID, lambda i: [_grouped(i, 4, 8, 8), _grouped(i, 16), _grouped(i, *[4] * 7)]),
    "some hyphens only": (GUID, lambda i: [i.replace("-", "", 1), _grouped(i, 8)]),
    "with doubled hyphens": (GUID, lambda i: [i.replace("-", "--"), f"-{i}"]),
    "with other hyphens": ("Unicode Dash", lambda i: [i.replace("-", one) for one in HYPHENS]),
    "with underscores": ("UUIDs as identifiers of programs", lambda i: [i.replace("-", "_")]),
    "with other separators": (
        "UUIDs in file names and paths",
        lambda i: [i.replace("-", one) for one in (".", ":", ",", "+", "~", "=")],
    ),
    "in base64": ("RFC 4648", lambda i: _unpadded(i)[0::4]),
    "in base32": ("RFC 4648", lambda i: _unpadded(i)[1::4] + _unpadded(i)[2::4]),
    "text in base64": ("RFC 4648", lambda i: [base64.urlsafe_b64encode(i.encode()).decode()]),
    "text in hex": ("RFC 4648", lambda i: [i.encode().hex()]),
    "as a number": ("integers as parsers take them", lambda i: [str(UUID(i).int)]),
    "as an OID": ("ITU-T X.667: 2.25", lambda i: [f"2.25.{UUID(i).int}"]),
    "as colon-separated octets": ("debuggers", lambda i: [UUID(i).bytes.hex(":"), UUID(i).bytes.hex(" ")]),
}


def _x_guid(text: str) -> str:
    bare = _bare(text)
    tail = ",".join(f"0x{bare[at : at + 2]}" for at in range(16, 32, 2))
    return f"{{0x{bare[:8]},0x{bare[8:12]},0x{bare[12:16]},{{{tail}}}}}"


def _overlong(letter: str) -> str:
    """A character of ASCII in two octets where one is due."""
    return f"%{0xC0 | ord(letter) >> 6:02X}%{0x80 | ord(letter) & 0x3F:02X}"


# What stands before the comma of a kind is its group: what a whole group breaks alike is one finding.
NO_UUIDS: dict[str, tuple[str, Forms]] = {
    "more after it, .json": ("Rails, OpenStack: format suffixes", lambda i: [f"{i}.json", f"{i}.JSON"]),
    "more after it, another suffix": (
        "format suffixes of frameworks",
        lambda i: [f"{i}.{ending}" for ending in ENDINGS],
    ),
    "more after it, a dot": ("suffixes, emptied; Windows names", lambda i: [f"{i}.", f"{i}.."]),
    "a mark before": ("hidden names; signs of numbers", lambda i: [f".{i}", f"+{i}"]),
    "more after it, a matrix parameter": (
        "Java servlets: matrix parameters",
        lambda i: [f"{i};v=1", f"{i};", f"{i};jsessionid=1"],
    ),
    "more after it, a comma": ("lists in path segments", lambda i: [f"{i},{i}", f"{i},"]),
    "more after it, itself": (
        "lists in path segments",
        lambda i: [f"{i}{i}", f"{i}|{i}", f"{i}-{i}", f"{i} {i}", f"{i}&{i}", f"{i}+{i}"],
    ),
    "more after it, a wildcard": ("globs and SQL LIKE", lambda i: [f"{i}*", f"{i}%", f"{i}?"]),
    "a wildcard, at the end": ("globs", lambda i: [f"{i[:-1]}*", f"{i[:-1]}?", f"{i[:8]}*"]),
    "a wildcard, of SQL": ("SQL LIKE", lambda i: [f"{i[:-1]}_", f"{i[:8]}%", f"%{i}"]),
    "a wildcard, alone": ("globs and SQL LIKE", lambda _: ["*", "%", "?", "**", "_", ".*"]),
    "a digit less or more": (
        "RFC 9562, 4: 32 digits",
        lambda i: [i[:-1], f"0{i}", i[1:], f"{_bare(i)}0", _bare(i)[:-1]],
    ),
    "more after it, a digit": ("RFC 9562, 4: 32 digits", lambda i: [f"{i}0", i * 7, f"{i}a", f"{i}{'0' * 200}"]),
    "no hex digit": ("RFC 9562, 4: hex digits", lambda i: [f"{i[:-1]}g", f"z{i[1:]}", f"{i[:-1]}O", f"{i[:-1]}l"]),
    "only its beginning": ("prefix search, as git and docker", lambda i: [i[:8], i[:13], i[:4], f"{i[:8]}-"]),
    "only its end": ("short names", lambda i: [i[-12:], i[-4:]]),
    "full-width digit": ("Unicode NFKC", lambda i: _swapped(i, FULL_WIDTH)),
    "Arabic digit": ("Unicode Nd: int() takes it", lambda i: _swapped(i, ARABIC) + _swapped(i, DEVANAGARI)),
    "mathematical digit": ("Unicode NFKC", lambda i: _swapped(i, MATHEMATICAL) + _swapped(i, SUPERSCRIPT)),
    "another letter": ("look-alikes; Unicode NFC", lambda i: [*_swapped(i, CYRILLIC), f"{i[0]}\u0301{i[1:]}"]),
    "more after it, SQL": ("SQL quoting", lambda i: [f"{i}' OR '1'='1", f"{i}'--", f"{i}';--", f"{i}' --", f"{i}#"]),
    "more after it, a fragment or query": ("RFC 3986, encoded", lambda i: [f"{i}#x", f"{i}?x=1", f"{i}?"]),
    "more after it, a version or entity": (
        "habits of stores",
        lambda i: [f"{i}@1", f"{i}:1", f"{i}!", f"{i}~", f"{i}$", f"{i}=", f"{i}-1", f"{i}\u0301"],
    ),
    "more after it, a plus": ("form decoding takes it for a blank", lambda i: [f"{i}+"]),
    "named": (
        "OData, RSQL and matrix keys",
        lambda i: [f"id={i}", f"id:{i}", f"({i},)", f"[{i},{i}]", f"id eq {i}", f"@{i}"],
    ),
    "name": (NAMES, lambda _: ["all", "any", "self", "me", "default", "latest", "first", "detail", "new", "ALL"]),
    "nothing": (NAMES, lambda _: ["null", "undefined", "None", "nil", "NaN", "false", "true", "{}", "[]", '""']),
    "number": ("row numbers", lambda _: ["0", "1", "-1", "4294967295", "1e3", "0x0", "00000000", "9" * 39]),
    "template": ("unfilled templates", lambda _: ["{IPAddressID}", ":id", "<id>", "${id}", "%s", "{{id}}"]),
    "blank alone": (STRIP, lambda _: [" ", "\u00a0", "\u3000"]),
    "long": ("255 bytes: limits of names", lambda _: ["a" * 255]),
}

ENCODINGS: dict[str, tuple[str, Forms]] = {
    "octets that are no UTF-8": ("RFC 3629", lambda i: [f"%FE{i}"]),
    "more after it, octets that are no UTF-8": (
        "RFC 3629",
        lambda i: [f"{i}%FF", f"{i}%E9", f"{i}%C3", f"{i}%ED%A0%BD", f"{i}%C0%A0"],
    ),
    "overlong UTF-8": ("RFC 3629, 3: overlong", lambda i: [f"{_overlong(i[0])}{i[1:]}"]),
    "encoded twice": ("RFC 3986, 2.4: not twice", lambda i: [f"%25{ord(i[0]):02X}{i[1:]}", i.replace("-", "%252D")]),
    "broken percent-encoding": ("RFC 3986, 2.1", lambda i: [f"%u00{ord(i[0]):02X}{i[1:]}"]),
    "more after it, a broken percent-encoding": ("RFC 3986, 2.1", lambda i: [f"{i}%zz", f"{i}%", f"{i}%4"]),
}

NOBODYS: dict[str, tuple[str, Forms]] = {
    "the nil UUID": ("RFC 9562, 5.9", lambda _: [str(UUID(int=0))]),
    "the max UUID": ("RFC 9562, 5.10", lambda _: [str(UUID(int=2**128 - 1))]),
    "one digit changed": ("a neighbour", lambda i: [str(UUID(int=UUID(i).int ^ 1 << at)) for at in (0, 3, 64, 127)]),
    "little-endian order": ("Microsoft GUID byte order", lambda i: [str(UUID(bytes_le=UUID(i).bytes))]),
    "reversed": ("byte order", lambda i: [str(UUID(bytes=UUID(i).bytes[::-1])), str(UUID(hex=_bare(i)[::-1]))]),
    "rotated": (
        "MySQL's UUID_TO_BIN swaps the time",
        lambda i: [str(UUID(hex=_bare(i)[12:16] + _bare(i)[8:12] + _bare(i)[:8] + _bare(i)[16:]))],
    ),
    "every version": (
        "RFC 9562, 5",
        lambda i: [f"{i[:14]}{one}{i[15:]}" for one in "0123456789abcdef" if one != i[14].lower()],
    ),
    "another variant": (
        "RFC 9562, 4.1",
        lambda i: [f"{i[:19]}{one}{i[20:]}" for one in "07cef" if one != i[19].lower()],
    ),
}


def every(subject: Subject) -> list[Value]:
    """All values of the dimension."""
    return [*literals.every(subject), *spellings(subject)]


def spellings(subject: Subject) -> list[Value]:
    """Those that are no spelling of the literal."""
    return [*_others(subject), *_same(subject), *_refused(subject)]


def _refused(subject: Subject) -> list[Value]:
    found: list[Value] = []
    for table, clause, code in (
        (SPELLINGS, "identifier.canonical", encoded),
        (NO_UUIDS, "identifier.uuid", encoded),
        (ENCODINGS, "identifier.uuid", str),
    ):
        for kind, (source, forms) in table.items():
            segments = map(code, forms(subject.address))
            found += segment_values("address", f"ID {kind}", source, clause, Expected.REFUSED, segments)
    return found


def _same(subject: Subject) -> list[Value]:
    """The same segment by RFC 3986, and the same UUID by RFC 9562."""
    one = subject.address
    escaped = [f"%{ord(one[0]):02X}{one[1:]}", one.replace("-", "%2D"), "".join(f"%{ord(part):02x}" for part in one)]
    cased = [text for text in (one.upper(), one[:18].upper() + one[18:]) if text != one]
    return [
        *segment_values("address", "ID percent-encoded", DECODE, "codes.success", Expected.GRANTED, escaped),
        *segment_values("address", "ID in upper case", "RFC 9562, 4", "identifier.canonical", Expected.EITHER, cased),
    ]


def _others(subject: Subject) -> list[Value]:
    """Well-formed IDs that stand for no association of this server, so that nothing may change."""
    known = {text.lower() for text in (subject.address, *subject.others)}
    rows = {kind: (source, list(forms(subject.address))) for kind, (source, forms) in NOBODYS.items()}
    rows["an idle address of the suite"] = ("never associated here", list(subject.idle))
    rows["the ID of a port"] = ("decision 8", list(subject.ports))
    rows["the ID of a network"] = ("decision 8", list(subject.networks))
    rows["the ID of a server"] = ("decision 8", list(subject.servers))
    found: list[Value] = []
    for kind, (source, texts) in rows.items():
        kept = [encoded(text) for text in texts if text.lower() not in known]
        found += segment_values("address", kind, source, "effect.nothing-else", Expected.INERT, kept)
    return found

"""The address itself in place of its ID, in every text form that a common parser takes."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable

from conformance.generate.space.segments import encoded, segment_values
from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

Forms = Callable[[str, int], list[str]]
"""(text of the address, its number) -> spellings that are yet to be percent-encoded."""

ATON = "inet_aton(3): one to four parts, each decimal, octal or hex"
V6 = "RFC 4291, 2.2: text representations"
URI = "RFC 3986, 3.2.2: hosts in URLs"


def _parts(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def _dotted(text: str, form: str) -> str:
    return ".".join(format(part, form) for part in _parts(text))


V4: dict[str, tuple[str, Forms]] = {
    "v4": ("the page: not the address itself", lambda text, _: [text]),
    "v4 with a port": (URI, lambda text, _: [f"{text}:80", f"{text}:"]),
    "v4 in brackets": (URI, lambda text, _: [f"[{text}]", f"[::ffff:{text}]"]),
    "v4 as a host name": (URI, lambda text, _: [f"{text}.", f"{text}.nip.io", f"ip-{text.replace('.', '-')}"]),
    "v4 as a number": (ATON, lambda _, number: [str(number)]),
    "v4 as a number in hex": (ATON, lambda _, number: [f"0x{number:08x}", f"{number:08x}", f"0X{number:08X}"]),
    "v4 as a number in octal": (ATON, lambda _, number: [f"0{number:o}"]),
    "v4 in octal parts": (ATON, lambda text, _: [_dotted(text, "#o").replace("0o", "0"), _dotted(text, "04o")]),
    "v4 in hex parts": (ATON, lambda text, _: [_dotted(text, "#x")]),
    "v4 with leading zeros": (ATON, lambda text, _: [_dotted(text, "03d")]),
    "v4 in fewer parts": (
        ATON,
        lambda _, number: [
            f"{number >> 24}.{number & 0xFFFFFF}",
            f"{number >> 24}.{number >> 16 & 255}.{number & 0xFFFF}",
        ],
    ),
    "v4 mapped to v6": (V6, lambda text, n: [f"::ffff:{text}", f"::ffff:{n >> 16:x}:{n & 0xFFFF:x}", f"::{text}"]),
    "v4 embedded in v6": (
        "RFC 6052; RFC 3056",
        lambda text, n: [f"64:ff9b::{text}", f"2002:{n >> 16:x}:{n & 0xFFFF:x}::"],
    ),
    "v4 with a mask": ("RFC 4632 without a slash", lambda text, _: [f"{text}-32", f"{text} 255.255.255.255"]),
    "v4 with a wildcard": ("habit of access lists", lambda text, _: [f"{text.rpartition('.')[0]}.*", f"{text}*"]),
    "v4 as a range": ("habit of access lists", lambda text, _: [f"{text}-{text}", f"{text},{text}"]),
    "v4 reversed": (
        "RFC 1035, 3.5",
        lambda text, _: [f"{'.'.join(reversed(text.split('.')))}.in-addr.arpa", ".".join(reversed(text.split(".")))],
    ),
    "v4 with blanks": ("parsers that strip", lambda text, _: [f" {text}", f"{text} ", f"{text}\u00a0"]),
    "v4 named": ("query languages", lambda text, _: [f"address={text}", f"ip:{text}", f"address:{text}", f'"{text}"']),
    "v4 in other digits": (
        "UTS 46: full-width digits and stops",
        lambda text, _: [
            "".join(chr(ord(one) + 0xFEE0) for one in text),
            text.replace(".", "\u3002"),
            "".join(chr(0x660 + int(one)) if one.isdigit() else one for one in text),
        ],
    ),
    "v4 in base64": ("RFC 4648", lambda _, number: [base64.urlsafe_b64encode(number.to_bytes(4)).decode()]),
}

V6_FORMS: dict[str, tuple[str, Forms]] = {
    "v6": ("the page: not the address itself", lambda text, _: [text]),
    "v6 in upper case": ("RFC 5952, 4.3", lambda text, _: [text.upper()]),
    "v6 written out": (V6, lambda text, _: [ipaddress.ip_address(text).exploded]),
    "v6 without leading zeros only": (
        V6,
        lambda text, _: [":".join(f"{int(one, 16):x}" for one in ipaddress.ip_address(text).exploded.split(":"))],
    ),
    "v6 with a dotted end": (
        V6,
        lambda text, n: [
            ":".join(ipaddress.ip_address(text).exploded.split(":")[:6]) + f":{ipaddress.IPv4Address(n & 0xFFFFFFFF)}"
        ],
    ),
    "v6 in brackets": (URI, lambda text, _: [f"[{text}]", f"[{text}]:80", f"[{text}]."]),
    "v6 with a zone": ("RFC 4007, 11; RFC 6874", lambda text, _: [f"{text}%eth0", f"{text}%1", f"[{text}%25eth0]"]),
    "v6 as a number": ("integers as parsers take them", lambda _, n: [str(n), f"0x{n:032x}"]),
    "v6 without colons": ("packed form", lambda _, n: [f"{n:032x}", f"{n:032X}"]),
    "v6 as a UUID": ("128 bits are 128 bits", lambda _, n: [_as_uuid(n)]),
    "v6 reversed": ("RFC 3596, 2.5", lambda _, n: [f"{'.'.join(reversed(f'{n:032x}'))}.ip6.arpa"]),
    "v6 in a UNC name": ("habit of Windows", lambda text, _: [f"{text.replace(':', '-')}.ipv6-literal.net"]),
    "v6 with a prefix length": ("RFC 4291, 2.3 without a slash", lambda text, _: [f"{text}-128", f"{text} 128"]),
    "v6 with blanks": ("parsers that strip", lambda text, _: [f" {text}", f"{text} "]),
    "v6 named": ("query languages", lambda text, _: [f"address={text}", f"ip:{text}", f'"{text}"']),
    "v6 in base85": ("RFC 1924 and RFC 4648", lambda _, n: [base64.urlsafe_b64encode(n.to_bytes(16)).decode()]),
}


def _as_uuid(number: int) -> str:
    text = f"{number:032x}"
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


def every(subject: Subject) -> list[Value]:
    """All spellings of the subject's literal; a number that would read as the ID is none of them."""
    address = ipaddress.ip_address(subject.literal)
    table = V4 if isinstance(address, ipaddress.IPv4Address) else V6_FORMS
    found: list[Value] = []
    for kind, (source, forms) in table.items():
        texts = forms(address.compressed, int(address))
        inert = kind == "v6 as a UUID"  # well formed, so its refusal is not asked for
        clause = "effect.nothing-else" if inert else "identifier.not-the-address"
        expected = Expected.INERT if inert else Expected.REFUSED
        found += segment_values("address", kind, source, clause, expected, map(encoded, texts))
    dots = {"v4": ".", "v6": ":"}[f"v{address.version}"]
    escaped = address.compressed.replace(dots, f"%{ord(dots):02X}")
    twice = escaped.replace("%", "%25")
    raw = ("the address in other percent-encoding", "RFC 3986, 2.1", "identifier.not-the-address", Expected.REFUSED)
    return found + segment_values("address", *raw, [address.compressed, _all_escaped(address.compressed), twice])


def _all_escaped(text: str) -> str:
    return "".join(f"%{ord(one):02x}" for one in text)

"""Content of any kind, size, media type and framing: none is accepted (the page)."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from conformance.generate.space.value import Subject, Value
from conformance.judge.oracle import Expected

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
FRAMINGS = ("content-length", "chunked")
KIB = 1024

SMALL: dict[str, tuple[str, str | None, tuple[bytes, ...]]] = {
    "JSON object, empty": ("RFC 8259; Rackspace's clients", JSON, (b"{}", b"{ }", b"{}\n")),
    "blanks": ("RFC 8259, 2: white space", JSON, (b" ", b"  ", b"\t", b" " * 64, b" \r\n\t ")),
    "blanks without a type": ("RFC 8259, 2: white space", None, (b" ", b"   ", b" " * 1000)),
    "a newline": ("shells' echo", None, (b"\n", b"\r\n", b"\r", b"\n\n")),
    "one byte": ("the least content", None, (b"x", b"0", b"{", b"\x7f")),
    "NUL": ("strings that end at NUL", "application/octet-stream", (b"\0", b"\0\0\0\0", b"\0x")),
    "a byte order mark": ("RFC 8259, 8.1", JSON, (b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf{}")),
    "no UTF-8": ("RFC 3629", JSON, (b"\xff", b"\xc3\x28", b'"\xed\xa0\xbd"')),
    "JSON null": ("RFC 8259: parsed, nothing", JSON, (b"null", b" null ")),
    "JSON array, empty": ("RFC 8259; PHP's empty arrays", JSON, (b"[]", b"[{}]", b"[null]")),
    "JSON string": ("RFC 8259", JSON, (b'""', b'" "', b'"x"')),
    "JSON number or truth": ("RFC 8259", JSON, (b"0", b"false", b"true", b"1", b"-0")),
    "broken JSON": ("RFC 8259", JSON, (b"{", b'{"a":', b"undefined", b"NaN", b"{'a': 1}")),
    "JSON without a type": ("RFC 9110, 8.3: absent", None, (b"{}", b"null", b'{"ip_association": {}}')),
    "association": ("the field's Python client", JSON, (b'{"ip_association": {}}', b'{"ip_association": null}')),
    "address": ("neighbouring operations", JSON, (b'{"ip_address": {"port_ids": []}}', b'{"ip_address": {}}')),
    "switches": ("options in content", JSON, (b'{"force": true}', b'{"all": true}', b'{"dry_run": true}')),
    "form": ("HTML forms", FORM, (b"a=b", b"_method=DELETE", b"=", b"&")),
    "multipart": ("RFC 7578", "multipart/form-data; boundary=x", (b"--x--\r\n", b"--x\r\n\r\na\r\n--x--\r\n")),
    "XML": ("Nova's XML of the page's time", "application/xml", (b"<a/>", b"<ip_association/>", b"<?xml?>")),
    "text": ("text/plain", "text/plain", (b"delete", b"x", b" ", b"ok")),
    "patch": ("RFC 6902; RFC 7396", "application/json-patch+json", (b'[{"op": "remove", "path": ""}]', b"[]")),
    "unknown type": ("RFC 9110, 8.3", "nonsense", (b"x", b"{}")),
    "vendor type": ("RFC 6838", "application/vnd.example+json", (b"{}",)),
    "binary type": ("RFC 9110, 8.3", "application/octet-stream", (b"\x00\x01\x02", b"{}")),
    "event or protocol type": ("gRPC; CBOR; YAML", "application/grpc", (b"\0\0\0\0\0", b"\xa0")),
}
LIMITS = {
    "pages": ("memory pages and pipes", 4 * KIB),
    "nginx buffers": ("nginx client_body_buffer_size", 16 * KIB),
    "early buffers": ("nginx client_header_buffer_size; Apache", 8 * KIB),
    "small buffers": ("C libraries' BUFSIZ halves", KIB),
    "uvicorn": ("uvicorn's flow control", 64 * KIB),
    "Express": ("body-parser's limit", 100 * KIB),
    "OpenStack": ("oslo.middleware max_request_body_size", 114688),
    "two to the 17th": ("buffers of 128 KiB", 128 * KIB),
    "nginx": ("nginx client_max_body_size; Fastify", 1024 * KIB),
    "Tomcat": ("Tomcat maxPostSize; axum", 2 * 1024 * KIB),
}
LARGE = {"AWS API Gateway": ("payload quota", 10 * 1024 * KIB), "IIS": ("maxAllowedContentLength", 30_000_000)}
CODINGS = {
    "gzip": ("RFC 9110, 8.4.1.3", gzip.compress(b"{}", mtime=0)),
    "deflate": ("RFC 9110, 8.4.1.2", zlib.compress(b"{}")),
    "x-bzip2": ("habit of clients", bz2.compress(b"{}")),
    "xz": ("habit of clients", lzma.compress(b"{}")),
    "identity": ("RFC 9110, 12.5.3", b"{}"),
    "gzip of nothing": ("RFC 9110, 8.4.1.3: decodes to nothing", gzip.compress(b"", mtime=0)),
    "broken gzip": ("RFC 9110, 8.4.1.3", b"x"),
}
SPEAKING = {
    "Expect": ("RFC 9110, 10.1.1: the client waits for leave to send", "100-continue"),
    "Content-Range": ("RFC 9110, 14.5: part of a whole", "bytes 0-0/22"),
    "Content-Language": ("RFC 9110, 8.5", "en"),
    "Content-Location": ("RFC 9110, 8.7", "/"),
    "Content-Disposition": ("RFC 6266; uploads of forms", "attachment"),
    "Content-MD5": ("RFC 1864; object stores' clients", "mZFLkyvTelC5g8XnyQrpOw=="),
    "Content-Transfer-Encoding": ("RFC 2045; mail's habit", "binary"),
}


def every(subject: Subject, *, deep: bool = False) -> list[Value]:
    """All values of the dimension; those of ten mebibytes and more at ``deep`` only."""
    return [*_of_any_subject(deep=deep), *_naming(subject), _empty()]


@cache
def _of_any_subject(*, deep: bool) -> tuple[Value, ...]:
    """Those that name nothing; large ones are kept once, whatever they are sent to."""
    limits = {**LIMITS, **(LARGE if deep else {})}
    return (*_small(), *_sizes(limits), *_coded(), *_tiny_chunks(), *_spoken_of())


def _value(
    kind: str, source: str, body: bytes, media_type: str | None, framing: str, *, also: bool = False, **more: Any
) -> Value:
    headers = {**({"Content-Type": media_type} if media_type else {}), **more.pop("headers", {})}
    return Value(
        dimension="content",
        kind=kind,
        words=f"{len(body)} bytes, {media_type or 'no media type'}, {framing}: {body[:60]!r}",
        source=source,
        clause="body.refused",
        expected=Expected.REFUSED,
        variation={"body": body, "framing": framing, "headers": headers, **more},
        also=("body.inert",) if also else (),
    )


def _small() -> Iterator[Value]:
    for kind, (source, media_type, contents) in SMALL.items():
        for framing in FRAMINGS:
            yield from (_value(f"{kind}, {framing}", source, body, media_type, framing) for body in contents)


def _sizes(limits: dict[str, tuple[str, int]]) -> Iterator[Value]:
    for kind, (source, limit) in limits.items():
        for side, sizes in {"within": (limit, limit - 1), "beyond": (limit + 1,)}.items():
            for framing in FRAMINGS:
                for size in sizes:
                    where = f"{side} the limit of {kind}"
                    yield _value(where, source, _filled(b"x", size), "application/octet-stream", framing)
                    yield _value(where, source, _filled(b" ", size), JSON, framing)


@cache
def _filled(with_: bytes, size: int) -> bytes:
    return with_ * size


def _coded() -> Iterator[Value]:
    for coding, (source, body) in CODINGS.items():
        named = {"Content-Encoding": "gzip" if "gzip" in coding else coding}
        for framing in FRAMINGS:
            yield _value(f"content coding {coding}, {framing}", source, body, JSON, framing, headers=named)


def _tiny_chunks() -> Iterator[Value]:
    for body in (b"{}", b" ", b'{"ip_association": {}}', b"x" * 100):
        yield _value("chunks of one byte", "RFC 9112, 7.1", body, JSON, "chunked", chunk_bytes=1)


def _spoken_of() -> Iterator[Value]:
    """Content beside a field that speaks of it, or of how it comes."""
    for name, (source, said) in SPEAKING.items():
        for framing in FRAMINGS:
            for body in (b'{"ip_association": {}}', b"x"):
                yield _value(f"{name} beside it, {framing}", source, body, JSON, framing, headers={name: said})


def _naming(subject: Subject) -> Iterator[Value]:
    """Content that names something else than the path does."""
    servers = [one for one in subject.servers if one != subject.server]
    elsewhere = [{name: one} for name in ("serverID", "server_id") for one in servers]
    everyhow = [dict.fromkeys(("IPAddressID", "ip_address_id", "id"), one) for one in subject.others]
    documents: dict[str, list[Any]] = {
        "names another address": [{"id": one} for one in subject.others],
        "names another server": elsewhere,
        "names the association of another address": [{"ip_association": {"id": one}} for one in subject.others],
        "names the association of another server": [{"ip_association": named} for named in elsewhere],
        "names another address by every name": [{**named, "ip_association": named} for named in everyhow],
        "names a list": [{"ids": list(subject.others)}, list(subject.others)] if subject.others else [],
        "names all": [{"ids": "*"}, {"id": "all"}, {"ip_associations": []}],
        "names ports": [{"ip_address": {"port_ids": list(subject.ports)}}] if subject.ports else [],
    }
    for kind, wanted in documents.items():
        for document in wanted:
            for framing in FRAMINGS:
                body = json.dumps(document).encode()
                yield _value(f"{kind}, {framing}", "members as the API names them", body, JSON, framing, also=True)


def _empty() -> Value:
    return Value(
        dimension="content",
        kind="nothing, chunked",
        words="no byte, chunked",
        source="decision 17",
        clause="effect.nothing-else",
        expected=Expected.EITHER,
        variation={"body": b"", "framing": "chunked"},
        mistake=False,
    )

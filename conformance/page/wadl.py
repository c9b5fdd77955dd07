"""WADL files: the operations that their resources hold, in the same records as those of a page.

Entities and external files are refused by the parser: a file is read, and nothing that it names is fetched.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces

import defusedxml.sax
from defusedxml import DefusedXmlException

from conformance import input_file
from conformance.errors import UsageError
from conformance.page.records import BodyRule, Code, Described, Parameter

EXPECTED = "expected a WADL file"


@dataclass(slots=True)
class Element:
    """One element without its namespace, and the line on which it begins."""

    tag: str
    attributes: dict[str, str]
    line: int
    children: list["Element"] = field(default_factory=list)

    def named(self, *tags: str) -> Iterator["Element"]:
        """The children of these names."""
        return (child for child in self.children if child.tag in tags)

    def all(self) -> Iterator["Element"]:
        """It and everything in it."""
        yield self
        for child in self.children:
            yield from child.all()


class _Builder(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {}, 1)]

    def startElementNS(self, name: tuple[str | None, str], _qname: str | None, attrs: object) -> None:  # noqa: N802  # xml.sax
        line = self._locator.getLineNumber() or 1  # type: ignore[attr-defined]  # set by the parser
        items = {key[1]: value for key, value in attrs.items()}  # type: ignore[attr-defined]  # as a mapping
        element = Element(name[1], items, line)
        self.open[-1].children.append(element)
        self.open.append(element)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: ARG002, N802  # xml.sax
        self.open.pop()


def read(path: Path) -> tuple[Described, ...]:
    """The operations of a WADL file.

    Raises:
        UsageError: it cannot be read, is no WADL, or holds no method in a resource.
    """
    try:
        root = _parsed(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); {EXPECTED}") from error
    except (SAXException, DefusedXmlException, ValueError) as error:
        raise UsageError(f"{path}: {error}; {EXPECTED}") from error
    application = next(root.named("application"), None)
    found = tuple(_operations(application)) if application else ()
    if not found:
        raise UsageError(f"{path}: holds no method of a resource; {EXPECTED}")
    return found


def _parsed(path: Path) -> Element:
    builder = _Builder()
    parser = defusedxml.sax.make_parser()
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(builder)
    parser.parse(io.BytesIO(input_file.content(path)))
    return builder.open[0]


class _Shared:
    """What other elements refer to by ``href="#id"`` or ``type="#id"``."""

    def __init__(self, application: Element) -> None:
        self.by_id = {each.attributes["id"]: each for each in application.all() if "id" in each.attributes}

    def meant(self, element: Element) -> Element:
        """The element itself, or the one that it refers to."""
        reference = element.attributes.get("href", "").rpartition("#")[2]
        return self.by_id.get(reference, element)

    def types(self, resource: Element) -> Iterator[Element]:
        """The resource and its types."""
        yield resource
        for reference in resource.attributes.get("type", "").split():
            if found := self.by_id.get(reference.rpartition("#")[2]):
                yield found


def _operations(application: Element) -> Iterator[Described]:
    shared = _Shared(application)
    for resources in application.named("resources"):
        base = urlsplit(resources.attributes.get("base", "")).path
        for resource in resources.named("resource"):
            yield from _below(shared, resource, base, ())


def _below(shared: _Shared, resource: Element, above: str, inherited: tuple[Parameter, ...]) -> Iterator[Described]:
    path = "/" + "/".join(part for part in f"{above}/{resource.attributes.get('path', '')}".split("/") if part)
    bodies = tuple(shared.types(resource))
    parameters = (*inherited, *(each for body in bodies for each in _parameters(shared, body)))
    for body in bodies:
        for method in body.named("method"):
            yield _operation(shared, method, path, parameters)
    for child in resource.named("resource"):
        yield from _below(shared, child, path, parameters)


def _operation(shared: _Shared, reference: Element, path: str, parameters: tuple[Parameter, ...]) -> Described:
    method = shared.meant(reference)
    requests = list(method.named("request"))
    own = tuple(each for request in requests for each in _parameters(shared, request))
    representations = [one for request in requests for one in request.named("representation")]
    line = representations[0].line if representations else method.line
    return Described(
        method=method.attributes.get("name", ""),
        path=path,
        line=method.line,
        format="wadl",
        codes=tuple(code for one in method.named("response") for code in _codes(one)) or None,
        parameters=(*parameters, *own),
        bodies=(BodyRule(accepted=bool(representations), line=line),),
        representations=tuple(
            (number, one.attributes.get("mediaType", ""), one.line) for number, one in _representations(shared, method)
        ),
    )


def _representations(shared: _Shared, method: Element) -> Iterator[tuple[int, Element]]:
    """Those of the request as code 0, those of each answer with its code."""
    for request in method.named("request"):
        yield from ((0, shared.meant(one)) for one in request.named("representation"))
    for response in method.named("response"):
        for code in _codes(response):
            yield from ((code.number, shared.meant(one)) for one in response.named("representation"))


def _codes(response: Element) -> Iterator[Code]:
    title = next((doc.attributes.get("title", "") for doc in response.named("doc")), "")
    for number in re.findall(r"\d+", response.attributes.get("status", "200")):
        yield Code(int(number), response.line, " ".join(title.split()))


def _parameters(shared: _Shared, element: Element) -> Iterator[Parameter]:
    for reference in element.named("param"):
        param = shared.meant(reference)
        if param.attributes.get("style") in {"template", "query"}:
            required = {"true": True, "false": False}.get(param.attributes.get("required", ""))
            kind = param.attributes.get("type", "")
            yield Parameter(param.attributes.get("name", ""), kind, param.line, required=required)

"""Where the facts of a page or of a WADL file and those of the OpenAPI document part.

The document's ``x-page`` members hold what a page states and OpenAPI has no member for. Where an operation has none,
only what both sides speak of is compared.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from http import HTTPStatus
from typing import Any

from conformance import openapi
from conformance.page.records import Described, FactDifference, PageComparison, Parameter, Prose

TYPES: Mapping[str, tuple[str, str]] = {
    "uuid": ("string", "uuid"),
    "string": ("string", ""),
    "int": ("integer", ""),
    "integer": ("integer", ""),
    "boolean": ("boolean", ""),
    "bool": ("boolean", ""),
    "array": ("array", ""),
    "list": ("array", ""),
    "object": ("object", ""),
    "datetime": ("string", "date-time"),
    "date": ("string", "date"),
    "anyuri": ("string", "uri"),
    "uri": ("string", "uri"),
}
"""What a page calls a type -> the type and format of JSON Schema."""


def compared(found: Sequence[Described], document: Mapping[str, Any] | None = None) -> PageComparison:
    """Hold each operation against the one of the document that it is, or comes nearest to."""
    known = list(_operations(openapi.document() if document is None else document))
    pairs = [(one, max(known, key=lambda other: _nearness(one, other))) for one in found]
    others = [one for one, operation in pairs if one.format == "wadl" and one.path not in _paths(operation, known)]
    normative = any(operation.normative and one.path == operation.path for one, operation in pairs)
    if normative:  # a WADL file describes its whole service: what is on other paths is not ours
        pairs = [(one, operation) for one, operation in pairs if one not in others]
    differences = [each for one, operation in pairs for each in operation.differences(one)]
    names = dict.fromkeys(f"{operation.method} {operation.path}" for _, operation in pairs)
    remarks = (f"{len(others)} operations on paths that the document does not have",) if normative and others else ()
    return PageComparison(tuple(names), tuple(sorted({*differences, *_left_out(pairs, known)})), remarks)


def _paths(operation: "Documented", known: Iterable["Documented"]) -> set[str]:
    return {other.path for other in known} | {operation.path}


def _left_out(
    pairs: Sequence[tuple[Described, "Documented"]], known: Sequence["Documented"]
) -> Iterator[FactDifference]:
    """What a WADL file lacks of a service that it describes."""
    described = [(one, operation) for one, operation in pairs if one.format == "wadl"]
    services = {operation.service for _, operation in described}
    there = {(one.method, one.path) for one, _ in described}
    for operation in known:
        if operation.service in services and (operation.method, operation.path) not in there:
            yield FactDifference(
                described[0][0].line, f"{operation.method} {operation.path} of the document is missing"
            )


def _nearness(one: Described, other: "Documented") -> tuple[bool, float, float, bool]:
    """Exactly it; else by path, by its codes, and the operation under test first."""
    numbers = {code.number for code in one.codes or ()}
    alike = len(numbers & other.codes) / (len(numbers | other.codes) or 1)
    exact = (one.method, one.path.partition("?")[0]) == (other.method, other.path)
    likeness = SequenceMatcher(None, one.path, other.path).ratio() + (one.method == other.method) / 10
    return exact, round(likeness, 2), alike, other.normative


def _operations(document: Mapping[str, Any]) -> Iterator["Documented"]:
    for path, item in document["paths"].items():
        for method in openapi.METHODS:
            if method in item:
                yield Documented(document, path, method, item)


class Documented:
    """One operation of the document, its references resolved, as the other side."""

    def __init__(self, document: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]) -> None:
        self.document, self.path, self.method = document, path, method.upper()
        self.operation: Mapping[str, Any] = item[method]
        self.page: Mapping[str, Any] = self.operation.get("x-page", {})
        # A range, as 4XX, is what a prose statement without a code comes to: no page has it in its table.
        named = {code: one for code, one in self.operation["responses"].items() if code.isdigit()}
        self.responses = {int(code): self._resolved(one) for code, one in named.items()}
        listed = [self._resolved(one) for one in (*item.get("parameters", ()), *self.operation.get("parameters", ()))]
        self.parameters = {one["name"]: self._resolved(one["schema"]) for one in listed}

    @property
    def codes(self) -> frozenset[int]:
        """Every documented code."""
        return frozenset(self.responses)

    @property
    def normative(self) -> bool:
        """It is under test."""
        return bool(self.operation["x-normative"])

    @property
    def service(self) -> str:
        """The endpoint that serves it."""
        return str(self.operation["x-service"])

    def differences(self, one: Described) -> Iterator[FactDifference]:
        """Every fact of the page that the document tells otherwise, and every one that is missing on either side."""
        yield from self._operation_line(one)
        yield from self._codes(one)
        yield from self._parameters(one)
        yield from self._body(one)
        yield from self._body_parameters(one)
        yield from self._representations(one)
        yield from self._example(one)
        yield from self._passages(one)

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _operation_line(self, one: Described) -> Iterator[FactDifference]:
        path = one.path.partition("?")[0]
        if one.method != self.method:
            yield FactDifference(one.line, f"method {one.method} on the page, {self.method} in the document")
        if path != self.path:
            yield FactDifference(one.line, f"path {path} on the page, {self.path} in the document")

    def _stated_codes(self) -> frozenset[int]:
        """The codes that a page lists, without those that are only seen in the field."""
        return frozenset(
            code for code, one in self.responses.items() if one.get("x-page", {}).get("stated") is not False
        )

    def _codes(self, one: Described) -> Iterator[FactDifference]:
        if one.codes is None:
            yield FactDifference(one.line, f"the page lists no code; the document has {_joined(sorted(self.codes))}")
            return
        for code in one.codes:
            if code.number not in self.responses:
                yield FactDifference(code.line, f"code {code.number or code.name} is not in the document")
                continue
            stated = self.responses[code.number].get("x-page", {})
            name = stated.get("name", code.name)
            if code.name != name and not (one.format == "wadl" and not code.name):
                yield FactDifference(code.line, f'code {code.number} is named "{code.name}", "{name}" in the document')
            if code.description and not _says(stated.get("says", ""), code.description):
                yield FactDifference(code.line, f"the description of code {code.number} says something else")
        numbers = [code.number for code in one.codes]
        for number in sorted({each for each in numbers if numbers.count(each) > 1}):
            yield FactDifference(
                max(code.line for code in one.codes if code.number == number), f"code {number} stands twice"
            )
        for number in sorted(self._stated_codes() - set(numbers)):
            yield FactDifference(one.codes[0].line, f"code {number} of the document is not on the page")

    def _parameters(self, one: Described) -> Iterator[FactDifference]:
        listed = {parameter.name: parameter for parameter in one.parameters or ()}
        for name in sorted(self.page.get("parameters", {})):
            if name not in listed:
                yield FactDifference(one.line, f"the page lists no parameter {name}")
        for name, parameter in listed.items():
            if name not in self.parameters:
                yield FactDifference(parameter.line, f"parameter {name} is not in the document")
            elif one.format == "page" and name not in self.page.get("parameters", listed):
                yield FactDifference(parameter.line, f"parameter {name} is in the table, and in none for the document")
            elif parameter.required is False and f"{{{name}}}" in self.path:
                yield FactDifference(parameter.line, f"parameter {name} is optional on the page, a part of the path")
            else:
                yield from _type(parameter, self.parameters[name], one.format)

    def _body(self, one: Described) -> Iterator[FactDifference]:
        if self.operation.get("requestBody", {}).get("x-page", {}).get("stated") is False:
            return
        accepted = "requestBody" in self.operation
        for body in one.bodies:
            if body.accepted != accepted:
                yield FactDifference(body.line, f"a request body is {_accepted(body.accepted)} on the page, "
                                            f"{_accepted(accepted)} in the document")  # fmt: skip
        if not one.bodies and one.format == "page" and not accepted:
            yield FactDifference(one.line, "the page does not say that no request body is accepted")

    def _body_parameters(self, one: Described) -> Iterator[FactDifference]:
        content = self.operation.get("requestBody", {}).get("content", {})
        schemas = [self._resolved(media["schema"]) for media in content.values() if "schema" in media]
        known = {name: (schema, must) for schema in schemas for name, schema, must in self._members(schema)}
        for parameter in one.body_parameters or ():
            if parameter.name not in known:
                yield FactDifference(parameter.line, f"body parameter {parameter.name} is not in the document")
                continue
            schema, must = known[parameter.name]
            yield from _type(parameter, schema, one.format)
            if parameter.required not in {None, must}:
                yield FactDifference(parameter.line, f"body parameter {parameter.name} is required on one side only")

    def _members(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
        for name, reference in schema.get("properties", {}).items():
            member = self._resolved(reference)
            yield name, member, name in schema.get("required", ())
            yield from self._members(member)

    def _representations(self, one: Described) -> Iterator[FactDifference]:
        for number, media_type, line in one.representations:
            holder = self.responses.get(number, {}) if number else self.operation.get("requestBody", {})
            kinds = set(holder.get("content", {}))
            what = f"code {number}" if number else "the request"
            if number >= 400 and not kinds:  # errors have no documented content, and WADL names types for them
                continue
            if media_type not in kinds:
                here = ", ".join(sorted(kinds)) or "nothing"
                yield FactDifference(line, f"{what} has the representation {media_type}, {here} in the document")

    def _example(self, one: Described) -> Iterator[FactDifference]:
        wanted: Mapping[str, str] = self.page.get("fields", {})
        if wanted and not one.examples and one.format == "page":
            yield FactDifference(one.line, "the page shows no example of an answer")
        for example in one.examples:
            success = sorted(code for code in self.codes if code < 300)
            if example.status is None and wanted:
                yield FactDifference(example.line, "the example shows no status")
            elif example.status is not None and example.status not in success:
                yield FactDifference(example.line, f"the example shows status {example.status}, not {_joined(success)}")
            empty = all("content" not in self.responses[code] for code in success)
            if example.content and empty and HTTPStatus.NO_CONTENT in success:
                yield FactDifference(example.line, "the example shows content, and the document has none")
            for name in sorted({*dict(example.fields), *wanted} if wanted else set()):
                there, here = dict(example.fields).get(name, "nothing"), wanted.get(name, "nothing")
                if there != here:
                    yield FactDifference(example.line, f"the example's {name} is {there}, {here} in the document")

    def _passages(self, one: Described) -> Iterator[FactDifference]:
        if one.format != "page" or "says" not in self.page:
            return
        for stated in self.page["says"]:
            passages = _passages_of(one, stated["where"])
            if not any(_says(stated["pattern"], passage.text) for passage in passages):
                line = passages[0].line if passages else one.line
                yield FactDifference(line, f"the page ({stated['where']}) does not say: {stated['fact']}")
        patterns = [stated["pattern"] for stated in self.page["says"] if stated["where"] == "note"]
        for note in one.notes:
            if not any(_says(pattern, note.text) for pattern in patterns):
                yield FactDifference(note.line, "a note of which the document knows nothing")


def _passages_of(one: Described, where: str) -> tuple[Prose, ...]:
    if where == "note":
        return one.notes
    if where == "prose":
        return one.prose
    return tuple(Prose(each.description, each.line) for each in one.parameters or () if each.name == where)


def _type(parameter: Parameter, schema: Mapping[str, Any], form: str) -> Iterator[FactDifference]:
    there = re.sub(r"^\w+:", "", parameter.type).lower().replace(" ", "").replace("-", "")
    kind = schema.get("type", "")
    here = (str(kind), str(schema.get("format", "")))
    if not there and form == "wadl":
        return
    if TYPES.get(there) != here:
        shown = f"{here[0]} ({here[1]})" if here[1] else here[0]
        yield FactDifference(
            parameter.line, f"parameter {parameter.name} is of type {parameter.type!r}, {shown} in the document"
        )


def _says(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _accepted(accepted: bool) -> str:  # noqa: FBT001  # the fact itself
    return "accepted" if accepted else "not accepted"


def _joined(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))

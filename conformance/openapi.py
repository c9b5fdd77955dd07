"""The operations of ``spec/openapi.yaml``: their codes, methods, paths and services.

The OpenAPI document is the only place where a shape is stated; it is read on first use and nothing is added.
Schemathesis gets the same document.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from conformance import SPEC, yaml_input
from conformance.errors import SpecificationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import schemathesis

OPERATION = "removeAssociation"
"""The ``operationId`` of the operation under test, the only normative one."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The members of an OpenAPI path item that are operations (OpenAPI 3.1, 4.8.9)."""


@dataclass(frozen=True, slots=True)
class DocumentedOperation:
    """One operation of the document.

    Attributes:
        method: in upper case.
        path: the template, with its parameters in braces.
        service: ``compute`` or ``network``, the endpoint that serves it.
        normative: it is under test; the others are there to set up, to observe and to clean up.
        codes: every documented code; a range (``4XX``) names none and does not count.
    """

    id: str
    method: str
    path: str
    service: str
    normative: bool
    codes: frozenset[int]

    @property
    def success(self) -> frozenset[int]:
        """The documented codes from 200 to 299."""
        return frozenset(code for code in self.codes if 200 <= code < 300)

    @property
    def refusals(self) -> frozenset[int]:
        """The documented codes from 400 to 499."""
        return frozenset(code for code in self.codes if 400 <= code < 500)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document. It is shared: copy it before changing it."""
    path = SPEC / "openapi.yaml"
    try:
        loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml_input.LOADER)  # noqa: S506  # safe
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SpecificationError(f"{path}: expected an OpenAPI document in YAML: {error}") from error
    return loaded


@cache
def operations() -> Mapping[str, DocumentedOperation]:
    """``operationId`` -> operation, in the order of the document."""
    found = (
        _operation(path, method, item[method])
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    )
    return MappingProxyType({operation.id: operation for operation in found})


def operation(operation_id: str = OPERATION) -> DocumentedOperation:
    """The operation of that ``operationId``.

    Raises:
        SpecificationError: the document has none of that name.
    """
    try:
        return operations()[operation_id]
    except KeyError:
        names = ", ".join(operations())
        raise SpecificationError(f"openapi.yaml has no operation {operation_id!r}", f"it has {names}") from None


def documented(operation_id: str = OPERATION) -> frozenset[int]:
    """Every code that the operation may answer."""
    return operation(operation_id).codes


def success(operation_id: str = OPERATION) -> frozenset[int]:
    """The codes by which the operation says that it was done."""
    return operation(operation_id).success


def refusals(operation_id: str = OPERATION) -> frozenset[int]:
    """The documented codes by which the operation refuses (4xx)."""
    return operation(operation_id).refusals


def methods_documented_on_the_path(operation_id: str = OPERATION) -> frozenset[str]:
    """The methods that the operation's path has, in upper case."""
    path = operation(operation_id).path
    return frozenset(other.method for other in operations().values() if other.path == path)


def schemathesis_schema(config: schemathesis.Config | None = None) -> schemathesis.BaseSchema:
    """The document as Schemathesis works with it, fresh on each call: hooks and filters do not spread.

    Without ``config`` Schemathesis's defaults hold: a ``schemathesis.toml`` that happens to lie in the
    working directory is not read, because it would change what is judged.
    """
    import schemathesis  # noqa: PLC0415  # takes most of a second, and only the generated cases need it

    return schemathesis.openapi.from_dict(copy.deepcopy(document()), config=config or schemathesis.Config())


def _operation(path: str, method: str, stated: dict[str, Any]) -> DocumentedOperation:
    return DocumentedOperation(
        id=stated["operationId"],
        method=method.upper(),
        path=path,
        service=stated["x-service"],
        normative=stated["x-normative"],
        codes=frozenset(int(code) for code in stated["responses"] if code.isdigit()),
    )

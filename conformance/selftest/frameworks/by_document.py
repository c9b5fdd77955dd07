"""A service that pyramid_openapi3 drives by the OpenAPI document: paths, methods, validation of requests and answers.

    python -m frameworks.by_document OPENAPI.yaml [as-it-comes]

What is written here is one function an operation, and the two things that OpenAPI cannot say of a path: a method that
it does not name answers 405, and content that no operation describes is refused. Responses are validated as well: an
answer that the document does not know would be a 500. As it comes, the framework takes digits of any script for those
of a UUID, and a path that is no UTF-8 for a fault of its own; here both are mended.
"""

import re
import sys
from collections.abc import Callable
from typing import Any

import yaml
from frameworks.serving import serve
from frameworks.state import STATE, Denied
from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.request import Request
from pyramid.response import Response

METHODS = ("get", "put", "post", "delete")
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def said(request: Request, name: str) -> Any:
    """A parameter, as the document's schema reads it."""
    parameters = request.openapi_validated.parameters
    value = {**parameters.path, **parameters.query}.get(name)
    return None if value is None else str(value)


def listed(request: Request) -> Response:
    """GET on the associations of a server."""
    with STATE.by(request.headers["X-Auth-Token"]) as caller:
        found = STATE.used_by(caller, said(request, "serverID"))
        return Response(json={"ip_associations": [one.associated() for one in found]})


def shown(request: Request) -> Response:
    """GET on an association."""
    with STATE.by(request.headers["X-Auth-Token"]) as caller:
        found = STATE.association(caller, said(request, "serverID"), said(request, "IPAddressID"))
        return Response(json={"ip_association": found.associated()})


def associated(request: Request) -> Response:
    """PUT on an association."""
    with STATE.by(request.headers["X-Auth-Token"], writes=True) as caller:
        found = STATE.associate(caller, said(request, "serverID"), said(request, "IPAddressID"))
        return Response(json={"ip_association": found.associated()}, status=201)


def removed(request: Request) -> Response:
    """DELETE on an association."""
    with STATE.by(request.headers["X-Auth-Token"], writes=True) as caller:
        server, identifier = said(request, "serverID"), said(request, "IPAddressID")
        STATE.association(caller, server, identifier).servers.remove(server)
        return Response(status=204)


def addresses(request: Request) -> Response:
    """GET on the addresses."""
    with STATE.by(request.headers["X-Auth-Token"]) as caller:
        return Response(json={"ip_addresses": STATE.addresses(caller)})


def address(request: Request) -> Response:
    """GET on an address."""
    with STATE.by(request.headers["X-Auth-Token"]) as caller:
        return Response(json={"ip_address": STATE.address(caller, said(request, "ipAddressID"), 404).shown()})


def allocated(request: Request) -> Response:
    """POST on the addresses."""
    wanted = request.openapi_validated.body["ip_address"]
    with STATE.by(request.headers["X-Auth-Token"], writes=True) as caller:
        made = STATE.allocate(caller, wanted["version"], wanted["port_ids"])
        return Response(json={"ip_address": made.shown()}, status=201)


def updated(request: Request) -> Response:
    """PUT on an address."""
    ports = request.openapi_validated.body["ip_address"]["port_ids"]
    with STATE.by(request.headers["X-Auth-Token"], writes=True) as caller:
        return Response(json={"ip_address": STATE.replace_ports(caller, said(request, "ipAddressID"), ports).shown()})


def deallocated(request: Request) -> Response:
    """DELETE on an address."""
    with STATE.by(request.headers["X-Auth-Token"], writes=True) as caller:
        STATE.replace_ports(caller, said(request, "ipAddressID"), [])
        return Response(status=204)


def ports(request: Request) -> Response:
    """GET on the ports."""
    with STATE.by(request.headers["X-Auth-Token"]) as caller:
        return Response(json={"ports": STATE.ports_shown(caller, said(request, "device_id"))})


OPERATIONS: dict[str, Callable[[Request], Response]] = {
    "listAssociations": listed,
    "showAssociation": shown,
    "associate": associated,
    "removeAssociation": removed,
    "listAddresses": addresses,
    "showAddress": address,
    "allocateAddress": allocated,
    "updateAddress": updated,
    "deallocateAddress": deallocated,
    "listPorts": ports,
}


def as_described(request: Request, operation: dict[str, Any]) -> None:
    """Refuse content that an operation does not describe: to the framework it is none of its business."""
    if request.body and "requestBody" not in operation:
        raise Denied(400, "no content is described")


def answered(operation: dict[str, Any]) -> Callable[[Any, Request], Response]:
    """The view of an operation."""

    def view(_context: Any, request: Request) -> Response:
        try:
            as_described(request, operation)
            return OPERATIONS[operation["operationId"]](request)
        except Denied as refusal:
            return Response(json={"message": str(refusal)}, status=refusal.code)

    return view


def unnamed(allowed: str) -> Callable[[Any, Request], Response]:
    """The view of all methods that the document does not name."""

    def view(_context: Any, _request: Request) -> Response:
        return Response(json={"message": "no such method"}, status=405, headerlist=[("Allow", allowed)])

    return view


def mend(config: Configurator) -> None:
    """What the framework lets through although the document does not."""
    config.pyramid_openapi3_add_formatter("uuid", UUID.fullmatch)
    config.add_exception_view(lambda _context, _request: Response(status=400), context=URLDecodeError)


def application(document: str, *, mended: bool) -> Any:
    """The document, as a WSGI application."""
    with open(document, encoding="utf-8") as file:  # noqa: PTH123
        described: dict[str, Any] = yaml.safe_load(file)
    with Configurator() as config:
        config.include("pyramid_openapi3")
        if mended:
            mend(config)
        config.pyramid_openapi3_spec(document)
        for path, item in described["paths"].items():
            config.add_route(path, path)
            named = [method for method in METHODS if method in item]
            config.add_view(unnamed(", ".join(named).upper()), route_name=path)
            for method in named:
                config.add_view(answered(item[method]), route_name=path, request_method=method.upper(), openapi=True)
    return config.make_wsgi_app()


if __name__ == "__main__":
    serve(application(sys.argv[1], mended="as-it-comes" not in sys.argv), "driven-by-the-document")

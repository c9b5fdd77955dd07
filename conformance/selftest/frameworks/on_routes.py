"""A service on what nova and neutron stand on: Routes, WebOb and Paste, put together by an api-paste.ini.

    python -m frameworks.on_routes [HABIT ...]

Without a habit it conforms. A habit is what these libraries do by themselves, or what services on them commonly do,
each of which the code has to prevent.
"""

import re
import sys
from pathlib import Path
from typing import Any

from frameworks.serving import serve
from frameworks.state import STATE, Caller, Denied
from paste.deploy import loadapp
from routes import Mapper
from routes.middleware import RoutesMiddleware
from webob import Request, Response
from webob.dec import wsgify

HABITS = {
    "no-route": "Routes matches a path together with a method, so that another method finds nothing: 404.",
    "method-override": "The middleware of Routes takes the method from a query or a form named _method.",
    "suffix": "A resource of Routes may be named with a format, as in ID.json.",
    "content-unread": "An action that needs no content does not look whether there is any.",
    "padded": "A column of fixed width is as wide as its longest value: blanks at an end count for nothing.",
}
COLLECTION = {"GET": "index", "POST": "create"}
MEMBER = {"GET": "show", "PUT": "update", "DELETE": "delete"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Associations:
    """Actions on the associations of a server."""

    def __init__(self, habits: frozenset[str]) -> None:
        self.habits = habits

    def identifier(self, text: str) -> str:
        """An ID as the tables spell it."""
        text = text.rstrip(" ") if "padded" in self.habits else text
        if not UUID.fullmatch(text):
            raise Denied(400, "no UUID")
        return text.lower()

    def index(self, caller: Caller, _request: Request, server: str) -> Response:
        """The list."""
        return Response(json={"ip_associations": [one.associated() for one in STATE.used_by(caller, server)]})

    def show(self, caller: Caller, _request: Request, server: str, id: str) -> Response:  # noqa: A002
        """The single read."""
        return Response(json={"ip_association": STATE.association(caller, server, self.identifier(id)).associated()})

    def update(self, caller: Caller, _request: Request, server: str, id: str) -> Response:  # noqa: A002
        """An association."""
        made = STATE.associate(caller, server, self.identifier(id))
        return Response(json={"ip_association": made.associated()})

    def delete(self, caller: Caller, request: Request, server: str, id: str) -> Response:  # noqa: A002
        """A removal."""
        if "content-unread" not in self.habits and request.body:
            raise Denied(400, "a removal has no content")
        STATE.association(caller, server, self.identifier(id)).servers.remove(server)
        return Response(status=204)


class Addresses:
    """Actions on the addresses of a tenant."""

    def index(self, caller: Caller, _request: Request) -> Response:
        """The list."""
        return Response(json={"ip_addresses": STATE.addresses(caller)})

    def show(self, caller: Caller, _request: Request, id: str) -> Response:  # noqa: A002
        """The single read."""
        return Response(json={"ip_address": STATE.address(caller, id, 404).shown()})

    def create(self, caller: Caller, request: Request) -> Response:
        """An allocation."""
        wanted = self.sent(request)
        if str(wanted.get("version")) not in {"4", "6"} or not wanted.get("port_ids"):
            raise Denied(400, "an address needs a version and a port")
        made = STATE.allocate(caller, int(wanted["version"]), wanted["port_ids"])
        return Response(json={"ip_address": made.shown()})

    def update(self, caller: Caller, request: Request, id: str) -> Response:  # noqa: A002
        """Other ports, or none."""
        ports = self.sent(request).get("port_ids", [])
        return Response(json={"ip_address": STATE.replace_ports(caller, id, ports).shown()})

    def delete(self, caller: Caller, _request: Request, id: str) -> Response:  # noqa: A002
        """A de-allocation."""
        STATE.replace_ports(caller, id, [])
        return Response(status=204)

    def sent(self, request: Request) -> dict[str, Any]:
        """The address that the content speaks of."""
        try:
            wanted = request.json["ip_address"]
        except (ValueError, LookupError, TypeError) as error:
            raise Denied(400, "no ip_address") from error
        if not isinstance(wanted, dict) or not isinstance(wanted.get("port_ids", []), list):
            raise Denied(400, "no ip_address with a list of ports")
        return wanted


class Ports:
    """The ports of a tenant, read only."""

    def index(self, caller: Caller, request: Request) -> Response:
        """The list."""
        return Response(json={"ports": STATE.ports_shown(caller, request.GET.get("device_id"))})


def callers(_configuration: dict[str, str]) -> Any:
    """A filter as that of keystonemiddleware: what has no caller goes no further."""

    @wsgify.middleware
    def filtered(request: Request, application: Any) -> Any:
        try:
            with STATE.by(request.headers.get("X-Auth-Token")) as caller:
                request.environ["caller"] = caller
                return request.get_response(application)
        except Denied as refusal:
            return refused(refusal)

    return filtered


def refused(refusal: Denied, *headers: tuple[str, str]) -> Response:
    """The answer to a refused request."""
    fault = {"badRequest": {"code": refusal.code, "message": str(refusal)}}
    answer = Response(json=fault, status=refusal.code)
    answer.headers.extend(headers)
    return answer


def permitted(caller: Caller, action: str) -> None:
    """Refuse what the caller may not do."""
    if action not in {"index", "show"} and not caller.writes:
        raise Denied(403, "the caller may only read")


class Resource:
    """The application of a controller: calls the action that the route names, for a caller who may act so."""

    def __init__(self, controller: Any) -> None:
        self.controller = controller

    @wsgify
    def __call__(self, request: Request) -> Response:
        """The action's answer."""
        match = dict(request.environ["wsgiorg.routing_args"][1])
        action, allowed = match.pop("action", ""), match.pop("allowed", "")
        if allowed:
            return refused(Denied(405, "no such method"), ("Allow", allowed))
        named = {name: value for name, value in match.items() if name not in {"controller", "format"}}
        caller = request.environ["caller"]
        try:
            permitted(caller, action)
            return getattr(self.controller, action)(caller, request, **named)
        except Denied as refusal:
            return refused(refusal)


@wsgify
def dispatched(request: Request) -> Any:
    """What the route leads to."""
    return request.environ["wsgiorg.routing_args"][1].get("controller", Response(status=404))


def routed(controller: Any, path: str, habits: frozenset[str]) -> Any:
    """An application whose paths name a collection and its members, for the actions that the controller has."""
    mapper, resource = Mapper(), Resource(controller)
    suffix = "{.format}" if "suffix" in habits else ""
    for place, actions in ((path, COLLECTION), (f"{path}/{{id}}", MEMBER)):
        has = {method: action for method, action in actions.items() if hasattr(controller, action)}
        for method, action in has.items():
            mapper.connect(place + suffix, controller=resource, action=action, conditions={"method": [method]})
        if has and "no-route" not in habits:
            mapper.connect(place, controller=resource, allowed=", ".join(has))
    override = "method-override" in habits
    return RoutesMiddleware(dispatched, mapper, use_method_override=override, singleton=False)


def compute(configuration: dict[str, str]) -> Any:
    """The paths of servers."""
    habits = frozenset(configuration["habits"].split())
    return routed(Associations(habits), "/servers/{server}/ip_associations", habits)


def network(configuration: dict[str, str]) -> Any:
    """The paths of addresses and of ports."""
    habits = frozenset(configuration["habits"].split())
    addresses, ports = routed(Addresses(), "/ip_addresses", habits), routed(Ports(), "/ports", habits)
    return lambda environ, start: (ports if environ["PATH_INFO"].startswith("/ports") else addresses)(environ, start)


if __name__ == "__main__":
    chosen = sys.argv[1:]
    if unknown := set(chosen) - set(HABITS):
        sys.exit(f"no habit {unknown}: there are {', '.join(HABITS)}")
    ini = Path(__file__).with_name("api-paste.ini")
    serve(loadapp(f"config:{ini}", global_conf={"habits": " ".join(chosen)}), "-".join(["routes", *chosen]))

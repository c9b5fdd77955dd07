"""A small identity service on a loopback port, and a reference deployment that lets one decide who calls."""

from __future__ import annotations

import json
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import yaml

from conformance.reference import Reference, Settings
from conformance.reference.app import Deployment, Rules
from conformance.reference.exchange import ReceivedRequest, Refusal
from conformance.reference.store import Caller

MEMBER, READER = "member", "reader"


@dataclass(frozen=True, slots=True)
class User:
    """Who may log in, to which project, with which role there."""

    password: str
    project: str
    role: str = MEMBER


USERS = {
    "full": User("pw-full-Zq8vN3xT6kRw", "project-a"),
    "restricted": User("pw-restricted-Ld5yB9hM2sJc", "project-a", READER),
    "foreign": User("pw-foreign-Gf7wK4pX1uEa", "project-b"),
}
API_KEY = "ak-0f9e8d7c6b5a49382716"


@dataclass(slots=True)
class Issued:
    """A token that was given to a user; ``lives`` is how long it says to be good for."""

    user: str
    lives: timedelta


@dataclass(slots=True)
class IdentityService:
    """Speaks as much of the Identity API, v3 and v2.0, as logging in and checking a token take.

    Attributes:
        endpoints: (service, interface, region) -> URL; the catalogue of everybody.
        issued: token -> for whom; one that was revoked is not there any more.
        given: every token that was ever given.
        asked: what was requested, in order.
        silent: the service answers 503 to everything.
        secretive: it tells nobody about tokens, as a policy may forbid.
        moved: a URL to which every request is redirected.
    """

    endpoints: dict[tuple[str, str, str], str] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=lambda: dict(USERS))
    lives: timedelta = timedelta(hours=1)
    issued: dict[str, Issued] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    secretive: bool = False
    moved: str = ""
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Answer."""
                service.answer(self)

            do_POST = do_GET  # noqa: N815  # the library calls it so

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server
        assert self._thread
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server
        return f"http://127.0.0.1:{self._server.server_port}"

    def logins(self) -> int:
        """How many tokens were given."""
        return len(self.given)

    def revoke_all(self) -> None:
        """No token that was given is good any more."""
        self.issued.clear()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        length = int(handler.headers.get("Content-Length", 0))
        document = json.loads(handler.rfile.read(length)) if length else {}
        self.asked.append(f"{handler.command} {handler.path}")
        path = handler.path.partition("?")[0].rstrip("/")
        status: int
        fields: dict[str, str]
        body: dict[str, Any]
        if self.silent or self.moved:
            status, fields, body = (503, {}, {}) if self.silent else (307, {"Location": self.moved + handler.path}, {})
        elif handler.command == "POST" and path == "/v3/auth/tokens":
            status, fields, body = self._login(document)
        elif path == "/v3/auth/tokens":
            status, fields, body = self._shown(handler.headers)
        elif handler.command == "POST" and path == "/v2.0/tokens":
            status, fields, body = self._login_as_of_old(document)
        elif path in {"", "/v3"}:
            version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": f"{self.url}/v3/"}]}
            status, fields = 200, {}
            body = {"version": version} if path else {"versions": {"values": [version]}}
        else:
            status, fields, body = 404, {}, {}
        content = json.dumps(body).encode()
        handler.send_response(status)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(content)), **fields}
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def _login(self, document: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        given = document["auth"]["identity"]["password"]["user"]
        user = self.users.get(given["name"])
        if user is None or user.password != given["password"]:
            return 401, {}, {"error": {"code": 401, "message": f"no, not with {given['password']}"}}
        token = self._give(given["name"])
        return 201, {"X-Subject-Token": token}, self._document(token)

    def _give(self, user: str) -> str:
        token = f"gAAAA{secrets.token_urlsafe(30)}"
        self.given.append(token)
        self.issued[token] = Issued(user, self.lives)
        return token

    def _shown(self, headers: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
        if self.secretive:
            return 403, {}, {}
        asking, subject = headers.get("X-Auth-Token"), headers.get("X-Subject-Token")
        if asking not in self.issued:
            return 401, {}, {}
        return (200, {}, self._document(subject)) if subject in self.issued else (404, {}, {})

    def _document(self, token: str) -> dict[str, Any]:
        issued = self.issued[token]
        user = self.users[issued.user]
        catalogue = [
            {
                "type": service,
                "id": service,
                "name": service,
                "endpoints": [
                    {"id": f"{region}-{interface}", "region": region, "region_id": region, "interface": interface}
                    | {"url": url}
                    for (one, interface, region), url in self.endpoints.items()
                    if one == service
                ],
            }
            for service in sorted({service for service, _, _ in self.endpoints})
        ]
        now = datetime.now(UTC)
        return {
            "token": {
                "methods": ["password"],
                "user": {"id": issued.user, "name": issued.user, "domain": {"id": "default", "name": "Default"}},
                "project": {"id": user.project, "name": user.project, "domain": {"id": "default", "name": "Default"}},
                "roles": [{"id": user.role, "name": user.role}],
                "issued_at": _stamp(now),
                "expires_at": _stamp(now + issued.lives),
                "catalog": catalogue,
            }
        }

    def _login_as_of_old(self, document: dict[str, Any]) -> tuple[int, dict[str, str], dict[str, Any]]:
        given = document["auth"]["RAX-KSKEY:apiKeyCredentials"]
        if given != {"username": "full", "apiKey": API_KEY}:
            return 401, {}, {}
        token = self._give("full")
        catalogue = [
            {"type": service, "name": service, "endpoints": [{"region": region, "publicURL": url}]}
            for (service, _, region), url in self.endpoints.items()
        ]
        stamp = _stamp(datetime.now(UTC) + self.lives)
        tenant = {"id": "project-a", "name": "project-a"}
        return (
            200,
            {},
            {
                "access": {
                    "token": {"id": token, "expires": stamp, "tenant": tenant},
                    "user": {"id": "1", "name": "full", "roles": []},
                    "serviceCatalog": catalogue,
                }
            },
        )


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


class Guarded(Deployment):
    """Asks an identity service about every token: the token about itself."""

    identity = ""
    tenants: Mapping[str, str] = {}
    """Project of the identity service -> tenant of the store."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        """Tell who calls.

        Raises:
            Refusal: 401, the identity service knows no such token.
        """
        return self.caller(self.shown(request.token or ""))

    def shown(self, token: str) -> dict[str, Any]:
        """What the identity service says of the token.

        Raises:
            Refusal: 401, it knows none.
        """
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        asked = urllib.request.Request(f"{self.identity}/v3/auth/tokens?nocatalog", headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                document: dict[str, Any] = json.load(answer)["token"]
        except (urllib.error.HTTPError, ValueError):
            raise Refusal(401, "a valid X-Auth-Token is required") from None
        return document

    def caller(self, shown: Mapping[str, Any]) -> Caller:
        """Who the identity service says it is."""
        roles = {role["name"] for role in shown["roles"]}
        return Caller(self.tenants[shown["project"]["id"]], may_write=MEMBER in roles)


class Remembering(Guarded):
    """Asks about a token once, as middleware does, and sees by itself when it has expired."""

    def start(self) -> None:
        """Nothing is remembered yet."""
        super().start()
        self.remembered: dict[str, dict[str, Any]] = {}

    def shown(self, token: str) -> dict[str, Any]:
        """What was said of the token when it was first seen.

        Raises:
            Refusal: 401, the identity service knew none, or the token has expired since.
        """
        document = self.remembered.get(token) or super().shown(token)
        self.remembered[token] = document
        if datetime.fromisoformat(document["expires_at"]) <= datetime.now(UTC):
            raise Refusal(401, "the token has expired")
        return document


class Turns(Deployment):
    """Does something once, when so many requests have been served."""

    after = 100

    def start(self) -> None:
        """Nothing has been served yet."""
        super().start()
        self.served, self.counting = 0, threading.Lock()

    def act(self) -> None:
        """What happens."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        """Count first."""
        with self.counting:
            self.served += 1
            due = self.served == self.after
        if due:
            self.act()
        return super().authenticate(request)


def turning(what: Callable[[], None], after: int = Turns.after) -> type[Deployment]:
    """A deployment on which ``what`` happens once, when so many requests have been served."""
    return type("Turning", (Turns,), {"act": lambda _: what(), "after": after})


class GuardedReference(Reference):
    """A reference deployment whose callers are those of an identity service.

    Args:
        identity: URL of the identity service, without version.
        projects: the tenant's project and the other one.
    """

    def __init__(
        self, identity: str, projects: tuple[str, str], *layers: type[Deployment], latency: float = 0.0
    ) -> None:
        self._identity, self._projects, self._layers = identity, projects, layers
        super().__init__(Settings(rules=Rules(latency=latency)))

    def _deployment(self) -> Deployment:
        tenants = dict(zip(self._projects, (self.store.tenant, self.store.other_tenant), strict=True))
        deployed: type[Deployment] = type("Deployed", tuple(dict.fromkeys((*self._layers, Guarded))), {})
        deployed.identity, deployed.tenants = self._identity, tenants  # type: ignore[attr-defined]  # of Guarded
        return deployed(self.store, self.settings.rules)


def clouds(folder: Path, auth_url: str, users: Mapping[str, User] = USERS, **settings: Any) -> dict[str, str]:
    """Write clouds.yaml, one cloud for each user, and secure.yaml with the passwords; the variables that name them."""
    named = {
        name: {
            "auth": {"auth_url": auth_url, "username": name, "project_id": user.project}
            | {"user_domain_id": "default"},
            **settings,
        }
        for name, user in users.items()
    }
    kept = {name: {"auth": {"password": user.password}} for name, user in users.items()}
    written = {"clouds.yaml": named, "secure.yaml": kept}
    for file, content in written.items():
        (folder / file).write_text(yaml.safe_dump({"clouds": content}))
    return {
        "OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"),
        "OS_CLIENT_SECURE_FILE": str(folder / "secure.yaml"),
    }

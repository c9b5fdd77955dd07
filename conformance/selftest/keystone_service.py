"""A real Keystone on a loopback port: SQLite, fernet tokens, two projects, two regions; run as a script it serves."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cheroot.wsgi
import requests
from identity_service import MEMBER, READER, User

SECONDS = 120
"""No step of Keystone takes a quarter of this."""

ADMIN = "pw-admin-Hq7tB2nY5eVd"
MANAGE = "from keystone.cmd import manage; manage.main()"
CONFIGURATION = """\
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.db
[token]
expiration = {token_seconds}
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
[cache]
# A token that is revoked is refused at once.
enabled = false
[identity]
password_hash_rounds = 4
"""


@dataclass(slots=True)
class Keystone:
    """A running Keystone, and what its administrator does to it.

    Attributes:
        projects: name -> ID.
    """

    url: str
    projects: dict[str, str] = field(default_factory=dict)
    _own: str = ""

    def token(self, name: str = "admin", password: str = ADMIN, project: str = "admin") -> str:
        """A token of a user."""
        domain = {"id": "default"}
        user = {"name": name, "password": password, "domain": domain}
        identity = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": project, "domain": domain}}
        document = {"auth": {"identity": identity, "scope": scope}}
        answer = requests.post(f"{self.url}/v3/auth/tokens", json=document, timeout=SECONDS)
        answer.raise_for_status()
        return str(answer.headers["X-Subject-Token"])

    def ask(self, method: str, path: str, document: Any = None, **fields: str) -> Any:
        """Send a request as the administrator; the answer's document."""
        answer = self._asked(method, path, document, fields)
        if answer.status_code == 401:  # its own token has expired
            self._own = self.token()
            answer = self._asked(method, path, document, fields)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _asked(self, method: str, path: str, document: Any, fields: dict[str, str]) -> requests.Response:
        headers = {"X-Auth-Token": self._own, **fields}
        return requests.request(method, f"{self.url}/v3{path}", json=document, headers=headers, timeout=SECONDS)

    def revoke(self, token: str) -> None:
        """End a token before its time, which may have come by now."""
        with contextlib.suppress(requests.HTTPError):
            self.ask("DELETE", "/auth/tokens", **{"X-Subject-Token": token})

    def populate(self, users: dict[str, User]) -> None:
        """Create the users, their projects and their roles there."""
        roles = {role["name"]: role["id"] for role in self.ask("GET", "/roles")["roles"]}
        assert {MEMBER, READER} <= roles.keys()
        for name in sorted({user.project for user in users.values()}):
            document = {"project": {"name": name, "domain_id": "default"}}
            self.projects[name] = self.ask("POST", "/projects", document)["project"]["id"]
        for name, user in users.items():
            document = {"user": {"name": name, "password": user.password, "domain_id": "default"}}
            created = self.ask("POST", "/users", document)["user"]["id"]
            self.ask("PUT", f"/projects/{self.projects[user.project]}/users/{created}/roles/{roles[user.role]}")

    def catalogue(self, endpoints: dict[tuple[str, str, str], str]) -> None:
        """State the endpoints, (service, interface, region) -> URL, in place of what was stated before."""
        for service in self.ask("GET", "/services")["services"]:
            if service["type"] != "identity":
                self.ask("DELETE", f"/services/{service['id']}")
        services: dict[str, str] = {}
        regions = {region["id"] for region in self.ask("GET", "/regions")["regions"]}
        for (kind, interface, region), url in endpoints.items():
            if region not in regions:
                self.ask("POST", "/regions", {"region": {"id": region}})
                regions.add(region)
            if kind not in services:
                document = {"service": {"type": kind, "name": kind}}
                services[kind] = self.ask("POST", "/services", document)["service"]["id"]
            endpoint = {"service_id": services[kind], "interface": interface, "region_id": region, "url": url}
            self.ask("POST", "/endpoints", {"endpoint": endpoint})


@contextlib.contextmanager
def serve(folder: Path, token_seconds: int) -> Iterator[Keystone]:
    """Set a Keystone up in the folder and serve it."""
    configuration = folder / "keystone.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, token_seconds=token_seconds))
    owner = [
        "--keystone-user",
        pwd.getpwuid(os.getuid()).pw_name,
        "--keystone-group",
        grp.getgrgid(os.getgid()).gr_name,
    ]
    for name in ("fernet", "credential"):
        (folder / name).mkdir(mode=0o700)
    for step in (
        ["db_sync"],
        ["fernet_setup", *owner],
        ["credential_setup", *owner],
        ["bootstrap", "--bootstrap-password", ADMIN],
    ):
        words = [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            MANAGE,
            "--config-file",
            str(configuration),
            *step,
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    errors = folder / "keystone.err"
    with (
        errors.open("w") as said,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=os.environ | {"OS_KEYSTONE_CONFIG_FILES": str(configuration)},
            text=True,
        ) as process,
    ):
        assert process.stdout
        line = process.stdout.readline()
        assert line, errors.read_text()
        try:
            yield Keystone(json.loads(line)["url"])
        finally:
            process.communicate("")


def main() -> None:
    """Serve until standard input ends."""
    from keystone.server import wsgi  # noqa: PLC0415  # not there for whoever imports this module

    server = cheroot.wsgi.Server(("127.0.0.1", 0), wsgi.initialize_public_application(), numthreads=8)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    print(json.dumps({"url": f"http://127.0.0.1:{server.bind_addr[1]}"}), flush=True)  # noqa: T201  # said to the parent
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()

"""Runs whose credentials are clouds: an identity service gives the tokens and checks them for the deployment."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from identity_service import USERS, GuardedReference, IdentityService, Turns, clouds, turning
from run_processes import FILES, Ran, environment, run

from conformance.reference.app import Deployment
from conformance.reference.exchange import ReceivedRequest, Refusal
from conformance.reference.store import Caller

pytestmark = pytest.mark.slow

PROJECTS = ("project-a", "project-b")
AUTH = {"cloud": "full", "restricted_cloud": "restricted", "foreign_cloud": "foreign", "region": "south"}
RENEWED = "the full token did not last for the whole run"


class Moody(Deployment):
    """Every second removal with a valid token is answered 401: the one that comes after a renewal would be granted."""

    def authenticate(self, request: ReceivedRequest) -> Caller:
        """Let in most of the time."""
        caller = super().authenticate(request)
        if request.removal and self.every(2, "removals"):
            raise Refusal(401, "not today")
        return caller


def _catalogue(service: IdentityService, reference: GuardedReference) -> None:
    """Two regions: the deployment is in the south, and the north is nowhere."""
    for kind in ("compute", "network"):
        service.endpoints[kind, "public", "north"] = "http://127.0.0.1:1/"
    service.endpoints["compute", "public", "south"] = f"{reference.compute}/v2.1/project-a"
    service.endpoints["network", "public", "south"] = reference.network


def _run(folder: Path, service: IdentityService, reference: GuardedReference, *arguments: str, **auth: Any) -> Ran:
    """Run the suite with clouds of the service on the deployment."""
    _catalogue(service, reference)
    variables = clouds(folder, service.url)
    document = {
        "name": "cloudy",
        "auth": AUTH | auth,
        "resources": {"servers": list(reference.servers)},
        "policy": {"settle_seconds": 0.5},
    }
    (folder / "target.yaml").write_text(yaml.safe_dump(document))
    return run(folder / "run", "--target", folder / "target.yaml", *arguments, **variables)


def _shows_no_secret(ran: Ran, service: IdentityService) -> None:
    secrets = [*service.given, *(user.password for user in USERS.values())]
    files = [path for path in ran.folder.rglob("*") if path.is_file()]
    shown = [ran.output, *(path.read_text(errors="replace") for path in files)]
    assert len(files) >= len(FILES)
    assert not any(secret in text for secret in secrets for text in shown)


def _left_nothing(reference: GuardedReference) -> None:
    assert not reference.store.state.addresses
    assert not reference.store.state.associations


def test_a_run_outlives_its_tokens(tmp_path: Path) -> None:
    """Revoked in the middle; two workers renew on their own. The verdict is the usual one, and no secret is kept."""
    with IdentityService() as service:
        layer = turning(service.revoke_all)
        with GuardedReference(service.url, PROJECTS, layer) as reference:
            ran = _run(tmp_path, service, reference, "-n", "2")
    assert (ran.code, ran.report["verdict"]) == (0, "pass"), ran.output
    assert set(ran.verdicts.values()) <= {"pass", "untested"}
    assert {ran.verdicts["access.forbidden"], ran.verdicts["access.foreign"]} == {"pass"}
    assert any(note.startswith(RENEWED) for note in ran.report["notes"])
    assert ran.report["target"]["compute"] == f"{reference.compute}/v2"
    assert service.logins() > len(USERS)
    _shows_no_secret(ran, service)
    _left_nothing(reference)


def test_a_refusal_of_good_tokens_is_found(tmp_path: Path) -> None:
    """No renewal hides it: the identity service vouches for the tokens."""
    with IdentityService() as service, GuardedReference(service.url, PROJECTS, Moody) as reference:
        ran = _run(tmp_path, service, reference)
    assert (ran.code, ran.report["verdict"]) == (1, "fail"), ran.output
    assert ran.verdicts["codes.success"] == "fail"
    assert not any(RENEWED in note for note in ran.report["notes"])
    _left_nothing(reference)


def test_an_identity_service_that_ends_in_the_middle_is_inconclusive(tmp_path: Path) -> None:
    """No token is to be had any more; what had been judged is reported."""
    with IdentityService() as service:

        def end() -> None:
            service.revoke_all()
            service.users = {}

        with GuardedReference(service.url, PROJECTS, turning(end)) as reference:
            ran = _run(tmp_path, service, reference)
    assert (ran.code, ran.report["verdict"]) == (1, "inconclusive"), ran.output
    assert {"pass", "inconclusive"} <= set(ran.verdicts.values()) <= {"pass", "inconclusive", "untested"}
    assert "could not be renewed" in ran.output
    assert "Traceback" not in ran.output
    assert ran.written() == list(FILES)
    _shows_no_secret(ran, service)


def _is_inconclusive(ran: Ran, said: str) -> None:
    assert (ran.code, ran.report["verdict"]) == (1, "inconclusive"), ran.output
    assert said in ran.report["reason"]
    assert said in ran.last_line
    assert ran.output.count(said) == 1
    assert "Traceback" not in ran.output
    assert ran.written() == list(FILES)


def test_a_refused_password_is_inconclusive(tmp_path: Path) -> None:
    """One message, all files, and no request to the target."""
    with IdentityService() as service, GuardedReference(service.url, PROJECTS, Turns) as reference:
        service.users = {name: user for name, user in USERS.items() if name != "foreign"}
        ran = _run(tmp_path, service, reference)
    _is_inconclusive(ran, "the identity service of the cloud foreign at")
    assert reference.deployment.served == 0  # type: ignore[attr-defined]  # of Turns
    _shows_no_secret(ran, service)


def test_an_identity_service_that_is_not_there_is_inconclusive(tmp_path: Path) -> None:
    """With workers too."""
    with IdentityService() as service, GuardedReference(service.url, PROJECTS) as reference:
        service.silent = True
        ran = _run(tmp_path, service, reference, "-n", "2")
    _is_inconclusive(ran, "the identity service of the cloud full at")
    assert ran.report["target"]["compute"] == "to be found in the service catalogue"


def test_a_region_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    """One message with file, key and what there is; no report, and no request to the target."""
    with IdentityService() as service, GuardedReference(service.url, PROJECTS, Turns) as reference:
        ran = _run(tmp_path, service, reference, region="west")
    assert ran.code == 4, ran.output
    assert f"{tmp_path / 'target.yaml'}: auth.region: " in ran.output
    assert "expected one of north, south" in ran.output
    assert ran.output.count("ERROR: ") == 1
    assert not list(ran.reports.glob("*"))
    assert reference.deployment.served == 0  # type: ignore[attr-defined]  # of Turns


def test_cleanup_signs_in_as_well(tmp_path: Path) -> None:
    """It finds the target's ledgers by the URLs of the catalogue."""
    with IdentityService() as service, GuardedReference(service.url, PROJECTS) as reference:
        ran = _run(tmp_path, service, reference, "-k", "test_removing_an_existing")
        words = [sys.executable, "-m", "conformance", "cleanup", "--target", str(tmp_path / "target.yaml")]
        done = subprocess.run(
            [*words, "--state-dir", str(ran.state)],
            env=environment(**clouds(tmp_path, service.url)),
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 removed, 0 left" in done.stdout

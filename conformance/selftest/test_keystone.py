"""Runs whose credentials are those of a real Keystone: ``tox -e keystone``."""

import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from identity_service import USERS, GuardedReference, Remembering, clouds, turning
from keystone_service import Keystone, serve
from run_processes import FILES, Ran, run

from conformance.reference.app import Deployment

pytestmark = [
    pytest.mark.keystone,
    pytest.mark.skipif(importlib.util.find_spec("keystone") is None, reason="no Keystone; tox -e keystone has one"),
]

TOKEN_SECONDS = 20
LATENCY_SECONDS = 0.08
"""With some 800 requests a quick run then outlives a token."""

ACCESS = ("-k", "test_access or test_codes")


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """A Keystone with three users in two projects; one of them may only read."""
    with serve(tmp_path_factory.mktemp("keystone"), TOKEN_SECONDS) as keystone:
        keystone.populate(USERS)
        yield keystone


def guarded(keystone: Keystone, *layers: type[Deployment], latency: float = 0.0) -> GuardedReference:
    """A deployment whose callers are Keystone's."""
    projects = (keystone.projects["project-a"], keystone.projects["project-b"])
    return GuardedReference(keystone.url, projects, *layers, latency=latency)


def judge(folder: Path, keystone: Keystone, reference: GuardedReference, auth: dict[str, Any], *arguments: str) -> Ran:
    """Run the suite on the deployment, which is in the south; what is in the north answers nobody."""
    closed = "http://127.0.0.1:1"
    keystone.catalogue(
        {
            ("compute", "public", "north"): f"{closed}/v2.1",
            ("network", "public", "north"): closed,
            ("compute", "public", "south"): f"{reference.compute}/v2.1/%(project_id)s",
            ("network", "public", "south"): f"{reference.network}/",
            ("compute", "internal", "south"): f"{reference.compute}/v2.1",
            ("network", "internal", "south"): f"{reference.network}/v2.0",
        }
    )
    description = {
        "name": "keystone",
        "auth": auth,
        "resources": {"servers": list(reference.servers)},
        "policy": {"settle_seconds": 0.5},
    }
    (folder / "target.yaml").write_text(yaml.safe_dump(description))
    users = {name: replace(user, project=keystone.projects[user.project]) for name, user in USERS.items()}
    return run(
        folder / "run",
        "--target",
        folder / "target.yaml",
        *arguments,
        **clouds(folder, keystone.url, users),
    )


def passes(ran: Ran, reference: GuardedReference) -> None:
    """The verdict, all files, and nothing left."""
    assert (ran.code, ran.report["verdict"]) == (0, "pass"), ran.output
    assert ran.written() == list(FILES)
    assert ran.report["target"]["compute"] == f"{reference.compute}/v2"
    assert ran.report["target"]["network"] == f"{reference.network}/v2.0"
    assert not reference.store.state.addresses
    files = [path for path in ran.folder.rglob("*") if path.is_file()]
    shown = [ran.output, *(path.read_text(errors="replace") for path in files)]
    assert not [user for user in USERS.values() for text in shown if user.password in text]
    assert not [text for text in shown if "gAAAAA" in text], "a fernet token"


CLOUDS = {"cloud": "full", "restricted_cloud": "restricted", "foreign_cloud": "foreign", "region": "south"}
RENEWED = "did not last for the whole run"


def test_a_run_outlives_its_tokens(tmp_path: Path, keystone: Keystone) -> None:
    """They expire in its middle; a restricted role, another project, and the region's endpoints."""
    with guarded(keystone, Remembering, latency=LATENCY_SECONDS) as reference:
        ran = judge(tmp_path, keystone, reference, CLOUDS)
    passes(ran, reference)
    assert {ran.verdicts["access.forbidden"], ran.verdicts["access.foreign"]} == {"pass"}
    assert [note for note in ran.report["notes"] if note.startswith("the full token") and RENEWED in note]


def test_a_run_of_two_workers_outlives_a_revocation(tmp_path: Path, keystone: Keystone) -> None:
    """Each renews on its own."""

    def revoke() -> None:
        remembered: dict[str, Any] = reference.deployment.remembered  # type: ignore[attr-defined]  # of Remembering
        for token in list(remembered):
            keystone.revoke(token)
        remembered.clear()

    with guarded(keystone, turning(revoke, after=30), Remembering) as reference:
        ran = judge(tmp_path, keystone, reference, CLOUDS, "-n", "2", *ACCESS)
    passes(ran, reference)
    assert [note for note in ran.report["notes"] if RENEWED in note]


def test_variables_lead_to_the_internal_endpoints(
    tmp_path: Path, keystone: Keystone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an openrc file sets them, with a cloud of the second project beside them."""
    user = USERS["full"]
    variables = {"AUTH_URL": f"{keystone.url}/v3", "USERNAME": "full", "PASSWORD": user.password}
    variables |= {"PROJECT_NAME": user.project, "PROJECT_DOMAIN_ID": "default", "USER_DOMAIN_ID": "default"}
    for name, value in (variables | {"REGION_NAME": "south", "INTERFACE": "internal"}).items():
        monkeypatch.setenv(f"OS_{name}", value)
    with guarded(keystone, Remembering) as reference:
        ran = judge(tmp_path, keystone, reference, {"from_env": True, "foreign_cloud": "foreign"}, *ACCESS)
    passes(ran, reference)
    assert ran.verdicts["access.foreign"] == "pass"
    assert ran.report["partial"]


def test_without_a_region_both_are_named(tmp_path: Path, keystone: Keystone) -> None:
    """Wrong usage: no report."""
    with guarded(keystone) as reference:
        ran = judge(tmp_path, keystone, reference, {"cloud": "full"})
    assert ran.code == 4, ran.output
    assert "auth.region: the catalogue of the cloud full has several endpoints of compute" in ran.output
    assert "expected one of north, south" in ran.output
    assert not list(ran.reports.glob("*"))


def test_a_wrong_password_is_inconclusive(tmp_path: Path, keystone: Keystone) -> None:
    """Keystone's own words say why."""
    with guarded(keystone) as reference:
        judge(tmp_path, keystone, reference, {"cloud": "full"})
        (tmp_path / "secure.yaml").write_text(yaml.safe_dump({"clouds": {"full": {"auth": {"password": "wrong"}}}}))
        variables = {f"OS_CLIENT_{kind}_FILE": str(tmp_path / name) for kind, name in FILES_OF_CLOUDS.items()}
        ran = run(tmp_path / "refused", "--target", tmp_path / "target.yaml", **variables)
    assert (ran.code, ran.report["verdict"]) == (1, "inconclusive"), ran.output
    assert "refuses the credentials: The request you have made requires authentication" in ran.last_line
    assert ran.written() == list(FILES)


FILES_OF_CLOUDS = {"CONFIG": "clouds.yaml", "SECURE": "secure.yaml"}

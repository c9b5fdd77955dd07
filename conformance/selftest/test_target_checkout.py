"""A target description as a file of a checkout: found from its root, its keys with their lines."""

from pathlib import Path

import pytest

from conformance import target
from conformance.verdict import Artifact

TEXT = """# A region.
name: dfw
compute: https://compute.example/

auth:
  # of the tenant
  token: env:CONFORMANCE_TOKEN
resources: {servers: [one, two]}
"""
LINES = {"name": 2, "compute": 3, "auth": 5, "auth.token": 7, "resources": 8, "resources.servers": 8}


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A description in a folder of a checkout; the command is typed elsewhere in it."""
    checkout = tmp_path / "checkout"
    for folder in (".git", "regions", "elsewhere"):
        (checkout / folder).mkdir(parents=True)
    monkeypatch.chdir(checkout / "elsewhere")
    path = checkout / "regions" / "zürich & co.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_description_is_named_from_the_root_of_its_checkout(described: Path) -> None:
    """As a URI, whichever way it was typed."""
    expected = Artifact("regions/z%C3%BCrich%20%26%20co.yaml", LINES)
    assert target.artifact(str(described)) == target.artifact(f"../regions/{described.name}") == expected


def test_a_worktree_is_a_checkout(described: Path) -> None:
    """Its root has a file in the place of the folder."""
    (described.parent / ".git").write_text("gitdir: elsewhere\n")
    assert target.artifact(str(described)) == Artifact("z%C3%BCrich%20%26%20co.yaml", LINES)


def test_without_a_checkout_the_working_directory_is_the_root(described: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies outside is not named: a path of the machine is nobody's business."""
    (described.parents[1] / ".git").rmdir()
    assert target.artifact(str(described)) is None
    monkeypatch.chdir(described.parent)
    assert target.artifact(str(described)) == Artifact("z%C3%BCrich%20%26%20co.yaml", LINES)


def test_a_link_is_the_file_that_its_authors_see(described: Path) -> None:
    """Wherever it leads."""
    link = described.parent / "link.yaml"
    link.symlink_to("/dev/null")
    assert target.artifact(str(link)) == Artifact("regions/link.yaml", {})


@pytest.mark.parametrize("text", ["[", "- a\n- b\n", "a: &a {b: *a}\n", "? [1, 2]\n: 3\n", "\xa7" * 3])
def test_whatever_became_of_the_file_is_no_error(described: Path, text: str) -> None:
    """It was read before; its lines are but a comfort."""
    described.write_text(text, encoding="latin-1")
    found = target.artifact(str(described))
    assert found
    assert set(found.lines) <= {"a", "a.b"}


def test_a_url_is_no_file(described: Path) -> None:
    """Though a folder may be called so."""
    (described.parent / "http:").mkdir()
    assert target.artifact("http://compute.example/") is None

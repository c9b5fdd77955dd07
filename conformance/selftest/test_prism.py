"""A stateless mock that Prism makes of the OpenAPI document conforms to nothing; no clause is blamed wrongly."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from os import environ
from pathlib import Path

import pytest
import yaml
from foreign_services import broken
from run_processes import run

from conformance import SPEC

prism = shutil.which("prism", path=environ.get("NODE_PROGRAMS") or "/nowhere")
pytestmark = [pytest.mark.node, pytest.mark.skipif(not prism, reason="no prism; tox -e node has one")]


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Path]:
    """The description of a mock that listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(prism), "mock", str(SPEC / "openapi.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    described = {
        "name": "prism",
        "compute": url,
        "network": url,
        "auth": {"token": "env:CONFORMANCE_TOKEN"},
        "resources": {"servers": ["one", "two"]},
        "policy": {"settle_seconds": 0.5},
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        assert any("listening" in line for line in process.stdout)
        description = tmp_path / "target.yaml"
        description.write_text(yaml.safe_dump(described), encoding="utf-8")
        yield description
        process.kill()


def test_a_mock_fails_by_what_it_accepts(mock: Path, tmp_path: Path) -> None:
    """It reads neither content nor token, and removes nothing that could be judged."""
    ran = run(tmp_path / "run", "--target", mock)
    assert ran.code == 1, ran.output
    assert broken(ran) == {"body.refused", "access.authenticated"}
    assert ran.verdicts["effect.removed"] == "inconclusive"

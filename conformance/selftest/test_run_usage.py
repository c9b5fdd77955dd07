"""What the user gave is wrong: one message, pytest's usage exit code, no report and no request."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from run_processes import TOKENS, Ran, run

pytestmark = pytest.mark.slow


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A target that would notice a request: its queue of connections stays empty."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def description(listener: socket.socket) -> dict[str, object]:
    """A description with nothing wrong."""
    return {
        "name": "wrong",
        "compute": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "auth": {"token": "env:CONFORMANCE_TOKEN"},
        "resources": {"servers": ["one", "two"]},
    }


def _is_refused(ran: Ran, listener: socket.socket, *said: str) -> None:
    assert ran.code == 4, ran.output
    assert ran.output.count("ERROR: ") == 1
    for words in said:
        assert words in ran.output
    assert "Traceback" not in ran.output
    assert not list(ran.reports.glob("*"))
    with pytest.raises(BlockingIOError):
        listener.accept()


WRONG = {
    "unknown key": ({"color": "blue"}, ("color",)),
    "unknown limit": ({"limits": {"max_adresses": 2}}, ("limits", "max_adresses")),
    "missing variable": ({"auth": {"token": "env:NOT_SET_ANYWHERE"}}, ("auth.token", "NOT_SET_ANYWHERE")),
    "missing file": ({"auth": {"token": "file:/no/such/file"}}, ("auth.token", "cannot be read")),
    "literal token": ({"auth": {"token": "s3cr3t-l1t3r4l"}}, ("auth.token", "env:NAME")),
    "unknown cloud": ({"auth": {"cloud": "nowhere"}}, ("auth.cloud", "clouds.yaml")),
    "missing authority": ({"tls": {"ca": "/no/such/file"}}, ("tls.ca", "cannot be read")),
    "bad URL": ({"compute": "cloud.example"}, ("compute", "http")),
    "one server": ({"resources": {"servers": ["one"]}}, ("resources.servers", "two or more")),
    "several mistakes": ({"compute": "x", "resources": {"servers": ["one"]}}, ("compute", "resources.servers")),
}


@pytest.mark.parametrize(("changes", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_description_is_refused(
    changes: dict[str, object],
    said: tuple[str, ...],
    description: dict[str, object],
    listener: socket.socket,
    tmp_path: Path,
) -> None:
    """The message names the file, the key and what is expected, and repeats no secret."""
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump(description | changes))
    ran = run(tmp_path / "run", "--target", path)
    _is_refused(ran, listener, str(path), *said)
    assert "s3cr3t-l1t3r4l" not in ran.output


@pytest.mark.parametrize("content", [b"name: [", b"\xff\xfe\x00", b"", b"- a list"])
def test_a_file_that_is_no_description_is_refused(content: bytes, listener: socket.socket, tmp_path: Path) -> None:
    """Not YAML, no text, empty, no mapping."""
    path = tmp_path / "target.yaml"
    path.write_bytes(content)
    _is_refused(run(tmp_path / "run", "--target", path), listener, str(path))


def test_a_file_that_cannot_be_read_is_refused(listener: socket.socket, tmp_path: Path) -> None:
    """The message names the file and the reason."""
    path = tmp_path / "absent.yaml"
    _is_refused(run(tmp_path / "run", "--target", path), listener, str(path), "cannot be read")


def test_a_url_without_a_token_is_refused(listener: socket.socket, tmp_path: Path) -> None:
    """The variable that is missing is named."""
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ran = run(tmp_path / "run", "--target", url, **dict.fromkeys(TOKENS, ""))
    _is_refused(ran, listener, "CONFORMANCE_TOKEN")


@pytest.mark.parametrize("seed", ["soon", "-1", "1.5"])
def test_a_bad_seed_is_refused(
    seed: str, description: dict[str, object], listener: socket.socket, tmp_path: Path
) -> None:
    """A number or the word random."""
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump(description))
    ran = run(tmp_path / "run", "--target", path, f"--seed={seed}")
    _is_refused(ran, listener, "--seed", seed, "random")


def test_a_report_directory_that_cannot_be_written_is_refused(
    description: dict[str, object], listener: socket.socket, tmp_path: Path
) -> None:
    """Before the requests, not after them."""
    path = tmp_path / "target.yaml"
    path.write_text(yaml.safe_dump(description))
    ran = run(tmp_path / "run", "--target", path, "--report-dir", path)
    _is_refused(ran, listener, "--report-dir", str(path))

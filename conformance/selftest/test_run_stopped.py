"""Runs that cannot judge, and runs on deployments that answer everything alike."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_processes import FILES, TOKENS, Ran, Served, run, serve

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A conforming deployment."""
    with serve(tmp_path_factory.mktemp("served")) as served:
        yield served


def _is_inconclusive(ran: Ran, said: str) -> None:
    """One message that says why, all files, and no traceback."""
    assert (ran.code, ran.report["verdict"]) == (1, "inconclusive"), ran.output
    assert said in ran.report["reason"]
    assert said in ran.last_line
    assert ran.last_line.startswith("conformance: INCONCLUSIVE (")
    assert ran.output.count(said) == 1
    assert "Traceback" not in ran.output
    assert ran.written() == list(FILES)
    assert "pass" not in ran.verdicts.values()


def test_an_unreachable_target_is_inconclusive(tmp_path: Path, served: Served) -> None:
    """Nobody listens: the message says where."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    _is_inconclusive(run(tmp_path / "run", "--target", served.described("closed", compute=url, network=url)), url)


def test_workers_are_not_started_for_an_unreachable_target(tmp_path: Path, served: Served) -> None:
    """The same with several workers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    target = served.described("closed-to-workers", compute=url, network=url)
    _is_inconclusive(run(tmp_path / "run", "--target", target, "-n", "2"), url)


def test_a_tls_failure_is_inconclusive(tmp_path: Path, served: Served) -> None:
    """What listens speaks no TLS."""
    url = served.url.replace("http://", "https://")
    ran = run(tmp_path / "run", "--target", served.described("tls", compute=url, network=url))
    _is_inconclusive(ran, "TLS failed")


def test_a_refused_token_is_inconclusive(tmp_path: Path, served: Served) -> None:
    """The target knows another token."""
    ran = run(tmp_path / "run", "--target", served.description, CONFORMANCE_TOKEN="nobody-knows-this-token")
    _is_inconclusive(ran, "refuses the token")


def test_one_token_under_two_names_is_inconclusive(tmp_path: Path, served: Served) -> None:
    """The target would be blamed for what that caller may do."""
    ran = run(tmp_path / "run", "--target", served.description, CONFORMANCE_FOREIGN_TOKEN=TOKENS["CONFORMANCE_TOKEN"])
    _is_inconclusive(ran, "auth.foreign_token leads to a token that is given twice")


@pytest.mark.parametrize(("fault", "said"), [("all-is-503", "503"), ("all-is-401", "refuses the token")])
def test_a_target_that_refuses_everything_is_inconclusive(tmp_path: Path, fault: str, said: str) -> None:
    """Documented codes only, and nothing shown."""
    with serve(tmp_path, "--fault", fault) as served:
        _is_inconclusive(run(tmp_path / "run", "--target", served.description), said)


def test_a_target_that_grants_everything_fails(tmp_path: Path) -> None:
    """204 to whatever is asked; no credential stands in what is reported of it."""
    with serve(tmp_path, "--fault", "all-is-204") as served:
        ran = run(tmp_path / "run", "--target", served.description)
    assert (ran.code, ran.report["verdict"]) == (1, "fail"), ran.output
    assert ran.last_line.startswith("conformance: FAIL (")
    assert {"access.authenticated", "body.refused", "identifier.uuid"} <= _failed(ran)
    assert "Traceback" not in ran.output


def test_a_token_in_the_wrong_place_is_not_shown_either(tmp_path: Path) -> None:
    """The finding cites a request with the token in its query, without the token."""
    with serve(tmp_path, "--fault", "token-in-the-query-works") as served:
        ran = run(
            tmp_path / "run", "--target", served.description, "-k", "test_a_caller_without", "--depth", "standard"
        )
    assert _failed(ran) == {"access.authenticated"}
    files = [path for path in ran.folder.rglob("*") if path.is_file()]
    shown = [ran.output, *(path.read_text(errors="replace") for path in files)]
    assert not any(token in text for token in TOKENS.values() for text in shown)


def _failed(ran: Ran) -> set[str]:
    return {clause for clause, verdict in ran.verdicts.items() if verdict == "fail"}

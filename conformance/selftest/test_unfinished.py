"""An earlier verdict never outlives the beginning of a run, whatever ends that."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema_rs
import pytest
import yaml
from report_runs import PASSING
from run_processes import LONGEST_RUN_SECONDS, TOKENS, command, environment

from conformance import SPEC, report
from conformance.errors import ConformanceError, UsageError
from conformance.plugin import options as plugin_options
from conformance.plugin import several
from conformance.run import embedded, unfinished
from conformance.run import session as sessions
from conformance.run.options import Options
from conformance.verdict import Verdict

pytestmark = pytest.mark.once


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A target that is sent something and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def description(folder: Path, url: str, name: str = "silent") -> Path:
    """A target description."""
    path = folder / f"{name}.yaml"
    document = {"name": name, "compute": url, "auth": {"token": "env:CONFORMANCE_TOKEN"}}
    path.write_text(yaml.safe_dump(document | {"resources": {"servers": ["one", "two"]}}))
    return path


def options(folder: Path, target: Path | None, *formats: str) -> Options:
    """What a command line asks for that says little."""
    asked = (*report.WRITTEN_BY_A_RUN, *formats)
    rest: dict[str, Any] = {"probe_limits": False, "strict": False, "require_all": False}
    return Options(
        target=str(target) if target else None,
        depth="quick",
        seed=7,
        report_dir=folder / "reports",
        formats=asked,
        state_dir=folder / "state",
        waivers=None,
        baseline=None,
        compare=None,
        **rest,
    )


def url(listener: socket.socket) -> str:
    """Where it listens."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def earlier(directory: Path) -> None:
    """A passing run in every format."""
    report.write(PASSING, directory, report.FILES)


def test_a_run_begins_with_a_report_that_says_unfinished(
    tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every format that it will write; those of other formats are gone. Nothing has been sent."""
    monkeypatch.setenv("CONFORMANCE_TOKEN", TOKENS["CONFORMANCE_TOKEN"])
    earlier(tmp_path / "reports")
    (tmp_path / "reports" / "notes.txt").write_text("the user's own")
    sessions.begin(options(tmp_path, description(tmp_path, url(listener)), "badge"))
    found = {path.name for path in (tmp_path / "reports").iterdir()}
    assert found == {"report.json", "junit.xml", "index.html", "badge.svg", "notes.txt"}
    run = report.read(tmp_path / "reports" / "report.json")
    assert (run.verdict, run.interrupted, run.reason, run.seed) == (Verdict.ERROR, True, "unfinished", 7)
    assert run.target["name"] == "silent"
    assert {clause.verdict for clause in run.clauses} == {Verdict.INCONCLUSIVE}
    assert "ERROR" in (tmp_path / "reports" / "index.html").read_text()
    schema = json.loads((SPEC / "run.schema.json").read_text())
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(run.to_json())
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_the_page_of_a_run_that_has_begun_is_harmless_and_whole(tmp_path: Path) -> None:
    """Nothing of the target acts in it, it loads nothing, and its style is admitted; whoever opens it is told."""
    hostile = replace(PASSING, target={"name": "</title><script>alert(1)</script>\u202e"})
    report.begin(hostile, tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in page
    assert not re.search("<script|https?://|[{]{2}", page)
    assert "this run has not ended" in page
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{digest}&#x27;" in page


def test_what_the_options_name_is_read_before(
    tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The baseline may be the very report that is replaced."""
    monkeypatch.setenv("CONFORMANCE_TOKEN", TOKENS["CONFORMANCE_TOKEN"])
    earlier(tmp_path / "reports")
    asked = options(tmp_path, description(tmp_path, url(listener)))
    saved = tmp_path / "reports" / "report.json"
    begun = sessions.begin(asked.compared_with(saved, saved))
    assert begun.policy.baseline
    assert begun.earlier == PASSING


def test_wrong_usage_leaves_the_earlier_report(tmp_path: Path) -> None:
    """No run has begun."""
    earlier(tmp_path / "reports")
    with pytest.raises(UsageError):
        sessions.begin(options(tmp_path, tmp_path / "absent.yaml"))
    assert report.read(tmp_path / "reports" / "report.json") == PASSING


def test_a_reference_that_does_not_start_leaves_no_earlier_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded deployment is started after the earlier report is gone."""

    def refuse() -> None:
        raise ConformanceError("it did not start")

    monkeypatch.setattr(embedded, "launch", refuse)
    earlier(tmp_path / "reports")
    with pytest.raises(ConformanceError):
        sessions.begin(options(tmp_path, None))
    assert unfinished.describes(report.read(tmp_path / "reports" / "report.json"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_no_earlier_verdict(
    tmp_path: Path, listener: socket.socket, number: signal.Signals
) -> None:
    """Killed at its first request."""
    earlier(tmp_path / "reports")
    given = command("--target", description(tmp_path, url(listener)))
    with subprocess.Popen(
        given, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        listener.settimeout(LONGEST_RUN_SECONDS)
        listener.accept()[0].close()
        os.kill(process.pid, number)
        process.wait(LONGEST_RUN_SECONDS)
    left = report.read(tmp_path / "reports" / "report.json")
    assert left.interrupted
    assert unfinished.describes(left) is (number is signal.SIGKILL), "a signal that can be heeded ends with a report"
    assert not (tmp_path / "reports" / "badge.svg").exists()


def test_several_targets_begin_without_an_earlier_verdict(
    tmp_path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of any of them nor of all, before the first is judged; what is compared with outlives it for the runs."""
    monkeypatch.setenv("CONFORMANCE_TOKEN", TOKENS["CONFORMANCE_TOKEN"])
    given = [str(description(tmp_path, url(listener), name)) for name in ("one", "two")]
    reports = tmp_path / "reports"
    for directory in (reports, reports / "one", reports / "two"):
        earlier(directory)
    wanted = options(tmp_path, None).compared_with(reports, reports / "two" / "report.json")
    read: list[Options] = []

    def judged(_config: object, asked: Options, stops: tuple[several.Stop, ...], _relay: object) -> int:
        read.extend(several._own(asked, stop) for stop in stops)
        assert [path for path in reports.rglob("*") if path.is_file()] == [reports / "index.html"]
        assert "it was not its turn yet" in (reports / "index.html").read_text().lower()
        for own in read:
            assert sessions.policy_of(own).baseline
            assert sessions.earlier_of(own) == PASSING
        return 0

    monkeypatch.setattr(several, "_round", judged)
    monkeypatch.setattr(plugin_options, "read", lambda _: wanted)
    assert several.run(SimpleNamespace(), given) == 0  # type: ignore[arg-type]  # its options are read above
    assert len(read) == 2

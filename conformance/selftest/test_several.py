"""Several targets in one go: a run and a report each, kept apart, and one verdict over all."""

import json
import re
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from report_pages import Page
from run_processes import FILES, TOKENS, Ran, Served, interrupted, run, serve

pytestmark = pytest.mark.slow

FEW = ("-k", "test_removing_an_existing or test_a_removal_with_a_body")
OTHER_TOKEN = "third-region-bQ7nM2xWc9Lr"


class Refusing(BaseHTTPRequestHandler):
    """Refuses every token, and remembers what it was sent."""

    def do_GET(self) -> None:
        """Answer 401."""
        self.server.heard.append(self.headers.as_string())  # type: ignore[attr-defined]  # set by the fixture
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class Three:
    """A directory of descriptions: one fails, one cannot be judged, one passes, in this order of their names."""

    folder: Path
    targets: Path
    faulty: Served
    heard: list[str]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    """Three deployments."""
    folder = tmp_path_factory.mktemp("several")
    targets = folder / "targets"
    targets.mkdir()
    with (
        serve(folder, "--fault", "body-is-ignored") as faulty,
        ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as refusing,
    ):
        refusing.heard = []  # type: ignore[attr-defined]  # what its handlers fill
        threading.Thread(target=refusing.serve_forever, daemon=True).start()
        (folder / "sound").mkdir()
        with serve(folder / "sound") as sound:
            _describe(targets / "1.yaml", faulty, name="dfw 1")
            url = f"http://127.0.0.1:{refusing.server_port}"
            auth = {"token": "env:CONFORMANCE_THIRD_REGION"}
            _describe(targets / "2.yml", sound, name="iad", compute=url, network=url, auth=auth)
            _describe(targets / "3.yaml", sound, name="lon")
            (targets / "notes.txt").write_text("no description")
            yield Three(folder, targets, faulty, refusing.heard)  # type: ignore[attr-defined]  # as above
        refusing.shutdown()


def _describe(path: Path, served: Served, **changes: object) -> None:
    path.write_text(yaml.safe_dump(yaml.safe_load(served.description.read_text()) | changes))


def _run(folder: Path, *arguments: object, **variables: str) -> Ran:
    return run(folder, *arguments, CONFORMANCE_THIRD_REGION=OTHER_TOKEN, **variables)


@pytest.fixture(scope="module")
def judged(three: Three) -> Ran:
    """All of them judged, as in a CI job."""
    summary = three.folder / "summary"
    options = ("--target", three.targets, "--format", "sarif", "--seed", "random", *FEW)
    return _run(three.folder / "run", *options, GITHUB_STEP_SUMMARY=str(summary))


def _reports(ran: Ran) -> dict[str, dict[str, object]]:
    found = {path.parent.name: json.loads(path.read_text()) for path in ran.reports.glob("*/report.json")}
    return dict(sorted(found.items()))


def test_each_target_has_its_report_and_the_worst_decides(judged: Ran) -> None:
    """One that breaks a clause, one that refuses the token, one that is fine: none keeps the others from theirs."""
    assert judged.code == 1, judged.output
    verdicts = {name: document["verdict"] for name, document in _reports(judged).items()}
    assert verdicts == {"dfw-1": "fail", "iad": "inconclusive", "lon": "pass"}
    for name in verdicts:
        assert {path.name for path in (judged.reports / name).iterdir()} == {*FILES, "report.sarif"}
    assert judged.last_line.startswith(
        "conformance: FAIL, PARTIAL (broken: dfw 1; could not be judged: iad; passed: lon) - 3 targets, "
    )
    assert re.findall(r"^conformance: target (\d of 3: '.*'), ", judged.output, re.MULTILINE) == [
        "1 of 3: 'dfw 1'",
        "2 of 3: 'iad'",
        "3 of 3: 'lon'",
    ]


def test_targets_are_judged_at_the_same_time(judged: Ran, three: Three) -> None:
    """All have begun before the first has ended; each line of progress has its target's name."""
    ran = _run(three.folder / "together", "--target", three.targets, "--jobs", "3", *FEW)
    assert ran.code == judged.code
    begun = [ran.output.index(f"conformance: target {number} of 3: ") for number in (1, 2, 3)]
    assert max(begun) < min(ran.output.index(f"\n{name}:\n") for name in ("dfw 1", "iad", "lon"))
    documents = _reports(ran)
    assert {name: documents[name]["verdict"] for name in documents} == {
        name: document["verdict"] for name, document in _reports(judged).items()
    }
    assert _overlap(documents["dfw-1"], documents["lon"])


def _overlap(one: dict[str, object], other: dict[str, object]) -> bool:
    return str(one["started"]) < str(other["finished"]) and str(other["started"]) < str(one["finished"])


def test_targets_on_one_network_wait_for_each_other(three: Three) -> None:
    """They share its quota."""
    again = three.folder / "again.yaml"
    _describe(again, three.faulty, name="again")
    both = ("--target", three.targets / "1.yaml", "--target", again)
    documents = _reports(_run(three.folder / "alike", *both, "--jobs", "2", *FEW))
    assert not _overlap(documents["dfw-1"], documents["again"])


def test_a_seed_by_chance_is_the_same_for_all(judged: Ran) -> None:
    """So that what differs is the targets'."""
    assert len({document["seed"] for document in _reports(judged).values()}) == 1


def test_the_overview_agrees_with_the_reports(judged: Ran) -> None:
    """Each clause at each target, and a link to it that exists."""
    page = Page((judged.reports / "index.html").read_text(encoding="utf-8"))
    for folder, document in _reports(judged).items():
        name = document["target"]["name"]  # type: ignore[index]  # a JSON document
        own = Page((judged.reports / folder / "index.html").read_text(encoding="utf-8"))
        ids = {attributes.get("id") for _, attributes in own.elements}
        links = [a["href"] for _, a in page.elements if a.get("href", "").startswith(f"./{folder}/index.html#")]
        assert len(links) == len(document["clauses"])  # type: ignore[arg-type]  # as above
        assert {link.partition("#")[2] for link in links} <= ids
        for clause in document["clauses"]:  # type: ignore[attr-defined]  # as above
            assert f"{clause['verdict']}: {clause['id']} at {name}" in page.said()


def test_the_page_of_the_job_has_all_of_them_and_the_overview(judged: Ran, three: Three) -> None:
    """Each as its run ends; the overview is last."""
    text = (three.folder / "summary").read_text(encoding="utf-8")
    found = re.findall(r"^## \S+ (Conformance[^:]*: \w+)", text, re.MULTILINE)
    assert judged.code == 1
    each = ["Conformance: FAIL", "Conformance: INCONCLUSIVE", "Conformance: PASS"]
    assert (sorted(found[:-1]), found[-1]) == (each, "Conformance of 3 targets: FAIL")


def test_ledgers_and_tokens_are_kept_apart(judged: Ran, three: Three) -> None:
    """A directory of state for each endpoint, and no target is shown what another's caller holds."""
    assert len([path for path in judged.state.iterdir() if path.is_dir()]) == 3
    assert three.heard
    for headers in three.heard:
        assert OTHER_TOKEN in headers
        assert not [token for token in TOKENS.values() if token in headers]
    written = b"".join(path.read_bytes() for path in judged.folder.rglob("*") if path.is_file())
    assert not [token for token in (OTHER_TOKEN, *TOKENS.values()) if token.encode() in written]
    assert not [token for token in (OTHER_TOKEN, *TOKENS.values()) if token in judged.output]
    assert not three.faulty.addresses()


def test_each_target_has_its_own_waivers_and_baseline(judged: Ran, three: Three) -> None:
    """A file of the target's name in the directory; a target without one has none."""
    waivers = three.folder / "waivers"
    waivers.mkdir()
    entry = {"clause": "body.refused", "reason": "r", "owner": "o", "ticket": "T-1", "expires": "2999-01-31"}
    (waivers / "dfw-1.yaml").write_text(yaml.safe_dump({"waivers": [entry]}))
    both = [one for name in ("1.yaml", "3.yaml") for one in ("--target", three.targets / name)]
    earlier_runs = ("--baseline", judged.reports, "--compare", judged.reports)
    ran = _run(three.folder / "waived", *both, "--waivers", waivers, *earlier_runs, *FEW)
    assert ran.code == 0, ran.output
    documents = _reports(ran)
    assert [len(documents[name]["waivers"]) for name in ("dfw-1", "lon")] == [1, 0]  # type: ignore[arg-type]
    earlier = [documents[name]["policy"]["baseline"]["target"] for name in ("dfw-1", "lon")]  # type: ignore[index]
    assert earlier == ["dfw 1", "lon"]
    assert [documents[name]["comparison"]["target"] for name in ("dfw-1", "lon")] == earlier  # type: ignore[index]


@pytest.mark.parametrize(("by", "code"), [(signal.SIGINT, 2), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_signal_ends_the_run_under_way_and_all_to_come(by: signal.Signals, code: int, three: Three) -> None:
    """Ctrl-C as ever, with a report of what was judged; the overview says that the others had no turn."""
    folder = three.folder / by.name
    one_by_one = ("--jobs", "1")
    both = [one for name in ("3.yaml", "1.yaml") for one in ("--target", three.targets / name)]
    ran = interrupted(folder, *both, *one_by_one, by=by)
    assert ran.code == code, ran.output
    assert re.search(r"^INCONCLUSIVE +dfw 1: it was not its turn yet$", ran.output, re.MULTILINE)
    assert not (ran.reports / "dfw-1").joinpath("report.json").exists()
    page = Page((ran.reports / "index.html").read_text(encoding="utf-8"))
    assert "t was not its turn yet" in page.said()
    assert json.loads((ran.reports / "lon" / "report.json").read_text())["interrupted"]
    assert "INTERRUPTED" in ran.last_line


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A target that would notice a request: its queue of connections stays empty."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def test_all_mistakes_are_told_before_anything_is_sent(listener: socket.socket, tmp_path: Path) -> None:
    """Of every description, of names that are taken, of directories without one, and of the gate's files."""
    described: dict[str, object] = {
        "compute": f"http://127.0.0.1:{listener.getsockname()[1]}",
        "auth": {"token": "env:CONFORMANCE_TOKEN"},
        "resources": {"servers": ["one", "two"]},
    }
    files: dict[str, dict[str, object]] = {
        "a": {"name": "Staging DFW"},
        "b": {"name": "staging-dfw"},
        "c": {"name": "c", "color": "blue"},
        "d": {"name": "d", "auth": {"token": "env:NOT_SET_ANYWHERE"}},
    }
    for name, changes in files.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(described | changes))
    (tmp_path / "empty").mkdir()
    (tmp_path / "wrong.json").write_text("{}")
    given = [tmp_path, tmp_path / "empty", "absent.yaml"]
    gate = ("--waivers", "nowhere.yaml", "--baseline", tmp_path / "wrong.json")
    ran = run(tmp_path / "run", *(one for each in given for one in ("--target", each)), *gate)
    assert ran.code == 4, ran.output
    assert ran.output.count("ERROR: ") == 1
    for words in (
        f"{tmp_path}/c.yaml: the description: ",
        "color",
        f"{tmp_path}/d.yaml: auth.token: the environment variable NOT_SET_ANYWHERE",
        f"{tmp_path}/empty: holds no target description",
        "absent.yaml: cannot be read",
        f"name: expected one of its own for each target, to tell their reports apart: {tmp_path}/a.yaml",
        "nowhere.yaml: cannot be read",
        "wrong.json: format: expected",
    ):
        assert ran.output.count(words) == 1, words
    assert not list(ran.reports.rglob("*"))
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_waivers_of_nobody_are_a_mistake(three: Three, tmp_path: Path) -> None:
    """A file that is misnamed would be overlooked for good."""
    (tmp_path / "waivers").mkdir()
    (tmp_path / "waivers" / "dfw.yaml").write_text("waivers: []\n")
    ran = _run(tmp_path / "run", "--target", three.targets, "--waivers", tmp_path / "waivers")
    assert ran.code == 4, ran.output
    assert "waivers/dfw.yaml: belongs to no target; expected one of dfw-1.yaml, iad.yaml, lon.yaml" in ran.output


@pytest.mark.parametrize(("first", "second", "wrong"), [("exclusive", "shared", True), ("shared", "shared", False)])
def test_nobody_is_alone_on_a_network_that_two_targets_use(
    tmp_path: Path, first: str, second: str, *, wrong: bool
) -> None:
    """It is wrong usage, and said before anything is sent."""
    for name, use in (("a", first), ("b", second)):
        described = {
            "name": name,
            "compute": "http://127.0.0.1:1",
            "auth": {"token": "env:CONFORMANCE_TOKEN"},
            "resources": {"servers": ["s1", "s2"]},
            "policy": {"tenant": use},
        }
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(described))
    ran = run(tmp_path, "--target", "a.yaml", "--target", "b.yaml")
    assert ("policy.tenant: expected shared" in ran.output) is wrong
    assert (ran.code == 4) is wrong

"""Reports are written whole or not at all, and a saved run is read back or refused in one sentence."""

import base64
import json
import os
import shlex
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs
import pytest
from report_runs import EMPTY, FAILING, HOSTILE, INCONCLUSIVE, PASSING, RUNS, TIMED

from conformance import SPEC, report
from conformance.errors import UsageError
from conformance.report import body, visible
from conformance.verdict import Run

pytestmark = pytest.mark.once


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_a_saved_run_is_read_back_as_it_was(run: Run, tmp_path: Path) -> None:
    """Nothing is lost between a run and its document, whatever a target said."""
    report.write(run, tmp_path)
    assert report.read(tmp_path / "report.json") == run


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_format_is_written_for_every_run(run: Run, tmp_path: Path) -> None:
    """Each run leaves all the files, and no other."""
    written = report.write(run, tmp_path / "new" / "directory")
    assert {path.name for path in written} == {"report.json", "index.html", "junit.xml"}
    written += report.write(run, tmp_path / "new" / "directory", set(report.FILES) - set(report.WRITTEN_BY_A_RUN))
    assert {path.name for path in written} == set(report.FILES.values())
    assert set((tmp_path / "new" / "directory").iterdir()) == set(written)


@pytest.mark.parametrize("run", [PASSING, FAILING, INCONCLUSIVE, EMPTY, TIMED])
def test_the_document_keeps_to_its_published_schema(run: Run, tmp_path: Path) -> None:
    """``spec/run.schema.json`` describes what is written."""
    schema = json.loads((SPEC / "run.schema.json").read_bytes())
    report.write(run, tmp_path, ["json"])
    jsonschema_rs.validate(schema, json.loads((tmp_path / "report.json").read_bytes()))


def test_the_document_is_plain_ascii(tmp_path: Path) -> None:
    """Showing the file on a terminal lets nothing of the target act there."""
    report.write(RUNS["hostile"], tmp_path, ["json"])
    written = (tmp_path / "report.json").read_bytes()
    assert all(octet in b"\n" or 0x20 <= octet < 0x7F for octet in written)


def test_every_format_has_a_file_and_a_renderer() -> None:
    """The two tables name the same formats."""
    assert set(report.FILES) == set(report.RENDERERS)


def test_only_the_chosen_formats_are_written(tmp_path: Path) -> None:
    """Files of other formats stay as they are."""
    (tmp_path / "index.html").write_text("kept")
    assert report.write(PASSING, tmp_path, ["junit"]) == (tmp_path / "junit.xml",)
    assert (tmp_path / "index.html").read_text() == "kept"


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    """The message names it and the known ones."""
    with pytest.raises(UsageError, match=r"unknown report format xlsx: expected one of json, junit, html"):
        report.write(PASSING, tmp_path / "reports", ["json", "xlsx"])
    assert not (tmp_path / "reports").exists()


def test_a_directory_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    """The message names it."""
    (tmp_path / "reports").write_text("")
    with pytest.raises(UsageError, match=r"reports: the reports cannot be written there"):
        report.write(PASSING, tmp_path / "reports")


def _broken(*_: Any) -> NoReturn:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader never meets half a report."""
    report.write(PASSING, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    if step == "fsync":
        monkeypatch.setattr(os, "fsync", _broken)
    else:
        monkeypatch.setattr(Path, "replace", _broken)
    with pytest.raises(UsageError, match="No space left on device"):
        report.write(FAILING, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_failing_renderer_leaves_its_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of one view is no reason to lose what stood there, nor the document written before it."""
    report.write(PASSING, tmp_path)
    page = (tmp_path / "index.html").read_bytes()

    def defect(*_: object) -> NoReturn:
        raise RuntimeError("a defect of the view")

    monkeypatch.setattr("conformance.report.html.render", defect)
    with pytest.raises(RuntimeError, match="a defect of the view"):
        report.write(FAILING, tmp_path)
    assert (tmp_path / "index.html").read_bytes() == page
    assert report.read(tmp_path / "report.json") == FAILING
    assert len(list(tmp_path.iterdir())) == 3


def test_a_report_is_readable_for_those_whom_the_umask_admits(tmp_path: Path) -> None:
    """A file written aside is as open as one written in place."""
    (tmp_path / "in-place").touch()
    report.write(PASSING, tmp_path / "reports")
    for path in (tmp_path / "reports").iterdir():
        assert path.stat().st_mode == (tmp_path / "in-place").stat().st_mode


def _changed(**changes: Any) -> dict[str, Any]:
    return {**FAILING.to_json(), **changes}


def _in_clause(**changes: Any) -> dict[str, Any]:
    first, *rest = FAILING.to_json()["clauses"]
    return _changed(clauses=[first | changes, *rest])


def _in_finding(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(FAILING.to_json()))
    document["clauses"][1]["findings"][0] |= changes
    return document


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in FAILING.to_json().items() if key != name}


REFUSED = {
    "another format": (_changed(format="other/1"), "format: expected 'ip-association-conformance/1', found"),
    "no object": ([], "format: expected"),
    "no format": (_without("format"), "format: expected .* found None"),
    "an absent member": (_without("seed"), "seed: expected, but it is absent"),
    "an unknown member": (_changed(colour=1), "colour: unknown member"),
    "a text for a number": (_changed(seed="7"), "seed: expected a whole number, found '7'"),
    "a truth for a number": (_changed(seed=True), "seed: expected a whole number, found True"),
    "an object for a list": (_changed(clauses={}), r"clauses: expected a list, found \{\}"),
    "a list for an object": (_changed(requests=[]), r"requests: expected an object, found \[\]"),
    "a wrong count": (_changed(generated={"by_code": {"204": "x"}}), "generated.by_code.204: expected a whole"),
    "an unknown verdict": (_in_clause(verdict="fine"), r"clauses\[0\].verdict: expected one of pass, fail"),
    "an unknown level": (_in_clause(level=3), r"clauses\[0\].level: expected one of must, should, found 3"),
    "an unknown absence": (_in_clause(absence="x"), r"clauses\[0\].absence: expected one of credential"),
    "half an exchange": (
        _in_finding(exchanges=[{"id": "1"}]),
        r"clauses\[1\].findings\[0\].exchanges\[0\]\.\w+: expected, but it is absent",
    ),
    "a hostile value": (_changed(depth=["\x1b[31m"]), r"depth: expected a text, found \['\\x1b\[31m'\]"),
}


@pytest.mark.parametrize(("document", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_run_document_is_refused_with_the_place(document: Any, words: str, tmp_path: Path) -> None:
    """The message names the file, the place, what is expected and what was found."""
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match=rf"saved.json: {words}"):
        report.read(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\xfa", b'{"seed": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    """The message names the file and what is expected."""
    (tmp_path / "saved.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"saved.json: expected a JSON document"):
        report.read(tmp_path / "saved.json")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """An absent file is a usage error, no traceback."""
    with pytest.raises(UsageError, match=r"absent.json: cannot be read: No such file"):
        report.read(tmp_path / "absent.json")


def test_acting_characters_are_written_out() -> None:
    """No control, format, surrogate or separator remains, and the rest stays as it is."""
    shown = visible.one_line(HOSTILE)
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert r"\x1b[31mred" in shown
    assert r"\r\nsecond line \u202eevil" in shown
    assert visible.visible("Zürich ÅÄÖ 東京 😀\n\tend") == "Zürich ÅÄÖ 東京 😀\n\tend"


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_a_command_still_does_the_same_when_it_is_made_legible() -> None:
    """A shell gives the program the very bytes that the written-out command stands for."""
    argument = "it's \x1b[31mred\x07 \u202eevil \x9b \udc80 end"
    line = visible.command(f"printf %s {shlex.quote(argument)}")
    assert visible.one_line(line) == line
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout == argument.encode("utf-8", "surrogateescape")


def _body(**members: Any) -> body.ShownBody:
    kept = members.get("kept", members["bytes"])
    shown = body.shown({"kept": kept, **members})
    assert shown
    return shown


def test_a_body_is_shown_by_what_it_is() -> None:
    """JSON is indented, text stays, bytes are dumped, nothing is nothing."""
    assert body.shown({"bytes": 0, "kept": 0, "text": ""}) is None
    assert _body(bytes=9, text='{"a":[1]}').text == '{\n  "a": [\n    1\n  ]\n}'
    assert _body(bytes=2, text="17").kind == "text"
    dumped = _body(bytes=3, base64="AP9B")
    assert (dumped.kind, dumped.text.split()) == ("hex", ["0000", "00", "ff", "41", "..A"])
    assert _body(bytes=2, text="\x00a").kind == "hex"


def test_a_body_whose_members_repeat_is_not_indented() -> None:
    """What indenting would lose stays as it was received."""
    assert _body(bytes=15, text='{"a":1, "a":2}').text == '{"a":1, "a":2}'


def test_a_cut_body_says_so() -> None:
    """Text cut within a character is still text; a long dump ends early; both name the size."""
    cut = _body(bytes=9000, kept=4, base64="w6nDqcM=")
    assert (cut.kind, cut.text, cut.label) == ("text", "éé", "text, 9,000 bytes, the first 4 shown")
    long = _body(bytes=600, base64=base64.b64encode(b"\xff" * 600).decode())
    assert (long.label, long.text.count("\n")) == ("hex, 600 bytes, the first 512 shown", 63)

"""What users name as input: regular files of a sane size, with nothing in them that grows."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from conformance import input_file, target, yaml_input
from conformance.bench import kill_curve
from conformance.errors import UsageError
from conformance.model import history
from conformance.page import rst, wadl
from conformance.preflight import draft
from conformance.report import document, markdown
from conformance.target.secrets import token_in
from conformance.verdict import waivers

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "a: &a {x0: 1}\n" + "".join(
    f"{new}: &{new} {{{new}1: *{old}, {new}2: *{old}, {new}3: *{old}, {new}4: *{old}}}\n"
    for old, new in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)


def fifo(folder: Path) -> Path:
    """A pipe that nobody writes to."""
    path = folder / "pipe"
    os.mkfifo(path)
    return path


def described(folder: Path, **members: object) -> Path:
    """A target description with these members."""
    path = folder / "described.yaml"
    auth = {"token": "env:CONFORMANCE_TOKEN"}
    document = {"name": "x", "compute": "http://x/", "auth": auth, "resources": {"servers": ["one", "two"]}}
    path.write_text(yaml.safe_dump(document | members))
    return path


def named(path: Path, **members: object) -> None:
    """Load a description that names ``path``."""
    target.load(
        str(described(path.parent, **members)), {"CONFORMANCE_TOKEN": "token", "OS_CLIENT_CONFIG_FILE": str(path)}
    )


READERS: dict[str, Callable[[Path], object]] = {
    "description": lambda path: target.load(str(path)),
    "waivers": lambda path: waivers.load(path, ()),
    "saved run": document.read,
    "history": history.load,
    "page": rst.read,
    "WADL": wadl.read,
    "proof": kill_curve.proven,
    "authorities": lambda path: named(path, tls={"ca": str(path)}),
    "certificate": lambda path: named(path, tls={"client_cert": str(path)}),
    "clouds": lambda path: named(path, auth={"cloud": "one"}),
}
WRITERS: dict[str, Callable[[Path], object]] = {
    "draft": lambda path: draft.write("text", path, force=True),
    "page of the job": lambda path: markdown.append("text", path),
}


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """A device without end, by a name in a directory of the test's."""
    path = tmp_path / "zero"
    path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_has_no_end_is_refused(reader: str, kind: str, device: Path, tmp_path: Path) -> None:
    """Without waiting for a writer, and without reading for ever."""
    path = fifo(tmp_path) if kind == "pipe" else device
    with pytest.raises((UsageError, OSError)) as raised:
        READERS[reader](path)
    assert "it is no regular file" in str(raised.value)


@pytest.mark.parametrize("writer", WRITERS)
def test_nobody_waits_for_the_reader_of_a_pipe(writer: str, tmp_path: Path) -> None:
    """What is to be written is written at once, or the file is named."""
    path = fifo(tmp_path)
    with pytest.raises(UsageError, match=r"pipe:? cannot be written"):
        WRITERS[writer](path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    WRITERS[writer](path)
    assert os.read(reader, 100).strip() == b"text"
    os.close(reader)


def test_a_token_may_come_through_a_pipe_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, in whatever pieces it is written; a pipe that nobody writes to is named."""
    path = fifo(tmp_path)
    writer = threading.Thread(target=lambda: path.write_text("  token-of-a-pipe\n"))
    writer.start()
    assert token_in(str(path)) == "token-of-a-pipe"
    writer.join()
    monkeypatch.setattr(input_file, "PIPE_SECONDS", 0.1)
    with pytest.raises(ValueError, match="nobody wrote its end"):
        token_in(str(path))


def test_aliases_of_clouds_cannot_grow(tmp_path: Path) -> None:
    """The file is named, whatever the library would make of it."""
    path = tmp_path / "clouds.yaml"
    path.write_text(f"{LAUGHS}clouds: {{one: {{auth: {{password: *i}}}}}}\n")
    with pytest.raises(UsageError, match=r"clouds\.yaml cannot be used \(line 1: its aliases make it too large\)"):
        named(path, auth={"cloud": "one"})


def test_a_file_has_a_sane_size(tmp_path: Path) -> None:
    """Else it is refused unread."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 101)
    assert len(input_file.content(path, 101)) == 101
    with pytest.raises(OSError, match="larger than 100 bytes"):
        input_file.content(path, 100)


@pytest.mark.parametrize("text", [LAUGHS, MERGED, "a: &a [*a]\n", "a: &a {b: *a}\n"])
def test_aliases_cannot_grow(text: str, tmp_path: Path) -> None:
    """Neither in lists nor in mappings, nor into themselves."""
    path = tmp_path / "t.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match="aliases make it too large"):
        yaml_input.read(path, "a file")


def test_aliases_as_people_use_them_are_read(tmp_path: Path) -> None:
    """A value twice, and a mapping merged."""
    path = tmp_path / "t.yaml"
    path.write_text("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n")
    assert yaml_input.read(path, "a file") == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("1" + "0" * 400, "a number of 401 digits"),
        ("1e400", "a number beyond all"),
        ("[" * 940 + "]" * 940, "nested more than"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested more than"),
        ("[" * 100_000, "expected a JSON document"),
    ],
)
def test_numbers_and_nesting_of_a_saved_run_are_bounded(value: str, said: str, tmp_path: Path) -> None:
    """The message names the file and no traceback."""
    path = tmp_path / "report.json"
    path.write_text(f'{{"format": "x", "seconds": {value}}}')
    with pytest.raises(UsageError, match=said) as raised:
        document.read(path)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("number", ["1" + "0" * 400, ".inf", "-1" + "0" * 20])
def test_a_number_of_a_description_can_be_counted_to(number: str, tmp_path: Path) -> None:
    """The place is named."""
    path = tmp_path / "t.yaml"
    path.write_text(f"name: x\nlimits: {{run_seconds: {number}}}\n")
    with pytest.raises(UsageError, match=r"limits\.run_seconds: expected text, a finite number"):
        target.load(str(path))

"""What users name as input: regular files of a sane size, with nothing in them that grows."""

import os
from pathlib import Path

import pytest

from conformance import input_file, target, yaml_input
from conformance.errors import UsageError
from conformance.report import document
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


READERS = {
    "description": lambda path: target.load(str(path)),
    "waivers": lambda path: waivers.load(path, ()),
    "saved run": document.read,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_and_a_device_are_refused(reader: str, tmp_path: Path) -> None:
    """Without waiting for a writer, and without reading for ever."""
    for path in (fifo(tmp_path), Path("/dev/zero")):
        with pytest.raises(UsageError, match=r"cannot be read.*it is no regular file"):
            READERS[reader](path)


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

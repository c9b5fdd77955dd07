"""The documents: short where one begins, beside what they are about, and no link of them leads nowhere."""

import re
from pathlib import Path

import pytest

from conformance.cli.commands import group

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = [
    path
    for pattern in ("*.md", "spec/*.md", "reports/*.md", ".github/**/*.md")
    for path in sorted(CHECKOUT.glob(pattern))
]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _prose(path: Path) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def _anchors(path: Path) -> set[str]:
    """The headings, as a forge names them: in small letters, without punctuation, blanks as hyphens."""
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _dead(path: Path) -> list[str]:
    links = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if "://" not in link]
    return [link for link in links if not _leads(path, *link.partition("#")[::2])]


def _leads(path: Path, name: str, anchor: str) -> bool:
    there = (path.parent / name).resolve() if name else path
    return there.exists() and (not anchor or there.suffix != ".md" or anchor in _anchors(there))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(CHECKOUT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    """To a file of the project, and to a heading that it has."""
    assert _dead(path) == []


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    """A file or a heading that is not there."""
    page = tmp_path / "page.md"
    page.write_text("# One, two\n[a](page.md#one-two) [b](#three) [c](gone.md) [d](https://cloud.invalid)\n")
    assert _dead(page) == ["#three", "gone.md"]


def test_the_readme_is_read_in_minutes() -> None:
    """At most 150 lines; it names each command, and a heading stands in one document once."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    commands = text.partition("## The commands")[2].partition("\n## ")[0]
    assert not [name for name in group.commands if not re.search(rf"`(conformance )?{name}\b", commands)]


def test_every_document_is_linked_from_the_readme() -> None:
    """Nobody has to guess where to read on."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    linked = {(CHECKOUT / link.partition("#")[0]).resolve() for link in LINK.findall(text)}
    assert not {path for path in DOCUMENTS if path.name != "README.md" or path.parent != CHECKOUT} - linked

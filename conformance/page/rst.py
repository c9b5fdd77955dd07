"""Pages of the published reference, in reStructuredText: what each operation on one says of itself.

The format is what its generator writes and its editors have made of it: an operation line in a code block, a table of
codes, tables of parameters, a sentence about the request body, notes, examples. What a table is about stands in
its header row and in the sentence before it; which characters underline a heading means nothing.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from conformance import input_file
from conformance.errors import UsageError
from conformance.page.records import BodyRule, Code, Described, Example, FactDifference, Parameter, Prose

METHODS = "GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT"
OPERATION = re.compile(rf"({METHODS}|[A-Z]{{3,}})\s+(/\S+(?:\s*\n\s*[/{{?&]\S*)*)\s*")
CODE = re.compile(r"\b[1-5]\d\d\b")
FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):\s*(\S.*)")
OPTION = re.compile(r"[*(\s]*\b(required|optional)\b[*)\s]*", re.IGNORECASE)
NO_BODY = re.compile(
    r"\bnot\s+(?:accept|take|require|have|need|contain|expect|support)\w*\s+(?:a|any)\s+(?:request\s+)?body\b"
    r"|\b(?:no|without\s+an?)\s+request\s+body\b",
    re.IGNORECASE,
)
A_BODY = re.compile(
    r"\b(?:accept|take|require|need|expect|support)s?\s+(?:a|any|an\s+optional)\s+(?:\w+\s+)?(?:request\s+)?body\b",
    re.IGNORECASE,
)
OF_THE_RESPONSE = re.compile(r"\bresponse\s+body\b|\breturn", re.IGNORECASE)
Row = tuple[tuple[str, ...], int]


def read(path: Path) -> tuple[tuple[Described, ...], tuple[FactDifference, ...]]:
    """The operations of a page, and what in it could not be read at all.

    Raises:
        UsageError: the file cannot be read, or no operation stands in it.
    """
    try:
        text = input_file.text(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected a page in reStructuredText") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text; expected a page in reStructuredText") from error
    found, unread = described(text)
    if not found:
        raise UsageError(f"{path}: no line names an operation, such as DELETE /v2/things; expected a page of one")
    return found, unread


def described(text: str) -> tuple[tuple[Described, ...], tuple[FactDifference, ...]]:
    """The operations in the text of a page, in its order."""
    tree, unread = _tree(text)
    reader = _Reader(text.splitlines())
    for node in tree.findall():
        reader.take(node)
    return tuple(reader.found), unread


def _tree(text: str) -> tuple[nodes.document, tuple[FactDifference, ...]]:
    """Without transforms, includes and raw content: a page is read and never carried out."""
    settings = get_default_settings(Parser)
    settings.report_level = settings.halt_level = 5
    settings.syntax_highlight = "none"
    settings.file_insertion_enabled = settings.raw_enabled = False
    document = new_document("page", settings)
    unread: list[FactDifference] = []

    def note(message: nodes.system_message) -> None:
        said = " ".join(message.astext().split())
        if "alformed table" in said:
            unread.append(FactDifference(int(message.get("line", 1)), "the table here is malformed and was not read"))

    document.reporter.attach_observer(note)
    Parser().parse(text, document)
    return document, tuple(unread)


class _Reader:
    """Walks the page once; a new operation line begins a new operation."""

    def __init__(self, lines: list[str]) -> None:
        self.lines, self.found = lines, list[Described]()
        self.section = self.sentence = ""
        self.before: list[Prose] = []

    def take(self, node: nodes.Node) -> None:
        """Take one node in the order of the page."""
        if isinstance(node, nodes.title):
            self.section, self.sentence = _plain(node), ""
        elif isinstance(node, nodes.table):
            self._table(node)
        elif isinstance(node, nodes.literal_block):
            self._block(node)
        elif isinstance(node, nodes.note):
            self._add(notes=Prose(_plain(node), node.line or 1))
        elif isinstance(node, nodes.paragraph) and not _inside(node, nodes.table):
            self._paragraph(node)

    def _add(self, **fact: object) -> None:
        """Append one fact, of the field that its keyword names; before any operation there is nothing to add it to."""
        if self.found:
            last = self.found[-1]
            self.found[-1] = last.but(**{name: (*(getattr(last, name) or ()), one) for name, one in fact.items()})

    def _begin(self, text: str, line: int) -> bool:
        match = OPERATION.fullmatch(text)
        if match is None:
            return False
        self.found.append(Described(match[1], "".join(match[2].split()), line))
        self.section = ""
        return True

    def _block(self, node: nodes.literal_block) -> None:
        text = node.astext()
        line = self._line_of(text, node.line or 1)
        if self._begin(text.strip(), line) or not self.found:
            return
        told = f"{self.section} {self.sentence}".lower()
        if "response" in told and "request" not in self.sentence.lower():
            self._add(examples=_example(text, line))
        elif "request" in told and _example(text, line).content:
            self._add(bodies=BodyRule(accepted=True, line=line))

    def _line_of(self, text: str, end: int) -> int:
        """The line on which a block begins, since the parser may only know where it ends."""
        first = next((line.strip() for line in text.splitlines() if line.strip()), "")
        for number in range(min(end, len(self.lines)), 0, -1):
            if first and self.lines[number - 1].strip() == first:
                return number
        return end

    def _paragraph(self, node: nodes.paragraph) -> None:
        text, line = _plain(node), node.line or 1
        if self._begin(text, line):
            return
        self.sentence = text
        if _inside(node, nodes.note):
            return
        self._add(prose=Prose(text, line))
        if OF_THE_RESPONSE.search(text):
            return
        if NO_BODY.search(text):
            self._add(bodies=BodyRule(accepted=False, line=line))
        elif A_BODY.search(text):
            self._add(bodies=BodyRule(accepted=True, line=line))

    def _table(self, node: nodes.table) -> None:
        header, rows = _rows(node)
        if _lists_codes(header, rows):
            for code in _codes(header, rows):
                self._add(codes=code)
        elif "name" in header or any(cells[0].startswith("{") for cells, _ in rows):
            self._parameters(header, rows)

    def _parameters(self, header: tuple[str, ...], rows: list[Row]) -> None:
        about = self.sentence.lower()
        if "header" in about or "response" in (about if "parameter" in about else f"{about} {self.section.lower()}"):
            return
        body = "body" in about
        for parameter in _parameters_of(header, rows):
            if body:
                self._add(body_parameters=parameter)
            else:
                self._add(parameters=parameter)
        if body and rows:
            self._add(bodies=BodyRule(accepted=True, line=rows[0][1]))


def _plain(node: nodes.Node) -> str:
    return " ".join(node.astext().split())


def _inside(node: nodes.Node, kind: type[nodes.Element]) -> bool:
    parent = node.parent
    while parent is not None and not isinstance(parent, kind):
        parent = parent.parent
    return parent is not None


def _rows(table: nodes.table) -> tuple[tuple[str, ...], list[Row]]:
    """The header in lower case, and the rows with their lines."""
    header: tuple[str, ...] = ()
    rows: list[Row] = []
    for row in table.findall(nodes.row):
        cells = tuple(entry.astext() for entry in row.findall(nodes.entry))
        if isinstance(row.parent, nodes.thead):
            header = tuple(" ".join(cell.split()).lower() for cell in cells)
        else:
            rows.append((cells, _line(row, table.line or 1)))
    return header, rows


def _line(row: nodes.row, otherwise: int) -> int:
    return next((one.line for one in row.findall(nodes.paragraph) if one.line), otherwise)


def _lists_codes(header: tuple[str, ...], rows: list[Row]) -> bool:
    if header:
        return "code" in header[0] or "status" in header[0]
    return bool(rows) and all(CODE.match(cells[0].strip()) for cells, _ in rows)


def _column(header: tuple[str, ...], name: str, position: int, cells: tuple[str, ...]) -> str:
    """The cell below a heading; without headings the columns have their usual order."""
    at = next((number for number, one in enumerate(header) if name in one), -1 if header else position)
    return cells[at] if 0 <= at < len(cells) else ""


def _codes(header: tuple[str, ...], rows: list[Row]) -> Iterator[Code]:
    for cells, line in rows:
        name = " ".join(_column(header, "name", 1, cells).split())
        description = " ".join(_column(header, "description", 2, cells).split())
        numbers = CODE.findall(cells[0])
        yield from (Code(int(number), line, name, description) for number in numbers)
        if not numbers:
            yield Code(0, line, " ".join(cells[0].split()), description)


def _parameters_of(header: tuple[str, ...], rows: list[Row]) -> Iterator[Parameter]:
    for cells, line in rows:
        name = "".join(_column(header, "name", 0, cells).split())
        stated = " ".join(_column(header, "type", 1, cells).split())
        description = " ".join(_column(header, "description", 2, cells).split())
        option = OPTION.search(stated) or re.match(r"\W*(required|optional)\b", description, re.IGNORECASE)
        required = option[1].lower() == "required" if option else None
        yield Parameter(name.strip("{}*"), OPTION.sub("", stated), line, description, required)


def _example(text: str, line: int) -> Example:
    """Header fields, a status, and whether anything follows them."""
    fields: list[tuple[str, str]] = []
    status: int | None = None
    for each in text.strip().splitlines():
        stated = FIELD.fullmatch(each.strip())
        first = re.fullmatch(r"HTTP/\d(?:\.\d)?\s+(\d{3})\b.*", each.strip())
        if first or (stated and stated[1].lower() == "status"):
            status = int(found[0]) if (found := CODE.findall(each)) else 0
        elif stated:
            fields.append((stated[1], stated[2].strip()))
        elif each.strip():
            return Example(line, status, tuple(fields), content=True)
    return Example(line, status, tuple(fields))

"""The facts of a page, each with the line on which it stands; frozen, and free of any format."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Code:
    """A documented answer; ``name`` and ``description`` are empty where the source gives none."""

    number: int
    line: int
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A row of a table of parameters, or a ``param`` of WADL; ``required`` is ``None`` where nothing says it."""

    name: str
    type: str
    line: int
    description: str = ""
    required: bool | None = None


@dataclass(frozen=True, slots=True)
class BodyRule:
    """Whether a request body is accepted, and what says so."""

    accepted: bool
    line: int


@dataclass(frozen=True, slots=True)
class Prose:
    """A passage, its blanks made one each."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Example:
    """An example of an answer: its header fields, its status and whether content follows."""

    line: int
    status: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    content: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as its source describes it.

    Attributes:
        codes: ``None`` if nothing lists codes, as the tables of parameters may be missing too.
        parameters: those of path and query; ``body_parameters`` those of the request's body.
        bodies: every statement about the request body.
        representations: (code, media type, line) where the source is WADL; code 0 is the request.
        format: ``page`` or ``wadl``; the latter has no prose, and leaves types and names out as it likes.
    """

    method: str
    path: str
    line: int
    codes: tuple[Code, ...] | None = None
    parameters: tuple[Parameter, ...] | None = None
    body_parameters: tuple[Parameter, ...] | None = None
    bodies: tuple[BodyRule, ...] = ()
    notes: tuple[Prose, ...] = ()
    prose: tuple[Prose, ...] = ()
    examples: tuple[Example, ...] = ()
    representations: tuple[tuple[int, str, int], ...] = ()
    format: str = "page"

    def but(self, **changes: object) -> "Described":
        """The same with some facts replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]  # names of its own fields


@dataclass(frozen=True, slots=True, order=True)
class FactDifference:
    """One fact that the two sides tell differently, and the line of the page that it is about."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class PageComparison:
    """What came of it: the operations that were compared, the differences, and what was left aside."""

    compared: tuple[str, ...] = ()
    differences: tuple[FactDifference, ...] = ()
    remarks: tuple[str, ...] = field(default=())

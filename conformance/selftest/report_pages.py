"""Pages as a browser would take them apart."""

from html.parser import HTMLParser

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """A page as a browser would take it apart: elements with their attributes, and text by the id around it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, str] = {}
        self.raw: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self._open, "an element is left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element, and that it is open."""
        named = {name: value or "" for name, value in attrs}
        self.elements.append((tag, named))
        if tag not in VOID:
            self._open.append((tag, named.get("id", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        opened, _ = self._open.pop()
        assert opened == tag, f"{opened} is closed by {tag}"

    def handle_data(self, data: str) -> None:
        """Keep the text under every id around it."""
        if self._open and self._open[-1][0] in {"script", "style"}:
            self.raw[self._open[-1][0]] = self.raw.get(self._open[-1][0], "") + data
            return
        for name in {"", *(around for _, around in self._open)}:
            self.texts[name] = self.texts.get(name, "") + data

    def said(self, around: str = "") -> str:
        """The text within the element of this id, its blanks collapsed."""
        return " ".join(self.texts.get(around, "").split())

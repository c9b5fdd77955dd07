"""A badge: the verdict in a picture of one line, for a page that shows many.

It loads no font and no other file. Of what a target said it holds the target's name only, as a title.
"""

from xml.etree import ElementTree as ET

from conformance.report.outline import headline, target_name
from conformance.report.visible import one_line
from conformance.verdict import Run, Verdict

LABEL = "IP associations"
COLOURS = {
    Verdict.PASS: "#1a7f37",
    Verdict.FAIL: "#b42318",
    Verdict.ERROR: "#8e24aa",
    Verdict.INCONCLUSIVE: "#8a5a00",
}
"""Each with white text on it reaches a contrast of 4.5 (WCAG 2.2, 1.4.3)."""

INCOMPLETE = "#57606a"
"""A pass of a partial or interrupted run is not green."""

CHARACTER, MARGIN, HEIGHT = 7, 8, 20


def render(run: Run) -> str:
    """The badge as an SVG document."""
    said = headline(run).lower()
    left, right = (len(text) * CHARACTER + 2 * MARGIN for text in (LABEL, said))
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "width": str(left + right),
        "height": str(HEIGHT),
        "role": "img",
        "aria-label": f"{LABEL}: {said}",
    }
    root = ET.Element("svg", attributes)
    ET.SubElement(root, "title").text = one_line(f"{target_name(run)}: {said}")[:200]
    _part(root, 0, left, "#30363d", LABEL)
    _part(root, left, right, _colour(run), said)
    return ET.tostring(root, encoding="unicode") + "\n"


def _colour(run: Run) -> str:
    incomplete = run.verdict is Verdict.PASS and (run.partial or run.interrupted)
    return INCOMPLETE if incomplete else COLOURS.get(run.verdict, INCOMPLETE)


def _part(root: ET.Element, start: int, width: int, colour: str, text: str) -> None:
    ET.SubElement(root, "rect", x=str(start), width=str(width), height=str(HEIGHT), fill=colour)
    place = {"x": str(start + width // 2), "y": "14", "text-anchor": "middle", "textLength": str(width - 2 * MARGIN)}
    font = {"fill": "#fff", "font-family": "Verdana,DejaVu Sans,sans-serif", "font-size": "11"}
    ET.SubElement(root, "text", place | font).text = text

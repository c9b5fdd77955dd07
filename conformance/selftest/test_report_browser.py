"""The page in a real browser: quiet, reachable by keyboard, legible in every scheme and width, deaf to its target."""

import itertools
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from report_runs import FAILING, HOSTILE, HOSTILE_RUN, PASSING, RUNS, clause, exchange, finding, pictured, run
from test_report_history import TEN, at

from conformance.proof import document
from conformance.proof.document import Proof
from conformance.proof.trial import TrialResult, TrialSubject
from conformance.report import history, history_page, html, overview
from conformance.report.history import Entry
from conformance.report.overview import TargetSummary
from conformance.verdict import Run, Verdict

pytestmark = pytest.mark.browser

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 720}
"""Pixels. 320 is the width at which a page must not scroll in two directions (WCAG 2.2, 1.4.10)."""

PICTURED = RUNS["pictured"]
SHOWN = {
    "failing": PICTURED,
    "passing": PASSING,
    "hostile": pictured(HOSTILE_RUN, HOSTILE),
    "empty": RUNS["empty"],
    "waived": RUNS["waived"],
}

FOUND: dict[str, dict[str, int]] = {
    "caught-and-noticed": {"body.refused": 1, "body.inert": 2},
    "not-caught": {},
    "lawful": {},
    "lawful-and-blamed": {"deallocation.until-the-last": 1},
}
PROVEN = tuple(
    TrialResult(
        TrialSubject("variant" if "lawful" in name else "fault", f"{name}-{number}", "odd", "fail", ("body.refused",)),
        "fail" if found else "pass",
        "",
        1.0,
        1000,
        found,
    )
    for number in range(20)
    for name, found in FOUND.items()
)

OTHERS: dict[str, Callable[[Path], str]] = {
    "overview": lambda folder: overview.page(
        [TargetSummary(name, folder / name, one) for name, one in SHOWN.items()], folder
    ),
    "history": lambda folder: history_page.page(history.of(Entry(at(*each)) for each in enumerate(TEN, 1)), folder),
    "proof": lambda _: document.page(Proof("quick", 0, 1.0, PROVEN)),
}
"""The other pages, as they are made."""

LARGE = 1_048_576
FLOOD = f"{HOSTILE}{'<script>alert(2)</script>' * 40}\x1b]8;;https://elsewhere.example\x07"

OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"


@dataclass
class Heard:
    """What a page did besides being shown."""

    said: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium; nothing is downloaded."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only where these tests run

    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.fail(f"these tests need a browser: expected one of {', '.join(CHROMIUM)} on the PATH")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page of a run from a file; at the end nothing was said, asked or requested."""
    contexts, heard = [], Heard()
    numbers = itertools.count()

    def dismissed(dialog: Any) -> None:
        heard.asked.append(dialog.message)
        dialog.dismiss()

    def open_(run: Run, fragment: str = "", **settings: Any) -> Any:
        path = tmp_path / f"{next(numbers)}.html"
        path.write_text(html.render(run), encoding="utf-8")
        context = browser.new_context(**{"viewport": WIDE, "color_scheme": "light"} | settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.said.append(message.text))
        page.on("pageerror", lambda error: heard.said.append(str(error)))
        page.on("dialog", dismissed)
        page.on("request", lambda request: heard.requested.append(request.url))
        page.goto(f"{path.as_uri()}{fragment}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not heard.said
    assert not heard.asked
    assert not [url for url in heard.requested if not re.fullmatch(r"file://[^?#]*/\d+\.html(#.*)?", url)]


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Any, str], None]:
    """Keeps a picture of a page for a person to look at, in the directory that REPORT_SCREENSHOTS names."""
    folder = Path(os.environ.get("REPORT_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def keep_(page: Any, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png", full_page=True)
        assert (folder / f"{name}.png").stat().st_size > 10_000

    return keep_


def rows(page: Any) -> list[str]:
    """The clauses that the table shows."""
    found: list[str] = page.locator("#clauses tr[data-clause]:visible th a code").all_inner_texts()
    return found


def focused(page: Any) -> str:
    """What has the focus, as HTML."""
    shown: str = page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
    return shown


def tabbed(page: Any, wanted: str, most: int = 200) -> None:
    """Press Tab until an element that matches has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    pytest.fail(f"{wanted} is not reached by Tab; the focus is on {focused(page)}")


def settled(page: Any, fragment: str) -> None:
    """Wait until the fragment is as expected: it follows the input after a moment."""
    page.wait_for_function("wanted => location.hash === wanted", arg=fragment)


@pytest.mark.parametrize("name", RUNS)
def test_a_page_opens_quietly(opened: Callable[..., Any], name: str) -> None:
    """No word on the console, no dialog, no request but for the file itself, and only its own script."""
    page = opened(RUNS[name])
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("h1").inner_text()


def test_filters_work_by_keyboard_and_stay_in_the_fragment(opened: Callable[..., Any]) -> None:
    """Each filter narrows table and findings; a page opened with the fragment is filtered alike."""
    page = opened(FAILING)
    page.evaluate(OPEN_ALL)
    everything = rows(page)
    assert sorted(everything) == sorted(one.id for one in FAILING.clauses)
    tabbed(page, "input[name=failed]")
    page.keyboard.press("Space")
    settled(page, "#?failed=1")
    assert rows(page) == ["body.refused", "method.allow"]
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    settled(page, "#?failed=1&must=1")
    assert rows(page) == ["body.refused"]
    assert page.locator("#findings article:visible").count() == 2
    assert page.locator(".glance tr[data-clause]:visible").count() == 2
    assert page.locator("output").inner_text() == f"1 of {len(everything)} clauses and 2 of 4 findings shown"
    page.reload()
    assert rows(page) == ["body.refused"]
    tabbed(page, ".filters button")
    page.keyboard.press("Enter")
    settled(page, "")
    assert rows(page) == everything
    tabbed(page, "select[name=family]")
    page.keyboard.type("method")
    settled(page, "#?family=method")
    assert rows(page) == ["method.allow"]
    page.keyboard.press("Tab")
    page.keyboard.type("no such clause")
    settled(page, "#?family=method&text=no+such+clause")
    assert rows(page) == []
    assert page.locator("output").inner_text() == f"0 of {len(everything)} clauses and 0 of 4 findings shown"


def test_keys_lead_from_finding_to_finding(opened: Callable[..., Any]) -> None:
    """And to the search, where they are letters again; each finding is a link by then."""
    page = opened(PICTURED)
    marks = [
        f"f-{one}" for one in page.locator("#findings article > .said > .fingerprint code:last-child").all_inner_texts()
    ]
    for key, wanted in ("n", marks[0]), ("n", marks[1]), ("p", marks[0]), ("p", marks[0]):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == wanted
        assert page.evaluate("location.hash") == f"#{wanted}"
        assert 0 <= page.locator(f"#{wanted}").bounding_box()["y"] < WIDE["height"] / 2
    page.keyboard.press("/")
    page.keyboard.type("np/")
    assert page.locator("input[name=text]").input_value() == "np/"


def test_the_answer_and_the_worst_finding_are_on_the_first_screen(opened: Callable[..., Any]) -> None:
    """Of a wide and of a narrow window, and the sections stay in reach wherever one reads."""
    for width, height in ((1280, 900), (390, 844)):
        page = opened(PICTURED, viewport={"width": width, "height": height})
        for place in (".question", ".glance tbody tr:first-child"):
            box = page.locator(place).first.bounding_box()
            assert box["y"] + box["height"] <= height
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert page.locator("nav").bounding_box()["y"] == 0


@pytest.mark.parametrize("fragment", ["#finding-body.refused", "#finding-body.refused?family=effect", "#?text=lost"])
def test_a_link_leads_to_its_place(opened: Callable[..., Any], fragment: str) -> None:
    """A deep link shows what it names, also against a filter that would hide it."""
    page = opened(PICTURED, fragment)
    place = page.locator("#finding-body\\.refused")
    assert place.is_visible()
    if "finding" in fragment:
        assert 0 <= place.bounding_box()["y"] < WIDE["height"]


def test_every_tile_leads_to_its_clause(opened: Callable[..., Any]) -> None:
    """The map of clauses is a table of contents."""
    page = opened(FAILING)
    tiles = page.locator(".tile")
    assert tiles.count() == len(FAILING.clauses)
    for number in range(tiles.count()):
        tiles.nth(number).click()
        assert page.locator(":target").is_visible()


def test_copy_buttons_copy_what_stands_beside_them(opened: Callable[..., Any]) -> None:
    """Commands and programs whole, without a last line break that would run them on pasting."""
    page = opened(PICTURED, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(OPEN_ALL)
    buttons = page.locator(".copy")
    copied = []
    for number in range(buttons.count()):
        buttons.nth(number).press("Enter")
        buttons.nth(number).filter(has_text="Copied").wait_for()
        assert page.locator("#spoken").inner_text() == "Copied to the clipboard"
        copied.append(page.evaluate("navigator.clipboard.readText()"))
    findings = [one for clause in PICTURED.clauses for one in clause.findings]
    for one in findings:
        assert "\n".join(one.reproduce) in copied
        assert not one.program or one.program.rstrip() in copied
    assert copied[-1] == "conformance run --target target.yaml --depth standard --seed 7"


def test_the_keyboard_reaches_everything(opened: Callable[..., Any]) -> None:
    """The first stop leads past the banner; every link, control and scrolling picture is a stop that shows itself."""
    page = opened(PICTURED)
    page.keyboard.press("Tab")
    assert "Skip to the report" in focused(page)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert "#f-" in focused(page)
    tabbed(page, "input[name=failed]")
    tabbed(page, "summary")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    was = page.evaluate("document.activeElement.parentElement.open")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.parentElement.open") is not was
    for wanted in (".drawing", ".scroll:has(.codes)", ".copy", "a[href^='#source']"):
        tabbed(page, wanted, 400)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_no_violation(
    opened: Callable[..., Any], keep: Callable[[Any, str], None], name: str, scheme: str
) -> None:
    """WCAG 2.2 A and AA and axe's good practice, with everything unfolded."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # only where these tests run

    page = opened(SHOWN[name], color_scheme=scheme)
    keep(page, f"{name}-{scheme}")
    page.evaluate(OPEN_ALL)
    found = Axe().run(page).response["violations"]
    assert not found, json.dumps(found, indent=1)[:4000]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", OTHERS)
def test_the_other_pages_are_as_accessible(
    browser: Any, keep: Callable[[Any, str], None], name: str, scheme: str, tmp_path: Path
) -> None:
    """No violation either, and it is as quiet and fits as narrow a window."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # only where these tests run

    (tmp_path / "page.html").write_text(OTHERS[name](tmp_path), encoding="utf-8")
    page = browser.new_page(viewport=NARROW, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    found = Axe().run(page).response["violations"]
    assert not found, json.dumps(found, indent=1)[:4000]
    assert not said
    page.set_viewport_size(WIDE)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.locator("nav").bounding_box()["y"] == 0
    keep(page, f"{name}-{scheme}")
    page.close()


def test_light_and_dark_are_two_schemes(opened: Callable[..., Any]) -> None:
    """The reader's system chooses."""
    colors = {
        scheme: opened(FAILING, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    brightness = {scheme: sum(map(int, re.findall(r"\d+", color)[:3])) for scheme, color in colors.items()}
    assert brightness["light"] > 600
    assert brightness["dark"] < 150


@pytest.mark.parametrize("unfolded", [False, True])
@pytest.mark.parametrize("name", SHOWN)
def test_a_narrow_window_scrolls_in_one_direction(
    opened: Callable[..., Any], keep: Callable[[Any, str], None], name: str, *, unfolded: bool
) -> None:
    """Whatever is wider scrolls within its own frame."""
    page = opened(SHOWN[name], viewport=NARROW)
    if unfolded:
        page.evaluate(OPEN_ALL)
    else:
        keep(page, f"{name}-narrow")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


@pytest.mark.parametrize("scripted", [True, False])
def test_paper_shows_what_is_folded(opened: Callable[..., Any], tmp_path: Path, *, scripted: bool) -> None:
    """Findings, headers and pictures are on it; what only a screen can do is not."""
    from pypdf import PdfReader  # noqa: PLC0415  # only where these tests run

    page = opened(PICTURED, java_script_enabled=scripted)
    folder = Path(os.environ.get("REPORT_SCREENSHOTS") or tmp_path)
    paper = page.pdf(path=folder / "failing.pdf", format="A4", print_background=True)
    pages = [one.extract_text() for one in PdfReader(BytesIO(paper)).pages]
    text = re.sub(r"\s+", " ", " ".join(pages))
    assert 3 <= len(pages) <= 40
    for words in (
        "May we release? No: ",
        "ummary of body.refused",
        "first case of body.refused",
        "X-Auth-Token: $CONFORMANCE_TOKEN",
        "associate A with s1",
        "Course of the run",
        "conformance reproduce report.json",
    ):
        assert words in text
    assert "Failed only" not in text
    assert "a program" not in text
    assert "curl -i" not in text
    assert "The findings, one by one" not in pages[0]
    assert "Finding, the worst" in re.sub(r"\s+", " ", pages[0])


def test_without_a_script_everything_can_be_read(opened: Callable[..., Any]) -> None:
    """Only filters and copy buttons are missing; folds are the browser's own."""
    page = opened(PICTURED, java_script_enabled=False)
    assert not page.locator(".filters").is_visible()
    assert page.locator(".copy:visible").count() == 0
    for place in ("#wrong", "#not-judged", "#clauses", "#codes", "#requests", "#course", "#sources"):
        assert page.locator(place).is_visible()
    fold = page.locator("#finding-body\\.refused .decisive .headers").first
    assert not fold.locator("pre").is_visible()
    fold.locator("summary").press("Enter")
    assert fold.locator("pre").is_visible()


def test_a_hostile_target_runs_nothing(opened: Callable[..., Any], keep: Callable[[Any, str], None]) -> None:
    """Script tags, large bodies, invalid UTF-8 and escapes in all that a target controls are text."""
    bodies = [FLOOD.encode("utf-8", "surrogatepass") * (LARGE // len(FLOOD)), b"\xff\xfe\x1b[2J" * (LARGE // 6)]
    sent = [exchange(number, 200, body, body, FLOOD) for number, body in enumerate(bodies)]
    broken = clause("body.refused", Verdict.FAIL, finding("body.refused", *sent, text=FLOOD), text=FLOOD)
    hostile = pictured(replace(run(broken, name=f"target{FLOOD}"), notes=(FLOOD,)), FLOOD)
    page = opened(hostile)
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.scripts.length") == 1
    assert page.locator("img, iframe, object, embed, [src], a:not([href^='#']), [style]").count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert page.evaluate(handlers) == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\x9b\u202e\u2066]", page.locator("body").inner_text())
    assert len(html.render(hostile)) < LARGE
    keep(page, "flood")


def test_a_script_that_is_not_the_suites_own_is_refused(browser: Any, tmp_path: Path) -> None:
    """The policy holds by itself: a page that somebody tampered with runs nothing of theirs and loads nothing."""
    tampered = html.render(PASSING).replace(
        "</main>",
        '<script>document.title = "owned"</script><img src="https://elsewhere.example/x" onerror="a()"></main>',
    )
    (tmp_path / "tampered.html").write_text(tampered, encoding="utf-8")
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto((tmp_path / "tampered.html").as_uri())
    assert page.title() != "owned"
    assert len([words for words in refused if "Content Security Policy" in words]) >= 2
    page.close()


def test_ten_thousand_exchanges_open(opened: Callable[..., Any]) -> None:
    """The page holds the beginning and the end of each sequence; filters still answer."""
    many = [exchange(number) for number in range(100)]
    findings = [finding("effect.repeat", *many, rule=f"rule {number}") for number in range(100)]
    page = opened(run(clause("effect.repeat", Verdict.FAIL, *findings), clause("codes.success")))
    assert page.locator(".exchanges > li > details").count() <= html.SHOWN_EXCHANGES
    page.locator("input[name=text]").fill("codes.success")
    settled(page, "#?text=codes.success")
    assert rows(page) == ["codes.success"]

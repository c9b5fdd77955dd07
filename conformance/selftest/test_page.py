"""``conformance page``: a page or a WADL file that says what the document says passes, and no change goes unseen."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.page.cli import page

ROWS = [
    ("204", "Success", "It succeeded."),
    ("400", "Error", "Any general error."),
    ("401", "Unauthorized", "The caller is unauthorized."),
    ("403", "Forbidden", "That is forbidden."),
    ("405", "Bad Method", "A bad method."),
    ("413", "Over Limit", "This is above a limit."),
    ("500", "Compute fault", "A fault."),
    ("503", "Service\nUnavailable", "The service is\nunavailable."),
]
PARAMETERS = [("{IPAddress\nID}", "Uuid", "Which address. This is the ID and\nnot the IP address.")]
LINE = "DELETE /v2/servers/{serverID}/ip_associations/{IPAddressID}"
NOTE = (
    "All IP associations must be removed with this operation before you can de-allocate the address from a tenant, "
    "by DELETE ``/ip_addresses`` or PUT ``/ip_addresses`` with an empty list of port IDs."
)
NO_BODY = "This operation does not accept a request body."
EXAMPLE = "Content-Type: application/json\n   Accept: application/json\n   status: 204"
SOURCE = Path(__file__).parents[3] / "shared" / "source"


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A grid table in which each cell may have several lines."""
    rule = "+" + ("-" * 40 + "+") * len(header)
    lines = [rule, *_row(header), rule.replace("-", "=")]
    for row in rows:
        lines += [*_row(row), rule]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> list[str]:
    parts = [cell.split("\n") for cell in cells]
    height = max(map(len, parts))
    return [
        "|" + "|".join(f"{part[number] if number < len(part) else '':<40}" for part in parts) + "|"
        for number in range(height)
    ]


PARAMETER_TABLE = table(("Name", "Type", "Description"), [*PARAMETERS])
TEXT = f"""
Delete
======

.. code::

    {LINE}

Deletes an association.

.. note::
   {NOTE}

The response codes:

{table(("Response Code", "Name", "Description"), [*ROWS])}

Request
-------

The URI parameters for the request:

{PARAMETER_TABLE}

{NO_BODY}

Response
--------

**Example: JSON response**

.. code::

   {EXAMPLE}
"""

WADL = """<?xml version="1.0"?>
<application xmlns="http://wadl.dev.java.net/2009/02">
  <resources base="https://compute.example/v2/">
    <resource path="flavors"><method name="GET" id="listFlavors"/></resource>
    <resource path="servers">
      <resource path="{serverID}">
        <param name="serverID" style="template" type="xsd:string" required="true"/>
        <resource path="ip_associations">
          <method href="#list"/>
          <resource path="{IPAddressID}">
            <param name="IPAddressID" style="template" type="csapi:UUID" required="true"/>
            <method href="#remove"/>
            <method href="#show"/>
            <method href="#create"/>
          </resource>
        </resource>
      </resource>
    </resource>
  </resources>
  <method name="DELETE" id="remove">
    <response status="204"/>
    <response status="400 401 403 405 413 500 503"/>
  </method>
  <method name="GET" id="list">
    <response status="200"><representation mediaType="application/json"/></response>
    <response status="400 401 403 405 413 500 503"/>
  </method>
  <method name="GET" id="show">
    <response status="200"><representation mediaType="application/json"/></response>
    <response status="400 401 403 405 413 500 503"/>
  </method>
  <method name="PUT" id="create">
    <request><representation mediaType="application/json"/></request>
    <response status="200 201"><representation mediaType="application/json"/></response>
    <response status="400 401 403 405 413 500 503"/>
  </method>
</application>
"""


def answered(path: Path, text: str) -> Result:
    """What the command says of this text."""
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(page, [str(path)])


def changed(text: str, old: str, new: str) -> str:
    """The text with its one passage ``old`` replaced, in a table without moving what follows it."""
    assert old in text
    width = len(new) - len(old)
    if new and f"|{old} " in text:
        return text.replace(f"|{old}" + " " * max(width, 0), f"|{new}" + " " * max(-width, 0), 1)
    return text.replace(old, new, 1)


def without(text: str, first: str) -> str:
    """The text without the row of a table that begins so."""
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"|{first} "))
    end = next(number for number in range(at, len(lines)) if lines[number].startswith("+"))
    return "\n".join([*lines[:at], *lines[end + 1 :]])


def test_a_page_that_says_the_same_passes(tmp_path: Path) -> None:
    """Wrapped cells and other characters below headings are no differences."""
    result = answered(tmp_path / "page.rst", TEXT)
    assert (result.exit_code, result.output.splitlines()[0]) == (0, f"0 differences; compared with {LINE}")
    habit = TEXT.replace("=" * 6, "^" * 6, 1).replace("-" * 7 + "\n", '"' * 8 + "\n")
    assert answered(tmp_path / "page.rst", habit).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    DELETE ", "    POST ", "method POST on the page"),
        ("/ip_associations/{IP", "/associations/{IP", "path /v2/servers/{serverID}/associations"),
        ("405", "404", "code 404 is not in the document"),
        ("405", "403", "code 403 stands twice"),
        ("Bad Method", "Wrong Method", 'code 405 is named "Wrong Method"'),
        ("Unavailable", "Away", 'code 503 is named "Service Away"'),
        ("This is above a limit.", "This is below a limit.", "the description of code 413"),
        ("Uuid", "String", "parameter IPAddressID is of type 'String'"),
        ("{IPAddress", "{Address", "the page lists no parameter IPAddressID"),
        ("not the IP address.", "or the IP address.", "the address itself is no ID"),
        (NO_BODY, "", "does not say that no request body"),
        (NO_BODY, "This operation accepts a request body.", "a request body is accepted on the page"),
        ("status: 204", "status: 202", "status 202"),
        ("status: 204", 'status: 204\n\n   {"id": 1}', "shows content"),
        ("Accept: application/json", "Accept: text/plain", "the example's Accept"),
        ("Deletes an", "Lists an", "it removes an association"),
        ("All IP", "Some IP", "every association is meant"),
        ("must be removed", "may be removed", "they must be removed"),
        ("before you", "after you", "(note) does not say: before"),
        ("de-allocate", "allocate", "is de-allocated"),
        ("DELETE ``", "POST ``", "by DELETE or by PUT"),
        ("an empty list", "a list", "an empty list of ports"),
        (".. note::\n   " + NOTE, "", "every association is meant"),
        ("The response codes:", ".. note::\n   Only on Sundays.\n\nThe codes:", "a note of which"),
        (PARAMETER_TABLE, "", "the page lists no parameter IPAddressID"),
    ],
)
def test_a_changed_fact_is_found(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Each fact of the page, changed alone, is named with its line."""
    result = answered(tmp_path / "page.rst", changed(TEXT, old, new))
    assert result.exit_code == 1
    assert any(said in line for line in result.output.splitlines()), result.output


@pytest.mark.parametrize("code", [row[0] for row in ROWS])
def test_a_code_that_is_gone_is_found(tmp_path: Path, code: str) -> None:
    """A row less in the table of codes."""
    result = answered(tmp_path / "page.rst", without(TEXT, code))
    assert (result.exit_code, f"code {code} of the document is not on the page" in result.output) == (1, True)


def test_an_added_code_and_an_added_parameter_are_found_on_their_lines(tmp_path: Path) -> None:
    """Rows more: one of them names what the path holds and no table does."""
    rows = table(("Response Code", "Name", "Description"), [*ROWS, ("409", "Conflict", "A conflict.")])
    more = table(("Name", "Type", "Description"), [*PARAMETERS, ("{serverID}", "Uuid", "A server.")])
    text = TEXT.replace(table(("Response Code", "Name", "Description"), [*ROWS]), rows).replace(PARAMETER_TABLE, more)
    result = answered(tmp_path / "page.rst", text)
    for mark, said in (("|409", "code 409"), ("|{serverID}", "parameter serverID is in the table")):
        line = next(number for number, each in enumerate(text.splitlines(), start=1) if each.startswith(mark))
        assert f"page.rst:{line}: {said}" in result.output
    assert result.exit_code == 1


def test_a_malformed_table_is_said_to_be_unread(tmp_path: Path) -> None:
    """A cell that is wider than its column makes the whole table unreadable."""
    result = answered(tmp_path / "page.rst", TEXT.replace("|Forbidden ", "|Forbidden more"))
    assert (result.exit_code, "malformed and was not read" in result.output) == (1, True)


def test_another_operation_is_compared_with_its_own(tmp_path: Path) -> None:
    """A page of a neighbour, without a table of parameters."""
    codes = [("201", "", ""), ("400", "Error", ""), ("404", "", "")]
    text = (
        f"Allocate\n~~~~~~~~\n\n::\n\n  POST /v2.0/ip_addresses\n\n{table(('Response Code', 'Name', ''), [*codes])}\n"
    )
    result = answered(tmp_path / "page.rst", text)
    assert "compared with POST /v2.0/ip_addresses" in result.output
    said = [line.rpartition(": ")[2] for line in result.output.splitlines()[:-1]]
    assert said == ["code 401 of the document is not on the page"], "200 is seen in the field, and on no page"


def test_a_wadl_file_that_says_the_same_passes(tmp_path: Path) -> None:
    """What it tells of other resources is left aside, and said to be."""
    result = answered(tmp_path / "service.wadl", WADL)
    assert result.exit_code == 0, result.output
    assert "1 operations on paths that the document does not have" in result.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name="DELETE"', 'name="POST"', "method POST"),
        ('path="ip_associations"', 'path="associations"', "/associations"),
        ('status="204"', 'status="202"', "code 202 is not in the document"),
        ("400 401 403", "401 403", "code 400 of the document"),
        ("csapi:UUID", "xsd:int", "parameter IPAddressID is of type 'xsd:int'"),
        ('style="template" type="csapi:UUID" required="true"', 'style="template" required="false"', "is optional"),
        ('<method href="#show"/>', "", "GET /v2/servers/{serverID}/ip_associations/{IPAddressID} of the document"),
        ('<response status="204"/>', '<request><representation/></request><response status="204"/>', "is accepted"),
        ('mediaType="application/json"', 'mediaType="application/xml"', "representation application/xml"),
    ],
)
def test_a_changed_fact_of_a_wadl_file_is_found(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Methods, resources, parameters, representations and codes, each changed alone."""
    result = answered(tmp_path / "service.wadl", changed(WADL, old, new))
    assert (result.exit_code, said in result.output) == (1, True), result.output


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty.rst", "Nothing here.\n"),
        ("empty.wadl", "<application/>"),
        ("broken.wadl", "<application>"),
        ("bomb.wadl", '<!DOCTYPE a [<!ENTITY b "c">]><application>&b;</application>'),
    ],
)
def test_what_is_no_page_is_wrong_usage(tmp_path: Path, name: str, text: str) -> None:
    """A file that shows no operation proves nothing, so it does not pass."""
    assert answered(tmp_path / name, text).exit_code == 4


@pytest.mark.skipif(not SOURCE.is_dir(), reason="the published page is no part of the project")
def test_the_published_page_says_the_same() -> None:
    """Where the page lies beside the checkout, it is read too."""
    for path in SOURCE.glob("*.rst"):
        result = CliRunner().invoke(page, [str(path)])
        assert (result.exit_code, result.output[:13]) == (0, "0 differences")

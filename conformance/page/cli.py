"""The command ``conformance page``: does this page or WADL file say what the OpenAPI document says?

Exit codes: 0 both say the same, 1 they differ (each difference with its line), 4 the file cannot be read as one.
"""

from pathlib import Path

import click

from conformance.errors import UsageError
from conformance.page import rst, wadl
from conformance.page.compare import compared
from conformance.page.records import PageComparison

DIFFERENT = 1
USAGE_ERROR = 4


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def page(file: Path) -> None:
    """Compare FILE, a page in reStructuredText or a WADL file (.wadl, .xml), with spec/openapi.yaml."""
    try:
        result = _compared(file)
    except UsageError as error:
        click.echo(f"ERROR: {error}", err=True)
        raise SystemExit(USAGE_ERROR) from None
    for difference in result.differences:
        click.echo(f"{file}:{difference.line}: {difference.message}")
    for remark in result.remarks:
        click.echo(f"{file}: {remark}")
    click.echo(f"{len(result.differences)} differences; compared with {', '.join(result.compared) or 'nothing'}")
    raise SystemExit(DIFFERENT if result.differences else 0)


def _compared(file: Path) -> PageComparison:
    if file.suffix.lower() in {".wadl", ".xml"}:
        return compared(wadl.read(file))
    found, unread = rst.read(file)
    result = compared(found)
    return PageComparison(result.compared, tuple(sorted((*unread, *result.differences))), result.remarks)

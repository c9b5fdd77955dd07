"""Where a target description lies in the checkout of its authors, so that a view may mark its lines."""

import os
from pathlib import Path
from urllib.parse import quote

import yaml

from conformance import yaml_input
from conformance.target.urls import is_url
from conformance.verdict import Artifact


def artifact(given: str) -> Artifact | None:
    """The description that ``--target`` names, as a file of the checkout around it, or of the working directory.

    None for a URL, and where it lies in neither: no path of the machine is told.
    """
    if is_url(given):
        return None
    path = Path(os.path.abspath(given))  # noqa: PTH100  # a link is the file that its authors see
    checkouts = (folder for folder in path.parents if (folder / ".git").exists())
    root = next(checkouts, Path.cwd())
    if root not in path.parents:
        return None
    try:
        lines = yaml_input.lines(path)
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        lines = {}  # it has changed since it was read
    return Artifact(quote(os.fsencode(path.relative_to(root))), lines)

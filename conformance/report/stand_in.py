"""The page of a run that has begun: whoever opens it learns that there is no verdict, and how to get one.

It stands before the first request is sent, so it is put together here: the template engine and what it shows take
longer to import than the rest of the start.
"""

import html
from pathlib import Path

from conformance.report.content_policy import policy
from conformance.report.visible import visible
from conformance.verdict import Run

STYLE = Path(__file__).with_name("templates") / "report.css.j2"
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>ERROR: {target}, IP association conformance</title>
<style>{style}</style>
</head>
<body>
<header class="banner error incomplete">
<div class="page">
  <p class="subject">Conformance of <code>DELETE /v2/servers/{{serverID}}/ip_associations/{{IPAddressID}}</code></p>
  <h1><bdi>{target}</bdi></h1>
  <div class="answer">
    <p class="verdict-word"><span aria-hidden="true">!</span> ERROR</p>
    <div>
      <p class="question">May we release? <strong>Not yet: this run has not ended.</strong></p>
      <p class="because">It is under way, or it was ended from outside and could not write its report. Nothing is \
known of the target; what an earlier run said does not hold any more.</p>
    </div>
  </div>
  <dl class="facts">
{facts}
  </dl>
</div>
</header>
<main id="main" class="page">
<p class="lead">A run that ends puts its report here. What one that was killed has left on the target, the next run \
takes back, and so does <code>conformance cleanup</code>.</p>
</main>
</body>
</html>
"""


def render(run: Run) -> str:
    """The page; what is shown of the target is text."""
    style = STYLE.read_text(encoding="utf-8")
    facts = {"Started": run.started, "Seed": str(run.seed), "Depth": run.depth, "Suite": run.suite_version}
    return PAGE.format(
        policy=html.escape(policy(style)),
        style=style,
        target=_text(str(run.target.get("name", ""))),
        facts="\n".join(f"    <div><dt>{name}</dt> <dd>{_text(value)}</dd></div>" for name, value in facts.items()),
    )


def _text(value: str) -> str:
    return html.escape(visible(value))

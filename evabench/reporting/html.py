"""A report as one HTML file that needs nothing else: pictures and script inlined, no request.

The page is whole without its script, and in print: pictures stand in it as images. With the script a chart takes the
place of a picture whose numbers are in the page. The policy of the page allows this script and style by their hashes
and nothing else, so text that broke out of its place could not run.
"""

import base64
import hashlib
from functools import cache, partial
from importlib import resources
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evabench.errors import printable
from evabench.reporting.cells import column_ids, row_ids
from evabench.reporting.charts.encoding import encoded
from evabench.reporting.commands import show_command
from evabench.reporting.document import Document
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.pictures.theme import DARK, LIGHT

_PLAIN = " ;/?:@=+$,-_.!~*()[]{}|^`"  # in an address of data, and in an attribute
_MOST_LETTERS = 1_900_000  # of a page with every picture twice
_SCRIPTS = ("arms.js", "reading.js", "csv.js", "lines.js", "rows.js", "tables.js", "addresses.js", "page.js")


def render_html(document: Document) -> str:
    """Return the page. Every text that comes from a suite, a run or a plug-in is spelled out and escaped."""
    environment = Environment(
        loader=PackageLoader("evabench.reporting"),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    environment.filters["encoded"] = encoded
    environment.filters["row_ids"] = row_ids
    environment.filters["column_ids"] = column_ids
    environment.tests["picture"] = lambda part: isinstance(part, Picture)
    style = environment.get_template("report.css").render(light=LIGHT, dark=DARK) + _vendored("uPlot.min.css")
    script = _script()
    render = partial(
        environment.get_template("report.html").render,
        suite=document.report.suite,
        first=document.first,
        warnings=document.warnings,
        verdicts=document.verdicts,
        sections=document.sections,
        arms=list(document.report.suite.arms),
        show=show_command(document.report),
        style=style,
        script=script,
        style_hash=_hash(f"\n{style}\n"),
        script_hash=_hash(f"\n{script}\n"),
        light=LIGHT,
        dark=DARK,
    )
    page = render(all_dark=True)
    # A large page has dark pictures only where no chart takes their place; without a script the others are light.
    return page if len(page) <= _MOST_LETTERS else render(all_dark=False)


def _shown(value: Any) -> Any:
    """Return a text with what nobody can see in it spelled out: a mark may turn around all that follows."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _script() -> str:
    """Return uPlot and what is ours, in one scope."""
    folder = resources.files("evabench.reporting") / "templates"
    own = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    return f'{_vendored("uPlot.iife.min.js")}\n(() => {{\n"use strict";\n{own}\n}})();'


def _vendored(name: str) -> str:
    return (resources.files("evabench.reporting") / "vendor" / name).read_text(encoding="utf-8").strip()


def _hash(text: str) -> str:
    """Return what the content security policy calls a text: the browser hashes all between the tags."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data_uri(svg: str) -> str:
    """Return an address that holds the picture, a quarter shorter than base64 would be."""
    return f"data:image/svg+xml,{quote(svg, safe=_PLAIN)}"

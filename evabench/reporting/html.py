"""A report as one HTML file that needs nothing else: pictures inlined, no script, no request."""

import base64

from jinja2 import Environment, PackageLoader, StrictUndefined

from evabench.reporting.document import Document
from evabench.reporting.pictures.picture import Picture
from evabench.reporting.pictures.theme import DARK, LIGHT


def render_html(document: Document) -> str:
    """Return the page. Every text that comes from a suite, a run or a plug-in is escaped."""
    report = document.report
    environment = Environment(
        loader=PackageLoader("evabench.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = _data_uri
    environment.tests["picture"] = lambda part: isinstance(part, Picture)
    return environment.get_template("report.html").render(
        suite=report.suite,
        host=report.host,
        period=report.period,
        num_runs=len(report.runs),
        warnings=document.warnings,
        headline=document.headline,
        verdicts=document.verdicts,
        sections=document.sections,
        failures=document.failures,
        light=LIGHT,
        dark=DARK,
    )


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"

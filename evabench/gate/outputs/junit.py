"""JUnit XML: a test case for each cell and layer, and for what belongs to the whole gate."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from evabench.gate.report import GateReport
from evabench.gate.verdict import Finding, findings, headline

_TAGS = {"regression": "failure", "invalid": "error", "missing": "error", "undecided": "skipped"}
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: GateReport) -> str:
    """Return the document. An undecided case is skipped, or a failure where the gate is strict."""
    cases: dict[tuple[str, str], list[Finding]] = {}
    for timed in report.timed:
        cases[timed.cell, timed.layer] = []
    for one in findings(report):
        cases.setdefault((one.cell or "gate", one.layer), []).append(one)
    suite = ElementTree.Element("testsuite", name=_text(f"evabench gate {report.suite}"), time=f"{report.seconds:.3f}")
    counts = dict.fromkeys(("failure", "error", "skipped"), 0)
    for (cell, layer), found in cases.items():
        case = ElementTree.SubElement(suite, "testcase", classname=_text(cell), name=layer)
        worst = _worst(found, strict=report.strict)
        if worst is not None:
            tag, one = worst
            counts[tag] += 1
            told = ElementTree.SubElement(case, tag, message=_text(one.text))
            told.text = _text("\n".join(each.text for each in found))
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(counts["failure"]))
    suite.set("errors", str(counts["error"]))
    suite.set("skipped", str(counts["skipped"]))
    ElementTree.SubElement(suite, "system-out").text = _text(headline(report))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _worst(found: Iterable[Finding], *, strict: bool) -> tuple[str, Finding] | None:
    for one in found:  # the worst comes first
        tag = _TAGS.get(one.kind)
        if tag is not None:
            return ("failure" if strict and tag == "skipped" else tag), one
    return None


def _text(text: str) -> str:
    """Return text without the characters that no XML document may hold."""
    return _NO_XML.sub("?", text)

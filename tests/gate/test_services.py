"""What services read is what they ask for: SARIF by a schema, JUnit by the elements and attributes that they know."""

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from evabench.gate.outputs.junit import junit_xml
from evabench.gate.outputs.sarif import sarif_json
from tests.gate.test_outputs import HOSTILE, PASSED, UNCOVERED
from tests.gate.test_verdict import INVALID, MISSING, MORE_READS, REGRESSED, REPORT, UNDECIDED, counted

SCHEMA = json.loads((Path(__file__).parent / "sarif_cut.schema.json").read_text())
HOSTILE_REPORT = replace(REPORT, head=HOSTILE, counted=counted(changes=(replace(MORE_READS, cell=HOSTILE),)))
REPORTS = [
    PASSED,
    REGRESSED,
    UNCOVERED,
    replace(REGRESSED, controls=(INVALID,)),
    replace(REPORT, incomparable=HOSTILE),
    HOSTILE_REPORT,
    *UNDECIDED,
    *MISSING,
]

# Elements of JUnit's XML with the attributes that they have and, behind it, those that they must have.
JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "errors", "disabled"}, set()),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
        {"name", "tests", "failures", "errors"},
    ),
    "testcase": ({"name", "classname", "time", "status", "assertions"}, {"name", "classname"}),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message", "type"}, set()),
    "system-out": (set(), set()),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "system-out"},
    "testcase": {"failure", "error", "skipped"},
}


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("file", ["suites/ci.toml", "bench/my gate \N{GREEK SMALL LETTER ALPHA}.toml"])
def test_every_report_is_sarif_by_its_schema(report, file):
    jsonschema.Draft7Validator(SCHEMA).validate(json.loads(sarif_json(report, file)))


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("version",), "2.0.0"),
        (("runs", 0, "results", 0, "level"), "fatal"),
        (("runs", 0, "results", 0, "message"), {}),
    ],
)
def test_the_schema_refuses_what_sarif_does_not_have(place, wrong):
    log = json.loads(sarif_json(REGRESSED, "suites/ci.toml"))
    inner = log
    for one in place[:-1]:
        inner = inner[one]
    inner[place[-1]] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate(log)


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_is_junit_with_counts_that_are_those_of_its_cases(report):
    root = ElementTree.fromstring(junit_xml(report))
    assert root.tag == "testsuites"
    for element in root.iter():
        allowed, needed = JUNIT[element.tag]
        assert needed <= set(element.keys()) <= allowed, element.tag
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
    (suite,) = root
    told = {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}
    tags = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    assert told == {name: len(list(suite.iter(tag))) for name, tag in tags.items()}
    assert all(len(case) <= 1 for case in suite.iter("testcase"))

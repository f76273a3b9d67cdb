"""What a gate leaves behind is whole, says one thing everywhere, and obeys no text of others."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from evabench.errors import OutputError
from evabench.gate.outputs.annotations import annotations
from evabench.gate.outputs.decision import decision_json
from evabench.gate.outputs.files import write_outputs
from evabench.gate.outputs.junit import junit_xml
from evabench.gate.outputs.sarif import sarif_json
from evabench.gate.outputs.summary import MARK, comment_markdown, summary_markdown
from evabench.gate.report import Coverage, GateReport, Uncovered
from evabench.gate.verdict import findings
from evabench.records.codec import decode
from tests.gate.test_verdict import MISSING, MORE_READS, REGRESSED, REPORT, UNDECIDED, VALID, counted, timed

PASSED = replace(REPORT, timed=(timed("pass"),), controls=(VALID,))
UNCOVERED = replace(
    PASSED, coverage=Coverage(num_changed=2, uncovered=(Uncovered(file="src/my eva.py", lines=(3, 4)),))
)
HOSTILE = "<script>alert(1)</script> @everyone [a](b) | `x`\n::error::x \x00\x1b[31m%0A"


@pytest.mark.parametrize(
    ("report", "decision"),
    [(PASSED, "keep"), (REGRESSED, "discard"), *((one, "undecided") for one in (*UNDECIDED, *MISSING))],
)
def test_a_program_keeps_what_passed_everything_and_discards_a_regression(report, decision):
    answer = json.loads(decision_json(report))
    assert answer["decision"] == decision
    assert decode(GateReport, json.dumps(answer["report"])) == report


def test_the_schema_for_programs_is_stable():
    answer = json.loads(decision_json(REGRESSED))
    assert list(answer) == ["schema", "decision", "exit_code", "exit_name", "headline", "findings", "report"]
    assert answer["schema"] == 1
    assert list(answer["findings"][0]) == ["kind", "layer", "cell", "text"]


def suite_of(report):
    return ElementTree.fromstring(junit_xml(report)).find("testsuite")


def test_junit_has_a_case_for_each_cell_and_layer():
    suite = suite_of(replace(REGRESSED, timed=(timed("regression"), timed("pass", layer="own_time"))))
    assert {(case.get("classname"), case.get("name")) for case in suite.iter("testcase")} == {
        ("a, Eva", "step"),
        ("a, Eva", "own_time"),
    }
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "2",
        "1",
        "0",
        "0",
    )
    assert "slower" in suite.find(".//failure").get("message")


@pytest.mark.parametrize("report", UNDECIDED)
def test_what_is_undecided_is_skipped_in_junit_and_fails_where_the_gate_is_strict(report):
    assert suite_of(report).get("skipped") == "1"
    assert suite_of(replace(report, strict=True)).get("failures") == "1"


@pytest.mark.parametrize("report", MISSING)
def test_what_is_missing_is_an_error_in_junit(report):
    assert suite_of(report).get("errors") == "1"


def test_sarif_places_uncovered_lines_in_their_file_and_all_else_at_the_suite():
    log = json.loads(sarif_json(replace(UNCOVERED, counted=counted(changes=(MORE_READS,))), "suites/ci.toml"))
    (run,) = log["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    places = [
        (one["ruleId"], one["level"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for one in run["results"]
    ]
    assert log["version"] == "2.1.0"
    assert {rule for rule, _, _ in places} <= rules
    assert places == [
        ("gate/counted", "error", "suites/ci.toml"),
        ("gate/coverage", "warning", "src/my%20eva.py"),
        ("gate/coverage", "warning", "src/my%20eva.py"),
    ]


def test_a_comment_is_found_again_by_its_first_line():
    assert comment_markdown(REGRESSED).splitlines()[0] == MARK.format(suite="ci")


def test_a_summary_has_the_answer_and_a_row_for_each_timed_layer():
    text = summary_markdown(REGRESSED)
    assert "1 regression" in text.splitlines()[0]
    assert "| a, Eva | the step | regression | +20.0% | +10.0% to +30.0% | 9 |" in text


def test_text_of_others_is_text_in_every_output():
    hostile = replace(MORE_READS, cell=HOSTILE, counter=HOSTILE)
    report = replace(REPORT, head=HOSTILE, counted=counted(changes=(hostile,), missing=(HOSTILE,)))
    assert "<script>" not in summary_markdown(report).replace("\\<script\\>", "")
    assert " @everyone" not in summary_markdown(report)
    ElementTree.fromstring(junit_xml(report))  # no character that ends a document
    for line in annotations(report):
        assert "\n" not in line
        assert line.count("::error ") == 1
    assert json.loads(sarif_json(report, "a.toml"))


def test_annotations_name_what_may_fail_and_the_lines_that_nothing_covers():
    assert [line.partition("::")[2].partition(" ")[0] for line in annotations(REGRESSED)] == ["error"]
    (uncovered,) = annotations(UNCOVERED)
    assert uncovered.startswith("::warning file=src/my eva.py,line=3,endLine=4,")


def test_all_files_are_written_and_the_summary_is_added_where_the_service_wants_it(tmp_path):
    step = tmp_path / "step.md"
    step.write_text("before\n")
    paths = write_outputs(PASSED, tmp_path / "out" / "gate", "ci.toml", {"GITHUB_STEP_SUMMARY": str(step)})
    assert {path.name for path in paths} == {"gate.json", "junit.xml", "gate.sarif", "summary.md", "comment.md"}
    assert all(path.stat().st_size for path in paths)
    assert step.read_text() == "before\n" + summary_markdown(PASSED)


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--output DIR"):
        write_outputs(PASSED, tmp_path / "file" / "gate", "ci.toml", {})


def test_every_finding_is_in_the_json_word_for_word():
    told = {one["text"] for one in json.loads(decision_json(REGRESSED))["findings"]}
    assert told == {one.text for one in findings(REGRESSED)}

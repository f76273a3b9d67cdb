"""What the verdicts of a report do to the exit code."""

from dataclasses import replace

from evabench.claims.judgement import Verdict
from evabench.cli.report import exit_code
from evabench.errors import ExitCode
from tests.reporting.reports import report


def judged(here, as_stated=Verdict.NOT_TESTED):
    whole = report()
    return replace(whole, judgements=(replace(whole.judgements[0], here=here, as_stated=as_stated),))


def test_a_refuted_claim_fails_only_where_that_was_asked_for():
    refuted = judged(Verdict.REFUTED)
    assert exit_code(refuted, fail_on_refuted=True, strict=False) is ExitCode.REGRESSION
    assert exit_code(refuted, fail_on_refuted=False, strict=True) is ExitCode.PASS


def test_a_claim_refuted_as_stated_fails_too():
    refuted = judged(Verdict.INCONCLUSIVE, Verdict.REFUTED)
    assert exit_code(refuted, fail_on_refuted=True, strict=True) is ExitCode.REGRESSION


def test_a_supported_claim_passes_everything():
    assert exit_code(judged(Verdict.SUPPORTED), fail_on_refuted=True, strict=True) is ExitCode.PASS


def test_a_missing_run_is_worse_than_an_open_verdict():
    part = replace(judged(Verdict.INCONCLUSIVE), num_missing=1)
    assert exit_code(part, fail_on_refuted=True, strict=True) is ExitCode.INCOMPLETE

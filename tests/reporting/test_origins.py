"""Every number has an address: `evabench show --id` tells its runs, and the steps from their lines to it."""

import re
from dataclasses import replace
from statistics import median

import pytest

from evabench.errors import EvabenchError
from evabench.reporting.cards import card_address
from evabench.reporting.cells import row_ids
from evabench.reporting.origins import find_source
from tests.reporting.reports import document, report


@pytest.fixture(scope="module")
def made_up():
    return report()


def rows(source, title):
    return next(table.rows for table in source.tables if title in table.title)


def test_every_figure_of_the_page_has_a_source_with_runs(made_up):
    for figure in document().figures:
        source = find_source(made_up, figure.address)
        assert source.runs, figure.address
        assert source.how


def test_a_row_names_its_runs_by_key_and_every_value_between(made_up):
    source = find_source(made_up, "cost.autoencoder/Eva")
    assert {run.cell.arm for run in source.runs} == {"Eva"}
    visits = [row for row in source.tables[-1].rows if row[3] == "step time"]
    assert len(visits) == 8  # with the pilot
    assert "a step" in visits[1][-1]
    (step,) = [row for row in rows(source, "figures") if row[1] == "step, by sweep"]
    assert step[2].split(", ")[:2] == ["11.1 ms", "10.9 ms"]
    assert step[3].startswith("11.0 ms")


def test_losses_and_steps_to_the_target_are_told_by_seed(made_up):
    source = find_source(made_up, "losses.autoencoder/Shampoo")
    (steps,) = [row for row in rows(source, "figures") if row[1] == "steps to target, by seed"]
    assert steps[2:] == ("missed, missed, missed", "inf (median; a miss is infinite)")


def test_a_claim_has_an_address_with_the_runs_of_its_arms_alone(made_up):
    judgement = next(one for one in made_up.judgements if one.claim_id == "C3-size")
    source = find_source(made_up, card_address(made_up, judgement))
    assert {run.cell.measurement.measurement for run in source.runs} == {"memory"}
    assert {run.cell.arm for run in source.runs} <= {name for one in judgement.evidence for name in (one.arm, one.base)}


def test_an_unknown_address_names_those_that_there_are(made_up):
    with pytest.raises(EvabenchError, match=r"no such figure\. There are: step-time.autoencoder, cost.autoencoder"):
        find_source(made_up, "nothing.here")


def test_an_unknown_row_names_those_that_there_are(made_up):
    with pytest.raises(EvabenchError, match=r"no such row\. It has: SGD, Eva"):
        find_source(made_up, "cost.autoencoder/Adam")


def kinds(source):
    return {run.cell.measurement.measurement for run in source.runs}


def test_a_cell_has_the_runs_of_its_row_and_of_what_its_column_measures(made_up):
    step = find_source(made_up, "cost.autoencoder/Eva/step")
    assert ({run.cell.arm for run in step.runs}, kinds(step)) == ({"Eva"}, {"step_time"})
    assert step.tables[0].rows == (("Eva", "11.0 ms"),)
    assert kinds(find_source(made_up, "cost.autoencoder/k-fac-10/peak")) == {"memory"}
    assert kinds(find_source(made_up, "losses.autoencoder/eva/val-loss")) == {"convergence"}
    assert kinds(find_source(made_up, "losses.autoencoder/eva/time-to-target")) == {"convergence", "step_time"}


def test_a_ratio_has_the_runs_of_its_base_too_and_every_log_ratio(made_up):
    source = find_source(made_up, "cost.autoencoder/eva/step-sgd")
    assert {run.cell.arm for run in source.runs} == {"SGD", "Eva"}
    (pairs,) = [row for row in rows(source, "figures") if row[1].startswith("log ratio to SGD")]
    assert len(pairs[2].split(", ")) == 7


def test_a_comparison_of_a_claim_has_the_runs_of_its_two_arms(made_up):
    judgement = next(one for one in made_up.judgements if len(one.evidence) > 1)
    source = find_source(made_up, f"{card_address(made_up, judgement)}/autoencoder-2/estimate")
    named = {judgement.evidence[1].arm, judgement.evidence[1].base}
    assert {run.cell.arm for run in source.runs} == named


def test_a_pair_of_a_suite_without_claims_has_the_runs_of_both_arms():
    document_ = document()
    group = next(group for group in document_.verdicts if group.table)
    source = find_source(document_.report, f"{group.address}/{row_ids(group.table)[0]}")
    assert len({run.cell.arm for run in source.runs}) == 2
    assert source.tables[0].rows == group.table.rows[:1]


def test_an_audit_has_an_address_too():
    judgement = next(one for one in document().report.judgements if one.audits)
    address = f"{card_address(document().report, judgement)}.audit"
    assert find_source(document().report, address).tables[0].headings[0] == "question"


def test_an_unknown_column_names_those_that_there_are(made_up):
    with pytest.raises(EvabenchError, match=r'no column "taste"\. It has: step, step-sgd, peak, curvature-state'):
        find_source(made_up, "cost.autoencoder/Eva/taste")


def test_every_number_of_the_first_screen_has_an_address_with_runs(made_up):
    first = document().first
    addresses = [first.address, *(strip.address for strip in first.strips), *(fact.address for fact in first.facts)]
    for address in (*addresses, "claims"):
        assert find_source(made_up, address).runs, address


def test_the_noise_of_the_first_screen_comes_from_the_deviation_of_each_arm(made_up):
    source = find_source(made_up, "first.noise")
    rows = source.tables[0].rows
    deviations = sorted(float(row[3].removesuffix("%")) for row in rows if row[3] != "-")
    told = re.search(r"differ by ([\d.]+)%", source.title)[1]
    assert told == f"{median(deviations):.1f}"
    timed = sum(int(row[4]) for row in rows)
    disturbed = sum(int(row[5]) for row in rows)
    assert f"{disturbed} of {timed} timed runs were disturbed" in source.title
    one = find_source(made_up, "first.noise/Eva/deviation")
    assert {run.cell.arm for run in one.runs} == {"Eva"}


def test_the_runs_of_the_first_screen_are_counted_by_kind(made_up):
    source = find_source(made_up, "first.runs")
    assert sum(int(row[2]) for row in source.tables[0].rows) == len(source.runs) == len(made_up.runs)
    assert kinds(find_source(made_up, "first.runs/memory")) == {"memory"}


def test_two_claims_whose_names_come_to_one_have_addresses_of_their_own():
    first, second, *_ = report().judgements
    alike = [replace(one, claim=replace(one.claim, id=name)) for one, name in ((first, "a b"), (second, "a-b"))]
    found = replace(report(), judgements=tuple(alike))
    addresses = [card_address(found, one) for one in found.judgements]
    assert len(set(addresses)) == 2
    assert [find_source(found, address).title for address in addresses] == [one.claim.text for one in alike]

"""Baselines that are none, through the command line: nothing is supported against them, and the page says why first."""

import json
import re

import pytest

from tests.cli.in_process import evabench as told
from tests.cli.test_set_targets import evabench, stored

pytestmark = pytest.mark.long

SUITE = """
name = "tiny"
title = "Tiny"
description = "A test."

[workloads.small]
workload = "classifier"
model = "mlp"
data = "digits"
width = 0.125
batch = 100

[arms.SGD]
optimizer = "sgd"
lr = {lr}
momentum = 0.9

[arms.Eva]
optimizer = "eva"
lr = 0.3
damping = 3.0
clip = "kl_normalization"

[convergence]
seeds = 8
steps = 40
evaluate_every = 2
{more}

[convergence.targets.small]
{target}

[[claims]]
id = "sooner"
text = "Eva takes no more steps to the target than SGD."
quantity = "steps_to_target_ratio"
arm = "Eva"
bases = ["SGD"]
relation = "at_least"
value = 1.0
reason = "1: no more."
headline = true

[[claims]]
id = "lower"
text = "Eva ends no higher than SGD."
quantity = "validation_loss_ratio"
arm = "Eva"
bases = ["SGD"]
relation = "at_most"
value = 1.0
reason = "1: no higher."
"""
GOOD, HOBBLED = 0.1, 0.1 / 30
SET_BY_SGD = 'reference = "SGD"\nat = 0.75'


def number(value):
    return f'value = {value}\nprovenance = "a test"'


def run(folder, lr, target, more=""):
    """Return the verdicts by claim, and the sentence that the page begins with."""
    (folder / "tiny.toml").write_text(SUITE.format(lr=lr, target=target, more=more))
    evabench(folder, "run", "tiny.toml")
    assert told(folder, "report", "tiny.toml").returncode in {0, 3}  # 3: a training diverged
    page = (folder / "reports" / "tiny" / "report.md").read_text()
    sentence = next(line for line in page.splitlines() if line.startswith("**"))
    groups = json.loads(told(folder, "claims", "tiny.toml", "--json").stdout)["answer"]["sets"][0]["groups"]
    own = next(group for group in groups if group["title"] == "Claims of this suite")
    return {one["claim"]["id"]: one["judgement"]["here"] for one in own["entries"]}, sentence


@pytest.mark.parametrize("target", [SET_BY_SGD, number(0.5)])
def test_a_thirtieth_of_the_good_rate_supports_nothing(tmp_path, target):
    verdicts, sentence = run(tmp_path, HOBBLED, target)
    assert verdicts == {"sooner": "inconclusive", "lower": "inconclusive"}
    assert "weak base: SGD" in sentence


def test_where_nobody_tries_another_rate_the_first_sentence_says_so(tmp_path):
    _, sentence = run(tmp_path, GOOD / 3, SET_BY_SGD, "check_rates = false")
    assert re.match(r"\*\*\w+ \(SGD tried at one rate", sentence)
    assert "SGD was tried at no other learning rate: a better one may exist." in sentence


def test_a_base_that_diverges_supports_nothing(tmp_path):
    verdicts, sentence = run(tmp_path, 1e6, number(0.5))
    assert verdicts == {"sooner": "inconclusive", "lower": "inconclusive"}
    assert "weak base: SGD" in sentence


def test_a_base_that_misses_a_number_in_half_of_its_seeds_supports_nothing(tmp_path):
    run(tmp_path, GOOD, number(0.5))
    ends = sorted(
        one.measured.evaluations[-2].validation_loss
        for one in stored(tmp_path)
        if one.cell.arm == "SGD" and one.cell.role == "judged"
    )
    verdicts, sentence = run(tmp_path, GOOD, number((ends[3] + ends[4]) / 2))
    assert verdicts["sooner"] == "inconclusive"
    assert "weak base: SGD missed the target in " in sentence


def test_a_number_that_nobody_reaches_supports_nothing(tmp_path):
    verdicts, sentence = run(tmp_path, GOOD, number(1e-6))
    assert verdicts["sooner"] == "inconclusive"
    assert "SGD missed the target in 8 of 8 seeds" in sentence


UNCLAIMED = SUITE.partition("[[claims]]")[0] + "\n[step_time]\nsweeps = 6\n"
EASY = 2.2  # of ten classes: below what a guess comes to, and reached at once


def pair_of(folder, lr, target):
    """Return the answers about Eva against SGD, where the suite claims nothing itself."""
    (folder / "tiny.toml").write_text(UNCLAIMED.format(lr=lr, target=target, more=""))
    evabench(folder, "run", "tiny.toml", "--no-repeat")
    shown = json.loads(told(folder, "show", "tiny.toml", "--json").stdout)["answer"]
    return {one["claim"]["quantity"]: one for report in shown["reports"] for one in report["pairs"]}


def test_without_claims_no_arm_is_sooner_than_a_base_that_is_none_however_easy_the_target(tmp_path):
    sooner = pair_of(tmp_path, HOBBLED, number(EASY))["time_to_target_ratio"]
    assert sooner["here"] == "inconclusive"
    assert "has a weak base: SGD" in sooner["reason"]

"""[[claims]] of a suite: data about its own arms, refused where nothing could answer them."""

import pytest

from evabench.suite.reading import load_suite
from tests.suite.files import GOOD, TIERS, mistakes, write

CLAIM = """
[[claims]]
id = "cheap"
text = "A step of Eva costs at most 1.2 times one of SGD."
quantity = "step_time_ratio"
arm = "Eva"
bases = ["SGD"]
relation = "at_most"
value = 1.2
reason = "1.2: what the method promises."
headline = true
"""
TO_TARGET = CLAIM.replace("step_time_ratio", "time_to_target_ratio").replace("at_most", "at_least")


def test_a_claim_stands_in_the_suite_and_has_its_defaults(tmp_path):
    (claim,) = load_suite(write(tmp_path, GOOD + CLAIM)).claims
    assert (claim.id, claim.value, claim.tolerance, claim.alpha, claim.source) == (
        "cheap",
        1.2,
        0.05,
        0.05,
        "this suite",
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"Eva"', '"Evva"', '[claims] "cheap": arm: "Evva" is none of SGD, Eva'),
        ('["SGD"]', '["SGD", "AdamW"]', '[claims] "cheap": bases: "AdamW" is none of SGD, Eva'),
        ('["SGD"]', "[]", "[claims, entry 1]: bases must have 1 or more entries"),
        ("value", 'workloads = ["large"]\nvalue', 'workloads: "large" is none of small'),
        (
            "value",
            "conditions = [{ model = 'VGG-19', data = 'cifar10' }]\nvalue",
            "conditions are those of a claim file",
        ),
        ("value", "conditions = [{ modle = 'VGG-19' }]\nvalue", "has no setting modle. It has: model, data, batch"),
        ("value", "local = true\nvalue", "has no setting local: where a claim stands says it"),
        ("value", "valeu", "[claims, entry 1] has no setting valeu. It has: id, text"),
        ("step_time_ratio", "speed", "[claims, entry 1]: quantity must be 'time_to_target_ratio', "),
        ("at_most", "exact", 'relation "exact" cannot be asked of step_time_ratio'),
        ('reason = "1.2: what the method promises."', "", "[claims, entry 1]: reason is missing"),
        ("1.2\n", "nan\n", "value must be a finite number, got nan"),
    ],
)
def test_a_mistake_in_a_claim_is_told_with_its_place_and_what_is_allowed(tmp_path, old, new, told):
    assert told in mistakes(tmp_path, GOOD + CLAIM.replace(old, new))


def test_mistakes_of_claims_and_of_the_rest_are_told_together(tmp_path):
    text = GOOD.replace("seeds = 3", "seeds = 0") + CLAIM.replace("alpha", "").replace("1.2\n", "-1.0\n")
    told = mistakes(tmp_path, text)
    assert "[convergence]: seeds must be >= 1, got 0" in told
    assert "[claims, entry 1]: value must be above 0, got -1" in told


def test_two_headlines_and_one_id_twice_are_refused(tmp_path):
    told = mistakes(tmp_path, GOOD + CLAIM + CLAIM)
    assert "one claim may be the headline, and 2 are: cheap, cheap" in told
    assert 'the id "cheap" is given 2 times' in told


def test_a_claim_that_nothing_in_the_suite_measures_is_refused(tmp_path):
    told = mistakes(tmp_path, GOOD.replace("[step_time]\nsweeps = 6\n", "") + CLAIM)
    assert "nothing here measures a step_time_ratio: it needs [step_time]" in told
    assert "no workload has a target: give one in [convergence.targets]" in mistakes(tmp_path, GOOD + TO_TARGET)


def test_a_workload_without_a_target_has_no_time_to_it(tmp_path):
    two = GOOD.replace("[arms.SGD]", '[workloads.two]\nworkload = "autoencoder"\nwidths = [784, 20, 5]\n[arms.SGD]')
    target = '\n[convergence.targets.small]\nvalue = 0.07\nprovenance = "a guess"\n'
    named = TO_TARGET.replace("value", 'workloads = ["two"]\nvalue')
    assert '"two" has no target: give it one in [convergence.targets."two"]' in mistakes(tmp_path, two + target + named)


def test_a_claim_belongs_to_the_suite_and_may_be_answered_in_some_of_its_tiers_only(tmp_path):
    text = TIERS.replace("[tiers.paper]", "[tiers.paper]\nstep_time = { sweeps = 6 }") + CLAIM
    assert load_suite(write(tmp_path, text), "smoke").claims == load_suite(write(tmp_path, text), "paper").claims
    assert "nothing here measures a step_time_ratio" in mistakes(tmp_path, TIERS + CLAIM)

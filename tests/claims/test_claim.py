from dataclasses import replace

import pytest

from tests.claims.eva import EVA_CLAIMS, FASTER_THAN_SGD, LESS_MEMORY, SUBLINEAR_MEMORY


def test_the_claims_have_their_figures_and_their_reasons():
    assert {claim.id: claim.value for claim in EVA_CLAIMS} == {
        "C1": 2.05,
        "C2-kfac": 2.42,
        "C2-shampoo": 2.42,
        "C3-growth": None,
        "C3-size": 0.1,
        "C4-work": 2.0,
        "C4-time": 2.0,
    }
    assert all(claim.reason and claim.source for claim in EVA_CLAIMS)


@pytest.mark.parametrize(
    ("claim", "changes", "message"),
    [
        (FASTER_THAN_SGD, {"relation": "exact"}, 'relation "exact" cannot be asked of time_to_target_ratio'),
        (SUBLINEAR_MEMORY, {"relation": "at_most"}, "cannot be asked of curvature_growth, which takes exact"),
        (FASTER_THAN_SGD, {"value": None}, "value must be a number"),
        (LESS_MEMORY, {"value": None}, "value must be a number"),
        (SUBLINEAR_MEMORY, {"value": 1.0}, "value must be a number"),
        (FASTER_THAN_SGD, {"value": -1.0}, "value must be above 0, got -1"),
        (FASTER_THAN_SGD, {"bases": ("sgd", "sgd")}, "bases must have none twice"),
        (FASTER_THAN_SGD, {"bases": ("eva",)}, '"eva" cannot be compared with itself'),
        (FASTER_THAN_SGD, {"alpha": 0.95}, "alpha must be < 0.5, got 0.95"),
        (FASTER_THAN_SGD, {"tolerance": 5.0}, "tolerance must be < 1, got 5.0"),
        (FASTER_THAN_SGD, {"step": 10}, "step belongs to a validation"),
        (FASTER_THAN_SGD, {"workloads": ("mine",)}, "workloads, in a suite, or conditions, in a claim file"),
    ],
)
def test_a_claim_that_no_measurement_could_decide_is_refused(claim, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(claim, **changes)

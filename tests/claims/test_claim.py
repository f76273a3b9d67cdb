from dataclasses import replace

import pytest

from evabench.claims.eva import EVA_CLAIMS, FASTER_THAN_SGD, LESS_MEMORY, SUBLINEAR_MEMORY


def test_the_claims_have_their_figures_and_their_reasons():
    assert {claim.id: claim.value for claim in EVA_CLAIMS} == {
        "C1": 2.05,
        "C2-kfac": 2.42,
        "C2-shampoo": 2.42,
        "C3-growth": None,
        "C3-size": 0.1,
        "C4": 2.0,
    }
    assert all(claim.reason and claim.source for claim in EVA_CLAIMS)


@pytest.mark.parametrize(
    ("claim", "changes", "message"),
    [
        (FASTER_THAN_SGD, {"relation": "exact"}, 'relation "exact" is for'),
        (SUBLINEAR_MEMORY, {"relation": "at_most"}, 'relation "exact" is for'),
        (FASTER_THAN_SGD, {"value": None}, "value must be a number"),
        (LESS_MEMORY, {"value": None}, "value must be a number"),
        (SUBLINEAR_MEMORY, {"value": 1.0}, "value must be a number"),
        (FASTER_THAN_SGD, {"bases": ()}, "at least one optimizer"),
        (FASTER_THAN_SGD, {"alpha": 0.95}, "alpha must be"),
        (FASTER_THAN_SGD, {"tolerance": 5.0}, "tolerance in"),
    ],
)
def test_a_claim_that_no_measurement_could_decide_is_refused(claim, changes, message):
    with pytest.raises(ValueError, match=message):
        replace(claim, **changes)

"""Eva's claims, as they ship, by name."""

from evabench.claims.reading import shipped_claims

EVA_CLAIMS = tuple(claim for claim in shipped_claims() if claim.arm == "eva")
(FASTER_THAN_SGD, FASTER_THAN_KFAC, FASTER_THAN_SHAMPOO, SUBLINEAR_MEMORY, LESS_MEMORY, LINEAR_WORK, LINEAR_TIME) = (
    EVA_CLAIMS
)

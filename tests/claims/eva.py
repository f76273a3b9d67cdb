"""Eva's claims, as they ship, by name."""

from evabench.claims.reading import shipped_files

EVA_CLAIMS = shipped_files()[0].claims
(FASTER_THAN_SGD, FASTER_THAN_KFAC, FASTER_THAN_SHAMPOO, SUBLINEAR_MEMORY, LESS_MEMORY, LINEAR_WORK, LINEAR_TIME) = (
    EVA_CLAIMS
)

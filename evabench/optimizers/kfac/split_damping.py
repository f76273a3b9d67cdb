"""How the two factors of the Kronecker-factored curvature A (x) B share the damping.

Legend: A [d_in, d_in] mean of a a^T over inputs a; B [d_out, d_out] mean of b b^T over output gradients b; m(F) =
tr(F) / d, the mean eigenvalue of a factor. Factors may be stacked: [groups, d, d] has [groups] of everything.
"""

import torch
from torch import Tensor

from evabench.optimizers.outer_products import is_positive, mean_eigenvalue
from evabench.settings.choices import DampingScale


def split_damping(A: Tensor, B: Tensor, damping: float, damping_scale: DampingScale) -> tuple[Tensor, Tensor]:
    """Return the damping of A and that of B, whose product is the damping gamma of A (x) B.

        sqrt(gamma) * pi  and  sqrt(gamma) / pi,  pi = sqrt(m(A) / m(B))

    "absolute": gamma = damping. "relative": gamma = damping * m(A) * m(B), that is sqrt(damping) * m(A) and
    sqrt(damping) * m(B). A factor of zero says nothing: its side gets the damping 1, or pi is 1.
    Source: Martens & Grosse, arXiv:1503.05671, section 6.3.
    """
    mean_A, mean_B = mean_eigenvalue(A), mean_eigenvalue(B)
    known_A, known_B = is_positive(mean_A), is_positive(mean_B)
    root = damping**0.5
    if damping_scale == "relative":
        return torch.where(known_A, root * mean_A, 1.0), torch.where(known_B, root * mean_B, 1.0)
    pi = torch.where(known_A & known_B, mean_A.sqrt() / mean_B.sqrt(), 1.0)
    return root * pi, root / pi

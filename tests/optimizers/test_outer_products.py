import pytest
import torch
from torch.testing import assert_close

from evabench.optimizers.outer_products import sum_outer_products


@pytest.mark.parametrize("d", [1, 256, 257, 1001])
def test_outer_products_summed_by_halves_equal_one_product(d):
    rows = torch.randn(7, d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    summed = sum_outer_products(rows)
    assert_close(summed, rows.T @ rows)
    assert_close(summed, summed.T, rtol=0, atol=1e-14)
